"""How a table of text is laid out: its delimiter, its decimal mark and its header, read from its first lines."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats._file import File

_HEAD = 2**20
"""Bytes that are read to see the layout, unless the first lines are longer."""

_LONGEST_HEAD = 2**24
"""Bytes that are read at most to find three lines."""

_MOST_COLUMNS = 250_000

_MOST_CELLS = 500_000
"""Cells of the head that are looked at."""

_DELIMITERS = ("\t", ";", ",")

_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)", re.ASCII | re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+", re.ASCII)


@dataclass(frozen=True)
class Layout:
    """The layout of a table of text.

    Attributes:
        delimiter: between cells.
        decimal: the mark in fractions: "." or ",".
        head: the cells of the first rows, without spaces around them.
        skipped: blank lines above the first row.
        width: mean number of bytes per row in the head.
        longest: bytes of the longest line in the head.
    """

    delimiter: str
    decimal: str
    head: list[list[str]]
    skipped: int
    width: float
    longest: int

    @property
    def columns(self) -> int:
        """Number of cells in the first row."""
        return len(self.head[0])

    def is_number(self, cell: str) -> bool:
        """Whether a cell reads as a number; "nan" and "inf" do."""
        if self.decimal == "," and "." not in cell:
            cell = cell.replace(",", ".")
        return _NUMBER.fullmatch(cell) is not None


def layout_of(file: File, delimiter: str | None) -> Layout:
    """The layout of a file in UTF-8, with or without a byte order mark.

    Args:
        file: the table.
        delimiter: between cells; None to find it out from `;`, tab and comma.

    Raises:
        InputError: it is not UTF-8 text, or holds no line.
    """
    lines = _lines(_beginning(file))
    filled = [k for k, line in enumerate(lines) if line.strip()]
    if not filled:
        raise InputError(f"{file} must hold a table. It has no line with text.")
    lines = lines[filled[0] :]
    columns = 1 + max(lines[0].count(mark) for mark in _DELIMITERS)
    if columns > _MOST_COLUMNS:
        raise InputError(f"{file} must have at most {_MOST_COLUMNS:,} columns. Its first line has about {columns:,}.")
    lines = lines[: max(3, _MOST_CELLS // columns)]
    delimiter = delimiter or _delimiter(lines)
    head = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    head = [row for row in head if any(row)]
    sizes = [len(line.encode()) + 1 for line in lines]
    decimal = _decimal(head, file) if delimiter != "," else "."
    return Layout(delimiter, decimal, head, filled[0], sum(sizes) / len(sizes), max(sizes) + 1)


def rows_of(file: File, layout: Layout) -> Iterator[list[str]]:
    """The cells of all rows as text. Blank lines count only where there is one column: there they are empty cells."""
    blank = [""] if layout.columns == 1 else None
    with file.open() as stream, io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
        for number, row in enumerate(csv.reader(text, delimiter=layout.delimiter, strict=True)):
            if number < layout.skipped or not (row or blank):
                continue
            if row and len(row) != layout.columns:
                raise InputError(
                    f"{file} must have {layout.columns} cells in every line. Line {number + 1} has {len(row)}."
                )
            yield [cell.strip() for cell in row] or [""]


def has_header(layout: Layout, file: File) -> bool:
    """Whether the first row names the columns.

    Raises:
        InputError: it can be read in two ways: as the names 0, 1, 2 that pandas writes, or as a row of numbers.
    """
    first = layout.head[0]
    word = [cell != "" and not layout.is_number(cell) for cell in first]
    if all(word):
        return True
    counted = _counts(first) or (len(first) > 1 and (first[0] == "" or word[0]) and _counts(first[1:]))
    if first[0] == "" and (all(word[1:]) or counted):
        return True
    if not counted:
        return False  # a row of numbers with a word in it is refused with them
    cells = [cell for row in layout.head[1:] for cell in row[1 if word[0] else 0 :]]
    if any(mark in cell for cell in cells for mark in (layout.decimal, "e", "E")):
        return True  # written as whole numbers among fractions
    line = layout.delimiter.join(first)[:40]
    raise InputError(
        f"{file} can be read in two ways: its first line {line} may be names of columns, as pandas writes them, or a "
        "row of numbers. Give the columns other names, or save the matrix as .npy."
    )


def _counts(cells: list[str]) -> bool:
    """Whether cells read 0, 1, 2 and so on."""
    return len(cells) > 0 and cells == [str(k) for k in range(len(cells))]


def _beginning(file: File) -> str:
    """The whole lines at the beginning of a file: 1 MB of them, or three if they are longer."""
    size = _HEAD
    with file.open() as stream:
        content = stream.read(size)
        while len(re.findall(rb"\r\n?|\n", content)) < 3 and len(content) == size < _LONGEST_HEAD:
            content += stream.read(size)
            size *= 2
    whole = len(content) >= file.size
    if not whole and not re.search(rb"[\r\n]", content):
        raise InputError(f"{file} must be a table of text. Its first line has more than {len(content):,} bytes.")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{file} must be UTF-8 text. It is UTF-16, as some spreadsheets write it: save it as UTF-8.")
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(content, final=whole)
    except UnicodeDecodeError as error:
        raise InputError(f"{file} must be UTF-8 text. Byte {error.start} is not: save it as UTF-8.") from None
    cut = max(text.rfind("\n"), text.rfind("\r"))
    return text if whole or cut < 0 else text[: cut + 1]


def _lines(text: str) -> list[str]:
    """The lines of a text, each with its end: those of `splitlines` also end at letters that a cell may hold."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)


def _delimiter(lines: list[str]) -> str:
    """The first of tab, semicolon and comma that divides the first and the last line into as many cells."""
    filled = [re.sub(r'"[^"]*"', "", line) for line in lines if line.strip()]
    for delimiter in _DELIMITERS:
        if filled[0].count(delimiter) == filled[-1].count(delimiter) > 0:
            return delimiter
    return ","


def _decimal(head: list[list[str]], file: File) -> str:
    """The decimal mark of a table whose delimiter is not the comma.

    Raises:
        InputError: commas may be decimal marks or divide thousands, or there are points as well.
    """
    cells = [cell for row in head for cell in row if "," in cell]
    commas = [cell for cell in cells if _NUMBER.fullmatch(cell.replace(",", ".")) or _THOUSANDS.fullmatch(cell)]
    if not commas:
        return "."
    point = next((cell for row in head for cell in row if "." in cell and _NUMBER.fullmatch(cell)), None)
    if point is not None:
        raise InputError(f"{file} must have one decimal mark. It holds {point[:40]!r} and {commas[0][:40]!r}.")
    if all(_THOUSANDS.fullmatch(cell) for cell in commas):
        raise InputError(
            f"{file} can be read in two ways: {commas[0]} may be {commas[0].replace(',', '.')} or "
            f"{commas[0].replace(',', '')}. Write fractions with a point, or save the matrix as .npy."
        )
    return ","
