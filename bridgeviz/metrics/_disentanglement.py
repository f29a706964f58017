"""How separately the dimensions of a code hold the factors that made the data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check

BINS = 20
"""Bins of equal frequency into which numbers are put, both of codes and of factors."""


def mutual_information_gap(codes: ArrayLike, factors: Mapping[str, ArrayLike], *, bins: int = BINS) -> float:
    """The mutual information gap (Chen et al. 2018): how far ahead the best dimension of each factor is.

    The mean over factors of `(I(z_1; v) - I(z_2; v)) / H(v)`, z_1 and z_2 the two dimensions that say most about the
    factor v. From 0, if two dimensions say the same about every factor, to 1, if one says all and the others nothing.
    Information is estimated from counts, so that chance alone gives about `(bins - 1)^2 / 2n` nats.

    Args:
        codes: (n, q), q >= 2.
        factors: by name, (n,) classes or numbers; numbers are put into bins.
        bins: of equal frequency.

    Raises:
        InputError: fewer than two dimensions, or a factor that does not vary.

    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(5000, 2))
    >>> apart = mutual_information_gap(z, {"first": z[:, 0], "second": z[:, 1]})
    >>> mixed = mutual_information_gap(z @ [[1.0, 1.0], [1.0, -1.0]], {"first": z[:, 0], "second": z[:, 1]})
    >>> apart > 0.9, mixed < 0.1
    (True, True)
    """
    where = "mutual_information_gap"
    z = check.matrix(codes, "codes", where)
    if z.shape[1] < 2:
        raise check.fail("codes", where, "of at least two dimensions", f"{z.shape[1]}")
    columns = [_binned(column, bins) for column in z.T]
    gaps = []
    for name, values in factors.items():
        factor = _factor(values, name, len(z), bins)
        entropy = _entropy(np.bincount(factor))
        if entropy == 0:
            raise check.fail(name, where, "a factor that varies", "one value")
        known = sorted((_information(column, factor) for column in columns), reverse=True)
        gaps.append((known[0] - known[1]) / entropy)
    return float(np.mean(gaps))


def stroke_properties(pictures: ArrayLike) -> dict[str, Float[np.ndarray, " n"]]:
    """Slant, width and length of the strokes of pictures (n, h, w) in [0, 1], bright on dark.

    `slant` is the shear that would make the ink upright, from its second moments; `width` is twice the mean distance
    of the ridge of the ink from its border, in pixels; `length` is the area over the width.

    >>> upright = np.zeros((1, 28, 28))
    >>> upright[0, 4:24, 12:16] = 1
    >>> {name: round(float(value[0]), 1) for name, value in stroke_properties(upright).items()}
    {'slant': 0.0, 'width': 4.0, 'length': 20.0}
    """
    from scipy import ndimage

    ink = np.asarray(pictures, float) > 0.5
    rows, columns = np.mgrid[: ink.shape[1], : ink.shape[2]]
    slant, width = np.zeros(len(ink)), np.ones(len(ink))
    area = ink.sum((1, 2)).astype(float)
    for number, picture in enumerate(ink):
        if not picture.any():
            continue
        down, right = rows[picture] - rows[picture].mean(), columns[picture] - columns[picture].mean()
        slant[number] = 0.0 - (down * right).mean() / max(float((down**2).mean()), 1e-9)
        inside = np.asarray(ndimage.distance_transform_edt(np.pad(picture, 1)))
        ridge = inside[(inside > 0) & (inside >= ndimage.maximum_filter(inside, 3))]
        width[number] = max(2 * float(ridge.mean()), 1.0)
    return {"slant": slant, "width": width, "length": area / width}


def _factor(values: ArrayLike, name: str, length: int, bins: int) -> np.ndarray:
    """(n,) the number of the class or bin of each value."""
    values = np.asarray(values)
    if len(values) != length:
        raise check.fail(name, "mutual_information_gap", f"one value per code, {length} in total", f"{len(values)}")
    distinct, numbers = np.unique(values, return_inverse=True)
    return numbers if len(distinct) <= bins else _binned(values, bins)


def _binned(values: np.ndarray, bins: int) -> np.ndarray:
    """(n,) the bin of each value; equal values share one."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right")


def _entropy(counts: np.ndarray) -> float:
    """In nats."""
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum())


def _information(a: np.ndarray, b: np.ndarray) -> float:
    """Mutual information in nats."""
    both = np.bincount(a * (int(b.max()) + 1) + b)
    return _entropy(np.bincount(a)) + _entropy(np.bincount(b)) - _entropy(both)
