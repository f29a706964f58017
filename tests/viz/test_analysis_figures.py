"""Figures show what their results hold."""

import re
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

import bridgeviz as bv
from bridgeviz.couplings import Global, Linear, TrueAlignment
from bridgeviz.metrics import Collision, CostSample, blocks, diagnose, explain_point, neighbourhood, received
from bridgeviz.viz import diagnosis as diagnosis_figures
from bridgeviz.viz import maps, markers, pairing, plans, spaces, words
from bridgeviz.viz.palette import WRONG, colour, contrast, symbol

GROUNDS = {"light": "#FFFFFF", "dark": "#10151B"}
INKS = {"light": "#1B2733", "dark": "#E8EDF2"}
"""The backgrounds and text colours of the two themes, as in .streamlit/config.toml."""


def channels(text: str) -> list[float]:
    """The channels of "#rrggbb" or "rgba(...)", with the opacity last."""
    if text.startswith("#"):
        return [*(int(text[k : k + 2], 16) for k in (1, 3, 5)), 1.0]
    return [float(part) for part in re.findall(r"[\d.]+", text)]


def mixed(ink: str, opacity: float, ground: str) -> list[float]:
    """A colour as it is seen on a background."""
    *rgb, alpha = channels(ink)
    share = alpha * opacity
    return [share * a + (1 - share) * b for a, b in zip(rgb, channels(ground)[:3], strict=True)]


@pytest.fixture(scope="module")
def run():
    config = bv.RunConfig(dataset="blobs", options={"n": 120, "overlap": 0.4}, fraction=0.1, steps=40, batch_size=64)
    return bv.run(config)


@pytest.fixture(scope="module")
def diagnosis(run):
    return diagnose(run.problem, run.pairs, run.plan, run.flow, cost=run.cost)


def panels(problem):
    classes = maps.class_order(problem)
    rng = np.random.default_rng(0)
    return [
        maps.Panel(points=rng.normal(size=(len(s), 2)), space=s, badge="PCA: 50% of the variance", classes=classes)
        for s in (problem.source, problem.target)
    ]


def rows_of(figure: go.Figure) -> list[int]:
    return sorted(int(r) for trace in figure.data if trace.customdata is not None for r in trace.customdata)


def test_a_map_draws_every_row_once_with_its_number_class_and_place(run):
    panel = panels(run.problem)[0]
    figure = maps.space_map(panel)
    assert rows_of(figure) == list(range(120))
    for trace in (trace for trace in figure.data if trace.customdata is not None):
        rows = np.asarray(trace.customdata)
        labels = np.unique(run.problem.source.labels[rows])
        assert len(labels) == 1
        assert trace.name == run.problem.source.names[int(labels[0])]
        assert (trace.marker.color, trace.marker.symbol) == (colour(labels[0]), symbol(labels[0]))
        np.testing.assert_allclose(np.stack([trace.x, trace.y], 1), panel.points[rows], rtol=1e-6)


def test_every_map_has_its_badge(run):
    caption = maps.both_maps(*panels(run.problem)).caption
    assert re.fullmatch(r"Source: .*; PCA: 50% of the variance. Target: .*; PCA: 50% of the variance.", caption)


def test_highlighted_rows_are_drawn_again_and_the_others_fade(run):
    lit = np.array([3, 7, 50])
    figure = maps.space_map(panels(run.problem)[0], lit=lit)
    drawn = [t for t in figure.data if t.customdata is not None]
    bright = [t for t in drawn if t.opacity == 1.0]
    assert sorted(int(r) for t in bright for r in t.customdata) == lit.tolist()
    assert all(t.opacity < 0.2 for t in drawn if t not in bright)


def test_equal_rows_share_one_marker_and_highlighted_ones_are_counted():
    problem = bv.load("digits")
    panel = panels(problem)[1]
    figure = maps.space_map(panel)
    assert len(rows_of(figure)) == 10
    first = {int(np.flatnonzero(problem.target.labels == c)[0]) for c in range(10)}
    assert set(rows_of(figure)) == first
    zeros = np.flatnonzero(problem.target.labels == 0)[:5]
    bright = [t for t in maps.space_map(panel, lit=zeros).data if t.opacity == 1.0]
    assert len(bright) == 1
    assert "5 of the selected rows" in bright[0].text[0]


def test_equal_rows_of_several_classes_are_rings_of_their_classes():
    x = np.repeat([[0.0, 0.0], [1.0, 0.0]], [9, 6], axis=0)
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0])
    panel = maps.Panel(points=x, space=bv.Space(x, labels=labels))
    marks = [t for t in maps.space_map(panel).data if t.customdata is not None]
    rings = [(t.name, x, size) for t in marks for x, size in zip(t.x, t.marker.size, strict=True)]
    at_zero = [(name, size) for name, x, size in rings if x == 0]
    assert [name for name, _ in at_zero] == ["1", "0"]  # the larger class is the outer ring, drawn first
    assert at_zero[0][1] > at_zero[1][1]
    assert sorted(text for t in marks for text in t.text)[0].startswith("3 of 6 equal rows")
    lit = maps.space_map(panel, lit=np.array([0, 3, 4])).data
    assert sorted(int(r) for t in lit if t.opacity == 1.0 for r in t.customdata) == [0, 3]


def test_no_class_covers_another_where_points_are_many():
    rng = np.random.default_rng(0)
    space = bv.Space(rng.normal(size=(6000, 2)), labels=np.arange(6000) // 1500)
    every = maps.space_map(maps.Panel(points=space.x, space=space)).data
    traces = [t for t in every if t.customdata is not None]
    order = np.concatenate([[int(t.name)] * len(t.x) for t in traces])
    late = order[-1200:]  # what is drawn last
    assert np.bincount(late, minlength=4).min() > 200
    assert traces[0].opacity < 0.6
    legend = [t for t in every if t.showlegend is not False]
    assert [t.name for t in legend] == list("0123")
    assert {t.opacity for t in legend} == {None}


def test_at_most_ten_thousand_markers(monkeypatch, run):
    monkeypatch.setattr(markers, "MOST", 50)
    assert len(rows_of(maps.space_map(panels(run.problem)[0]))) == 50


def test_a_large_map_behind_lines_is_thinned_and_its_caption_says_so(monkeypatch, run):
    monkeypatch.setattr(maps, "_MOST_BEHIND_LINES", 60)
    both = maps.both_maps(*panels(run.problem))
    figure = both.draw()
    assert 60 < len(rows_of(figure)) < 180
    assert both.caption.count("about 60 rows are drawn") == 2
    assert {trace.type for trace in figure.data} == {"scatter"}


def test_a_space_without_labels_or_title_is_drawn():
    space = bv.Space(np.random.default_rng(0).normal(size=(30, 3)))
    figure = maps.space_map(maps.Panel(points=space.x[:, :2], space=space))
    assert rows_of(figure) == list(range(30))
    assert not figure.layout.showlegend


def test_the_names_of_near_points_stand_on_opposite_sides():
    x = np.repeat([[0.0, 0.0], [0.1, 0.1], [5.0, 0.0], [5.0, -1.0]], 3, axis=0)
    space = bv.Space(x, labels=np.repeat(np.arange(4), 3))
    names = next(t for t in maps.space_map(maps.Panel(points=x, space=space)).data if t.mode == "markers+text")
    assert list(names.textposition) == ["bottom left", "top right", "top center", "bottom center"]


def test_the_two_maps_do_not_overlap(run):
    left, right = maps.side_by_side(*panels(run.problem))
    assert left[:, 0].max() < right[:, 0].min()
    assert max(np.ptp(left, axis=0).max(), np.ptp(right, axis=0).max()) <= 1 + 1e-6


def test_the_route_passes_through_the_pair(run):
    p = run.problem
    legs = bv.costs.legs(p.source.x, p.target.x, run.pairs, 4, 9)
    source, target = panels(p)
    figure = pairing.pair_map(maps.both_maps(source, target), run.pairs, route=legs)
    left, right = maps.side_by_side(source, target)
    stops = [left[4], left[legs.way_x[-1]], right[legs.way_y[0]], right[9]]
    lines = [t for t in figure.data if t.mode == "lines"][1:]  # the first one is that of all pairs
    for line, a, b in zip(lines, stops[:-1], stops[1:], strict=True):
        np.testing.assert_allclose([line.x[0], line.y[0], line.x[1], line.y[1]], [*a, *b], rtol=1e-6)
    marks = figure.data[-1]
    np.testing.assert_allclose(np.stack([marks.x, marks.y], axis=1), stops, rtol=1e-6)
    for first in (0, 2):  # the upper one of two points has its name above it
        upper = first + int(np.argmax(marks.y[first : first + 2]))
        assert [k for k in (first, first + 1) if marks.textposition[k] == "top center"] == [upper]
    assert f"{legs.leg_x:.2f}" in lines[0].name
    assert f"{legs.leg_y:.2f}" in lines[2].name


def test_a_route_shows_its_stops_and_gives_shares_in_percent(run):
    source, target = panels(run.problem)
    pair = run.pairs[3]
    way_x, way_y = [4, 11, 12, int(pair[0])], [int(pair[1]), 9]
    route = bv.costs.Route(pair=3, leg_x=0.25, leg_y=0.5, way_x=way_x, way_y=way_y, share=0.4)
    figure = pairing.pair_map(maps.both_maps(source, target), run.pairs, route=route)
    lines = [t for t in figure.data if t.mode == "lines"][1:]
    left, _ = maps.side_by_side(source, target)
    np.testing.assert_allclose(np.stack([lines[0].x, lines[0].y], 1), left[route.way_x], rtol=1e-6)
    assert lines[0].name == "leg in the source: 25%"


def test_every_pair_is_a_line_and_those_of_two_classes_are_another(run):
    both = maps.both_maps(*panels(run.problem))
    pairs = bv.Pairs([[0, 0], [1, 5], [2, 2]], shape=run.problem.shape)
    figure = pairing.pair_map(both, pairs, right=np.array([True, False, True]))
    same, other = (t for t in figure.data if t.mode == "lines")
    assert (same.name, other.name) == ("pairs (2)", "pairs of two classes (1)")
    np.testing.assert_allclose(
        same.x[[0, 1, 3, 4]], [both.left[0, 0], both.right[0, 0], both.left[2, 0], both.right[2, 0]]
    )
    np.testing.assert_allclose(other.y[:2], [both.left[1, 1], both.right[5, 1]])
    assert same.line.dash != other.line.dash  # not by colour alone


@pytest.mark.parametrize("side", ["source", "target"])
def test_selected_rows_are_drawn_to_their_nearest_pairs_and_no_other_pair_is(run, side):
    both = maps.both_maps(*panels(run.problem))
    pairs = bv.Pairs([[0, 10], [1, 11], [2, 12]], shape=run.problem.shape)
    figure = pairing.pair_map(both, pairs, lit=(np.array([7, 8]), np.array([2, 2])), side=side)
    drawn, legs = (t for t in figure.data if t.mode == "lines")
    assert drawn.name == "pairs (1)"
    np.testing.assert_allclose(drawn.x[:2], [both.left[2, 0], both.right[12, 0]])
    points, end = (both.left, 2) if side == "source" else (both.right, 12)
    np.testing.assert_allclose(legs.x[[0, 1, 3, 4]], points[[7, end, 8, end], 0])


def test_at_most_so_many_pairs_are_drawn(run):
    both, n = maps.both_maps(*panels(run.problem)), len(run.problem.source)
    every = np.stack(np.meshgrid(np.arange(n), np.arange(4)), -1).reshape(-1, 2)
    figure = pairing.pair_map(both, bv.Pairs(every[: pairing.MOST_PAIRS + 5], shape=run.problem.shape))
    line = next(t for t in figure.data if t.mode == "lines")
    assert len(line.x) == 3 * pairing.MOST_PAIRS


def test_coverage_marks_classes_without_pairs():
    bars = pairing.coverage_bars(["a", "b"], np.array([3, 0])).data[0]
    assert list(bars.y) == [3, 0]
    assert bars.text[0] == "3"
    assert "none" in bars.text[1]
    assert WRONG in bars.text[1]


def test_the_histogram_holds_all_entries_of_both_kinds():
    sample = CostSample(np.array([0.1, 0.2, 0.3]), np.array([0.9, 1.0]))
    same, other = pairing.cost_histogram(sample).data
    assert np.sum(same.y) == pytest.approx(1)
    assert np.sum(other.y) == pytest.approx(1)
    assert (same.line.dash, other.line.dash) == ("solid", "dot")
    assert len(pairing.cost_histogram(CostSample(sample.same, sample.other[:0])).data) == 1


def test_the_supervision_curve_shows_the_measurements_and_the_current_setting():
    line, current = pairing.supervision_curve([0.01, 0.1], [0.5, np.nan], (0.02, 0.6), 0.1).data
    assert list(line.x) == [1, 10]
    assert line.y[0] == 0.5
    assert (current.x[0], current.y[0]) == (2, 0.6)


def test_a_class_heatmap_shows_its_numbers():
    shares = np.array([[0.75, 0.25], [0.001, 0.999]])
    heat, light, dark = plans.class_heatmap(shares, ["a", "b"]).data
    np.testing.assert_array_equal(heat.z, shares)
    assert list(zip(light.x, light.y, light.text, strict=True)) == [("b", "a", "25%")]
    assert list(zip(dark.x, dark.y, dark.text, strict=True)) == [("a", "a", "75%"), ("b", "b", "100%")]
    assert dark.textfont.color == "white"
    assert light.textfont.color is None  # the theme's
    blank = plans.class_heatmap(shares, ["a", "b"], zero_diagonal=True).data[0]
    assert np.isnan(np.diag(blank.z)).all()
    assert blank.zmax == 0.25


@pytest.mark.parametrize("theme", GROUNDS)
def test_the_number_of_every_cell_is_legible(theme):
    shares = np.linspace(0.005, 1, 200).reshape(-1, 1)
    heat, light, dark = plans.class_heatmap(shares, [f"row {k}" for k in range(200)], ["a"], numbers=True).data
    at = np.array([stop for stop, _ in heat.colorscale])
    alphas = np.array([channels(ink)[3] for _, ink in heat.colorscale])
    for trace, ink in ((light, INKS[theme]), (dark, "#FFFFFF")):
        assert len(trace.y)
        for row in trace.y:
            share = shares[int(row.split()[1]), 0]
            alpha = np.interp(share + 1e-9, at, alphas)
            cell = mixed("#0069AF", alpha, GROUNDS[theme])
            assert contrast(channels(ink)[:3], cell) >= 4.5, (theme, share)


def test_a_flat_plan_looks_flat(run):
    labels = run.problem.source.labels, run.problem.target.labels
    flat = replace(run.plan, plan=np.full(run.plan.plan.shape, 1 / run.plan.plan.size))
    heat = plans.block_heatmap(blocks(flat, *labels, most=35), {}, {}).data[0]  # 120 rows: blocks of 3 and of 4
    np.testing.assert_allclose(heat.z, 1)
    assert heat.zmax > 3
    assert "1x" in heat.colorbar.ticktext


def test_the_block_heatmap_holds_the_plans_mass(run):
    parts = blocks(run.plan, run.problem.source.labels, run.problem.target.labels, most=20)
    names = dict(zip(map(str, run.problem.source.classes), run.problem.source.names, strict=True))
    figure = plans.block_heatmap(parts, names, names)
    np.testing.assert_allclose(figure.data[0].customdata[..., 0], parts.mass)
    np.testing.assert_allclose(figure.data[0].z ** 2 * parts.even, parts.mass)
    assert list(figure.layout.yaxis.ticktext) == list(run.problem.source.names)
    assert "ticktext" not in plans.block_heatmap(blocks(run.plan, None, None), {}, {}).layout.xaxis.to_plotly_json()


def test_right_and_wrong_lines_differ_in_colour_and_dash(run):
    p = run.problem
    i, j = run.plan.sample(0, 40)
    right = p.source.labels[i] == p.target.labels[j]
    source, target = panels(p)
    figure = plans.plan_lines(maps.both_maps(source, target), i, j, right=right)
    lines = [t for t in figure.data if t.mode == "lines"]
    good, bad = [[t for t in lines if t.legendgroup == kind] for kind in ("same", "other")]
    for kind, mask in ((good, right), (bad, ~right)):
        assert sum(np.isfinite(np.asarray(t.x, float)).sum() for t in kind) == 2 * mask.sum()
        assert [t.name for t in kind if t.showlegend] == [f"{kind[0].legendgroup} class: {mask.sum()}"]
    assert {t.line.color for t in bad} == {WRONG}
    left, across = maps.side_by_side(source, target)
    k = np.flatnonzero(right)[0]
    np.testing.assert_allclose([good[0].x[0], good[0].x[1]], [left[i[k], 0], across[j[k], 0]], rtol=1e-6)
    assert len([t for t in plans.plan_lines(maps.both_maps(source, target), i, j).data if t.mode == "lines"]) == 1


def test_right_and_wrong_lines_have_the_same_ink_and_are_drawn_in_turns(run):
    i, j = run.plan.sample(0, 40)
    right = run.problem.source.labels[i] == run.problem.target.labels[j]
    figure = plans.plan_lines(maps.both_maps(*panels(run.problem)), i, j, right=right)
    lines = [t for t in figure.data if t.mode == "lines"]
    assert [t.legendgroup for t in lines] == ["same", "other"] * (len(lines) // 2)

    def ink(line):
        parts = [float(p.removesuffix("px")) for p in line.line.dash.split(",")] if "px" in line.line.dash else [1, 0]
        return line.line.width * parts[0] / sum(parts) * line.opacity

    assert {round(ink(line), 6) for line in lines} == {round(ink(lines[0]), 6)}
    for ground in GROUNDS.values():
        contrasts = [contrast(mixed(line.line.color, line.opacity, ground), channels(ground)[:3]) for line in lines[:2]]
        assert min(contrasts) >= 3
        assert contrasts[0] == pytest.approx(contrasts[1], rel=0.1)


def test_received_bars_also_show_the_uniform_shares(run):
    mass = received(run.plan, run.problem.target.labels)
    bars, uniform = plans.received_bars(mass, run.problem.target.names, range(5)).data
    np.testing.assert_array_equal(bars.y, mass.received)
    np.testing.assert_array_equal(uniform.y, mass.expected)


def test_overlap_bars_show_each_class_and_chance(run):
    near = neighbourhood(run.problem.source.x, run.problem.source.labels)
    figure = spaces.overlap_bars(near, run.problem.source.names, range(5))
    np.testing.assert_allclose(figure.data[0].y, near.by_class)
    assert figure.layout.shapes[0].y0 == near.chance


def test_the_confusion_and_the_error_are_those_of_the_diagnosis(run, diagnosis):
    names = list(run.problem.source.names)
    heat = diagnosis_figures.confusion_heatmap(diagnosis, names).data[0]
    np.testing.assert_array_equal(heat.customdata, diagnosis.confusion)
    np.testing.assert_allclose(heat.z.sum(1), 1)
    for c, trace in enumerate(diagnosis_figures.overlap_against_error(diagnosis, names).data):
        assert (trace.x[0], trace.y[0], trace.name) == (1 - diagnosis.overlap[c, c], diagnosis.error[c], names[c])


def test_the_coupling_row_of_a_story_is_shown(run):
    story = explain_point(run.problem, run.pairs, run.plan, run.flow, 0)
    bars = plans.share_bars(story.sent, run.problem.target.names, range(5)).data[0]
    np.testing.assert_array_equal(bars.y, story.sent)


HIT = Collision(
    true=4, taken=9, count=11, share=0.23, overlap=0.18, nearest=0.2, cheapest=0.15, plan=0.21, true_pairs=3,
    taken_pairs=2,
)  # fmt: skip


def test_a_collision_is_described_with_its_own_numbers():
    sentence = words.collision_sentence(HIT, {"4": "four", "9": "nine"})
    for part in (
        "18% of the neighbours of class four belong to class nine", "20% of class four", "four has 3 pairs",
        "nine has 2 pairs", "15% of class four", "21% of the mass of class four goes to class nine",
    ):  # fmt: skip
        assert part in sentence
    assert "about 21%" in words.collision_sentence(HIT, {}, estimated=True)
    assert "Cost" not in words.collision_sentence(HIT._replace(cheapest=float("nan")), {})


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({}, "4 and 9 overlap in the source space"),
        ({"plan": 0.05}, "better than the flow does"),
        ({"true_pairs": 0}, "No pair shows where class 4 belongs"),
        ({"taken_pairs": 0, "cheapest": 0.0}, "Class 9 has no pair"),
        ({"cheapest": 0.01}, "use every target row equally"),
        ({"overlap": 0.0}, "the nearest pair belongs to class 9"),
        ({"overlap": 0.0, "nearest": 0.0}, "a cheap target"),
    ],
)
def test_blame_follows_the_numbers(changes, part):
    assert part in words.blame(HIT._replace(**changes), {})


def test_unbalanced_plans_are_not_blamed_for_their_marginals():
    unbalanced = Global(solver=Linear(tau=(1.0, 0.9)))
    assert "equally" not in words.blame(HIT._replace(cheapest=0.01), {}, alignment=unbalanced)


def test_the_true_alignment_is_never_blamed_for_its_plan():
    sentence = words.blame(HIT._replace(plan=0.0, overlap=0.0, nearest=0.0), {}, alignment=TrueAlignment())
    assert "the global strategy" in sentence
    sentence = words.blame(HIT._replace(plan=0.0, overlap=0.0), {}, alignment=TrueAlignment())
    assert "the nearest pair belongs to class 9" in sentence


@pytest.mark.parametrize("stage", ["right", "undecided", "overlap", "pair", "cost", "coupling", "flow", "unknown"])
def test_every_stage_has_its_sentence(run, stage):
    story = explain_point(run.problem, run.pairs, run.plan, run.flow, 0)._replace(stage=stage)
    sentence = words.story_verdict(story, {})
    assert sentence.endswith(".")
    assert "None" not in sentence
