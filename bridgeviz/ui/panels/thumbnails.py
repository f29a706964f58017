"""Pictures of rows: strips of thumbnails, and the picture under the pointer on a map."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit.components import v2 as components

from bridgeviz import Space
from bridgeviz.ui.cache.pictures import address
from bridgeviz.ui.text import literal
from bridgeviz.viz.palette import WRONG

_SCRIPT = Path(__file__).parents[1] / "assets" / "hover.js"


def strip(
    pictures: np.ndarray, captions: Sequence[str], *, size: int = 56, wrong: Sequence[bool] | None = None
) -> None:
    """Thumbnails in a wrapping row, each with a caption; those that are `wrong` get a red frame and a cross."""
    parts = []
    for k, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        bad = wrong is not None and bool(wrong[k])
        frame = f"2px solid {WRONG}" if bad else "1px solid rgba(128,128,128,.4)"
        text = html.escape(caption)
        parts.append(
            f'<figure style="margin:0 8px 8px 0;display:inline-block;text-align:center;vertical-align:top">'
            f'<img src="{address(picture)}" alt="{text}" width="{size}" height="{size}" '
            f'style="image-rendering:pixelated;border:{frame};border-radius:4px;display:block;margin:auto">'
            f'<figcaption style="font-size:12px;line-height:1.25;max-width:{size + 40}px">'
            f"{'✗ ' if bad else ''}{text}</figcaption></figure>"
        )
    st.html("".join(parts))


def of_rows(space: Space, rows: Sequence[int] | np.ndarray, captions: Sequence[str], **options: Any) -> bool:
    """The pictures of some rows of a space as a `strip`; False if the space has none."""
    rows = np.asarray(rows, np.int64)
    pictures = space.pictures(rows) if len(rows) else None
    if pictures is None:
        return False
    strip(pictures, captions, **options)
    return True


def note(space: Space) -> None:
    """How the pictures were made, if they are not the raw data."""
    if space.images_note:
        st.caption(f"Pictures: {literal(space.images_note)}.")


def hover(key: str, chart: str, sheet: dict[str, Any] | None) -> None:
    """Show the picture of a row when the pointer is on its marker.

    Args:
        key: of this element.
        chart: the `key` of the Plotly chart; the `customdata` of its markers must be row numbers.
        sheet: of the rows' pictures, by `cache.pictures.contact_sheet`; None does nothing.
    """
    if sheet is not None:
        _component()(key=key, data={**sheet, "chart": f"st-key-{chart}"}, height=1)


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return components.component("bridgeviz_hover", js=_SCRIPT.read_text(encoding="utf-8"))
