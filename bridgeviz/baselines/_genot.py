"""GENOT's local alignment (Klein et al. 2023): a transport between the points of each training batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import costs, couplings
from bridgeviz._options import Count, Positive, option
from bridgeviz.baselines._baseline import BaselineOptions, Fitted
from bridgeviz.flows import Flow, FlowConfig, Progress, fit
from bridgeviz.problem import Problem


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedFlow(Fitted):
    """A trained flow; points are carried by it, not by its mean.

    Attributes:
        flow: the flow.
        seed: of the noise.
    """

    flow: Flow
    seed: int

    def transport(self, x: ArrayLike) -> Float[np.ndarray, "n q"]:
        return self.flow.transport(x, seed=self.seed).states[-1]


@dataclass(frozen=True, kw_only=True)
class Genot(BaselineOptions):
    """A flow that learns, at each step, from the entropic transport between the points of one batch.

    The cost between the spaces is the bridge on the pairs (Eq. 6), and the network is GENOT's: three embeddings and a
    joint network, without adaptive normalisation.

    Attributes:
        steps: of the training.
        batch_size: points of a batch.
        epsilon: entropy regularisation, in units of the batch's mean cost.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=60)
    >>> Genot(steps=10, batch_size=32).fit(problem, problem.truth).transport(problem.test.source.x).shape[1]
    4
    """

    name = "genot"
    title = "GENOT, local"
    summary = "a flow that couples the points of each batch"
    steps: int = option(Count(), 4_000, help="Training steps.")
    batch_size: int = option(Count(least=2), 256, help="Points of a batch.")
    epsilon: float = option(Positive(), 5e-3, help="Entropy regularisation, in units of the mean cost.")

    def training(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> Iterator[tuple[Progress, Fitted]]:
        """Train on the pairs; yields the progress and what is fitted so far after every chunk of steps."""
        index = self._pairs(problem, pairs, least=1)
        cost = costs.bridge(problem.source.x, problem.target.x, index)
        plan = couplings.local(cost, epsilon=self.epsilon, batch_size=self.batch_size)
        config = FlowConfig(
            velocity="mlp-small", steps=self.steps, batch_size=self.batch_size, base="none", holdout=0.0, seed=seed
        )
        for progress in fit(problem, plan, config):
            yield progress, FittedFlow(target=problem.target, flow=progress.flow, seed=seed)

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> Fitted:
        """Train to the end."""
        *_, (_, fitted) = self.training(problem, pairs, seed=seed)
        return fitted
