"""Pictures -> features: the one loop over an encoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.encoders._encoder import ImageEncoder
from bridgeviz.encoders._pictures import Pictures, Unreadable

BATCH = 32


class Batch(NamedTuple):
    """Features of consecutive pictures.

    Attributes:
        rows: (b,) numbers of the pictures that were read.
        layers: for each layer (b, d), float32.
        unreadable: number and reason of each picture that could not be read.
    """

    rows: Int[np.ndarray, " b"]
    layers: dict[str, Float[np.ndarray, "b d"]]
    unreadable: dict[int, str]


def stream(
    pictures: Pictures,
    encoder: ImageEncoder,
    layers: Sequence[str] = (),
    *,
    whole: bool = False,
    grid: int | None = None,
    batch_size: int = BATCH,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[Batch]:
    """Features of the pictures start .. stop - 1, batch by batch: at most `batch_size` pictures are in memory.

    Args:
        pictures: to encode.
        encoder: the frozen model.
        layers: names of its layers; none takes its default.
        whole: squeeze whole pictures into the model's square, rather than cropping them as its authors do.
        grid: average feature maps over grid x grid cells before they are flattened; None keeps every position.
        batch_size: pictures per call of the encoder.
        start: number of the first picture.
        stop: number after the last picture; None takes all.
    """
    names = [encoder.layer(name) for name in layers] or [encoder.default]
    grid = None if grid is None else check.count(grid, "grid", "features")
    batch_size = check.count(batch_size, "batch_size", "features")
    for first in range(start, len(pictures) if stop is None else stop, batch_size):
        rows, inputs, unreadable = [], [], {}
        for row in range(first, min(first + batch_size, len(pictures) if stop is None else stop)):
            try:
                inputs.append(encoder.prepare(pictures.open(row), whole=whole))
                rows.append(row)
            except Unreadable as error:
                unreadable[row] = str(error)
        values = encoder.encode(np.stack(inputs), names) if inputs else {}
        yield Batch(np.asarray(rows, np.int64), {name: flat(values[name], grid) for name in values}, unreadable)


def features(
    pictures: Pictures,
    encoder: ImageEncoder,
    layers: Sequence[str] = (),
    *,
    whole: bool = False,
    grid: int | None = None,
    batch_size: int = BATCH,
) -> dict[str, np.ndarray]:
    """Features of all pictures in memory, one row per picture, for each layer (n, d) float32; see `stream`.

    Raises:
        InputError: a picture can't be read, because its row would be missing.
    """
    parts: dict[str, list[np.ndarray]] = {}
    for batch in stream(pictures, encoder, layers, whole=whole, grid=grid, batch_size=batch_size):
        for row, reason in batch.unreadable.items():
            raise InputError(f"The picture {pictures.names[row]} can't be read: {reason}.")
        for layer, values in batch.layers.items():
            parts.setdefault(layer, []).append(values)
    return {layer: np.concatenate(values) for layer, values in parts.items()}


def flat(values: np.ndarray, grid: int | None) -> Float[np.ndarray, "b d"]:
    """Activations as one row per picture; feature maps (b, height, width, c) are averaged over grid x grid cells.

    >>> flat(np.arange(8.0).reshape(1, 2, 2, 2), 1)
    array([[3., 4.]])
    """
    if values.ndim == 4 and grid is not None:
        edges = [np.linspace(0, side, min(grid, side) + 1).astype(int) for side in values.shape[1:3]]
        sizes = [np.diff(edge) for edge in edges]
        sums = np.add.reduceat(np.add.reduceat(values, edges[0][:-1], axis=1), edges[1][:-1], axis=2)
        values = sums / (sizes[0][:, None] * sizes[1])[None, :, :, None]
    return values.reshape(len(values), -1)
