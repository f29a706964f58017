"""The page Compare: two runs of a session, what differs, and the points that changed sides."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.experiments import gallery
from bridgeviz.metrics import changed_sides, diagnose
from bridgeviz.ui.panels import compare, result
from bridgeviz.ui.state.selection import Selection
from bridgeviz.ui.work import runs as work_runs
from bridgeviz.ui.work import slots

from . import driver

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def runs():
    """The same settings with more pairs, and with more pairs and steps."""
    first = bv.RunConfig(
        dataset="blobs", options={"overlap": 0.3}, fraction=0.05, cost="bridge", steps=20, batch_size=64
    )
    changed = first, first.replace(fraction=0.4), first.replace(fraction=0.4, steps=40)
    return [bv.run(config) for config in changed]


def opened(*runs):
    """The page of a session that has trained these runs, the latest first."""
    return driver.opened("compare", runs)


def texts(test):
    parts = [*test.markdown, *test.caption, *test.info, *test.warning, *test.header]
    return " ".join(str(part.value) for part in parts)


def test_without_a_run_it_offers_to_train_one(links):
    test = opened()
    assert "Train a first run here" in test.info[0].value
    assert test.button(key="train").label == "Train now"
    assert not test.header
    assert links == ["pages/diagnose.py"]


def test_after_one_run_it_offers_changes(runs, monkeypatch):
    trained = []
    monkeypatch.setattr("bridgeviz.ui.panels.live.train", trained.append)
    test = opened(runs[0])
    assert "One run is trained" in test.info[0].value
    config = runs[0].config
    for label, name, value in (
        ("twice the pairs", "fraction", 0.1), ("the pairs alone", "strategy", "true"), ("another seed", "seed", 1),
        ("twice the steps", "steps", 40), ("the diffusion bridge", "cost", "diffusion_bridge"),
    ):  # fmt: skip
        test = opened(runs[0])
        test.button(key=f"try_{label}").click().run()
        assert trained[-1].as_dict()[name] == value != config.as_dict()[name]
    assert {f"try_{label}" for label in ("the global strategy", "the bridge")}.isdisjoint(
        str(button.key) for button in test.button
    )


def test_one_difference_is_named_and_its_points_are_counted(runs):
    test = opened(runs[1], runs[0])
    settings, numbers = (table.value for table in test.dataframe)
    assert settings.values.tolist() == [["Paired samples, %", "5", "40"]]
    assert not test.warning
    flow = numbers[numbers.number == "Flow: right on new points"].iloc[0]
    assert (flow.before, flow.after) == tuple(run.metrics["test_accuracy"] for run in runs[:2])
    assert flow.difference == pytest.approx(flow.after - flow.before)
    was, now = (diagnose(run.problem, run.pairs, run.plan, run.flow, cost=run.cost) for run in runs[:2])
    sides = changed_sides(was, now)
    assert f"**{(sides == 'won').sum()} were won** and **{(sides == 'lost').sum()} were lost**" in texts(test)
    gain = (sides == "won").sum() - (sides == "lost").sum()
    assert gain == round((flow.after - flow.before) * len(sides))


def test_several_differences_are_warned_of_and_any_two_runs_can_be_chosen(runs):
    test = opened(runs[2], runs[1], runs[0])
    assert not test.warning
    test.selectbox(key=f"before_{id(runs[2])}").set_value(2).run()
    assert "More than one setting differs" in test.warning[0].value
    test.selectbox(key=f"after_{id(runs[2])}").set_value(2).run()
    assert "**0 settings differ**" in texts(test)
    assert "**0 were won** and **0 were lost**" in texts(test)


def test_further_runs_play_beside_the_two_on_the_same_axes(runs, monkeypatch):
    played = []
    monkeypatch.setattr(compare, "player", lambda scene, **how: played.append((scene, how)))
    test = opened(runs[2], runs[1], runs[0])
    assert len(played) == 2
    played.clear()
    test.multiselect(key=f"also_{id(runs[2])}").set_value([2]).run()
    assert not test.exception
    assert {how["clock"] for _, how in played} == {"compare"}
    assert len({how["key"] for _, how in played}) == len(played) == 3
    assert all(len(how["beside"]) == 2 and all(one is not scene for one in how["beside"]) for scene, how in played)


@pytest.mark.parametrize(("rows", "lit"), [([7, 3], [True, False, True]), ([99], None)])
def test_on_a_map_that_takes_long_only_points_that_are_there_can_be_lit(rows, lit, monkeypatch):
    said = []
    monkeypatch.setattr(result.st, "caption", said.append)
    film = replace(gallery.shipped("digits"), rows=np.array([3, 5, 7]), badge={"tested": True})
    chosen = Selection("source", np.array(rows), "by number", tested=True)
    shown = result._lit_where_shown(SimpleNamespace(problem=None), film, chosen)
    assert (None if shown.lit is None else shown.lit.tolist()) == lit
    assert bool(said) is (lit is None)


def saved(config, accuracy, path):
    return work_runs.Saved(config, config.flow.steps, {"test_accuracy": accuracy}, 0.0, path)


def test_ranges_over_seeds_stand_beside_the_numbers_where_there_are_any(runs, monkeypatch, tmp_path):
    test = opened(runs[1], runs[0])
    assert list(test.dataframe[1].value) == ["number", "before", "after", "difference"]
    assert "their ranges stand here" in texts(test)
    below, above = (run.config.replace(seed=5) for run in runs[:2])
    others = [saved(below, 0.0, tmp_path), saved(above, 1.0, tmp_path)]
    monkeypatch.setattr(work_runs, "listed", lambda: [*others, saved(runs[2].config.replace(seed=5), 0.0, tmp_path)])
    test = opened(runs[1], runs[0])
    flow = test.dataframe[1].value.set_index("number").loc["Flow: right on new points"]
    assert flow["before, over seeds"] == f"0.000 to {runs[0].metrics['test_accuracy']:.3f} (2 seeds)"
    assert flow["after, over seeds"] == f"{runs[1].metrics['test_accuracy']:.3f} to 1.000 (2 seeds)"


@pytest.mark.parametrize(("after", "text"), [([0.5, 0.6], "do not overlap"), ([0.4, 0.6], "might explain it")])
def test_ranges_that_overlap_prove_nothing(after, text, monkeypatch):
    said = []
    monkeypatch.setattr(compare.st, "caption", said.append)
    compare._doubt([0.3, 0.45], after)
    assert text in said[0]
    compare._doubt(after, [0.3, 0.45])
    assert text in said[1]
    compare._doubt([0.3], after)
    assert "their ranges stand here" in said[2]


def test_a_saved_run_that_is_not_open_can_be_opened(runs, monkeypatch, tmp_path):
    trained = []
    monkeypatch.setattr("bridgeviz.ui.panels.live.train", trained.append)
    monkeypatch.setattr(
        work_runs, "listed", lambda: [saved(run.config, 0.5, tmp_path) for run in runs[:2]]
    )  # fmt: skip
    test = opened(runs[0])
    (box,) = [one for one in test.selectbox if (one.key or "").startswith("saved_")]
    assert len(box.options) == 1  # the other one is open
    test.button(key="compare_saved").click().run()
    assert trained == [runs[1].config]


def test_points_of_other_data_are_not_compared(runs):
    other = bv.run(runs[0].config.replace(options={"overlap": 0.5}))
    assert "of different data" in texts(opened(other, runs[0]))


def test_without_labels_no_point_is_right(runs):
    def bare(run):
        problem = run.problem
        spaces = {
            side: replace(getattr(problem, side), labels=None, names=None, classes=None)
            for side in ("source", "target")
        }
        return replace(run, problem=replace(problem, test=None, **spaces), metrics={"plan_foscttm": 0.5})

    assert "Without labels" in texts(opened(bare(runs[1]), bare(runs[0])))


def test_a_session_keeps_the_latest_finished_run_of_each_config(runs, monkeypatch):
    state: dict[str, object] = {}
    monkeypatch.setattr(slots.st, "session_state", state)
    stopped = replace(runs[2], metrics={})
    again = replace(runs[0])
    for run in (runs[0], runs[1], stopped, again):
        state["_run"] = run
        slots.current_run()
    assert [id(run) for run in slots.finished_runs()] == [id(again), id(runs[1])]
    for seed in range(slots.MOST_RUNS + 2):
        state["_run"] = replace(runs[0], config=runs[0].config.replace(seed=seed))
        slots.current_run()
    assert [run.config.seed for run in slots.finished_runs()] == list(range(2, slots.MOST_RUNS + 2))[::-1]


def test_points_of_two_runs_must_be_the_same(runs):
    was = diagnose(runs[0].problem, runs[0].pairs, runs[0].plan, runs[0].flow)
    now = was._replace(predicted=np.where(np.arange(len(was.labels)) % 2, was.labels, was.predicted))
    sides = changed_sides(was, now)
    right = was.predicted == was.labels
    assert (sides[right] == "right").all()
    assert set(sides[~right]) == {"won", "wrong"}
    assert (changed_sides(now, was)[sides == "won"] == "lost").all()
    with pytest.raises(bv.InputError, match="of the same points"):
        changed_sides(was, was._replace(labels=was.labels[:-1]))
