"""The discriminant bridge: how improbable a row is among the rows of a partner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz.costs._anchors import Anchored, anchor
from bridgeviz.costs._combine import inner
from bridgeviz.costs._cost import Cost
from bridgeviz.costs._cost_options import CostOptions, functional
from bridgeviz.costs._gaussian_classes import Variances, choose_variances, means, standardise, whiten
from bridgeviz.costs._soft_pairs import SoftPairs

SHARPNESS = 0.5
"""The default epsilon, in units of the log-probability. At 1 the plan would be the model's own posterior. 0.5 was
chosen by matching accuracy on the EfficientNet-Lite0 features of Tiny-ImageNet (two draws of the pairs at most)."""


@dataclass(frozen=True, kw_only=True)
class DiscriminantBridge(CostOptions):
    r"""`C[i, j] = -log p(x_i | y_j) + max_j log p(x_i | y_j)`: a linear discriminant whose classes are target rows.

    Rows that belong to y scatter around a mean, `x ~ N(M(y), sigma^2 I)`, on axes that are whitened with the covariance
    of all rows, paired or not. The means are Gaussian as well, `Cov(M(y), M(y')) = alpha <y, y'> + beta [y = y']`: the
    first part is a linear map, through which a class without a pair learns from classes with similar sentences; the
    second is a class of its own. The pairs choose alpha, beta and sigma by the evidence, and give the expected means;
    what they leave open about a mean widens its Gaussian. Range [0, inf), 0 for the best partner of each row.

    With many rows per target row this is a shrunken linear discriminant analysis. Where each row has a partner of its
    own, beta is 0, and it is a Bayesian linear regression. If the source has fewer distinct rows than the target, their
    roles are exchanged. Ours; hierarchical Bayesian discriminants are classical.

    Refined (`couplings.Global(refine=...)`), it is the EM algorithm with balanced classes: rows of the plan are
    averaged into the means, and the means give the next plan.

    Args:
        x: (n, p) source rows.
        y: (m, q) target rows.
        pairs: (l, 2) rows known to correspond, l >= 1.
        metric: "cosine", "sqeuclidean" or "pearson": rows are divided by their length, left as they are, or centred and
            divided by their length.

    Raises:
        InputError: as for `bridge`.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(np.eye(3), 20, axis=0)
    >>> x = y @ rng.normal(size=(3, 5)) + 0.1 * rng.normal(size=(60, 5))
    >>> cost = discriminant_bridge(x, y, [[0, 0], [20, 20], [40, 40]], metric="sqeuclidean")
    >>> bool((cost.on_atoms.argmin(1) == np.arange(60) // 20).all())
    True
    """

    name = "discriminant_bridge"
    summary = "by how probable a row is among the rows of a partner, as in a linear discriminant"
    lead = (
        "Rows that belong to the same partner scatter around a mean. Pairs show where the means are, and similar "
        "partners have similar means; two points are close if one is probable around the mean of the other."
    )
    formula = r"C_{ij} = \max_{j^\prime} \log p(x_i \mid y_{j^\prime}) - \log p(x_i \mid y_j)"

    def build(self, x: ArrayLike, y: ArrayLike, pairs: ArrayLike) -> Cost:
        """The cost between the rows of x and y."""
        anchored = anchor(x, y, pairs, self.metric, self.name)
        model = _Model.of(anchored)
        return model.cost(self.name, anchored, SoftPairs(np.asarray(anchored.pairs)))


discriminant_bridge = functional(DiscriminantBridge)


@dataclass(frozen=True, eq=False)
class _Model:
    """The rows that scatter and the partners that they scatter around, without their means.

    Attributes:
        z: (a, r) the whitened atoms of the side with more of them.
        y: (b, q) the standardised atoms of the other side.
        variances: chosen by the known pairs.
        flipped: whether the target rows scatter.
    """

    z: np.ndarray
    y: np.ndarray
    variances: Variances
    flipped: bool

    @classmethod
    def of(cls, anchored: Anchored) -> _Model:
        flipped = len(anchored.source) < len(anchored.target)
        sides = [("x", anchored.x, anchored.source), ("y", anchored.y, anchored.target)]
        embedded = [
            anchored.metric.embed(points[atoms.rows].astype(np.float64), name, "discriminant_bridge")
            for name, points, atoms in sides
        ]
        rows, partners = embedded[::-1] if flipped else embedded
        z = whiten(rows, sides[int(flipped)][2].multiplicity)
        y = standardise(partners)
        at = _numbers(anchored, anchored.pairs, flipped)
        classes = sides[1 - int(flipped)][2].merged
        return cls(z, y, choose_variances(z[at[:, 0]], y, at[:, 1], classes=classes), flipped)

    def cost(self, name: str, anchored: Anchored, soft: SoftPairs) -> Cost:
        """The cost with the means of some pairs."""
        at = _numbers(anchored, soft.pairs, self.flipped)
        mean, variance = means(self.z, self.y, at, soft.counts, self.variances)
        rows, partners = _factors(self.z, mean, variance)
        sides = [anchored.source, anchored.target]
        row_mass, partner_mass = (side.mass for side in (sides[::-1] if self.flipped else sides))
        average = 0.0
        for block in _blocks(len(rows), len(partners)):
            c = rows[block] @ partners.T
            least = c.min(1)
            rows[block, -1] = -least
            average += row_mass[block] @ (c @ partner_mass - least)
        factors = (partners, rows) if self.flipped else (rows, partners)
        return Cost(
            name=name,
            source_factor=factors[0],
            target_factor=factors[1],
            combine=inner,
            source_atoms=anchored.source,
            target_atoms=anchored.target,
            default_epsilon=SHARPNESS / average if average > 0 else 5e-3,
            anchors=soft.known,
            facts={"alpha": self.variances.alpha, "beta": self.variances.beta, "sigma2": self.variances.sigma2},
            rebuild=partial(self.cost, name, anchored),
        )


def _numbers(anchored: Anchored, pairs: np.ndarray, flipped: bool) -> np.ndarray:
    """(k, 2) the atoms of pairs: of the rows that scatter, and of their partners."""
    at = np.stack([anchored.source.index[pairs[:, 0]], anchored.target.index[pairs[:, 1]]], axis=1)
    return at[:, ::-1] if flipped else at


def _factors(z: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`|z - M|^2 / (2 v) + r/2 log v` as inner products; the last column is for what is subtracted from a row."""
    one, r = np.ones((len(z), 1)), z.shape[1]
    rows = np.hstack([z, (z**2).sum(1)[:, None] / 2, one, 0 * one])
    constant = (mean**2).sum(1) / (2 * variance) + r / 2 * np.log(variance / variance.min())
    partners = np.column_stack([-mean / variance[:, None], 1 / variance, constant, np.ones(len(mean))])
    return rows, partners


def _blocks(rows: int, columns: int) -> Iterator[slice]:
    step = max(1, 2**22 // max(columns, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))
