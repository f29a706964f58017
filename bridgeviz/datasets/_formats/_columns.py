"""Labels and pairs in a table: which of its columns they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import Column, Ids
from bridgeviz.datasets._formats._names import is_title

MOST_ROWS = 10**7
"""Rows of a table of labels or pairs."""


def label_column(titles: Sequence[str], file: File) -> int:
    """The number of the column of labels: the one that the key names, or 'label', or the other one beside the names."""
    if file.key is None and len(titles) == 2 and "label" not in titles and is_title(titles[0]):
        return 1
    if file.key is None and "label" not in titles:
        raise InputError(
            f"{file} must have one column, or one named 'label', or say which one holds the labels, as in "
            f"{file.path.name}::{(titles[-1] or 'label')[:40]}. Got {len(titles)} columns."
        )
    return list(titles).index(file.pick(list(titles), "label", "column"))


def labels_of(rows: Iterator[list[str]], file: File, length: int) -> Column:
    """The labels in a table of text, whose first row may be a header.

    Args:
        rows: cells, row by row.
        file: holds them.
        length: rows of the space.
    """
    first = next(rows, [""])
    if len(first) == 1:
        return Column(_single(first + [row[0] for row in islice(rows, length + 2)], file, length))
    column = label_column(first, file)
    keep = [(row[column], row[0]) for row in islice(rows, MOST_ROWS + 1)]
    refuse_many(len(keep), file)
    labels, names = [label for label, _ in keep], [name for _, name in keep]
    return Column(labels, names, names_rows(first[0], names)) if column > 0 else Column(labels)


def names_rows(title: str, values: Sequence[str]) -> bool:
    """Whether the column beside the labels names the rows: by its title, or because its values are unique words."""
    if is_title(title):
        return True
    return len(set(values)) == len(values) and not any(value[:1] in "+-.0123456789" for value in values)


def refuse_many(rows: int, file: File) -> None:
    """Refuse a table of labels or pairs with too many rows."""
    if rows > MOST_ROWS:
        raise InputError(f"{file} must have at most {MOST_ROWS:,} rows. Leave out those that are not needed.")


def _single(values: list[str], file: File, length: int) -> list[str]:
    """The labels of the only column, without its header if it has one."""
    header = values[0]
    if file.key is not None:
        if header != file.key:
            raise InputError(f"{file} has no column {file.key[:40]!r}. It holds: {header[:40]}.")
        return values[1:]
    if header and header not in values[1:]:
        if len(values) == length + 1:
            return values[1:]
        if header.lower() in ("label", "labels", "class"):
            labels = f"the header {header[:40]!r} and {len(values) - 1} labels"
            raise InputError(f"{file} must have one label per row, {length} in total. Got {labels} instead.")
    return values


def pairs_of(rows: Iterator[list[str]], file: File) -> tuple[Ids, Ids]:
    """The columns source and target of a table of text."""
    source, target = pair_columns(next(rows, [""]), file)
    keep = [(row[source], row[target]) for row in islice(rows, MOST_ROWS + 1)]
    refuse_many(len(keep), file)
    return [row[0] for row in keep], [row[1] for row in keep]


def pair_columns(titles: Sequence[str], file: File) -> tuple[int, int]:
    """The numbers of the columns source and target."""
    if not {"source", "target"} <= set(titles):
        columns = ", ".join(repr(title[:40]) for title in titles[:8])
        raise InputError(f"{file} must have the columns 'source' and 'target'. Got {columns} instead.")
    return list(titles).index("source"), list(titles).index("target")
