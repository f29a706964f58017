"""Heun's method."""

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
class Heun(FixedStep):
    """Heun's method: second order, two evaluations of the field per step."""

    name = "heun"
    where = "Heun"
    summary = "Heun's method with equal steps: second order"

    def advance(
        self, field: VelocityField, condition_at: Callable[[Array], PyTree], z: Array, condition: PyTree, k: Array
    ) -> Step:
        h = 1.0 / self.steps
        end = condition_at((k + 1) * h)
        first = field.velocity(z, condition)
        second = field.velocity(z + h * first, end)
        return Step(z + h / 2 * (first + second), end, first, second)
