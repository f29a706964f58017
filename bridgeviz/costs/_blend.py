"""The blend: two costs that see different things, averaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from numpy.typing import ArrayLike

from bridgeviz._options import Choice, Interval, option
from bridgeviz.costs._convex import convex_combination
from bridgeviz.costs._cost import Cost
from bridgeviz.costs._cost_options import CostOptions, CostVariant, functional
from bridgeviz.costs._intra import METRICS
from bridgeviz.costs._registry import COSTS
from bridgeviz.problem import Pairs, Problem


class _Others(Mapping[str, type[CostOptions]]):
    """The registered costs without the blend itself; looked up on each use, so that the registry may grow."""

    def __getitem__(self, name: str) -> type[CostOptions]:
        if name == Blend.name:
            raise KeyError(name)
        return COSTS[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in COSTS if name != Blend.name)

    def __len__(self) -> int:
        return sum(1 for _ in self)


_OTHERS = _Others()


@dataclass(frozen=True, kw_only=True)
class Blend(CostOptions):
    """`C = (1 - s) C_1 / mean(C_1) + s C_2 / mean(C_2)`: two costs on a common scale, averaged.

    The diffusion bridge follows curved clouds from neighbour to neighbour and is blind to directions; the Procrustes
    bridge compares directions and is blind to curves. Where the spaces are nearly, but not quite, a rotation of one
    another, each corrects mistakes of the other. `recommend` chooses the share by held-out pairs. Both costs are built
    with their defaults; `convex_combination` takes any number of costs as they were built.

    Args:
        x: (n, p) source rows.
        y: (m, q) target rows.
        pairs: (l, 2) rows known to correspond.
        metric: within each space, for both costs; None leaves each its own.
        first, second: names of registered costs.
        share: s in [0, 1], the weight of the second cost; 0 is the first alone.

    Raises:
        InputError: as for the two costs, or an option out of range.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(40, 5))
    >>> cost = blend(x, x, [[0, 0], [5, 5], [9, 9]], share=0.5)
    >>> bool((cost.dense().argmin(1) == np.arange(40)).mean() > 0.5)
    True
    """

    name = "blend"
    summary = "two costs averaged, such as one along neighbours and one along directions"
    lead = (
        "Two costs on a common scale are averaged. One that follows neighbours and one that compares directions make "
        "different mistakes, and a pair of points that both call near is more likely to be a match."
    )
    formula = r"C = (1 - s) \, C_1 / \overline{C_1} + s \, C_2 / \overline{C_2}"
    variants = (
        CostVariant({}, title="blend"),
        CostVariant({"share": 0.1}),
        CostVariant({"share": 0.6}),
        CostVariant({"second": "discriminant_bridge"}, title="blend of diffusion and discriminant"),
    )
    metric: str | None = option(  # pyright: ignore[reportIncompatibleVariableOverride]
        Choice(METRICS), None, label="Metric", word="auto", help="Distance within each space."
    )
    first: str = option(
        Choice(_OTHERS), "diffusion_bridge", label="First cost", key="first_cost", help="The first of both costs."
    )
    second: str = option(
        Choice(_OTHERS), "procrustes_bridge", label="Second cost", key="second_cost", help="The second of both costs."
    )
    share: float = option(
        Interval(0.0, 1.0), 0.3, label="Share of the second", key="second_share",
        stops=("0", "0.1", "0.2", "0.3", "0.5", "0.7", "0.8", "0.9", "1"),
        help="How much the second cost counts: 0 is the first alone, 1 the second alone.",
    )  # fmt: skip

    @property
    def parts(self) -> dict[CostOptions, float]:
        """The costs that count, with their weights."""
        weights = {self.first: 1 - self.share}
        weights[self.second] = weights.get(self.second, 0.0) + self.share
        named = {} if self.metric is None else {"metric": self.metric}
        return {COSTS[name](**named): weight for name, weight in weights.items() if weight}

    def build(self, x: ArrayLike, y: ArrayLike, pairs: ArrayLike) -> Cost:
        """The cost between the rows of x and y."""
        return self.of({part: part.build(x, y, pairs) for part in self.parts})

    def build_for(self, problem: Problem, pairs: Pairs | ArrayLike) -> Cost:
        """The cost between the rows of a problem."""
        return self.of({part: part.build_for(problem, pairs) for part in self.parts})

    def of(self, built: Mapping[CostOptions, Cost]) -> Cost:
        """The blend of costs that are built already."""
        parts = self.parts
        return replace(convex_combination([built[part] for part in parts], list(parts.values())), name=self.name)


blend = functional(Blend)
