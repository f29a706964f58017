"""Tiny-ImageNet: features of pictures against sentence embeddings of their class names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from bridgeviz._checks import DataMissing, InputError
from bridgeviz._files import check_folder, new_folder, read_arrays
from bridgeviz._options import Choice, Count, Seed, option
from bridgeviz.datasets import paths
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.datasets._imagenet_classes import encode_names, nearest_names
from bridgeviz.datasets._reduction import principal_components, rank_within
from bridgeviz.datasets._tiny_pictures import thumbnails
from bridgeviz.encoders import open_text
from bridgeviz.problem import Problem, Space

FOLDER, FILE, TEXT = "tiny_imagenet", "features.npz", "text.npz"
HOLDS = {FILE, TEXT}
FULL = {"train": "train_features.npz", "val": "val_features.npz"}
LEAST_ROWS = 20
PER_CLASS = {"train": 20, "val": 5}
"""Shipped pictures per class."""
DIMENSIONS = 256
"""Principal components that are shipped."""
SYNONYMS = 10
"""Pairs of near-synonyms."""


@dataclass(frozen=True, kw_only=True)
class TinyImageNet(DatasetOptions):
    """n pictures of the training split, each paired with "a photo of a <class>"; the validation split as `.test`.

    All pictures of a class share one target row, so couplings merge the target to one atom per class.

    Args:
        n: training pictures to keep, at most.
        features: "shipped", the 256 principal components of 20 + 5 pictures per class that come with bridgeviz, or
            "full", the 1,280 features of 100 + 50 pictures per class. These are read from `train_features.npz` and
            `val_features.npz` in `$BRIDGEVIZ_DATA/tiny_imagenet` or in the cache folder, each with the arrays
            `features` (rows, 1280) and `imagenet_index` (rows,).
        classes: "all" 202, or "synonyms", the ten pairs of classes whose names have the most similar embeddings
            (Fig. 4, bottom): here the target itself hardly tells the classes of a pair apart.
        seed: determines the draw if n is smaller than the number of pictures.

    Raises:
        DataMissing: the full features are not on this machine.
    """

    name = "tiny-imagenet"
    title = "Tiny-ImageNet: CNN features of pictures of 202 classes against sentence embeddings of the class names"
    card = Card(
        source="Tiny-ImageNet, Le and Yang (2015), a part of ImageNet, Deng et al. (2009).",
        licence="ImageNet's terms: research only; no picture is shipped. MobileNetV2 and all-MiniLM-L6-v2: Apache-2.0.",
        size="4,040 + 1,010 rows, 256 dimensions against 384; with features='full' up to 20,200 + 10,100 rows and "
        "1,280 dimensions, which are not shipped.",
        made="Features of MobileNetV2 against sentence embeddings of 'a photo of a <class>'. The shipped features are "
        "principal components, fitted to all training pictures. `bridgeviz features tiny-imagenet` makes them again.",
        cautions=(
            "This copy has 202 classes, not the official 200.",
            "The shipped components lose some accuracy: from all pairs, the nearest class mean is right for 46.4 % of "
            "the test pictures and ridge regression for 32.0 %, against 48.0 % and 38.9 % with all 1,280 features of "
            "the same pictures; matching accuracies differ by 0.01 (`bridgeviz bench encoders`).",
            "All pictures of a class share one target row: only its class can be right or wrong.",
        ),
        checksums={
            "tiny_imagenet/features.npz": "cc7b50e9f9bad7b711773c81b5502b3629ace25790815341269a1edea493e76f",
            "tiny_imagenet/text.npz": "2598ea7183f00d1ce08188984f3674261daeaa4c04e048e63c07341fddadf564",
        },
    )
    n: int = option(Count(LEAST_ROWS), 10_000, help="Training pictures to keep, at most.")
    features: str = option(
        Choice(("shipped", "full")), "shipped",
        help="Principal components that come with bridgeviz, or all features, where they are on this machine.",
    )  # fmt: skip
    classes: str = option(
        Choice(("all", "synonyms")), "all", label="Classes of Tiny-ImageNet", key="tiny_classes", main=True,
        help="All 202 classes, or the ten pairs with the most similar names.",
    )  # fmt: skip
    seed: int = option(Seed(), 0, help="Seed of the draw of fewer pictures.")

    def load(self) -> Problem:
        text = text_of_classes()
        if self.classes == "synonyms":
            rows = np.sort(nearest_names(text["text"].astype(np.float64), SYNONYMS).reshape(-1))
            text = {name: values[rows] for name, values in text.items()}
        parts = {split: self._part(split, text["imagenet_index"]) for split in FULL}
        size = len(parts["train"]["features"])
        rows = np.sort(np.random.default_rng(self.seed).permutation(size)[: self.n])
        test = self._problem(parts["val"], np.arange(len(parts["val"]["features"])), text, None)
        test = replace(test, source=replace(test.source, images=self._thumbnails(parts["val"])))
        return self._problem(parts["train"], rows, text, test)

    def encode(self, out: Path) -> Iterator[str]:
        """Encode "a photo of a <class>" for every class, and reduce the full features; writes both to `out`.

        Raises:
            DataMissing: the full features are not on this machine.
            InputError: the sentence encoder is not installed.
        """
        text, encoder = text_of_classes(), open_text("all-MiniLM-L6-v2")
        full = {split: full_features(split) for split in FULL}
        check_folder(out, holds=HOLDS)
        yield f"encoding {len(text['names'])} class names"
        encoded = encode_names(encoder, [str(name) for name in text["names"]])
        yield f"reducing {len(full['train']['features'])} features"
        x = np.concatenate([full[split]["features"] for split in FULL])
        reduced, share = principal_components(x, np.arange(len(full["train"]["features"])), DIMENSIONS)
        arrays, start = {}, 0
        for split, stored in full.items():
            index = stored["imagenet_index"]
            kept = shipped_rows(split)
            arrays |= {f"{split}_features": reduced[start + kept], f"{split}_index": index[kept]}
            start += len(index)
        with new_folder(out, holds=HOLDS) as draft:
            np.savez(draft / TEXT, allow_pickle=False, **{**text, "text": encoded})
            np.savez(draft / FILE, allow_pickle=False, **arrays)
        yield f"{DIMENSIONS} components hold {share:.1%} of the variance"

    def _part(self, split: str, chosen: np.ndarray) -> dict[str, np.ndarray]:
        """The features of the chosen classes, and the ImageNet index of each row."""
        stored = full_features(split) if self.features == "full" else shipped_features(split)
        known = text_of_classes()["imagenet_index"]
        if not np.isin(stored["imagenet_index"], known).all():
            raise InputError("The features of Tiny-ImageNet name a class that bridgeviz has no sentence for.")
        rows = np.flatnonzero(np.isin(stored["imagenet_index"], chosen))
        return {"row": rows, **{name: stored[name][rows] for name in ("features", "imagenet_index")}}

    def _thumbnails(self, part: dict[str, np.ndarray]) -> Callable[[np.ndarray], np.ndarray] | None:
        """What reads the pictures of a part of the validation split, where they are on this machine."""
        try:
            full, rows = full_features("val"), part["row"]
            rows = shipped_rows("val")[rows] if self.features == "shipped" else rows
        except (DataMissing, IndexError):
            return None
        if "path" not in full or not np.array_equal(full["imagenet_index"][rows], part["imagenet_index"]):
            return None  # features of other pictures than those that are shipped
        return thumbnails(FOLDER, [str(file) for file in full["path"][rows]])

    def _problem(
        self, pictures: dict[str, np.ndarray], rows: np.ndarray, text: dict[str, np.ndarray], test: Problem | None
    ) -> Problem:
        labels = np.searchsorted(text["imagenet_index"], pictures["imagenet_index"][rows])
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
def full_features(split: str) -> dict[str, np.ndarray]:
    """The full features of the training pictures ("train") or of the validation pictures ("val").

    Raises:
        DataMissing: they are not on this machine.
    """
    for folder in paths.raw(FOLDER):
        if (folder / FULL[split]).is_file():
            return read_arrays(folder / FULL[split], f"cp <a fresh copy> {folder}")
    raise DataMissing(
        f"The full features of Tiny-ImageNet are not here: put {FULL[split]} into {paths.cache() / FOLDER}, let "
        f"BRIDGEVIZ_DATA point to the folder that holds {FOLDER}/, or use features='shipped'."
    )


def shipped_rows(split: str) -> np.ndarray:
    """Numbers of those rows of the full features whose principal components are shipped."""
    return np.flatnonzero(rank_within(full_features(split)["imagenet_index"]) < PER_CLASS[split])


@cache
def text_of_classes() -> dict[str, np.ndarray]:
    """The classes: `imagenet_index` (sorted), `names`, and `text`, the embeddings of their sentences.

    Raises:
        DataMissing: the shipped file is not there.
    """
    return _read(TEXT)


@cache
def shipped_features(split: str) -> dict[str, np.ndarray]:
    """The shipped components of a split, and the ImageNet index of each row.

    Raises:
        DataMissing: the shipped file is not there.
    """
    stored = _read(FILE)
    return {"features": stored[f"{split}_features"], "imagenet_index": stored[f"{split}_index"]}


def _read(file: str) -> dict[str, np.ndarray]:
    path = paths.find(FOLDER, file)
    if path is None:
        raise DataMissing(f"{file} of Tiny-ImageNet is not here. It comes with bridgeviz: reinstall it.")
    return read_arrays(path, "bridgeviz features tiny-imagenet")
