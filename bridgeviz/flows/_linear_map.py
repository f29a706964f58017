"""A linear map between two standardised spaces, of which a flow learns the residual."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from bridgeviz.flows._row_means import RowMeans

PENALTIES = 10.0 ** np.arange(-4, 5)
"""Penalties that are compared, in units of the mean variance of a principal component. More of them chose worse."""

PRIOR = 30.0
"""The number of rows that the common factor counts for, where each principal component has one of its own."""

MOST_ROWS = 20_000
"""Rows that a map is fitted to; of more, a sample is drawn."""

_LEAST_SCALE = 1e-6


class LinearMap(NamedTuple):
    """`x W + b` between standardised spaces, and the scale of what it leaves unexplained.

    Attributes:
        weights: (p, q).
        bias: (q,).
        scale: (q,) standard deviation of the residual in each dimension, > 0; a flow learns the residual divided by it.
    """

    weights: Float[np.ndarray, "p q"]
    bias: Float[np.ndarray, " q"]
    scale: Float[np.ndarray, " q"]

    def __call__(self, x: Float[np.ndarray, "n p"]) -> Float[np.ndarray, "n q"]:
        """The prediction for standardised source points."""
        return np.asarray(x, np.float64) @ self.weights + self.bias


class LinearFit(NamedTuple):
    """A map, and its predictions for the rows that it was fitted to, each without the row itself."""

    map: LinearMap
    left_out: Float[np.ndarray, "k q"]


def fit_to_plan(
    plan: RowMeans,
    x: Float[np.ndarray, "n p"],
    y: Float[np.ndarray, "m q"],
    *,
    units: Float[np.ndarray, " p"],
    seed: int,
) -> tuple[LinearMap, Float[np.ndarray, "n q"]]:
    """The linear map from source rows to the mean of their targets under a plan, and its predictions for all rows.

    The prediction for a row that the map was fitted to leaves that row out: its residual is as large as that of a new
    point, so that a flow learns the spread that new points will need.

    Args:
        plan: where the plan sends the rows.
        x, y: (n, p) and (m, q) standardised points.
        units: (p,) standard deviations of the source's dimensions in the units of the space.
        seed: of the sample of rows, if there are more than `MOST_ROWS`.
    """
    chosen = np.arange(len(plan.rows))
    if len(chosen) > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(seed).permutation(len(chosen))[:MOST_ROWS])
    rows, mass = plan.rows[chosen], plan.mass[chosen] / plan.mass[chosen].sum()
    _, basis = np.linalg.eigh(np.cov(y.T).reshape(y.shape[1], -1))
    fitted = fit_linear_map(
        x[rows].astype(np.float64), plan.means[chosen], mass, within=plan.within, units=units, basis=basis
    )
    predictions = fitted.map(x)
    predictions[rows] = fitted.left_out
    return fitted.map, predictions


def fit_linear_map(
    x: Float[np.ndarray, "k p"],
    y: Float[np.ndarray, "k q"],
    mass: Float[np.ndarray, " k"],
    *,
    within: Float[np.ndarray, " q"],
    units: Float[np.ndarray, " p"],
    basis: Float[np.ndarray, "q q"],
) -> LinearFit:
    """Ridge regression whose prediction is shrunk along each principal component of the target.

    It minimises `sum_i mass_i |x_i W + b - y_i|^2 + penalty |W / s|^2`. The penalty is that of the least leave-one-out
    error, with the dimensions of the source in the units of the space (s = units) or standardised (s = 1). Then each
    principal component of the target is multiplied by the factor in [0, 1] with which the leave-one-out predictions
    come closest to it (Breiman and Friedman 1997, "curds and whey"), so that components which the source does not
    predict are left at the mean.

    Args:
        x: (k, p) standardised source rows.
        y: (k, q) their targets, standardised.
        mass: (k,) of the rows; sums to one.
        within: (q,) variance of the targets around `y`, if each is the mean of several.
        units: (p,) standard deviations of the source's dimensions in the units of the space.
        basis: (q, q) principal components of the target, one per column.
    """
    relative = units / np.sqrt(np.mean(units**2))
    fits = [_ridge(x * s, y, mass) for s in (relative, np.ones_like(relative))]
    best = int(np.argmin([error for error, _, _ in fits]))
    _, weights, left_out = fits[best]
    weights = weights * relative[:, None] if best == 0 else weights
    centre = mass @ y
    predicted, actual = (left_out - centre) @ basis, (y - centre) @ basis
    explained, power = mass @ (predicted * actual), mass @ predicted**2
    common = explained.sum() / max(power.sum(), 1e-300)
    prior = PRIOR / len(x) * power.mean()
    factor = np.clip((explained + prior * common) / np.maximum(power + prior, 1e-300), 0, 1)
    shrink = (basis * factor) @ basis.T
    left_out = centre + (left_out - centre) @ shrink
    weights = weights @ shrink
    scale = np.sqrt(mass @ (y - left_out) ** 2 + within)
    bias = centre - (mass @ x) @ weights
    return LinearFit(LinearMap(weights, bias, np.maximum(scale, _LEAST_SCALE)), left_out)


def _ridge(x: np.ndarray, y: np.ndarray, mass: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """The least leave-one-out error over the penalties, the weights (p, q), and the leave-one-out predictions."""
    root = np.sqrt(mass)[:, None]
    centre = mass @ y
    left, singular, right = _decomposed((x - mass @ x) * root)
    actual = y - centre
    turned = left.T @ (actual * root)
    found = None
    for penalty in PENALTIES * np.mean(singular**2):
        kept = singular**2 / (singular**2 + penalty)
        leverage = np.minimum(left**2 @ kept + mass, 1 - 1e-6)
        missed = (actual - (left @ (kept[:, None] * turned)) / root) / (1 - leverage)[:, None]
        error = float(mass @ (missed**2).mean(1))
        if found is None or error < found[0]:
            found = error, right @ ((kept / singular)[:, None] * turned), y - missed
    assert found is not None
    return found


def _decomposed(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The singular value decomposition, from the smaller Gram matrix, without directions of no variance."""
    wide = x.shape[0] <= x.shape[1]
    values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    kept = values > 1e-10 * max(values[-1], 1e-300)
    singular, vectors = np.sqrt(values[kept]), vectors[:, kept]
    other = (x.T @ vectors if wide else x @ vectors) / singular
    return (vectors, singular, other) if wide else (other, singular, vectors)
