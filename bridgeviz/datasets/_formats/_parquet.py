"""`.parquet`: a table, whose size its metadata tells before anything is read."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats import _arrow_table as arrow
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import Column, Format, Ids, Table
from bridgeviz.datasets._formats._limits import refuse_large

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

_LARGEST_FOOTER = 2**25
"""Bytes of metadata: that of a table of some 100,000 columns."""


class Parquet(Format):
    """A table with one column per feature, or with one column of lists."""

    signature = b"PAR1"

    def matrix(self, file: File) -> Table:
        with file.open() as stream:
            columns = arrow.matrix_columns(_schema(stream, file), file)
            return arrow.matrix(_table(stream, columns.needed, file), columns, file)

    def labels(self, file: File, length: int) -> Column:
        with file.open() as stream:
            columns = arrow.label_columns(_schema(stream, file), file)
            return arrow.labels(_table(stream, columns, file), columns, file)

    def pairs(self, file: File) -> tuple[Ids, Ids]:
        file.no_key()
        with file.open() as stream:
            columns = arrow.pair_columns(_schema(stream, file), file)
            return arrow.pairs(_table(stream, columns, file), columns, file)


def _schema(stream: IO[bytes], file: File) -> pa.Schema:
    """The columns of a table, from the metadata at its end."""
    from pyarrow import parquet

    stream.seek(max(0, file.size - 8))
    footer, end = int.from_bytes(stream.read(4), "little"), stream.read(4)
    if end != Parquet.signature or footer > min(file.size, _LARGEST_FOOTER):
        raise InputError(f"{file} can't be read as a .parquet table: its end is missing or damaged. Copy it again.")
    return parquet.ParquetFile(stream).schema_arrow


def _table(stream: IO[bytes], columns: list[str], file: File) -> pa.Table:
    """Some columns of a table. Words that occur in several rows are read once."""
    from pyarrow import parquet

    schema = parquet.ParquetFile(stream).schema_arrow
    table = parquet.ParquetFile(stream, read_dictionary=arrow.text_columns(schema, columns))
    _refuse_large(table, columns, file)
    return table.read(columns, use_pandas_metadata=False)


def _refuse_large(table: ParquetFile, columns: list[str], file: File) -> None:
    """Refuse the columns of a table by the number of values in them, with those within lists."""
    wanted, within = set(columns), tuple(f"{name}." for name in columns)
    values = stored = 0
    for group in range(table.metadata.num_row_groups):
        meta = table.metadata.row_group(group)
        for number in range(meta.num_columns):
            column = meta.column(number)
            if column.path_in_schema in wanted or column.path_in_schema.startswith(within):
                values += max(column.num_values, column.total_uncompressed_size // 8)  # text has longer values
                stored += column.total_compressed_size
    rows = table.metadata.num_rows
    refuse_large(file, (rows, -(-values // max(rows, 1))), np.dtype(np.float64), stored=stored)
