"""One error voice: which argument is wrong, what was expected, what was passed, and what to do.

Every check returns the cleaned value: `epsilon = check.positive(epsilon, "epsilon", "linear")`.
"""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np

from bridgeviz._arrays import as_array, as_dense, as_numbers, float_type
from bridgeviz._errors import DataMissing as DataMissing
from bridgeviz._errors import InputError, describe, fail
from bridgeviz._errors import reason as reason

LARGEST, SMALLEST = 1e60, 1e-60
"""Between these lies the largest magnitude in a matrix: squares of squares of others overflow or vanish."""

_BLOCK = 2**21
"""Numbers that are checked at a time."""


def matrix(value: Any, name: str, where: str, *, columns: int | None = None, rows: int = 2) -> np.ndarray:
    """A finite real (n, p) array in C order with n >= `rows` and p >= 1, in the type that `float_type` says.

    A memory map stays one if its type and order are right. A sparse matrix becomes dense if the memory limit allows it.
    """
    array = as_numbers(as_dense(value, name, where), name, where, f"a real matrix of shape (n, {columns or 'p'})")
    if array.ndim != 2:
        raise fail(name, where, "a matrix with one row per sample and one column per feature", f"shape {array.shape}")
    if len(array) < rows or array.shape[1] < 1:
        raise fail(name, where, f"a matrix with at least {rows} rows and 1 column", f"shape {array.shape}")
    if columns is not None and array.shape[1] != columns:
        raise fail(name, where, f"a matrix with {columns} columns", f"shape {array.shape}")
    with np.errstate(over="ignore"):  # what overflows becomes infinite, which is refused
        array = np.ascontiguousarray(array, float_type(array.dtype))
    finite(array, name, where)
    largest = max(float(array.max()), -float(array.min()))
    if largest > LARGEST or 0 < largest < SMALLEST:
        side = f"below {LARGEST:g}" if largest > LARGEST else f"above {SMALLEST:g}"
        raise fail(name, where, f"made of numbers {side} in magnitude", f"{largest:g}", "Rescale the features.")
    return array


def finite(array: np.ndarray, name: str, where: str) -> np.ndarray:
    """`array` itself, or an error that names the first row with NaN or infinity. Memory: a block of rows."""
    step = max(1, _BLOCK // max(1, array[:1].size))
    for start in range(0, len(array), step):
        block = array[start : start + step]
        good = np.isfinite(block)
        if not good.all():
            at = tuple(int(k) for k in np.argwhere(~good)[0])
            hint = "Drop such rows, or replace the values, before aligning."
            raise fail(name, where, "finite everywhere", f"{block[at]} at row {start + at[0]}", hint)
    return array


def vector(value: Any, name: str, where: str, *, length: int) -> np.ndarray:
    """A finite real vector of a known length."""
    array = as_numbers(value, name, where, f"a real vector of length {length}")
    if array.shape != (length,):
        raise fail(name, where, f"a vector of length {length}", f"shape {array.shape}")
    return finite(np.asarray(array, np.float64), name, where)


def labels(value: Any, name: str, where: str, *, length: int | None = None, least: int = 2) -> np.ndarray:
    """One label per row, integers or strings, with at least `least` classes."""
    array = as_array(value, name, where, "one label per row")
    _refuse_another_order(value, array, name, where)
    if array.dtype == object:
        missing = np.array([_missing(label) for label in array.reshape(-1)], bool)
        if missing.any():
            row = int(np.argmax(missing))
            hint = "Drop such rows, or give them a class."
            raise fail(name, where, "one label per row", f"none in row {row}", hint)
        array = array.astype(str)
    if array.ndim != 1 or (length is not None and len(array) != length):
        expected = "one label per row" + ("" if length is None else f", {length} in total")
        raise fail(name, where, expected, f"shape {array.shape}")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all() or (array != np.round(array)).any() or (np.abs(array) > 2**53).any():
            raise fail(name, where, "whole numbers or strings", "a fraction, NaN, infinity or a number above 2**53")
        array = array.astype(np.int64)
    if array.dtype.kind not in "iubUS":
        raise fail(name, where, "whole numbers or strings", f"type {array.dtype}")
    classes = np.unique(array)
    if len(classes) < least:
        present = f"{len(classes)} class ({str(classes[0])[:40]})" if len(classes) else "no class"
        hint = "Leave the labels out if all rows belong to one class."
        raise fail(name, where, "of at least two classes", present, hint)
    return array


def pair_index(value: Any, name: str, where: str, *, shape: tuple[int, int], least: int = 0) -> np.ndarray:
    """(l, 2) row numbers (source, target), in range and without repeats, with l >= `least`.

    A table with the columns source and target is read by these names.
    """
    array = as_array(_by_side(value, name, where), name, where, "an (l, 2) array of (source row, target row)")
    if array.size == 0:
        array = np.zeros((0, 2), np.int64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise fail(name, where, "an (l, 2) array of (source row, target row)", f"shape {array.shape}")
    whole = array.dtype.kind in "iu" or (array.dtype.kind == "f" and (array == np.round(array)).all())
    if not whole or not np.isfinite(array).all():
        raise fail(name, where, "whole row numbers", f"type {array.dtype}")
    for column, (side, size) in enumerate(zip(("source", "target"), shape, strict=True)):
        bad = np.flatnonzero((array[:, column] < 0) | (array[:, column] >= size))
        if len(bad):
            pair = f"{side} row {array[bad[0], column]:.17g} in pair {bad[0]}"
            raise fail(name, where, f"row numbers from 0 to {size - 1} for the {side}", pair)
    array = array.astype(np.int64)
    if len(array):
        unique, counts = np.unique(array, axis=0, return_counts=True)
        if len(unique) < len(array):
            repeated = unique[counts > 1][0].tolist()
            raise fail(name, where, "free of repeats", f"the pair {tuple(repeated)} more than once")
    if len(array) < least:
        hint = "Pass some rows that are known to correspond, or choose a larger paired fraction."
        raise fail(name, where, f"at least {least} pair" + "s" * (least > 1), f"{len(array)} pairs", hint)
    return array


def positive(value: Any, name: str, where: str) -> float:
    """A finite float > 0."""
    number = real(value, name, where, "a float > 0")
    if number <= 0:
        raise fail(name, where, "a float > 0", describe(value))
    return number


def unit(value: Any, name: str, where: str, *, zero: bool = False) -> float:
    """A float in (0, 1], or in [0, 1] with `zero`."""
    expected = "a float in [0, 1]" if zero else "a float in (0, 1]"
    number = real(value, name, where, expected)
    if not (0 <= number <= 1) or (number == 0 and not zero):
        raise fail(name, where, expected, describe(value))
    return number


def real(value: Any, name: str, where: str, expected: str = "a float") -> float:
    """A finite float."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, np.floating, np.integer)):
        raise fail(name, where, expected, describe(value))
    if not np.isfinite(float(value)):
        raise fail(name, where, expected, describe(value))
    return float(value)


def count(value: Any, name: str, where: str, *, least: int = 1, most: int | None = None) -> int:
    """An integer from `least` to `most`."""
    expected = f"an integer >= {least}" if most is None else f"an integer from {least} to {most}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Integral, np.integer)):
        raise fail(name, where, expected, describe(value))
    number = int(value)
    if number < least or (most is not None and number > most):
        raise fail(name, where, expected, number)
    return number


def seed(value: Any, name: str, where: str) -> int:
    """A seed: an integer below 2**32, because JAX silently maps larger seeds onto smaller ones."""
    return count(value, name, where, least=0, most=2**32 - 1)


def flag(value: Any, name: str, where: str) -> bool:
    """True or False; other truthy or falsy values are refused."""
    if not isinstance(value, (bool, np.bool_)):
        raise fail(name, where, "True or False", describe(value))
    return bool(value)


def pair_of_units(value: Any, name: str, where: str) -> tuple[float, float]:
    """tau: two floats in (0, 1], one for each side."""
    try:
        first, second = value
    except (TypeError, ValueError):
        raise fail(name, where, "two floats in (0, 1]: (tau_x, tau_y)", describe(value)) from None
    return unit(first, name, where), unit(second, name, where)


def choice(value: Any, name: str, where: str, options: Iterable[str]) -> str:
    """One of the known names; the error lists them, and suggests the closest if the value looks like a typo."""
    known = list(options)
    if isinstance(value, str) and value in known:
        return value
    listed = ", ".join(f"'{k}'" for k in known)
    raise fail(name, where, f"one of {listed}", describe(value), _nearest(str(value), known))


def options(arguments: dict[str, Any], known: Iterable[str], where: str) -> None:
    """Refuse keyword arguments that `where` has no option for; the error lists the options and suggests the closest."""
    known = list(known)
    for name in arguments:
        if name not in known:
            listed = textwrap.shorten(", ".join(known) or "none", 280, placeholder=" and others")
            text = f"{where}() has no option '{name}'. Its options are: {listed}. {_nearest(name, known)}"
            raise InputError(text.rstrip())


def same_kind(first: np.ndarray, second: np.ndarray, names: tuple[str, str], where: str) -> None:
    """Refuse to compare numbers with strings as labels, because they would never be equal."""
    kinds = ["strings" if array.dtype.kind in "US" else "numbers" for array in (first, second)]
    if kinds[0] != kinds[1]:
        raise fail(names[1], where, f"{kinds[0]}, like the '{names[0]}'", kinds[1])


def rows(value: Any, name: str, where: str, *, size: int) -> np.ndarray:
    """(k,) row numbers from 0 to size - 1; a boolean mask of length `size` is converted to them."""
    array = as_array(value, name, where, "row numbers")
    _refuse_another_order(value, array, name, where)
    if array.dtype.kind == "b" and array.shape == (size,):
        return np.flatnonzero(array)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        expected = "row numbers, or a boolean mask over all rows"
        raise fail(name, where, expected, f"shape {array.shape} and type {array.dtype}")
    array = array.astype(np.int64)
    if array.size and (array.min() < 0 or array.max() >= size):
        raise fail(name, where, f"row numbers from 0 to {size - 1}", f"from {array.min()} to {array.max()}")
    return array


def _nearest(name: str, known: list[str]) -> str:
    """A question that suggests the closest known name, or nothing if none is close."""
    near = difflib.get_close_matches(name, known, 1)
    return f"Did you mean '{near[0]}'?" if near else ""


def aligned(labels: Any, x: Any, name: str, where: str) -> Any:
    """Labels in the order of the rows of x, where both carry an index, as a Series and a DataFrame do."""
    names, rows = _index(labels), _index(x)
    if names is None or rows is None or names.equals(rows):
        return labels
    if len(names) == len(rows) and names.is_unique and not len(rows.difference(names)):
        return labels.loc[rows].to_numpy()
    hint = "Give both the same index, or pass the labels as an array in the order of the rows."
    raise fail(name, where, "of the same index as the rows of x", f"one that begins with {names[0]!r}", hint)


def _index(value: Any) -> Any:
    """The index of a Series or DataFrame; None for anything else."""
    index = getattr(value, "index", None)
    return index if hasattr(index, "is_unique") and hasattr(value, "loc") else None


def _refuse_another_order(value: Any, array: np.ndarray, name: str, where: str) -> None:
    """Refuse a Series whose index numbers the rows in another order: it could be meant either way."""
    index = _index(value)
    if index is None or array.ndim != 1 or index.dtype.kind not in "iu":
        return
    order = np.asarray(index)
    if (order != np.arange(len(order))).any() and np.array_equal(np.sort(order), np.arange(len(order))):
        by_index = array[int(np.argmin(order))]
        got = f"row 0 is {array[0]!s} by position and {by_index!s} by the index"
        hint = "Pass .to_numpy() for the order of the positions, or .sort_index() for that of the index."
        raise fail(name, where, "in the order of its index", got, hint)


def _by_side(value: Any, name: str, where: str) -> Any:
    """The columns source and target of a table of pairs, in this order; anything else as it is."""
    columns = getattr(value, "columns", None)
    if columns is None:
        return value
    names = [str(column) for column in columns]
    found = [side for side in ("source", "target") if side in names]
    if len(found) == 2:
        return np.stack([np.asarray(value[side]) for side in found], axis=1)
    if found or len(names) != 2:
        raise fail(name, where, "a table with the columns source and target", f"columns {', '.join(names)[:60]}")
    return value


def _missing(label: Any) -> bool:
    """Whether a label is None, NaN, or one of pandas' missing values."""
    try:
        return label is None or bool(label != label)
    except (TypeError, ValueError):  # pandas.NA is neither equal to itself nor different
        return True
