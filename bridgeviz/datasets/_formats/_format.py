"""What a kind of file is, and what is read from one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bridgeviz.datasets._formats._file import File

Ids = np.ndarray | list[str]
"""Rows of one side of the pairs: their numbers, or text that is a number or a name."""

ROW_NUMBERS = ("", "id", "ids", "idx", "index", "row", "rows", "row_number", "unnamed: 0", "level_0")
"""Titles, in small letters, of a column that names or numbers the rows."""


@dataclass(frozen=True, eq=False)
class Table:
    """A matrix that was read from a file.

    Attributes:
        x: (n, p) numbers with one row per sample: finite float32 or float64 once `read_table` has checked them.
        names: the n names of the rows; None if the file has none.
        stored: type of the numbers in the file, such as "float16", or "text".
    """

    x: np.ndarray
    names: tuple[str, ...] | None = None
    stored: str = ""

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a file, such as the labels.

    Attributes:
        values: one per row.
        names: the names of the rows; None if the file has none.
        certain: whether they are names. If not, they are only if all rows of the space are among them.
    """

    values: Sequence[str] | np.ndarray
    names: Sequence[str] | None = None
    certain: bool = True


class Format:
    """A kind of file. A new one overrides the methods for what it can hold, and is one line in `FORMATS`.

    The methods raise an `InputError` for a file that holds something else. What else they raise becomes one.

    Args:
        title: what it is, for messages, such as "a NumPy array (.npy)".
    """

    signature: ClassVar[bytes] = b""
    """The bytes with which every such file begins; none for text."""

    def __init__(self, title: str):
        self.title = title

    def matrix(self, file: File) -> Table:
        """The matrix in a file, in the type that its numbers have there."""
        raise NotImplementedError

    def labels(self, file: File, length: int) -> Column:
        """The labels in a file, for a space with `length` rows."""
        raise NotImplementedError

    def pairs(self, file: File) -> tuple[Ids, Ids]:
        """The source and the target rows of the pairs in a file."""
        raise NotImplementedError

    def holds(self, role: str) -> bool:
        """Whether such a file can hold a "matrix", "labels" or "pairs"."""
        return getattr(type(self), role) is not getattr(Format, role)
