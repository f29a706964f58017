"""Training: the same seed gives the same numbers, and the flow ends where the plan says."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise

import jax.numpy as jnp
import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.flows import Scaling, _training, compilations


def losses(problem, plan, **changes):
    config = bv.FlowConfig(**({"velocity": "tiny", "steps": 60, "batch_size": 32, "chunk_size": 20} | changes))
    return np.concatenate([progress.losses for progress in bv.flows.fit(problem, plan, config)])


def test_the_same_seed_gives_the_same_losses_bit_for_bit(square, square_plan):
    first = losses(square, square_plan)
    assert first.shape == (60,)
    np.testing.assert_array_equal(losses(square, square_plan), first)
    assert (losses(square, square_plan, seed=1) != first).all()


@pytest.mark.parametrize("chunk_size", [7, 500])
def test_the_chunk_size_changes_nothing(square, square_plan, chunk_size):
    np.testing.assert_allclose(
        losses(square, square_plan, chunk_size=chunk_size), losses(square, square_plan), rtol=1e-5
    )


def test_progress_counts_steps_and_its_flows_stay_valid(square, square_plan):
    config = bv.FlowConfig(velocity="tiny", steps=50, batch_size=32, chunk_size=20)
    steps, states, flows = [], [], []
    for progress in bv.flows.fit(square, square_plan, config):
        steps.append((progress.step, len(progress.losses)))
        flows.append(progress.flow)
        states.append(progress.flow.transport(square.source.x[:4]).states)
    assert steps == [(20, 20), (40, 20), (50, 10)]
    np.testing.assert_array_equal(flows[0].transport(square.source.x[:4]).states, states[0])
    assert (states[0][-1] != states[2][-1]).any()


def test_stopping_the_iteration_cancels_the_training(square, square_plan):
    config = bv.FlowConfig(velocity="tiny", steps=10**9, batch_size=32, chunk_size=20)
    run = bv.flows.fit(square, square_plan, config)
    two = list(islice(run, 2))
    run.close()
    assert [p.step for p in two] == [20, 40]
    assert two[-1].flow.transport(square.source.x).states.shape == (2, 60, 3)


@pytest.mark.parametrize("strategy", ["true", "global", "local"])
def test_losses_fall(blobs, strategy):
    pairs = blobs.sample_pairs(0.5)
    cost = bv.costs.bridge(blobs.source.x, blobs.target.x, pairs)
    plan = {
        "true": lambda: bv.couplings.true(pairs, shape=blobs.shape),
        "global": lambda: bv.couplings.linear(cost, epsilon=0.01),
        "local": lambda: bv.couplings.local(cost, epsilon=0.05, max_iterations=20),
    }[strategy]()
    values = losses(blobs, plan, steps=150, learning_rate=5e-3)
    assert np.isfinite(values).all()
    assert values[-30:].mean() < 0.75 * values[:10].mean()


def test_two_points_go_to_their_two_targets():
    x, y = np.array([[-1.0, 0.0], [1.0, 0.5]]), np.array([[-2.0, 10.0, 1.0], [4.0, 30.0, 0.0]])
    problem = bv.Problem(bv.Space(x), bv.Space(y), truth=[[0, 1], [1, 0]])
    plan = bv.couplings.true(problem.truth, shape=(2, 2))
    config = bv.FlowConfig(velocity="tiny", steps=1200, batch_size=32, learning_rate=5e-3, chunk_size=400)
    flow = list(bv.flows.fit(problem, plan, config))[-1].flow
    carried = flow.transport(x[[0, 1] * 50], seed=1).states[-1]
    error = (carried - y[[1, 0] * 50]) / y.std(0)
    assert np.abs(error).max() < 0.25
    assert np.abs(error).mean() < 0.06


def test_a_conditional_gaussian_is_learned_with_its_mean_and_width(noisy_line):
    """y = 3 x + 1 + 0.5 noise: the flow must give the line and the spread around it, not only the line."""
    problem, plan = noisy_line
    config = bv.FlowConfig(velocity="tiny", steps=1500, batch_size=64, learning_rate=5e-3, chunk_size=500)
    flow = list(bv.flows.fit(problem, plan, config))[-1].flow
    for at in (-0.7, 0.0, 0.7):
        carried = flow.transport(np.full((1000, 1), at), seed=2).states[-1]
        assert carried.mean() == pytest.approx(3 * at + 1, abs=0.15)
        assert carried.std() == pytest.approx(0.5, abs=0.12)


def test_a_diverging_loss_stops_training_and_reports_the_step(square, square_plan):
    config = bv.FlowConfig(velocity="tiny", steps=100, batch_size=32, learning_rate=1e30)
    with pytest.raises(
        bv.TrainingError, match=r"became (nan|inf) at step (\d+) of 100.*smaller learning rate.*1e\+29"
    ) as caught:
        list(bv.flows.fit(square, square_plan, config))
    at = int(str(caught.value).split("at step ")[1].split()[0])
    assert 1 < at < 100


def test_the_learning_rate_falls_to_zero(square, square_plan):
    """Along a cosine, so that the last steps hardly move the weights."""
    config = bv.FlowConfig(velocity="tiny", steps=60, batch_size=32, chunk_size=1, learning_rate=1e-2)
    weights = [p.flow.params["out"]["bias"].get_value() for p in bv.flows.fit(square, square_plan, config)]
    steps = [np.abs(np.asarray(b) - np.asarray(a)).max() for a, b in pairwise(weights)]
    assert max(steps[-2:]) < 0.05 * max(steps[:5])


def test_scaling_standardises_and_restores():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3)) * [1, 100, 0] + [0, 1e4, 7]
    scaling = Scaling.of(x)
    scaled = scaling.standardise(x)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-10)
    np.testing.assert_allclose(scaled.std(0), [1, 1, 0], atol=1e-10)
    np.testing.assert_allclose(scaling.restore(scaled), x)


def test_constant_dimensions_and_any_units_train(square):
    y = np.concatenate([1e6 * square.target.x, np.full((60, 1), 5.0)], axis=1)
    problem = replace(square, target=bv.Space(y))
    plan = bv.couplings.true(problem.truth, shape=problem.shape)
    assert np.isfinite(losses(problem, plan)).all()


def test_the_average_of_the_weights(square, square_plan):
    """EMA: the plain mean of the first weights, then the decay; it does not change the training itself."""
    settings = {"steps": 30, "chunk_size": 1}
    config = bv.FlowConfig(velocity="tiny", batch_size=32, **settings)
    plain = [p.flow.params["out"]["bias"].get_value() for p in bv.flows.fit(square, square_plan, config)]
    averaged = list(bv.flows.fit(square, square_plan, replace(config, ema=0.8)))
    np.testing.assert_allclose(  # two programs: each may round in its own way
        np.concatenate([p.losses for p in averaged]), losses(square, square_plan, steps=30, chunk_size=1), rtol=1e-6
    )
    average = np.zeros_like(plain[0])
    for k, (weights, progress) in enumerate(zip(plain, averaged, strict=True)):
        decay = min(0.8, k / (k + 1))
        average = decay * average + (1 - decay) * np.asarray(weights)
        np.testing.assert_allclose(progress.flow.params["out"]["bias"].get_value(), average, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(
        averaged[3].flow.params["out"]["bias"].get_value(), np.mean(plain[:4], axis=0), rtol=1e-4
    )


def test_the_last_good_flow_survives_a_diverging_loss(square, square_plan, tmp_path, monkeypatch):
    """The last flow is not good if the very next loss is NaN: that loss was measured with its weights."""
    real = _training.run_chunk

    def breaks(at):
        def chunk(networks, state, *rest, **more):
            first = int(state.step)
            state, losses, *others = real(networks, state, *rest, **more)
            if first <= at < first + 10:
                losses = losses.at[at - first].set(jnp.nan)
            return state, losses, *others

        return chunk

    config = bv.FlowConfig(velocity="tiny", steps=100, batch_size=32, chunk_size=10)
    for at, good, kept in ((35, 3, ["step-000000020", "step-000000030"]), (30, 2, ["step-000000020"])):
        monkeypatch.setattr(_training, "run_chunk", breaks(at))
        reports: list = []
        with pytest.raises(bv.TrainingError) as caught:
            reports.extend(bv.flows.fit(square, square_plan, config, checkpoints=tmp_path / str(at), every=1))
        assert len(reports) == 3
        assert caught.value.flow is reports[good - 1].flow
        assert caught.value.step == at + 1
        assert sorted(path.name for path in (tmp_path / str(at)).glob("step-*")) == kept


def test_infinite_weights_stop_training_even_if_every_loss_was_finite(square, square_plan):
    config = bv.FlowConfig(velocity="tiny", steps=1, batch_size=32, learning_rate=1e39)  # infinite in float32
    with pytest.raises(bv.TrainingError, match=r"weights became infinite at step 1 of 1\."):
        list(bv.flows.fit(square, square_plan, config))


def test_two_runs_in_one_process_do_not_disturb_each_other(square, square_plan):
    config = bv.FlowConfig(velocity="tiny", steps=60, batch_size=32, chunk_size=10)
    other = replace(config, seed=1)
    alone = [losses(square, square_plan, chunk_size=10, seed=seed) for seed in (0, 1)]
    both = zip(bv.flows.fit(square, square_plan, config), bv.flows.fit(square, square_plan, other), strict=True)
    together = [np.concatenate(part) for part in zip(*(tuple(p.losses for p in pair) for pair in both), strict=True)]
    np.testing.assert_array_equal(together, alone)


def test_other_data_of_the_same_shape_compiles_nothing(square, square_plan):
    losses(square, square_plan)
    before = compilations()
    moved = replace(square, source=bv.Space(square.source.x[::-1] + 1))
    losses(moved, bv.couplings.true(square.truth[:50], shape=square.shape), seed=5, learning_rate=1e-4)
    assert compilations() == before
