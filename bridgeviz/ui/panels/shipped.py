"""The run of the gallery that has the present settings: what Start has shown goes on on the Flow page."""

from __future__ import annotations

import streamlit as st

from bridgeviz import RunConfig
from bridgeviz.experiments import gallery
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import live, page
from bridgeviz.ui.panels.player import player
from bridgeviz.ui.work.jobs import Record


def show(config: RunConfig) -> bool:
    """The animation and the numbers of the gallery's run with these settings; whether there is one."""
    name = gallery.find(config)
    if name is None:
        return False
    st.info(
        f"This run came with bridgeviz: **{gallery.PRESETS[name].title}**. Press **Train** to train it here and to "
        "follow its errors on Diagnose.", icon=":material/inventory_2:",
    )  # fmt: skip
    with guard():
        scene = gallery.shipped(name)
    player(scene, key="shipped_player")
    metrics = scene.metrics
    page.numbers(metrics, pairs=int(metrics["pairs"]), known=int(metrics["known"]), chance=scene.chance)
    live.curves(Record(loss_steps=scene.loss_steps, losses=scene.losses), scene.chance)
    return True
