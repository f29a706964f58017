"""Row numbers as short text: "3, 17, 20-25"."""

from __future__ import annotations

import re

import numpy as np

from bridgeviz import InputError

_ONE = re.compile(r"\s*(\d{1,12})\s*(?:-\s*(\d{1,12})\s*)?")


def written(rows: np.ndarray) -> str:
    """Sorted row numbers as text.

    >>> written(np.array([3, 17, 20, 21, 22]))
    '3,17,20-22'
    """
    parts = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(rows) else []
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts)


def read(text: str, size: int) -> np.ndarray:
    """The sorted row numbers that a text names.

    Args:
        text: numbers and ranges, separated by commas.
        size: the number of rows.

    Raises:
        InputError: the text is anything else, or names a row that does not exist.

    >>> read("17, 3, 20-22", 100)
    array([ 3, 17, 20, 21, 22])
    """
    rows: list[np.ndarray] = []
    for part in text.split(","):
        found = _ONE.fullmatch(part)
        if found is None:
            raise InputError(f"Rows are numbers and ranges, such as 3, 17, 20-25. Got '{part.strip()}'.")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first or last >= size:
            raise InputError(f"Rows are numbers from 0 to {size - 1}, the smaller end of a range first. Got '{part}'.")
        rows.append(np.arange(first, last + 1))
    return np.unique(np.concatenate(rows))
