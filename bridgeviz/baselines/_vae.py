"""Variational auto-encoders from one kind of data to another: the end-to-end baselines of the paper (G.1.2)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._options import Choice, Count, Positive, Unit, option
from bridgeviz.baselines import _pixels as net
from bridgeviz.baselines._baseline import BaselineOptions, Fitted
from bridgeviz.encoders.training import VAEConfig, VAEProgress, fit_elbo, sampled_code
from bridgeviz.problem import Problem, Space

LATENTS = {"small": 16, "large": 128}
"""Dimensions of the code by size (Table 3)."""

LEARNING_RATE, BATCH = 1e-3, 128

ROWS = 1_000
"""Points that are carried at a time."""


class CrossVAE(nnx.Module):
    """One encoder and one decoder, between two spaces."""

    def __init__(self, source: Space, target: Space, latents: int, width: float, *, rngs: nnx.Rngs):
        self.encoder = net.encoder_of(source, latents, width, rngs=rngs)
        self.decoder = net.decoder_of(target, latents, width, rngs=rngs)

    def carried(self, x: jax.Array) -> jax.Array:
        """The decoder's output for the mean codes."""
        mean, _ = net.codes(self.encoder(x))
        return self.decoder(mean)


@dataclass(frozen=True)
class CrossElbo:
    """The parts of the negative ELBO of target rows, given the code of their source rows."""

    loss: net.Loss

    def __call__(self, model: Any, batch: tuple[jax.Array, jax.Array], key: jax.Array) -> tuple[jax.Array, jax.Array]:
        x, y = batch
        z, kl = sampled_code(*net.codes(model.encoder(x)), key)
        return self.loss(model.decoder(z), y).mean(), kl


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedNetwork(Fitted):
    """A trained network.

    Attributes:
        model: with `carried`.
        point: makes points of what it returns.
        columns: of the source space.
    """

    model: Any
    point: Callable[[jax.Array], jax.Array]
    columns: int

    def transport(self, x: ArrayLike) -> Float[np.ndarray, "n q"]:
        x = check.matrix(x, "x", "transport", columns=self.columns, rows=1)
        parts = [_carried(*nnx.split(self.model), part) for part in np.array_split(x, max(1, -(-len(x) // ROWS)))]
        return np.concatenate([np.asarray(self.point(part), np.float64) for part in parts])


@jax.jit
def _carried(graph: Any, state: Any, x: jax.Array) -> jax.Array:
    return nnx.merge(graph, state).carried(x.astype(jnp.float32))


@dataclass(frozen=True, kw_only=True)
class NetworkOptions(BaselineOptions):
    """The base of the baselines that train a network on the pairs: `training` trains it step by step, `fit` to the end.

    Attributes:
        steps: of the training, at least; whole passes over the pairs.
        kl_weight: of the divergence of the codes from a normal distribution.
    """

    trained: ClassVar[bool] = True
    steps: int = option(Count(), 2_000, help="Training steps, at least; whole passes over the pairs.")
    kl_weight: float = option(
        Positive(), 0.1, help="Weight of the KL divergence. At 1, codes of ten equally likely labels collapse."
    )

    @abstractmethod
    def model(self, problem: Problem, seed: int = 0) -> nnx.Module:
        """The network before its training."""

    @abstractmethod
    def elbo(self, problem: Problem) -> Callable[..., tuple[jax.Array, jax.Array]]:
        """What is minimised."""

    def parameters(self, problem: Problem) -> int:
        """The number of weights."""
        return net.parameters(nnx.eval_shape(lambda: self.model(problem)))

    def training(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> Iterator[tuple[VAEProgress, Fitted]]:
        """Train on the pairs; yields the progress and what is fitted so far after every few steps.

        Raises:
            InputError: no pairs.
        """
        index = self._pairs(problem, pairs, least=1)
        x, y = problem.source.x[index[:, 0]], problem.target.x[index[:, 1]]
        model = self.model(problem, seed)
        per_epoch = max(1, len(x) // BATCH)
        config = VAEConfig(
            epochs=-(-self.steps // per_epoch), batch_size=BATCH, learning_rate=LEARNING_RATE,
            kl_weight=self.kl_weight, seed=seed,
        )  # fmt: skip
        _, point = net.loss_of(problem.target)
        columns = problem.source.x.shape[1]
        for progress in fit_elbo(model, (x.astype(np.float32), y.astype(np.float32)), config, elbo=self.elbo(problem)):
            nnx.update(model, progress.params)
            yield progress, FittedNetwork(target=problem.target, model=model, point=point, columns=columns)

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> Fitted:
        """Train to the end, with the initial weights, batches and codes that the seed gives."""
        *_, (_, fitted) = self.training(problem, pairs, seed=seed)
        return fitted


@dataclass(frozen=True, kw_only=True)
class VAE(NetworkOptions):
    """A variational auto-encoder whose decoder makes the partner instead of the input (G.1.2, Table 3).

    The encoder reads pictures by convolutions of 512, 1,024 and 2,048 channels and anything else by layers of 64 and 32
    units; the decoder has transposed convolutions of 1,024 and 512 channels, or layers of 32 and 16 units. The paper
    trains it end to end, on pictures and one-hot labels: `bv.load("mnist", spaces="raw")`.

    Attributes:
        size: "small" with 16 latents, or "large" with 128.
        width: the share of the channels. At 1, a step on 128 pictures takes 2 * 10^11 multiplications: that of the
            paper, for a GPU.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=60)
    >>> VAE(steps=20).fit(problem, problem.truth).transport(problem.test.source.x).shape[1]
    4
    """

    name = "vae"
    summary = "a VAE from one space to the other, trained on the pairs"
    size: str = option(Choice(tuple(LATENTS)), "small", help="Dimensions of the code: small has 16, large has 128.")
    width: float = option(Unit(), 0.125, help="The share of the channels of the paper's convolutions.")

    def model(self, problem: Problem, seed: int = 0) -> CrossVAE:
        return CrossVAE(problem.source, problem.target, LATENTS[self.size], self.width, rngs=nnx.Rngs(seed))

    def elbo(self, problem: Problem) -> CrossElbo:
        return CrossElbo(net.loss_of(problem.target)[0])
