"""A Gaussian around each partner, whose mean is partly a linear map of the partner itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float, Int

ALPHAS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 2.0, 5.0, 20.0, 100.0)
"""Variances of the linear part among which the evidence chooses, in units of sigma^2."""
BETAS = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 3.0, 10.0)
"""The same of each partner's own part."""
MOST_PAIRS = 300
"""Pairs that choose the variances, at most: the evidence takes their cube."""
SHRINKAGE = 0.3
"""Added to each variance before whitening, as a share of the mean variance; chosen with `SHARPNESS`."""


@dataclass(frozen=True)
class Variances:
    r"""The prior of the mean of partner y: `Cov(M(y), M(y')) = alpha <y, y'> + beta [y = y']`, and sigma^2 around it.

    Attributes:
        alpha: of the part that is linear in y, so that partners without a pair learn from the others.
        beta: of each partner's own part.
        sigma2: of the rows around the mean of their partner.
    """

    alpha: float
    beta: float
    sigma2: float

    def between(self, y: np.ndarray, other: np.ndarray, same: np.ndarray | float) -> np.ndarray:
        """The prior covariances of the means of two sets of partners."""
        return self.alpha * (y @ other.T) + self.beta * same


def whiten(x: np.ndarray, copies: Int[np.ndarray, " u"]) -> Float[np.ndarray, "u r"]:
    """The atoms (u, p) centred and turned to the axes of their covariance, each divided by its shrunken deviation."""
    x = x - np.average(x, axis=0, weights=copies)
    values, axes = np.linalg.eigh((x * copies[:, None]).T @ x / copies.sum())
    values = np.maximum(values, 0)
    kept = values > 1e-10 * (values.max() or 1.0)
    deviation = np.sqrt(values[kept] + SHRINKAGE * values[kept].mean()) if kept.any() else np.ones(0)
    return x @ axes[:, kept] / deviation


def standardise(y: np.ndarray) -> Float[np.ndarray, "v q"]:
    """The atoms (v, q) centred, and divided by their root mean square length."""
    y = y - y.mean(0)
    return y / (np.sqrt((y**2).sum(1).mean()) or 1.0)


def choose_variances(z: np.ndarray, y: np.ndarray, at: Int[np.ndarray, " l"], *, classes: bool = True) -> Variances:
    """The variances with the largest evidence, the probability of the paired rows under the model.

    Args:
        z: (l, r) whitened rows of the pairs.
        y: (v, q) standardised partners.
        at: (l,) the partner of each row.
        classes: whether several rows share a partner. If not, a partner has no part of its own, beta = 0: it could not
            be told from the scatter of its one row, and the partners of known pairs would be left out by it.
    """
    z, at = z[:MOST_PAIRS], at[:MOST_PAIRS]
    size, linear, same = max(z.size, 1), y[at] @ y[at].T, at[:, None] == at
    betas = BETAS if classes else (0.0,)
    best = (-np.inf, Variances(ALPHAS[0], betas[0], 1.0))
    for alpha, beta in product(ALPHAS, betas):
        root = np.linalg.cholesky(alpha * linear + beta * same + np.eye(len(at)))
        sigma2 = max(float((np.linalg.solve(root, z) ** 2).sum()) / size, 1e-6)  # where the evidence is largest
        evidence = -size * np.log(sigma2) / 2 - z.shape[1] * float(np.log(np.diag(root)).sum())
        best = max(best, (evidence, Variances(alpha * sigma2, beta * sigma2, sigma2)), key=lambda found: found[0])
    return best[1]


def means(
    z: np.ndarray, y: np.ndarray, pairs: Int[np.ndarray, "k 2"], counts: Float[np.ndarray, " k"], variances: Variances
) -> tuple[Float[np.ndarray, "v r"], Float[np.ndarray, " v"]]:
    """The expected mean of each partner given weighted pairs, and the variance of a row of it in each dimension.

    Args:
        z: (u, r) whitened rows.
        y: (v, q) standardised partners.
        pairs: (k, 2) numbers of a row and a partner.
        counts: (k,) how many pairs each of them counts as.
        variances: of the prior.
    """
    seen, at = np.unique(pairs[:, 1], return_inverse=True)
    size = np.bincount(at, weights=counts)
    sums = np.zeros((len(seen), z.shape[1]))
    np.add.at(sums, at, z[pairs[:, 0]] * counts[:, None])
    prior = variances.between(y[seen], y[seen], np.eye(len(seen)))
    cross = variances.between(y[seen], y, np.arange(len(y)) == seen[:, None])
    gain = np.linalg.solve(prior + np.diag(variances.sigma2 / size), cross)
    own = variances.alpha * (y**2).sum(1) + variances.beta
    left = np.maximum(own - (gain * cross).sum(0), 0)
    return gain.T @ (sums / size[:, None]), variances.sigma2 + left
