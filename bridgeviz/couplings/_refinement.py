"""Refinement: a plan becomes soft pairs, the cost is built on them, and the transport is solved again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.costs import Cost, SoftPairs
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._distance import distance
from bridgeviz.couplings._guesses import Guesser
from bridgeviz.couplings._reports import Refinement
from bridgeviz.couplings._solver_options import Steps

STILL = 0.001
"""Rounds end when less than this share of the mass moves."""
HELD_OUT = 0.2
"""Share of the known pairs that are held out to choose the number of rounds."""
LEAST_HELD_OUT, MOST_HELD_OUT = 10, 500


@dataclass(frozen=True, eq=False)
class Refiner:
    """Solves a cost, and then again and again on what the last plan has found.

    In each round, every row's shares in the plan become soft pairs beside the known ones. The cost is built on these
    and solved, with the same weights and forbidden matches. The rounds end when less than 0.1 % of the mass moves.

    How many rounds to keep is decided by held-out pairs: 20 % of the known pairs are left out, and the number is kept
    after which the plan ranks their partners best. If it never ranks them better than chance, none is kept. A pair of a
    class is held out only if its class has another pair. Where fewer than 10 can be held out, all rounds are kept, and
    the report says that nothing confirms them.

    Attributes:
        cost: between the spaces, with `rebuild`.
        pairs: (l, 2) known pairs.
        solve: from a cost to the steps of its plan.
        most: rounds, at most.

    Raises:
        InputError: the cost can't be built on other pairs.
    """

    cost: Cost
    pairs: np.ndarray
    solve: Callable[[Cost], Steps[Coupling]]
    most: int

    def __post_init__(self):
        if self.cost.rebuild is None:
            raise InputError(
                f"Refinement builds the cost again on what the plan has found, and '{self.cost.name}' is not built on "
                "pairs. Use refine=0."
            )

    def steps(self) -> Steps[Coupling]:
        """The refined plan, with its report; yields the number of each solved plan and the mass that has moved."""
        plan = yield from self.solve(self.cost)
        held_out = self._held_out(plan)
        scores: list[np.ndarray] = []
        done = 0
        if len(held_out):
            rest, tests = np.delete(self.pairs, held_out, axis=0), self.pairs[held_out]
            trial = yield from self.solve(self._on(SoftPairs(rest)))
            scores.append(Guesser.of(trial).ranks(tests, rest))
            for done in range(1, self.most + 1):
                before, trial = trial, (yield from self.solve(self._on(Guesser.of(trial).guesses(rest))))
                scores.append(Guesser.of(trial).ranks(tests, rest))
                yield done, (moved := _moved(before, trial))
                if moved < STILL:
                    break
        rounds = _best(scores) if scores else self.most
        moves: list[float] = []
        for number in range(1, rounds + 1):
            before, plan = plan, (yield from self.solve(self._on(Guesser.of(plan).guesses(self.pairs))))
            moves.append(_moved(before, plan))
            yield done + number, moves[-1]
            if moves[-1] < STILL:
                break
        ranks = tuple(float(score.mean()) for score in scores)
        return replace(plan, refinement=Refinement(len(moves), tuple(moves), len(held_out), ranks))

    def _on(self, soft: SoftPairs) -> Cost:
        """The cost on soft pairs, with the weights and forbidden matches of the first one."""
        assert self.cost.rebuild is not None
        source, target = self.cost.source_atoms, self.cost.target_atoms
        cost = self.cost.rebuild(soft).weighted(source.weights, target.weights)
        if self.cost.forbidden is None:
            return cost
        return cost.forbid(self.cost.forbidden.take(source.index, target.index))

    def _held_out(self, plan: Coupling) -> np.ndarray:
        """The numbers of the pairs to hold out; the same for the same pairs."""
        guesser = Guesser.of(plan)
        partner = guesser.partners.index[self.pairs[:, 1 - guesser.side]]
        order = np.random.default_rng(0).permutation(len(self.pairs))
        if guesser.partners.merged:  # a class keeps at least its first pair
            _, first = np.unique(partner[order], return_index=True)
            order = np.delete(order, first)
        size = min(round(HELD_OUT * len(self.pairs)), MOST_HELD_OUT, len(order))
        return order[:size] if size >= LEAST_HELD_OUT else order[:0]


def _best(scores: list[np.ndarray]) -> int:
    """The number of rounds with the best mean rank of the held-out partners, the larger one of equals; 0 where the best
    is not better than chance by two standard errors of ranks that are drawn at random."""
    means = np.array([score.mean() for score in scores])
    if means.min() > 0.5 - 2 / np.sqrt(12 * len(scores[0])):
        return 0
    return int(np.flatnonzero(means <= means.min() + 1e-12)[-1])


def _moved(before: Coupling, after: Coupling) -> float:
    """The share of the mass that is elsewhere, in [0, 1]; rows of both plans are compared by atoms, if these agree."""
    if before.plan.shape != after.plan.shape or not (before.mass > 0 and after.mass > 0):
        return 1.0
    return distance(before, after) / 2
