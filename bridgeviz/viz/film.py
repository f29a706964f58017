"""A scene as an animated picture, for slides and messages."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bridgeviz.viz.maps import MOST_NAMES
from bridgeviz.viz.palette import WRONG, colour

if TYPE_CHECKING:
    from bridgeviz.experiments import Scene

SIZE = (640, 520)
PER_FRAME = 3
"""Pictures between two frames of a scene, so that motion looks smooth."""

_SCALE = 2  # drawn at twice the size and reduced, for smooth edges
_SIDES, _TURNS = (4, 4, 3, 6), (45, 0, -90, 0)  # of the shapes of classes after the circle: square, diamond, ...
_GROUND, _INK = "#FFFFFF", "#1B2733"


def _corners(sides: int, turn: float) -> np.ndarray:
    """(sides, 2) the corners of a regular polygon around the origin."""
    angles = np.deg2rad(turn + 360 / sides * np.arange(sides))
    return 4.8 * _SCALE * np.stack([np.cos(angles), np.sin(angles)], axis=1)


_SHAPES = [_corners(sides, turn) for sides, turn in zip(_SIDES, _TURNS, strict=True)]


def gif(scene: Scene, *, seconds: float = 4.0, hold: float = 1.5) -> bytes:
    """The points on their way from noise to the target, with the share that is right; it plays for ever.

    Args:
        scene: what to draw.
        seconds: from t = 0 to t = 1.
        hold: seconds at the end.
    """
    whole = np.concatenate([scene.positions.reshape(-1, 2), scene.landmarks, scene.targets])
    low, high = np.percentile(whole, (0.3, 99.7), axis=0)
    width, height = (_SCALE * side for side in SIZE)
    top, margin = 50 * _SCALE, 30 * _SCALE
    scale = min((width - 2 * margin) / (high - low)[0], (height - top - 2 * margin) / (high - low)[1])
    middle = np.array([width / 2, (height + top) / 2])

    def place(points: np.ndarray) -> np.ndarray:
        return (points - (low + high) / 2) * (scale, -scale) + middle

    ground = Image.new("RGB", (width, height), _GROUND)
    _behind(ImageDraw.Draw(ground), scene, place)
    count = (len(scene.ts) - 1) * PER_FRAME
    pictures = []
    for step in range(count + 1):
        at = step / PER_FRAME
        first, share = min(int(at), len(scene.ts) - 2), at - min(int(at), len(scene.ts) - 2)
        points = place((1 - share) * scene.positions[first] + share * scene.positions[first + 1])
        picture = ground.copy()
        _points(ImageDraw.Draw(picture), scene, points, round(at), last=step == count)
        pictures.append(picture.reduce(_SCALE))
    palette = pictures[-1].quantize(128, dither=Image.Dither.NONE)
    frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    durations = [round(1000 * seconds / count)] * count + [round(1000 * hold)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False)
    return buffer.getvalue()


def _behind(draw: ImageDraw.ImageDraw, scene: Scene, place) -> None:
    """What does not move: the target's points and the names of the classes."""
    for (x, y), label in zip(place(scene.targets), scene.target_labels, strict=True):
        draw.circle((x, y), 3 * _SCALE, fill=_faint(colour(int(label))))
    if 1 < len(scene.names) <= MOST_NAMES:
        font, marks = ImageFont.load_default(15 * _SCALE), place(scene.landmarks)
        away = marks - marks.mean(0)
        away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
        for (x, y), name, k in zip(marks + 26 * _SCALE * away, scene.names, range(len(marks)), strict=True):
            draw.text((x, y), name, fill=colour(k), font=font, anchor="mm")


def _points(draw: ImageDraw.ImageDraw, scene: Scene, points: np.ndarray, frame: int, *, last: bool) -> None:
    """The points of one picture; at the end, those that decode to another class have a red ring."""
    several, decoded = len(scene.names) > 1, scene.decoded[frame]
    for k, (x, y) in enumerate(points):
        label = int(scene.labels[k])
        lit = scene.lit is None or bool(scene.lit[k])
        ink = colour(label) if lit else _faint(colour(label))
        kind = label % (1 + len(_SHAPES))
        if kind:
            draw.polygon((_SHAPES[kind - 1] + (x, y)).ravel().tolist(), fill=ink)
        else:
            draw.circle((x, y), 3.8 * _SCALE, fill=ink)
        if last and several and lit and decoded[k] != label:
            draw.circle((x, y), 6.5 * _SCALE, outline=WRONG, width=_SCALE)
    text = f"t = {scene.ts[frame]:.2f}"
    if several:
        text += f"   {np.mean(decoded == scene.labels):.0%} decode to their own class"
    draw.text((20 * _SCALE, 16 * _SCALE), text, fill=_INK, font=ImageFont.load_default(18 * _SCALE))


def _faint(ink: str) -> str:
    """A colour mixed with much of the background."""
    parts = [int(ink[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(0.3 * part + 0.7 * 255):02x}" for part in parts)
