"""A plan: between classes, in blocks of rows, as lines across the maps, and by what each class receives."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from bridgeviz import Problem, RunConfig, metrics
from bridgeviz.couplings import Coupling, Plan
from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.text import literal
from bridgeviz.viz.plans import block_heatmap, class_heatmap, plan_lines, received_bars


def between_classes(config: RunConfig, classes: np.ndarray, names: Mapping[str, str]) -> None:
    """Which class is sent where."""
    if analysis.labels_of(stages.problem(config)) is None:
        st.info("Without labels on both sides, nothing can be called right or wrong.", icon=":material/label_off:")
        return
    _, shares = analysis.matching(config)
    heatmap = class_heatmap(shares, [names[str(c)] for c in classes])
    st.plotly_chart(heatmap, key="class_plan", alt="plan between classes")
    empty = [names[str(c)] for c, row in zip(classes, shares, strict=True) if not row.any()]
    without = f" Without mass: {literal(', '.join(empty))}." if empty else ""
    st.caption(f"Each row sums to 100%; a perfect plan has everything on the diagonal.{without}")


def in_blocks(problem: Problem, plan: Plan, names: dict[str, str]) -> None:
    """The plan in blocks of rows sorted by class, if it exists as a whole."""
    if plan.whole is None:
        st.info("A local strategy keeps no plan. Choose the strategy **global** to see one.", icon=":material/info:")
        return
    blocks = metrics.blocks(plan.whole, problem.source.labels, problem.target.labels)
    st.plotly_chart(block_heatmap(blocks, names, names), key="blocks", alt="the plan on its rows")
    st.caption(
        f"Each line stands for about {blocks.source_rows:,.0f} source rows, each column for about "
        f"{blocks.target_rows:,.0f} target rows. The colour is the mass in multiples of a flat plan, which sends every "
        "row evenly to all target rows and would be 1x everywhere."
    )


@st.fragment
def lines(config: RunConfig) -> None:
    """Lines between the two maps; only this part of the page runs again when its own controls change."""
    plan, labels = stages.plan(config), analysis.labels_of(stages.problem(config))
    st.subheader("Lines between the two maps")
    left, right = st.columns(2)
    kind = left.segmented_control(
        "Show", ["draws"] if plan.whole is None else ["draws", "strongest"], default="draws", required=True, key="how",
        help="Draws follow the mass, as training does. The strongest entries are those with the most mass.",
    )  # fmt: skip
    count = right.slider("Lines", 20, 500, 150, 10, key="lines_many")
    if kind == "strongest" and plan.whole is not None:
        i, j, _ = metrics.strongest(plan.whole, count)
    else:
        i, j = (rows[:count] for rows in analysis.draws(config))
    same = None if labels is None else labels[0][i] == labels[1][j]
    both = analysis.both_maps(config, legend=True)
    st.plotly_chart(
        plan_lines(both, i, j, right=same), key="lines", alt="couplings between the two maps",
        config={"displaylogo": False},
    )  # fmt: skip
    st.caption(literal(both.caption))


def received(
    config: RunConfig, plan: Coupling, labels: np.ndarray, classes: np.ndarray, names: Mapping[str, str]
) -> None:
    """The mass that each target class receives, against its share of the rows."""
    mass = metrics.received(plan, labels)
    known = [names[str(c)] for c in mass.classes]
    ranks = np.searchsorted(classes, mass.classes).tolist()
    st.plotly_chart(received_bars(mass, known, ranks), key="received", alt="mass by target class")
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
