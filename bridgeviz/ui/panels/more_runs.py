"""Runs beyond the two that are compared: saved ones to open, and other seeds of the same settings."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from bridgeviz import Run
from bridgeviz.ui.panels import saved
from bridgeviz.ui.state.summary import summary
from bridgeviz.ui.work import runs


def offer(trained: list[Run]) -> None:
    """A list of the saved runs that this session has not trained or opened, and a button that opens one."""
    known = {run.config for run in trained}
    others = [run for run in runs.listed() if run.finished and run.config not in known]
    if not others:
        return
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    place = left.selectbox(
        "A saved run", range(len(others)), format_func=lambda place: _label(others[place]), key=f"saved_{len(others)}"
    )
    right.button(
        "Open", key="compare_saved", on_click=saved.open_run, args=(others[place],), width="stretch",
        icon=":material/folder_open:", help="Opens it from this machine's disk and compares it with the latest run.",
    )  # fmt: skip


def _label(run: runs.Saved) -> str:
    accuracy = run.metrics.get("test_accuracy")
    return ("" if accuracy is None else f"{accuracy:.1%} right: ") + summary(run.config)


def of_seeds(run: Run, known: Sequence[Run | runs.Saved]) -> list[dict[str, float]]:
    """The numbers of all runs with the settings of this one but any seed.

    Args:
        run: whose settings are looked for; it is one of them.
        known: the runs among which they are looked for; of two with one seed, the later one counts.
    """
    config = run.config
    alike = [one for one in known if one.metrics and one.config.replace(seed=config.seed) == config]
    return list(({one.config.seed: one.metrics for one in alike} | {config.seed: run.metrics}).values())


def interval(values: list[float]) -> str:
    """The smallest and the largest of several values, and how many there are; "" for a single one.

    >>> interval([0.5, 0.25, 0.4])
    '0.250 to 0.500 (3 seeds)'
    """
    return f"{min(values):.3f} to {max(values):.3f} ({len(values)} seeds)" if len(values) > 1 else ""
