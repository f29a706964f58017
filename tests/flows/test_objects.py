"""Velocity fields and ODE solvers are accepted as objects, registered or not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
import pytest
from flax import nnx

import bridgeviz as bv
from bridgeviz._options import Positive, option
from bridgeviz.flows import (
    MLP,
    ODE_SOLVERS,
    RK4,
    VELOCITIES,
    AdaLN,
    FixedStep,
    Heun,
    Tsit5,
    VelocityField,
    VelocityOptions,
)
from bridgeviz.flows._fixed_step import Step


class LinearField(VelocityField):
    """v_t(z | x) = scale (W x - z)."""

    def __init__(self, p, q, scale, rngs):
        self.source = nnx.Linear(p, q, rngs=rngs)
        self.scale = scale

    def encode(self, x):
        return self.source(x)

    def condition(self, t, encoded):
        return encoded + 0 * t[:, None]

    def velocity(self, z, condition):
        return self.scale * (condition - z)


@dataclass(frozen=True, kw_only=True)
class Linear(VelocityOptions):
    """A velocity field of this test alone."""

    name = "linear-of-the-test"
    scale: float = option(Positive(), 1.0, help="Scale of the velocity.")

    def make(self, p, q, *, dtype=None, rngs):
        return LinearField(p, q, self.scale, rngs)


@dataclass(frozen=True, kw_only=True)
class Euler(FixedStep):
    """An ODE solver of this test alone."""

    name = "euler"

    def advance(self, field, condition_at, z, condition, k):
        h = 1.0 / self.steps
        first = field.velocity(z, condition)
        end = condition_at((k + 1) * h)
        return Step(z + h * first, end, first, field.velocity(z + h * first, end))


def config(velocity, **changes):
    return bv.FlowConfig(velocity=velocity, **{"steps": 20, "batch_size": 16, "chunk_size": 10} | changes)


def test_an_object_that_is_registered_counts_as_its_name():
    assert bv.FlowConfig(velocity=AdaLN(d=128, blocks=5)) == bv.FlowConfig(velocity="adaln-small")
    assert bv.FlowConfig(velocity=VELOCITIES["mlp-small"]).velocity == "mlp-small"
    assert len({bv.FlowConfig(velocity=AdaLN(d=8)), bv.FlowConfig(velocity=AdaLN(d=8))}) == 1


@pytest.mark.parametrize("velocity", [AdaLN(d=8, blocks=1), MLP(d=8), Linear(scale=0.5)], ids=lambda v: v.name)
def test_an_unregistered_field_is_trained_resumed_saved_and_loaded(square, square_plan, tmp_path, velocity):
    whole = list(bv.flows.fit(square, square_plan, config(velocity)))
    run = bv.flows.fit(square, square_plan, config(velocity), checkpoints=tmp_path / "kept", every=1)
    assert [p.step for p in islice(run, 1)] == [10]
    run.close()
    resumed = list(bv.flows.fit(square, square_plan, config(velocity), checkpoints=tmp_path / "kept"))
    assert [p.step for p in resumed] == [10, 20]
    np.testing.assert_array_equal(
        np.concatenate([p.losses for p in resumed]), np.concatenate([p.losses for p in whole])
    )
    flow = whole[-1].flow
    flow.save(tmp_path / "flow")
    loaded = bv.Flow.load(tmp_path / "flow")
    assert loaded.config == flow.config == config(velocity)
    assert loaded.config.velocity == velocity
    x = square.source.x
    np.testing.assert_array_equal(loaded.transport(x, seed=3).states, flow.transport(x, seed=3).states)


def test_checkpoints_of_a_field_with_other_options_are_refused(square, square_plan, tmp_path):
    list(bv.flows.fit(square, square_plan, config(AdaLN(d=8, blocks=1)), checkpoints=tmp_path))
    with pytest.raises(bv.flows.Stale, match=r"velocity \{'kind': 'adaln', 'd': 8, 'blocks': 1\}, now .* 'blocks': 2"):
        list(bv.flows.fit(square, square_plan, config(AdaLN(d=8, blocks=2)), checkpoints=tmp_path))


def test_the_settings_of_a_field_of_an_unknown_kind_are_refused():
    values = config(Linear()).as_dict()
    assert values["velocity"] == {"kind": "linear-of-the-test", "scale": 1.0}
    assert bv.FlowConfig.from_dict(values) == config(Linear())
    with pytest.raises(ValueError, match="unknown kind 'quadratic'"):
        bv.FlowConfig.from_dict(values | {"velocity": {"kind": "quadratic"}})
    with pytest.raises(bv.InputError, match=r"'d' of AdaLN\(\) must be an integer >= 1. Got 0"):
        bv.FlowConfig.from_dict(values | {"velocity": {"kind": "adaln", "d": 0}})
    with pytest.raises(bv.InputError, match=r"FlowConfig\(\) has no option 'colour'"):
        bv.FlowConfig.from_dict(values | {"colour": "red"})


def test_an_object_of_another_room_is_no_velocity_field():
    with pytest.raises(bv.InputError, match=r"'velocity' of FlowConfig\(\) must be one of 'adaln-small'"):
        bv.FlowConfig(velocity=Heun())


def test_a_solver_by_name_and_as_an_object_agree(trained, square):
    x = square.source.x
    for by_name, method in (
        ({"solver": "heun", "steps": 7}, Heun(steps=7)), ({"solver": "rk4", "steps": 3}, RK4(steps=3)),
        ({"solver": "tsit5", "tolerance": 1e-3}, Tsit5(tolerance=1e-3)),
    ):  # fmt: skip
        np.testing.assert_array_equal(
            trained.transport(x, **by_name).states, trained.transport(x, solver=method).states
        )
    changed = trained.transport(x, solver=Heun(), steps=7)
    np.testing.assert_array_equal(changed.states, trained.transport(x, solver=Heun(steps=7)).states)


def test_options_of_other_solvers_are_checked_and_ignored(trained, square):
    x = square.source.x[:4]
    np.testing.assert_array_equal(trained.transport(x, tolerance=1e-9).states, trained.transport(x).states)
    with pytest.raises(bv.InputError, match=r"'tolerance' of transport\(\) must be a float > 0. Got -1.0"):
        trained.transport(x, tolerance=-1.0)
    with pytest.raises(bv.InputError, match=r"transport\(\) has no option 'stepps'. Its options are: steps, tolerance"):
        trained.transport(x, stepps=3)


def test_an_unregistered_solver(trained, square, monkeypatch):
    x = square.source.x
    exact = trained.transport(x, solver="tsit5", tolerance=1e-6).states[-1]
    errors = [np.abs(trained.transport(x, solver=Euler(steps=k)).states[-1] - exact).max() for k in (10, 80)]
    assert errors[1] < errors[0] / 2
    monkeypatch.setitem(ODE_SOLVERS, "euler", Euler)
    by_name = trained.draws(x[:3], samples=2, solver="euler", steps=10)
    np.testing.assert_array_equal(by_name.points, trained.draws(x[:3], samples=2, solver=Euler(steps=10)).points)
    assert np.isfinite(by_name.points).all()
