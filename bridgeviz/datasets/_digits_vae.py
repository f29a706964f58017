"""The small VAE of the 8x8 digits: its codes, and its training."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jax
import numpy as np
from flax import nnx

from bridgeviz._checks import DataMissing
from bridgeviz._files import check_folder, new_folder
from bridgeviz.datasets import paths
from bridgeviz.encoders.training import VAEConfig, bernoulli_loss, fit_vae, load_weights, save_weights
from bridgeviz.encoders.vae import DenseVAE, digits_vae

CONFIG = VAEConfig(epochs=300, batch_size=128, learning_rate=2e-3, kl_weight=0.5)
HOLDS = {"vae.npz"}


@cache
def _model() -> DenseVAE:
    path = paths.find("digits", "vae.npz")
    if path is None:
        raise DataMissing("The weights of the digits' VAE are not here. Run `bridgeviz pretrain digits`.")
    return load_weights(path, nnx.eval_shape(lambda: digits_vae(nnx.Rngs(0))))


def encode(x: np.ndarray) -> np.ndarray:
    """(k, 64) pictures in [0, 1] -> (k, 8) mean codes."""
    return np.asarray(_model().encode(np.asarray(x, np.float32))[0])


def decode(z: np.ndarray) -> np.ndarray:
    """(k, 8) codes -> (k, 8, 8) mean pictures in [0, 1]."""
    return np.asarray(jax.nn.sigmoid(_model().decode(np.asarray(z, np.float32)))).reshape(-1, 8, 8)


def pretrain(pictures: np.ndarray, out: Path) -> Iterator[tuple[str, int, int, float]]:
    """Train the VAE on `pictures` (k, 64) and write its weights to `out`; yields (model, step, steps, loss)."""
    check_folder(out, holds=HOLDS)
    model = digits_vae(nnx.Rngs(0))
    for progress in fit_vae(model, pictures.astype(np.float32), CONFIG, loss=bernoulli_loss):
        yield "VAE of digits", progress.step, progress.steps, progress.reconstruction + progress.kl
    nnx.update(model, progress.params)
    with new_folder(out, holds=HOLDS) as draft:
        save_weights(draft / "vae.npz", model)
