"""Pictures of rows: strips of thumbnails, and the picture under the pointer on a map."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.components import v2 as components

from bridgeviz.problem import Space
from bridgeviz.viz.palette import WRONG

PIXELS = 8_000_000
"""Of all the pictures that a map sends along to be shown under the pointer: 10,000 of 28 x 28."""
DECODED = 1000
"""Of pictures that a decoder has yet to make, this many: more would take seconds."""


def strip(
    pictures: np.ndarray, captions: Sequence[str], *, size: int = 56, wrong: Sequence[bool] | None = None
) -> None:
    """Thumbnails in a wrapping row, each with a caption; those that are `wrong` get a frame and a cross as well."""
    parts = []
    for k, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        bad = wrong is not None and bool(wrong[k])
        frame = f"2px solid {WRONG}" if bad else "1px solid rgba(128,128,128,.4)"
        said = html.escape(caption)
        parts.append(
            f'<figure style="margin:0 8px 8px 0;display:inline-block;text-align:center;vertical-align:top">'
            f'<img src="{_png(picture)}" alt="{said}" width="{size}" height="{size}" '
            f'style="image-rendering:pixelated;border:{frame};border-radius:4px;display:block;margin:auto">'
            f'<figcaption style="font-size:12px;line-height:1.25;max-width:{size + 40}px">'
            f"{'✗ ' if bad else ''}{said}</figcaption></figure>"
        )
    st.html("".join(parts))


def of_rows(space: Space, rows: Sequence[int] | np.ndarray, captions: Sequence[str], **more) -> bool:
    """The pictures of some rows of a space as a `strip`; False if the space has none."""
    rows = np.asarray(rows, np.int64)
    pictures = space.pictures(rows) if len(rows) else None
    if pictures is None:
        return False
    strip(pictures, captions, **more)
    return True


def note(space: Space) -> None:
    """How the pictures were made, if they are not the raw data."""
    if space.images_note:
        st.caption(f"Pictures: {space.images_note}.")


def contact_sheet(space: Space, *, most: int | None = None) -> dict | None:
    """The pictures of a space on one sheet, and the place of each row on it, for `hover`; None without pictures.

    Args:
        space: whose pictures.
        most: of them; where there are more rows, a random part of them has one. None: as many as `PIXELS` allows, or
            `DECODED` where a decoder has to make them.
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
    sheet, across = _sheet(np.asarray(space.pictures(rows)))
    return {"sheet": sheet, "across": across, "down": -(-len(rows) // across), "place": place, "count": len(rows)}


def hover(key: str, chart: str, sheet: dict | None) -> None:
    """Show the picture of a row when the pointer is on its marker.

    Args:
        key: of this element.
        chart: the `key` of the Plotly chart; its markers' `customdata` must be row numbers.
        sheet: of the rows' pictures, by `contact_sheet`; None does nothing.
    """
    if sheet is not None:
        _component()(key=key, data={**sheet, "chart": f"st-key-{chart}"}, height=1)


def _png(picture: np.ndarray) -> str:
    """A grey or colour picture in 0..255 as a data address."""
    out = io.BytesIO()
    Image.fromarray(np.asarray(picture, np.uint8)).save(out, "png")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def _sheet(pictures: np.ndarray, across: int = 100) -> tuple[str, int]:
    """All pictures on one sheet, `across` a line, as one data address."""
    across = min(across, len(pictures))
    down = -(-len(pictures) // across)
    blank = np.zeros((across * down - len(pictures), *pictures.shape[1:]), pictures.dtype)
    grid = np.concatenate([pictures, blank]).reshape(down, across, *pictures.shape[1:])
    rest = range(4, grid.ndim)
    whole = grid.transpose(0, 2, 1, 3, *rest).reshape(down * grid.shape[2], across * grid.shape[3], *grid.shape[4:])
    return _png(whole), across


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return components.component("bridgeviz_hover", js=_JS)


_JS = """
export default function ({ data, parentElement }) {
  if (parentElement.tidy) parentElement.tidy();
  const side = 84;
  const tip = document.createElement("div");
  tip.className = "bridgeviz-picture";
  Object.assign(tip.style, {
    position: "fixed", display: "none", width: side + "px", height: side + "px", zIndex: 1000000,
    pointerEvents: "none", borderRadius: "6px", border: "2px solid #56B4E9", imageRendering: "pixelated",
    backgroundImage: `url(${data.sheet})`, backgroundSize: `${data.across * side}px ${data.down * side}px`,
    boxShadow: "0 2px 10px rgba(0,0,0,.4)",
  });
  document.body.appendChild(tip);
  const show = (event) => {
    const point = event.points.find((p) => p.customdata !== undefined);
    const row = point && (Array.isArray(point.customdata) ? point.customdata[0] : point.customdata);
    const at = row === undefined ? undefined : data.place ? data.place[String(row)] : row;
    if (at === undefined) { tip.style.display = "none"; return; }
    const x = at % data.across, y = Math.floor(at / data.across);
    tip.style.backgroundPosition = `-${x * side}px -${y * side}px`;
    const mouse = event.event;
    tip.style.left = Math.max(0, mouse.clientX - side - 18) + "px";
    tip.style.top = Math.max(0, mouse.clientY - side - 18) + "px";
    tip.style.display = "block";
  };
  const hide = () => { tip.style.display = "none"; };
  let graph = null;
  const attach = () => {
    const found = document.querySelector(`.${data.chart} .js-plotly-plot`);
    if (!found || found === graph || !found.on) return;
    graph = found;
    graph.on("plotly_hover", show);
    graph.on("plotly_unhover", hide);
  };
  attach();
  const timer = setInterval(attach, 400);
  parentElement.tidy = () => {
    clearInterval(timer);
    if (graph && graph.removeListener) {
      graph.removeListener("plotly_hover", show);
      graph.removeListener("plotly_unhover", hide);
    }
    tip.remove();
  };
  return parentElement.tidy;
}
"""
