"""`streamlit run` with a network that compiles and trains within a moment, and few costs for `auto` to choose from: no
browser test asks how good they are."""

from __future__ import annotations

import sys

from streamlit.web import cli

from bridgeviz.experiments import _recommend
from bridgeviz.flows import VELOCITIES, AdaLN

if __name__ == "__main__":
    VELOCITIES["adaln-small"] = AdaLN(d=32, blocks=1)
    every = _recommend.candidates
    _recommend.candidates = lambda *about: every(*about)[:2]
    sys.exit(cli.main(prog_name="streamlit"))
