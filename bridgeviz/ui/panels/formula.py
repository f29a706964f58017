"""The last layer of each page: the formula behind its picture, folded away."""

from __future__ import annotations

import streamlit as st

from bridgeviz import RunConfig
from bridgeviz.costs import Bridge
from bridgeviz.experiments import equations
from bridgeviz.ui.text import literal

TITLE = "The formula"

PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "start": (
        "Two frozen models $f_X$ and $f_Y$ see the same things $d$. What is learned is a map between their spaces. It "
        "is given as a flow: noise $z$ becomes a target point, guided by $x$.",
        (equations.MAP, equations.SOLVE),
    ),
    "lessons": (
        "Pairs enter the cost $C$; epsilon blurs the plan $\\pi$; tau, which sets the marginal terms, lets it leave "
        "points out. Each lesson turns one of these.",
        (Bridge.formula, equations.PLAN, equations.TAU),
    ),
    "data": (
        "The overlap of a point is the share of its $k$ nearest neighbours whose label $l$ is another one, here with "
        "$k = 15$.",
        (equations.OVERLAP,),
    ),
    "flow": (
        "A network $v$ learns the velocity at which noise $z$, drawn from a normal distribution, moves to a target "
        "point $y$. The pairs $(x, y)$ are drawn from the plan, and $t$ from 0 to 1. A new point is carried by "
        "following the velocity.",
        (equations.LOSS, equations.SOLVE),
    ),
    "diagnose": (
        "A transported point takes the label $l$ of the nearest target row (or of the target's own decoder, where it "
        "has one). The accuracy is the share of points that get their own label.",
        (equations.NEAREST, equations.ACCURACY),
    ),
    "compare": (
        "Both runs are judged by the same share: the points that get their own label. Without labels, FOSCTTM is the "
        "share of the other rows that lie nearer than a point's own partner.",
        (equations.ACCURACY, equations.PARTNER),
    ),
    "partners": (
        "Without labels, an end $\\hat{y}_i$ is judged by its own partner $y_i$: FOSCTTM is the share of the other "
        "rows that lie nearer.",
        (equations.PARTNER,),
    ),
    "paper": (
        "All figures are about one chain: a cost from the pairs, a plan from the cost, a flow from the plan, and an "
        "accuracy.",
        (Bridge.formula, equations.PLAN, equations.LOSS, equations.ACCURACY),
    ),
    "which_method": (
        "Where a target is a class, methods are judged by the share of points that get their own label; where every "
        "row has one partner, by FOSCTTM: the share of the other rows that lie nearer than it.",
        (equations.ACCURACY, equations.PARTNER),
    ),
    "your_data": (
        "What is sought is a map between your two spaces, which the known pairs $P$ begin.",
        (equations.MAP, r"P = \{ (x_p, y_p) \}_{p=1}^{l}"),
    ),
}
"""A sentence and the formulas of each page on which they do not depend on the settings; "partners" is Diagnose
without labels."""


def of_page(name: str) -> None:
    """The formulas of a page in `PAGES`."""
    _folded(*PAGES[name])


def of_cost(config: RunConfig) -> None:
    """The formula of the cost."""
    if config.coupling.uses_cost:
        text = f"The cost **{literal(config.cost.name)}** between source row $i$ and target row $j$: {config.cost.lead}"
        _folded(text, (config.cost.formula or Bridge.formula,))


def of_plan(config: RunConfig) -> None:
    """What the plan minimises."""
    texts = [
        "$C$ is the cost, divided by its mean, $H$ the entropy, and $\\mu$, $\\nu$ are the weights of the rows.",
        "With tau 1, a marginal is met exactly; the less tau is, the more mass may be left out.",
    ]
    solved = config.tau is not None
    _folded(" ".join(texts) if solved else config.coupling.introduction,
            (config.coupling.objective, *([equations.TAU] if solved else [])))  # fmt: skip


def _folded(text: str, formulas: tuple[str, ...]) -> None:
    with st.expander(TITLE, icon=":material/function:", key="formula"):
        st.markdown(text)
        for formula in formulas:
            st.latex(formula)
        if any("quad (" in formula for formula in formulas):
            st.caption("Numbers in parentheses are those of the paper's equations.")
