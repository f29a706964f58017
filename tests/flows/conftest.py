"""A velocity field small enough to train within a test, and one trained flow."""

from __future__ import annotations

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.flows.velocity import VELOCITIES, AdaLN


@pytest.fixture(scope="session", autouse=True)
def tiny_velocity():
    """Two narrow blocks under the name "tiny"."""
    VELOCITIES["tiny"] = lambda p, q, rngs: AdaLN(p, q, d=32, blocks=2, rngs=rngs)
    yield
    del VELOCITIES["tiny"]


@pytest.fixture(scope="session")
def square():
    """A problem with as many dimensions on one side as on the other, so that a mix-up of x and z has the right shape."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = 5 + 3 * rng.normal(size=(60, 3))
    return bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(60)] * 2, axis=1))


@pytest.fixture(scope="session")
def square_plan(square):
    return bv.couplings.true(square.truth, shape=square.shape)


@pytest.fixture(scope="session")
def trained(tiny_velocity, square, square_plan):
    """A flow after a few steps."""
    config = bv.FlowConfig(velocity="tiny", steps=100, batch_size=32, learning_rate=3e-3)
    return list(bv.flows.fit(square, square_plan, config))[-1].flow
