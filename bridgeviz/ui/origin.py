"""Who may open a session: this app's own pages, and the origins that its server's settings name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from streamlit import config

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

LOCAL = ("localhost", "127.0.0.1")


class KnownOrigins:
    """ASGI middleware that refuses the websockets of pages from elsewhere.

    Streamlit refuses them as well, but first asks a server on the internet for this machine's address, in case the page
    comes from there, and answers nobody while it waits. Therefore a known origin is passed on as the server's own.

    Args:
        app: what to protect.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        origin = headers.get(b"origin", b"").decode("latin-1")
        if scope["type"] != "websocket" or not origin or not config.get_option("server.enableCORS"):
            await self._app(scope, receive, send)
            return
        host = headers.get(b"host", b"").decode("latin-1")
        if not _known(origin, host):
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "This origin is not known."})
            return
        own = f"{urlsplit(origin).scheme}://{host}".encode("latin-1")
        changed = [(name, own if name == b"origin" else value) for name, value in scope["headers"]]
        await self._app({**scope, "headers": changed}, receive, send)


def _known(origin: str, host: str) -> bool:
    """Whether an origin is the server itself, this machine, or named by the setting server.corsAllowedOrigins."""
    try:
        address = urlsplit(origin)
        return (
            address.netloc == host
            or address.hostname in LOCAL
            or origin in {known.strip() for known in config.get_option("server.corsAllowedOrigins")}
        )
    except ValueError:
        return False
