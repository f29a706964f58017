"""Any value as an array, or a refusal: sparse and masked arrays, tables, tensors of other libraries, lists."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bridgeviz._errors import fail, reason
from bridgeviz._memory import refuse_above


def as_array(
    value: Any, name: str, where: str, expected: str, *, ragged: str = "with rows of different lengths"
) -> np.ndarray:
    """Any value as an array, or an error in the one voice."""
    if _is_sparse(value):
        raise fail(name, where, expected, f"a sparse {type(value).__name__}", "Pass its .toarray().")
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise fail(name, where, expected, "a masked array", "Drop the masked rows, or fill them with .filled().")
    try:
        return np.asarray(value)
    except ValueError:
        raise fail(name, where, expected, f"a {type(value).__name__} {ragged}") from None
    except Exception as error:  # a foreign object may raise anything, such as a tensor that requires gradients
        got = f"a {type(value).__name__} that cannot be converted to an array ({reason(error)})"
        raise fail(name, where, expected, got) from error


def as_numbers(value: Any, name: str, where: str, expected: str) -> np.ndarray:
    """Any value as an array of real numbers, in the type that it has; bfloat16 becomes float32."""
    no_numbers = "that cannot be converted to numbers"
    array = as_array(value, name, where, expected, ragged=no_numbers)
    if array.dtype == object:
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError, OverflowError):
            raise fail(name, where, expected, f"a {type(value).__name__} {no_numbers}") from None
    if array.dtype.kind not in "fiub":
        if array.dtype.name == "bfloat16":
            return array.astype(np.float32)
        raise fail(name, where, expected, f"type {array.dtype}")
    return array


def as_dense(value: Any, name: str, where: str) -> Any:
    """A sparse matrix as a dense one, refused if that exceeds the memory limit; anything else as it is."""
    if not _is_sparse(value):
        return value
    shape, dtype = tuple(value.shape), value.dtype
    if dtype.kind in "fiub":
        dtype = float_type(dtype)
        value = value.astype(dtype)
    size = math.prod(shape) * dtype.itemsize
    what = f"The '{name}' of {where}() as a dense {' x '.join(f'{side:,}' for side in shape)} matrix"
    refuse_above(size, what, "Use a sample of the rows, or fewer features, such as those of a truncated SVD.")
    return value.toarray()


def float_type(dtype: np.dtype) -> np.dtype:
    """The type of a matrix whose numbers came as `dtype`: float16 and float32 become float32, all others float64."""
    return np.dtype(np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64)


def _is_sparse(value: Any) -> bool:
    return hasattr(value, "toarray") and hasattr(value, "nnz")
