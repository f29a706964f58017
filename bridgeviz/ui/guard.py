"""Errors become one plain sentence with a way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from bridgeviz import DataMissing, InputError, TrainingError
from bridgeviz.costs import TooLarge
from bridgeviz.ui.state import values
from bridgeviz.ui.text import literal


@contextmanager
def guard() -> Iterator[None]:
    """Show what the library refuses as one plain sentence with a way out, and stop the page."""
    try:
        yield
    except TooLarge as error:
        refuse_too_large(str(error))
    except DataMissing as error:
        refuse(str(error), "Choose another dataset in the sidebar, or reset the settings.")
    except (InputError, TrainingError) as error:
        refuse(str(error), "Change the setting in the sidebar, or reset all settings.")


def refuse(message: str, way_out: str) -> None:
    """Show what went wrong and the way out, and stop the page."""
    st.error(literal(message), icon=":material/error:")
    st.caption(way_out)
    st.button("Reset settings", key="_way_out", on_click=values.reset, type="primary")
    st.stop()


def refuse_too_large(message: str) -> None:
    """Show the size that was refused, offer a sample of the rows, and stop the page."""
    st.error(literal(message), icon=":material/memory:")
    label = f"Use a sample of {values.SAMPLE:,} rows per side"
    st.button(label, key="_sample", on_click=values.use_sample, type="primary")
    st.button("Reset settings", key="_way_out", on_click=values.reset)
    st.stop()


def refuse_without_pairs(what: str) -> None:
    """Say what can't do without pairs, offer what can, and stop the page.

    Args:
        what: needs pairs, as the subject of a sentence.
    """
    text = f"{what} needs known pairs, and at 0 % there are none. The shapes of the two spaces can be aligned without."
    st.info(text, icon=":material/link_off:")
    st.button("Align the shapes", key="_shapes", on_click=values.use_shapes, type="primary")
    st.caption("Or move **Paired samples** in the sidebar.")
    st.stop()
