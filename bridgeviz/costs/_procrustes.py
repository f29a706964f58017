"""The Procrustes bridge: one map for the whole space, fitted to the pairs and to our own transport plan in turns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz._options import Choice, Positive, option
from bridgeviz.costs._alternation import spectral
from bridgeviz.costs._anchors import Anchored, anchor
from bridgeviz.costs._combine import one_minus_inner
from bridgeviz.costs._cost import Cost
from bridgeviz.costs._cost_options import CostOptions, CostVariant, functional, metric_option
from bridgeviz.costs._restarts import Found, fitted_map
from bridgeviz.costs._sides import Sides, centred, unit
from bridgeviz.costs._soft_pairs import SoftPairs
from bridgeviz.problem import Pairs, Problem

_LEAST = 4
"""The number of pairs from which held-out pairs say whether the map is right."""


@dataclass(frozen=True, kw_only=True)
class ProcrustesBridge(CostOptions):
    r"""`C = 1 - cos(x W, y)` with one map W between the centred spaces, fitted to the pairs and to a plan in turns.

    The rows of both sides are centred and divided by their lengths. Given a plan pi, W is the orthogonal map that
    maximises `tr(W^T (X^T pi Y + w X_P^T Y_P / l))`, a singular value decomposition; given W, pi is the balanced
    entropic plan of C. The known pairs weigh w = 1, as much as the whole plan, in the first ten rounds, in which the
    singular values enter to a power that falls from a half to zero; from then on a pair counts as one more row. With
    unequal dimensions, W has orthonormal rows or columns.

    Six restarts begin from a plan between rows whose similarities to all other rows, and to the paired rows, are
    distributed alike, or from the geometric start of Wasserstein Procrustes (arXiv 2610.09411). The one with the lowest
    transport cost goes on. So it needs no pairs, but then it may find a wrong map, and the facts say how far to trust
    it: `agreement` of the restarts, `lead` in transport cost over restarts that disagree, `cka` between the source and
    what the plan sends it to, and with pairs the mean cosine of `held_out` pairs.

    Choose it where the spaces are nearly a rotation of each other, such as two encoders of the same things, or where
    pairs are very few. It can't bend: for classes and curved clouds, the diffusion bridge or a blend is better. Range
    [0, 2]. Above 2,000 distinct rows per side, each round draws 2,000; above 256 dimensions, the principal ones enter.

    Args:
        x: (n, p) source rows.
        y: (m, q) target rows.
        pairs: (l, 2) rows known to correspond; may be empty.
        metric: "sqeuclidean" centres the rows as they are; "cosine" and "pearson" embed each row first.
        map: "orthogonal", or "ridge": in the end `W = (S_X + penalty tr(S_X) / p I)^-1 X^T pi Y`, which may stretch.
        penalty: of the ridge map, relative to the mean variance of the source's directions.

    Raises:
        InputError: rows out of range, NaN, a row that the metric is undefined for, or an option out of range.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, turn = rng.gamma(1, size=(60, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> cost = procrustes_bridge(x, x @ turn, [])
    >>> bool((cost.dense().argmin(1) == np.arange(60)).all()), cost.facts["agreement"] > 0.5
    (True, True)
    """

    name = "procrustes_bridge"
    summary = "after one rotation of the whole space, fitted to pairs and plan in turns; needs no pairs"
    lead = (
        "One rotation carries the whole source space to the target space. It is fitted to the pairs and to an optimal "
        "transport plan in turns, and it can be found without any pairs."
    )
    formula = (
        r"C_{ij} = 1 - \cos(x_i W, y_j), \qquad W = \arg\max_{W^\top W = I} \operatorname{tr} W^\top \Big("
        r"X^\top \pi Y + \frac{1}{l} X_P^\top Y_P \Big)"
    )
    needs_pairs: ClassVar[bool] = False
    variants = (
        CostVariant({}, title="Procrustes bridge"),
        CostVariant({"map": "ridge"}, title="Procrustes bridge, ridge map"),
    )
    metric: str = metric_option("sqeuclidean")
    map: str = option(
        Choice(("orthogonal", "ridge")), "orthogonal", label="Map", key="procrustes_map",
        help="orthogonal: a rotation. ridge: a linear map, which may also stretch directions.",
    )  # fmt: skip
    penalty: float = option(Positive(), 0.1, help="Penalty of the ridge map, relative to the mean variance.")

    def build(self, x: ArrayLike, y: ArrayLike, pairs: ArrayLike) -> Cost:
        """The cost between the rows of x and y."""
        return self._built(x, y, pairs, (None, None))

    def build_for(self, problem: Problem, pairs: Pairs | ArrayLike) -> Cost:
        """The cost between the rows of a problem, whose weights are the marginals of the plans."""
        weights = problem.source.weights, problem.target.weights
        return self._built(problem.source.x, problem.target.x, pairs, weights)

    def _built(self, x: Any, y: Any, pairs: Any, weights: tuple[np.ndarray | None, np.ndarray | None]) -> Cost:
        anchored = anchor(x, y, pairs, self.metric, self.name, least=0)
        anchored = replace(
            anchored, source=replace(anchored.source, weights=weights[0]),
            target=replace(anchored.target, weights=weights[1]),
        )  # fmt: skip
        sides = _sides(anchored)
        found = fitted_map(_with_mass(sides))
        facts = {
            "agreement": found.agreement, "lead": found.lead, "cka": found.judged.cka, "held_out": found.held_out,
            "transport": found.judged.transport, "rounds": found.rounds, "map": self.map,
        }  # fmt: skip
        cost = self._cost(anchored, sides, found.moment)
        again = partial(self._rebuilt, anchored, sides, found.moment)
        return replace(cost, facts=facts, advice=_advice(found, len(anchored.pairs)), rebuild=again)

    def _cost(self, anchored: Anchored, sides: Sides, moment: Float[np.ndarray, "p q"]) -> Cost:
        turn = spectral(moment) if self.map == "orthogonal" else self._ridge(sides, moment)
        return Cost(
            name=self.name, source_factor=unit((sides.x @ turn).astype(np.float64)),
            target_factor=unit(sides.y.astype(np.float64)), combine=one_minus_inner,
            source_atoms=replace(anchored.source, weights=None), target_atoms=replace(anchored.target, weights=None),
            anchors=anchored.pairs,
        )  # fmt: skip

    def _ridge(self, sides: Sides, moment: Float[np.ndarray, "p q"]) -> Float[np.ndarray, "p q"]:
        """The ridge map that fits the same plan and pairs."""
        spread = (sides.x * sides.a[:, None]).T @ sides.x
        size = float(np.trace(spread)) / len(spread) or 1.0
        return np.linalg.solve(spread + np.float32(self.penalty * size) * np.eye(len(spread), dtype=np.float32), moment)

    def _rebuilt(self, anchored: Anchored, sides: Sides, moment: np.ndarray, soft: SoftPairs) -> Cost:
        """The map that fits soft pairs, which weigh as much together as the plan that the map was fitted to."""
        u, v = anchored.source.index[soft.pairs[:, 0]], anchored.target.index[soft.pairs[:, 1]]
        counts = (soft.counts / soft.counts.sum()).astype(np.float32)
        return self._cost(anchored, sides, moment + (sides.x[u] * counts[:, None]).T @ sides.y[v])


procrustes_bridge = functional(ProcrustesBridge)


def _sides(anchored: Anchored) -> Sides:
    """Both spaces as the map sees them, on all atoms."""
    points, masses = [], []
    for name, rows, atoms in (("x", anchored.x, anchored.source), ("y", anchored.y, anchored.target)):
        embedded = anchored.metric.embed(rows[atoms.rows].astype(np.float64), name, ProcrustesBridge.name)
        points.append(centred(embedded, atoms.mass))
        masses.append(atoms.mass.astype(np.float32))
    (x, y), (a, b) = points, masses
    u, v = anchored.source.index[anchored.pairs[:, 0]], anchored.target.index[anchored.pairs[:, 1]]
    return Sides(x=x, y=y, a=a, b=b, x_pairs=x[u], y_pairs=y[v])


def _with_mass(sides: Sides) -> Sides:
    """The same without the atoms that carry no mass."""
    i, j = sides.a > 0, sides.b > 0
    return replace(sides, x=sides.x[i], y=sides.y[j], a=sides.a[i], b=sides.b[j])


def _advice(found: Found, pairs: int) -> str:
    """How far to trust the map, if that is in doubt or was asked for without pairs."""
    if pairs >= _LEAST:
        if found.related:
            return ""
        return (
            f"Held-out pairs are no nearer than chance after the map (mean cosine {found.held_out:.2f}, standard error "
            f"{found.held_out_error:.2f}): the spaces are not related by one map, or the pairs are wrong. Check the "
            "pairs, or choose another cost."
        )
    agree = f"the agreement of the restarts is {found.agreement:.2f} of 1"
    ahead = "" if found.lead is None else f", and the map costs {found.lead:.0%} less than the best that disagrees"
    few = "no pairs" if pairs == 0 else "very few pairs"
    facts = f"Found with {few}: {agree}{ahead}. CKA after the alignment is {found.judged.cka:.2f}."
    if found.trusted:
        return f"{facts} Confirm it with some known pairs."
    return f"{facts} This may well be a wrong match or no relation at all: don't rely on it without more known pairs."
