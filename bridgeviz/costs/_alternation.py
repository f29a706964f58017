"""Plan and map in turns: the plan says what corresponds, the map is fitted to that, and leads to the next plan."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from bridgeviz._scaling import scale_kernel
from bridgeviz.costs._sides import Sides, unit

BATCH = 2000
"""Atoms per side in one plan; of more, each round draws others."""
BLURRED, SHARP = 0.05, 0.03
"""Epsilon of the first ten rounds and of the others. The mean of the cost is about 1, because the rows are centred."""
FIRST = 10
_CYCLES, _BLOCK, _MOST = 4, 5, 40
_CYCLE_GAIN, _GAIN = 2e-2, 2e-3
"""The search stops when a cycle, or a block of the last rounds, lowers the cost by less than this share."""


class Judged(NamedTuple):
    """What a map achieves, without any truth.

    Attributes:
        transport: the cost of the plan, in [0, 2]; lower is better.
        pairs: the mean cost of the known pairs, in [0, 2]; 0 without any.
        cka: linear CKA between the rows of x and the mean of what the plan sends each of them to, in [0, 1].
    """

    transport: float
    pairs: float
    cka: float

    @property
    def cost(self) -> float:
        """What restarts are compared by: the pairs count as much as the whole plan."""
        return self.transport + self.pairs


def first_rounds(
    sides: Sides, moment: Float[np.ndarray, "p q"], rng: np.random.Generator, *, batch: int = BATCH
) -> Float[np.ndarray, "p q"]:
    """Ten rounds in which the directions that are certain decide first.

    The map is `W = U S^g V^T` for the moment `X^T pi Y = U S V^T`. The power g falls from a half, where directions on
    which the blurred plan does not agree hardly count, to zero, where W is the orthogonal map that fits the plan best
    (Procrustes). The known pairs weigh as much as the whole plan.
    """
    for step in range(FIRST):
        turn = spectral(moment, 0.5 * (1 - step / FIRST))
        part = sides.part(rng, batch)
        moment = _moment(part, turn, BLURRED) + part.pairs
    return moment


def cycles(
    sides: Sides, moment: Float[np.ndarray, "p q"], rng: np.random.Generator, *, batch: int = BATCH
) -> tuple[Float[np.ndarray, "p q"], int]:
    """The first rounds again, up to four times, as long as they lower the cost; and their number.

    Each time they begin with the directions that are certain by then, which are more than before.
    """
    common = sides.part(rng, batch)
    cost, falling, done = judge(common, spectral(moment)).cost, True, 0
    while falling and done < _CYCLES:
        moment = first_rounds(sides, moment, rng, batch=batch)
        done += 1
        before, cost = cost, judge(common, spectral(moment)).cost
        falling = cost < (1 - _CYCLE_GAIN) * before
    return moment, done * FIRST


def last_rounds(
    sides: Sides, moment: Float[np.ndarray, "p q"], rng: np.random.Generator, *, batch: int = BATCH
) -> tuple[Float[np.ndarray, "p q"], int]:
    """Rounds with the orthogonal map and a sharper plan, in blocks of five, until the cost stops falling.

    A known pair counts as one more row: many pairs must not drown what all rows say together. The number of rounds is
    returned as well.
    """
    share = len(sides.x_pairs) / len(sides.x)

    def cost() -> float:
        judged = judge(common, spectral(moment))
        return judged.transport + share * judged.pairs

    part = common = sides.part(rng, batch)
    after, rounds, falling = cost(), 0, True
    while falling and rounds < _MOST:
        for _ in range(_BLOCK):
            step = _moment(part, spectral(moment), SHARP) + np.float32(share) * part.pairs
            if part is not sides:
                part = sides.part(rng, batch)
                step = (moment + step) / 2  # each round sees other rows
            moment = step
        rounds += _BLOCK
        before, after = after, cost()
        falling = after < (1 - _GAIN) * before
    return moment, rounds


def judge(sides: Sides, turn: Float[np.ndarray, "p q"]) -> Judged:
    """What the map achieves on these rows, by the plan that it leads to."""
    cost = 1 - unit(sides.x @ turn) @ sides.y.T
    plan = scale_kernel(cost, sides.a, sides.b, epsilon=SHARP).plan
    pairs = 1 - (unit(sides.x_pairs @ turn) * sides.y_pairs).sum(1)
    reached = plan @ sides.y / np.maximum(sides.a[:, None], np.finfo(np.float32).tiny)
    return Judged(
        transport=float((plan * cost).sum()), pairs=float(pairs.mean()) if len(pairs) else 0.0,
        cka=linear_cka(sides.x, reached, sides.a),
    )  # fmt: skip


def agreement(sides: Sides, one: Float[np.ndarray, "p q"], other: Float[np.ndarray, "p q"]) -> float:
    """The mean cosine between what two maps make of the same rows, of both sides, in [-1, 1]."""
    there = (unit(sides.x @ one) * unit(sides.x @ other)).sum(1) @ sides.a
    back = (unit(sides.y @ one.T) * unit(sides.y @ other.T)).sum(1) @ sides.b
    return float(there + back) / 2


def linear_cka(x: np.ndarray, y: np.ndarray, mass: np.ndarray) -> float:
    """Linear CKA of matched rows that carry these masses, in [0, 1]; 0 where a side does not vary."""
    x, y = x - mass @ x, y - mass @ y
    weighted = x * mass[:, None]
    norms = np.linalg.norm(weighted.T @ x) * np.linalg.norm((y * mass[:, None]).T @ y)
    return float(np.linalg.norm(weighted.T @ y) ** 2 / norms) if norms else 0.0


def spectral(moment: Float[np.ndarray, "p q"], power: float = 0.0) -> Float[np.ndarray, "p q"]:
    """`U S^g V^T` for the singular value decomposition of the moment, with its largest singular value at one."""
    u, s, vt = np.linalg.svd(moment, full_matrices=False)
    weight = (s / (s.max(initial=0.0) or 1)) ** np.float32(power)
    return (u * weight) @ vt


def _moment(sides: Sides, turn: np.ndarray, epsilon: float) -> np.ndarray:
    """The mean of `x^T y` over the plan between `x W` and y."""
    cost = 1 - unit(sides.x @ turn) @ sides.y.T
    return sides.x.T @ (scale_kernel(cost, sides.a, sides.b, epsilon=epsilon).plan @ sides.y)
