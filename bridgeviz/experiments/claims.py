"""What the paper claims in its figures, and whether the rows that were measured here agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridgeviz.datasets import paths
from bridgeviz.experiments import _verdicts as judge
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments._verdicts import FAILS, HOLDS, UNMEASURED, UNTESTED, Verdict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One figure of the paper.

    Attributes:
        figures: its numbers; several that show one measurement are one claim, and an open question has none.
        title: what it shows.
        claim: of the paper, in one sentence.
        results: the file of the measured rows by data set, relative to `data/`.
        commands: what measures them, by data set.
        judge: the verdict on these rows.
        drawing: the name of its picture in `viz.paper.PICTURES`; "" for none.
        page: of the app, on which one such setting can be tried; "" for none.
        settings: of that setting, beside the data set: what it differs in from the defaults.
    """

    figures: tuple[int, ...]
    title: str
    claim: str
    results: Mapping[str, str]
    commands: Mapping[str, str]
    judge: Callable[[pd.DataFrame], Verdict]
    drawing: str = ""
    page: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def config(self, dataset: str) -> RunConfig:
        """The settings with which to try it on a data set."""
        return RunConfig(dataset=dataset, **self.settings)

    def rows(self, dataset: str, folder: Path | None = None) -> pd.DataFrame | None:
        """The measured rows of a data set; None if there are none.

        Args:
            dataset: a key of `results`.
            folder: that holds the file; None takes the one in `data/` of the project.
        """
        import pandas as pd

        file = self.results.get(dataset)
        if file is None:
            return None
        path = paths.shipped() / file if folder is None else folder / Path(file).name
        if not path.is_file():
            return None
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)

    def verdict(self, dataset: str, folder: Path | None = None) -> Verdict:
        """Whether the claim agrees with the rows of a data set."""
        rows = self.rows(dataset, folder)
        if rows is None or not len(rows):
            return Verdict(
                UNMEASURED, f"`{self.commands.get(dataset, next(iter(self.commands.values())))}` measures it."
            )
        return self.judge(rows)


TASK = ["case", "group", "classes", "direction", "fraction", "seed"]
"""The columns that may tell measurements apart."""


def seconds(rows: pd.DataFrame) -> float | None:
    """How long the measurement of these rows took, as far as they say; None if they don't."""
    if "took" in rows and rows.took.notna().all():
        return float(rows.took.sum())
    keys = [name for name in TASK if name in rows]
    if "seconds" in rows:  # counted from the start of each training
        return float(rows.groupby(keys, dropna=False).seconds.max().sum())
    if {"seconds_cost", "seconds_plan"} <= set(rows):
        return float(rows.groupby(keys, dropna=False).seconds_cost.first().sum() + rows.seconds_plan.sum())
    return None


def _figures(numbers: str, *datasets: str) -> dict[str, str]:
    return {name: f"results/figure_{numbers}_{name.replace('-', '_')}.parquet" for name in datasets}


def _commands(number: int, *datasets: str) -> dict[str, str]:
    return {name: f"bridgeviz figure {number} --dataset {name}" for name in datasets}


IMAGES = ("mnist", "tiny-imagenet")

COSTS_OF = {
    "mnist": "costs",
    "tiny-imagenet": "costs-tiny",
    "two-encoders": "costs-two-encoders",
    "snare-seq": "costs-snare-seq",
}
"""The benchmark of costs by data set."""

CLAIMS: tuple[Claim, ...] = (
    Claim(
        figures=(4,), title="Noise that becomes the target, by the overlap of the classes",
        claim="Classes that are apart in the source arrive apart; those that overlap there overlap on arrival.",
        results=_figures("04", *reversed(IMAGES)), commands=_commands(4, *reversed(IMAGES)),
        judge=judge.trajectories, drawing="trajectories", page="flow", settings={"cost": "bridge", "fraction": 0.1},
    ),
    Claim(
        figures=(5,), title="Overlap of classes and accuracy of the flow",
        claim="Accuracy falls as the classes of the source overlap more, and they overlap more the more there are.",
        results=_figures("05", *IMAGES), commands=_commands(5, *IMAGES), judge=judge.overlap, drawing="overlap",
        page="data",
    ),
    Claim(
        figures=(6, 17, 18), title="Matching accuracy by cost and solver",
        claim="The bridge cost matches better than KNN and KCCA at every number of pairs.",
        results={name: f"benchmarks/{bench.replace('-', '_')}.csv" for name, bench in COSTS_OF.items()},
        commands={name: f"bridgeviz bench {bench}" for name, bench in COSTS_OF.items()},
        judge=judge.bridge_cost, drawing="costs", page="coupling", settings={"cost": "bridge", "fraction": 0.05},
    ),
    Claim(
        figures=(7, 12), title="Learning curves of the velocity fields",
        claim="A network with adaptive normalisation (adaLN) learns better than the baseline of the same size.",
        results=_figures("07_12", *IMAGES), commands=_commands(7, *IMAGES), judge=judge.architectures, drawing="curves",
        page="flow", settings={"strategy": "true", "fraction": 1.0, "velocity": "adaln-medium"},
    ),
    Claim(
        figures=(8,), title="Test accuracy on Tiny-ImageNet by the number of pairs",
        claim="Global alignment gains accuracy with more pairs; from 10 % of them on, it is near a classifier.",
        results=_figures("08", "tiny-imagenet"), commands=_commands(8, "tiny-imagenet"),
        judge=judge.rising, drawing="accuracies", page="flow", settings={"cost": "auto", "fraction": 0.1},
    ),
    Claim(
        figures=(9,), title="Test accuracy on MNIST by the number of pairs",
        claim="With less than 10 % of the pairs, alignment outperforms models that are trained end to end.",
        results=_figures("09", "mnist"), commands=_commands(9, "mnist"), judge=judge.few_pairs, drawing="accuracies",
        page="flow", settings={"cost": "auto", "fraction": 0.01},
    ),
    Claim(
        figures=(9,), title="Pictures from labels on MNIST by the number of pairs (Fig. 9.B)",
        claim="With few pairs, the pictures of global alignment are nearer to the true ones than those of the VAEs.",
        results=_figures("09", "mnist"), commands=_commands(9, "mnist"), judge=judge.pictures, drawing="pictures",
        page="flow", settings={"cost": "auto", "fraction": 0.01, "reverse": True},
    ),
    Claim(
        figures=(10,), title="Prediction of neurons by the number of pairs",
        claim="With more pairs, the error of global alignment falls; true alignment overfits, so that its error rises.",
        results=_figures("10_11", "v4-cowley"), commands=_commands(10, "v4-cowley"),
        judge=judge.neurons, drawing="neurons", page="flow", settings={"cost": "auto", "fraction": 0.8},
    ),
    Claim(
        figures=(11,), title="Categories decoded from predicted neurons",
        claim="Categories can be decoded from predicted responses, better after global than after true alignment.",
        results=_figures("10_11", "v4-cowley"), commands=_commands(11, "v4-cowley"), judge=judge.categories,
    ),
    Claim(
        figures=(15,), title="A Swiss roll carried to a spiral without a pair",
        claim="Gromov-Wasserstein on batches teaches a flow whose points end on the spiral.",
        results={"swiss-roll": "results/figure_15.parquet"}, commands={"swiss-roll": "bridgeviz figure 15"},
        judge=judge.spiral, drawing="spiral", page="data",
    ),
    Claim(
        figures=(16,), title="Time of a training step by strategy",
        claim="A step of local alignment takes several times as long as one of true or global alignment.",
        results=_figures("16", "mnist"), commands=_commands(16, "mnist"), judge=judge.step_times, drawing="times",
        page="flow", settings={"strategy": "local", "cost": "bridge", "fraction": 0.1},
    ),
    Claim(
        figures=(19, 20), title="Epsilon and tau by aes",
        claim="A linear rule in epsilon, the taus and the paired ratio explains how well a plan matches.",
        results=_figures("19_20", "mnist"), commands=_commands(19, "mnist"), judge=judge.tuning_rule, drawing="tuning",
        page="coupling", settings={"cost": "bridge", "fraction": 0.2, "tau": (0.95, 0.95)},
    ),
    Claim(
        figures=(), title="Disentanglement of the source",
        claim="The paper leaves open whether accuracy rises with the disentanglement of the source.",
        results={"mnist": "results/disentanglement.parquet"}, commands={"mnist": "bridgeviz bench disentanglement"},
        judge=judge.disentanglement, drawing="disentanglement",
    ),
)  # fmt: skip
"""In the order of the paper; the last one is its third open question."""


def of_figure(number: int) -> list[Claim]:
    """The claims of a figure."""
    return [claim for claim in CLAIMS if number in claim.figures]


__all__ = ["CLAIMS", "FAILS", "HOLDS", "UNMEASURED", "UNTESTED", "Claim", "Verdict", "of_figure", "seconds"]
