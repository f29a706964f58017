"""ODE solvers with steps of equal length."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bridgeviz._options import Count, option
from bridgeviz.flows._ode import OdeOptions

if TYPE_CHECKING:
    from jax import Array
    from jaxtyping import PyTree

    from bridgeviz.flows._field import VelocityField


class Step(NamedTuple):
    """One step of a fixed-step solver.

    Attributes:
        state: (n, q) state at the end of the step.
        condition: condition of the field at that time.
        first: (n, q) velocity at the start of the step.
        last: (n, q) estimate of the velocity at its end.
    """

    state: Array
    condition: PyTree
    first: Array
    last: Array


@dataclass(frozen=True, kw_only=True)
class FixedStep(OdeOptions):
    """Base class of the solvers with `steps` equal steps; a subclass defines one step, in `advance`.

    Attributes:
        steps: number of steps from t = 0 to 1.
    """

    steps: int = option(Count(), 20, label="Steps", key="ode_steps", help="Number of steps of the ODE solver.")

    @abstractmethod
    def advance(
        self, field: VelocityField, condition_at: Callable[[Array], PyTree], z: Array, condition: PyTree, k: Array
    ) -> Step:
        """Step k, from state z at t = k / steps.

        Args:
            field: the velocity field.
            condition_at: the condition of the field at a time.
            z: (n, q) states.
            condition: the condition at t = k / steps.
            k: number of the step, from 0.
        """

    def solve(self, field: VelocityField, x: Array, z: Array, ts: Array) -> tuple[Array, Array]:
        """Take all steps; between two steps, the state is on the cubic through both ends and their velocities.

        The condition of the field is computed once per time, even if several stages of a step need it.
        """
        import jax
        import jax.numpy as jnp

        h, steps = 1.0 / self.steps, self.steps
        encoded = field.encode(x)

        def condition_at(time: Array) -> PyTree:
            return field.condition(jnp.reshape(time, (1,)), encoded)

        def step(carry: tuple[Array, PyTree], k: Array) -> tuple[tuple[Array, PyTree], tuple[Array, Array, Array]]:
            taken = self.advance(field, condition_at, *carry, k)
            return (taken.state, taken.condition), (carry[0], taken.first, taken.last)

        start = (z, condition_at(jnp.zeros(())))
        (last, _), (states, begins, ends) = jax.lax.scan(step, start, jnp.arange(steps))
        states = jnp.concatenate([states, last[None]])
        # The velocity at the end of a step is the one at the start of the next; only the last step needs its estimate.
        ends = jnp.concatenate([begins[1:], ends[-1:]])
        k = jnp.clip((ts * steps).astype(jnp.int32), 0, steps - 1)
        s = (ts * steps - k)[:, None, None]
        here, there = states[k], states[k + 1]
        cubic = s * (1 - s) * ((1 - s) * (h * begins[k] - (there - here)) + s * ((there - here) - h * ends[k]))
        between = (1 - s) * here + s * there + cubic
        return jnp.where(s <= 0, here, jnp.where(s >= 1, there, between)), jnp.array(True)
