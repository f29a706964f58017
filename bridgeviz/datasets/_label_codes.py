"""The text side of the handwriting data sets: labels as codes of VAE_text."""

from __future__ import annotations

from functools import cache

import jax
import numpy as np
from flax import nnx

from bridgeviz._checks import DataMissing
from bridgeviz.datasets import paths
from bridgeviz.encoders.training import load_weights
from bridgeviz.encoders.vae import DenseVAE, text_vae
from bridgeviz.problem import Space

NAMES = tuple(map(str, range(10)))


@cache
def _model() -> DenseVAE:
    path = paths.find("mnist", "vae_text.npz")
    if path is None:
        raise DataMissing("The weights of VAE_text are not here. Run `bridgeviz pretrain mnist`.")
    return load_weights(path, nnx.eval_shape(lambda: text_vae(nnx.Rngs(0))))


@cache
def codes() -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the code of each of the ten labels, (10, 4) float32 each."""
    mean, logvar = _model().encode(np.eye(10, dtype=np.float32))
    return np.asarray(mean), np.exp(np.asarray(logvar) / 2)


def decode_labels(z: np.ndarray) -> np.ndarray:
    """(k, 4) codes -> (k, 10) probabilities of the labels, by the decoder of VAE_text."""
    return np.asarray(_decode(*nnx.split(_model()), np.asarray(z, np.float32)))


_decode = jax.jit(lambda graph, params, z: jax.nn.softmax(nnx.merge(graph, params).decode(z)), static_argnums=0)


def label_space(labels: np.ndarray, *, sampled: bool = False, seed: int | list[int] = 0) -> Space:
    """The space of the labels' codes: means, so that equal labels are equal points, or samples from their Gaussians."""
    mean, std = codes()
    x = mean[labels]
    if sampled:
        x = x + std[labels] * np.random.default_rng(seed).standard_normal(x.shape).astype(np.float32)
    return Space(
        x, labels=labels, names=NAMES, title="labels, codes of VAE_text", decode_labels=decode_labels,
        classes=np.arange(10),  # the columns of the decoder, even where `labels` lacks some of them
    )  # fmt: skip
