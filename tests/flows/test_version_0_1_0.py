"""Flows and checkpoints that version 0.1.0 wrote are read: `version_0_1_0/` was made by that version.

Its data are +-1, so that every machine computes the same fingerprints.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.flows import VELOCITIES, AdaLN

FILES = Path(__file__).parent / "version_0_1_0"
X = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]] * 2, float)
CONFIG = {"velocity": "mini", "steps": 40, "batch_size": 8, "learning_rate": 3e-2, "chunk_size": 10, "ema": 0.9}


@pytest.fixture(autouse=True)
def mini():
    """The velocity field that was registered as "mini"."""
    VELOCITIES["mini"] = AdaLN(d=4, blocks=1)
    yield
    del VELOCITIES["mini"]


@pytest.fixture
def expected():
    """The losses of the uninterrupted training, and where its flow ends."""
    with np.load(FILES / "expected.npz") as stored:
        return dict(stored.items())


@pytest.fixture
def problem():
    y = np.roll(X, 1, axis=0) * [1, -1]
    return bv.Problem(bv.Space(X), bv.Space(y), truth=np.stack([np.arange(8)] * 2, axis=1))


def test_a_flow_is_read(expected):
    flow = bv.Flow.load(FILES / "flow")
    assert flow.config == bv.FlowConfig(**CONFIG)
    np.testing.assert_allclose(flow.transport(X, seed=3).states, expected["states"], rtol=1e-4, atol=1e-5)


def test_a_training_is_resumed(problem, expected, tmp_path):
    shutil.copytree(FILES / "checkpoints", tmp_path / "checkpoints")
    plan = bv.couplings.true(problem.truth, shape=problem.shape)
    progress = list(bv.flows.fit(problem, plan, bv.FlowConfig(**CONFIG), checkpoints=tmp_path / "checkpoints"))
    assert [p.step for p in progress] == [20, 30, 40]
    np.testing.assert_array_equal(progress[0].losses, expected["losses"][:20])
    losses = np.concatenate([p.losses for p in progress])
    np.testing.assert_allclose(losses, expected["losses"], rtol=1e-4)
    states = progress[-1].flow.transport(X, seed=3).states
    np.testing.assert_allclose(states, expected["states"], rtol=1e-3, atol=1e-4)


def test_a_training_with_other_settings_is_refused(problem, tmp_path):
    shutil.copytree(FILES / "checkpoints", tmp_path / "checkpoints")
    plan = bv.couplings.true(problem.truth, shape=problem.shape)
    config = bv.FlowConfig(**CONFIG | {"seed": 1})
    with pytest.raises(bv.flows.Stale, match="belong to another training: seed 0, now 1"):
        next(bv.flows.fit(problem, plan, config, checkpoints=tmp_path / "checkpoints"))
