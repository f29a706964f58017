"""A Swiss roll in R^3 and a spiral in R^2 (Appendix I): the same curve, rolled up differently."""

from __future__ import annotations

import numpy as np

from bridgeviz import _checks as check
from bridgeviz.problem import Problem, Space

TITLE = "swiss-roll: a Swiss roll in 3-d against a spiral in 2-d"
PARTS = 8


def load(*, n: int = 1000, noise: float = 0.05, seed: int = 0) -> Problem:
    """n points on the roll and n on the spiral, paired by their place along the curve; n // 2 more as `.test`.

    Labels are eight equal stretches of the curve. The cosine distance knows nothing of a spiral's turns: use
    `metric="sqeuclidean"`, or the diffusion bridge.

    Args:
        n: rows to align.
        noise: standard deviation added to each coordinate, in units where the curve's outer radius is about 1.4.
        seed: of the points.
    """
    n = check.count(n, "n", "load", least=4 * PARTS, most=100_000)
    noise = check.real(noise, "noise", "load", "a float >= 0")
    if noise < 0:
        raise check.fail("noise", "load", "a float >= 0", noise)
    rng = np.random.default_rng(check.seed(seed, "seed", "load"))

    def problem(size: int, test: Problem | None) -> Problem:
        place = rng.permutation((np.arange(size) + rng.random(size)) / size)
        t = 1.5 * np.pi * (1 + 2 * place)
        labels = np.minimum((place * PARTS).astype(np.int64), PARTS - 1)
        roll = np.stack([t * np.cos(t) / 10, 2 * rng.random(size) - 1, t * np.sin(t) / 10], axis=1)
        spiral = np.stack([t * np.cos(t), t * np.sin(t)], axis=1) / 10
        spaces = {
            side: Space(
                (x + noise * rng.standard_normal(x.shape)).astype(np.float32), labels=labels,
                names=[f"stretch {k + 1}" for k in range(PARTS)], title=title,
            )
            for side, x, title in (("source", roll, "Swiss roll in R^3"), ("target", spiral, "spiral in R^2"))
        }  # fmt: skip
        return Problem(**spaces, truth=np.stack([np.arange(size)] * 2, axis=1), test=test, name="swiss-roll")

    return problem(n, problem(max(n // 2, 2 * PARTS), None))
