"""What pages have in common: the question at the top, the next page at the bottom, the numbers and files of a run."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import streamlit as st

from bridgeviz import Problem, Run, RunConfig
from bridgeviz.experiments import report
from bridgeviz.ui.state import link, values


def question(text: str, lead: str) -> None:
    """The one question that a page answers, and a sentence or two on why."""
    st.title(text)
    if lead:
        st.markdown(lead)


def place() -> Any:
    """A place on the page that keeps its number even while it is empty. Put into one what is not always shown.

    Streamlit identifies a part of a page by its number among its siblings. If something appeared or disappeared
    outside a place, the browser would rebuild everything below it: draw each chart again, restart each animation, close
    each expander.
    """
    return st.container()


def next_page(file: str, question: str) -> None:
    """The link to the next page, which keeps the settings."""
    st.divider()
    st.page_link(f"pages/{file}.py", label=f"**Next:** {question}", icon=":material/arrow_forward:")


def open_with(config: RunConfig, file: str, label: str, *, key: str = "", **look: Any) -> None:
    """A button that opens a page with the settings of a config; `key` tells several to one page apart."""
    if st.button(label, key=f"open_{key or file}", on_click=values.apply, args=(config,), **look):
        link.open_page(file)


def report_file(run: Run) -> str:
    """The report of a run as JSON."""
    return json.dumps(report(run), indent=2, allow_nan=False) + "\n"


def transported_file(run: Run) -> bytes:
    """The test points (or, without a test split, the source points) carried to the target space, as .npy."""
    problem = run.problem.test or run.problem
    states = run.flow.transport(problem.source.x, seed=run.config.seed).states[-1]
    buffer = io.BytesIO()
    np.save(buffer, states.astype(np.float32))
    return buffer.getvalue()


def known_pairs(problem: Problem) -> int:
    """How many pairs of a problem are known."""
    return 0 if problem.truth is None else len(problem.truth)


def numbers(metrics: dict[str, float], *, pairs: int, known: int, chance: float) -> None:
    """The numbers of a run in one row, each beside what to compare it with."""
    columns = st.columns(4)
    columns[0].metric("Pairs used", f"{pairs:,}", f"of {known:,} known", delta_color="off", delta_arrow="off")
    if "matching_accuracy" in metrics:
        right = metrics["matching_accuracy"]
        over_all = metrics.get("matched_rows", right)
        partly = f", over all rows: {over_all:.0%}" if over_all < right - 0.005 else ""
        columns[1].metric(
            "Coupling: right class", f"{right:.0%}", f"guessing: {chance:.0%}{partly}", delta_color="off",
            delta_arrow="off", help="Share of the plan's mass between points of the same class. Over all rows, a "
            "source row without mass counts as wrong.",
        )  # fmt: skip
    if "test_accuracy" in metrics:
        columns[2].metric(
            "Flow: right on new points", f"{metrics['test_accuracy']:.0%}", f"of all of them, guessing: {chance:.0%}",
            delta_color="off", delta_arrow="off", help="Share of all test points, never used in training, that decode "
            "to their own class after the flow. The animation counts only the points that it shows.",
        )  # fmt: skip
    if "source_overlap" in metrics:
        columns[3].metric(
            "Overlap of source classes", f"{metrics['source_overlap']:.0%}", "0%: separate", delta_color="off",
            delta_arrow="off", help="Share of each point's 15 nearest neighbours that belong to another class.",
        )  # fmt: skip
    _partners(metrics)
    _neurons(metrics)


def _partners(metrics: dict[str, float]) -> None:
    """A second row for one-to-one problems: how close points come to their own partner."""
    stage, points, rows = ("flow", "points", "target") if "flow_foscttm" in metrics else ("test", "new points", "test")
    shown = [
        ("plan_foscttm", "Coupling: nearer than the partner", "guessing: 50%, perfect: 0%",
         "FOSCTTM: of all other candidates, the fraction that the coupling prefers to the true partner, on average "
         "over the known pairs that were not used, and over both directions."),
        (f"{stage}_foscttm", "Flow: nearer than the partner", "guessing: 50%, perfect: 0%",
         f"FOSCTTM of {points}: of all other {rows} rows, the fraction that lies nearer to the end of the flow than "
         "the true partner, the mean of both directions. Pairs that were used are left out."),
        (f"{stage}_recall_10", "Flow: partner among the 10 nearest", "perfect: 100%",
         f"Share of {points} whose true partner is among the ten {rows} rows nearest to the end of the flow, the mean "
         "of both directions."),
        (f"{stage}_pair_cosine", "Flow: cosine with the partner", "perfect: 1.00",
         f"Mean cosine between the end of the flow and the true partner of {points}."),
    ]  # fmt: skip
    if not any(name in metrics for name, *_ in shown):
        return
    for column, (name, label, compare, explained) in zip(st.columns(4), shown, strict=True):
        if name in metrics:
            value = f"{metrics[name]:.2f}" if name.endswith("cosine") else f"{metrics[name]:.1%}"
            column.metric(label, value, compare, delta_color="off", delta_arrow="off", help=explained)


def _neurons(metrics: dict[str, float]) -> None:
    """A row for runs towards neurons: how well the flow predicts each of them."""
    shown = [
        ("test_prediction_error", "Flow: error per neuron", "each neuron's mean: 1.00, perfect: 0.00",
         "Squared error of the flow's mean prediction of new points, in units of the neuron's variance, on average "
         "over the neurons."),
        ("test_neuron_correlation", "Flow: correlation per neuron", "guessing: 0.00, perfect: 1.00",
         "Correlation of the flow's mean prediction with the recorded responses to new points, on average over the "
         "neurons."),
    ]  # fmt: skip
    if any(name in metrics for name, *_ in shown):
        for column, (name, label, compare, explained) in zip(st.columns(4), shown, strict=False):
            column.metric(
                label, f"{metrics[name]:.2f}", compare, delta_color="off", delta_arrow="off", help=explained
            )  # fmt: skip
