"""What to change where points go wrong at some stage: settings that mend it, if any do."""

from __future__ import annotations

from typing import NamedTuple

from bridgeviz.experiments._config import RunConfig

LEAST_TAU = 0.9
"""The tau of the target that lets a plan leave rows of it out."""


class Remedy(NamedTuple):
    """A change that addresses one stage.

    Attributes:
        why: what happens at the stage, in a sentence.
        what: the change, as the label of a button; "" if no setting mends it.
        config: the settings with the change; None if no setting mends it.
    """

    why: str
    what: str = ""
    config: RunConfig | None = None


def remedy(stage: str, config: RunConfig, *, uncovered: bool = False) -> Remedy:
    """The change to try first where most points go wrong at a stage.

    Args:
        stage: one of `metrics.Failures.counts`: "overlap", "pair", "cost", "coupling" or "flow".
        config: of the run.
        uncovered: whether a class has no pair.

    >>> remedy("flow", RunConfig(steps=100)).config.flow.steps
    200
    """
    return {"overlap": _overlap, "pair": _pair, "cost": _cost, "coupling": _coupling, "flow": _flow}[stage](
        config, uncovered
    )


def _overlap(config: RunConfig, uncovered: bool) -> Remedy:
    why = "Most of their neighbours in the source belong to other classes."
    return Remedy(f"{why} No setting mends that; features that separate the classes would.")


def _pair(config: RunConfig, uncovered: bool) -> Remedy:
    return _more_pairs(config, uncovered, "Their nearest pair belongs to another class.")


def _cost(config: RunConfig, uncovered: bool) -> Remedy:
    why = "By the cost, their cheapest target belongs to another class."
    if config.cost.name == "bridge":
        better = config.replace(cost="diffusion_bridge")
        return Remedy(why, "Take the diffusion bridge, which follows the shape of the data", better)
    return _more_pairs(config, uncovered, why)


def _coupling(config: RunConfig, uncovered: bool) -> Remedy:
    why = "Their cheapest target is right, but the plan sends them elsewhere."
    if config.coupling.forces_target_marginal:
        better = config.replace(tau=(1.0, LEAST_TAU))
        what = f"Let it leave target rows out: tau {LEAST_TAU:g}"
        return Remedy(f"{why} It must fill every target row.", what, better)
    if not config.coupling.uses_cost:
        return Remedy(why, "Take the global strategy", config.replace(strategy="global"))
    return _more_pairs(config, uncovered, why)


def _flow(config: RunConfig, uncovered: bool) -> Remedy:
    steps = 2 * config.flow.steps
    why = "The plan sends them home, but the flow does not."
    return Remedy(why, f"Train for {steps:,} steps", config.replace(steps=steps))


def _more_pairs(config: RunConfig, uncovered: bool, why: str) -> Remedy:
    if uncovered and not config.pairs.cover_classes:
        return Remedy(
            f"{why} Some classes have no pair.", "Give every class a pair", config.replace(cover_classes=True)
        )
    count, fraction = config.pairs.count, config.pairs.fraction
    if count is not None:
        return Remedy(why, f"Use {2 * count:,} pairs", config.replace(count=2 * count))
    if fraction and fraction < 1:
        more = min(1.0, 2 * fraction)
        return Remedy(why, f"Use {100 * more:.3g} % of the pairs", config.replace(fraction=more))
    return Remedy(f"{why} All known pairs are in use.")
