"""`.csv` and `.tsv`: matrices, labels and pairs as text."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from bridgeviz._checks import InputError, reason
from bridgeviz.datasets._formats._columns import labels_of, pairs_of
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import Column, Format, Ids, Table
from bridgeviz.datasets._formats._layout import Layout, has_header, layout_of, rows_of
from bridgeviz.datasets._formats._limits import refuse_large, refuse_long_text
from bridgeviz.datasets._formats._names import is_title, refuse_row_numbers, unique_names

_MISSING = ["", "nan", "NaN", "NAN"]

_BLOCK, _LARGEST_BLOCK = 2**20, 2**30
"""Bytes that are parsed at a time: at least two lines."""

_WIDE = 4096
"""Columns from which lines are parsed one by one."""

_MOST_LOOKED_AT = 2**22
"""Cells among which the first that is not a number is looked for, to name it."""


class Csv(Format):
    """Text with a delimiter, a decimal point or comma, a header or none, and a first column of names or none."""

    def __init__(self, title: str, delimiter: str | None = None):
        super().__init__(title)
        self.delimiter = delimiter

    def matrix(self, file: File) -> Table:
        file.no_key()
        layout = layout_of(file, self.delimiter)
        header = has_header(layout, file)
        named = _has_names(layout, header)
        refuse_large(file, (math.ceil(file.size / layout.width), layout.columns), np.dtype(np.float64))
        names, blocks, read = [], [], 0
        parse = _none if len(layout.head) == header else _wide if layout.columns > _WIDE else _blocks
        try:
            for words, block in parse(file, layout, header, named):
                names += words
                blocks.append(block)
                read += len(block)
                refuse_large(file, (read, layout.columns), np.dtype(np.float64))
        except InputError:
            raise
        except Exception as error:
            raise _explained(error, file, layout, header, named) from error
        x = np.concatenate(blocks) if blocks else np.zeros((0, layout.columns - named))
        title = layout.head[0][0] if header else None
        if not named:
            if layout.columns > 1:
                refuse_row_numbers(x[:, 0], title, file)
            return Table(x, stored="text")
        if names and all(layout.is_number(name) for name in names):
            refuse_row_numbers(np.array([0.0]), title, file)
        return Table(x, unique_names(names, title or "0", file), "text")

    def labels(self, file: File, length: int) -> Column:
        refuse_long_text(file)
        layout = layout_of(file, self.delimiter)
        return labels_of(rows_of(file, layout), file, length)

    def pairs(self, file: File) -> tuple[Ids, Ids]:
        file.no_key()
        refuse_long_text(file)
        return pairs_of(rows_of(file, layout_of(file, self.delimiter)), file)


def _has_names(layout: Layout, header: bool) -> bool:
    """Whether the first column may name the rows: it has words throughout the head, or the title of such a column."""
    body = layout.head[header:]
    if layout.columns < 2:
        return False
    words = [row[0] != "" and not layout.is_number(row[0]) for row in body]
    return (len(words) > 0 and all(words)) or (header and is_title(layout.head[0][0]))


def _blocks(file: File, layout: Layout, header: bool, named: bool) -> Iterator[tuple[list[str], np.ndarray]]:
    """The names and the numbers of the rows, block by block."""
    import pyarrow as pa
    from pyarrow import csv

    columns = [str(k) for k in range(layout.columns)]
    types = dict.fromkeys(columns, pa.float64())
    if named:
        types["0"] = pa.string()
    size = min(max(_BLOCK, 4 * layout.longest), _LARGEST_BLOCK)
    options: dict[str, Any] = {
        "read_options": csv.ReadOptions(column_names=columns, skip_rows=layout.skipped + header, block_size=size),
        "parse_options": csv.ParseOptions(delimiter=layout.delimiter, ignore_empty_lines=layout.columns > 1),
        "convert_options": csv.ConvertOptions(
            column_types=types, decimal_point=layout.decimal, null_values=_MISSING, strings_can_be_null=False,
        ),
    }  # fmt: skip
    with file.open() as stream, csv.open_csv(stream, **options) as reader:
        for batch in reader:
            words = [word.strip() for word in batch.column(0).to_pylist()] if named else []
            block = np.empty((batch.num_rows, layout.columns - named))
            for column in range(block.shape[1]):
                block[:, column] = batch.column(column + named).to_numpy(zero_copy_only=False)
            yield words, block


def _none(*_: Any) -> Iterator[tuple[list[str], np.ndarray]]:
    """No block, for a table that has a header alone, which the parsers refuse."""
    return iter(())


def _wide(file: File, layout: Layout, header: bool, named: bool) -> Iterator[tuple[list[str], np.ndarray]]:
    """The same for many columns, of which Arrow needs 7 kB each. A name in quotes must not hold the delimiter."""
    names: list[str] = []

    def lines() -> Iterator[str]:
        rows = 0
        with file.open() as stream, io.TextIOWrapper(stream, "utf-8-sig") as text:
            for line in islice(text, layout.skipped + header, None):
                if not line.strip():
                    continue
                rows += 1
                refuse_large(file, (rows, layout.columns), np.dtype(np.float64))
                if named:
                    name, _, line = line.partition(layout.delimiter)
                    names.append(name.strip().strip('"'))
                yield line.replace(",", ".") if layout.decimal == "," else line

    numbers = np.loadtxt(lines(), np.float64, comments=None, delimiter=layout.delimiter, quotechar='"', ndmin=2)
    if numbers.shape[1] != layout.columns - named:
        raise ValueError(f"{numbers.shape[1] + named} columns below {layout.columns}")
    yield names, numbers


def _explained(error: Exception, file: File, layout: Layout, header: bool, named: bool) -> InputError:
    """What is wrong with a table that Arrow could not parse: the first cell that is not a number, if it soon comes."""
    rows = islice(rows_of(file, layout), header, _MOST_LOOKED_AT // layout.columns + 1)
    for number, row in enumerate(rows):
        for column, cell in enumerate(row[named:], named):
            if cell and not layout.is_number(cell):
                title = layout.head[0][column][:40] if header else str(column)
                spaces = " Write commas between the cells." if layout.columns == 1 and " " in cell else ""
                return InputError(
                    f"{file} must hold numbers only. Row {number}, column {title!r} holds {cell[:40]!r}.{spaces}"
                )
    return InputError(f"{file} can't be read as a table of numbers: {reason(error)}.")
