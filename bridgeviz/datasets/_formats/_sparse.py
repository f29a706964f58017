"""Sparse matrices in files: their parts are checked, because SciPy's compiled code trusts them, and made dense."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bridgeviz._arrays import float_type
from bridgeviz._checks import InputError
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import Table
from bridgeviz.datasets._formats._limits import refuse_large

_COMPRESSED = ("data", "indices", "indptr")
LAYOUTS = {
    "csr": _COMPRESSED,
    "csc": _COMPRESSED,
    "bsr": _COMPRESSED,
    "coo": ("data", "row", "col"),
    "dia": ("data", "offsets"),
}
"""The arrays of each layout, the values first."""


def densify(file: File, layout: str, parts: Mapping[str, np.ndarray], shape: np.ndarray) -> Table:
    """A sparse matrix as a dense one, in the float type of its values.

    Args:
        file: holds it.
        layout: one of `LAYOUTS`.
        parts: the arrays that `LAYOUTS` lists.
        shape: (rows, columns).

    Raises:
        InputError: it is too large as a dense matrix, or its parts do not fit together.
    """
    from scipy import sparse

    sides = tuple(int(side) for side in np.ravel(shape)) if shape.dtype.kind in "iu" else ()
    values, *indices = (parts[name] for name in LAYOUTS[layout])
    if len(sides) != 2 or min(sides) < 0 or values.dtype.kind not in "fiub":
        raise InputError(f"{file} must hold a sparse matrix of numbers. Its shape is {sides}, of type {values.dtype}.")
    if any(part.dtype.kind not in "iu" or part.ndim != 1 for part in indices):
        raise InputError(f"{file} must hold a sparse matrix whose indices are whole numbers. They are damaged.")
    dtype = float_type(values.dtype)
    refuse_large(file, sides, dtype)
    stored, values = str(values.dtype), values.astype(dtype)
    if layout == "coo":
        matrix = sparse.coo_array((values, tuple(indices)), shape=sides)  # compares the indices with the shape
    elif layout == "dia":
        matrix = sparse.dia_array((values, *indices), shape=sides)
    else:
        matrix = getattr(sparse, f"{layout}_array")((values, *indices), shape=sides)
        matrix.check_format(full_check=True)
    return Table(matrix.toarray(), stored=stored)
