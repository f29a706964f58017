"""Placeholder."""

import streamlit as st

from bridgeviz.ui import settings

st.header("flow")
config = settings.sidebar(training=True)
st.write(config.as_dict())
st.page_link("pages/flow.py", label="Next: flow")
