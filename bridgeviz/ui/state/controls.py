"""One control per setting, drawn from what the setting says about itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import streamlit as st

from bridgeviz._options import Options, Variant
from bridgeviz.experiments import Setting
from bridgeviz.ui.state import router, values


def draw(setting: Setting, text: str, default: str) -> str:
    """Draw the control of a setting, bound to the link; returns the text that it says.

    Args:
        setting: what to draw.
        text: its value before.
        default: its value if nobody has changed it.
    """
    start = values.value_of(setting, default)
    if setting.flag:
        return _bound(st.checkbox, setting, value=start)
    if setting.names:
        return _bound(st.selectbox, setting, options=setting.names, index=setting.names.index(default))
    if setting.free:  # a page of its own sets it
        with st.container(key=f"{router.UNSEEN}_{setting.key}"):
            return _bound(st.text_input, setting, value=start)
    if setting.option.stops:
        return _bound(st.select_slider, setting, options=_stops(setting, text, default), value=start)
    if setting.option.step is not None:
        low, high = setting.limits
        return _bound(st.slider, setting, min_value=low, max_value=high, step=setting.option.step, value=start)
    return _bound(st.number_input, setting, value=start, placeholder=setting.word, **_bounds(setting))


def shown(settings: Sequence[Setting], texts: Mapping[str, str]) -> Iterator[Setting]:
    """The settings that have a control, each after the choices that decide whether it has one.

    Args:
        settings: all of them.
        texts: their values now, by key; read for each setting when it is its turn.
    """
    done: set[str] = set()

    def with_choices(setting: Setting) -> Iterator[Setting]:
        if setting.key in done:
            return
        done.add(setting.key)
        for choice in settings:
            if choice.key in setting.choices:
                yield from with_choices(choice)
        yield setting

    for setting in settings:
        for ready in with_choices(setting):
            if ready.applies(texts):
                yield ready


def help_of(setting: Setting) -> str:
    """The help of a setting; for a choice, with a line on each member."""
    kind = setting.option.kind
    members = kind.registry.items() if isinstance(kind, Variant) else ()
    summaries = {
        name: entry.summary for name, entry in members if isinstance(entry, type) and issubclass(entry, Options)
    }
    lines = [f"- **{name}**: {summary}." for name, summary in summaries.items() if summary]
    return "\n".join([setting.option.help, "", *lines]) if lines else setting.option.help


def _stops(setting: Setting, text: str, default: str) -> list[str]:
    """The stops of a slider in order, after the word for "no number"; a link may bring values between them."""
    in_link = st.query_params.get(setting.key, text)
    stops = {*setting.option.stops, default, text, values.canonical(setting, in_link)} - {setting.word}
    return [*filter(None, [setting.word]), *sorted(stops, key=float)]


def _bounds(setting: Setting) -> dict[str, Any]:
    """The limits, step and format of a number without stops."""
    whole = setting.option.kind.whole
    bounds = {
        name: int(bound) if whole else float(bound)
        for name, bound in zip(("min_value", "max_value"), setting.limits, strict=True)
        if abs(bound) != float("inf")
    }
    return bounds | ({"step": 1} if whole else {"format": "%g"})


def _bound(widget: Callable[..., Any], setting: Setting, **arguments: Any) -> str:
    """Draw a widget whose value is in the link and survives moving between pages; the text of its value."""
    value = widget(
        setting.label, key=setting.key, help=help_of(setting), bind="query-params", persist_state="session", **arguments
    )
    return values.text_of(setting, value)
