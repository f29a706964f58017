"""What pages have in common: the question at the top, the way on at the bottom, numbers and downloads of a run."""

from __future__ import annotations

import io
import json
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import streamlit as st

from bridgeviz import Problem, Run, __version__

_VERSIONS = ("jax", "jaxlib", "flax", "optax", "diffrax", "ott-jax", "numpy", "scikit-learn", "streamlit", "plotly")


def question(text: str, lead: str) -> None:
    """The one question that a page answers, and a sentence or two on why."""
    st.title(text)
    st.markdown(lead)


def onwards(file: str, said: str) -> None:
    """The link to the next page; it carries the settings along."""
    st.divider()
    st.page_link(f"pages/{file}.py", label=f"**Next:** {said}", icon=":material/arrow_forward:")


def report(run: Run) -> str:
    """Config, numbers, seconds and versions of a run as JSON."""
    return json.dumps(
        {
            "config": run.config.as_dict(),
            "pairs": len(run.pairs),
            "metrics": run.metrics,
            "final_loss": float(np.mean(run.losses[-50:])),
            "steps_done": len(run.losses),
            "seconds": run.seconds,
            "device": run.device,
            "versions": versions(),
        },
        indent=2,
    )


def versions() -> dict[str, str]:
    """Of bridgeviz and of what it computes with."""
    found = {"bridgeviz": __version__}
    for name in _VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def transported(run: Run) -> bytes:
    """The test points (or, without a test split, the source points) carried to the target space, as .npy."""
    problem = run.problem.test or run.problem
    states = run.flow.transport(problem.source.x, seed=run.config.seed).states[-1]
    buffer = io.BytesIO()
    np.save(buffer, states.astype(np.float32))
    return buffer.getvalue()


def known(problem: Problem) -> int:
    """How many pairs of a problem are known."""
    return 0 if problem.truth is None else len(problem.truth)


def numbers(measured: dict[str, float], *, pairs: int, known: int, chance: float) -> None:
    """The numbers of a run in one row, each beside what it is to be compared with."""
    columns = st.columns(4)
    columns[0].metric("Pairs used", f"{pairs:,}", f"of {known:,} known", delta_color="off", delta_arrow="off")
    if "matching_accuracy" in measured:
        columns[1].metric(
            "Coupling: right class", f"{measured['matching_accuracy']:.0%}", f"guessing: {chance:.0%}",
            delta_color="off", delta_arrow="off", help="Share of the plan's mass that joins points of one class.",
        )  # fmt: skip
    if "test_accuracy" in measured:
        columns[2].metric(
            "Flow: right on new points", f"{measured['test_accuracy']:.0%}", f"guessing: {chance:.0%}",
            delta_color="off", delta_arrow="off", help="Share of test points, never seen in training, that decode to "
            "their own class after the flow.",
        )  # fmt: skip
    if "source_overlap" in measured:
        columns[3].metric(
            "Overlap of source classes", f"{measured['source_overlap']:.0%}", "0%: kept apart", delta_color="off",
            delta_arrow="off", help="Share of each point's 15 nearest neighbours that belong to another class.",
        )  # fmt: skip
