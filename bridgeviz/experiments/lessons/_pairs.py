"""What is a pair worth?"""

from __future__ import annotations

from bridgeviz import metrics
from bridgeviz.costs import Bridge
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments.lessons._measures import DIGITS, cheapest, matched, until
from bridgeviz.experiments.lessons._step import Lesson, Step, best, percent


def _first_pairs() -> dict[str, float]:
    return {"7 pairs": cheapest(**DIGITS, count=7)}


def _doublings() -> dict[str, float]:
    counts = (7, 14, 28, 56)
    right = [cheapest(**DIGITS, count=count) for count in counts]
    return {
        f"{a} → {b} pairs": max(0.0, y - x) for a, b, x, y in zip(counts, counts[1:], right, right[1:], strict=False)
    }


def _missing() -> dict[str, float]:
    pipeline = until("pairs", {**DIGITS, "count": 7})
    pair = metrics.uncovered_pair(pipeline.problem, pipeline.pairs)
    assert pair is not None, "7 pairs can't cover ten classes"
    return {
        "7 pairs": cheapest(**DIGITS, count=7),
        "one more, of a class without any": cheapest(**DIGITS, count=7, edits=f"{pair[0]}:{pair[1]}"),
        "ten more, drawn at random": cheapest(**DIGITS, count=17),
    }


def _costs() -> dict[str, float]:
    names = {"the bridge": "bridge", "KNN": "knn", "the diffusion bridge": "diffusion_bridge"}
    return {title: matched(dataset="digits", cost=name, count=13) for title, name in names.items()}


LESSON = Lesson(
    title="What is a pair worth?",
    about="A pair says which source row belongs to which target row. All other distances are measured across pairs.",
    steps=(
        Step(
            text="1,347 handwritten digits, and as many codes of labels. Only 7 of them are known to correspond, a "
            "pair in 200.",
            question="For how many digits is the cheapest code that of the right label?",
            measure=_first_pairs,
            shown=("7 pairs",),
            answer="7 pairs",
            formula=Bridge.formula,
            told=lambda v: (
                f"{percent(v['7 pairs'])}. Guessing would give 10%. A class without a pair can hardly be "
                "right: no leg of a bridge ends in it."
            ),
            config=RunConfig(**DIGITS, count=7),
        ),
        Step(
            text="Now the number of pairs is doubled, three times in turn.",
            question="Which doubling gains the most?",
            measure=_doublings,
            shown=("7 → 14 pairs", "14 → 28 pairs", "28 → 56 pairs"),
            told=lambda v: (
                f"{best(v, tuple(v))} more of the digits. What counts is less the number of pairs than "
                "whether each class, and each way of writing it, has one."
            ),
            config=RunConfig(**DIGITS, count=28),
        ),
        Step(
            text="With 7 pairs, {7 pairs} are right, and some classes have no pair at all.",
            question="Which is worth more: one pair of a class that has none, or ten more at random?",
            measure=_missing,
            shown=("one more, of a class without any", "ten more, drawn at random"),
            told=lambda v: (
                f"{best(v, ('one more, of a class without any', 'ten more, drawn at random'))}. Per pair, "
                "the chosen one gains "
                f"{(v['one more, of a class without any'] - v['7 pairs']):+.0%}, each of the ten "
                f"{(v['ten more, drawn at random'] - v['7 pairs']) / 10:+.1%}: choose pairs where none is near."
            ),
            config=RunConfig(**DIGITS, count=7),
        ),
        Step(
            text="The same 13 pairs can be used in several ways: straight to the nearest pair (the bridge), by the "
            "distances to all pairs (KNN), or along the cloud of points (the diffusion bridge).",
            question="Which cost makes most of 13 pairs?",
            measure=_costs,
            shown=("the bridge", "KNN", "the diffusion bridge"),
            told=lambda v: f"{best(v, tuple(v))}. A cost that knows the shape of the cloud needs fewer pairs.",
            config=RunConfig(dataset="digits", cost="diffusion_bridge", count=13),
            page="coupling",
        ),
    ),
)
