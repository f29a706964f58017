"""scikit-learn's 1,797 real 8x8 digits: nothing to download."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bridgeviz._options import Choice, Count, option
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.problem import Problem, Space


@dataclass(frozen=True, kw_only=True)
class Digits(DatasetOptions):
    """1,347 digits to align and 450 as `.test`, split by class with a fixed seed, against label codes.

    Args:
        features: features of the pictures: "pca" coordinates, or "vae", the mean codes (8) of a small shipped VAE.
        latents: number of principal components.
    """

    name = "digits"
    title = "digits: 1,797 small handwritten digits, PCA or VAE latents against label codes"
    card = Card(
        source="Optical recognition of handwritten digits, Alpaydin and Kaynak (1998), as in scikit-learn.",
        licence="CC BY 4.0.",
        size="1,347 + 450 rows; 16 principal components (or 8 latents of a VAE) against label codes of 4 dimensions. "
        "Nothing is downloaded.",
        made="PCA of the 8 x 8 pictures, fitted on the rows to align, or a small VAE trained on them; label codes are "
        "those of MNIST's VAE_text.",
        cautions=("Every target row is one of ten points: only its class can be right or wrong.",),
        checksums={"digits/vae.npz": "58875c397759be4e7502a75aeac4509ef58c4375de42799ab141570390dc29d3"},
    )
    features: str = option(Choice(("pca", "vae")), "pca", help="Features of the pictures.")
    latents: int = option(Count(2, 64), 16, help="Number of principal components.")

    def load(self) -> Problem:
        from bridgeviz.datasets._label_codes import NAMES, label_space

        train, test = split()
        data, labels = digits()
        if self.features == "pca":
            from sklearn.decomposition import PCA

            pca = PCA(self.latents, random_state=0).fit(data[train])
            encode, decode = pca.transform, lambda z: np.clip(pca.inverse_transform(z), 0, 1).reshape(-1, 8, 8)
            title = f"handwriting, {self.latents} principal components"
        else:
            from bridgeviz.datasets import _digits_vae as vae

            encode, decode, title = vae.encode, vae.decode, "handwriting, latents of a small VAE"

        def problem(rows: np.ndarray, held_out: Problem | None) -> Problem:
            source = Space(
                encode(data[rows]).astype(np.float32), labels=labels[rows], names=NAMES, title=title,
                images=(255 * data[rows]).astype(np.uint8).reshape(-1, 8, 8), decode_images=decode,
            )  # fmt: skip
            truth = np.stack([np.arange(len(rows))] * 2, axis=1)
            return Problem(source, label_space(labels[rows]), truth=truth, test=held_out, name=self.name)

        return problem(train, problem(test, None))

    def pretrain(self, out: Path) -> Iterator[tuple[str, int, int, float]]:
        """Train the small VAE on the digits to align and write it to `out`; yields (model, step, steps, loss)."""
        from bridgeviz.datasets._digits_vae import pretrain

        return pretrain(digits()[0][split()[0]], out)


@cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    """The pictures, (1797, 64) in [0, 1], and their labels."""
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    return bunch.data / 16.0, bunch.target.astype(np.int64)


@cache
def split() -> tuple[np.ndarray, np.ndarray]:
    """The rows to align and the test rows."""
    from sklearn.model_selection import train_test_split

    labels = digits()[1]
    train, test = train_test_split(np.arange(len(labels)), test_size=450, stratify=labels, random_state=0)
    return np.asarray(train), np.asarray(test)
