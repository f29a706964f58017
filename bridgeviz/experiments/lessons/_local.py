"""When does local alignment misguide?"""

from __future__ import annotations

from functools import cache

from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments.lessons._measures import DIGITS, matched
from bridgeviz.experiments.lessons._step import Lesson, Step, best, percent


@cache
def _batches() -> dict[str, float]:
    local = {**DIGITS, "count": 27, "strategy": "local"}
    sizes = {"batches of 16": 16, "batches of 64": 64, "batches of 256": 256}
    values = {title: matched(**local, batch_size=size) for title, size in sizes.items()}
    return values | {"all points at once": matched(**DIGITS, count=27)}


LESSON = Lesson(
    title="When does local alignment misguide?",
    about="To save memory, transport can be solved inside each small batch of points, as it is drawn.",
    steps=(
        Step(
            text="All digits at once: {all points at once} of the mass goes to the right class. Now the plan "
            "is made within batches of 16 digits and 16 codes, drawn at random.",
            question="How much is right within them?",
            measure=_batches,
            shown=("batches of 16", "all points at once"),
            answer="batches of 16",
            told=lambda v: (
                f"{percent(v['batches of 16'])}. In a small batch, a digit's label is often not there, and "
                "it must go to another."
            ),
            page="coupling",
            config=RunConfig(**DIGITS, count=27, strategy="local", batch_size=16),
        ),
        Step(
            text="A larger batch holds the right label more often.",
            question="Which is right most often?",
            measure=_batches,
            shown=("batches of 16", "batches of 64", "batches of 256", "all points at once"),
            told=lambda v: f"{best(v, tuple(v))}. The gap closes as batches grow; it never helps to see less.",
            page="coupling",
            config=RunConfig(**DIGITS, count=27, strategy="local", batch_size=256),
        ),
        Step(
            text="Of ten classes, a batch of 16 targets lacks some by chance.",
            question="With how much probability does a batch of 16 lack the label of a given digit?",
            measure=lambda: {"lacking": 0.9**16},
            shown=("lacking",),
            answer="lacking",
            told=lambda v: f"{percent(v['lacking'])}: 0.9 to the power of 16. No cost can mend that.",
            page="coupling",
            config=RunConfig(**DIGITS, count=27, strategy="local", batch_size=16),
        ),
    ),
)
