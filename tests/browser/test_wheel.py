"""The wheel alone, away from the repository: the same app, with its pages, its data and its finished alignments."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile

import pytest
from playwright.sync_api import expect

from . import driver

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PATIENCE = 60_000


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with what the wheel holds. Its dependencies are those of the tests."""
    home = tmp_path_factory.mktemp("wheel")
    build = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(home), str(driver.ROOT)]
    subprocess.run([sys.executable, "-m", *build], check=True, cwd=home)
    (wheel,) = home.glob("bridgeviz-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(home / "site")
    return home


def away(installed) -> dict:
    """How a process is started that sees the wheel and not the repository."""
    return {"cwd": installed, "env": {**os.environ, "PYTHONPATH": str(installed / "site")}}


def test_the_wheel_is_what_is_imported_and_holds_its_data(installed):
    code = (
        "import bridgeviz, bridgeviz.datasets.paths as p; from bridgeviz.experiments import gallery; "
        "print(bridgeviz.__file__); print(p.shipped()); print(len(gallery.shipped('mnist').labels)); "
        "print(bridgeviz.load('mnist').shape)"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, **away(installed))
    file, data, points, shape = out.stdout.split("\n")[:4]
    assert file.startswith(str(installed / "site"))
    assert data.startswith(str(installed / "site"))
    assert int(points) > 100
    assert shape == "(10000, 10000)"


def test_bridgeviz_app_opens_every_page(installed, browser):
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bridgeviz", "app", f"--server.port={port}", "--server.headless=true"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **away(installed))
    url = f"http://localhost:{port}"
    try:
        began = time.monotonic()
        while time.monotonic() - began < 60:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                break
            time.sleep(0.1)
        page = driver.visit(browser, url)
        expect(page.locator(driver.CANVAS)).to_be_visible(timeout=PATIENCE)
        for path, text in (
            ("data?dataset=blobs", "What are the two spaces?"), ("paper", "Does the paper hold here?"),
            ("which_method?dataset=blobs", "Which method"), ("compare?dataset=blobs", "Train a first run here"),
        ):  # fmt: skip
            page.goto(f"{url}/{path}")
            expect(page.get_by_text(text).first).to_be_visible(timeout=PATIENCE)
            page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
            assert page.locator("[data-testid=stException]").count() == 0
    finally:
        server.terminate()
        server.wait(20)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{url}/_stcore/health", timeout=5)
