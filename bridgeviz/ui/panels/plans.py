"""A plan: between classes, in blocks of rows, as lines across the maps, and by what each class receives."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import streamlit as st

from bridgeviz import Problem, RunConfig, metrics
from bridgeviz.couplings import Coupling, Plan
from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import charts, page
from bridgeviz.ui.state import selection
from bridgeviz.ui.state.selection import Selection
from bridgeviz.ui.text import literal
from bridgeviz.viz.plans import block_heatmap, class_heatmap, plan_lines, received_bars, share_bars
from bridgeviz.viz.words import counted

STRONGEST = 20_000
"""Entries of a plan among which those of the selected rows are looked for."""


def between_classes(config: RunConfig, classes: np.ndarray, names: Mapping[str, str]) -> None:
    """Which class is sent where."""
    if analysis.labels_of(stages.problem(config)) is None:
        st.info("Without labels on both sides, nothing can be called right or wrong.", icon=":material/label_off:")
        return
    _, shares = analysis.matching(config)
    heatmap = class_heatmap(shares, [names[str(c)] for c in classes])
    charts.draw(st, heatmap, key="class_plan", alt="plan between classes")
    empty = [names[str(c)] for c, row in zip(classes, shares, strict=True) if not row.any()]
    without = f" Without mass: {literal(', '.join(empty))}." if empty else ""
    st.caption(f"Each row sums to 100%; a perfect plan has everything on the diagonal.{without}")


def in_blocks(problem: Problem, plan: Plan, names: dict[str, str]) -> None:
    """The plan in blocks of rows sorted by class, if it exists as a whole."""
    if plan.whole is None:
        st.info("A local strategy keeps no plan. Choose the strategy **global** to see one.", icon=":material/info:")
        return
    blocks = metrics.blocks(plan.whole, problem.source.labels, problem.target.labels)
    charts.draw(st, block_heatmap(blocks, names, names), key="blocks", alt="the plan on its rows")
    st.caption(
        f"Each line stands for about {blocks.source_rows:,.0f} source rows, each column for about "
        f"{blocks.target_rows:,.0f} target rows. The colour is the mass in multiples of a flat plan, which sends every "
        "row evenly to all target rows and would be 1x everywhere."
    )


@st.fragment
def lines(config: RunConfig, chosen: Selection | None = None) -> None:
    """Lines between the two maps; only this part of the page runs again when its own controls change.

    Args:
        config: whose plan.
        chosen: the selection, to which the lines are restricted.
    """
    selection.follow(chosen)
    problem, plan = stages.problem(config), stages.plan(config)
    labels = analysis.labels_of(problem)
    st.header("Lines between the two maps")
    left, right = st.columns(2)
    kind = left.segmented_control(
        "Show", ["draws"] if plan.whole is None else ["draws", "strongest"], default="draws", required=True, key="how",
        help="Draws follow the mass, as training does. The strongest entries are those with the most mass.",
    )  # fmt: skip
    count = right.slider("Lines", 20, 500, 150, 10, key="lines_many")
    rows = None if chosen is None else selection.aligned(problem, chosen, chosen.side)
    if kind == "strongest" and plan.whole is not None:
        i, j, _ = metrics.strongest(plan.whole, count if rows is None else STRONGEST)
    else:
        i, j = analysis.draws(config)
    with page.place():
        if chosen is not None and rows is not None:
            kept = np.isin(i if chosen.side == "source" else j, rows)
            i, j = i[kept], j[kept]
            what = "draws" if kind != "strongest" else f"{STRONGEST:,} strongest entries"
            st.caption(f"Only what {'leaves' if chosen.side == 'source' else 'reaches'} the selected rows, of {what}.")
    i, j = i[:count], j[:count]
    same = None if labels is None else labels[0][i] == labels[1][j]
    both = analysis.both_maps(config, legend=True)
    charts.draw(
        st, selection.revised(plan_lines(both, i, j, right=same), "lines"), key="lines",
        brush=("box", "lasso"),
        on_brush=partial(selection.surrounded, chart="lines", left=both.left, right=both.right),
        alt="couplings between the two maps",
    )  # fmt: skip
    st.caption(literal(both.caption) + " The lasso in the toolbar selects rows.")


def selected(config: RunConfig, chosen: Selection, classes: np.ndarray, names: Mapping[str, str]) -> None:
    """How much mass the selected rows carry, and the classes that it goes to or comes from."""
    problem = stages.problem(config)
    rows = selection.aligned(problem, chosen, chosen.side)
    other = problem.target if chosen.side == "source" else problem.source
    with guard():
        mass, shares = analysis.mass_of(config, chosen.side, np.asarray(rows))
    sent = chosen.side == "source"
    st.header("Where do the selected rows go?" if sent else "What do the selected rows receive?")
    even = len(np.asarray(rows)) / len(getattr(problem, chosen.side))
    standing = f" They are the nearest rows to {counted(len(chosen.rows), 'test point')}." if chosen.tested else ""
    st.markdown(
        f"{counted(len(np.asarray(rows)), f'{chosen.side} row')}, {even:.1%} of the rows, carry **{mass:.1%} of the "
        f"mass**.{standing}"
    )
    if other.labels is None or other.classes is None:
        st.caption("The other side has no labels, so the mass can't be summed by class.")
    elif mass > 0:
        known = [names[str(c)] for c in other.classes]
        bars = share_bars(shares, known, np.searchsorted(classes, other.classes).tolist(), height=260)
        charts.draw(st, bars, key="selected_mass", alt="mass of the selected rows by class")


def received(
    config: RunConfig, plan: Coupling, labels: np.ndarray, classes: np.ndarray, names: Mapping[str, str]
) -> None:
    """The mass that each target class receives, against its share of the rows."""
    mass = metrics.received(plan, labels)
    known = [names[str(c)] for c in mass.classes]
    ranks = np.searchsorted(classes, mass.classes).tolist()
    charts.draw(st, received_bars(mass, known, ranks), key="received", alt="mass by target class")
    away = np.abs(mass.received - mass.expected)
    worst = int(away.argmax())
    forced = " Tau of the target is 1: these shares are enforced." if config.coupling.forces_target_marginal else ""
    if away[worst] < 5e-4:
        st.caption(f"Every class receives its share of the rows.{forced}")
        return
    st.caption(
        f"Furthest from its share of the rows: {known[worst]}, {mass.received[worst]:.1%} instead of "
        f"{mass.expected[worst]:.1%}.{forced}"
    )
