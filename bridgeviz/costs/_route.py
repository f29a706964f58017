"""The route from a source row to a target row over one pair."""

from __future__ import annotations

from typing import NamedTuple


class Route(NamedTuple):
    """How one pair bridges a source row and a target row.

    Attributes:
        pair: the pair's number.
        leg_x, leg_y: without a `share`, the lengths of the two legs, which add up to the cost; with one, the fractions
            of the two rows' mass that come from this pair.
        way_x: the source rows from x_i to the pair's source.
        way_y: the target rows from the pair's target to y_j.
        share: this pair's share of what the two rows have in common; None where a single pair makes the cost.
    """

    pair: int
    leg_x: float
    leg_y: float
    way_x: list[int]
    way_y: list[int]
    share: float | None = None

    @property
    def cost(self) -> float:
        """The sum of the legs."""
        return self.leg_x + self.leg_y
