"""How well MobileNetV2's own head tells the test pictures of Tiny-ImageNet apart: the upper line of Fig. 8."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np

from bridgeviz._checks import DataMissing
from bridgeviz.datasets._tiny_imagenet import FOLDER, full_features, shipped_rows, text_of_classes
from bridgeviz.datasets._tiny_pictures import ARCHIVE, file_of
from bridgeviz.datasets._two_encoders import MOBILENET, raw_file
from bridgeviz.encoders import open_pictures, open_vision


def own_head() -> Mapping[str, Callable[[], float]]:
    """What measures its accuracy, by name; nothing where the pictures or the network are not on this machine."""
    try:
        _files()
    except DataMissing:
        return {}
    return {
        "MobileNetV2's own head, among these classes": partial(_accuracy, every=False),
        "MobileNetV2's own head, among 1,000 classes": partial(_accuracy, every=True),
    }


def _accuracy(*, every: bool) -> float:
    scores, index = _scores()
    allowed = np.arange(scores.shape[1]) if every else text_of_classes()["imagenet_index"]
    return float(np.mean(allowed[scores[:, allowed].argmax(1)] == index))


@cache
def _scores() -> tuple[np.ndarray, np.ndarray]:
    """(1010, 1000) the head's scores of the test pictures whose components are shipped, and their ImageNet indices."""
    val, rows = full_features("val"), shipped_rows("val")
    archive, weights = _files()
    encoder = open_vision(str(weights))
    assert encoder.head is not None
    with open_pictures(archive) as pictures:
        places = {file_of(name): place for place, name in enumerate(pictures.names)}
        chosen = [pictures.open(places[file_of(str(path))]) for path in val["path"][rows]]
    inputs = np.stack([encoder.prepare(picture, whole=True) for picture in chosen])
    return encoder.encode(inputs, [encoder.head])[encoder.head], val["imagenet_index"][rows]


def _files() -> tuple[Path, Path]:
    """The archive of the pictures, and the network."""
    return raw_file(FOLDER, ARCHIVE), raw_file("encoders", MOBILENET)
