"""The main path in another browser: from Start over a training to Diagnose."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import driver, firefox

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]
ROOT = "[...document.querySelectorAll('*')].map(e => e.shadowRoot).find(r => r?.querySelector('.bv'))"
"""The component of the player, which no selector looks into."""

DRAWN = f"Number({ROOT}?.querySelector('canvas.bv-canvas')?.dataset.drawn || 0)"
PLAYER = f"{ROOT}.querySelector('.bv').player"


def said(text: str) -> str:
    """Whether a text is on the page, and the page rests."""
    idle = f"document.querySelector({driver.IDLE!r})"
    return f"document.body.innerText.includes({text!r}) && {idle}"


def test_the_main_path_works_in_firefox_too(server):
    if not Path(firefox.FIREFOX).exists():
        pytest.skip(f"there is no Firefox at {firefox.FIREFOX}")
    with firefox.tab() as tab:
        tab.size(1400, 900)
        tab.open(server.url)
        tab.wait(f"{DRAWN} > 3")
        pixels = [
            tab.evaluate(f"({PLAYER}.stop(), {PLAYER}.show({t}), {PLAYER}.{canvas}.toDataURL())")
            for t, canvas in ((0, "canvas"), (1, "canvas"), (0, "source"), (1, "source"))
        ]
        assert len(set(pixels)) == 4  # the points move, and what went wrong is ringed in the source
        tab.open(f"{server.url}/flow?dataset=blobs&percent=20&cost=bridge&steps=300")
        tab.click(".st-key-train button:not([disabled])")
        tab.wait("document.querySelector('.st-key-losses .js-plotly-plot')")
        tab.wait(f"{DRAWN} > 3")
        tab.wait(said("Flow: right on new points"))
        tab.click("[data-testid=stSidebarNav] a[href$=diagnose], a[href*='/diagnose']")
        tab.wait(said("Where do the errors come from?"))
        tab.wait("document.querySelectorAll('.js-plotly-plot .main-svg').length > 0")
        assert tab.evaluate("document.querySelectorAll('[data-testid=stException]').length") == 0
