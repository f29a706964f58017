"""The cards of the gallery: a small picture of where the points end, a title, and one sentence."""

from __future__ import annotations

import base64
import html
from contextlib import suppress
from functools import lru_cache

import streamlit as st

from bridgeviz import InputError
from bridgeviz.experiments import gallery
from bridgeviz.ui.state import values
from bridgeviz.viz.palette import WRONG, colour

_KEY, _LAST = "preset", "_played"


def chosen() -> str:
    """The preset to play: the one that the settings are those of, else the one that was played last.

    It is picked from a row of names or on a card, which sets the settings.
    """
    names = list(gallery.PRESETS)
    st.session_state[_KEY] = _of_settings() or st.session_state.get(_LAST, names[0])
    st.session_state[_LAST] = st.session_state[_KEY]
    name = st.pills(
        "Play", names, required=True, format_func=lambda name: gallery.PRESETS[name].short, key=_KEY,
        label_visibility="collapsed", on_change=lambda: _choose(st.session_state[_KEY]),
    )  # fmt: skip
    return name or names[0]


def _of_settings() -> str | None:
    """The preset whose settings are the session's; None if they are nobody's, or not valid."""
    with suppress(InputError):
        return gallery.find(values.current())
    return None


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
    st.html(picture(name))
    st.caption(gallery.lesson(name, scene))
    label = f"Play: {gallery.PRESETS[name].short}"
    st.button(label, key=f"play_{name}", on_click=_choose, args=(name,), icon=":material/play_arrow:")


def _choose(name: str) -> None:
    """Play a preset, and set all settings to its own; a callback."""
    st.session_state[_LAST] = name
    values.apply(gallery.PRESETS[name].config)


@lru_cache(maxsize=16)
def picture(name: str) -> str:
    """Where the points of a preset end, as an HTML picture; points that decode to a wrong class have a red ring."""
    scene = gallery.shipped(name)
    points = scene.positions[-1]
    low, high = points.min(0), points.max(0)
    scale = min(276 / (high - low)[0], 104 / (high - low)[1])  # one for both axes
    x, y = ((points - (low + high) / 2) * scale * (1, -1) + (150, 62)).T
    wrong = scene.decoded[-1] != scene.labels
    dots = "".join(
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour(c)}"'
        + (f' stroke="{WRONG}" stroke-width="1.6"/>' if bad else ' fill-opacity="0.8"/>')
        for a, b, c, bad in sorted(zip(x, y, scene.labels, wrong, strict=True), key=lambda row: row[3])
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 124">{dots}</svg>'
    data, about = base64.b64encode(svg.encode()).decode(), f"Where the points end: {gallery.PRESETS[name].title}"
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{html.escape(about)}" style="width: 100%">'
