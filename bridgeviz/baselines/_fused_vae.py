"""Two variational auto-encoders with one space of codes: the fusion baselines of the paper (G.1.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
from flax import nnx

from bridgeviz._options import Unit, option
from bridgeviz.baselines import _pixels as net
from bridgeviz.baselines._vae import LATENTS, NetworkOptions
from bridgeviz.encoders.training import sampled_code
from bridgeviz.problem import Problem, Space

HIDDEN = (1024,) * 8
"""Widths of the hidden layers between latent spaces (Table 3)."""


class FusedNetworks(nnx.Module):
    """An encoder and a decoder of each space; `carried` goes from the first to the second."""

    def __init__(self, spaces: tuple[Space, Space], latents: int, width: float, *, rngs: nnx.Rngs):
        raw = any(net.picture_shape(space) is not None for space in spaces)
        self.encoders, self.decoders = nnx.List([]), nnx.List([])
        for space in spaces:
            if raw:
                self.encoders.append(net.encoder_of(space, latents, width, rngs=rngs))
                self.decoders.append(net.decoder_of(space, latents, width, rngs=rngs))
            else:
                hidden, columns = net.scaled(HIDDEN, width), space.x.shape[1]
                self.encoders.append(net.Dense((columns, *hidden, 2 * latents), rngs=rngs))
                self.decoders.append(net.Dense((latents, *hidden, columns), rngs=rngs))

    def carried(self, x: jax.Array) -> jax.Array:
        """The second decoder's output for the mean codes of the first encoder."""
        mean, _ = net.codes(self.encoders[0](x))
        return self.decoders[1](mean)


@dataclass(frozen=True)
class FusedElbo:
    """The parts of Eq. 20: from the code of either row of a pair, both rows are reconstructed (Eq. 19)."""

    losses: tuple[net.Loss, net.Loss]

    def __call__(self, model: Any, batch: tuple[jax.Array, jax.Array], key: jax.Array) -> tuple[jax.Array, jax.Array]:
        reconstruction = divergence = jax.numpy.zeros(())
        for encoder, rows, own_key in zip(model.encoders, batch, jax.random.split(key), strict=True):
            z, kl = sampled_code(*net.codes(encoder(rows)), own_key)
            divergence += kl
            for decoder, loss, wanted in zip(model.decoders, self.losses, batch, strict=True):
                reconstruction += loss(decoder(z), wanted).mean()
        return reconstruction, divergence


@dataclass(frozen=True, kw_only=True)
class FusedVAE(NetworkOptions):
    """Encoders of both spaces into one space of 128 codes, and decoders from it into both (Eq. 19-20, Table 3).

    Between pictures and labels (`bv.load("mnist", spaces="raw")`) it is the paper's Fused VAE (E2E), with the encoders
    and decoders of `VAE`. Between latent spaces it is its Fused VAE (latent): eight layers of 1,024 units each.

    Attributes:
        width: the share of the channels and units; 1 is the paper's.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=60)
    >>> FusedVAE(steps=20, width=0.02).fit(problem, problem.truth).transport(problem.test.source.x).shape[1]
    4
    """

    name = "fused-vae"
    summary = "two VAEs with one space of codes, trained on the pairs"
    width: float = option(Unit(), 0.125, help="The share of the paper's channels and units.")

    def model(self, problem: Problem, seed: int = 0) -> FusedNetworks:
        spaces = (problem.source, problem.target)
        return FusedNetworks(spaces, LATENTS["large"], self.width, rngs=nnx.Rngs(seed))

    def elbo(self, problem: Problem) -> FusedElbo:
        return FusedElbo((net.loss_of(problem.source)[0], net.loss_of(problem.target)[0]))
