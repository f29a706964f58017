"""The saved runs: all of them, the one of the present settings, and the one that a crash interrupted."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import streamlit as st

from bridgeviz import RunConfig
from bridgeviz.ui.panels import live
from bridgeviz.ui.state.summary import summary
from bridgeviz.ui.text import literal
from bridgeviz.ui.work import runs
from bridgeviz.viz.words import counted


def offer(config: RunConfig) -> bool:
    """Offer to open the saved run of a config, or to resume it if it stopped before its end; whether there is one."""
    run = runs.find(config)
    if run is None:
        return False
    text, opening = st.columns([5, 1], vertical_alignment="center")
    if run.finished:
        right = f", {run.metrics['test_accuracy']:.0%} right on new points" if "test_accuracy" in run.metrics else ""
        message, label = f"A finished run with these settings is saved{right}.", "Open"
    else:
        steps = f"{run.step:,} of {run.config.flow.steps:,} steps"
        message, label = f"A training with these settings stopped early; its first {steps} are saved.", "Resume"
    text.info(message, icon=":material/restore:")
    opening.button(label, key="open_saved", on_click=open_run, args=(run,), type="primary", width="stretch")
    return True


def interrupted() -> None:
    """Offer to resume the latest run of this machine, if it stopped before its end."""
    run = runs.unfinished()
    if run is None:
        return
    text, buttons = st.columns([3, 2], vertical_alignment="center")
    resume, delete = buttons.columns(2)
    text.info(
        f"A training stopped early; its first {run.step:,} of {run.config.flow.steps:,} steps are saved: "
        f"{summary(run.config)}.", icon=":material/restore:",
    )  # fmt: skip
    resume.button("Resume", key="resume_run", on_click=open_run, args=(run,), type="primary", width="stretch")
    delete.button("Delete", key="delete_unfinished", on_click=runs.delete, args=(run,), width="stretch")


def listing() -> None:
    """All saved runs with their settings; one can be opened or deleted."""
    known, broken = runs.listed(), runs.unreadable()
    if broken:
        st.caption(
            literal(f"{counted(len(broken), 'saved run')} can't be read: {broken[0]}. Nothing in it is changed.")
        )
    if not known:
        return
    with st.expander(f"Saved runs ({len(known)})", key="saved_runs"):
        table = pd.DataFrame([row(run) for run in known])
        event = st.dataframe(
            table, hide_index=True, on_select="rerun", selection_mode="single-row", key="saved_table", width="stretch"
        )
        picked = event["selection"]["rows"]  # type: ignore[index]
        run = known[picked[0]] if picked and picked[0] < len(known) else None
        opening, deleting, text = st.columns([1, 1, 4], vertical_alignment="center")
        opening.button("Open", key="open_run", on_click=open_run, args=(run,), disabled=run is None, width="stretch")
        deleting.button(
            "Delete", key="delete_run", on_click=runs.delete, args=(run,), disabled=run is None, width="stretch"
        )
        text.caption(
            "Runs are saved on this machine with the trained network. Opening one sets all controls to its settings."
        )


def open_run(run: runs.Saved) -> None:
    """Set the controls to a run's settings, and continue it from its last checkpoint; a callback."""
    live.train_with(run.config)


def _percent(config: RunConfig) -> str:
    return f"{100 * (config.fraction or 0):g}"


def row(run: runs.Saved) -> dict[str, object]:
    """A run as a row of a table."""
    config = run.config
    return {
        "When": datetime.fromtimestamp(run.changed).strftime("%d %b %H:%M"),
        "Dataset": config.dataset + (", reversed" if config.reverse else ""),
        "Pairs, %": _percent(config),
        "Strategy": config.strategy,
        "Cost": config.cost.name if config.coupling.uses_cost else "-",
        "Network": str(config.velocity),
        "Steps": f"{run.step:,}" if run.finished else f"{run.step:,} of {config.flow.steps:,}",
        "Test accuracy": f"{run.metrics['test_accuracy']:.1%}" if "test_accuracy" in run.metrics else "-",
        "Seed": config.seed,
    }
