"""The player of a `Scene`: a canvas that starts by itself, scrubs, and shows thumbnails and what each point decodes to.

Everything that it needs is in one small message; the browser fetches nothing.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.components import v2

from bridgeviz.experiments import Scene
from bridgeviz.viz.palette import COLOURS, RAMP, WRONG, ramp_step
from bridgeviz.viz.words import counted

_ASSETS = Path(__file__).parents[1] / "assets"


@cache
def _sources() -> tuple[str, str, str]:
    """The page, the style sheet and the script of the player."""
    markup, css, js = ((_ASSETS / f"player.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return markup, css, js


@cache
def _component() -> Any:
    markup, css, js = _sources()
    return v2.component("bridgeviz_player", html=markup, css=css, js=js)


def page_of(scene: Scene, title: str) -> str:
    """A page that plays a scene by itself: one file, which loads nothing.

    Args:
        scene: what to play.
        title: of the page.
    """
    body, css, js = _sources()
    alone = (_ASSETS / "alone.css").read_text(encoding="utf-8")
    message = json.dumps(payload(scene)).replace("</", "<\\/")  # a name must not end the script
    start = js.replace("export default function", "function play", 1)
    heading = html.escape(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{heading}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{alone}\n{css}</style></head>\n<body><h1>{heading}</h1><main>{body}</main>\n"
        f'<script type="module">{start}\nplay({{ data: {message}, parentElement: document.querySelector("main") }});'
        "</script></body></html>\n"
    )


def player(
    scene: Scene, *, key: str, pictures: bool = False, clock: str = "", beside: Sequence[Scene] = ()
) -> None:  # fmt: skip
    """Play a scene, three times at most, and only while it can be seen.

    It starts by itself unless the visitor's system asks for reduced motion. A scene that takes the place of another one
    scrolls into view.

    Args:
        scene: what to play.
        key: of the element.
        pictures: whether thumbnails are drawn instead of marks from the start.
        clock: players with the same name show the same time and point to the same point; "" for a clock of its own.
        beside: other scenes with which this one shares its axes.
    """
    message = payload(scene, pictures=pictures, beside=beside) | ({"clock": clock} if clock else {})
    _component()(key=key, data=message, height="content")


def payload(scene: Scene, *, pictures: bool = False, beside: Sequence[Scene] = ()) -> dict[str, Any]:
    """The message for the browser: positions as 16-bit numbers, percentages as text, pictures as 4-bit numbers."""
    flat = np.concatenate([_drawn(one) for one in (scene, *beside)])
    decoded = scene.strip_made
    right = scene.decoded == scene.labels
    accuracy = (right if scene.lit is None else right[:, scene.lit]).mean(1)
    return {
        "id": f"{hash((scene.positions.tobytes(), scene.origins.tobytes(), scene.labels.tobytes(), _lit(scene))):x}",
        "frames": len(scene.ts),
        "n": len(scene.labels),
        "view": _view(_quantised(flat, flat)),
        "positions": _text(_quantised(scene.positions, flat)),
        "labels": _text(scene.labels.astype(np.uint8)),
        "decoded": _text(scene.decoded.astype(np.uint8)),
        "names": list(scene.names),
        "rows": scene.rows.tolist(),
        "landmarks": _text(_quantised(scene.landmarks, flat)),
        "targets": _text(_quantised(scene.targets, flat)),
        "target_labels": _text(scene.target_labels.astype(np.uint8)),
        "partners": scene.partners.tolist(),
        "origins": _origins(scene),
        "places": None if scene.places is None else _text(np.array([ramp_step(p) for p in scene.places], np.uint8)),
        "ramp": RAMP,
        "colours": COLOURS,
        "wrong": WRONG,
        "accuracy": [f"{a:.0%}" for a in accuracy] if len(scene.names) > 1 else None,
        "counted": f"these {counted(len(scene.labels), 'point')}" if scene.lit is None else _selected(scene),
        "chance": f"{scene.chance:.0%}",
        "strip": scene.strip.tolist(),
        "sure": None if scene.strip_sure is None else _text(np.round(255 * scene.strip_sure).astype(np.uint8)),
        "lit": _lit(scene),
        "thumbnails": _pictures(scene.thumbnails),
        "cards": _pictures(scene.strip_pictures),
        "made": _pictures(decoded if decoded is None else decoded.reshape(-1, *decoded.shape[2:])),
        "pictures": pictures,
        "badge": badge(scene),
    }  # fmt: skip


def _origins(scene: Scene) -> dict[str, Any] | None:
    """Where the points come from, on a map of their own, and how many of them lie at the place of each."""
    if not len(scene.origins):
        return None
    numbers = _quantised(scene.origins, scene.origins)
    _, place, counts = np.unique(numbers, axis=0, return_inverse=True, return_counts=True)
    return {"positions": _text(numbers), "view": _view(numbers), "equal": counts[place.reshape(-1)].tolist()}


def _quantised(x: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Points as 16-bit numbers: their places in the square around all points, with one scale for both axes."""
    low = whole.min(0)
    size = float((whole.max(0) - low).max()) or 1.0
    return np.round((x - low) / size * 65535).astype("<u2")


def _view(numbers: np.ndarray) -> list[int]:
    """The corners of what is shown; a few outliers may leave the stage."""
    return np.percentile(numbers, (0.3, 99.7), axis=0).round().astype(int).reshape(-1).tolist()


def _selected(scene: Scene) -> str:
    count = 0 if scene.lit is None else int(scene.lit.sum())
    return f"the {counted(count, 'selected point')}"


def _lit(scene: Scene) -> str | None:
    return None if scene.lit is None else _text(scene.lit.astype(np.uint8))


def _drawn(scene: Scene) -> np.ndarray:
    """All positions of a scene, by which its axes are chosen."""
    return np.concatenate([scene.positions.reshape(-1, 2), np.repeat(scene.landmarks, 50, axis=0), scene.targets])


def size(scene: Scene) -> int:
    """The size of the message in bytes."""
    return len(json.dumps(payload(scene)))


def badge(scene: Scene) -> str:
    """What the map is, and how far to trust it, in words."""
    about = scene.badge
    share = about.get("variance_share")
    parts = [f"Map: {about['name']}" + ("" if share is None else f", showing {share:.0%} of its variance")]
    parts.append(f"trustworthiness {about['trustworthiness']:.2f}")
    parts.append(
        f"step variation {about['step_variation']:.2f} on the map, {about['latent_step_variation']:.2f} in the space"
    )
    parts.append(counted(len(scene.labels), "test point" if about.get("tested", True) else "source point"))
    if scene.lit is not None:
        parts.append(f"{int(scene.lit.sum()):,} of them selected, with their paths")
    if len(scene.targets):
        whose = ", each in the colour of the point that should arrive there" if len(scene.partners) else ""
        parts.append(f"faint dots: {counted(len(scene.targets), 'point')} of the target{whose}")
    if len(scene.origins) and "source_variance_share" in about:
        parts.append(
            f"source: its own PCA, {about['source_variance_share']:.0%} of its variance, trustworthiness "
            f"{about['source_trustworthiness']:.2f}"
        )
    if scene.places is not None:
        parts.append("colour: the place in the source, from left to right on its map")
    note = f" Pictures: {scene.note}." if scene.note else ""
    return " · ".join(parts) + ". Every number is measured in the full space." + note


def _text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def _pictures(pictures: np.ndarray | None) -> dict[str, Any] | None:
    """(n, h, w) pictures, two pixels per byte."""
    if pictures is None:
        return None
    n, h, w = pictures.shape
    flat = (pictures.reshape(-1) >> 4).astype(np.uint8)
    flat = np.append(flat, np.zeros(len(flat) % 2, np.uint8))
    return {"n": n, "h": h, "w": w, "data": _text(flat[::2] << 4 | flat[1::2])}
