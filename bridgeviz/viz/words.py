"""What the numbers of a diagnosis say, in words. Every number is the diagnosis's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bridgeviz.metrics.diagnosis import Collision
from bridgeviz.metrics.story import Story


def collision_sentence(collision: Collision, names: dict[str, str], *, estimated: bool = False) -> str:
    """What happened to two classes at every stage, and which stage the numbers point at.

    Args:
        collision: of `bridgeviz.metrics.diagnosis.collisions`.
        names: from class, as text, to name.
        estimated: whether the plan's share was counted from draws.
    """
    a, b = (names.get(str(c), str(c)) for c in (collision.true, collision.taken))
    about = "about " if estimated else ""
    said = [
        f"Overlap: {collision.overlap:.0%} of the neighbours of {a} are {b}.",
        f"Nearest pair: for {collision.nearest:.0%} of {a} it is a {b} "
        f"({a} has {_pairs(collision.true_pairs)}, {b} has {_pairs(collision.taken_pairs)}).",
    ]
    if np.isfinite(collision.cheapest):
        said.append(f"Cost: for {collision.cheapest:.0%} of {a} the cheapest target is a {b}.")
    said.append(f"Coupling: {about}{collision.plan:.0%} of the mass of {a} goes to {b}.")
    return " ".join(said)


def blame(
    collision: Collision, names: dict[str, str], *, strategy: str = "global", tau: tuple[float, float] = (1.0, 1.0)
) -> str:
    """Which stage the numbers of a collision point at, and what to try. A stage counts if it shows half of it.

    Args:
        collision: to explain.
        names: from class, as text, to name.
        strategy, tau: that the plan was made with. The true strategy's plan holds the pairs alone, so that it is
            never to blame; only tau = 1 for the target forces the plan to use every target row equally.
    """
    a, b = (names.get(str(c), str(c)) for c in (collision.true, collision.taken))
    least = collision.share / 2
    if strategy == "true":
        if collision.true_pairs > 0 and max(collision.nearest, collision.overlap) < least:
            return (
                f"The pairs alone leave gaps between {a} and {b}, and the flow filled them wrongly: use more pairs, "
                "or the strategy global."
            )
    elif collision.plan < least:
        return f"The plan keeps {a} and {b} apart better than the flow does: train longer, or use a larger network."
    if collision.true_pairs == 0:
        return f"No pair says where {a} belongs: one pair of {a} would help most."
    if (
        strategy != "true"
        and tau[1] == 1
        and np.isfinite(collision.cheapest)
        and collision.cheapest < collision.plan / 2
    ):
        if collision.taken_pairs == 0:
            return (
                f"No pair vouches for {b}, yet the plan must give it its share of the mass, and takes {a} for it: one "
                f"pair of {b} would help most, or a tau below 1."
            )
        return (
            f"The cost alone would send fewer {a} to {b}; the plan has to use every target equally, and {b} has room: "
            "try a tau below 1, or pairs that cover all classes."
        )
    if collision.overlap >= least:
        return f"{a} and {b} lie on top of one another in the source: better features would help, training would not."
    if collision.nearest >= least:
        return f"Pairs of {b} lie nearer to many {a} than pairs of {a} do: more pairs of {a} would help."
    return f"Over the pairs as they are, {b} is a cheap target for {a}: try another cost, or more pairs of {a}."


def story_verdict(story: Story, names: dict[str, str]) -> str:
    """Where one point went wrong first, in one sentence."""
    if story.stage == "unknown":
        return "Without labels on both sides nothing can be called wrong."
    right = np.mean(story.arrived == story.label)
    name = names.get(str(story.label), str(story.label))
    if story.stage == "right":
        return "It arrives where it belongs, " + (
            "every time." if right == 1 else f"from {right:.0%} of the noise draws."
        )
    ends = f"It ends as {_listed([names.get(str(c), str(c)) for c in story.arrived if c != story.label])}."
    near = names.get(str(story.pair_label), str(story.pair_label))
    if story.stage == "overlap":
        return (
            f"It goes wrong at the start: most of its neighbours are not {name}, so whatever is built on distances "
            f"takes it for one of them. {ends}"
        )
    if story.stage == "pair":
        return f"It lies among {name}, but the nearest pair is a {near}: a pair of {name} close by would help. {ends}"
    if story.stage == "coupling":
        return (
            "Neighbours and nearest pair are right, and still the plan sends it elsewhere: look at the cost, epsilon "
            f"and tau. {ends}"
        )
    return f"The plan is right and the flow is not: train longer, or use a larger network. {ends}"


def listed(names: Sequence[str], *, most: int = 12) -> str:
    """The names, or the first of them and how many more there are.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def _pairs(count: int) -> str:
    return {0: "no pair", 1: "1 pair"}.get(count, f"{count:,} pairs")


def _listed(names: Sequence[str]) -> str:
    """The different names, the most frequent first."""
    found, counts = np.unique(np.asarray(names, dtype=str), return_counts=True)
    return ", ".join(found[np.argsort(-counts, kind="stable")])
