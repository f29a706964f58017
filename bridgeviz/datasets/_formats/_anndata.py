"""`.h5ad` and `.h5mu`: annotated matrices. https://anndata.readthedocs.io/en/latest/fileformat-prose.html"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import Column, Format, Table
from bridgeviz.datasets._formats._hdf5 import SIGNATURE, attribute, child, numbers, opened, words
from bridgeviz.datasets._formats._sparse import densify

_HOMES = ("layers", "obsm")
"""The groups whose members have one row per sample."""


class AnnData(Format):
    """Annotated matrices: X, raw/X, a member of layers or obsm, for a `.h5mu` behind the name of a modality.

    The rows are named by the index of obs, and a column of obs can be read as labels.
    """

    signature = SIGNATURE

    def matrix(self, file: File) -> Table:
        short = File(file.path, file.key and file.key.removeprefix("mod/"), file.size)
        with opened(file) as root:
            keys = list(_matrices(root, "", file)) + [
                key for name in _members(root, "mod", file) for key in _matrices(root, f"mod/{name}/", file)
            ]
            key = short.pick([key.removeprefix("mod/") for key in keys], None, "matrix")
            path = key if key in keys else f"mod/{key}"
            table = _matrix(child(root, path, file), path, file)
            names = _index(root, path[: len(path) - len(_within(path))], file)
        if names is not None and len(names) != len(table):
            raise InputError(f"{file} must have one name per row. It has {len(names)} names and {len(table)} rows.")
        return Table(table.x, names, table.stored)

    def labels(self, file: File, length: int) -> Column:
        with opened(file) as root:
            *groups, title = (file.key or "label").removeprefix("mod/").split("/")
            home = "".join(f"{name}/" for name in groups if name != "obs")
            home = f"mod/{home}" if home else ""
            titles = [name for name in _members(root, f"{home}obs", file) if not name.startswith("__")]
            title = File(file.path, file.key and title, file.size).pick(titles, "label", "column of labels")
            values = _column(child(root, f"{home}obs/{title}", file), title, file)
            return Column(values, _index(root, home, file))


def _within(path: str) -> str:
    """The part of a path behind the modality."""
    return "/".join(path.split("/")[2:]) if path.startswith("mod/") else path


def _members(root: Any, path: str, file: File) -> list[str]:
    node = child(root, path, file)
    return list(node.keys()) if hasattr(node, "keys") else []


def _matrices(root: Any, home: str, file: File) -> Iterator[str]:
    """The paths of the matrices with one row per sample, below the root or a modality."""
    for path in ("X", "raw/X"):
        node = child(root, f"{home}{path}", file)
        if node is not None and (hasattr(node, "keys") or node.shape is not None):  # an empty X is saved as null
            yield f"{home}{path}"
    for group in _HOMES:
        for name in _members(root, f"{home}{group}", file):
            yield f"{home}{group}/{name}"


def _matrix(node: Any, path: str, file: File) -> Table:
    """A dense or a sparse matrix."""
    layout = (attribute(node, "encoding-type") or f"{attribute(node, 'h5sparse_format')}_matrix").removesuffix(
        "_matrix"
    )
    if not hasattr(node, "keys") or layout not in ("csr", "csc"):
        array = numbers(node, path, file)
        return Table(array, stored=str(array.dtype))
    parts = {name: numbers(child(node, name, file), f"{path}/{name}", file) for name in ("data", "indices", "indptr")}
    shape = node.attrs.get("shape", node.attrs.get("h5sparse_shape", ()))
    return densify(file, layout, parts, np.asarray(shape))


def _index(root: Any, home: str, file: File) -> tuple[str, ...] | None:
    """The names of the rows; None if there are none."""
    obs = child(root, f"{home}obs", file)
    if obs is None:
        return None
    if hasattr(obs, "dtype"):  # a table of one record per row, as anndata wrote it before 0.7
        name = next((name for name in ("index", "_index") if name in (obs.dtype.names or ())), None)
        return None if name is None else tuple(_text(value) for value in obs[name].tolist())
    name = attribute(obs, "_index") or "_index"
    node = child(obs, name, file)
    return None if node is None else tuple(_column(node, name, file))


def _column(node: Any, name: str, file: File) -> list[str]:
    """A column of obs as text: plain, categorical, or with missing values, which become ""."""
    if not hasattr(node, "keys"):
        return words(node, name, file) if node.dtype.kind not in "f" else _ids(numbers(node, name, file))
    parts = {part: child(node, part, file) for part in ("categories", "codes", "values", "mask")}
    if parts["codes"] is not None:
        categories, codes = words(parts["categories"], name, file), numbers(parts["codes"], name, file)
        if codes.dtype.kind not in "iu" or codes.ndim != 1 or (codes.size and codes.max() >= len(categories)):
            raise InputError(f"{file} must hold a class for every code of column {name[:40]!r}. It is damaged.")
        return ["" if code < 0 else categories[code] for code in codes.tolist()]
    values, missing = words(parts["values"], name, file), parts["mask"]
    mask = [False] * len(values) if missing is None else numbers(missing, name, file).tolist()
    return ["" if gone else value for value, gone in zip(values, mask, strict=True)]


def _ids(values: np.ndarray) -> list[str]:
    """Numbers as text, whole ones without a fraction."""
    return [str(int(value)) if value == np.round(value) else str(value) for value in values.ravel().tolist()]


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
