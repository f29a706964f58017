"""Tables of Arrow, which Parquet and Feather files become: which columns are the features, the names and the labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats import _columns
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import Column, Ids, Table
from bridgeviz.datasets._formats._names import is_title, refuse_row_numbers, unique_names

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class MatrixColumns:
    """Which columns of a table are a matrix.

    Attributes:
        features: one column per feature, or the one column of lists.
        lists: whether it is a column of lists.
        names: the column that names the rows, or None.
        index: whether the table itself says that this is its index, so that numbers are names as well.
    """

    features: list[str]
    lists: bool
    names: str | None
    index: bool

    @property
    def needed(self) -> list[str]:
        """All that has to be read."""
        return self.features if self.names is None else [*self.features, self.names]


def matrix_columns(schema: pa.Schema, file: File) -> MatrixColumns:
    """The columns of a matrix: one per feature, or one of lists, and perhaps one of names.

    Raises:
        InputError: there are several columns of lists and no key, or a column of another type.
    """
    index = _index(schema, file)
    fields = [field for field in schema if field.name not in index]
    lists = [field.name for field in fields if _is_list(field.type)]
    names = index[0] if len(index) == 1 else None
    if file.key is not None or lists:
        vectors = file.pick(lists, "embedding", "column of lists")
        titled = [field.name for field in fields if is_title(field.name) and not _is_list(field.type)]
        return MatrixColumns([vectors], True, names or next(iter(titled), None), True)
    odd = [field for field in fields if not _is_number(field.type)]
    if names is None and odd[:1] == fields[:1] and odd and _is_text(odd[0].type):
        names, fields, odd = odd[0].name, fields[1:], odd[1:]
    if odd:
        raise InputError(
            f"{file} must hold numbers only. Column {odd[0].name[:40]!r} is of type {str(odd[0].type)[:40]}."
        )
    return MatrixColumns([field.name for field in fields], False, names, bool(index))


def matrix(table: pa.Table, columns: MatrixColumns, file: File) -> Table:
    """The matrix in these columns of a table."""
    x = _vectors(table, columns.features[0], file) if columns.lists else _features(table, columns.features)
    kinds = {str(table.schema.field(name).type) for name in columns.features}
    names = None if columns.names is None else _words(table, columns.names)
    if names is not None and not columns.index:
        names = unique_names(names, columns.names or "", file)
    if not columns.lists and names is None and x.shape[1] > 1:
        refuse_row_numbers(x[:, 0], columns.features[0], file)
    return Table(x, None if names is None else tuple(names), ", ".join(sorted(kinds)[:3]))


def label_columns(schema: pa.Schema, file: File) -> list[str]:
    """The column of the labels and, if there is one, that of the names of the rows."""
    index = _index(schema, file)
    titles = [name for name in schema.names if name not in index]
    if len(titles) == 1 and file.key is None:
        return [titles[0], *index[:1]]
    label = titles[_columns.label_column(titles, file)]
    others = index[:1] or ([titles[0]] if titles[0] != label else [])
    return [label, *others]


def labels(table: pa.Table, columns: Sequence[str], file: File) -> Column:
    """The labels in these columns of a table."""
    _columns.refuse_many(len(table), file)
    label, others = columns[0], columns[1:]
    if not others:
        return Column(_ids(table, label))
    names = _words(table, others[0])
    certain = others[0] in _index(table.schema, file) or _columns.names_rows(others[0], names)
    return Column(_ids(table, label), names, certain)


def pair_columns(schema: pa.Schema, file: File) -> list[str]:
    """The columns source and target."""
    _columns.pair_columns(schema.names, file)
    return ["source", "target"]


def pairs(table: pa.Table, columns: Sequence[str], file: File) -> tuple[Ids, Ids]:
    """The pairs in the columns source and target of a table."""
    _columns.refuse_many(len(table), file)
    return _ids(table, columns[0]), _ids(table, columns[1])


def text_columns(schema: pa.Schema, columns: Sequence[str]) -> list[str]:
    """Those of some columns that hold text."""
    return [name for name in columns if _is_text(schema.field(name).type)]


def _index(schema: pa.Schema, file: File) -> list[str]:
    """The columns that pandas says are the index of the table; none if it numbers the rows, or if there is no pandas.

    Raises:
        InputError: what pandas wrote about the table is damaged, or two columns have the same name.
    """
    if len(set(schema.names)) < len(schema.names):
        twice = next(name for name in schema.names if schema.names.count(name) > 1)
        raise InputError(f"{file} must have columns with different names. Got {twice[:40]!r} more than once.")
    note = (schema.metadata or {}).get(b"pandas")
    if note is None:
        return []
    try:
        index = [column for column in json.loads(note)["index_columns"] if not isinstance(column, dict)]
        if set(index) <= set(schema.names):
            return index
    except Exception:  # any JSON may be there, or none
        pass
    raise InputError(
        f"{file} can't be read as a table: its note about the index, by pandas, is damaged. Write it again."
    )


def _is_list(kind: pa.DataType) -> bool:
    from pyarrow import types

    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _is_number(kind: pa.DataType) -> bool:
    from pyarrow import types

    return types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)


def _is_text(kind: pa.DataType) -> bool:
    from pyarrow import types

    return types.is_string(kind) or types.is_large_string(kind) or types.is_dictionary(kind)


def _features(table: pa.Table, names: Sequence[str]) -> np.ndarray:
    """Columns of numbers side by side: float32 if all of them have at most its precision."""
    import pyarrow as pa

    short = all(table.schema.field(name).type in (pa.float16(), pa.float32()) for name in names)
    x = np.empty((len(table), len(names)), np.float32 if short else np.float64)
    for number, name in enumerate(names):
        x[:, number] = table.column(name).cast(pa.float64(), safe=False).to_numpy()
    return x


def _vectors(table: pa.Table, name: str, file: File) -> np.ndarray:
    """A column of lists of numbers as a matrix."""
    kind, column = table.schema.field(name).type, f"column {name[:40]!r}"
    if not _is_number(kind.value_type):
        raise InputError(f"{file} must hold lists of numbers in {column}. They hold type {kind.value_type}.")
    rows, width = [], None
    for chunk in table.column(name).chunks:
        lengths = np.unique(chunk.value_lengths().to_numpy(zero_copy_only=False)) if len(chunk) else np.zeros(0)
        if chunk.null_count or len(lengths) > 1 or (len(lengths) and width not in (None, int(lengths[0]))):
            raise InputError(f"{file} must hold a list of numbers of the same length in every row of {column}.")
        if len(lengths):
            width = int(lengths[0])
            rows.append(chunk.flatten().to_numpy(zero_copy_only=False).reshape(len(chunk), width))
    return np.concatenate(rows) if rows else np.zeros((0, 1))


def _ids(table: pa.Table, name: str) -> Ids:
    """The values of a column: numbers, or words."""
    column = table.column(name)
    return column.to_numpy() if _is_number(column.type) and not column.null_count else _words(table, name)


def _words(table: pa.Table, name: str) -> list[str]:
    """The values of a column as words, "" where there is none. Rows with the same word share it in memory."""
    words: list[str] = []
    for chunk in table.column(name).chunks:
        if hasattr(chunk, "dictionary"):
            entries = ["" if value is None else str(value) for value in chunk.dictionary.to_pylist()]
            words += ["" if number is None else entries[number] for number in chunk.indices.to_pylist()]
        else:
            words += ["" if value is None else str(value) for value in chunk.to_pylist()]
    return words
