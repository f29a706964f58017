"""Measure the app against its targets in a real Chromium: `python -m tests.browser.targets [1 2 ...]` prints a table.

Most values are medians. Target 3 also measures the p95, and target 4 a closed tab, which takes a minute; "crowd" and
"hour" take several minutes each. With `--write`, the table goes into the project's documents, and a screenshot of Start
into `data/pictures`.
"""

from __future__ import annotations

import os
import platform
import re
import statistics
import sys
import tempfile
import time
from unittest.mock import patch

from bridgeviz import RunConfig
from bridgeviz.experiments import gallery
from bridgeviz.experiments.benchmarks import write_block
from bridgeviz.ui.cache.results import Results
from bridgeviz.ui.work import training
from bridgeviz.ui.work.jobs import Job
from bridgeviz.ui.work.queue import JobQueue
from tests.browser import crowd, driver
from tests.browser.driver import CANVAS, IDLE, until, visit

FLOW = "/flow?dataset=digits&percent=2&steps=100000"
LOSSES = ".st-key-losses .js-plotly-plot"
WATCH = """() => {
  window.pressed = window.seen = window.drawn = 0;
  for (const event of ['keydown', 'pointerup', 'mouseup'])
    document.addEventListener(event, () => { pressed = performance.now(); }, true);
  const chart = '.bridgeviz-chart';
  const inside = node => node.closest?.(chart) || node.querySelector?.(chart);
  new MutationObserver(records => {
    if (!pressed) return;
    const found = records.flatMap(record => [record.target.closest?.(chart), ...[...record.addedNodes].map(inside)]);
    const charts = new Set(found.filter(Boolean));
    if (!charts.size) return;
    requestAnimationFrame(() => {
      drawn = performance.now();
      const boxes = [...charts].map(e => e.getBoundingClientRect());
      if (boxes.some(box => box.top < innerHeight && box.bottom > 0)) seen = drawn;
    });
  }).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""
"""Records when a key was last pressed or the mouse released, and when the last frame with a changed chart (in view;
anywhere) was drawn."""


TABLE: list[str] = []


def main(numbers: set[str], *, write: bool = False) -> None:
    """Measure the targets with these numbers, all by default."""
    row("#", "what", "measured", "target")
    row("---", "---", "---", "---")
    with driver.chromium() as browser:
        for number, measure in MEASURES.items():
            if not numbers or number in numbers:
                measure(browser)
        if write:
            screenshot(browser)
            machine = (
                f"{platform.machine()}, {os.cpu_count()} cores, browser and server on the same machine; ten million "
                f"additions in a Python loop take {additions():.1f} s on it."
            )
            write_block("app", "\n".join([*TABLE, "", "Machine: " + machine]))


def additions() -> float:
    """The seconds of a fixed piece of work, by which tables of different machines can be compared."""
    began, total = time.perf_counter(), 0
    for number in range(10_000_000):
        total += number
    return time.perf_counter() - began


def row(number: str, what: str, value: str, target: str) -> None:
    """A line of the table."""
    TABLE.append(f"| {number} | {what} | {value} | {target} |")
    print(TABLE[-1], flush=True)


def screenshot(browser) -> None:
    """The screenshot of the documents: Start, halfway through its animation."""
    server = driver.Server()
    page = visit(browser, server.url)
    until(lambda: page.locator(CANVAS).count() and driver.drawn(page) > 60)
    page.screenshot(path=driver.ROOT / "data" / "pictures" / "start.png")
    page.context.close()
    server.stop()


def start(browser) -> None:
    """Target 1."""
    healthy, cold, painted, playing = [], [], [], []
    for _ in range(3):
        server = driver.Server()
        healthy.append(server.healthy_after)
        for visitor in range(3):
            began = time.perf_counter()
            page = visit(browser, server.url)
            page.locator("h1").first.wait_for()
            seen = time.perf_counter() - began
            until(lambda page=page: page.locator(CANVAS).count() and driver.drawn(page) > 1)
            took = time.perf_counter() - began
            if visitor:
                painted.append(seen)
                playing.append(took)
            else:
                cold.append(took)
            page.context.close()
        server.stop()
    row("1", "server healthy", f"{statistics.median(healthy):.1f} s", "3 s")
    row("1", "Start painted, warm server", f"{statistics.median(painted):.1f} s", "2 s")
    row("1", "first animation playing, warm server", f"{statistics.median(playing):.1f} s", "5 s")
    row("1", "first animation playing, first visitor of a fresh server", f"{statistics.median(cold):.1f} s", "5 s")


def trainings(browser) -> None:
    """Targets 2, 3 and 4: on a server that compiles, then on one that reads what the first has compiled."""
    cache = tempfile.mkdtemp()
    server = driver.Server(cache=cache)
    page = visit(browser, server.url + FLOW)
    row("2", "Train to first loss, process cold, first ever on this machine", f"{first_loss(page):.1f} s", "8 s")
    page.context.close()
    server.stop()
    server = driver.Server(cache=cache)
    firsts, stops = [], []
    page = visit(browser, server.url + FLOW)
    for _ in range(4):
        firsts.append(first_loss(page))
        time.sleep(1)
        began = time.perf_counter()
        page.locator(".st-key-cancel button").click()
        page.locator(".st-key-train button:not([disabled])").wait_for(timeout=60_000)
        stops.append(time.perf_counter() - began)
    row("2", "Train to first loss, process cold, after an earlier one", f"{firsts[0]:.1f} s", "8 s")
    row("2", "Train to first loss, process warm", f"{statistics.median(firsts[1:]):.1f} s", "2 s")
    row("4", "cancel to idle", f"{statistics.median(stops):.1f} s", "1 s")

    page.context.close()
    page = visit(browser, server.url + FLOW)
    page.locator(".st-key-train button:not([disabled])").wait_for(timeout=120_000)
    to_pairs(page)
    responses(widgets(page), "idle", "0.3 s")
    page.get_by_role("link", name="Flow").first.click()
    driver.train(page)
    page.locator(LOSSES).wait_for(timeout=60_000)
    to_pairs(page)
    responses(widgets(page), "while this session trains", "0.7 s")
    stranger = visit(browser, server.url + FLOW)
    to_pairs(stranger)
    page.get_by_role("link", name="Flow").first.click()
    page.locator(LOSSES).wait_for(timeout=60_000)
    responses(widgets(stranger), "beside a second tab that watches a training", "0.7 s")
    stranger.context.close()

    other = visit(browser, server.url + FLOW)
    driver.train(other)
    other.get_by_text("You are next").wait_for(timeout=60_000)
    began = time.perf_counter()
    page.context.close()
    other.get_by_text("You are next").wait_for(state="detached", timeout=120_000)
    row("4", "closed tab frees its job", f"{time.perf_counter() - began:.0f} s", "75 s")
    server.stop()


def first_loss(page) -> float:
    """Seconds from the click on Train to the first point of the loss."""
    page.locator(".st-key-train button:not([disabled])").wait_for(timeout=120_000)
    page.locator(IDLE).wait_for(timeout=60_000)
    began = time.perf_counter()
    page.locator(".st-key-train button").click()
    page.locator(LOSSES).wait_for(timeout=120_000)
    return time.perf_counter() - began


def to_pairs(page) -> None:
    """Go to "Pairs and cost" through the menu, which keeps the session and its job, and wait for its charts."""
    driver.to(page, "Pairs and cost")
    page.locator(".st-key-curve .js-plotly-plot").wait_for(timeout=60_000)
    page.locator(IDLE).wait_for(timeout=60_000)


def widgets(page) -> list[tuple[float, float]]:
    """Seconds from a key press on the fraction slider to the last changed frame, in view and anywhere on the page."""
    page.evaluate(WATCH)
    thumb = page.locator(".st-key-percent input").first
    seconds = []
    for press in range(24):
        time.sleep(0.6)
        page.evaluate("seen = drawn = 0")
        thumb.focus()
        page.keyboard.press("ArrowRight" if press % 4 < 2 else "ArrowLeft")
        until(lambda: page.evaluate("drawn && performance.now() - drawn > 600"))
        page.locator(IDLE).wait_for(timeout=60_000)
        seconds.append(tuple(page.evaluate("[(seen - pressed) / 1000, (drawn - pressed) / 1000]")))
    return seconds[4:]  # the first round fills the caches


def brushes(browser) -> None:
    """Target 5."""
    server, seconds = driver.Server(), []
    page = visit(browser, server.url + "/data?dataset=mnist")
    page.locator(".st-key-data_target .js-plotly-plot").wait_for(timeout=120_000)
    page.locator(IDLE).wait_for(timeout=60_000)
    page.evaluate(WATCH)
    nothing = selected(page)
    for turn in range(12):
        if turn:
            page.locator(".st-key-select_clear button").click()
            until(lambda: selected(page) == nothing)
            page.locator(IDLE).wait_for(timeout=60_000)
        time.sleep(1)
        page.evaluate("pressed = seen = drawn = 0")
        driver.lasso(page, "data_source", 0.1, 0.1, 0.7 + 0.01 * turn, 0.8)
        until(lambda: selected(page) != nothing)
        page.locator(IDLE).wait_for(timeout=60_000)
        until(lambda: page.evaluate("drawn && performance.now() - drawn > 800"))
        seconds.append(page.evaluate("(drawn - pressed) / 1000"))
        rows = selected(page)
    seconds = seconds[2:]
    number = re.findall(r"[\d,]+ of [\d,]+", rows)[0]
    value = f"{statistics.median(seconds):.2f} s, {p95(seconds):.2f} s"
    row("5", f"lasso around {number} points to the last linked view: median, p95", value, "1 s")
    page.context.close()
    server.stop()


def selected(page) -> str:
    """What the bar says is selected."""
    return page.locator(".st-key-selected p").first.inner_text()


def of_a_step(job: Job) -> float:
    """The seconds of a training step, from the first that the job reports to its last."""
    spent, began = 0.0, None
    while (record := job.snapshot()).active:
        if record.stage == "Training" and record.step:
            began = began or (time.perf_counter(), record.step)
            spent = (time.perf_counter() - began[0]) / max(1, record.step - began[1])
        time.sleep(0.05)
    return spent


def alive(_) -> None:
    """How much the small map beside the loss slows a training: the same one with and without it, in turns.

    Their folder is new: a training that an earlier measurement has saved would go on where it ended.
    """
    config, seconds = RunConfig(dataset="digits", fraction=0.05, steps=1500), ([], [])
    queue, looks = JobQueue(), training._Monitor._look

    def look(monitor, progress):
        monitor.onlooker = monitor.onlooker or True

    with tempfile.TemporaryDirectory() as runs, patch.dict(os.environ, BRIDGEVIZ_RUNS=runs):
        for turn in range(20):
            with patch.object(training._Monitor, "_look", looks if turn % 2 else look):
                job = Job(training.train(config.replace(seed=turn), Results()), queue).start()
                seconds[turn % 2].append(of_a_step(job))
    shares = [100 * (after / before - 1) for before, after in zip(*seconds, strict=True)][1:]
    value = f"{statistics.median(shares):+.1f}% ({min(shares):+.1f} to {max(shares):+.1f})"
    row("alive", "time of a training that shows where its points end, against one that does not", value, "+5%")


def crowds(browser) -> None:
    """Eight sessions at once."""
    for what, value, target in crowd.crowd(browser, tempfile.mkdtemp()):
        row("crowd", what, value, target)


def hours(browser) -> None:
    """An hour of use."""
    for what, value, target in crowd.hour(browser, tempfile.mkdtemp()):
        row("hour", what, value, target)


def frames(browser) -> None:
    """Target 6."""
    server = driver.Server("tests/browser/thousand.py")
    for query, what in (("", "marks"), ("?pictures", "pictures")):
        page = visit(browser, server.url + query)
        until(lambda: page.locator(CANVAS).count() and driver.drawn(page) > 3)  # noqa: B023
        first, began = driver.drawn(page), time.perf_counter()
        time.sleep(3)
        each = (time.perf_counter() - began) / (driver.drawn(page) - first)
        if not query:
            payload = int(re.findall(r"payload (\d+)", page.locator("body").inner_text())[0])
            row("6", "payload of 1,000 points x 21 frames, with thumbnails", f"{payload / 1e6:.2f} MB", "0.3 MB")
        row("6", f"a frame of 1,000 points drawn as {what}", f"{1000 * each:.0f} ms", "120 ms")
        page.context.close()
    server.stop()


def honesty(_) -> None:
    """Target 7."""
    gaps = [
        abs(badge["step_variation"] - badge["latent_step_variation"])
        for badge in (gallery.read(name).badge for name in gallery.PRESETS)
    ]
    row("7", "step variation, map against space: largest gap in the gallery", f"{max(gaps):.3f}", "0.05")


def responses(seconds: list[tuple[float, float]], when: str, target: str) -> None:
    """The rows of target 3."""
    seen, drawn = zip(*seconds, strict=True)
    for values, what in ((seen, "picture in view"), (drawn, "last picture of the page")):
        row(
            "3",
            f"widget to {what}, {when}: median, p95",
            f"{statistics.median(values):.2f} s, {p95(values):.2f} s",
            target,
        )


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


MEASURES = {
    "1": start, "2": trainings, "5": brushes, "6": frames, "7": honesty, "alive": alive, "crowd": crowds, "hour": hours,
}  # fmt: skip

if __name__ == "__main__":
    main({word for word in sys.argv[1:] if word != "--write"}, write="--write" in sys.argv)
