"""`streamlit run` with a network that compiles and trains within a moment: no browser test asks how good it is."""

from __future__ import annotations

import sys

from streamlit.web import cli

from bridgeviz.flows import VELOCITIES, AdaLN

if __name__ == "__main__":
    VELOCITIES["adaln-small"] = AdaLN(d=32, blocks=1)
    sys.exit(cli.main(prog_name="streamlit"))
