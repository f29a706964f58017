"""A Swiss roll in R^3 and a spiral in R^2 (Appendix I): the same curve, embedded in two ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bridgeviz._options import Count, Interval, Seed, option
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.problem import Problem, Space

PARTS = 8


@dataclass(frozen=True, kw_only=True)
class SwissRoll(DatasetOptions):
    """n points on the roll and n on the spiral, paired by their place along the curve; n // 2 more as `.test`.

    Labels are eight equal stretches of the curve. Cosine distance is blind to the windings of a spiral: use
    `metric="sqeuclidean"`, or the diffusion bridge.

    Args:
        n: rows to align.
        noise: standard deviation of the noise on each coordinate; the outer radius of the curve is about 1.4.
        seed: determines the points.
    """

    name = "swiss-roll"
    title = "swiss-roll: a Swiss roll in 3-d against a spiral in 2-d"
    card = Card(
        source="Synthetic: drawn when it is loaded, from the seed (Appendix I).",
        licence="MIT, as bridgeviz.",
        size="1,000 + 500 rows by default; 3 dimensions against 2. Nothing is downloaded.",
        made="Points at the same places along one curve, rolled up in one space and a plane spiral in the other.",
        cautions=("Straight distances cut across the windings: use a cost that follows the curve.",),
    )
    n: int = option(Count(4 * PARTS, 100_000), 1000, help="Rows to align.")
    noise: float = option(Interval(0.0), 0.05, help="Standard deviation of the noise on each coordinate.")
    seed: int = option(Seed(), 0, help="Seed of the points.")

    def load(self) -> Problem:
        rng = np.random.default_rng(self.seed)

        def problem(size: int, test: Problem | None) -> Problem:
            place = rng.permutation((np.arange(size) + rng.random(size)) / size)
            t = 1.5 * np.pi * (1 + 2 * place)
            labels = np.minimum((place * PARTS).astype(np.int64), PARTS - 1)
            roll = np.stack([t * np.cos(t) / 10, 2 * rng.random(size) - 1, t * np.sin(t) / 10], axis=1)
            spiral = np.stack([t * np.cos(t), t * np.sin(t)], axis=1) / 10
            spaces = {
                side: Space(
                    (x + self.noise * rng.standard_normal(x.shape)).astype(np.float32), labels=labels,
                    names=[f"stretch {k + 1}" for k in range(PARTS)], title=title,
                )
                for side, x, title in (("source", roll, "Swiss roll in R^3"), ("target", spiral, "spiral in R^2"))
            }  # fmt: skip
            return Problem(*spaces.values(), truth=np.stack([np.arange(size)] * 2, axis=1), test=test, name=self.name)

        return problem(self.n, problem(max(self.n // 2, 2 * PARTS), None))
