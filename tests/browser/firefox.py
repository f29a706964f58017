"""A headless Firefox, driven by its own protocol (WebDriver BiDi); Playwright drives only a Firefox that it patched."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

FIREFOX = os.environ.get("BRIDGEVIZ_FIREFOX", "/usr/bin/firefox-esr")


class Tab:
    """The one tab of a browser.

    Args:
        connection: to the browser.
    """

    def __init__(self, connection):
        self._connection, self._numbers = connection, itertools.count(1)
        self._ask("session.new", capabilities={})
        self._context = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a command; events in between are left aside."""
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._connection.recv(timeout=60))
            if answer.get("id") == number:
                if answer["type"] == "error":
                    raise RuntimeError(f"{method}: {answer['message']}")
                return answer["result"]

    def open(self, url: str) -> None:
        """Go to an address."""
        self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def size(self, width: int, height: int) -> None:
        """Set the size of the page."""
        viewport = {"width": width, "height": height}
        self._ask("browsingContext.setViewport", context=self._context, viewport=viewport)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, which JSON can hold."""
        answer = self._ask(
            "script.evaluate", expression=f"JSON.stringify({expression})", target={"context": self._context},
            awaitPromise=True,
        )  # fmt: skip
        if answer["type"] != "success":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"].get("value", "null"))

    def wait(self, expression: str, *, seconds: float = 60.0) -> None:
        """Wait until an expression is true."""
        began = time.monotonic()
        while not self.evaluate(f"Boolean({expression})"):
            if time.monotonic() - began > seconds:
                raise TimeoutError(f"not true after {seconds:g} s: {expression}")
            time.sleep(0.2)

    def click(self, selector: str) -> None:
        """Click what a CSS selector finds first, as soon as it is there."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.wait(found)
        self.evaluate(f"({found}.click(), true)")


@contextlib.contextmanager
def tab() -> Iterator[Tab]:
    """A browser with one tab and an empty profile."""
    from websockets.sync.client import connect

    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [FIREFOX, "--headless", "--no-remote", "--profile", profile, f"--remote-debugging-port={port}"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"HOME": profile}
        )
        try:
            with connect(_address(process, port), max_size=None, open_timeout=60) as connection:
                yield Tab(connection)
        finally:
            process.terminate()
            process.wait(20)


def _address(process: subprocess.Popen, port: int) -> str:
    """Where the browser listens, as soon as it does."""
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return f"ws://127.0.0.1:{port}/session"
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError("Firefox does not listen.")
