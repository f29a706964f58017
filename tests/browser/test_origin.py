"""Pages from elsewhere open no session, and make the server ask nobody on the internet."""

from __future__ import annotations

import socket
import time
import urllib.request

import pytest

from . import driver

HANDSHAKE = (
    "GET /_stcore/stream HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture(scope="module")
def proxy():
    """What every look-up on the internet would go through: it accepts connections and never answers."""
    with socket.create_server(("localhost", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture(scope="module")
def server(proxy):
    address = f"http://localhost:{proxy.getsockname()[1]}"
    settings = {"STREAMLIT_SERVER_CORS_ALLOWED_ORIGINS": "https://friend.example"}
    proxies = {"HTTP_PROXY": address, "HTTPS_PROXY": address, "http_proxy": address, "https_proxy": address}
    server = driver.Server(env=settings | proxies | {"NO_PROXY": "localhost", "no_proxy": "localhost"})
    yield server
    server.stop()


def status(server, origin: str) -> int:
    """The HTTP status of a websocket's handshake."""
    with socket.create_connection(("localhost", server.port), timeout=5) as connection:
        connection.sendall(HANDSHAKE.format(port=server.port, origin=origin).encode())
        return int(connection.recv(1000).split()[1])


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "https://localhost.example", "null", "http://[", "x"])
def test_pages_from_elsewhere_are_refused_at_once_and_nobody_is_asked(server, proxy, origin):
    began = time.perf_counter()
    assert status(server, origin) == 403
    with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5) as answer:
        assert answer.read() == b"ok"
    assert time.perf_counter() - began < 3
    with pytest.raises(BlockingIOError):
        proxy.accept()


@pytest.mark.parametrize("origin", ["http://localhost:{port}", "http://127.0.0.1:8888", "https://friend.example"])
def test_known_pages_are_let_in_and_nobody_is_asked(server, proxy, origin):
    assert status(server, origin.format(port=server.port)) == 101
    with pytest.raises(BlockingIOError):
        proxy.accept()
