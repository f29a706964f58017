"""The verdicts on the paper's claims, each from the rows that were measured."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bridgeviz.metrics import rank_test

Rows = Any
"""A pandas table."""

HOLDS, FAILS, UNTESTED, UNMEASURED = "holds", "does not hold", "not testable here", "not measured yet"

LEVEL = 0.05
"""The significance level of the tests."""

DRAWS = 2_000
"""Of the bootstrap by which intervals are estimated."""


LEAST_COUNTS = 3
"""The smallest number of values that a rank correlation is judged by."""


class Verdict(NamedTuple):
    """Whether a claim agrees with what was measured.

    Attributes:
        outcome: "holds", "does not hold", "not testable here" or "not measured yet".
        numbers: what was measured, in a sentence or two.
    """

    outcome: str
    numbers: str


def correlation(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Spearman's rank correlation, and its 95 % interval by the bootstrap over rows."""
    from scipy.stats import rankdata

    x, y = np.asarray(x, float), np.asarray(y, float)
    rows = np.random.default_rng(0).integers(len(x), size=(DRAWS, len(x)))
    rows[0] = np.arange(len(x))
    ranks = [rankdata(values[rows], axis=1) for values in (x, y)]
    a, b = (one - one.mean(1, keepdims=True) for one in ranks)
    with np.errstate(invalid="ignore"):  # a draw of equal values has no correlation
        found = (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))
    low, high = np.nanquantile(found[1:], [0.025, 0.975])
    return float(found[0]), float(low), float(high)


def trajectories(rows: Rows) -> Verdict:
    """Fig. 4: the accuracy of classes that hardly and that strongly overlap."""
    groups = dict(list(rows.groupby("group")))
    apart, mixed = (groups[name].iloc[0] for name in ("least overlap", "most overlap"))
    texts = [
        f"{', '.join(dict.fromkeys(groups[row.group].name))}: overlap {row.overlap:.2f}, test accuracy "
        f"{row.test_accuracy:.2f}"
        for row in (apart, mixed)
    ]
    return Verdict(HOLDS if apart.test_accuracy > mixed.test_accuracy else FAILS, f"{'. '.join(texts)}.")


def overlap(rows: Rows) -> Verdict:
    """Fig. 5: rank correlations with their intervals."""
    if rows.classes.nunique() < LEAST_COUNTS:
        return Verdict(UNTESTED, f"Fewer than {LEAST_COUNTS} numbers of classes are measured.")
    falls, grows = correlation(rows.overlap, rows.test_accuracy), correlation(rows.classes, rows.overlap)
    outcome = HOLDS if falls[2] < 0 < grows[1] else FAILS
    text = (
        f"Rank correlation of overlap and accuracy {_interval(falls)}, of the number of classes and overlap "
        f"{_interval(grows)}, over {len(rows)} random choices of classes."
    )
    named = most_overlap(rows)
    if named:
        worst = ", ".join(f"{name} ({100 * overlap:.0f} %)" for name, overlap in named.items())
        text += f" Among all classes, the most overlap have {worst}."
    return Verdict(outcome, text)


def most_overlap(rows: Rows) -> dict[str, float]:
    """The classes with the most overlap among all of them, and their overlap; none if the rows don't name them."""
    if "worst" not in rows:
        return {}
    row = rows.loc[rows.classes.idxmax()]
    return {str(name): float(overlap) for name, overlap in zip(row.worst, row.worst_overlap, strict=True)}


def _interval(value: tuple[float, float, float]) -> str:
    middle, low, high = value
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


PAPERS_COSTS = ("bridge", "KNN, heat", "KNN, exact paths", "KCCA", "KCCA, shrinkage 0.01")
"""The costs of the paper, the bridge first; KNN and KCCA in both of our forms."""


def best_by_cost(rows: Rows, solver: str) -> Rows:
    """The median matching accuracy by paired fraction and cost, for linear OT, or FGW at its best alpha.

    Returns:
        A row per fraction, and a column per cost.
    """
    part = rows[(rows.solver == solver) & (rows.tau_y.fillna(1.0) == 1.0)]
    medians = part.groupby(["fraction", "case", "alpha"]).matching_accuracy.median()
    return medians.groupby(["fraction", "case"]).max().unstack()


def bridge_cost(rows: Rows) -> Verdict:
    """Fig. 6, 17, 18: the bridge against the other costs of the paper."""
    texts, held = [], True
    for solver, title in (("linear", "linear OT"), ("fgw", "FGW at its best alpha")):
        table = best_by_cost(rows, solver)
        ahead = {name: int((table.bridge >= table[name]).sum()) for name in PAPERS_COSTS[1:] if name in table}
        held = held and all(count == len(table) for count in ahead.values())
        counts = ", ".join(f"{name} at {count}" for name, count in ahead.items())
        texts.append(f"With {title}, of {len(table)} fractions of pairs, the bridge is at least as good as {counts}.")
    return Verdict(HOLDS if held else FAILS, " ".join(texts))


SIZES = ("small", "medium", "large")


def architectures(rows: Rows) -> Verdict:
    """Fig. 7, 12: both kinds of network, size by size."""
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


def few_pairs(rows: Rows) -> Verdict:
    """Global alignment by the bridge against the best VAE below 10 % of the pairs, and all but one point above."""
    forwards = rows[rows.direction == "source to target"].groupby(["fraction", "case"]).test_accuracy.median().unstack()
    vaes = [case for case in forwards if "VAE" in str(case)]
    if not vaes:
        return Verdict(UNTESTED, "No VAE was trained on these data.")
    ours, theirs = forwards.filter(like="global").max(axis=1), forwards[vaes].max(axis=1)
    few, many = forwards.index < FEW, forwards.index >= 0.2
    held = bool((ours[few] > theirs[few]).all() and (ours[many] >= theirs[many] - 0.01).all())
    text = "; ".join(f"{100 * f:g} % {ours[f]:.3f} against {theirs[f]:.3f}" for f in forwards.index)
    return Verdict(HOLDS if held else FAILS, f"Test accuracy, global alignment against the best VAE: {text}.")


def pictures(rows: Rows) -> Verdict:
    """Fig. 9.B: global alignment against the best VAE at 5 % of the pairs and less."""
    back = rows[rows.direction == "target to source"].groupby(["fraction", "case"]).test_mse.median().unstack()
    vaes = [case for case in back if "VAE" in str(case)]
    if not len(back) or not vaes:
        return Verdict(UNTESTED, "Nothing was measured towards pictures.")
    ours, theirs = back.filter(like="global").min(axis=1), back[vaes].min(axis=1)
    few = back.index <= 0.05
    text = "; ".join(f"{100 * f:g} % {ours[f]:.4f} against {theirs[f]:.4f}" for f in back.index)
    outcome = HOLDS if bool((ours[few] < theirs[few]).all()) else FAILS
    return Verdict(outcome, f"Error of the classes' mean pictures, global alignment against the best VAE: {text}.")


NEAR = 0.9
"""The share of a classifier's accuracy from which on another is near it."""


def rising(rows: Rows) -> Verdict:
    """Fig. 8: whether global alignment gains by pairs, and is near the encoder's own head from 10 % of them on."""
    upper = rows[:0]
    if "upper" in rows:
        rows, upper = rows[rows.upper.isna()], rows[rows.upper.notna()]
    medians = rows.groupby(["fraction", "case"]).test_accuracy.median().unstack()
    ours = medians.filter(like="global").max(axis=1)
    rising = correlation(ours.index.to_numpy(), ours.to_numpy())
    text = "; ".join(f"{100 * f:g} % {value:.3f}" for f, value in ours.items())
    text = f"Test accuracy of global alignment: {text}."
    held = rising[0] > 0.9
    if len(upper):
        text += " " + "; ".join(f"{row.case}: {row.test_accuracy:.3f}" for row in upper.itertuples()) + "."
        held = held and bool((ours[ours.index >= FEW] >= NEAR * upper.test_accuracy.max()).all())
    return Verdict(HOLDS if held else FAILS, text)


def tuning_rule(rows: Rows) -> Verdict:
    """Fig. 19, 20: the regression of L.2."""
    from bridgeviz.experiments.tuning import regress

    fit = regress(rows)
    ends = rows.groupby(["tau_x", "tau_y"]).aes.median()
    best = ends.idxmax()
    text = f"The regression has an adjusted R^2 of {fit.adjusted_r2:.3f} (in the paper, on neurons: 0.909); aes is "
    text += f"highest at tau ({best[0]:g}, {best[1]:g}), where its median is {ends.max():.3f}."
    return Verdict(HOLDS if fit.adjusted_r2 >= 0.8 else FAILS, text)


def neurons(rows: Rows) -> Verdict:
    """Fig. 10: the change of the error by tests of ranks."""
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


def categories(rows: Rows) -> Verdict:
    """Fig. 11: global against true alignment."""
    if "test_categories" not in rows:
        return Verdict(UNTESTED, "The recordings that are to be had have no categories.")
    medians = rows.groupby("case").test_categories.median()
    return Verdict(HOLDS if medians["global"] > medians["true"] else FAILS, f"Medians: {medians.round(3).to_dict()}.")


def spiral(rows: Rows) -> Verdict:
    """Fig. 15: the energy test at the end."""
    ends = rows[rows.t == 1]
    alike = int((ends.p > LEVEL).sum())
    text = f"At t = 1, the energy test does not tell the points from the spiral in {alike} of {len(ends)} seeds"
    start = rows[rows.t == 0].coefficient.median()
    distance = f"the energy coefficient falls from {start:.4f} to {ends.coefficient.median():.4f} (medians)"
    return Verdict(HOLDS if alike == len(ends) else FAILS, f"{text}; {distance}.")


def step_times(rows: Rows) -> Verdict:
    """Fig. 16: local against true and global."""
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


def disentanglement(rows: Rows) -> Verdict:
    """The third open question: whether accuracy rises with the gap, and whether a line or a rank explains it better.

    Of each seed, only what differs from its mean counts: its pairs are the same for every beta, and its luck with them
    would pass for a relation.
    """
    texts, rising = [], []
    for fraction, part in rows.groupby("fraction"):
        own = part[["gap", "overlap", "bridge"]]
        own = own - own.groupby(part.seed).transform("mean")
        ranks = correlation(own.gap.to_numpy(), own.bridge.to_numpy())
        straight = float(np.corrcoef(own.gap, own.bridge)[0, 1])
        of_overlap = correlation(own.overlap.to_numpy(), own.bridge.to_numpy())
        rising.append(ranks[1] > 0)
        texts.append(
            f"at {100 * float(fraction):g} % of the pairs, the rank correlation with the gap is {_interval(ranks)}, "
            f"the linear one {straight:.2f}, and the rank correlation with the overlap {_interval(of_overlap)}"
        )
    text = f"Of the matching accuracy by the bridge, less the mean of its seed, {'; '.join(texts)}."
    return Verdict(HOLDS if all(rising) else FAILS, text)
