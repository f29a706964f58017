"""The wheel alone, away from the repository: the same app, with its pages, its data and its finished alignments."""

from __future__ import annotations

import contextlib
import json
import os
import re
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


def container(cache) -> tuple[dict[str, str], list[str]]:
    """The environment and the arguments of the app in the container, with another folder for its cache."""
    text = (driver.ROOT / "Containerfile").read_text().replace("\\\n", " ")
    (line,) = re.findall(r"^ENV (.+)$", text, re.MULTILINE)
    (command,) = re.findall(r"^CMD (.+)$", text, re.MULTILINE)
    settings = (word.split("=", 1) for word in line.split())
    return {name: value.replace("/cache", str(cache)) for name, value in settings}, json.loads(command)[1:]


def test_bridgeviz_app_opens_every_page_and_in_a_container_writes_to_its_cache_alone(installed, browser, tmp_path):
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    settings, arguments = container(tmp_path)
    files = sorted(path for path in installed.rglob("*") if path.suffix != ".pyc")
    how = away(installed)
    how["env"] |= settings
    arguments = [*arguments, f"--server.port={port}"]  # the last one counts
    command = [sys.executable, "-m", "bridgeviz", *arguments]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
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
    assert sorted(path for path in installed.rglob("*") if path.suffix != ".pyc") == files
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{url}/_stcore/health", timeout=5)
