"""One run from end to end, in one call."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs import Cost, Forbidden
from bridgeviz.couplings import Plan
from bridgeviz.datasets import Yours
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments._evaluation import device
from bridgeviz.experiments._pipeline import Pipeline
from bridgeviz.experiments._recommend import recommend_steps
from bridgeviz.experiments._recommendation import Recommendation
from bridgeviz.flows import Flow, Progress
from bridgeviz.problem import Pairs, Problem

if TYPE_CHECKING:
    from jax.sharding import Mesh


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """The results of one run.

    Attributes:
        config: the settings; with cost "auto", the ones that were chosen.
        problem, pairs, cost, plan, flow: the result of each stage; `cost` is None for strategy "true".
        losses: (steps,) the loss of each training step.
        metrics: numbers by name: `matching_accuracy` of the plan, by mass; `matched_rows`, the same over all source
            rows, and `rows_with_mass`, the share of them that carry any; `test_accuracy`, downstream and out of sample;
            `source_overlap`, `target_overlap` (Eq. 21); towards pictures also `test_mse` (Eq. 24); where known pairs
            are one to one, FOSCTTM, recall and cosine: `plan_foscttm`, `test_foscttm`, `test_recall_10`, ...;
            towards neurons `test_prediction_error` (Fig. 10) and `test_neuron_correlation`. A number that needs labels
            or pairs the problem lacks is missing; a run that was stopped has none.
        seconds: time spent in each stage.
        device: the device that JAX ran on.
        recommendation: what cost "auto" became, and why; None where a cost was named.
    """

    config: RunConfig
    problem: Problem
    pairs: Pairs
    cost: Cost | None
    plan: Plan
    flow: Flow
    losses: np.ndarray
    metrics: dict[str, float]
    seconds: dict[str, float]
    device: str
    recommendation: Recommendation | None = None

    @property
    def stopped(self) -> bool:
        """Whether the training was stopped before its end."""
        return "training" not in self.seconds

    @classmethod
    def of(cls, pipeline: Pipeline) -> Run:
        """What a pipeline has given so far; it must have begun its training.

        Raises:
            ValueError: there is no flow yet.
        """
        if pipeline.problem is None or pipeline.pairs is None or pipeline.plan is None or pipeline.flow is None:
            raise ValueError("The pipeline has not begun its training, so that there is no flow yet.")
        return cls(
            config=pipeline.config, problem=pipeline.problem, pairs=pipeline.pairs, cost=pipeline.cost,
            plan=pipeline.plan, flow=pipeline.flow, losses=np.concatenate(pipeline.losses), metrics=pipeline.metrics,
            seconds=pipeline.seconds, device=device(), recommendation=pipeline.recommendation,
        )  # fmt: skip


def run(
    config: RunConfig | None = None,
    *,
    problem: Problem | None = None,
    pairs: ArrayLike | None = None,
    forbidden: ArrayLike | Forbidden | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_recommend: Callable[[int, int], None] | None = None,
    on_coupling: Callable[[int, float], None] | None = None,
    checkpoints: str | Path | None = None,
    mesh: Mesh | None = None,
) -> Run:
    """Load, pair, couple, train and evaluate, in one call.

    To call it in several processes, start them with `multiprocessing.get_context("spawn")`: a process that is forked
    after JAX has run hangs.

    Args:
        config: settings; None takes the defaults (2 % of the digits' pairs, global alignment by the bridge cost).
        problem: your own, instead of the data set that `config` names.
        pairs: your own, instead of a draw from `problem.truth`.
        forbidden: matches that may carry no mass, in addition to those of the problem: an (n, m) boolean mask, (k, 2)
            row numbers (source, target), or `bv.costs.Forbidden.classes(...)` for whole classes. With strategy "true"
            it is only checked.
        on_progress: called after every chunk of training; raise from it to cancel.
        on_recommend: with cost "auto", called after each coupling that is tried, with how many are done and how many
            there are.
        on_coupling: called after each few iterations of the coupling, with their number and the error;
            `config.coupling.pace()` turns these into a line with the time left.
        checkpoints: folder of the training's checkpoints, as in `flows.fit`.
        mesh: devices of the training, as in `flows.fit`.

    Raises:
        InputError: wrong settings, pairs that do not fit the problem, or pairs that are forbidden.

    >>> result = run(RunConfig(dataset="blobs", options={"n": 100}, fraction=0.1, steps=50))
    >>> sorted(name for name in result.metrics if "foscttm" not in name and "recall" not in name)
    ['matched_rows', 'matching_accuracy', 'rows_with_mass', 'source_overlap', 'target_overlap', 'test_accuracy',
    'test_pair_cosine']
    """
    config = RunConfig() if config is None else config
    if not isinstance(config, RunConfig):
        hint = "From plain values: RunConfig.from_dict(values)."
        raise check.fail("config", "run", "a RunConfig", check.describe(config), hint)
    if problem is None and isinstance(config.data.dataset, Yours) and not config.data.dataset.kept:
        hint = "Pass problem=bv.Problem(...)."
        raise check.fail("problem", "run", f"given when the dataset is '{Yours.name}'", None, hint)
    pipeline = Pipeline(
        config, own_problem=problem, own_pairs=pairs, own_forbidden=forbidden, checkpoints=checkpoints, mesh=mesh,
        choose=recommend_steps,
    )  # fmt: skip
    watchers = {"recommend": on_recommend, "coupling": on_coupling, "training": on_progress}
    with closing(pipeline.updates()) as updates:
        for update in updates:
            watch = watchers.get(update.stage)
            if watch is not None and update.progress is not None:
                watch(update.progress) if update.stage == "training" else watch(*update.progress)
    return Run.of(pipeline)
