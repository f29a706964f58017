"""Plotly's own script, which the app's server sends to each browser once."""

from __future__ import annotations

from pathlib import Path

import plotly
from starlette.responses import FileResponse
from starlette.routing import Route
from streamlit import config

_PATH = "/bridgeviz/plotly.min.js"
_FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def address() -> str:
    """Where the browser finds the script; the address changes with the version, so that it can be kept for long."""
    return f"{_path()}?{plotly.__version__}"


def route() -> Route:
    """The server's answer at that address."""

    def send(_request: object) -> FileResponse:
        return FileResponse(
            _FILE, media_type="text/javascript", headers={"Cache-Control": "public, max-age=31536000, immutable"}
        )

    return Route(_path(), send)


def _path() -> str:
    base = config.get_option("server.baseUrlPath").strip("/")
    return f"/{base}{_PATH}" if base else _PATH
