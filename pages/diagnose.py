"""Placeholder."""

import streamlit as st

from bridgeviz.ui import settings

st.header("diagnose")
config = settings.sidebar(training=False)
st.write(config.as_dict())
st.page_link("pages/flow.py", label="Next: flow")
