"""The list of saved runs on the Flow page, and the run that a crash left unfinished."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import streamlit as st

from bridgeviz.ui import doors, jobs, runs, settings, training


def found_again() -> None:
    """Offer the latest run of this machine where it stopped before its end."""
    run = runs.unfinished()
    if run is None:
        return
    words, button, away = st.columns([5, 1, 1], vertical_alignment="center")
    words.info(
        f"A training stopped; its first {run.step:,} of {run.config.steps:,} steps are kept: {_title(run)}.",
        icon=":material/restore:",
    )
    button.button("Go on", key="go_on", on_click=open_run, args=(run,), type="primary", width="stretch")
    away.button("Forget it", key="forget_unfinished", on_click=runs.forget, args=(run,), width="stretch")


def listing() -> None:
    """All saved runs with their settings; one can be opened or forgotten."""
    known = runs.listed()
    if not known:
        return
    with st.expander(f"Saved runs ({len(known)})", key="saved_runs"):
        rows = pd.DataFrame([_row(run) for run in known])
        chosen = st.dataframe(
            rows, hide_index=True, on_select="rerun", selection_mode="single-row", key="saved_table", width="stretch"
        )
        picked = chosen["selection"]["rows"]  # type: ignore[index]
        run = known[picked[0]] if picked and picked[0] < len(known) else None
        one, two, words = st.columns([1, 1, 4], vertical_alignment="center")
        one.button("Open", key="open_run", on_click=open_run, args=(run,), disabled=run is None, width="stretch")
        two.button("Forget", key="forget_run", on_click=runs.forget, args=(run,), disabled=run is None, width="stretch")
        words.caption("Kept on this machine, with the trained network. Opening one sets all controls to its settings.")


def open_run(run: runs.Saved) -> None:
    """Set the controls to a run's settings and go on from what is kept of it; a callback."""
    settings.apply(run.config)
    with doors.guard():
        jobs.start(training.train(run.config, doors.problem(run.config)), run.config)


def _title(run: runs.Saved) -> str:
    config = run.config
    cost = "" if config.strategy == "true" else f", {config.cost}"
    return f"{config.dataset}, {100 * (config.fraction or 0):g} % pairs, {config.strategy}{cost}"


def _row(run: runs.Saved) -> dict[str, object]:
    config = run.config
    return {
        "When": datetime.fromtimestamp(run.changed).strftime("%d %b %H:%M"),
        "Dataset": config.dataset + (", reversed" if config.reverse else ""),
        "Pairs, %": f"{100 * (config.fraction or 0):g}",
        "Strategy": config.strategy,
        "Cost": "-" if config.strategy == "true" else config.cost,
        "Network": config.velocity,
        "Steps": f"{run.step:,}" if run.finished else f"{run.step:,} of {config.steps:,}",
        "Test accuracy": f"{run.metrics['test_accuracy']:.1%}" if "test_accuracy" in run.metrics else "-",
        "Seed": config.seed,
    }
