"""Gaussian classes in two spaces, with an adjustable overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bridgeviz import _checks as check
from bridgeviz._options import Count, Seed, Unit, option
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.problem import Problem, Space

MOST_ROWS = 100_000


@dataclass(frozen=True, kw_only=True)
class Blobs(DatasetOptions):
    """Gaussian clouds in R^8 and their counterparts in R^4, with n // 2 more rows in each space as `.test`.

    Row i of both spaces has the same class and the same position within its cloud, seen through one random linear map
    per space. So the true pairs carry more information than the class alone.

    Args:
        n: rows to align, at least four per class.
        classes: number of clouds; their centres are the corners of a regular simplex.
        overlap: the width of the clouds grows from 0.1 to 1.0 times the distance of a centre from the origin.
        seed: determines all random draws.
    """

    name = "blobs"
    title = "blobs: Gaussian classes in 8 and 4 dimensions, with adjustable overlap"
    card = Card(
        source="Synthetic: drawn when it is loaded, from the seed.",
        licence="MIT, as bridgeviz.",
        size="600 + 300 rows by default; 8 dimensions against 4. Nothing is downloaded.",
        made="Gaussian clouds around the corners of a simplex, seen through one random linear map per space.",
        cautions=("Both spaces are linear images of the same points: real spaces are rarely so alike.",),
    )
    n: int = option(Count(most=MOST_ROWS), 600, help="Rows to align.")
    classes: int = option(Count(2, 5), 5, help="Number of classes.")
    overlap: float = option(
        Unit(zero=True), 0.3, label="Overlap of the classes", key="overlap", step=0.05, main=True,
        help="How much the classes overlap, in both spaces.",
    )  # fmt: skip
    seed: int = option(Seed(), 0, help="Seed of all random draws.")

    def __post_init__(self):
        super().__post_init__()
        check.count(self.n, "n", self.where, least=4 * self.classes, most=MOST_ROWS)

    def load(self) -> Problem:
        from scipy.linalg import helmert

        width = 0.1 + 0.9 * self.overlap
        rng = np.random.default_rng(self.seed)
        simplex = np.eye(self.classes) - 1 / self.classes
        simplex /= np.linalg.norm(simplex, axis=1, keepdims=True)
        maps = {}
        for side, d in (("source", 8), ("target", 4)):
            corners = simplex @ helmert(self.classes).T  # in the plane of the corners, one dimension fewer than classes
            basis = np.linalg.qr(rng.standard_normal((d, d)))[0]
            spread = rng.standard_normal((6, d)) / np.sqrt(6)
            maps[side] = (corners @ basis[: corners.shape[1]], spread)

        def problem(size: int, test: Problem | None) -> Problem:
            labels = rng.permutation(np.arange(size) % self.classes)
            within = rng.standard_normal((size, 6))
            spaces = {
                side: Space(
                    (centres[labels] + width * within @ spread).astype(np.float32), labels=labels,
                    names=[chr(65 + c) for c in range(self.classes)], title=f"{side} blobs in R^{centres.shape[1]}",
                )
                for side, (centres, spread) in maps.items()
            }  # fmt: skip
            return Problem(*spaces.values(), truth=np.stack([np.arange(size)] * 2, axis=1), test=test, name=self.name)

        return problem(self.n, problem(max(self.n // 2, 2 * self.classes), None))
