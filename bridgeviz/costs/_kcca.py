"""The paper's KCCA cost (Appendix F, Eq. 17-18): distance in the joint space in which the pairs correlate most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._options import Count, Unit, option
from bridgeviz.costs._anchors import Anchored, anchor
from bridgeviz.costs._combine import one_minus_inner
from bridgeviz.costs._cost import Cost
from bridgeviz.costs._cost_options import CostOptions, CostVariant, functional, metric_option
from bridgeviz.costs._intra import Metric
from bridgeviz.costs._joint_space import JointSpace, joint_space

LANDMARKS = 2000
"""Distinct paired rows above which the kernel is approximated on this many of them (Nystroem)."""
_BLOCK = 2048


@dataclass(frozen=True)
class _TwoPositives:
    """Two floats > 0, one per side."""

    whole: ClassVar[bool] = False
    limits: ClassVar[tuple[float, float]] = (0.0, float("inf"))

    def check(self, value: Any, name: str, where: str) -> tuple[float, float]:
        try:
            numbers = tuple(check.positive(number, name, where) for number in value)
        except TypeError:
            numbers = ()
        if len(numbers) != 2:
            raise check.fail(name, where, f"two floats > 0: ({name}_x, {name}_y)", check.describe(value))
        return numbers


Features = Callable[[np.ndarray], np.ndarray]
"""From points (r, p) to their features (r, d)."""


@dataclass(frozen=True, eq=False)
class KernelVariates:
    """The maps from points of both spaces to the joint space of their kernels.

    Attributes:
        features: the feature maps of the source and of the target.
        joint: the joint space of these features.
    """

    features: tuple[Features, Features]
    joint: JointSpace

    def __call__(self, points: np.ndarray, *, side: int) -> np.ndarray:
        """The variates (n, d) of points (n, p) of side 0 or 1 at length one, block by block."""
        blocks = np.array_split(points, -(-len(points) // _BLOCK))
        return np.concatenate([self.joint.unit_variates(self.features[side](block), side=side) for block in blocks])


@dataclass(frozen=True, kw_only=True)
class KCCA(CostOptions):
    r"""`C[i, j] = 1 - cos(u_X(x_i), u_Y(y_j))` (Eq. 18), u the canonical variates of the pairs' kernels (Eq. 17).

    Regularised kernel CCA: directions that maximise the correlation of the paired rows in the feature spaces of two
    RBF kernels `exp(-gamma d)`, d the metric. Without regularisation, an RBF kernel correlates any two sets of
    distinct rows perfectly; so each side's covariance is `(1 - shrinkage) K^2 / (l - 1) + shrinkage K`. Kernels are
    centred on the pairs. Range [0, 2]; not divided by its mean.

    Solved in the feature space of the distinct paired rows, which is exactly the dual problem; above 2,000 of them, on
    2,000 drawn with a fixed seed (Nystroem). `facts["correlations"]` holds the regularised canonical correlations.

    Choose it to reproduce the paper, or where the relation between the spaces is smooth and pairs are many.

    Args:
        x: (n, p) source rows.
        y: (m, q) target rows.
        pairs: (l, 2) rows known to correspond, l >= 2.
        metric: "sqeuclidean" (the Gaussian kernel of the paper), "cosine" or "pearson".
        components: the largest dimension of the joint space; it is smaller where the pairs determine fewer.
        shrinkage: in (0, 1]; 1 is kernel PLS.
        gamma: (gamma_x, gamma_y), each > 0; None takes the median heuristic, 1 over the median distance between
            paired rows that differ.

    Raises:
        InputError: as for `bridge`, an option out of range, or paired rows that are all the same.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(30, 3))
    >>> cost = kcca(x, x, [[i, i] for i in range(30)], components=2)
    >>> bool((cost.dense().argmin(1) == np.arange(30)).mean() > 0.5)
    True
    """

    name = "kcca"
    summary = "the cosine distance in a joint space that the pairs span (the paper's KCCA)"
    lead = "The paper's KCCA cost (Eq. 17-18): the pairs span a joint space, and the cost is the cosine distance in it."
    formula = (
        r"u_X = K_X \alpha, \quad u_Y = K_Y \beta, \quad C_{ij} = 1 - \cos\big(u_X^{(i)}, u_Y^{(j)}\big) \quad (18)"
    )
    variants = (CostVariant({}, title="KCCA"), CostVariant({"shrinkage": 0.01}, title="KCCA, shrinkage 0.01"))
    metric: str = metric_option("sqeuclidean")
    components: int = option(Count(), 20, help="The largest dimension of the joint space.")
    shrinkage: float = option(
        Unit(),
        0.1,
        label="Shrinkage",
        stops=("0.01", "0.03", "0.1", "0.3", "1"),
        limits=(1e-4, 1.0),
        help="How strongly the correlations are regularised.",
    )
    gamma: tuple[float, float] | None = option(
        _TwoPositives(), None, help="Widths (gamma_x, gamma_y) of the kernels; None takes the median heuristic."
    )

    def build(self, x: ArrayLike, y: ArrayLike, pairs: ArrayLike) -> Cost:
        """The cost between the rows of x and y."""
        anchored = anchor(x, y, pairs, self.metric, self.name)
        variates = self._variates(anchored)
        correlations = variates.joint.correlations
        return Cost(
            name=self.name,
            source_factor=variates(anchored.x[anchored.source.rows], side=0),
            target_factor=variates(anchored.y[anchored.target.rows], side=1),
            combine=one_minus_inner,
            source_atoms=anchored.source,
            target_atoms=anchored.target,
            anchors=anchored.pairs,
            facts={"correlations": correlations, "components": len(correlations)},
        )

    def variates(self, x: ArrayLike, y: ArrayLike, pairs: ArrayLike) -> KernelVariates:
        """The maps from points of both spaces to the joint space, which the cost compares."""
        return self._variates(anchor(x, y, pairs, self.metric, self.name))

    def _variates(self, anchored: Anchored) -> KernelVariates:
        maps, paired = [], []
        for side, gamma in zip(("source", "target"), self.gamma or (None, None), strict=True):
            features, phi = _features(anchored, side, gamma, self.name)
            maps.append(features)
            paired.append(phi)
        joint = joint_space(paired[0], paired[1], components=self.components, shrinkage=self.shrinkage)
        return KernelVariates((maps[0], maps[1]), joint)


kcca = functional(KCCA)


def _features(anchored: Anchored, side: str, gamma: float | None, where: str) -> tuple[Features, np.ndarray]:
    """The feature map of one side, and the features of the row of each pair there."""
    points = anchored.x if side == "source" else anchored.y
    atoms, at = anchored.atoms(side)
    paired = np.unique(at)
    if len(paired) < 2:
        raise check.fail("pairs", where, f"between at least two distinct rows of the {side}", "one", "Add pairs.")
    points = points[atoms.rows]
    features = _feature_map(points[paired], anchored.metric, gamma)
    return features, features(points[at])


def _feature_map(landmarks: np.ndarray, metric: Metric, gamma: float | None) -> Features:
    """From points to (r, d) features whose inner products are the kernel (on the landmarks exactly)."""
    if len(landmarks) > LANDMARKS:
        landmarks = landmarks[np.sort(np.random.default_rng(0).choice(len(landmarks), LANDMARKS, replace=False))]
    distance = metric.matrix(landmarks, landmarks)
    if gamma is None:
        between = distance[np.triu_indices(len(distance), 1)]
        gamma = 1 / float(np.median(between[between > 0])) if (between > 0).any() else 1.0
    values, vectors = np.linalg.eigh(np.exp(-gamma * distance))
    keep = values > 1e-12 * values.max()
    root = vectors[:, keep] / np.sqrt(values[keep])
    return lambda points: np.exp(-gamma * metric.matrix(points, landmarks)) @ root
