"""A scene as an animated picture, for slides and messages."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bridgeviz.viz.maps import MOST_NAMES
from bridgeviz.viz.palette import RAMP, WRONG, colour, ramp_step

if TYPE_CHECKING:
    from bridgeviz.experiments import Scene

SIZE = (640, 520)
"""Size of the stage, on which the points move."""

SOURCE = 320
"""Width of the map of the source, which stands to the left of the stage."""

PER_FRAME = 3
"""Pictures between two frames of a scene, so that motion looks smooth."""

_SCALE = 2  # drawn at twice the size and reduced, for smooth edges
_SIDES, _TURNS = (4, 4, 3, 6), (45, 0, -90, 0)  # of the shapes of classes after the circle: square, diamond, ...
_GROUND, _INK, _LINE = "#FFFFFF", "#1B2733", "#D5DBE1"


def _corners(sides: int, turn: float) -> np.ndarray:
    """(sides, 2) the corners of a regular polygon around the origin."""
    angles = np.deg2rad(turn + 360 / sides * np.arange(sides))
    return 4.8 * _SCALE * np.stack([np.cos(angles), np.sin(angles)], axis=1)


_SHAPES = [_corners(sides, turn) for sides, turn in zip(_SIDES, _TURNS, strict=True)]


def gif(scene: Scene, *, seconds: float = 4.0, hold: float = 1.5) -> bytes:
    """The points on their way from noise to the target, with the share that is right; it plays for ever.

    Args:
        scene: what to draw; beside the stage stands the source, where the scene has a map of it.
        seconds: from t = 0 to t = 1.
        hold: seconds at the end.
    """
    left = SOURCE if len(scene.origins) else 0
    width, height = SIZE
    whole = np.concatenate([scene.positions.reshape(-1, 2), scene.landmarks, scene.targets])
    place = _placing(whole, (left, 50, left + width, height))
    origins = _placing(scene.origins, (0, 50, left, height))(scene.origins) if left else None

    ground = Image.new("RGB", (_SCALE * (left + width), _SCALE * height), _GROUND)
    _behind(ImageDraw.Draw(ground), scene, place, origins)
    count = (len(scene.ts) - 1) * PER_FRAME
    pictures = []
    for step in range(count + 1):
        at = step / PER_FRAME
        first, share = min(int(at), len(scene.ts) - 2), at - min(int(at), len(scene.ts) - 2)
        points = place((1 - share) * scene.positions[first] + share * scene.positions[first + 1])
        picture = ground.copy()
        draw = ImageDraw.Draw(picture)
        _points(draw, scene, points, round(at))
        if step == count:
            for arrived in (points, origins):
                _rings(draw, scene, arrived)
        pictures.append(picture.reduce(_SCALE))
    palette = pictures[-1].quantize(128, dither=Image.Dither.NONE)
    frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    durations = [round(1000 * seconds / count)] * count + [round(1000 * hold)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False)
    return buffer.getvalue()


def _placing(points: np.ndarray, box: tuple[int, int, int, int]) -> Callable[[np.ndarray], np.ndarray]:
    """What moves points from a map into a box of the picture, with one scale for both axes and a margin."""
    low, high = np.percentile(points, (0.3, 99.7), axis=0)
    corners = _SCALE * np.reshape(box, (2, 2))
    room = corners[1] - corners[0] - 60 * _SCALE
    scale = float((room / np.maximum(high - low, 1e-9)).min())
    return lambda x: (x - (low + high) / 2) * (scale, -scale) + corners.mean(0)


def _behind(draw: ImageDraw.ImageDraw, scene: Scene, place, origins: np.ndarray | None) -> None:
    """What does not move: the source, the target's points and the names of the classes."""
    for k, (x, y) in enumerate(place(scene.targets)):
        ink = _ink(scene, scene.partners[k]) if len(scene.partners) else colour(int(scene.target_labels[k]))
        draw.circle((x, y), 3 * _SCALE, fill=_faint(ink))
    if 1 < len(scene.names) <= MOST_NAMES:
        font, marks = ImageFont.load_default(15 * _SCALE), place(scene.landmarks)
        away = marks - marks.mean(0)
        away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
        for (x, y), name, k in zip(marks + 26 * _SCALE * away, scene.names, range(len(marks)), strict=True):
            draw.text((x, y), name, fill=colour(k), font=font, anchor="mm")
    if origins is not None:
        draw.line(
            [(SOURCE * _SCALE, 60 * _SCALE), (SOURCE * _SCALE, (SIZE[1] - 20) * _SCALE)], fill=_LINE, width=_SCALE
        )
        draw.text((20 * _SCALE, 16 * _SCALE), "source", fill=_INK, font=ImageFont.load_default(18 * _SCALE))
        _marks(draw, scene, origins)


def _points(draw: ImageDraw.ImageDraw, scene: Scene, points: np.ndarray, frame: int) -> None:
    """The points of one picture, the time, and how many are right."""
    _marks(draw, scene, points)
    text = f"t = {scene.ts[frame]:.2f}"
    if len(scene.names) > 1:
        text += f"   {np.mean(scene.decoded[frame] == scene.labels):.0%} decode to their own class"
    left = SOURCE if len(scene.origins) else 0
    draw.text(((left + 20) * _SCALE, 16 * _SCALE), text, fill=_INK, font=ImageFont.load_default(18 * _SCALE))


def _marks(draw: ImageDraw.ImageDraw, scene: Scene, points: np.ndarray) -> None:
    """One mark per point, with the colour and the shape of its class, or the colour of its place; points that are not
    lit are faint."""
    for k, (x, y) in enumerate(points):
        ink = _ink(scene, k) if _is_lit(scene, k) else _faint(_ink(scene, k))
        kind = int(scene.labels[k]) % (1 + len(_SHAPES))
        if kind:
            draw.polygon((_SHAPES[kind - 1] + (x, y)).ravel().tolist(), fill=ink)
        else:
            draw.circle((x, y), 3.8 * _SCALE, fill=ink)


def _ink(scene: Scene, k: int) -> str:
    """The colour of a point."""
    return colour(scene.labels[k]) if scene.places is None else RAMP[ramp_step(scene.places[k])]


def _rings(draw: ImageDraw.ImageDraw, scene: Scene, points: np.ndarray | None) -> None:
    """Red rings around those that decode to another class in the end."""
    if points is None or len(scene.names) < 2:
        return
    for k, (x, y) in enumerate(points):
        if _is_lit(scene, k) and scene.decoded[-1, k] != scene.labels[k]:
            draw.circle((x, y), 6.5 * _SCALE, outline=WRONG, width=_SCALE)


def _is_lit(scene: Scene, k: int) -> bool:
    return scene.lit is None or bool(scene.lit[k])


def _faint(ink: str) -> str:
    """A colour mixed with much of the background."""
    parts = [int(ink[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(0.3 * part + 0.7 * 255):02x}" for part in parts)
