"""Source rows that a training doesn't see, to measure how well the flow predicts."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int

from bridgeviz.flows._conditional_mean import antithetic, expected_end
from bridgeviz.flows._linear_map import LinearMap
from bridgeviz.flows._row_means import RowMeans

MOST_ROWS = 512
"""Held-out rows that are evaluated; of more, a sample is drawn."""

LEAST_ROWS = 8
"""With fewer held-out rows than this, nothing is held out."""

DRAWS = 8


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Rows on which the flow's conditional mean is compared with the plan's.

    Attributes:
        rows: (h,) row numbers that are held out.
        x: (b, p) standardised source rows to evaluate, padded to a power of two, so that few programs are compiled.
        means: (k, q) the mean target of each, standardised.
        weights: (k,) share of the mass of each; sums to one.
        offsets: (k, q) what the flow's part is added to; None if it predicts the target itself.
        scale: (q,) that the flow's part is multiplied by.
        centre: (q,) the mean target of the rows that are not held out.
        spread: the weighted mean square of the distance from there, which divides the error.
        noise: (DRAWS, q) noise of the conditional mean.
    """

    rows: Int[np.ndarray, " h"]
    x: Array
    means: Float[np.ndarray, "k q"]
    weights: Float[np.ndarray, " k"]
    offsets: Float[np.ndarray, "k q"] | None
    scale: Float[np.ndarray, " q"]
    centre: Float[np.ndarray, " q"]
    spread: float
    noise: Array

    @classmethod
    def of(
        cls, plan: RowMeans, x: Array, offsets: np.ndarray | None, base: LinearMap | None, *, share: float, seed: int
    ) -> HeldOut | None:
        """A random share of the groups of rows that carry mass; None if they are fewer than `LEAST_ROWS`.

        Args:
            plan: where the plan sends the rows.
            x: (n, p) standardised source points.
            offsets: (n, q) predictions of the base for all rows; None without a base.
            base: the linear map whose residual is learned.
            share: of the groups, in [0, 0.5].
            seed: of the choice and of the noise.
        """
        groups = np.unique(plan.groups)
        rng = np.random.default_rng(seed)
        size = round(share * len(groups))
        if size < LEAST_ROWS or len(groups) - size < LEAST_ROWS:
            return None
        held = np.flatnonzero(np.isin(plan.groups, rng.permutation(groups)[:size]))
        chosen = np.sort(rng.permutation(held)[:MOST_ROWS])
        padded = np.resize(chosen, 1 << (len(chosen) - 1).bit_length())
        mass = plan.mass[chosen] / plan.mass[chosen].sum()
        rest = np.setdiff1d(np.arange(len(plan.rows)), held)
        centre = np.average(plan.means[rest], axis=0, weights=plan.mass[rest])
        spread = float(mass @ ((plan.means[chosen] - centre) ** 2).mean(1))
        return cls(
            rows=plan.rows[held], x=x[plan.rows[padded]], means=plan.means[chosen], weights=mass,
            offsets=None if offsets is None else offsets[plan.rows[chosen]],
            scale=np.ones(plan.means.shape[1]) if base is None else base.scale,
            centre=centre, spread=max(spread, 1e-12),
            noise=antithetic(jax.random.key(seed), DRAWS, plan.means.shape[1]),
        )  # fmt: skip

    def errors(self, graph: nnx.GraphDef, params: nnx.State) -> Float[np.ndarray, " k"]:
        """The squared error of the flow's conditional mean for each row, times its weight.

        The distance of the mean from the centre is first multiplied by the one factor >= 0 that suits all rows best: a
        flow that trains on overshoots long before it mistakes one target for another. The errors add up to the share of
        the variance that is not explained: 1 is the error of the centre.
        """
        ends = np.asarray(expected_end(graph, params, self.x, self.noise), np.float64)[: len(self.means)]
        predicted = ends * self.scale + (0.0 if self.offsets is None else self.offsets) - self.centre
        actual = self.means - self.centre
        power = float(self.weights @ (predicted**2).mean(1))
        factor = max(0.0, float(self.weights @ (predicted * actual).mean(1))) / power if power > 0 else 0.0
        return self.weights * ((factor * predicted - actual) ** 2).mean(1) / self.spread
