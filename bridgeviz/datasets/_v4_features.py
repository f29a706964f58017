"""Features of the V4 pictures, from the frozen encoder that a user names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bridgeviz import _checks as check
from bridgeviz._files import new_file
from bridgeviz.datasets import _v4_files as files
from bridgeviz.encoders import ImageEncoder, Progress, open_vision

MOBILENET = {
    "block6": "expanded_conv_6/add",
    "block10": "expanded_conv_10/add",
    "block13": "expanded_conv_13/add",
    "block16": "expanded_conv_16/add",
    "conv18": "Conv2d_18",
}
"""Parts of the layers' names in a TFLite file of MobileNetV2."""

EFFICIENTNET = ("layer1", "layer2", "layer3", "layer5", "layer6", "features")
"""The paper's six layers (G.3.1)."""

CELLS = {28: (0, 7, 14, 21), 14: (0, 4, 8, 11), 7: (0, 2, 4, 5)}
"""Where the 4 x 4 cells of a feature map begin, by its side: those of the features that are published with the data."""

GRID = 4
BATCH = 32


def encode(out: Path, vision: str, layers: Sequence[str], session: str) -> Iterator[Progress]:
    """Write the features of a session's pictures to `out`, one array per layer; yields how far it is.

    Whole pictures are enlarged to the square of the network. Feature maps are averaged over 4 x 4 cells, and those with
    more than 1,000 channels over all positions.

    Args:
        out: folder of the file, `features_SESSION.npz` for MobileNetV2 and `NETWORK_SESSION.npz` for others.
        vision: a `.tflite` file of MobileNetV2 (or another network), "efficientnet-lite0", or a model of transformers.
        layers: names of layers; none takes the five of MobileNetV2, the paper's six, or the encoder's default.
        session: the recording.

    Raises:
        DataMissing: the pictures are not on this machine.
        InputError: no such network or layer, or its package is not installed.
    """
    home = files.folder(session)
    names = files.picture_names(home, session)
    encoder = open_vision(vision)
    wanted = _layers(encoder, layers)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in wanted}
    for start in range(0, len(names), BATCH):
        rows = range(start, min(start + BATCH, len(names)))
        batch = np.stack(
            [encoder.prepare(picture, whole=True) for picture in files.colour_pictures(home, session, rows)]
        )
        values = encoder.encode(batch, list(wanted.values()))
        for name, layer in wanted.items():
            parts[name].append(pooled(values[layer]).astype(np.float16))
        yield Progress(f"{encoder.model}, session {session}", rows[-1] + 1, len(names))
    arrays = {name: np.concatenate(values) for name, values in parts.items()}
    mobilenet = list(wanted) == list(MOBILENET)
    out.mkdir(parents=True, exist_ok=True)
    name = files.features_name("" if mobilenet else Path(vision).stem, session)
    with new_file(out / name) as draft, draft.open("wb") as stream:
        np.savez(stream, allow_pickle=False, image=np.array(names), **arrays)


def pooled(values: np.ndarray) -> np.ndarray:
    """(b, d): activations (b, height, width, channels) averaged over 4 x 4 cells, or all of them.

    >>> pooled(np.ones((2, 14, 14, 3))).shape, pooled(np.ones((2, 7, 7, 1280))).shape, pooled(np.ones((2, 5))).shape
    ((2, 48), (2, 1280), (2, 5))
    """
    if values.ndim != 4:
        return values.reshape(len(values), -1)
    if values.shape[3] > 1000:
        return values.mean((1, 2))
    for axis in (1, 2):
        side = values.shape[axis]
        starts = np.array(CELLS.get(side, np.linspace(0, side, min(GRID, side) + 1).astype(int)[:-1]))
        sizes = np.diff([*starts, side]).reshape([-1 if k == axis else 1 for k in range(4)])
        values = np.add.reduceat(values, starts, axis=axis) / sizes
    return values.reshape(len(values), -1)


def _layers(encoder: ImageEncoder, layers: Sequence[str]) -> Mapping[str, str]:
    """The layers of the encoder by the names that the file gives them."""
    if layers:
        return {layer: encoder.layer(layer) for layer in layers}
    if all(any(part in name for name in encoder.layers) for part in MOBILENET.values()):
        return {name: _last(encoder, part) for name, part in MOBILENET.items()}
    if set(EFFICIENTNET) <= set(encoder.layers):
        return {layer: layer for layer in EFFICIENTNET}
    return {encoder.default: encoder.default}


def _last(encoder: ImageEncoder, part: str) -> str:
    """The last layer with a part in its name: that of a block is its sum, and that of a convolution its activation."""
    return [layer for layer in encoder.layers if part in layer][-1]


def required(vision: str | None) -> str:
    """The name of a network, or an error that lists the choices."""
    if not vision:
        expected = "efficientnet-lite0, a .tflite file such as one of MobileNetV2, or a model of transformers"
        raise check.fail("vision", "features", expected, "none")
    return vision
