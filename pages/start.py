"""What is this? Opens on a finished alignment that plays at once."""

import streamlit as st

from bridgeviz.ui import cards, doors, page, router, settings
from bridgeviz.ui.player import player
from bridgeviz.viz import gallery

router.ensure()
st.title("Can two models that never met understand each other?")
st.markdown(
    "One model has learned pictures of digits, another has learned their labels; neither knows of the other. Give "
    "bridgeviz **a few known pairs**, and it learns to carry **every** point of the one space to the other. Watch: "
    "each point starts as noise and flows to the label that its picture should have."
)
name = cards.chosen()
with doors.guard():
    scene = gallery.shipped(name)
st.markdown(f"**{gallery.PRESETS[name].title}.** {gallery.lesson(name, scene)}")
player(scene, key="start_player")
numbers = scene.metrics
page.numbers(numbers, pairs=int(numbers["pairs"]), known=int(numbers["known"]), chance=scene.chance)
if st.button("Open these settings in Flow", type="primary", icon=":material/air:", key="open"):
    settings.apply(gallery.config(scene))
    st.switch_page("pages/flow.py")

st.divider()
st.subheader("Six more ways it can go")
cards.cards(name)
page.onwards("data", "what are the two spaces?")
