"""Which epsilon and tau match best without leaving points out, and what explains it (Fig. 19, 20)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bridgeviz.datasets import DatasetOptions
from bridgeviz.experiments import tuning
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments.benchmarks._benchmark import FigureBenchmark, Task
from bridgeviz.experiments.benchmarks._ledger import Row

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class TuningFigure(FigureBenchmark):
    """aes of the plan on a validation set by epsilon, the taus and the paired fraction (L.2), and its regression.

    Attributes:
        dataset: with labels on both sides and known pairs.
        epsilons, taus, fractions: that are combined.
    """

    takes = ("workers",)
    dataset: DatasetOptions
    epsilons: tuple[float, ...] = tuning.EPSILONS
    taus: tuple[float, ...] = tuning.TAUS
    fractions: tuple[float, ...] = tuning.FRACTIONS

    @property
    def block(self) -> str:
        return f"figure-19-20-{self.dataset.name}"

    def tasks(self, seeds: int) -> Iterator[Task]:
        for seed in range(seeds):
            for fraction in self.fractions:
                yield Task({"fraction": fraction, "seed": seed}, partial(self._tune, fraction, seed))

    def _tune(self, fraction: float, seed: int) -> Iterator[Row]:
        grid = {"epsilons": self.epsilons, "taus": self.taus, "fractions": (fraction,)}
        for row in tuning.tune(self.dataset.load(), RunConfig(seed=seed), **grid):
            yield {name: value for name, value in row.items() if name != "fraction"}

    def lines(self, rows: list[Row]) -> list[str]:
        best = max(rows, key=lambda row: row["aes"])
        where = f"{best['fraction']:.0%} paired, seed {best['seed']}"
        taus = f"tau ({best['tau_x']:g}, {best['tau_y']:g})"
        return [f"{where}: best aes {best['aes']:.3f} at epsilon {best['epsilon']:g}, {taus}"]

    def table(self, rows: pd.DataFrame) -> str:
        """The best combination at each paired fraction, and the regression."""
        lines = ["| paired | best epsilon | tau_x | tau_y | aes | accuracy | mass |", "|---" * 7 + "|"]
        names = ["fraction", "epsilon", "tau_x", "tau_y"]
        medians = rows.groupby(names)[["aes", "matching_accuracy", "mass"]].median().reset_index()
        for fraction, group in medians.groupby("fraction"):
            best = group.loc[group.aes.idxmax()]
            lines.append(
                f"| {fraction:.0%} | {best.epsilon:g} | {best.tau_x:g} | {best.tau_y:g} | {best.aes:.3f} | "
                f"{best.matching_accuracy:.3f} | {best.mass:.3g} |"
            )
        fit = tuning.regress(rows)
        names_of = ", ".join(f"{name} {value:+.3g}" for name, value in fit.coefficients.items())
        note = f"Medians over seeds 0 to {rows.seed.max()}. Regression of aes: {names_of}; adjusted R^2 "
        return "\n".join([*lines, "", f"{note}{fit.adjusted_r2:.3f} (in the paper, on neurons: 0.909)."])
