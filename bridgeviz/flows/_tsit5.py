"""Tsitouras' adaptive method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridgeviz._options import Positive, option
from bridgeviz.flows._ode import OdeOptions

if TYPE_CHECKING:
    from jax import Array
    from jax.typing import ArrayLike

    from bridgeviz.flows._field import VelocityField

MOST_STEPS = 4096


@dataclass(frozen=True, kw_only=True)
class Tsit5(OdeOptions):
    """Tsitouras' 5(4) method (diffrax): adaptive steps.

    Attributes:
        tolerance: relative and absolute tolerance of each step.
    """

    name = "tsit5"
    where = "Tsit5"
    summary = "Tsitouras' 5(4) method with adaptive steps"

    tolerance: float = option(
        Positive(), 1e-4, label="Tolerance", key="ode_tolerance", help="Relative and absolute tolerance of each step."
    )

    def solve(self, field: VelocityField, x: Array, z: Array, ts: Array) -> tuple[Array, Array]:
        import diffrax
        import jax.numpy as jnp

        encoded = field.encode(x)

        def velocity(t: ArrayLike, z: Array, _: None) -> Array:
            return field.velocity(z, field.condition(jnp.reshape(t, (1,)), encoded))

        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(velocity), diffrax.Tsit5(), t0=0.0, t1=1.0, dt0=None, y0=z, saveat=diffrax.SaveAt(ts=ts),
            stepsize_controller=diffrax.PIDController(rtol=self.tolerance, atol=self.tolerance),
            max_steps=MOST_STEPS, throw=False,
        )  # fmt: skip
        return jnp.asarray(solution.ys), solution.result == diffrax.RESULTS.successful

    @property
    def advice(self) -> str:
        return f"Try a larger tolerance, such as {max(10 * self.tolerance, 1e-5):.0e}, or solver='heun'."
