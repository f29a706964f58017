"""The options of a cost on pairs: a frozen dataclass that builds the cost."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Any, ClassVar, Concatenate, ParamSpec

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz._options import Choice, Count, Options, option
from bridgeviz.costs._cost import Cost
from bridgeviz.costs._intra import METRICS
from bridgeviz.costs._soft_pairs import SoftPairs
from bridgeviz.problem import Pairs, Problem

P = ParamSpec("P")


@dataclass(frozen=True)
class CostVariant:
    """A setting of a cost that `recommend` compares.

    Attributes:
        options: those that differ from the defaults.
        title: of its row in the benchmark of costs; a variant without a title has no row there.
    """

    options: Mapping[str, Any]
    title: str = ""


def metric_option(default: str) -> Any:
    """The field `metric`, the distance within each space."""
    return option(Choice(METRICS), default, label="Metric", help="Distance within each space.")


def neighbours_option() -> Any:
    """The field `k` of a cost on neighbour graphs."""
    return option(
        Count(),
        10,
        label="Neighbours k",
        stops=("3", "5", "10", "15", "30"),
        limits=(1, 1000),
        help="Neighbours per point in the graph that the cost runs along.",
    )


@dataclass(frozen=True, kw_only=True)
class CostOptions(Options, ABC):
    """The base of every cost on pairs: `Bridge(metric="cosine")(x, y, pairs)` builds a `Cost`.

    A new cost is one file with a subclass and one line in `bridgeviz.costs.COSTS`. The subclass is a frozen dataclass
    with a `name`, a `summary`, a `lead`, its options as fields, and `build`.

    Attributes:
        variants: what `recommend` and the benchmark try; the defaults alone, titled by the name, unless given.
        needs_pairs: whether it needs at least one pair.
        metric: within each space: a name in `METRICS`.
    """

    variants: ClassVar[tuple[CostVariant, ...]] = ()
    needs_pairs: ClassVar[bool] = True
    metric: str = metric_option("cosine")

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "variants" not in cls.__dict__:
            cls.variants = (CostVariant({}, title=cls.name.replace("_", " ")),)
        if "build" in cls.__dict__:
            setattr(cls, "build", _rebuilds(cls.build))  # noqa: B010 - a method of an abstract class

    @abstractmethod
    def build(self, x: ArrayLike, y: ArrayLike, pairs: ArrayLike) -> Cost:
        """The cost between the rows of x (n, p) and y (m, q), built on the pairs (l, 2)."""

    def build_for(self, problem: Problem, pairs: Pairs | ArrayLike) -> Cost:
        """The cost between the rows of a problem; a cost that is fitted to all rows reads their weights as well."""
        return self.build(problem.source.x, problem.target.x, np.asarray(pairs))

    @property
    def within(self) -> str:
        """The metric within each space, for what is not a cost between them: cosine, where `metric` leaves it open."""
        return self.metric or "cosine"

    def __call__(self, x: ArrayLike, y: ArrayLike, pairs: ArrayLike) -> Cost:
        return self.build(x, y, pairs)


def functional(options: Callable[P, CostOptions]) -> Callable[Concatenate[ArrayLike, ArrayLike, ArrayLike, P], Cost]:
    """A class of options as a function: `bridge(x, y, pairs, metric=...)` is `Bridge(metric=...)(x, y, pairs)`.

    The function takes its name, docstring and keyword arguments from the class.
    """

    def build(x: ArrayLike, y: ArrayLike, pairs: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> Cost:
        return options(*args, **kwargs).build(x, y, pairs)

    cls: Any = options
    nouns = list(inspect.signature(build).parameters.values())[:3]
    keywords = inspect.signature(cls).parameters.values()
    build.__name__ = build.__qualname__ = cls.name
    build.__module__, build.__doc__ = cls.__module__, cls.__doc__
    setattr(build, "__signature__", inspect.Signature([*nouns, *keywords], return_annotation="Cost"))  # noqa: B010
    return build


def _rebuilds(build: Callable[..., Cost]) -> Callable[..., Cost]:
    """A `build` whose cost can be built again on soft pairs, if only on the confident ones."""

    @wraps(build)
    def built(self: Any, x: Any, y: Any, pairs: Any) -> Cost:
        cost = build(self, x, y, pairs)
        again = partial(_on_confident_pairs, partial(built, self, x, y))
        return cost if cost.rebuild is not None else replace(cost, rebuild=again)

    return built


def _on_confident_pairs(build: Callable[[np.ndarray], Cost], soft: SoftPairs) -> Cost:
    return build(soft.confident)
