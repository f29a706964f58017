from __future__ import annotations

import pytest

from . import driver


def pytest_collection_modifyitems(items):
    """A browser, a server and their tests share the machine with other tests, and a page that is drawn anew holds its
    old and its new elements for a moment: a test that fails has two more tries, which the summary counts."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="module")
def server():
    if reason := driver.missing():
        pytest.skip(reason)
    server = driver.Server(small=True)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser(server):
    with driver.chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser, server):
    """Open a page of the app in a new session; its network requests are checked at the end."""
    pages, requested = [], []

    def go(path: str = "/", **more):
        context = browser.new_context(viewport={"width": 1400, "height": 900}, **more)
        page = context.new_page()
        page.on("request", lambda request: requested.append(request.url))
        page.goto(server.url + path)
        pages.append(context)
        return page

    yield go
    for context in pages:
        context.close()
    local = ("http://localhost", "ws://localhost", "data:", "blob:")
    assert [url for url in requested if not url.startswith(local)] == []
