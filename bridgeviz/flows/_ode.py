"""What an ODE solver is: an object that follows a velocity field from noise to target."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridgeviz._options import Options

if TYPE_CHECKING:
    from jax import Array

    from bridgeviz.flows._field import VelocityField


@dataclass(frozen=True, kw_only=True)
class OdeOptions(Options, ABC):
    """Base class of the solvers of `dz/dt = v_t(z | x)` from t = 0 to 1 (Eq. 12).

    A subclass is a frozen dataclass with a `name`, its options as fields, and `solve`. Pass an object of it to
    `Flow.transport(solver=...)`, or register it in `ODE_SOLVERS` to select it by name. Equal objects share one
    compiled program.
    """

    @abstractmethod
    def solve(self, field: VelocityField, x: Array, z: Array, ts: Array) -> tuple[Array, Array]:
        """Follow the field; traced by JAX.

        Args:
            field: the velocity field.
            x: (n, p) source points, standardised.
            z: (n, q) noise, the state at t = 0.
            ts: (T,) increasing times in [0, 1] to report.

        Returns:
            The (T, n, q) states, and whether the solver reached t = 1.
        """

    @property
    def advice(self) -> str:
        """What to try if the states are not finite or the solver gave up."""
        return "The weights may be damaged, or training needs a smaller learning rate."
