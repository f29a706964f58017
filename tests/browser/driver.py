"""A server of the app and a real Chromium; shared by the tests and by `targets.py`."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("BRIDGEVIZ_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--enable-unsafe-swiftshader", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-quic",
]  # fmt: skip
"""Without a GPU, Chromium draws WebGL with SwiftShader if it may, and the page itself without it.
`--use-angle=swiftshader` would draw whole pages with it, several times as slowly."""
QUICK = {"JAX_DISABLE_MOST_OPTIMIZATIONS", "XLA_FLAGS"}
"""Settings of a test run that compile fast and compute slowly; the server of a visitor, who is measured, has none."""
CANVAS = "canvas.bv-canvas"
LOSSES = ".st-key-losses .js-plotly-plot >> nth=0"
"""The first curve of the losses: while a training ends, the page may hold both its own and that of the result."""

IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


def missing() -> str | None:
    """Why no browser can be driven here; None if one can."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed"
    return None if Path(CHROMIUM).exists() else f"there is no Chromium at {CHROMIUM}"


class Server:
    """`streamlit run` on a free port.

    Args:
        script: what it runs.
        small: whether its network is one that trains within a moment (`serve.py`); a visitor's is not.
        cache, runs: folders; None for the usual one and a new one.
        env: more of its environment.
    """

    def __init__(
        self, script: str = "app.py", *, small: bool = False, cache: str | None = None, runs: str | None = None,
        env: dict[str, str] | None = None,
    ):  # fmt: skip
        self._own = None if runs else tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.runs = runs or (self._own.name if self._own else "")
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        own = {"BRIDGEVIZ_RUNS": self.runs} | ({"BRIDGEVIZ_CACHE": cache} if cache else {}) | (env or {})
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "tests.browser.serve" if small else "streamlit", "run", script,
                f"--server.port={self.port}", "--server.headless=true",
            ],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if small or name not in QUICK} | own,
        )  # fmt: skip
        self._wait()
        self.healthy_after = time.perf_counter() - began

    def _wait(self) -> None:
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        raise RuntimeError("The app's server did not start.")

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        if self._own is not None:
            self._own.cleanup()


@contextlib.contextmanager
def chromium():
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def visit(browser, url: str, **more):
    """A new tab at an address, in its own session."""
    page = browser.new_context(viewport={"width": 1400, "height": 900}, **more).new_page()
    page.goto(url)
    return page


def drawn(page) -> int:
    """How many frames the player has drawn by itself."""
    return int(page.locator(CANVAS).evaluate("e => e.dataset.drawn || 0"))


def at(page, time_: float):
    """Stop the player at a time and return its pixels."""
    page.locator("input.bv-t").evaluate(
        f"e => {{ e.value = {time_}; e.dispatchEvent(new Event('input', {{bubbles: true}})); }}"
    )
    return page.locator(CANVAS).evaluate("e => e.toDataURL()")


def until(true, *, seconds: float = 60.0, every: float = 0.05) -> float:
    """Wait for a condition; returns the seconds it took."""
    began = time.perf_counter()
    while not true():
        if time.perf_counter() - began > seconds:
            raise TimeoutError(f"not true after {seconds:g} s")
        time.sleep(every)
    return time.perf_counter() - began


def to(page, name: str) -> None:
    """Click on a page in the menu, which keeps the session."""
    page.locator("[data-testid=stSidebarNav]").get_by_role("link", name=name, exact=True).click(timeout=60_000)


def train(page) -> None:
    """Press Train once it can be pressed."""
    page.locator(".st-key-train button:not([disabled])").click(timeout=60_000)


def lasso(page, chart: str, x: float, y: float, width: float, height: float) -> None:
    """Draw a box with the lasso of a chart; its corner and its size in shares of the chart."""
    ground = page.locator(f".st-key-{chart} .nsewdrag").first
    ground.wait_for(timeout=60_000)
    page.locator(IDLE).wait_for(timeout=60_000)
    ground.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = ground.bounding_box()
    left, top = box["x"] + x * box["width"], box["y"] + y * box["height"]
    across, down = width * box["width"], height * box["height"]
    page.mouse.move(left, top)
    page.mouse.down()
    for right, below in ((across, 0), (across, down), (0, down), (0, 5)):
        page.mouse.move(left + right, top + below, steps=4)
    page.mouse.up()
