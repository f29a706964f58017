"""What many visitors and a long use do to one server: the measures that `targets.py` calls the crowd and the hour."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.browser import driver
from tests.browser.driver import IDLE, until, visit

SESSIONS = 8
QUESTIONS = {
    "Data": "two spaces", "Pairs and cost": "supervision buy", "Coupling": "optimal transport decide",
    "Flow": "noise become",
}  # fmt: skip
"""A part of the heading of each page that is visited."""

PAGES = tuple(QUESTIONS)
GONE = 75
"""Seconds after which the jobs and the sessions of visitors who have left have ended."""


class Use(NamedTuple):
    """What a process holds.

    Attributes:
        memory: resident, in MB.
        threads, files: their numbers; the files are those that it has open.
        kept: the files in its folders of runs and of compiled programs.
    """

    memory: float
    threads: int
    files: int
    kept: int

    def __str__(self) -> str:
        return f"{self.memory:,.0f} MB, {self.threads} threads, {self.files} open files, {self.kept} files on the disk"


def use(server: driver.Server, cache: str) -> Use:
    """What a server holds now (Linux)."""
    process = Path(f"/proc/{server.process.pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    kept = sum(path.is_file() for folder in (server.runs, cache) for path in Path(folder).rglob("*"))
    return Use(
        int(status["VmRSS"].split()[0]) / 1024, int(status["Threads"]), len(list((process / "fd").iterdir())), kept
    )  # fmt: skip


def flow(number: int, *, steps: int) -> str:
    """The link of a training that no other number has."""
    return f"/flow?dataset=digits&percent=5&steps={steps}&seed={number}"


def go(page, name: str) -> float:
    """Click on a page in the menu; the seconds until it is drawn and at rest."""
    page.locator(IDLE).wait_for(timeout=60_000)
    began = time.perf_counter()
    driver.to(page, name)
    page.locator("h1", has_text=QUESTIONS[name]).first.wait_for(timeout=60_000)
    page.locator(IDLE).wait_for(timeout=60_000)
    return time.perf_counter() - began


@contextmanager
def used_server(browser, cache: str) -> Iterator[driver.Server]:
    """A server that one visitor has trained on and left: what it loads once is loaded."""
    server = driver.Server(cache=cache)
    try:
        page = visit(browser, server.url + flow(0, steps=300))
        train(page)
        finished(page)
        for name in PAGES:
            go(page, name)
        page.context.close()
        time.sleep(GONE)
        yield server
    finally:
        server.stop()


def train(page) -> None:
    """Press Train, and wait until the job is there."""
    driver.train(page)
    page.locator(".st-key-cancel").wait_for(timeout=60_000)


def finished(page, seconds: float = 600) -> None:
    """Wait until the training of a page has ended and its animation is there."""
    until(lambda: page.locator(driver.CANVAS).count() and not page.locator(".st-key-cancel").count(), seconds=seconds)


def crowd(browser, cache: str) -> Iterator[tuple[str, str, str]]:
    """Eight sessions that all train and look around meanwhile; yields what was measured, the value and the target."""
    with used_server(browser, cache) as server:
        before = use(server, cache)
        pages = [visit(browser, server.url + flow(number, steps=800)) for number in range(1, SESSIONS + 1)]
        for page in pages:
            train(page)
        until(lambda: pages[-1].get_by_text("your turn comes in").count())
        time.sleep(2)  # every page asks twice a second
        waiting, told = (
            sum(page.get_by_text(text).count() > 0 for page in pages)
            for text in (re.compile("in the queue|You are next"), "your turn comes in")
        )
        seconds = [go(page, name) for name in PAGES for page in pages]
        quantile = statistics.quantiles(seconds, n=20)[-1]
        yield (
            f"a page of one of {SESSIONS} sessions that all train: median, p95",
            f"{statistics.median(seconds):.1f} s, {quantile:.1f} s", "3 s",
        )  # fmt: skip
        yield "those who wait for their turn and see when it comes", f"{told} of {waiting}", "all"
        for page in pages:
            finished(page)
        own = sum(f"seed={number}" in page.url for number, page in enumerate(pages, 1))
        yield "sessions that end with their own settings and animation", f"{own} of {SESSIONS}", "all"
        busy = use(server, cache)
        for page in pages:
            page.context.close()
        time.sleep(GONE)
        after = use(server, cache)
        growth = after.memory / before.memory - 1
        value = f"{before.memory:,.0f}, {busy.memory:,.0f}, {after.memory:,.0f} MB ({growth:+.0%})"
        yield "server memory before, with all of them, and after they left", value, "within 20%"


def hour(browser, cache: str) -> Iterator[tuple[str, str, str]]:
    """Three sessions, six trainings and sixty changes of a control, without the pauses of an hour."""
    with used_server(browser, cache) as server:
        before, number = use(server, cache), 100
        for _ in range(3):
            page = visit(browser, server.url + flow(number, steps=300))
            for _ in range(2):
                train(page)
                finished(page)
                for name in PAGES[:3]:
                    go(page, name)
                    change(page, 3)
                go(page, "Flow")
                change(page, 1)  # of the fraction, so that the next training is another one
            number += 1
            page.context.close()
        time.sleep(GONE)
        yield "an hour's use in one go, before", str(before), ""
        yield "and after: 3 sessions, 6 trainings, 60 changes", str(use(server, cache)), "bounded"


def change(page, times: int) -> None:
    """Change the fraction of pairs, each time waiting for the page."""
    thumb = page.locator(".st-key-percent input").first
    for _ in range(times):
        thumb.focus()
        page.keyboard.press("ArrowRight")
        time.sleep(0.5)
        page.locator(IDLE).wait_for(timeout=60_000)
