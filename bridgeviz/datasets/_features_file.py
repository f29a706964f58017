"""What a file of image features holds; `bridgeviz features` writes it, and the data sets read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from bridgeviz.encoders import Encoded, Pictures, store

FEATURES = "features"


def arrays_of(encoded: Encoded, pictures: Pictures, about: Mapping[str, Any]) -> dict[str, np.ndarray | store.Parts]:
    """The arrays of a file.

    `features` are those of the first layer, `features.LAYER` those of the others, (n, p) float16; `path` names the
    picture of each row; `head` is the class of ImageNet that the encoder's own head predicts, where it has one;
    `skipped` lists the pictures that could not be read; `about` is JSON on how the file was made.
    """
    layers = list(encoded.layers)
    arrays: dict[str, np.ndarray | store.Parts] = {
        FEATURES if k == 0 else f"{FEATURES}.{name}": encoded.layers[name] for k, name in enumerate(layers)
    }
    arrays["path"] = names_array([pictures.names[row] for row in encoded.rows])
    if encoded.head is not None:
        arrays["head"] = encoded.head
    arrays["skipped"] = names_array([f"{pictures.names[row]}: {text}" for row, text in encoded.unreadable.items()])
    arrays["about"] = np.array(json.dumps({**about, "layers": layers}).encode())
    return arrays


def names_array(names: list[str]) -> np.ndarray:
    """Strings as bytes in UTF-8, which take a quarter of the space of NumPy's strings."""
    return np.array([name.encode(errors="surrogateescape") for name in names], dtype="S" if names else "S1")


def names_of(array: np.ndarray) -> list[str]:
    """The strings of `names_array`."""
    return [bytes(name).decode(errors="replace") for name in array]
