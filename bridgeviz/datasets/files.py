"""A user's own files: embeddings, pairs and labels, checked as they are read and refused in one sentence.

What carries names is read by them. What can be read in two ways is refused, with both ways named. A part of a file is
named by a key behind two colons, such as `cells.h5ad::obsm/X_pca`. `FORMATS` lists the kinds of files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._forbidden import Forbidden, refuse_forbidden_pairs
from bridgeviz._weights import weights
from bridgeviz.datasets._formats import FORMATS, File, Format, Table, label_order, pair_rows, reading, refuse_large
from bridgeviz.problem import Problem, Space

T = TypeVar("T")

Names = Sequence[str] | None
"""The names of the rows of a space; None if its file has none."""

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)

_SEPARATOR = "::"


def read_table(path: str | Path, *, key: str | None = None, rows: int = 2) -> Table:
    """Read an (n, p) matrix with one row per sample, and the names of its rows if the file has any.

    Args:
        path: path of the file, with a key behind two colons or without one.
        key: which array, column of lists or matrix of the file is meant, instead of a key in the path.
        rows: the least number of rows.

    Raises:
        InputError: no such file, another kind of file, or contents that are not a finite matrix.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "x.csv"
    ...     _ = path.write_text("cell,a,b\\nA7,1,2\\nB2,3,4\\n")
    ...     table = read_table(path)
    >>> table.x.tolist(), table.names, table.stored
    ([[1.0, 2.0], [3.0, 4.0]], ('A7', 'B2'), 'text')
    """
    file, kind = _find(path, key, "matrix")
    table = _read(file, kind, kind.matrix)
    x = _named(lambda: check.matrix(table.x, file.path.name, "read_matrix", rows=rows))
    return replace(table, x=x)


def read_matrix(path: str | Path, *, key: str | None = None, rows: int = 2) -> np.ndarray:
    """The matrix of `read_table` alone: (n, p), float32 or float64."""
    return read_table(path, key=key, rows=rows).x


def read_pairs(
    path: str | Path, shape: tuple[int, int], *, names: tuple[Names, Names] = (None, None), key: str | None = None
) -> np.ndarray:
    """Read (l, 2) row numbers: the columns source and target of a table, or an array with two columns.

    Words are looked up among the names of the rows, for each side by itself.

    Args:
        path: path of the file.
        shape: (n, m) of the problem, to check the row numbers against.
        names: the names of the source rows and of the target rows.
        key: which array of the file is meant.

    Raises:
        InputError: no such file, another kind of file, contents that are not pairs of this problem, or whole numbers
            where the rows have whole numbers as names in another order.
    """
    file, kind = _find(path, key, "pairs")
    sides = zip(_read(file, kind, kind.pairs), ("source", "target"), names, strict=True)
    columns = [pair_rows(ids, side, known, file) for ids, side, known in sides]
    value = np.stack(columns, axis=1) if len(columns[0]) else np.zeros((0, 2), np.int64)
    return _named(lambda: check.pair_index(value, file.path.name, "read_pairs", shape=shape, least=1))


def read_labels(path: str | Path, length: int, *, names: Names = None, key: str | None = None) -> np.ndarray:
    """Read one label per row.

    If the rows of the space and those of the file have names, the labels are joined by them, and the file may hold
    more rows than the space. If every label is a whole number, text is read as numbers, so that "3" in one file equals
    3 in another.

    Args:
        path: path of the file, with the name of a column behind two colons or without one.
        length: number of rows of the space.
        names: names of the rows of the space.
        key: which column of the file is meant, instead of a key in the path; the one named label if nothing is said.

    Raises:
        InputError: no such file, another kind of file, or contents that are not one label per row.
    """
    file, values = _column(path, length, names, key)
    if not isinstance(values, np.ndarray) or values.dtype.kind in "OU":
        values = [str(label).strip() for label in values]
        if "" in values:
            raise InputError(f"{file} must have a label in every row. Row {values.index('')} has none.")
        if all(_WHOLE.fullmatch(label) for label in values):
            values = [int(label) for label in values]
        else:
            refuse_large(file, (len(values),), np.dtype(("U", max(map(len, values), default=1))))
    return _named(lambda: check.labels(values, file.path.name, "read_labels", length=length))


def read_weights(path: str | Path, length: int, *, names: Names = None, key: str | None = None) -> np.ndarray:
    """Read one weight per row: (n,) non-negative numbers, from the files that hold labels and as `read_labels` does.

    Args:
        path, length, names, key: as in `read_labels`.

    Raises:
        InputError: no such file, another kind of file, or contents that are not one weight per row.
    """
    file, values = _column(path, length, names, key)
    try:
        numbers = np.array([float(value) for value in values])
    except (TypeError, ValueError):
        row = next(row for row, value in enumerate(values) if not _is_number(value))
        got = check.describe(values[row])
        raise InputError(f"{file} must have one weight per row. Row {row} has {got}.") from None
    return _named(lambda: weights(numbers, file.path.name, "read_weights", length=length))


def read_forbidden(
    path: str | Path, problem: Problem, *, names: tuple[Names, Names] = (None, None), key: str | None = None
) -> Forbidden:
    """Read forbidden matches of the rows of a problem, from the files that hold pairs and as `read_pairs` does."""
    return Forbidden.matches(read_pairs(path, problem.shape, names=names, key=key), shape=problem.shape)


def read_forbidden_classes(path: str | Path, problem: Problem, *, key: str | None = None) -> Forbidden:
    """Read forbidden matches of classes: the columns source and target of a table, with one pair of classes per row.

    Args:
        path: path of the file.
        problem: with labels on both sides, whose classes the file names.
        key: which array of the file is meant.

    Raises:
        InputError: no such file, another kind of file, a side without labels, or a class that no row has.
    """
    file, kind = _find(path, key, "pairs")
    labels = (problem.source.labels, problem.target.labels)
    missing = [side for side, known in zip(("source", "target"), labels, strict=True) if known is None]
    if missing:
        raise InputError(
            f"{file} names classes, so the rows of both sides must have labels. Those of the "
            f"{' and the '.join(missing)} have none: add their labels."
        )
    columns = _read(file, kind, kind.pairs)
    if not len(columns[0]):
        raise InputError(f"{file} must hold at least one pair of classes. Got none.")
    named = [[_class(cell, known) for cell in column] for column, known in zip(columns, labels, strict=True)]
    try:
        return Forbidden.classes(zip(*named, strict=True), *labels, where="read")  # pyright: ignore[reportArgumentType]
    except InputError as error:
        raise InputError(str(error).replace("The 'classes' of read()", str(file), 1)) from None


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the files of a user say: two spaces and pairs of their rows.

    Attributes:
        problem: the two spaces with their labels and weights, and what is forbidden between them.
        pairs: (l, 2) row numbers.
        names: the names of the source rows and of the target rows; None where a file has none.
    """

    problem: Problem
    pairs: np.ndarray
    names: tuple[Names, Names]


def read_problem(
    source: str | Path,
    target: str | Path,
    pairs: str | Path | None = None,
    *,
    source_labels: str | Path | None = None,
    target_labels: str | Path | None = None,
    source_weights: str | Path | None = None,
    target_weights: str | Path | None = None,
    forbidden: str | Path | None = None,
    forbidden_classes: str | Path | None = None,
) -> Inputs:
    """Read two spaces and what is known of them: pairs, labels, weights, and matches that are forbidden.

    All of these files may name rows instead of counting them.

    Args:
        source, target: paths of the files, each with a key behind two colons or without one.
        pairs: that of a file with known pairs, or None.
        source_labels, target_labels: those of files with labels, or None.
        source_weights, target_weights: those of files with weights, or None.
        forbidden: that of a file with forbidden matches of rows, or None.
        forbidden_classes: that of a file with forbidden matches of classes, or None; it needs labels on both sides.

    Raises:
        InputError: as the functions for each file do, or pairs that are forbidden.
    """
    tables = {side: read_table(path) for side, path in (("source", source), ("target", target))}
    spaces = []
    for side, path, weighed in (("source", source_labels, source_weights), ("target", target_labels, target_weights)):
        table = tables[side]
        labels = None if path is None else read_labels(path, len(table), names=table.names)
        of_rows = None if weighed is None else read_weights(weighed, len(table), names=table.names)
        spaces.append(Space(table.x, labels=labels, weights=of_rows))
    problem, names = Problem(*spaces), (tables["source"].names, tables["target"].names)
    known = np.zeros((0, 2), np.int64) if pairs is None else read_pairs(pairs, problem.shape, names=names)
    for path, read in ((forbidden, partial(read_forbidden, names=names)), (forbidden_classes, read_forbidden_classes)):
        if path is not None:
            more, file = read(path, problem), split_key(path)[0].name
            _named(partial(refuse_forbidden_pairs, more, known, "read_pairs", file))
            problem = problem.forbid(more)
    return Inputs(problem, known, names)


def split_key(path: str | Path, key: str | None = None) -> tuple[Path, str | None]:
    """A path and the key behind its last two colons; None if there is no key, or if a file has this name as a whole.

    >>> split_key("cells.h5ad::obsm/X_pca")[1], split_key("x.npy")[1]
    ('obsm/X_pca', None)
    """
    try:
        text = os.fspath(path)
    except TypeError:
        text = path
    if not isinstance(text, str):
        raise InputError(f"A file must be named by its path. Got {check.describe(path)} instead.")
    if key is None and _SEPARATOR in text and not os.path.exists(text):
        text, _, key = text.rpartition(_SEPARATOR)
    return Path(text), key


def location(path: str | Path) -> Path:
    """The absolute path of a file, without its key.

    Raises:
        InputError: that is not a path.
    """
    plain, _ = split_key(path)
    try:
        return plain.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a NUL, or links in a circle
        raise InputError(f"{str(plain)!r} can't be opened: {check.reason(error)}.") from error


def kinds(role: str) -> tuple[str, ...]:
    """The suffixes of the files that can hold a "matrix", "labels" or "pairs"."""
    return tuple(suffix for suffix, kind in FORMATS.items() if kind.holds(role))


def _find(path: str | Path, key: str | None, role: str) -> tuple[File, Format]:
    """A file and its kind, which its suffix says and its first bytes confirm."""
    path, key = split_key(path, key)
    what = {"matrix": "a matrix"}.get(role, role)
    kind = FORMATS.get(path.suffix.lower())
    if kind is None or not kind.holds(role):
        endings = ", ".join(kinds(role))
        raise InputError(f"{path} must be {what} in a file that ends in {endings}. Got '{path.suffix}' instead.")
    file = File.find(path, key)
    with reading(file, kind.title), file.open() as stream:
        begin = stream.read(16)
    for other in FORMATS.values():
        if other.signature and begin.startswith(other.signature) and other.signature != kind.signature:
            raise InputError(f"{file} must be {kind.title}. By its first bytes it is {other.title}.")
    if re.match(rb"\x80[\x02-\x05]", begin):
        raise InputError(f"{file} must be {kind.title}. It is a Python pickle, which is never loaded: save a matrix.")
    if begin.startswith(b"\x1f\x8b"):
        raise InputError(f"{file} must be {kind.title}. It is compressed with gzip: unpack it first.")
    if not begin.startswith(kind.signature):
        raise InputError(f"{file} can't be read as {kind.title}: it does not begin like one.")
    return file, kind


def _column(path: str | Path, length: int, names: Names, key: str | None) -> tuple[File, Sequence[str] | np.ndarray]:
    """A file and the one value that it has per row, in the order of the rows of the space."""
    file, kind = _find(path, key, "labels")
    column = _read(file, kind, lambda file: kind.labels(file, length))
    order = label_order(column, names, file)
    return file, column.values if order is None else [column.values[row] for row in order]


def _class(cell: object, labels: np.ndarray | None) -> object:
    """A class as the labels have it: a number if they are numbers and the cell is one."""
    whole = isinstance(cell, (float, np.floating)) and float(cell).is_integer()
    text = str(int(cell) if whole else cell).strip()  # type: ignore[arg-type]
    return int(text) if labels is not None and labels.dtype.kind in "iu" and _WHOLE.fullmatch(text) else text


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _read(file: File, kind: Format, read: Callable[[File], T]) -> T:
    with reading(file, kind.title):
        return read(file)


def _named(checked: Callable[[], T]) -> T:
    """Run a check; its message names a file rather than an argument of a function."""
    try:
        return checked()
    except InputError as error:
        text = str(error)
        for where in ("read_matrix", "read_pairs", "read_labels", "read_weights"):
            text = text.replace(f"' of {where}()", "'")
        raise InputError(text.replace("The '", "The file '", 1)) from None
