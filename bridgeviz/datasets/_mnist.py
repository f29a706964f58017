"""MNIST as in the paper (Sec. 4, G.1.1, Table 2): VAE_image latents against VAE_text latents of the same digits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from bridgeviz._checks import DataMissing
from bridgeviz._files import read_arrays
from bridgeviz._options import Choice, Count, Seed, option
from bridgeviz.datasets import _idx as idx
from bridgeviz.datasets import paths
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.problem import Problem, Space

_MANY = 5_000
"""From this number of pictures on, the whole split is decoded and cached."""


@dataclass(frozen=True, kw_only=True)
class Mnist(DatasetOptions):
    """The 10,000 training digits that the VAEs never saw, to align; the 10,000 test digits as `.test`.

    Args:
        n: training digits to keep, counted from the first.
        codes: codes of the labels: "mean", where equal labels are equal points, or "sampled" from their Gaussians.
        seed: determines the sampled codes.
        spaces: "latents" of the two VAEs, or "raw": binarised pictures (784 pixels) against one-hot labels (10), for
            models that are trained end to end.
    """

    name = "mnist"
    title = "MNIST: handwritten digits, VAE latents (16) against label codes (4)"
    card = Card(
        source="MNIST, LeCun, Cortes and Burges (2010).",
        licence="CC BY-SA 3.0; the VAEs are part of bridgeviz (MIT).",
        size="10,000 + 10,000 rows; 16 latents against label codes of 4 dimensions. Latents are shipped; the raw "
        "pictures (11 MB) are downloaded by `bridgeviz fetch mnist` and only needed for thumbnails and training.",
        made="VAE_image and VAE_text (Table 2), trained on the first 50,000 training digits by `bridgeviz pretrain "
        "mnist`; its card is data/mnist/card.json.",
        cautions=(
            "With mean codes, every target row is one of ten points: only its class can be right or wrong.",
            "VAE_text has a KL weight of 0.1: at 1 its codes collapse.",
        ),
        checksums={
            "mnist/latents.npz": "92e3a670a643fe2bfb41b0bec021101908a59f8bf901781d38cea1ecf2c99aa3",
            "mnist/vae_image.npz": "3f26dfee56944451468497a8a25668d7b8397ac1218cf14fe1266ce364bfe07e",
            "mnist/vae_text.npz": "e2c4874a5e9e02f05d6a37279ead03c1a0872491e7af4915abff9808c8d97733",
        },
    )
    n: int = option(Count(20, 10_000), 10_000, help="Training digits to keep, counted from the first.")
    codes: str = option(Choice(("mean", "sampled")), "mean", help="Codes of the labels: means, or Gaussian samples.")
    seed: int = option(Seed(), 0, help="Seed of the sampled codes.")
    spaces: str = option(
        Choice(("latents", "raw")), "latents", help="Latents of the VAEs, or pictures against one-hot labels."
    )

    def load(self) -> Problem:
        from bridgeviz.datasets._label_codes import NAMES, label_space
        from bridgeviz.datasets._mnist_vae import decode_images

        if self.spaces == "raw":
            return self._raw()
        latents = _latents()
        note = "decoded from the latents: the raw images are not on this machine" if idx.folder() is None else ""

        def problem(split: str, rows: slice, test: Problem | None) -> Problem:
            x = latents[f"{split}_x"][rows].astype(np.float32)
            labels = latents[f"{split}_labels"][rows].astype(np.int64)
            source = Space(
                x, labels=labels, names=NAMES, classes=np.arange(10), title="handwriting, latents of VAE_image",
                images=lambda chosen: _pictures(split, x, chosen), images_note=note, decode_images=decode_images,
            )  # fmt: skip
            target = label_space(labels, sampled=self.codes == "sampled", seed=[self.seed, int(split == "test")])
            truth = np.stack([np.arange(len(x))] * 2, axis=1)
            return Problem(source, target, truth=truth, test=test, name=self.name)

        return problem("train", slice(self.n), problem("test", slice(None), None))

    def _raw(self) -> Problem:
        """Pictures and one-hot labels of the same digits."""
        from bridgeviz.datasets._label_codes import NAMES

        folder = idx.folder()
        if folder is None:
            raise DataMissing("The pictures of MNIST are not here. Run `bridgeviz fetch mnist`.")
        latents = _latents()

        def problem(split: str, rows: slice, test: Problem | None) -> Problem:
            pictures, labels = _raw(split, folder)[rows], latents[f"{split}_labels"][rows].astype(np.int64)
            about = {"labels": labels, "names": NAMES, "classes": np.arange(10)}
            source = Space(
                pictures.reshape(len(pictures), -1).astype(np.float32), title="handwriting, pixels",
                images=lambda chosen: (255 * pictures[chosen]).astype(np.uint8),
                decode_images=lambda pixels: np.reshape(pixels, (-1, *pictures.shape[1:])), **about,
            )  # fmt: skip
            one_hot = np.eye(10, dtype=np.float32)[labels]
            target = Space(one_hot, title="labels, one-hot", decode_labels=np.asarray, **about)
            truth = np.stack([np.arange(len(pictures))] * 2, axis=1)
            return Problem(source, target, truth=truth, test=test, name=self.name)

        return problem("train", slice(self.n), problem("test", slice(None), None))

    def fetch(self) -> Path:
        """Download the four MNIST files, or find them, and check their contents."""
        return idx.fetch()

    def pretrain(self, out: Path) -> Iterator[tuple[str, int, int, float]]:
        """Train both VAEs and write weights, latents and a model card to `out`; yields (model, step, steps, loss)."""
        from bridgeviz.datasets._mnist_vae import pretrain

        return pretrain(out)


def _latents() -> dict[str, np.ndarray]:
    path = paths.find("mnist", "latents.npz")
    if path is None:
        raise DataMissing(
            "The latents of MNIST are not here. Run `bridgeviz fetch mnist`, then `bridgeviz pretrain mnist`."
        )
    return read_arrays(path, "bridgeviz pretrain mnist")


def _pictures(split: str, x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Raw pictures of some rows of a split; without the raw files, pictures decoded from its latents x."""
    from bridgeviz.datasets._mnist_vae import decode_images

    folder = idx.folder()
    if folder is not None:
        return (255 * _raw(split, folder)[rows]).astype(np.uint8)
    return _decoded(split)[rows] if len(rows) > _MANY else _grey(decode_images(x[rows]))


@cache
def _raw(split: str, folder: Path) -> np.ndarray:
    images = idx.binarised(folder, split)
    return images if split == "test" else images[idx.TRAINED_ON :]


@cache
def _decoded(split: str) -> np.ndarray:
    """All pictures of a split, decoded from its latents in several seconds."""
    from bridgeviz.datasets._mnist_vae import decode_images

    return _grey(decode_images(_latents()[f"{split}_x"]))


def _grey(pictures: np.ndarray) -> np.ndarray:
    return (255 * pictures).astype(np.uint8)
