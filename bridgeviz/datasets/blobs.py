"""Gaussian classes in two spaces, with a knob for how much they overlap."""

from __future__ import annotations

import numpy as np

from bridgeviz import _checks as check
from bridgeviz.problem import Problem, Space

TITLE = "blobs: Gaussian classes in 8 and 4 dimensions, with an overlap knob"


def load(*, n: int = 600, classes: int = 5, overlap: float = 0.3, seed: int = 0) -> Problem:
    """`classes` Gaussian clouds in R^8, their counterparts in R^4, and n // 2 more of both as `.test`.

    Row i of both spaces comes from the same class and the same position within its cloud (seen through a random
    linear map a space), so the true pairs carry more than the class.

    Args:
        n: rows to align.
        classes: 2 to 5; the centres of both spaces are the corners of a regular simplex.
        overlap: in [0, 1]: the clouds' width goes from 0.1 to 1.0 of the distance between a centre and the origin.
        seed: of everything.
    """
    classes = check.count(classes, "classes", "load", least=2, most=5)
    n = check.count(n, "n", "load", least=4 * classes, most=100_000)
    width = 0.1 + 0.9 * check.unit(overlap, "overlap", "load", zero=True)
    rng = np.random.default_rng(check.seed(seed, "seed", "load"))
    simplex = np.eye(classes) - 1 / classes
    simplex /= np.linalg.norm(simplex, axis=1, keepdims=True)
    maps = {}
    for side, d in (("source", 8), ("target", 4)):
        corners = np.linalg.svd(simplex, full_matrices=False)[0] * np.linalg.svd(simplex)[1]
        corners = corners[:, : min(classes - 1, d)]
        basis = np.linalg.qr(rng.standard_normal((d, d)))[0]
        spread = rng.standard_normal((6, d)) / np.sqrt(6)
        maps[side] = (corners @ basis[: corners.shape[1]], spread)

    def problem(size: int, test: Problem | None) -> Problem:
        labels = rng.permutation(np.arange(size) % classes)
        within = rng.standard_normal((size, 6))
        spaces = {
            side: Space(
                (centres[labels] + width * within @ spread).astype(np.float32), labels=labels,
                names=[chr(65 + c) for c in range(classes)], title=f"{side} blobs in R^{centres.shape[1]}",
            )
            for side, (centres, spread) in maps.items()
        }  # fmt: skip
        return Problem(**spaces, truth=np.stack([np.arange(size)] * 2, axis=1), test=test, name="blobs")

    return problem(n, problem(max(n // 2, 2 * classes), None))
