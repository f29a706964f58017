"""The smallest useful problem, and a flow trained on it."""

from __future__ import annotations

import numpy as np
import pytest

import bridgeviz as bv


@pytest.fixture(scope="module", autouse=True)
def tiny(tiny_velocity):
    """Every module of this folder may use the velocity field "tiny"."""


@pytest.fixture(scope="session")
def square():
    """The same number of dimensions on both sides, so that a mix-up of x and z has the right shape."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = 5 + 3 * rng.normal(size=(60, 3))
    return bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(60)] * 2, axis=1))


@pytest.fixture(scope="session")
def square_plan(square):
    return bv.couplings.true(square.truth, shape=square.shape)


@pytest.fixture(scope="session")
def noisy_line():
    """y = 3 x + 1 + 0.5 noise, coupled row by row."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(1500, 1))
    y = 3 * x + 1 + 0.5 * rng.normal(size=(1500, 1))
    problem = bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(1500)] * 2, axis=1))
    plan = bv.couplings.true(problem.truth, shape=problem.shape)
    return problem, plan


@pytest.fixture(scope="module")
def trained(tiny_velocity, square, square_plan):
    """A flow after a few steps."""
    config = bv.FlowConfig(velocity="tiny", steps=100, batch_size=32, learning_rate=3e-3)
    return list(bv.flows.fit(square, square_plan, config))[-1].flow
