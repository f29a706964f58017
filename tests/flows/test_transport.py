"""Following a flow: fixed steps against diffrax, several draws per point, curvature and error."""

from __future__ import annotations

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import bridgeviz as bv
from bridgeviz.flows import ODE_SOLVERS, Tsit5, VelocityField
from bridgeviz.flows._transport import follow
from bridgeviz.metrics import curvature, journey, transport_error


class Spiral(VelocityField):
    """dz/dt = x z' + cos(3 t), with z' = z rotated by 90 degrees: no parameters, and all three arguments matter."""

    def __init__(self):
        self.unused = nnx.Param(jnp.zeros(1))

    def encode(self, x):
        return x[:, :1]

    def condition(self, t, encoded):
        return encoded + 0 * t[:, None], jnp.cos(3 * t)[:, None]

    def velocity(self, z, condition):
        speed, push = condition
        return speed * jnp.stack([-z[:, 1], z[:, 0]], axis=1) + push


@pytest.fixture
def spiral():
    graph, params = nnx.split(Spiral(), nnx.Param)
    rng = np.random.default_rng(0)
    x, z = (jnp.asarray(rng.normal(size=(7, 2)), jnp.float32) for _ in range(2))
    return graph, params, x, z


def ends(spiral, solver, steps, ts=(1.0,)):
    method = Tsit5(tolerance=1e-6) if solver == "tsit5" else ODE_SOLVERS[solver](steps=steps)
    states, solved = follow(*spiral, jnp.asarray(ts, jnp.float32), solver=method)
    assert bool(solved)
    return np.asarray(states)


KUTTA = diffrax.ButcherTableau(
    a_lower=(np.array([0.5]), np.array([0.0, 0.5]), np.array([0.0, 0.0, 1.0])), b_sol=np.array([1, 2, 2, 1]) / 6,
    b_error=np.zeros(4), c=np.array([0.5, 0.5, 1.0]),
)  # fmt: skip


class RK4(diffrax.AbstractERK):
    """The classic method, which diffrax does not have by name."""

    tableau = KUTTA
    interpolation_cls = diffrax.ThirdOrderHermitePolynomialInterpolation.from_k

    def order(self, terms):
        return 4


@pytest.mark.parametrize(("solver", "method"), [("heun", diffrax.Heun()), ("rk4", RK4())])
@pytest.mark.parametrize("steps", [1, 3, 20])
def test_fixed_steps_agree_with_diffrax(spiral, solver, method, steps):
    graph, params, x, z = spiral
    model = nnx.merge(graph, params)
    term = diffrax.ODETerm(lambda t, state, _: model(jnp.full(len(state), t), state, x))
    theirs = diffrax.diffeqsolve(
        term, method, t0=0.0, t1=1.0, dt0=1 / steps, y0=z, stepsize_controller=diffrax.ConstantStepSize(),
        saveat=diffrax.SaveAt(t1=True),
    ).ys  # fmt: skip
    np.testing.assert_allclose(ends(spiral, solver, steps)[0], theirs[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("solver", "order"), [("heun", 2), ("rk4", 4)])
def test_errors_fall_with_the_order_of_the_method(spiral, solver, order):
    tight = ends(spiral, "tsit5", 1)
    errors = [np.abs(ends(spiral, solver, steps) - tight).max() for steps in (2, 4)]
    assert 2 ** (order - 0.5) < errors[0] / errors[1] < 2 ** (order + 1.2)


@pytest.mark.parametrize("solver", ["heun", "rk4"])
def test_times_between_the_steps_are_on_a_cubic(spiral, solver):
    ts = (0.0, 0.013, 0.35, 0.5, 0.77, 0.999, 1.0)
    path = ends(spiral, solver, 10, ts)
    assert path.shape == (7, 7, 2)
    np.testing.assert_array_equal(path[0], spiral[3])
    fine = ends(spiral, "tsit5", 1, ts)
    np.testing.assert_allclose(path, fine, atol=0.03 if solver == "heun" else 2e-4)
    for k in (3, 6):  # times of the steps themselves
        np.testing.assert_array_equal(path[k], ends(spiral, solver, 10, ts[k : k + 1])[0])


def test_draws_give_all_endpoints_with_mean_and_spread(trained, square):
    x = square.source.x[:5]
    draws = trained.draws(x, samples=40, seed=3, steps=5)
    assert draws.points.shape == (40, 5, 3)
    np.testing.assert_allclose(draws.mean, draws.points.mean(0))
    np.testing.assert_allclose(draws.spread, draws.points.std(0, ddof=1))
    assert (draws.spread > 0).all()
    same = trained.transport(np.tile(x, (40, 1)), seed=3, steps=5).states[-1].reshape(40, 5, 3)
    np.testing.assert_array_equal(draws.points, same)
    with pytest.raises(bv.InputError, match=r"'samples' of draws\(\) must be an integer >= 2"):
        trained.draws(x, samples=1)
    with pytest.raises(bv.InputError, match="the ends at t = 1 are returned"):
        trained.draws(x, ts=(0.5,))


def test_the_spread_of_draws_is_that_of_a_conditional_gaussian(noisy_line):
    """y = 3 x + 1 + 0.5 noise: the mean of many draws is the line, their spread is 0.5."""
    problem, plan = noisy_line
    config = bv.FlowConfig(velocity="tiny", steps=1500, batch_size=64, learning_rate=5e-3, chunk_size=500, ema=0.99)
    flow = list(bv.flows.fit(problem, plan, config))[-1].flow
    at = np.array([[-0.7], [0.0], [0.7]])
    draws = flow.draws(at, samples=800, seed=2)
    np.testing.assert_allclose(draws.mean, 3 * at + 1, atol=0.15)
    np.testing.assert_allclose(draws.spread, 0.5, atol=0.12)
    summary = journey(flow, at, samples=800, seed=2)
    np.testing.assert_allclose(summary.spread, draws.spread[:, 0] / flow.target.std, rtol=1e-6)
    paths = flow.transport(at, seed=2, ts=np.linspace(0, 1, 21).tolist())
    np.testing.assert_array_equal(summary.detour, curvature(paths))
    assert summary.error == transport_error(flow, at, seed=2)
    assert summary.mass is None


def test_curvature_of_known_paths():
    ts = np.linspace(0, 1, 201)
    turn = np.stack([np.cos(np.pi * ts), np.sin(np.pi * ts)], axis=1)  # half a circle: pi / 2 - 1
    line = np.stack([ts**2, -2 * ts**2], axis=1)  # straight, at any speed
    still = np.ones((201, 2))
    states = np.stack([turn, line, still], axis=1)
    np.testing.assert_allclose(curvature(bv.flows.Trajectory(ts, states)), [np.pi / 2 - 1, 0, 0], atol=1e-4)
    with pytest.raises(bv.InputError, match="at least two times"):
        curvature(bv.flows.Trajectory(ts[:1], states[:1]))


def test_the_error_of_transport_falls_with_the_steps(trained, square):
    x = square.source.x
    coarse, fine = (transport_error(trained, x, solver="heun", steps=steps) for steps in (2, 40))
    assert transport_error(trained, x, solver="tsit5", tolerance=1e-6) == 0
    assert 0 < fine < coarse / 5
    tight = trained.transport(x, solver="tsit5", tolerance=1e-6).states[-1]
    error = (trained.transport(x, steps=2).states[-1] - tight) / trained.target.std
    assert coarse == pytest.approx(np.sqrt((error**2).mean()))
