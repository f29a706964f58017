"""Following a velocity field from noise to target: `dz/dt = v_t(z | x)` from t = 0 to 1 (Eq. 12)."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

SOLVERS = ("heun", "rk4", "tsit5")
BLOCK = 1024
"""Points carried at once: what they need at every step stays in the processor's cache."""


class Trajectory(NamedTuple):
    """Where points are on their way: `.ts` (T,) times in [0, 1], `.states` (T, n, q) in the target space's units."""

    ts: Float[np.ndarray, " T"]
    states: Float[np.ndarray, "T n q"]


class Draws(NamedTuple):
    """Several ends of each point's way, one for each draw of the noise.

    Attributes:
        points: (S, n, q), in the target space's units.
        mean: (n, q), over the draws.
        spread: (n, q), their standard deviation in each dimension (over S - 1).
    """

    points: Float[np.ndarray, "S n q"]
    mean: Float[np.ndarray, "n q"]
    spread: Float[np.ndarray, "n q"]


@partial(jax.jit, static_argnames=("graph", "solver", "steps"))
def follow(graph, params, x, z, ts, tolerance, *, solver: str, steps: int) -> tuple[Array, Array]:
    """(T, n, q) states at times ts from noise z, and whether the solver got there with finite numbers."""
    model = nnx.merge(graph, params)
    if solver == "tsit5":
        states, solved = _adaptive(model, x, z, ts, tolerance)
    else:
        states, solved = _fixed(model, x, z, ts, solver, steps), jnp.array(True)
    return states, solved & jnp.isfinite(states).all()


def _fixed(model: Any, x: Array, z: Array, ts: Array, solver: str, steps: int) -> Array:
    """Heun's method or the classic Runge-Kutta method with `steps` equal steps.

    What does not depend on the point is computed once for each time, though several stages share it. Between the grid
    points the states are those of the cubic through both ends and their velocities.
    """
    h = 1.0 / steps
    encoded = model.encode(x)

    def at(time: Any) -> Any:
        return model.condition(jnp.reshape(time, (1,)), encoded)

    def heun(carry: tuple, k: Array) -> tuple[tuple, tuple]:
        state, now = carry
        end = at((k + 1) * h)
        first = model.velocity(state, now)
        second = model.velocity(state + h * first, end)
        return (state + h / 2 * (first + second), end), (state, first, second)

    def rk4(carry: tuple, k: Array) -> tuple[tuple, tuple]:
        state, now = carry
        middle, end = at((k + 0.5) * h), at((k + 1) * h)
        first = model.velocity(state, now)
        second = model.velocity(state + h / 2 * first, middle)
        third = model.velocity(state + h / 2 * second, middle)
        fourth = model.velocity(state + h * third, end)
        return (state + h / 6 * (first + 2 * second + 2 * third + fourth), end), (state, first, fourth)

    start = (z, at(jnp.zeros(())))
    (last, _), (states, begins, ends) = jax.lax.scan({"heun": heun, "rk4": rk4}[solver], start, jnp.arange(steps))
    states = jnp.concatenate([states, last[None]])
    # The velocity at the end of a step is that at the begin of the next one; only the last needs its own estimate.
    ends = jnp.concatenate([begins[1:], ends[-1:]])
    k = jnp.clip((ts * steps).astype(jnp.int32), 0, steps - 1)
    s = (ts * steps - k)[:, None, None]
    here, there = states[k], states[k + 1]
    cubic = s * (1 - s) * ((1 - s) * (h * begins[k] - (there - here)) + s * ((there - here) - h * ends[k]))
    return jnp.where(s <= 0, here, jnp.where(s >= 1, there, (1 - s) * here + s * there + cubic))


def _adaptive(model: Any, x: Array, z: Array, ts: Array, tolerance: Array) -> tuple[Array, Array]:
    """Tsitouras' 5(4) method with steps that meet the tolerance (diffrax)."""
    import diffrax

    encoded = model.encode(x)
    term = diffrax.ODETerm(lambda t, state, _: model.velocity(state, model.condition(jnp.reshape(t, (1,)), encoded)))
    solution = diffrax.diffeqsolve(
        term, diffrax.Tsit5(), t0=0.0, t1=1.0, dt0=None, y0=z, saveat=diffrax.SaveAt(ts=ts),
        stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance), max_steps=4096, throw=False,
    )  # fmt: skip
    return jnp.asarray(solution.ys), solution.result == diffrax.RESULTS.successful
