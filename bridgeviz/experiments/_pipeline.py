"""Algorithm 1 as one generator of stages: load -> pairs -> (recommend) -> cost -> coupling -> training -> evaluation.

`run`, the command line, the app's jobs and caches, `recommend`, `tune` and the gallery all run this pipeline, each up
to the stage that it needs, and each from the results that it already has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, MutableMapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._pair_edits import read_edits
from bridgeviz.costs import Cost, Forbidden, flat, refuse_forbidden_pairs
from bridgeviz.couplings import Plan
from bridgeviz.experiments._auto import Auto
from bridgeviz.experiments._config import STAGES, RunConfig
from bridgeviz.experiments._evaluation import evaluate
from bridgeviz.experiments._recommendation import Recommendation
from bridgeviz.flows import Flow, Progress, fit
from bridgeviz.problem import Pairs, Problem

if TYPE_CHECKING:
    from jax.sharding import Mesh


T = TypeVar("T")


class Finished(NamedTuple):
    """The result of a stage, and the seconds that it took."""

    result: Any
    seconds: float


class Update(NamedTuple):
    """One report of a running pipeline.

    Attributes:
        stage: a name of `STAGES`.
        progress: from within the stage: (done, total) of `recommend`, (step, change) of a coupling that iterates, a
            `flows.Progress` of the training; None when the stage begins and when it ends.
        finished: the stage's result and seconds when it ends; None until then.
    """

    stage: str
    progress: Any = None
    finished: Finished | None = None


Known = MutableMapping[tuple[Any, ...], Finished]
"""Results by ("stage", *config.key("stage")): read before a stage runs, and written after it."""


@dataclass(eq=False)
class Pipeline:
    """The stages of one config, and their results so far.

    A stage whose result is in `known` does not run again. The results are also in the attributes `problem`, `pairs`,
    `cost` and so on, so that a caller who stops half-way keeps what has been computed.

    Args:
        config: the settings. With cost "auto" the stage `recommend` replaces them.
        own_problem: your own problem, instead of the data set that `config` names.
        own_pairs: your own pairs, instead of a draw from `problem.truth`.
        own_forbidden: matches that may carry no mass, beside those that the problem forbids, as in `run`.
        known: results of earlier pipelines, by stage and key; new results are added. It is used only for data sets,
            because the keys do not identify what is your own.
        checkpoints: folder of the training's checkpoints, as in `flows.fit`.
        mesh: devices of the training, as in `flows.fit`.
        choose: chooses the cost if it is "auto": `recommend_steps`. Without it such a config is refused.
        train: called instead of `flows.fit` with the problem, the plan and the flow's config.
    """

    config: RunConfig
    own_problem: Problem | None = None
    own_pairs: ArrayLike | None = None
    own_forbidden: ArrayLike | Forbidden | None = None
    known: Known | None = None
    checkpoints: str | Path | None = None
    mesh: Mesh | None = None
    choose: Callable[..., Generator[tuple[int, int], None, Recommendation]] | None = None
    train: Callable[..., Iterator[Progress]] | None = None
    problem: Problem | None = field(default=None, init=False)
    pairs: Pairs | None = field(default=None, init=False)
    recommendation: Recommendation | None = field(default=None, init=False)
    cost: Cost | None = field(default=None, init=False)
    plan: Plan | None = field(default=None, init=False)
    flow: Flow | None = field(default=None, init=False)
    losses: list[np.ndarray] = field(default_factory=list, init=False)
    metrics: dict[str, float] = field(default_factory=dict, init=False)
    seconds: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self):
        own = (self.own_problem, self.own_pairs, self.own_forbidden)
        if self.known is None or any(part is not None for part in own):
            self.known = {}

    def updates(self, *, until: str = STAGES[-1]) -> Generator[Update, None, None]:
        """Run the stages up to `until`; yields when each stage begins, while it runs, and when it ends.

        The time that the caller spends between two updates is not counted.
        """
        for stage in self.stages(until=until):
            yield from self.stage(stage)

    def stages(self, *, until: str = STAGES[-1]) -> Iterator[str]:
        """The names of the stages up to `until`, in order; `recommend` is one only where it has a cost to choose."""
        for stage in STAGES[: STAGES.index(until) + 1]:
            if stage != "recommend" or self._chooses:
                yield stage

    def result(self, stage: str) -> Any:
        """The result of a stage, after running the stages that it needs."""
        outcome = None
        for update in self.updates(until=stage):
            outcome = update.finished
        return None if outcome is None else outcome.result

    def forget(self, stage: str) -> None:
        """Remove the result of a stage, which may be large, from the known results."""
        assert self.known is not None
        self.known.pop((stage, *self.config.key(stage)), None)

    @property
    def _chooses(self) -> bool:
        return self.choose is not None and isinstance(self.config.cost, Auto) and self.config.coupling.uses_cost

    def stage(self, stage: str) -> Generator[Update, None, None]:
        """Run one stage; those before it must have ended. Yields as `updates` does."""
        key = (stage, *self.config.key(stage))
        assert self.known is not None
        finished = self.known.get(key)
        if finished is None:
            yield Update(stage)
            steps, spent = getattr(self, f"_{stage}")(), 0.0
            with closing(steps):  # whoever leaves half-way also ends what the stage has begun
                while finished is None:
                    start = time.perf_counter()
                    try:
                        progress = next(steps)
                        spent += time.perf_counter() - start
                        yield Update(stage, progress)
                    except StopIteration as end:
                        finished = Finished(end.value, spent + time.perf_counter() - start)
            self.known[key] = finished
        self._keep(stage, finished)
        yield Update(stage, finished=finished)

    def _keep(self, stage: str, finished: Finished) -> None:
        self.seconds[stage] = finished.seconds
        name = {"load": "problem", "coupling": "plan", "recommend": "recommendation", "evaluation": "metrics"}
        if stage == "training":
            self.flow, losses = finished.result
            self.losses = [losses]
        else:
            setattr(self, name.get(stage, stage), finished.result)
        if stage == "recommend":
            self.config = finished.result.apply(self.config)

    # Each stage is a generator that yields its progress and returns its result.

    def _load(self) -> Generator[Any, None, Problem]:
        yield from ()
        data, problem = self.config.data, self.own_problem
        if problem is not None and not isinstance(problem, Problem):
            raise check.fail("problem", "run", "a Problem", check.describe(problem))
        for own, name in ((self.own_pairs, "pairs"), (self.own_forbidden, "forbidden matches")):
            if own is not None and data.rows is not None:
                raise check.fail("rows", "run", f"None where {name} are given, because they name rows", data.rows)
        problem = data.dataset.load() if problem is None else problem
        if self.own_pairs is not None:
            least = int(self.config.needs_pairs)
            self.own_pairs = check.pair_index(self.own_pairs, "pairs", "run", shape=problem.shape, least=least)
        if self.own_forbidden is not None:
            problem = problem.forbid(self.own_forbidden, where="run")
        if data.rows is not None:
            problem = problem.sample(data.rows, seed=data.seed)
        return problem.reversed() if data.reverse else problem

    def _pairs(self) -> Generator[Any, None, Pairs]:
        yield from ()
        problem, settings = _there(self.problem), self.config.pairs
        edits = read_edits(settings.edits)
        if self.own_pairs is not None:
            pairs = np.asarray(self.own_pairs)
            pairs = pairs[:, ::-1] if self.config.data.reverse else pairs
        elif edits.fresh or (problem.truth is None and 0 in (settings.count, settings.fraction)):
            pairs = np.zeros((0, 2), np.int64)
        else:
            pairs = problem.sample_pairs(
                settings.fraction, count=settings.count, cover_classes=settings.cover_classes, seed=settings.seed
            )
        if settings.edits:
            least = int(self.config.needs_pairs)
            pairs = check.pair_index(edits.of(pairs), "edits", "run", shape=problem.shape, least=least)
        pairs = Pairs(pairs, shape=problem.shape)
        if problem.forbidden is not None:
            refuse_forbidden_pairs(problem.forbidden, pairs, "run")
        return pairs

    def _recommend(self) -> Generator[tuple[int, int], None, Recommendation]:
        metric = self.config.cost.metric
        return _there(self.choose)(_there(self.problem), _there(self.pairs), metric=metric, seed=self.config.seed)

    def _cost(self) -> Generator[Any, None, Cost | None]:
        yield from ()
        problem, pairs, coupling = _there(self.problem), _there(self.pairs), self.config.coupling
        forbidden = problem.forbidden
        unread = len(pairs) == 0 and not coupling.needs_pairs and self.config.cost.needs_pairs
        if not coupling.uses_cost or (unread and forbidden is None):
            return None
        cost = flat(*problem.shape) if unread else self.config.cost.build_for(problem, pairs)
        return cost if forbidden is None else cost.forbid(forbidden)

    def _coupling(self) -> Generator[Any, None, Plan]:
        return self.config.coupling.steps(
            _there(self.problem), _there(self.pairs), self.cost, metric=self.config.cost.within
        )

    def _training(self) -> Generator[Progress, None, tuple[Flow, np.ndarray]]:
        options = {} if self.train else {"checkpoints": self.checkpoints, "mesh": self.mesh}
        for progress in (self.train or fit)(_there(self.problem), _there(self.plan), self.config.flow, **options):
            self.flow = progress.flow
            self.losses.append(progress.losses)
            yield progress
        return _there(self.flow), np.concatenate(self.losses)  # a config has steps >= 1

    def _evaluation(self) -> Generator[Any, None, dict[str, float]]:
        yield from ()
        problem, plan, flow = _there(self.problem), _there(self.plan), _there(self.flow)
        return evaluate(problem, plan, flow, np.asarray(_there(self.pairs)), seed=self.config.seed)


def _there(result: T | None) -> T:
    """The result of an earlier stage, which exists by the time that a later stage reads it."""
    assert result is not None
    return result
