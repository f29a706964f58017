"""scikit-learn's 1,797 real 8x8 digits: nothing to download."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import nnx
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from bridgeviz import _checks as check
from bridgeviz._checks import DataMissing
from bridgeviz._files import check_folder, new_folder
from bridgeviz.datasets import paths
from bridgeviz.datasets.label_codes import NAMES, label_space
from bridgeviz.encoders.training import VAEConfig, bernoulli_loss, fit_vae, load_weights, save_weights
from bridgeviz.encoders.vae import DenseVAE, digits_vae
from bridgeviz.problem import Problem, Space

TITLE = "digits: 1,797 small handwritten digits, PCA or VAE latents against label codes"
CONFIG = VAEConfig(epochs=300, batch_size=128, learning_rate=2e-3, kl_weight=0.5)


def load(*, features: str = "pca", latents: int = 16) -> Problem:
    """1,347 digits to align and 450 as `.test`, split by class with a fixed seed.

    Args:
        features: of the pictures: "pca" coordinates, or the "vae" mean codes (8) of a small shipped VAE.
        latents: how many principal components.
    """
    check.choice(features, "features", "load", ("pca", "vae"))
    latents = check.count(latents, "latents", "load", least=2, most=64)
    train, test = _split()
    data, labels = _data()
    if features == "pca":
        pca = PCA(latents, random_state=0).fit(data[train])
        encode, decode = pca.transform, lambda z: np.clip(pca.inverse_transform(z), 0, 1).reshape(-1, 8, 8)
        title = f"handwriting, {latents} principal components"
    else:
        encode, decode, title = _encode, _decode, "handwriting, latents of a small VAE"

    def problem(rows: np.ndarray, other: Problem | None) -> Problem:
        source = Space(
            encode(data[rows]).astype(np.float32), labels=labels[rows], names=NAMES, title=title,
            images=(255 * data[rows]).astype(np.uint8).reshape(-1, 8, 8), decode_images=decode,
        )  # fmt: skip
        truth = np.stack([np.arange(len(rows))] * 2, axis=1)
        return Problem(source, label_space(labels[rows]), truth=truth, test=other, name="digits")

    return problem(train, problem(test, None))


@cache
def _data() -> tuple[np.ndarray, np.ndarray]:
    bunch: Any = load_digits()
    return bunch.data / 16.0, bunch.target.astype(np.int64)


@cache
def _split() -> tuple[np.ndarray, np.ndarray]:
    labels = _data()[1]
    train, test = train_test_split(np.arange(len(labels)), test_size=450, stratify=labels, random_state=0)
    return np.asarray(train), np.asarray(test)


@cache
def _model() -> DenseVAE:
    path = paths.find("digits", "vae.npz")
    if path is None:
        raise DataMissing("The weights of the digits' VAE are not here. Run `bridgeviz pretrain digits`.")
    return load_weights(path, nnx.eval_shape(lambda: digits_vae(nnx.Rngs(0))))


def _encode(x: np.ndarray) -> np.ndarray:
    return np.asarray(_model().encode(np.asarray(x, np.float32))[0])


def _decode(z: np.ndarray) -> np.ndarray:
    return np.asarray(jax.nn.sigmoid(_model().decode(np.asarray(z, np.float32)))).reshape(-1, 8, 8)


def pretrain(out: Path) -> Iterator[tuple[str, int, int, float]]:
    """Train the small VAE on the digits to align and write its weights to `out`; yields (what, step, steps, loss)."""
    check_folder(out, holds={"vae.npz"})
    model = digits_vae(nnx.Rngs(0))
    for progress in fit_vae(model, _data()[0][_split()[0]].astype(np.float32), CONFIG, loss=bernoulli_loss):
        yield "VAE of digits", progress.step, progress.steps, progress.reconstruction + progress.kl
    nnx.update(model, progress.params)
    with new_folder(out, holds={"vae.npz"}) as draft:
        save_weights(draft / "vae.npz", model)
