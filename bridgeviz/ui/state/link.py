"""The settings in the link: checked when they arrive, and kept when the visitor moves between pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import get_session_state

from bridgeviz import RunConfig
from bridgeviz.experiments import Setting, texts_of
from bridgeviz.ui.state import values


def differences(config: RunConfig) -> dict[str, str]:
    """The part of a link after the question mark: the settings that differ from their defaults."""
    defaults = values.defaults()
    return {key: text for key, text in texts_of(config).items() if text != defaults[key]}


def complaints() -> list[str]:
    """What is wrong with the settings in the link, one sentence each."""
    return [message for setting, text in _in_link() if (message := setting.complaint(text)) is not None]


def check() -> None:
    """Stop the page with a message and a way out if the link holds a value that can't be used."""
    messages = complaints()
    for message in messages:
        st.error(message, icon=":material/link_off:")
    if messages:
        if st.button("Reset settings", type="primary"):
            for setting, _ in _in_link():
                del st.query_params[setting.key]
            values.reset()
            st.rerun()
        st.stop()


def restore(settings: Sequence[Setting], defaults: Mapping[str, str]) -> None:
    """Give every setting a value before the controls are drawn; in a new session, the one in the link.

    Args:
        settings: all of them.
        defaults: their texts if nobody has changed them, by key.
    """
    if not values.stored():
        canonical = {setting.key: values.canonical(setting, text) for setting, text in _in_link()}
        values.store({**defaults, **canonical})
        if any(st.query_params[key] != text for key, text in canonical.items()):
            st.query_params.update(canonical)  # a control would not recognise 2.50 as its stop 2.5
            st.rerun()
    texts = {**defaults, **values.stored()}
    for setting in settings:
        if setting.key not in st.session_state:
            values.put(setting, texts[setting.key])


def complete(settings: Iterable[Setting], texts: Mapping[str, str], defaults: Mapping[str, str]) -> None:
    """Add the settings that the link lacks, before their controls are drawn.

    The link of a page that is reached from one without controls names no settings. When the visitor goes back to such
    a link, Streamlit sets every control to its default, unless the page runs again at once.

    Args:
        settings: those whose controls are drawn next.
        texts: all settings as they are now, by key.
        defaults: their texts if nobody has changed them.
    """
    changed = {setting.key: texts[setting.key] for setting in settings if texts[setting.key] != defaults[setting.key]}
    missing = {key: text for key, text in changed.items() if key not in st.query_params}
    if not missing:
        return
    if len(missing) == len(changed) and getattr(get_script_run_ctx(), "is_history_navigation", False):
        st.rerun()
    _release(missing)
    with suppress(StreamlitAPIException):  # controls that are drawn already write to the link themselves
        st.query_params.update(missing)


def _release(keys: Iterable[str]) -> None:
    """Let go of settings that controls of an earlier page hold.

    A visitor who leaves a page before it is drawn interrupts it, and Streamlit then keeps the controls of the page
    before bound to a link that no longer names them. Streamlit has no public call for this; without it, the settings
    are kept all the same, and only the link lacks them until one is changed.
    """
    with suppress(AttributeError), get_session_state().query_params() as parameters:
        for key in keys:
            binding = parameters.get_binding_for_param(key)
            if binding is not None:
                parameters.unbind_widget(binding.widget_id)


def _in_link() -> list[tuple[Setting, str]]:
    """The settings that the link names, and their texts."""
    texts = st.query_params.to_dict()
    return [(setting, texts[setting.key]) for setting in values.settings() if setting.key in texts] if texts else []
