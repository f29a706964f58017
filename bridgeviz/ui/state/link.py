"""The settings and the selection in the link: checked when they arrive, and always those that the controls say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import get_session_state

from bridgeviz import RunConfig
from bridgeviz.experiments import Setting, gallery, texts_of
from bridgeviz.ui.state import controls, router, selection, values
from bridgeviz.ui.text import literal

PRESET = "preset"
"""What a link may name instead of settings: a run of the gallery, whose settings it means."""

EDITS = "edits"
"""The setting that holds the pairs changed by hand."""

_PAGE, _SHOWN, _DATA = "_linked_page", "_shown_settings", "_linked_data"


def differences(config: RunConfig) -> dict[str, str]:
    """The part of a link after the question mark: the settings that differ from their defaults."""
    defaults = values.defaults()
    return {key: text for key, text in texts_of(config).items() if text != defaults[key]}


def open_page(file: str) -> None:
    """Go to another page with the settings in the link."""
    _release(setting.key for setting in values.settings())
    st.switch_page(f"pages/{file}.py", query_params=st.query_params.to_dict())


def complaints() -> list[str]:
    """What is wrong with the settings in the link, one sentence each."""
    return [message for setting, text in _in_link() if (message := setting.complaint(text)) is not None]


def check() -> None:
    """Stop the page with a message and a way out if the link holds a value that can't be used."""
    messages = complaints()
    for message in messages:
        st.error(literal(message), icon=":material/link_off:")
    if messages:
        if st.button("Reset settings", type="primary"):
            for setting, _ in _in_link():
                del st.query_params[setting.key]
            values.reset()
            st.rerun()
        st.stop()


def reconcile(settings: Sequence[Setting], defaults: Mapping[str, str]) -> dict[str, str]:
    """Make the link and the settings agree, before the controls are drawn; the texts of all settings, by key.

    In a new session and after Back or Forward, the link decides about every setting that is shown. On another page than
    before, it decides about the settings that it names. Otherwise, the controls decide, and the link follows.

    Args:
        settings: all of them.
        defaults: their texts if nobody has changed them, by key.
    """
    in_link = {setting.key: values.canonical(setting, text) for setting, text in _in_link()} or _of_preset()
    new, history = not values.stored(), getattr(get_script_run_ctx(), "is_history_navigation", False)
    texts = values.read_controls(settings, defaults)
    if new or history:
        texts |= in_link
        for setting in controls.shown(settings, texts):
            texts[setting.key] = in_link.get(setting.key, defaults[setting.key])
    elif st.session_state.get(_PAGE) != router.here():
        texts |= in_link
    selected = _of_data(settings, texts, decides=new or history)
    values.put_all(settings, texts)
    shown = {setting.key: texts[setting.key] for setting in controls.shown(settings, texts)}
    drawn_anew = shown.keys() - st.session_state.get(_SHOWN, shown.keys())
    outdated = any(in_link.get(key, shown[key]) != shown[key] for key in drawn_anew)
    st.session_state[_SHOWN] = set(shown)
    _release([*(setting.key for setting in settings), selection.KEY])
    if _write(shown | {selection.KEY: selected}, {**defaults, selection.KEY: ""}) and (new or history or outdated):
        st.rerun()  # Streamlit would otherwise set new controls to what the link said before
    st.session_state[_PAGE] = router.here()
    return texts


def _of_data(settings: Sequence[Setting], texts: dict[str, str], *, decides: bool) -> str:
    """Let go of what names rows of other data: the selection, and the changes of pairs; the selection's text.

    Args:
        settings: all of them.
        texts: their texts, by key; the changes of pairs are removed from it.
        decides: whether the link decides.
    """
    data = tuple(texts[setting.key] for setting in settings if setting.stage == "data")
    before, edits = st.session_state.get(_DATA, (data, ""))
    if not decides and before != data and texts[EDITS] == edits:
        texts[EDITS] = ""
    st.session_state[_DATA] = data, texts[EDITS]
    return selection.reconcile(data, st.query_params.get(selection.KEY, "") if decides else None)


def _write(shown: Mapping[str, str], defaults: Mapping[str, str]) -> bool:
    """Put the settings that are shown and the selection into the link, if it says anything else; whether it did.

    Each message to the browser becomes an entry of its history, so there is one for all settings. Settings that are in
    the link but not shown stay there.
    """
    link = st.query_params.to_dict()
    twice = any(len(st.query_params.get_all(key)) > 1 for key in link)
    if not twice and PRESET not in link and all(link.get(key, defaults[key]) == text for key, text in shown.items()):
        return False
    others = {key: text for key, text in link.items() if key not in shown and key != PRESET}
    st.query_params.from_dict(others | {key: text for key, text in shown.items() if text != defaults[key]})
    return True


def _release(keys: Iterable[str]) -> None:
    """Let go of settings, and of all in the link; the controls that are drawn next hold them again.

    The controls of the run before hold them. Streamlit forbids changing the part of a link that a control holds, and
    removes it from the link when the control is not drawn any more, with an entry in the browser's history. It has no
    public call for this.
    """
    with suppress(AttributeError), get_session_state().query_params() as parameters:
        for key in {*keys, *st.query_params}:
            binding = parameters.get_binding_for_param(key)
            if binding is not None:
                parameters.unbind_widget(binding.widget_id)


def _of_preset() -> dict[str, str]:
    """The settings of the preset that a link names instead of settings; empty if it names none."""
    preset = gallery.PRESETS.get(st.query_params.get(PRESET, ""))
    return {} if preset is None else texts_of(preset.config)


def _in_link() -> list[tuple[Setting, str]]:
    """The settings that the link names, and their texts."""
    texts = st.query_params.to_dict()
    return [(setting, texts[setting.key]) for setting in values.settings() if setting.key in texts] if texts else []
