"""The paper's claims: what was measured is read, judged and drawn, and rows that say the opposite are judged so."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from bridgeviz.experiments import _verdicts as judge
from bridgeviz.experiments import figures
from bridgeviz.experiments.claims import CLAIMS, FAILS, HOLDS, UNMEASURED, UNTESTED, of_figure, seconds
from bridgeviz.viz.paper import PICTURES

SHOWN = [(claim, dataset) for claim in CLAIMS for dataset in claim.results]


def test_every_figure_of_the_paper_that_is_an_experiment_has_a_claim_and_a_command():
    numbers = {number for claim in CLAIMS for number in claim.figures}
    assert numbers == {*range(4, 13), *range(15, 21)} == set(figures.FIGURES)
    for claim, dataset in SHOWN:
        assert claim.commands[dataset].startswith("bridgeviz ")
        assert claim.drawing in {*PICTURES, ""}
    assert of_figure(12) == of_figure(7)


@pytest.mark.parametrize(("claim", "dataset"), SHOWN, ids=lambda one: getattr(one, "title", one))
def test_what_is_shipped_is_judged_and_drawn(claim, dataset):
    rows, verdict = claim.rows(dataset), claim.verdict(dataset)
    assert verdict.outcome in (HOLDS, FAILS, UNTESTED, UNMEASURED)
    assert verdict.numbers
    if rows is None:
        assert verdict.outcome == UNMEASURED
        assert claim.commands[dataset] in verdict.numbers
        return
    if claim.drawing and verdict.outcome != UNTESTED:
        drawn = PICTURES[claim.drawing](rows)
        assert len(drawn.data) >= 1
        assert all(len(trace.x) for trace in drawn.data)


def grid(**values) -> pd.DataFrame:
    """A row per combination."""
    return pd.DataFrame(list(itertools.product(*values.values())), columns=list(values))


def overlaps(sign: int) -> pd.DataFrame:
    rows = grid(classes=[2, 4, 8, 16], seed=[0, 1, 2])
    overlap = 0.02 * rows.classes + 0.001 * rows.seed
    return rows.assign(overlap=overlap, test_accuracy=0.5 - sign * overlap)


def costs(gain: float) -> pd.DataFrame:
    rows = grid(case=list(judge.PAPERS_COSTS), fraction=[0.01, 0.1], solver=["linear", "fgw"], seed=[0, 1])
    return rows.assign(alpha=0.5, tau_y=1.0, matching_accuracy=0.5 + gain * (rows.case == "bridge"))


def curves(gain: float) -> pd.DataFrame:
    rows = grid(case=["adaln-small", "mlp-small"], step=[10, 1000], seed=[0])
    return rows.assign(test_accuracy=0.5 + gain * (rows.case == "adaln-small"))


def errors(change: float) -> pd.DataFrame:
    rows = grid(case=["global", "true", "ridge"], fraction=[0.2, 0.8], steps=[1000], seed=[0, 1, 2, 3, 4])
    sign = np.where(rows.case == "global", -change, change)
    return rows.assign(test_error=0.9 + sign * (rows.fraction == 0.8) + 0.001 * rows.seed)


def spirals(p: float) -> pd.DataFrame:
    return grid(t=[0.0, 1.0], seed=[0, 1, 2]).assign(p=p, coefficient=0.01)


def times(local: float) -> pd.DataFrame:
    cases = ["true", "global", "local, linear", "local, FGW"]
    seconds = [0.01 * local if case.startswith("local") else 0.01 for case in cases]
    return pd.DataFrame({"case": [f"{case}; adaln-small" for case in cases], "seconds_a_step": seconds})


def by_pairs(gain: float) -> pd.DataFrame:
    cases = ["global, bridge", "global, automatic", "VAE, small"]
    directions = ["source to target", "target to source"]
    rows = grid(case=cases, direction=directions, fraction=[0.01, 0.2, 1.0], seed=[0, 1])
    ours = rows.case.str.startswith("global")
    return rows.assign(test_accuracy=0.5 + gain * ours, test_mse=0.05 - 0.1 * gain * ours)


def under_a_head(height: float) -> pd.DataFrame:
    rows = grid(case=["global, bridge", "true"], fraction=[0.01, 0.1, 0.2, 1.0], seed=[0, 1])
    rows = rows.assign(test_accuracy=0.5 + 0.1 * np.log10(rows.fraction), upper=None)
    head = {"case": "a head", "fraction": 1.0, "seed": 0, "test_accuracy": height, "upper": True}
    return pd.DataFrame([*rows.to_dict("records"), head])


def taus(noise: float) -> pd.DataFrame:
    rows = grid(epsilon=[0.01, 0.1], tau_x=[0.5, 0.9], tau_y=[0.5, 0.9], paired=[0.1, 0.2, 0.4], seed=[0, 1])
    rng = np.random.default_rng(0)
    return rows.assign(aes=rows.tau_x + rows.epsilon + noise * rng.normal(size=len(rows)))


def codes(slope: float) -> pd.DataFrame:
    rows = grid(beta=[0.5, 1.0, 2.0, 4.0], seed=[0, 1, 2], fraction=[0.01, 0.1])
    gap = 0.1 * rows.beta + 0.001 * rows.seed
    return rows.assign(gap=gap, overlap=0.2 - 0.01 * gap, bridge=0.5 + slope * gap)


def groups(gain: float) -> pd.DataFrame:
    rows = grid(group=["least overlap", "most overlap"], name=["cat", "dog"])
    return rows.assign(overlap=0.2, test_accuracy=0.5 + gain * (rows.group == "least overlap"))


@pytest.mark.parametrize(
    ("verdict", "rows", "agree", "contradict"),
    [
        (judge.overlap, overlaps, 1, -1),
        (judge.bridge_cost, costs, 0.1, -0.1),
        (judge.architectures, curves, 0.1, -0.1),
        (judge.neurons, errors, 0.1, -0.1),
        (judge.spiral, spirals, 0.5, 0.01),
        (judge.step_times, times, 5, 1),
        (judge.few_pairs, by_pairs, 0.1, -0.1),
        (judge.pictures, by_pairs, 0.1, -0.1),
        (judge.rising, under_a_head, 0.43, 0.6),
        (judge.tuning_rule, taus, 0.0, 10.0),
        (judge.disentanglement, codes, 0.5, -0.5),
        (judge.trajectories, groups, 0.2, -0.2),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_verdict_follows_the_rows(verdict, rows, agree, contradict):
    assert verdict(rows(agree)).outcome == HOLDS
    assert verdict(rows(contradict)).outcome == FAILS


def test_the_classes_with_the_most_overlap_are_those_of_all_classes():
    rows = overlaps(1)
    rows["worst"] = [[f"class {count}", "cat"] for count in rows.classes]
    rows["worst_overlap"] = [[0.9, 0.5]] * len(rows)
    assert judge.overlap(rows).numbers.endswith("the most overlap have class 16 (90 %), cat (50 %).")
    assert "most overlap" not in judge.overlap(overlaps(1)).numbers


def test_the_luck_of_a_seed_is_no_relation_to_disentanglement():
    rows = codes(-0.5)
    lucky = rows.assign(gap=rows.gap + 10 * rows.seed, bridge=rows.bridge + 10 * rows.seed)
    assert lucky.gap.corr(lucky.bridge) > 0.9
    assert judge.disentanglement(lucky).outcome == FAILS


def test_what_rows_lack_is_not_tested():
    assert judge.categories(errors(0.1)).outcome == UNTESTED
    assert judge.overlap(overlaps(1).query("classes == 2")).outcome == UNTESTED
    assert judge.few_pairs(by_pairs(0.1).query("case != 'VAE, small'")).outcome == UNTESTED
    assert judge.architectures(curves(0.1).query("case == 'mlp-small'")).outcome == UNTESTED


def test_accuracy_must_rise_with_the_pairs():
    rows = under_a_head(0.4).query("case != 'a head'")
    assert judge.rising(rows).outcome == HOLDS
    assert judge.rising(rows.assign(test_accuracy=-rows.test_accuracy)).outcome == FAILS


def test_the_time_of_a_measurement_is_counted_once_per_training():
    rows = grid(case=["a", "b"], seed=[0, 1])
    assert seconds(rows) is None
    assert seconds(rows.assign(took=[1.0, 0.0, 2.0, 0.0])) == 3
    curve = grid(case=["a", "b"], step=[1, 2]).assign(seconds=[1.0, 3.0, 2.0, 5.0])
    assert seconds(curve) == 3 + 5
    assert seconds(pd.concat([curve, curve.assign(took=1.0)])) == 3 + 5  # some are of a time without the column
    plans = grid(case=["a", "b"], alpha=[0.0, 0.5]).assign(seconds_cost=[4.0, 4.0, 1.0, 1.0], seconds_plan=0.5)
    assert seconds(plans) == 4 + 1 + 4 * 0.5


def test_an_interval_holds_its_correlation():
    rng = np.random.default_rng(1)
    x = rng.normal(size=40)
    y = x + rng.normal(size=40)
    middle, low, high = judge.correlation(x, y)
    assert middle == pytest.approx(pd.Series(x).corr(pd.Series(y), method="spearman"))
    assert 0 < low < middle < high < 1
