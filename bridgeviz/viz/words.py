"""The numbers of a diagnosis as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bridgeviz.couplings import Alignment, Global

if TYPE_CHECKING:
    from bridgeviz.couplings import Plan, RowsWithMass
    from bridgeviz.metrics import Collision, Story

_MOST_ROWS = 0.9
"""If a smaller share of the rows of either side carries mass, the accuracy is shown with a warning."""


def left_out(rows: RowsWithMass, accuracy: float, plan: Plan, names: Sequence[str]) -> str:
    """A warning if a plan carries mass on few rows only or leaves a class out, else "".

    Args:
        rows: of the plan.
        accuracy: its matching accuracy.
        plan: the plan.
        names: of the classes of both sides, in their order.
    """
    classes = {
        side: [name for name, share in zip(names, shares, strict=True) if share == 0]
        for side, shares in (("source", rows.source_groups), ("target", rows.target_groups))
    }
    if min(rows.source, rows.target) >= _MOST_ROWS and not any(classes.values()):
        return ""
    about = "About" if plan.estimated else "Only"
    sentences = [
        f"{about} {rows.source:.1%} of the source rows and {rows.target:.1%} of the target rows carry mass. The "
        f"accuracy of {accuracy:.1%} says nothing about the others."
    ]
    sentences += [f"No {side} row carries mass in class: {listed(left)}." for side, left in classes.items() if left]
    if plan.tau not in (None, (1.0, 1.0)):
        sentences.append("A larger Tau leaves fewer rows out.")
    return " ".join(sentences)


def collision_sentence(collision: Collision, names: dict[str, str], *, estimated: bool = False) -> str:
    """What each stage did with the two classes of a collision.

    Args:
        collision: from `bridgeviz.metrics.collisions`.
        names: of the classes, by class as text.
        estimated: whether the plan's share is an estimate from draws.
    """
    a, b = (names.get(str(c), str(c)) for c in (collision.true, collision.taken))
    about = "about " if estimated else ""
    sentences = [
        f"Overlap: {collision.overlap:.0%} of the neighbours of class {a} belong to class {b}.",
        f"Nearest pair: for {collision.nearest:.0%} of class {a}, it belongs to class {b} "
        f"(class {a} has {_pairs(collision.true_pairs)}, class {b} has {_pairs(collision.taken_pairs)}).",
    ]
    if np.isfinite(collision.cheapest):
        sentences.append(f"Cost: for {collision.cheapest:.0%} of class {a}, the cheapest target belongs to class {b}.")
    sentences.append(f"Coupling: {about}{collision.plan:.0%} of the mass of class {a} goes to class {b}.")
    return " ".join(sentences)


def blame(collision: Collision, names: dict[str, str], *, alignment: Alignment | None = None) -> str:
    """The stage that explains a collision, and what to try. A stage explains it if it shows at least half its share.

    Args:
        collision: to explain.
        names: of the classes, by class as text.
        alignment: that made the plan; None is a balanced global one. The plan of the true alignment contains only the
            pairs, so it is never to blame. Only a plan that must use every target row equally can be blamed for that.
    """
    alignment = Global() if alignment is None else alignment
    a, b = (names.get(str(c), str(c)) for c in (collision.true, collision.taken))
    least = collision.share / 2
    if not alignment.uses_cost:
        if collision.true_pairs > 0 and max(collision.nearest, collision.overlap) < least:
            return (
                f"The pairs say too little about the points between classes {a} and {b}, and the flow interpolates "
                "wrongly: use more pairs, or the global strategy."
            )
    elif collision.plan < least:
        return (
            f"The plan separates classes {a} and {b} better than the flow does: train longer, or use a larger network."
        )
    if collision.true_pairs == 0:
        return f"No pair shows where class {a} belongs: a single pair of class {a} would help most."
    forced = alignment.forces_target_marginal and np.isfinite(collision.cheapest)
    if forced and collision.cheapest < collision.plan / 2:
        if collision.taken_pairs == 0:
            return (
                f"Class {b} has no pair, but the plan must send it its share of the mass, and takes it from class {a}: "
                f"a single pair of class {b} would help most, or a target tau below 1."
            )
        return (
            f"The cost alone would send less of class {a} to class {b}, but the plan must use every target row "
            f"equally and fills up class {b} with it: try a target tau below 1, or pairs that cover all classes."
        )
    if collision.overlap >= least:
        return (
            f"Classes {a} and {b} overlap in the source space: better features would help, longer training would not."
        )
    if collision.nearest >= least:
        return (
            f"For many points of class {a}, the nearest pair belongs to class {b}: more pairs of class {a} would help."
        )
    return (
        f"With the current pairs, class {b} is a cheap target for class {a}: try another cost, or more pairs of "
        f"class {a}."
    )


def story_verdict(story: Story, names: dict[str, str]) -> str:
    """The first stage at which one point went wrong, and what to try, or that neither right nor wrong can be said.

    Args:
        story: of the point.
        names: of the classes, by class as text.
    """
    if story.stage == "unknown":
        return "Without labels on both sides, errors can't be detected."
    right = np.mean(story.arrived == story.label)
    name = names.get(str(story.label), str(story.label))
    if story.stage == "right":
        share = "all" if right == 1 else f"{right:.0%} of the"
        return f"It arrives in its own class for {share} draws of the noise."
    if story.stage == "undecided":
        others = _by_frequency([names.get(str(c), str(c)) for c in story.arrived if c != story.label])
        return (
            f"Undecided: {int((story.arrived == story.label).sum())} of {len(story.arrived)} draws of the noise arrive "
            f"in its own class, the others in class {others}. The flow does not tell them apart for this point."
        )
    ends = f"It ends in class {_by_frequency([names.get(str(c), str(c)) for c in story.arrived if c != story.label])}."
    near = names.get(str(story.pair_label), str(story.pair_label))
    if story.stage == "overlap":
        return (
            f"It goes wrong in the source space: most of its neighbours do not belong to class {name}, so anything "
            f"built on distances confuses it with them. {ends}"
        )
    if story.stage == "pair":
        return (
            f"Its neighbours belong to class {name}, but its nearest pair belongs to class {near}: a pair of class "
            f"{name} nearby would help. {ends}"
        )
    if story.stage == "cost":
        return (
            "Its neighbours and its nearest pair have the right class, but its cheapest target has another: try "
            f"another cost, or more pairs of class {name}. {ends}"
        )
    if story.stage == "coupling":
        return (
            "Its neighbours, its nearest pair and its cheapest target have the right class, but the plan sends it "
            f"elsewhere: check epsilon and tau. {ends}"
        )
    return f"The plan is right, but the flow is not: train longer, or use a larger network. {ends}"


def listed(names: Sequence[str], *, most: int = 12) -> str:
    """The names, or the first `most` of them and the number of the others.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def counted(count: int, noun: str) -> str:
    """A number with its noun, which is plural unless there is one.

    >>> counted(1, "pair"), counted(2000, "row")
    ('1 pair', '2,000 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _pairs(count: int) -> str:
    return counted(count, "pair") if count else "no pair"


def _by_frequency(names: Sequence[str]) -> str:
    """The distinct names, the most frequent first."""
    distinct, counts = np.unique(np.asarray(names, dtype=str), return_counts=True)
    return ", ".join(distinct[np.argsort(-counts, kind="stable")])


def memory(needed: int, limit: int) -> str:
    """How much memory transport between all rows takes, against the limit."""
    sizes = f"{needed / 2**30:.2g} GB of memory; the limit is {limit / 2**30:.2g} GB"
    if needed <= limit:
        return f"Transport between all rows takes {sizes}."
    return f"Transport between all rows would take {sizes}. Use the strategy local or true, or a sample of the rows."
