"""The cards of the gallery: a small picture of where the points end, a title, and one sentence."""

from __future__ import annotations

import base64
from functools import lru_cache

import streamlit as st

from bridgeviz import InputError
from bridgeviz.experiments import gallery
from bridgeviz.viz.palette import WRONG, colour

_KEY = "preset"


def chosen() -> str:
    """The preset to play, picked from a row of names or on a card, and named in the link."""
    names = list(gallery.PRESETS)
    if _KEY not in st.session_state:
        in_link = st.query_params.get(_KEY)
        st.session_state[_KEY] = in_link if in_link in names else names[0]
    name = st.pills(
        "Play", names, required=True, format_func=lambda name: gallery.PRESETS[name].short, key=_KEY,
        label_visibility="collapsed",
    )  # fmt: skip
    name = name or names[0]
    if name != names[0]:
        st.query_params[_KEY] = name
    elif _KEY in st.query_params:
        del st.query_params[_KEY]
    return name


def cards(current: str, *, columns: int = 3) -> None:
    """A card for each preset except the one that is playing."""
    others = [name for name in gallery.PRESETS if name != current]
    row = []
    for k, name in enumerate(others):
        if k % columns == 0:
            row = st.columns(columns)
        with row[k % columns].container(border=True, height="stretch"):
            _card(name)


def _card(name: str) -> None:
    try:
        scene = gallery.shipped(name)
    except InputError as error:
        st.caption(str(error))
        return
    st.markdown(f"**{gallery.PRESETS[name].title}**")
    st.image(picture(name), width="stretch")
    st.caption(gallery.lesson(name, scene))
    st.button("Play", key=f"play_{name}", on_click=_choose, args=(name,), icon=":material/play_arrow:")


def _choose(name: str) -> None:
    st.session_state[_KEY] = name


@lru_cache(maxsize=16)
def picture(name: str) -> str:
    """Where the points of a preset end, as a small SVG; points that decode to a wrong class have a red ring."""
    scene = gallery.shipped(name)
    points = scene.positions[-1]
    low, high = points.min(0), points.max(0)
    x, y = ((points - low) / (high - low)).T
    wrong = scene.decoded[-1] != scene.labels
    dots = "".join(
        f'<circle cx="{12 + 276 * a:.1f}" cy="{112 - 104 * b:.1f}" r="3" fill="{colour(c)}"'
        + (f' stroke="{WRONG}" stroke-width="1.6"/>' if bad else ' fill-opacity="0.8"/>')
        for a, b, c, bad in sorted(zip(x, y, scene.labels, wrong, strict=True), key=lambda row: row[3])
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 124">{dots}</svg>'
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
