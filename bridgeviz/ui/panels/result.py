"""A trained flow: its animation, its numbers, its losses, its files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from bridgeviz import Run
from bridgeviz.experiments import Scene
from bridgeviz.ui.cache import analysis
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import live, page
from bridgeviz.ui.panels.archive import CONTENTS, archive
from bridgeviz.ui.panels.baselines import baselines
from bridgeviz.ui.panels.player import page_of, player
from bridgeviz.ui.panels.travel import travel
from bridgeviz.ui.state import selection
from bridgeviz.ui.state.selection import Selection
from bridgeviz.ui.state.summary import summary
from bridgeviz.ui.work.jobs import Record
from bridgeviz.viz.film import gif


def show(run: Run, record: Record | None, chance: float, chosen: Selection | None = None) -> None:
    """Everything about a run that is not training any more.

    Args:
        run: finished or stopped.
        record: of the latest training of this session.
        chance: the accuracy of guessing.
        chosen: the selection, whose paths are drawn.
    """
    straight = live.scene_of(run, record)
    kind = live.chosen_map()
    with page.place():
        if kind == live.NEIGHBOURHOODS:
            scene = _lit_where_shown(run, live.neighbourhoods(run, straight), chosen)
        else:
            scene = _lit(run, chosen)
    player(scene or straight, key="flow_player")
    page.numbers(run.metrics, pairs=len(run.pairs), known=page.known_pairs(run.problem), chance=straight.chance)
    if not run.metrics:
        st.caption("This run stopped early, so it was not evaluated. Train to the end to see its numbers.")
    with st.expander("How the training went"):
        shown = record if record is not None and record.run is run else live.record_of(run)
        live.curves(shown, chance, last=run.config.flow.steps)
        seconds = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in run.seconds.items())
        st.caption(f"Time per stage: {seconds}; on {run.device}.")
    travel(run)
    baselines(run)
    _downloads(run, scene or straight)


def _lit(run: Run, chosen: Selection | None) -> Scene | None:
    """The scene with the selected points lit; None if nothing is selected."""
    if chosen is None:
        return None
    rows = selection.source_points(run.problem, chosen)
    if rows is None:
        st.info("No source row is known to correspond to the selected rows, so no path of theirs can be shown.")
        return None
    if not chosen.tested and run.problem.test is not None:
        st.caption("The selected rows are aligned rows: the animation shows such rows instead of test points.")
    with guard(), st.spinner("Following the selected points …"):
        return analysis.scene_of_rows(run, rows, test=chosen.tested)


def _lit_where_shown(run: Run, scene: Scene | None, chosen: Selection | None) -> Scene | None:
    """The scene with its selected points lit. The map takes long, so it is not computed again for other points."""
    if scene is None or chosen is None:
        return scene
    rows = selection.source_points(run.problem, chosen)
    if rows is None or chosen.tested != bool(scene.badge.get("tested")) or not np.isin(scene.rows, rows).any():
        st.caption(f"None of the selected rows is among the {len(scene.labels):,} points of this map.")
        return scene
    return replace(scene, lit=np.isin(scene.rows, rows))


def _downloads(run: Run, scene: Scene) -> None:
    """The files of a run.

    A click does not run the page again, because that would replace the file that the browser is asking for. What is
    quick to make is ready before the click, so that not even another click can replace it.
    """
    files = (
        ("Settings and numbers (.json)", page.report_file(run), "run.json", "application/json", "download", None),
        ("Transported points (.npy)", partial(page.transported_file, run), "transported.npy", None, "download", None),
        ("Animation (.html)", partial(page_of, scene, summary(run.config)), "animation.html", "text/html", "movie",
         "A page that plays it by itself, in any browser and without a network."),
        ("Animation (.gif)", partial(gif, scene), "animation.gif", "image/gif", "gif_box", "Takes a few seconds."),
        ("Everything (.zip)", partial(archive, run), "result.zip", None, "folder_zip", f"With {CONTENTS}. Takes a few "
         "seconds."),
    )  # fmt: skip
    with st.container(horizontal=True):
        for label, data, name, mime, icon, text in files:
            st.download_button(
                label, data, name, mime, icon=f":material/{icon}:", on_click="ignore", help=text, width="content"
            )
