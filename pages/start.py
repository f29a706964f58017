"""What is this? Opens on a finished alignment that starts to play by itself."""

import streamlit as st

from bridgeviz.experiments import gallery
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import cards, formula, page
from bridgeviz.ui.panels.player import player
from bridgeviz.ui.state import router

router.ensure()
st.title("Can two models that never met understand each other?")
st.markdown(
    "One model has learned pictures, say, and another their labels; neither knows of the other. Give bridgeviz **a few "
    "known pairs**, and it learns to carry **every** point of one space to the other. Watch: each point starts as "
    "noise and flows to where its counterpart should be."
)
name = cards.chosen()
with guard():
    scene = gallery.shipped(name)
st.markdown(f"**{gallery.PRESETS[name].title}.** {gallery.lesson(name, scene)}")
player(scene, key="start_player")
metrics = scene.metrics
page.numbers(metrics, pairs=int(metrics["pairs"]), known=int(metrics["known"]), chance=scene.chance)
config = gallery.config(scene)
page.open_with(config, "flow", "Open these settings in Flow", type="primary", icon=":material/air:")

st.divider()
st.header("More ways it can go")
cards.cards(name)
formula.of_page("start")
st.divider()
page.open_with(config, "data", "**Next:** what are the two spaces?", type="tertiary", icon=":material/arrow_forward:")
