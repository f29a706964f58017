"""Who can't see the screen, or not all colours of it, gets the same: axe-core finds nothing serious on any page."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from . import driver
from .test_layout import CUT, OVERPRINTED

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PATIENCE = 60_000
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
PAGES = [
    "", "lessons", "data?dataset=blobs", "pairs_and_cost?dataset=blobs&percent=10&cost=bridge",
    "coupling?dataset=blobs&percent=10&cost=bridge", "paper", "which_method?dataset=blobs", "your_data",
]  # fmt: skip
RUN = "async (rules) => (await axe.run(document, {resultTypes: ['violations'], ...rules})).violations"
THEME = "scheme => getComputedStyle(document.querySelector('.stApp')).colorScheme === scheme"
RULES = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
"""What is checked in each theme, which differ in their colours alone."""


def serious(page) -> list[str]:
    """What axe-core finds in both themes, except what it calls minor."""
    page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
    found = []
    for scheme, rules in RULES.items():
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(THEME, arg=scheme)
        page.wait_for_timeout(1200)  # colours change gradually
        if page.evaluate("typeof axe") == "undefined":
            page.evaluate(AXE.read_text(encoding="utf-8"))
        found += [
            f"{scheme}: {one['id']} ({one['impact']}): {[node['html'][:200] for node in one['nodes'][:3]]}"
            for one in page.evaluate(RUN, rules)
            if one["impact"] != "minor"
        ]
    return found


OVER = """() => {
    const main = document.querySelector('[data-testid=stMain]');
    const scrolls = '[data-testid=stDataFrame], .js-plotly-plot, pre, .katex';
    return [...main.querySelectorAll('*')].filter(e => e.getBoundingClientRect().width > 0 && !e.closest(scrolls) &&
        e.getBoundingClientRect().right > innerWidth + 2).map(e => e.outerHTML.slice(0, 120)).slice(0, 3);
}"""
"""What reaches beyond the right edge of the window and does not scroll by itself."""


def unreadable(page) -> list[str]:
    """What is cut or printed over on the narrowest screen and on the widest one."""
    found = []
    for width in (390, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(1000)
        page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
        found += [f"{width}: {what}" for check in (OVER, CUT, OVERPRINTED) for what in page.evaluate(check)]
    page.set_viewport_size({"width": 1400, "height": 900})
    return found


def test_nothing_is_in_the_way_or_cut_on_any_page(visit, server):
    page, found = visit("/", reduced_motion="reduce"), {}
    for link in PAGES:
        page.goto(f"{server.url}/{link}")
        expect(page.locator("h1").first).to_be_visible(timeout=PATIENCE)
        page.wait_for_timeout(1500)
        found[link] = serious(page) + unreadable(page)
    assert {link: what for link, what in found.items() if what} == {}


def test_the_keyboard_alone_leads_from_start_to_diagnose_and_nothing_is_in_the_way_there(visit):
    page = visit("/", reduced_motion="reduce")
    page.locator(driver.CANVAS).first.wait_for(timeout=PATIENCE)
    page.locator(driver.IDLE).wait_for(timeout=PATIENCE)

    def press(name: str, tag: str) -> None:
        """Move on with Tab to what has this name, and press Enter."""
        for _ in range(150):
            page.keyboard.press("Tab")
            here = page.evaluate("() => [document.activeElement.tagName, document.activeElement.textContent.trim()]")
            if here[0].lower() == tag and name in here[1]:
                page.keyboard.press("Enter")
                return
        raise AssertionError(f"Tab never reaches {name}")

    press("Flow", "a")
    expect(page.get_by_text("How does noise become a target?")).to_be_visible(timeout=PATIENCE)
    page.locator(".st-key-train button:not([disabled])").wait_for(timeout=PATIENCE)
    press("Train", "button")
    page.locator(driver.LOSSES).wait_for(timeout=PATIENCE)
    page.locator(".st-key-train button:not([disabled])").wait_for(timeout=120_000)
    page.locator(driver.CANVAS).first.wait_for(timeout=PATIENCE)
    assert serious(page) == []
    press("Diagnose", "a")
    expect(page.get_by_text("Where do the errors come from?")).to_be_visible(timeout=PATIENCE)
    assert serious(page) == []
    page.get_by_role("link", name="Compare").first.click()
    page.get_by_role("button", name="the pairs alone").click()
    expect(page.get_by_text("Which points changed sides?")).to_be_visible(timeout=PATIENCE)
    assert serious(page) == []
