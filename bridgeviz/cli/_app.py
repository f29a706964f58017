"""`bridgeviz app`."""

from __future__ import annotations

import signal
import subprocess
import sys

import click


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("streamlit_options", nargs=-1, type=click.UNPROCESSED)
def app(streamlit_options: tuple[str, ...]) -> None:
    """Open the app in a browser. Further options, such as --server.port 8600, go to `streamlit run`."""
    from bridgeviz.datasets import paths

    home = paths.shipped().parent
    script = home / "app.py" if (home / "app.py").is_file() else home / "_app" / "app.py"
    command = [sys.executable, "-m", "streamlit", "run", str(script), *streamlit_options]
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C also reaches the server, which ends in its own time
    with subprocess.Popen(command, cwd=script.parent) as server:
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())  # this signal reaches only one process
        sys.exit(server.wait())
