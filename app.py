"""The router: one file a page, in the order that `bridgeviz.ui.router` gives."""

import streamlit as st

from bridgeviz.ui import jobs, router

st.set_page_config(page_title="bridgeviz", page_icon=":material/route:", layout="wide")
page = router.route()
jobs.line()
page.run()
