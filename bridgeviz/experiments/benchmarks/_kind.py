"""What a kind of problem is: its data, its numbers of pairs, and the figures by which methods are compared on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from bridgeviz import metrics
from bridgeviz.datasets import DatasetOptions
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.problem import Pairs, Problem

if TYPE_CHECKING:
    from bridgeviz.baselines import Fitted
    from bridgeviz.couplings import Plan
    from bridgeviz.flows import Flow


class Figure(NamedTuple):
    """A number by which methods are compared.

    Attributes:
        title: of its column.
        higher: whether higher is better.
    """

    title: str
    higher: bool


@dataclass(frozen=True, kw_only=True)
class Draw:
    """How many pairs are known.

    Attributes:
        label: of the column, such as "20 pairs"; a key of the ledger.
        fraction, count: one of them.
        cover: whether there is at least one pair of each class.
    """

    label: str
    fraction: float | None = None
    count: int | None = None
    cover: bool = False

    def pairs(self, problem: Problem, seed: int) -> Pairs:
        """The pairs of a seed."""
        return problem.sample_pairs(self.fraction, count=self.count, cover_classes=self.cover, seed=seed)

    def size(self, known: int) -> int:
        """How many pairs it takes of those that are known."""
        return round((self.fraction or 0) * known) if self.count is None else self.count


@dataclass(frozen=True, kw_only=True)
class Kind(ABC):
    """One data set with its numbers of pairs. A subclass says how methods are evaluated on it.

    Attributes:
        name: of the kind; a key of the ledger.
        title: of its table.
        dataset: what is loaded, once per process.
        draws: the numbers of pairs.
        taus: tau of the target, of the plans of every cost; more than one where classes may have no pair.
        flows: the cases whose plans a flow is trained on.
        flow_variants: how these flows are trained; names in `FLOWS` of the cases.
        flow_seeds: the flows are trained for the seeds 0 .. flow_seeds - 1 only.
        auto_seeds: the same for the automatic choice.
    """

    figures: ClassVar[Mapping[str, Figure]] = {}
    reads_labels: ClassVar[bool] = False
    carries_new_points: ClassVar[bool] = False
    """Whether methods are compared on new points alone, so that a plan by itself has no figure."""

    name: str
    title: str
    dataset: DatasetOptions
    draws: tuple[Draw, ...]
    taus: tuple[float, ...] = (1.0,)
    flows: tuple[str, ...] = ()
    flow_variants: tuple[str, ...] = ("flow",)
    flow_seeds: int = 5
    auto_seeds: int = 5

    @property
    def problem(self) -> Problem:
        """The two spaces."""
        return load(self.dataset)

    def draw(self, label: str) -> Draw:
        """The draw of that label."""
        return next(draw for draw in self.draws if draw.label == label)

    @abstractmethod
    def of_baseline(self, fitted: Fitted, pairs: Pairs) -> Row:
        """The figures of a fitted baseline."""

    @abstractmethod
    def of_plan(self, plan: Plan, pairs: Pairs) -> Row:
        """The figures of a plan."""

    @abstractmethod
    def of_flow(self, flow: Flow, pairs: Pairs, seed: int) -> dict[str, Row]:
        """The figures of a flow's transported points ("") and of its mean ("mean")."""


@cache
def load(dataset: DatasetOptions) -> Problem:
    """The problem of a data set, kept for the next cell of the same process."""
    return dataset.load()


class Classes(Kind):
    """Every target is a class. `plan` is the accuracy on the source rows, `test` on new points."""

    figures: ClassVar[Mapping[str, Figure]] = {
        "plan": Figure("plan: matching accuracy", True),
        "test": Figure("new points: accuracy", True),
    }
    reads_labels = True

    def of_baseline(self, fitted: Fitted, pairs: Pairs) -> Row:
        source, test = self.problem.source, _test(self.problem).source
        sides = {"plan": source, "test": test}
        return {name: fitted.accuracy(space.x, np.asarray(space.labels)) for name, space in sides.items()}

    def of_plan(self, plan: Plan, pairs: Pairs) -> Row:
        labels = np.asarray(self.problem.source.labels), np.asarray(self.problem.target.labels)
        return {"plan": metrics.matching_accuracy(plan, *labels)}

    def of_flow(self, flow: Flow, pairs: Pairs, seed: int) -> dict[str, Row]:
        test = _test(self.problem).source
        ends = {"": flow.transport(test.x, seed=seed).states[-1], "mean": flow.mean(test.x, seed=seed)}
        labels = np.asarray(test.labels)
        return {name: {"test": metrics.downstream_accuracy(self.problem.target, y, labels)} for name, y in ends.items()}


class OneToOne(Kind):
    """Every row has one partner. FOSCTTM and recall of the rows without a known pair among each other, both directions.

    Rows of the known pairs are no candidates: methods that rank them last, because they are taken, would be ahead of
    others by that alone. Where both sides have labels, `partner_class` is the share of these source rows whose nearest
    target row is of their class; no method reads labels.
    """

    figures: ClassVar[Mapping[str, Figure]] = {
        "foscttm": Figure("FOSCTTM", False), "recall": Figure("recall@1", True),
        "partner_class": Figure("class of the nearest partner", True),
    }  # fmt: skip

    def of_baseline(self, fitted: Fitted, pairs: Pairs) -> Row:
        return self._of(-fitted.score(self.problem.source.x), pairs)

    def of_plan(self, plan: Plan, pairs: Pairs) -> Row:
        return self._of(-np.asarray(_whole(plan).dense()), pairs)

    def of_flow(self, flow: Flow, pairs: Pairs, seed: int) -> dict[str, Row]:
        x, y = self.problem.source.x, self.problem.target.x
        ends = {"": flow.transport(x, seed=seed).states[-1], "mean": flow.mean(x, seed=seed)}
        return {name: self._of(metrics.arrivals(end, y).dense(), pairs) for name, end in ends.items()}

    def _of(self, distances: np.ndarray, pairs: Pairs) -> Row:
        """The figures of an (n, m) matrix of distances."""
        unused = self.problem.unused(pairs)
        ranked = metrics.partners(distances, unused, known=pairs)
        row: Row = {"foscttm": ranked.foscttm, "recall": ranked.recall(1)}
        source, target = self.problem.source.labels, self.problem.target.labels
        if source is not None and target is not None:
            _, columns = metrics.candidates(distances.shape, unused, pairs)
            nearest = columns[distances[np.ix_(unused.source, columns)].argmin(1)]
            row["partner_class"] = float(np.mean(target[nearest] == source[unused.source]))
        return row


class Neurons(Kind):
    """Responses of neurons, predicted for new stimuli: their error (1 is each neuron's mean) and median correlation."""

    figures: ClassVar[Mapping[str, Figure]] = {
        "error": Figure("error on the test split", False),
        "r": Figure("median r of the neurons", True),
    }
    carries_new_points = True

    def of_baseline(self, fitted: Fitted, pairs: Pairs) -> Row:
        return self._of(fitted.transport(_test(self.problem).source.x))

    def of_plan(self, plan: Plan, pairs: Pairs) -> Row:
        return {}

    def of_flow(self, flow: Flow, pairs: Pairs, seed: int) -> dict[str, Row]:
        return {"mean": self._of(flow.mean(_test(self.problem).source.x, draws=64, seed=seed))}

    def _of(self, predicted: np.ndarray) -> Row:
        recorded = _test(self.problem).target.x
        correlation = metrics.neuron_correlation(predicted, recorded)
        error = metrics.prediction_error(predicted, recorded)
        return {"error": error, "r": float(np.nanmedian(correlation))}


def _test(problem: Problem) -> Problem:
    assert problem.test is not None, "every kind that asks for it has a test split"
    return problem.test


def _whole(plan: Plan) -> Plan:
    whole = plan.whole
    assert whole is not None, "the plans of this benchmark have all of their entries"
    return whole
