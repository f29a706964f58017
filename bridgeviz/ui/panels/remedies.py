"""One stage at which points go wrong: how many, why, and a button that changes a setting and trains again."""

from __future__ import annotations

import streamlit as st

from bridgeviz import RunConfig
from bridgeviz.ui.panels import live


def stage(name: str, text: str, what: str, config: RunConfig | None) -> None:
    """A line on a stage.

    Args:
        name: of the stage.
        text: how many points go wrong there, and why.
        what: the change.
        config: the settings with it; None if no setting mends it.
    """
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.markdown(text)
    if config is not None:
        right.button(
            f"{what}, and train again", key=f"mend_{name}", on_click=live.train_with, args=(config,),
            icon=":material/build:", width="stretch",
        )  # fmt: skip
