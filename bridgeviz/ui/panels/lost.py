"""At which stage points lose their partner, where each has one and no labels say which class is right."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from bridgeviz import Run, metrics
from bridgeviz.experiments import remedy
from bridgeviz.metrics import LostPartners
from bridgeviz.ui.cache import analysis
from bridgeviz.ui.panels import brushing, remedies
from bridgeviz.ui.state.selection import Selection
from bridgeviz.viz.failures import stage_map
from bridgeviz.viz.words import counted

WHY = {
    "overlap": "The counterparts of their neighbours are far from their partner: here the two spaces disagree.",
    "pair": "The target of their nearest pair is far from their partner.",
    "cost": "By the cost, many other targets are cheaper than their partner.",
    "coupling": "Their partner is among the cheapest, but the plan sends more mass elsewhere.",
    "flow": "The plan finds their partner, but the flow ends nearer to others.",
}
"""What happens at each stage."""

_TITLES = {"overlap": "neighbours", "pair": "nearest pair", "cost": "cost", "coupling": "plan", "flow": "flow"}


def measured(run: Run) -> LostPartners | None:
    """What became of the known pairs that were not used; None if there is none."""
    if not len(run.problem.unused(run.pairs)):
        return None
    return analysis.of_run(run, "lost partners", lambda: metrics.lost_partners(
        run.problem, run.pairs, run.plan, run.flow, cost=run.cost, metric=run.config.cost.within, seed=run.config.seed
    ))  # fmt: skip


def groups(found: LostPartners) -> dict[str, partial[Selection]]:
    """The points that can be selected by the stage at which they were lost, by name."""
    return {
        f"Lost at: {stage} ({count:,})": partial(
            Selection, "source", np.sort(found.rows[found.stages == stage]), f"lost at: {stage}"
        )
        for stage, count in found.counts.items()
    }


def show(run: Run, found: LostPartners, chosen: Selection | None) -> None:
    """The stages by the number of points that are lost there, each with what to change, and both maps.

    Args:
        run: that was evaluated.
        found: its points.
        chosen: the selection, which is ringed.
    """
    lost = sum(found.counts.values())
    st.header("Where do points lose their partner?")
    typical = ", ".join(f"{_TITLES[stage]} {np.median(share):.1%}" for stage, share in found.shares.items())
    st.markdown(
        f"Of {counted(len(found.rows), 'row')} whose partner is known and was not used, **{lost:,} end far from it**: "
        f"more than 1% of the target rows are nearer. How many come before the partner, in the median: {typical} (50% "
        "is chance). A row is counted at the first stage that loses it."
    )
    for stage, count in found.counts.items():
        change = remedy(stage, run.config)
        text = f"**{count / lost:.0%} {stage}**: {counted(count, 'row')}. {WHY[stage]}"
        remedies.stage(stage, text, change.what, change.config)
    _maps(run, found, chosen)


def _maps(run: Run, found: LostPartners, chosen: Selection | None) -> None:
    """The points in the source and where they end, by stage; a click or a lasso selects."""
    problem = run.problem
    texts = [
        f"row {row}, partner {partner}: {stage}<br>{share:.1%} of the target rows are nearer to its end"
        for row, partner, stage, share in zip(
            found.rows, found.partners, found.stages, found.shares["flow"], strict=True
        )
    ]
    sides = {
        "source": (problem.source.x[found.rows], "In the source"), "target": (found.ends, "Where they end")
    }  # fmt: skip
    for (side, (points, title)), column in zip(sides.items(), st.columns(2), strict=True):
        plane = analysis.plane(run, side)
        behind = plane.project(getattr(problem, side).x)
        with column:
            st.markdown(f"**{title}**")
            brushing.ringed(
                partial(stage_map, behind, plane.project(points), found.rows, found.stages, texts), problem, chosen,
                key=f"lost_{side}", alt=f"{title.lower()}: points by the stage at which they lose their partner",
            )  # fmt: skip
            st.caption(f"PCA of the {side}: {plane.variance_share:.0%} of the variance.")
