"""Does mine align?"""

import streamlit as st

from bridgeviz import RunConfig
from bridgeviz.datasets import Yours
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import first_look, formula, page
from bridgeviz.ui.panels.bring import OWN_DATA, bring, forget
from bridgeviz.ui.state import router, values

router.ensure()
page.question(
    "Does yours align?",
    "Bring two matrices, one row per sample, and a few pairs of rows that belong together. They are looked at before "
    "anything is trained, and they stay on the machine that runs this app.",
)
key = bring() or values.stored().get(OWN_DATA, "")
if not key:
    st.info(
        "**What you need:** the embeddings of two models as .npy, .csv, .parquet, .h5ad or another format of the list, "
        "and a table of pairs. Ten pairs are enough to begin. Labels are optional and only used to judge the result, "
        "or to forbid pairs of classes.",
        icon=":material/upload_file:",
    )
    st.stop()

config = RunConfig(dataset=Yours(kept=key), fraction=1.0)
with guard():
    suits = first_look.spaces(config)
    first_look.pairs(config)
    metric = first_look.metric(config, suits)
    assessment = first_look.alignable(config, metric)
st.divider()
chosen, reasons = first_look.settings(config, metric, assessment)
page.open_with(chosen, "data", "Work with these data", type="primary", icon=":material/arrow_forward:")
st.caption(reasons)
st.button(
    "Forget these data", key="forget_data", on_click=forget, args=(key,), type="tertiary", icon=":material/delete:",
    help="Deletes the copy that this machine keeps. Runs that were trained on them stay until they are deleted.",
)  # fmt: skip
formula.of_page("your_data")
