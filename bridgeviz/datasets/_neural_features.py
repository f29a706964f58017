"""Features of the stimuli of a recording: a file with one array per layer."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from bridgeviz import _checks as check
from bridgeviz._checks import DataMissing, InputError

KEYS = ("image", "stimulus_id", "image_id", "path")
"""Names of the array with the names of the stimuli; `path` in the files of `bridgeviz features imagenet`."""

OTHERS = ("about", "head", "skipped")
"""What else is in the files of `bridgeviz features imagenet`."""

FOREIGN = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    OSError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a damaged file may raise."""

LARGEST = 4 * 2**30
"""Bytes that a layer may take in memory."""


@dataclass(frozen=True)
class NeuralFeatures:
    """An `.npz` file of features: arrays (n, p) by name of the layer, and the names of the n stimuli.

    The files of `bridgeviz features imagenet` call the first layer `features` and the others `features.LAYER`; here
    each layer has its own name.

    Attributes:
        path: of the file.
        stimuli: names in the order of the rows.
        arrays: names of the arrays by name of the layer, in the order of the file.
    """

    path: Path
    stimuli: tuple[str, ...]
    arrays: Mapping[str, str]

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, in the order of the file."""
        return tuple(self.arrays)

    @classmethod
    def read(cls, path: Path) -> NeuralFeatures:
        """Open a file; its layers are read later, one by one.

        Raises:
            DataMissing: there is no such file.
            InputError: it is not an `.npz` file, or has no names of stimuli.
        """
        if not path.is_file():
            raise DataMissing(f"The file of features {path} is not there.")
        return _read(path, path.stat().st_mtime_ns)

    def rows(self, layer: str, stimuli: Sequence[str]) -> np.ndarray:
        """(len(stimuli), p) float32 features of some stimuli, in their order.

        Args:
            layer: its name, or the beginning of one name.
            stimuli: names; folders and endings of files don't count.

        Raises:
            InputError: no such layer, or a stimulus without features.
        """
        row_of = {_stem(name): row for row, name in enumerate(self.stimuli)}
        missing = [name for name in stimuli if _stem(name) not in row_of]
        if missing:
            raise InputError(
                f"{self.path} must have features of every stimulus. It lacks {missing[0]}"
                + (f" and {len(missing) - 1} others." if len(missing) > 1 else ".")
            )
        name = self.layer(layer)
        features = _array(self.path, self.arrays[name])
        features = check.matrix(features.reshape(len(features), -1), name, self.path.name)
        if len(features) != len(self.stimuli):
            raise check.fail(
                name, self.path.name, f"one row per stimulus, {len(self.stimuli)}", f"{len(features)} rows"
            )
        return features[[row_of[_stem(stimulus)] for stimulus in stimuli]].astype(np.float32)

    def layer(self, name: str) -> str:
        """The full name of a layer: its name, or the only one that begins with it before a `_`."""
        if name in self.layers:
            return name
        matches = [layer for layer in self.layers if layer.partition("_")[0] == name]
        if len(matches) != 1:
            known = ", ".join(self.layers[:30])
            raise check.fail("layer", "load", f"a layer of {self.path.name}: {known}", repr(name))
        return matches[0]


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> NeuralFeatures:
    try:
        with np.load(path, allow_pickle=False) as stored:
            key = next((key for key in KEYS if key in stored.files), None)
            names = None if key is None else np.asarray(stored[key])
            arrays = _arrays(stored)
    except FOREIGN as error:
        raise InputError(f"{path} can't be read as an .npz file of features ({check.reason(error)}).") from error
    if names is None or names.ndim != 1 or names.dtype.kind not in "US":
        raise InputError(f"{path} must hold the names of the stimuli as an array of strings, under the name 'image'.")
    names = [name.decode(errors="replace") if isinstance(name, bytes) else str(name) for name in names.tolist()]
    stems = [_stem(name) for name in names]
    if len(set(stems)) < len(stems):
        raise InputError(f"{path} must name each stimulus once. A name occurs more than once.")
    if not arrays:
        raise InputError(f"{path} must hold features, one array per layer. It holds only names.")
    return NeuralFeatures(path, tuple(names), arrays)


def _arrays(stored: Any) -> dict[str, str]:
    """The names of the arrays of features by name of the layer."""
    names = [name for name in stored.files if name not in (*KEYS, *OTHERS)]
    if "about" not in stored.files:
        return {name: name for name in names}
    layers = json.loads(bytes(stored["about"].item()))["layers"]
    return {layers[0] if name == "features" else name.removeprefix("features."): name for name in names}


def _array(path: Path, name: str) -> np.ndarray:
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo(f"{name}.npy")
            if member.file_size > LARGEST:
                raise InputError(f"{path}: the layer {name} would take {member.file_size / 2**30:.0f} GB of memory.")
        with np.load(path, allow_pickle=False) as stored:
            return stored[name]
    except FOREIGN as error:
        raise InputError(f"{path}: the layer {name} can't be read ({check.reason(error)}).") from error


def _stem(name: str) -> str:
    """The name of a stimulus without folders and without the ending of an image file."""
    base = PurePosixPath(str(name))
    return base.stem if base.suffix.lower() in (".jpg", ".jpeg", ".png") else base.name
