"""The classic Runge-Kutta method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridgeviz.flows._fixed_step import FixedStep, Step

if TYPE_CHECKING:
    from jax import Array
    from jaxtyping import PyTree

    from bridgeviz.flows._field import VelocityField


@dataclass(frozen=True, kw_only=True)
class RK4(FixedStep):
    """The classic Runge-Kutta method: fourth order, four evaluations of the field per step."""

    name = "rk4"
    where = "RK4"
    summary = "the classic Runge-Kutta method with equal steps: fourth order"

    def advance(
        self, field: VelocityField, condition_at: Callable[[Array], PyTree], z: Array, condition: PyTree, k: Array
    ) -> Step:
        h = 1.0 / self.steps
        middle, end = condition_at((k + 0.5) * h), condition_at((k + 1) * h)
        first = field.velocity(z, condition)
        second = field.velocity(z + h / 2 * first, middle)
        third = field.velocity(z + h / 2 * second, middle)
        fourth = field.velocity(z + h * third, end)
        return Step(z + h / 6 * (first + 2 * second + 2 * third + fourth), end, first, fourth)
