"""Six short lessons: each step asks for a bet, and then measures. Every number is measured when it is shown."""

from bridgeviz.experiments.lessons import _epsilon, _leave_out, _local, _overlap, _pairs, _transport
from bridgeviz.experiments.lessons._step import Lesson, Step

__all__ = ["LESSONS", "Lesson", "Step"]

LESSONS: dict[str, Lesson] = {
    "pairs": _pairs.LESSON,
    "transport": _transport.LESSON,
    "epsilon": _epsilon.LESSON,
    "local": _local.LESSON,
    "overlap": _overlap.LESSON,
    "leave_out": _leave_out.LESSON,
}
"""The lessons by name, in order."""
