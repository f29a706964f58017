"""Algorithm 1 from end to end: Problem -> Pairs -> Cost -> Coupling -> Flow -> numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
from jax.sharding import Mesh
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz import costs, couplings, datasets, flows, metrics
from bridgeviz.costs import Cost
from bridgeviz.couplings import Coupling, LocalCoupling
from bridgeviz.experiments.config import AUTO, YOURS, RunConfig
from bridgeviz.experiments.recommend import Recommendation, recommend
from bridgeviz.flows import Flow, Progress
from bridgeviz.problem import Pairs, Problem


@dataclass(frozen=True, eq=False)
class Run:
    """The results of one run.

    Attributes:
        config: what was asked for.
        problem, pairs, cost, plan, flow: what each stage made; `cost` is None for strategy "true".
        losses: (steps,) one a step.
        metrics: flat floats: `matching_accuracy` of the plan; `test_accuracy`, downstream and out of sample;
            `source_overlap`, `target_overlap` (Eq. 21); towards pictures also `test_mse` (Eq. 24). A number that the
            problem has no labels for is missing.
        seconds: by stage.
        device: that JAX ran on.
        recommendation: what cost "auto" became, and why; `config` names it. None where a cost was given.
    """

    config: RunConfig
    problem: Problem
    pairs: Pairs
    cost: Cost | None
    plan: Coupling | LocalCoupling
    flow: Flow
    losses: np.ndarray
    metrics: dict[str, float]
    seconds: dict[str, float]
    device: str
    recommendation: Recommendation | None = None


def run(
    config: RunConfig | None = None,
    *,
    problem: Problem | None = None,
    pairs: ArrayLike | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_recommend: Callable[[int, int], None] | None = None,
    checkpoints: str | Path | None = None,
    mesh: Mesh | None = None,
) -> Run:
    """Load, pair, couple, train and judge, in one call.

    Args:
        config: settings; None takes the defaults (2 % of the digits' pairs, global alignment by the bridge cost).
        problem: your own, instead of the dataset that `config` names.
        pairs: your own, instead of a draw from `problem.truth`.
        on_progress: called after every chunk of training; raise from it to cancel.
        checkpoints, mesh: of the training, as in `flows.fit`.
        on_recommend: with cost "auto", called after each coupling it tries: how many are done, of how many.

    Raises:
        InputError: wrong settings, or pairs that do not fit the problem.

    >>> result = run(RunConfig(dataset="blobs", options={"n": 100}, fraction=0.1, steps=50))
    >>> sorted(result.metrics)
    ['matching_accuracy', 'source_overlap', 'target_overlap', 'test_accuracy']
    """
    config = RunConfig() if config is None else config
    if not isinstance(config, RunConfig):
        hint = "From plain values: RunConfig.from_dict(values)."
        raise check.fail("config", "run", "a RunConfig", check.describe(config), hint)
    if problem is None and config.dataset == YOURS:
        raise check.fail(
            "problem", "run", f"given when the dataset is '{YOURS}'", None, "Pass problem=bv.Problem(...)."
        )
    seconds: dict[str, float] = {}
    with _timed(seconds, "load"):
        if problem is not None and not isinstance(problem, Problem):
            raise check.fail("problem", "run", "a Problem", check.describe(problem))
        if pairs is not None:
            if config.rows is not None:
                raise check.fail("rows", "run", "None where pairs are given, which name rows", config.rows)
            whole = problem or datasets.load(config.dataset, **config.options)
            pairs = check.pair_index(pairs, "pairs", "run", shape=whole.shape, least=1)
            pairs = pairs[:, ::-1] if config.reverse else pairs
        problem = load_problem(config, problem)
        pairs = sample_pairs(problem, config) if pairs is None else Pairs(pairs, shape=problem.shape)
    found = None
    if config.cost == AUTO and config.strategy != "true":
        with _timed(seconds, "recommend"):
            found = recommend(problem, pairs, metric=config.metric, seed=config.seed, on_step=on_recommend)
            config = found.apply(config)
    with _timed(seconds, "cost"):
        cost = build_cost(problem, pairs, config)
    with _timed(seconds, "coupling"):
        plan = build_coupling(problem, pairs, cost, config)
    with _timed(seconds, "training"):
        losses, flow = _train(flows.fit(problem, plan, config.flow(), checkpoints=checkpoints, mesh=mesh), on_progress)
    with _timed(seconds, "evaluation"):
        numbers = judge(problem, plan, flow, seed=config.seed)
    return Run(
        config, problem, pairs, cost, plan, flow, losses, numbers, seconds, device(), found
    )  # fmt: skip


def load_problem(config: RunConfig, problem: Problem | None = None) -> Problem:
    """The dataset of a config, or the given problem: on a sample of its rows, and the right way round."""
    if problem is None:
        problem = datasets.load(config.dataset, **config.options)
    if config.rows is not None:
        problem = problem.sample(config.rows, seed=config.seed)
    return problem.reversed() if config.reverse else problem


def sample_pairs(problem: Problem, config: RunConfig) -> Pairs:
    """The draw of paired samples that the config asks for."""
    return problem.sample_pairs(
        config.fraction, count=config.count, cover_classes=config.cover_classes, seed=config.seed
    )


def build_cost(problem: Problem, pairs: Pairs, config: RunConfig) -> Cost | None:
    """The cost that the config names; None where none is needed: strategy "true", or no pairs."""
    if config.strategy == "true" or (config.pure_shapes and len(pairs) == 0):
        return None
    if config.cost == AUTO:
        raise check.fail("cost", "build_cost", "the name of a cost", "'auto'", "Let bv.recommend choose one first.")
    return costs.COSTS[config.cost](
        problem.source.x, problem.target.x, pairs, metric=config.distance, **config.cost_options
    )


def build_coupling(
    problem: Problem,
    pairs: Pairs,
    cost: Cost | None,
    config: RunConfig,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> Coupling | LocalCoupling:
    """The coupling of the strategy and solver that the config names; `on_step` as in `couplings.fgw`."""
    if config.strategy == "true":
        return couplings.true(pairs, shape=problem.shape)
    c_xx = c_yy = None
    if config.solver == "fgw":
        c_xx, c_yy = (costs.Within(space.x, metric=config.distance) for space in (problem.source, problem.target))
    if config.strategy == "local":
        return couplings.local(
            cost, c_xx, c_yy, alpha=config.alpha if config.solver == "fgw" else None, epsilon=config.epsilon,
            tau=config.tau, batch_size=config.batch_size, ot_batch_size=config.ot_batch_size,
        )  # fmt: skip
    if c_xx is None or c_yy is None:
        if cost is None:
            raise check.fail("cost", "build_coupling", "a cost, with solver 'linear'", None)
        return couplings.linear(cost, epsilon=config.epsilon, tau=config.tau)
    return couplings.fgw(cost, c_xx, c_yy, alpha=config.alpha, epsilon=config.epsilon, tau=config.tau, on_step=on_step)


def judge(problem: Problem, plan: Coupling | LocalCoupling, flow: Flow, *, seed: int = 0) -> dict[str, float]:
    """Every number that the problem has the labels for."""
    source, target = problem.source, problem.target
    numbers: dict[str, float] = {}
    if source.labels is not None and target.labels is not None:
        numbers["matching_accuracy"] = metrics.matching_accuracy(plan, source.labels, target.labels, seed=seed)
    for side, space in (("source", source), ("target", target)):
        if space.labels is not None and len(space) > 1:
            numbers[f"{side}_overlap"] = metrics.feature_overlap(
                space.x, space.labels, k=min(15, len(space) - 1), seed=seed
            )
    test = problem.test
    if test is not None and test.source.labels is not None and target.labels is not None:
        y = flow.transport(test.source.x, seed=seed).states[-1]
        numbers["test_accuracy"] = metrics.downstream_accuracy(target, y, test.source.labels)
        pictures = test.target.pictures(np.arange(len(test.target)))
        if target.decode_images is not None and pictures is not None and test.target.labels is not None:
            made = target.decode_images(y)
            numbers["test_mse"] = metrics.classwise_mse(pictures / 255.0, test.target.labels, made, test.source.labels)
    return numbers


def device() -> str:
    """What JAX runs on, such as "cpu" or "gpu (NVIDIA H200)"."""
    first = jax.devices()[0]
    kind = getattr(first, "device_kind", "")
    return first.platform if kind in ("", first.platform) else f"{first.platform} ({kind})"


def _train(training: Iterator[Progress], on_progress: Callable[[Progress], None] | None) -> tuple[np.ndarray, Flow]:
    losses = []
    for progress in training:
        losses.append(progress.losses)
        if on_progress is not None:
            on_progress(progress)
    return np.concatenate(losses), progress.flow  # at least one chunk: a config has steps >= 1


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start
