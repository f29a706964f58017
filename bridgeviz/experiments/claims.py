"""What the paper claims in its figures, and whether the rows that were measured here agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bridgeviz.datasets import paths
from bridgeviz.metrics import rank_test

if TYPE_CHECKING:
    import pandas as pd

HOLDS, FAILS, UNTESTED = "holds", "does not hold", "not testable here"

LEVEL = 0.05
"""Of the tests."""

DRAWS = 2_000
"""Of the bootstrap by which intervals are estimated."""


class Verdict(NamedTuple):
    """Whether a claim agrees with what was measured.

    Attributes:
        outcome: "holds", "does not hold" or "not testable here".
        numbers: what was measured, in a sentence or two.
    """

    outcome: str
    numbers: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One figure of the paper.

    Attributes:
        figures: its numbers; several that show one measurement are one claim.
        title: what it shows.
        claim: of the paper, in one sentence.
        results: the file of the measured rows by data set, relative to `data/`.
        commands: what measures them, by data set.
        judge: the verdict on these rows.
        drawing: the name of its picture in `viz.paper.PICTURES`; "" for none.
    """

    figures: tuple[int, ...]
    title: str
    claim: str
    results: Mapping[str, str]
    commands: Mapping[str, str]
    judge: Callable[[pd.DataFrame], Verdict]
    drawing: str = ""

    def rows(self, dataset: str, folder: Path | None = None) -> pd.DataFrame | None:
        """The measured rows of a data set; None if there are none.

        Args:
            dataset: a key of `results`.
            folder: that holds the files; None takes `data/` of the project.
        """
        import pandas as pd

        path = (paths.shipped() if folder is None else folder) / self.results[dataset]
        if not path.is_file():
            return None
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)

    def verdict(self, dataset: str, folder: Path | None = None) -> Verdict:
        """Whether the claim agrees with the rows of a data set."""
        rows = self.rows(dataset, folder)
        if rows is None or not len(rows):
            return Verdict(UNTESTED, f"Nothing was measured yet: {self.commands[dataset]}.")
        return self.judge(rows)


def correlation(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Spearman's rank correlation, and its 95 % interval by the bootstrap over rows."""
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    x, y = np.asarray(x, float), np.asarray(y, float)
    drawn = []
    for rows in rng.integers(len(x), size=(DRAWS, len(x))):
        if len(np.unique(x[rows])) > 1 and len(np.unique(y[rows])) > 1:
            drawn.append(float(spearmanr(x[rows], y[rows]).statistic))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(spearmanr(x, y).statistic), float(low), float(high)


def _overlap(rows: pd.DataFrame) -> Verdict:
    falls, grows = correlation(rows.overlap, rows.test_accuracy), correlation(rows.classes, rows.overlap)
    outcome = HOLDS if falls[2] < 0 < grows[1] else FAILS
    text = (
        f"Rank correlation of overlap and accuracy {_interval(falls)}, of the number of classes and overlap "
        f"{_interval(grows)}, over {len(rows)} random choices of classes."
    )
    return Verdict(outcome, text)


def _interval(value: tuple[float, float, float]) -> str:
    middle, low, high = value
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


PAPERS_COSTS = ("bridge", "KNN, heat", "KNN, exact paths", "KCCA", "KCCA, shrinkage 0.01")
"""The costs of the paper, the bridge first; KNN and KCCA in both of our forms."""


def best_by_cost(rows: pd.DataFrame, solver: str) -> pd.DataFrame:
    """The median matching accuracy by paired fraction and cost, for linear OT, or FGW at its best alpha.

    Returns:
        A row per fraction, and a column per cost.
    """
    part = rows[(rows.solver == solver) & (rows.tau_y.fillna(1.0) == 1.0)]
    medians = part.groupby(["fraction", "case", "alpha"]).matching_accuracy.median()
    return medians.groupby(["fraction", "case"]).max().unstack()


def _bridge(rows: pd.DataFrame) -> Verdict:
    texts, held = [], True
    for solver, title in (("linear", "linear OT"), ("fgw", "FGW at its best alpha")):
        table = best_by_cost(rows, solver)
        ahead = {name: int((table.bridge >= table[name]).sum()) for name in PAPERS_COSTS[1:] if name in table}
        held = held and all(count == len(table) for count in ahead.values())
        counts = ", ".join(f"{name} at {count}" for name, count in ahead.items())
        texts.append(f"With {title}, of {len(table)} fractions of pairs, the bridge is at least as good as {counts}.")
    return Verdict(HOLDS if held else FAILS, " ".join(texts))


SIZES = ("small", "medium", "large")


def _architectures(rows: pd.DataFrame) -> Verdict:
    ends = rows[rows.step == rows.step.max()].groupby("case").test_accuracy.median()
    sizes = [size for size in SIZES if {f"adaln-{size}", f"mlp-{size}"} <= set(ends.index)]
    if not sizes:
        return Verdict(UNTESTED, "No size was measured for both networks.")
    pairs = {size: (ends[f"adaln-{size}"], ends[f"mlp-{size}"]) for size in sizes}
    outcome = HOLDS if all(ours >= theirs for ours, theirs in pairs.values()) else FAILS
    text = ", ".join(f"{size} {ours:.3f} against {theirs:.3f}" for size, (ours, theirs) in pairs.items())
    return Verdict(outcome, f"Test accuracy after {rows.step.max():,} steps, adaLN against the baseline: {text}.")


FEW = 0.1
"""The share of pairs below which the paper says that its method outperforms the end-to-end models."""


def _pair_curves(rows: pd.DataFrame) -> Verdict:
    """Global alignment by the bridge against the best VAE below 10 % of the pairs, and all but one point above."""
    forwards = rows[rows.direction == "source to target"].groupby(["fraction", "case"]).test_accuracy.median().unstack()
    vaes = [case for case in forwards if "VAE" in str(case)]
    if not vaes:
        return Verdict(UNTESTED, "No VAE was trained on these data.")
    ours, theirs = forwards[["global, bridge", "global, automatic"]].max(axis=1), forwards[vaes].max(axis=1)
    few, many = forwards.index < FEW, forwards.index >= 0.2
    held = bool((ours[few] > theirs[few]).all() and (ours[many] >= theirs[many] - 0.01).all())
    text = "; ".join(f"{100 * f:g} % {ours[f]:.3f} against {theirs[f]:.3f}" for f in forwards.index)
    return Verdict(HOLDS if held else FAILS, f"Test accuracy, global alignment against the best VAE: {text}.")


def _pictures(rows: pd.DataFrame) -> Verdict:
    back = rows[rows.direction == "target to source"].groupby(["fraction", "case"]).test_mse.median().unstack()
    vaes = [case for case in back if "VAE" in str(case)]
    if not len(back) or not vaes:
        return Verdict(UNTESTED, "Nothing was measured towards pictures.")
    ours, theirs = back[["global, bridge", "global, automatic"]].min(axis=1), back[vaes].min(axis=1)
    few = back.index <= 0.05
    text = "; ".join(f"{100 * f:g} % {ours[f]:.4f} against {theirs[f]:.4f}" for f in back.index)
    outcome = HOLDS if bool((ours[few] < theirs[few]).all()) else FAILS
    return Verdict(outcome, f"Error of the classes' mean pictures, global alignment against the best VAE: {text}.")


def _head(rows: pd.DataFrame) -> Verdict:
    medians = rows.groupby(["fraction", "case"]).test_accuracy.median().unstack()
    ours = medians[["global, bridge", "global, automatic"]].max(axis=1)
    rising = correlation(ours.index.to_numpy(), ours.to_numpy())
    text = "; ".join(f"{100 * f:g} % {value:.3f}" for f, value in ours.items())
    return Verdict(HOLDS if rising[0] > 0.9 else FAILS, f"Test accuracy of global alignment: {text}.")


def _tuning(rows: pd.DataFrame) -> Verdict:
    from bridgeviz.experiments.tuning import regress

    fit = regress(rows)
    ends = rows.groupby(["tau_x", "tau_y"]).aes.median()
    best = ends.idxmax()
    text = f"The regression has an adjusted R^2 of {fit.adjusted_r2:.3f} (in the paper, on neurons: 0.909); aes is "
    text += f"highest at tau ({best[0]:g}, {best[1]:g}), where its median is {ends.max():.3f}."
    return Verdict(HOLDS if fit.adjusted_r2 >= 0.8 else FAILS, text)


def _neurons(rows: pd.DataFrame) -> Verdict:
    fractions, steps = sorted(rows.fraction.unique()), rows.steps.max()
    texts, changes = [], {}
    for case in ("global", "true"):
        errors = rows[(rows.case == case) & (rows.steps == steps)].groupby("fraction").test_error
        first, last = (errors.get_group(fraction) for fraction in (fractions[0], fractions[-1]))
        test = rank_test(last, first)
        changes[case] = (last.median() - first.median(), test.p)
        texts.append(f"{case} {changes[case][0]:+.3f} (p {test.p:.3f})")
    falls, rises = changes["global"], changes["true"]
    held = falls[0] < 0 and falls[1] <= LEVEL and rises[0] > 0 and rises[1] <= LEVEL
    span = f"from {fractions[0]:.0%} to {fractions[-1]:.0%} of the pairs, after {steps:,} steps"
    return Verdict(HOLDS if held else FAILS, f"Change of the prediction error {span}: {', '.join(texts)}.")


def _categories(rows: pd.DataFrame) -> Verdict:
    if "test_categories" not in rows:
        return Verdict(UNTESTED, "The recordings that are to be had have no categories.")
    medians = rows.groupby("case").test_categories.median()
    return Verdict(HOLDS if medians["global"] > medians["true"] else FAILS, f"Medians: {medians.round(3).to_dict()}.")


def _spiral(rows: pd.DataFrame) -> Verdict:
    ends = rows[rows.t == 1]
    alike = int((ends.p > LEVEL).sum())
    text = f"At t = 1, the energy test does not tell the points from the spiral in {alike} of {len(ends)} seeds"
    start = rows[rows.t == 0].coefficient.median()
    distance = f"the energy coefficient falls from {start:.4f} to {ends.coefficient.median():.4f} (medians)"
    return Verdict(HOLDS if alike == len(ends) else FAILS, f"{text}; {distance}.")


def _times(rows: pd.DataFrame) -> Verdict:
    seconds = rows.set_index("case").seconds_a_step
    found = [seconds.get(f"{strategy}; adaln-small") for strategy in ("true", "global", "local, linear", "local, FGW")]
    if any(value is None for value in found):
        return Verdict(UNTESTED, "Not every strategy was timed.")
    true, whole, local, fused = map(float, found)
    text = (
        f"A step of adaLN-Small takes {1e3 * true:.1f} ms (true), {1e3 * whole:.1f} ms (global), {1e3 * local:.0f} ms "
        f"(local, linear) and {1e3 * fused:.0f} ms (local, FGW)."
    )
    return Verdict(HOLDS if min(local, fused) > 2 * max(true, whole) else FAILS, text)


def _figures(numbers: str, *datasets: str) -> dict[str, str]:
    return {name: f"results/figure_{numbers}_{name.replace('-', '_')}.parquet" for name in datasets}


def _commands(number: int, *datasets: str) -> dict[str, str]:
    return {name: f"bridgeviz figure {number} --dataset {name}" for name in datasets}


IMAGES = ("mnist", "tiny-imagenet")

CLAIMS: tuple[Claim, ...] = (
    Claim(
        figures=(5,), title="Overlap of classes and accuracy of the flow",
        claim="Accuracy falls as the classes of the source overlap more, and they overlap more the more there are.",
        results=_figures("05", *IMAGES), commands=_commands(5, *IMAGES), judge=_overlap, drawing="overlap",
    ),
    Claim(
        figures=(6, 17, 18), title="Matching accuracy by cost and solver",
        claim="The bridge cost matches better than KNN and KCCA at every number of pairs.",
        results={"mnist": "benchmarks/costs.csv", "tiny-imagenet": "benchmarks/costs_tiny.csv"},
        commands={"mnist": "bridgeviz bench costs", "tiny-imagenet": "bridgeviz bench costs-tiny"}, judge=_bridge, drawing="costs",
    ),
    Claim(
        figures=(7, 12), title="Learning curves of the velocity fields",
        claim="A network with adaptive normalisation (adaLN) learns better than the baseline of the same size.",
        results=_figures("07_12", *IMAGES), commands=_commands(7, *IMAGES), judge=_architectures, drawing="curves",
    ),
    Claim(
        figures=(8,), title="Test accuracy on Tiny-ImageNet by the number of pairs",
        claim="The accuracy of global alignment rises with the number of pairs, up to the level of a classifier.",
        results=_figures("08", "tiny-imagenet"), commands=_commands(8, "tiny-imagenet"), judge=_head, drawing="accuracies",
    ),
    Claim(
        figures=(9,), title="Test accuracy on MNIST by the number of pairs",
        claim="With less than 10 % of the pairs, alignment outperforms models that are trained end to end.",
        results=_figures("09", "mnist"), commands=_commands(9, "mnist"), judge=_pair_curves, drawing="accuracies",
    ),
    Claim(
        figures=(9,), title="Pictures from labels on MNIST by the number of pairs (Fig. 9.B)",
        claim="With few pairs, the pictures of global alignment are nearer to the true ones than those of the VAEs.",
        results=_figures("09", "mnist"), commands=_commands(9, "mnist"), judge=_pictures, drawing="pictures",
    ),
    Claim(
        figures=(10,), title="Prediction of neurons by the number of pairs",
        claim="With more pairs, the error of global alignment falls; true alignment overfits, so that its error rises.",
        results=_figures("10_11", "v4-cowley"), commands=_commands(10, "v4-cowley"), judge=_neurons, drawing="neurons",
    ),
    Claim(
        figures=(11,), title="Categories decoded from predicted neurons",
        claim="Categories can be decoded from predicted responses, better after global than after true alignment.",
        results=_figures("10_11", "v4-cowley"), commands=_commands(11, "v4-cowley"), judge=_categories,
    ),
    Claim(
        figures=(15,), title="A Swiss roll carried to a spiral without a pair",
        claim="Gromov-Wasserstein on batches teaches a flow whose points end on the spiral.",
        results={"swiss-roll": "results/figure_15.parquet"}, commands={"swiss-roll": "bridgeviz figure 15"},
        judge=_spiral, drawing="spiral",
    ),
    Claim(
        figures=(16,), title="Time of a training step by strategy",
        claim="A step of local alignment takes several times as long as one of true or global alignment.",
        results=_figures("16", "mnist"), commands=_commands(16, "mnist"), judge=_times, drawing="times",
    ),
    Claim(
        figures=(19, 20), title="Epsilon and tau by aes",
        claim="A linear rule in epsilon, the taus and the paired ratio explains how well a plan matches.",
        results=_figures("19_20", "mnist"), commands=_commands(19, "mnist"), judge=_tuning, drawing="tuning",
    ),
)  # fmt: skip
"""In the order of the paper."""
