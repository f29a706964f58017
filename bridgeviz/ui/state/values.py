"""The settings of a session: texts by key, as in a link. The controls hold some of them as numbers or flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from bridgeviz import RunConfig
from bridgeviz.experiments import Setting, config_of, gallery, texts_of
from bridgeviz.experiments import settings as every_setting
from bridgeviz.flows import default_velocity

SAMPLE = 2000
"""Rows per side to offer where all rows would not fit into memory."""

_STORED = "_settings"


def settings() -> list[Setting]:
    """The settings that the app shows, in the order of Algorithm 1."""
    return every_setting()


def defaults() -> dict[str, str]:
    """The text of every setting that nobody has changed: those of the gallery's first run, on which the app opens."""
    first = next(iter(gallery.PRESETS.values()))
    return texts_of(first.config.replace(velocity=default_velocity()))


def stored() -> dict[str, str]:
    """The settings as they were when controls were last drawn; empty in a new session."""
    return st.session_state.get(_STORED, {})


def store(texts: Mapping[str, str]) -> None:
    """Remember the settings, including those that have no control now."""
    st.session_state[_STORED] = dict(texts)


def now() -> dict[str, str]:
    """What the controls say, whether they are on this page or not."""
    return read_controls(settings(), defaults())


def read_controls(known: Sequence[Setting], default_texts: Mapping[str, str]) -> dict[str, str]:
    """The same from `settings()` and `defaults()`, which take a few milliseconds."""
    texts = dict(default_texts) | stored()
    for setting in known:
        if setting.key in st.session_state:
            texts[setting.key] = text_of(setting, st.session_state[setting.key])
    return texts


def current() -> RunConfig:
    """The config that the controls say; for callbacks.

    Raises:
        InputError: a value that `RunConfig` refuses.
    """
    return config_of(now())


def apply(config: RunConfig) -> None:
    """Set every control to a config; call it before the controls are drawn, as in a widget's callback."""
    _set(texts_of(config))


def reset() -> None:
    """Set every control to its default; a callback."""
    _set(defaults())


def put(key: str, text: str) -> None:
    """Set one control; a callback."""
    _set(now() | {key: text})


def use_sample() -> None:
    """Align a sample of the rows; a callback."""
    put("rows", str(SAMPLE))


def use_shapes() -> None:
    """Align the shapes of the spaces, which needs no pairs; a callback."""
    texts = now()
    strategy = "global" if texts["strategy"] == "true" else texts["strategy"]
    _set(texts | {"cost": "auto", "strategy": strategy})


def put_all(known: Sequence[Setting], texts: Mapping[str, str]) -> None:
    """Set the controls that say anything else, and remember the settings."""
    for setting in known:
        value = value_of(setting, texts[setting.key])
        if setting.key not in st.session_state or st.session_state[setting.key] != value:
            st.session_state[setting.key] = value
    store(texts)


def value_of(setting: Setting, text: str) -> Any:
    """What the control of a setting holds for a text: a flag, a number, None for "no number", or the text itself."""
    if setting.flag:
        return text == "true"
    if setting.names or setting.free or setting.option.stops:
        return text
    if text == setting.word:
        return None
    return int(float(text)) if setting.option.kind.whole else float(text)


def text_of(setting: Setting, value: Any) -> str:
    """The text of what the control of a setting holds: `value_of` the other way round."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value:.12g}"
    return setting.word or setting.default if value is None else value


def canonical(setting: Setting, text: str) -> str:
    """A text from a link as `texts_of` would write it; the default's, if it stands for no value."""
    return setting.default if setting.complaint(text) else setting.write(setting.read(text))


def _set(texts: Mapping[str, str]) -> None:
    put_all(settings(), texts)
