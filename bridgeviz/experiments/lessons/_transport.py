"""Why does transport need all points?"""

from __future__ import annotations

from functools import partial

from bridgeviz.experiments import equations
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments.lessons._measures import cheapest, matched
from bridgeviz.experiments.lessons._step import Lesson, Step, best, percent

_COVERED = {"dataset": "digits", "count": 13, "cover_classes": True}


def _cheapest_or_plan(cost: str) -> dict[str, float]:
    return {
        "the cheapest target": cheapest(**_COVERED, cost=cost),
        "the plan": matched(**_COVERED, cost=cost),
    }


def _fill() -> dict[str, float]:
    settings = {**_COVERED, "cost": "diffusion_bridge"}
    relaxed = {"a fifth less strict (tau 0.8)": 0.8, "hardly at all (tau 0.1)": 0.1}
    values = {"strictly (tau 1)": matched(**settings)}
    return values | {title: matched(**settings, tau=(1.0, tau)) for title, tau in relaxed.items()}


LESSON = Lesson(
    title="Why does transport need all points?",
    about="The cheapest target of each row is decided row by row. A plan is decided for all rows together.",
    steps=(
        Step(
            text="Each class has a pair, 13 in all, and the cost is the diffusion bridge: the cheapest target is "
            "right for {the cheapest target} of the digits. Transport uses the same cost, but all target rows must "
            "be filled.",
            question="How much of the plan's mass goes to the right class?",
            measure=partial(_cheapest_or_plan, "diffusion_bridge"),
            shown=("the cheapest target", "the plan"),
            answer="the plan",
            formula=equations.PLAN,
            page="coupling",
            told=lambda v: (
                f"{percent(v['the plan'])}, {v['the plan'] - v['the cheapest target']:+.0%}. Rows that "
                "would all crowd into one class are pushed on, to where there is room: where they belong."
            ),
            config=RunConfig(**_COVERED, cost="diffusion_bridge"),
        ),
        Step(
            text="The same 13 pairs with the plain bridge, which is more often wrong.",
            question="Which is right more often now?",
            measure=partial(_cheapest_or_plan, "bridge"),
            shown=("the cheapest target", "the plan"),
            page="coupling",
            told=lambda v: (
                f"{best(v, tuple(v))}, against {percent(min(v.values()))}. A plan trusts its cost: whoever "
                "is pushed out of a class by a wrong row is then wrong as well. What transport adds depends on "
                "the cost."
            ),
            config=RunConfig(**_COVERED, cost="bridge"),
        ),
        Step(
            text="Back to the diffusion bridge. How strictly the target rows are filled is a setting, tau.",
            question="How strictly should they be filled here?",
            measure=_fill,
            shown=("strictly (tau 1)", "a fifth less strict (tau 0.8)", "hardly at all (tau 0.1)"),
            told=lambda v: (
                f"{best(v, tuple(v))}. Both sides hold the same classes in the same shares. That is "
                "knowledge, and filling the target strictly puts it to use; without it, each row would go its "
                "own way."
            ),
            page="coupling",
            config=RunConfig(**_COVERED, cost="diffusion_bridge"),
        ),
    ),
)
