"""Two encoders of the same pictures: a problem in which row i belongs to row i."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from bridgeviz._checks import DataMissing
from bridgeviz._files import check_folder, new_folder, read_arrays
from bridgeviz._options import Choice, Count, Seed, option
from bridgeviz.datasets import paths
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.datasets._features_file import FEATURES, arrays_of, names_array, names_of
from bridgeviz.datasets._reduction import principal_components, rank_within
from bridgeviz.datasets._tiny_imagenet import FOLDER as PICTURES
from bridgeviz.datasets._tiny_imagenet import full_features, text_of_classes
from bridgeviz.datasets._tiny_pictures import ARCHIVE, file_of
from bridgeviz.encoders import Progress, encode_to, open_pictures, open_vision, store
from bridgeviz.problem import Problem, Space

FOLDER, FILE = "two_encoders", "features.npz"
HOLDS = {FILE}
ENCODERS = {"efficientnet_lite0": "EfficientNet-Lite0", "mobilenet_v2": "MobileNetV2"}
MOBILENET = "tf2_mobilenet_v2_1.0_224_ptq.tflite"
TO_ALIGN, TO_TEST = 15, 5
"""Shipped pictures per class."""
DIMENSIONS = 192
"""Principal components that are shipped."""
LEAST_ROWS = 20


@dataclass(frozen=True, kw_only=True)
class TwoEncoders(DatasetOptions):
    """The same n pictures through EfficientNet-Lite0 and through MobileNetV2; 1,010 other pictures as `.test`.

    The labels are the pictures' classes. They are for evaluation: the truth is that row i belongs to row i.

    Args:
        n: pictures to keep, at most.
        features: "shipped", the principal components that come with bridgeviz, or "full", all 1,280 features, which
            `bridgeviz features two-encoders` computes into the cache.
        seed: determines the draw if n is smaller than the number of pictures.
    """

    name = "two-encoders"
    title = "Two encoders: the same 3,030 pictures through EfficientNet-Lite0 and MobileNetV2, one to one"
    card = Card(
        source="Validation pictures of Tiny-ImageNet, Le and Yang (2015), a part of ImageNet, Deng et al. (2009).",
        licence="Pictures: ImageNet's terms, research only; none is shipped. EfficientNet-Lite0 and MobileNetV2: "
        "Apache-2.0.",
        size="3,030 + 1,010 rows, 192 dimensions against 192. Nothing is downloaded.",
        made="15 + 5 pictures of each of 202 classes, 64 x 64 enlarged to 224 x 224, through both encoders; the last "
        "layer before the scores, reduced to principal components that were fitted to the 9,090 pictures that are not "
        "for testing. `bridgeviz features two-encoders` makes it again.",
        cautions=(
            "The pictures are small: enlarged, they are harder than those that the encoders were trained on. Their own "
            "heads are right for 29.6 % (EfficientNet-Lite0) and 20.6 % (MobileNetV2) of the test pictures.",
            "The shipped components lose some accuracy: the nearest class mean is right for 51.3 % and 43.8 % of the "
            "test pictures, against 53.0 % and 47.2 % with all 1,280 features (`bridgeviz bench encoders`).",
        ),
        checksums={"two_encoders/features.npz": "16d5bfb25eaa0cde0b6c0f9c1e2c352614dc2ffbe08de0ec1d2ebdc4da96dc0e"},
    )
    n: int = option(Count(LEAST_ROWS), 202 * TO_ALIGN, help="Pictures to keep, at most.")
    features: str = option(Choice(("shipped", "full")), "shipped", help="Principal components, or all features.")
    seed: int = option(Seed(), 0, help="Seed of the draw of fewer pictures.")

    def load(self) -> Problem:
        arrays = shipped_arrays() if self.features == "shipped" else full_arrays()
        test = np.flatnonzero(arrays["test"])
        rows = np.flatnonzero(~arrays["test"])
        rows = np.sort(np.random.default_rng(self.seed).permutation(rows)[: self.n])
        return self._problem(arrays, rows, self._problem(arrays, test, None))

    def encode(self, out: Path) -> Iterator[str | Progress]:
        """Encode all 10,100 validation pictures into the cache, and write principal components of some to `out`.

        Raises:
            DataMissing: the pictures or the `.tflite` file are not on this machine.
            InputError: an encoder is not installed.
        """
        check_folder(out, holds=HOLDS)
        for key in ENCODERS:
            yield from _encode(key)
        arrays = full_arrays()
        files = names_array([file_of(name) for name in names_of(arrays["path"])])
        shipped = {"imagenet_index": arrays["imagenet_index"], "test": arrays["test"], "picture": files}
        for key, title in ENCODERS.items():
            reduced, share = principal_components(arrays[key], arrays["fitted"], DIMENSIONS)
            shipped[key] = reduced
            yield f"{title}: {DIMENSIONS} components hold {share:.1%} of the variance"
        kept = arrays["shipped"]
        with new_folder(out, holds=HOLDS) as draft:
            np.savez(draft / FILE, allow_pickle=False, **{key: values[kept] for key, values in shipped.items()})

    def _problem(self, arrays: dict[str, np.ndarray], rows: np.ndarray, test: Problem | None) -> Problem:
        text = text_of_classes()
        labels = np.searchsorted(text["imagenet_index"], arrays["imagenet_index"][rows])
        names = [str(name) for name in text["names"]]
        spaces = [
            Space(
                arrays[key][rows].astype(np.float32), labels=labels, names=names, classes=np.arange(len(names)),
                title=f"pictures, features of {title}",
            )
            for key, title in ENCODERS.items()
        ]  # fmt: skip
        truth = np.stack([np.arange(len(rows))] * 2, axis=1)
        return Problem(*spaces, truth=truth, test=test, name=self.name)


@cache
def shipped_arrays() -> dict[str, np.ndarray]:
    """The shipped components of both encoders, and the ImageNet index, the split and the file of each picture.

    Raises:
        DataMissing: the shipped file is not there.
    """
    path = paths.find(FOLDER, FILE)
    if path is None:
        raise DataMissing("The features of two encoders are not here. They come with bridgeviz: reinstall it.")
    return read_arrays(path, "bridgeviz features two-encoders")


@cache
def full_arrays() -> dict[str, np.ndarray]:
    """All 10,100 validation pictures through both encoders.

    Returns:
        By name: the features of each encoder, (10100, 1280) float16; `imagenet_index`; `path`; `test`, the pictures for
        testing; `shipped`, those whose principal components are shipped; `fitted`, those that may be learned from.

    Raises:
        DataMissing: the features are not in the cache.
    """
    arrays: dict[str, np.ndarray] = {}
    for key in ENCODERS:
        path = _cached(key)
        if not path.is_file():
            raise DataMissing(f"The features in {path} are not here. Run `bridgeviz features two-encoders`.")
        stored = store.read(path)
        arrays[key], arrays[f"{key}_head"] = np.asarray(stored[FEATURES]), np.asarray(stored["head"])
        arrays["path"] = np.asarray(stored["path"])
    val = full_features("val")
    index_of = {file_of(str(name)): index for name, index in zip(val["path"], val["imagenet_index"], strict=True)}
    arrays["imagenet_index"] = np.array([index_of[file_of(name)] for name in names_of(arrays["path"])], np.int16)
    rank = rank_within(arrays["imagenet_index"])
    arrays["test"] = rank < TO_TEST
    arrays["shipped"] = np.flatnonzero(rank < TO_TEST + TO_ALIGN)
    arrays["fitted"] = np.flatnonzero(rank >= TO_TEST)
    return arrays


def _encode(key: str) -> Iterator[Progress]:
    """Encode the validation pictures, unless the cache holds their features."""
    if _cached(key).is_file():
        return
    archive, weights = raw_file(PICTURES, ARCHIVE), raw_file("encoders", MOBILENET)
    encoder = open_vision(str(weights) if key == "mobilenet_v2" else "efficientnet-lite0")
    _cached(key).parent.mkdir(parents=True, exist_ok=True)
    about = {"vision": encoder.model, "weights": encoder.digest, "whole": True}
    with open_pictures(archive) as pictures:
        yield from encode_to(
            _cached(key), pictures, encoder, whole=True, finish=lambda encoded: arrays_of(encoded, pictures, about)
        )


def _cached(key: str) -> Path:
    return paths.cache() / FOLDER / f"{key}.npz"


def raw_file(folder: str, file: str) -> Path:
    """A file that is not shipped.

    Raises:
        DataMissing: it is not on this machine.
    """
    for place in paths.raw(folder):
        if (place / file).is_file():
            return place / file
    raise DataMissing(f"{file} is not here: let BRIDGEVIZ_DATA point to the folder that holds {folder}/{file}.")
