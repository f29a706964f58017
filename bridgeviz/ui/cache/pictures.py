"""Pictures as data addresses, which a browser shows without a request."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from bridgeviz import Space

PIXELS = 8_000_000
"""The most pixels on the contact sheet of a map: 10,000 pictures of 28 x 28."""
DECODED = 1000
"""The most pictures on it that a decoder has to make first, because more would take seconds."""


def address(picture: np.ndarray) -> str:
    """A grey or colour picture in 0..255 as a data address."""
    out = io.BytesIO()
    Image.fromarray(np.asarray(picture, np.uint8)).save(out, "png")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def contact_sheet(space: Space, *, most: int | None = None) -> dict[str, Any] | None:
    """The pictures of a space on one sheet, and the place of each row on it; None without pictures.

    Args:
        space: whose pictures.
        most: the largest number of pictures; of more rows, a random part has one. None: as many as `PIXELS` allows, or
            `DECODED` if a decoder has to make them.
    """
    first = space.pictures([0])
    if first is None:
        return None
    if most is None:
        most = DECODED if space.images_note else PIXELS // max(first.size, 1)
    rows, place = np.arange(len(space)), None
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(0).choice(len(space), most, replace=False))
        place = {str(row): k for k, row in enumerate(rows.tolist())}
    sheet, across = tiled(np.asarray(space.pictures(rows)))
    return {"sheet": sheet, "across": across, "down": -(-len(rows) // across), "place": place, "count": len(rows)}


def tiled(pictures: np.ndarray, across: int = 100) -> tuple[str, int]:
    """All pictures on one sheet as a data address, and how many stand side by side, at most `across`."""
    across = min(across, len(pictures))
    down = -(-len(pictures) // across)
    blank = np.zeros((across * down - len(pictures), *pictures.shape[1:]), pictures.dtype)
    grid = np.concatenate([pictures, blank]).reshape(down, across, *pictures.shape[1:])
    rest = range(4, grid.ndim)
    whole = grid.transpose(0, 2, 1, 3, *rest).reshape(down * grid.shape[2], across * grid.shape[3], *grid.shape[4:])
    return address(whole), across
