"""What only a real browser can show: pixels, motion, a training as it runs, no request that leaves this machine."""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import expect

from bridgeviz.experiments import gallery
from bridgeviz.ui.panels.player import page_of

from . import driver

pytestmark = [
    pytest.mark.browser,
    # Playwright's driver closes its own event loop.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PATIENCE = 60_000
RERUNS = """() => {
  window.reruns = 0;
  const app = document.querySelector("[data-testid=stApp]");
  new MutationObserver(() => { reruns += app.dataset.testScriptState === "running"; })
    .observe(app, {attributeFilter: ["data-test-script-state"]});
}"""
"""Counts how often the page runs from now on."""

HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""
"""What the page sees when the visitor turns to another tab, and comes back."""


def test_start_plays_by_itself_and_ends_elsewhere(visit):
    page = visit("/")
    driver.until(lambda: page.locator(driver.CANVAS).count() and driver.drawn(page) > 3)
    before = driver.drawn(page)
    time.sleep(0.5)
    assert driver.drawn(page) > before
    assert driver.at(page, 0.0) != driver.at(page, 1.0)
    assert driver.at(page, 1.0) == driver.at(page, 1.0)


def test_the_player_rests_when_nobody_sees_it_and_after_three_rounds(visit):
    page = visit("/")
    driver.until(lambda: page.locator(driver.CANVAS).count() and driver.drawn(page) > 3)
    page.locator(".st-key-play_tau_too_low").scroll_into_view_if_needed()
    time.sleep(0.3)
    before = driver.drawn(page)
    time.sleep(0.5)
    assert driver.drawn(page) == before
    page.locator(driver.CANVAS).scroll_into_view_if_needed()
    driver.until(lambda: driver.drawn(page) > before)
    page.evaluate(HIDE, True)
    time.sleep(0.3)
    before = driver.drawn(page)
    time.sleep(0.5)
    assert driver.drawn(page) == before
    page.evaluate(HIDE, False)
    driver.until(lambda: driver.drawn(page) > before)
    page.locator("select.bv-speed").select_option("2")
    expect(page.locator(".bv-play")).to_have_text("Play", timeout=30_000)
    before = driver.drawn(page)
    time.sleep(0.3)
    assert driver.drawn(page) == before


def test_reduced_motion_waits_for_the_visitor(visit):
    page = visit("/", reduced_motion="reduce")
    expect(page.locator(driver.CANVAS)).to_have_attribute("data-t", "1.000", timeout=PATIENCE)
    expect(page.locator(".bv-play")).to_have_text("Play")
    time.sleep(0.4)
    assert driver.drawn(page) == 0


def test_the_player_obeys_the_keyboard_and_points_to_the_same_point_in_both_spaces(visit):
    page = visit("/", reduced_motion="reduce")
    canvas = page.locator(driver.CANVAS)
    expect(canvas).to_have_attribute("data-t", "1.000", timeout=PATIENCE)
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    expect(canvas).to_have_attribute("data-t", "0.950")
    player = page.locator(".bv")
    x, y = player.evaluate("e => [...e.player.from_at.slice(0, 2)]")
    page.locator(".bv-source").hover(position={"x": x, "y": y})
    expect(page.locator(".bv-tip")).to_contain_text("true class")
    assert player.evaluate("e => e.player.hovered") is not None  # and so ringed in the target as well
    page.mouse.move(0, 0)
    expect(page.locator(".bv-tip")).to_be_hidden()


def test_train_shows_a_falling_loss_then_plays(visit):
    page = visit("/flow?steps=5000&dataset=blobs&percent=10")  # long enough to be watched on any machine
    driver.train(page)
    values, looks = set(), set()
    deadline = time.monotonic() + 150
    ends = page.locator(".st-key-ends .gtitle")
    metric = page.locator("[data-testid=stMetric]").filter(has_text="Loss").locator("[data-testid=stMetricValue]")
    while time.monotonic() < deadline and page.locator(driver.CANVAS).count() == 0:
        text = "".join(metric.all_inner_texts())  # empty once the training is over
        if re.match(r"\d", text):
            values.add((len(values), float(text)))
        looks |= set(ends.all_text_contents())
        time.sleep(0.1)
    expect(page.locator(driver.CANVAS)).to_be_visible(timeout=PATIENCE)
    losses = [value for _, value in sorted(values)]
    assert len(losses) > 1
    assert losses[-1] < losses[0]
    assert len(looks) > 1  # the ends of the test points move
    assert driver.at(page, 0.0) != driver.at(page, 1.0)
    expect(page.get_by_text("Flow: right on new points")).to_be_visible()
    page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
    page.evaluate(RERUNS)
    for name in ("Transported points", "Settings and numbers"):
        with page.expect_download(timeout=PATIENCE) as download:
            page.get_by_text(name).click()
        assert download.value.path().stat().st_size > 1000
    assert page.evaluate("reruns") == 0  # one would replace the file that the browser is asking for


def test_an_exported_animation_plays_by_itself_and_asks_for_nothing(browser, tmp_path):
    film = gallery.shipped(next(iter(gallery.PRESETS)))
    file = tmp_path / "animation.html"
    file.write_text(page_of(film, "two <b>models</b>"), encoding="utf-8")
    for scheme, ink in (("light", "#1b2733"), ("dark", "#e8edf2")):
        page, asked = browser.new_page(color_scheme=scheme), []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(file.as_uri())
        expect(page.locator("h1")).to_have_text("two <b>models</b>")
        driver.until(lambda page=page: driver.drawn(page) > 3)
        assert driver.at(page, 0.0) != driver.at(page, 1.0)
        assert asked == [file.as_uri()]
        assert page.evaluate("document.querySelector('.bv').player.ink") == ink
        page.close()


def test_cancel_stops_and_keeps_what_was_learned(visit):
    page = visit("/flow?steps=50000&dataset=blobs&percent=10")
    driver.train(page)
    page.locator(driver.LOSSES).wait_for(timeout=PATIENCE)
    page.locator(".st-key-cancel button").click()
    expect(page.locator(".st-key-train button")).to_be_enabled(timeout=10_000)
    expect(page.get_by_text("Cancelled.")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(driver.CANVAS)).to_be_visible(timeout=PATIENCE)


def test_a_paused_training_waits_and_a_crashed_one_is_resumed(browser, tmp_path):
    server = driver.Server(small=True, runs=str(tmp_path))
    try:
        page = driver.visit(browser, f"{server.url}/flow?steps=6000&batch_size=64&dataset=blobs&percent=10")
        driver.train(page)
        page.locator(driver.LOSSES).wait_for(timeout=PATIENCE)
        driver.until(lambda: any(tmp_path.glob("*/training/step-*")))
        page.locator(".st-key-pause button").click()
        expect(page.get_by_text(re.compile("Paused ·"))).to_be_visible(timeout=PATIENCE)
        page.locator(".st-key-resume button").click()
        expect(page.get_by_text(re.compile("Training ·"))).to_be_visible(timeout=PATIENCE)
        server.process.kill()
    finally:
        server.stop()
    server = driver.Server(small=True, runs=str(tmp_path))
    try:
        page = driver.visit(browser, f"{server.url}/flow")
        expect(page.get_by_text(re.compile("its first .* of 6,000 steps are saved"))).to_be_visible(timeout=PATIENCE)
        page.locator(".st-key-resume_run button").click()
        expect(page.locator(driver.CANVAS)).to_be_visible(timeout=2 * PATIENCE)
        expect(page.get_by_text("Saved runs (1)")).to_be_visible(timeout=PATIENCE)
        expect(page).to_have_url(re.compile("steps=6000"))
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("/flow?epsilon=-1", "epsilon=-1"),
        ("/flow?dataset=nope", "It must be one of: digits"),
        ("/data?percent=0.01&dataset=blobs", "fraction"),
    ],
)
def test_a_bad_link_gets_a_message_and_a_way_out(visit, link, message):
    page = visit(link)
    alert = page.locator("[data-testid=stAlert]")
    expect(alert.first).to_contain_text(message, timeout=PATIENCE)
    assert "Traceback" not in page.locator("body").inner_text()
    page.get_by_role("button", name="Reset settings").last.click()
    expect(alert.filter(has_text=message)).to_have_count(0, timeout=PATIENCE)


def agree(page, path, percent, *, cover=False, preset=None):
    """Wait until the link, the controls and the page say the same."""
    query = rf"\?(.*&)?percent={percent}(&.*)?$" if percent != "2" else r"(\?((?!percent).)*)?$"
    expect(page).to_have_url(re.compile(rf"/{path}{query}"), timeout=PATIENCE)
    assert ("cover=true" in page.url) == cover
    slider = page.locator(".st-key-percent input[type=range]")
    expect(slider).to_have_attribute("aria-valuetext", percent, timeout=PATIENCE)
    expect(page.locator(".st-key-cover input")).to_be_checked(checked=cover, timeout=PATIENCE)
    if preset:
        expect(page.get_by_text(re.compile(preset)).first).to_be_visible(timeout=PATIENCE)
    else:
        used = {"5": "30 of 600", "2": "27 of 1,347"}[percent]
        expect(page.get_by_text(f"{used} known pairs")).to_be_visible(timeout=PATIENCE)


def test_link_and_page_agree_wherever_the_visitor_goes(visit):
    page = visit("/data?dataset=blobs&percent=5&cost=knn", reduced_motion="reduce")
    agree(page, "data", "5")
    entries = page.evaluate("history.length")
    driver.to(page, "Pairs and cost")
    agree(page, "pairs_and_cost", "5")
    page.get_by_text("More settings").click()
    page.locator(".st-key-cover label").click()
    agree(page, "pairs_and_cost", "5", cover=True)
    page.locator(driver.IDLE).wait_for(
        timeout=PATIENCE
    )  # a control that changed in a run that ends early may fall back
    driver.to(page, "Start")
    agree(page, "", "5", cover=True, preset="It works: digits")
    driver.to(page, "Coupling")
    agree(page, "coupling", "5", cover=True)
    page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
    assert page.evaluate("history.length") == entries + 3  # one step back for each page
    page.go_back()
    agree(page, "", "5", cover=True, preset="It works: digits")
    page.go_back()
    agree(page, "pairs_and_cost", "5", cover=True)
    page.go_back()
    agree(page, "data", "5")
    page.reload()
    agree(page, "data", "5")
    page.go_forward()
    agree(page, "pairs_and_cost", "5", cover=True)
    page.go_forward()
    page.go_forward()  # before the page between is drawn
    agree(page, "coupling", "5", cover=True)


def test_start_leads_on_with_the_settings_of_its_preset(visit):
    page = visit("/", reduced_motion="reduce")
    agree(page, "", "2", preset="It works: digits")
    digits = driver.at(page, 1.0)
    page.get_by_role("button", name="Play: Classes overlap").click()
    agree(page, "", "5", preset="Where .* of a point's neighbours")
    expect(page.locator(driver.CANVAS)).to_be_in_viewport(ratio=1, timeout=PATIENCE)
    assert driver.at(page, 1.0) != digits
    page.get_by_role("button", name="Next: what are the two spaces?").click()
    agree(page, "data", "5")
    page.go_back()
    agree(page, "", "5", preset="Where .* of a point's neighbours")
    page.go_back()
    agree(page, "", "2", preset="It works: digits")
    page.get_by_role("button", name="Open these settings in Flow").click()
    agree(page, "flow", "2")


def test_own_data_stay_in_the_link_wherever_the_visitor_goes(visit):
    page = visit("/your_data", reduced_motion="reduce")
    page.get_by_role("button", name="Try it with example files").click(timeout=PATIENCE)
    page.get_by_role("button", name="Work with these data").click(timeout=PATIENCE)
    used = page.get_by_text("96 of 120 known pairs")
    expect(used).to_be_visible(timeout=PATIENCE)
    own = re.compile(r"\?(.*&)?own_data=[0-9a-f]{32}")
    expect(page).to_have_url(own, timeout=PATIENCE)
    driver.to(page, "Coupling")
    compared = 3 * PATIENCE  # own data begin with the cost "auto", which compares all costs first
    expect(page.get_by_text("By the plan, nearer than the partner")).to_be_visible(timeout=compared)
    expect(page).to_have_url(own, timeout=PATIENCE)
    page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
    page.go_back()
    expect(page.get_by_text("What are the two spaces?")).to_be_visible(timeout=PATIENCE)
    expect(used).to_be_visible(timeout=PATIENCE)
    expect(page).to_have_url(own, timeout=PATIENCE)
    page.reload()
    expect(used).to_be_visible(timeout=PATIENCE)
    expect(page).to_have_url(own, timeout=PATIENCE)
    driver.to(page, "Your data")
    page.get_by_role("button", name="Forget these data").click(timeout=PATIENCE)
    expect(page.get_by_text("What you need")).to_be_visible(timeout=PATIENCE)


def test_the_owner_of_saved_runs_stays_in_the_link(browser, monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    server = driver.Server(small=True)
    try:
        page = driver.visit(browser, f"{server.url}/?owner=ann", reduced_motion="reduce")
        entries = page.evaluate("history.length")
        page.get_by_role("button", name="Play: Classes overlap").click(timeout=PATIENCE)
        agree(page, "", "5", preset="Where .* of a point's neighbours")
        assert "owner=ann" in page.url
        driver.to(page, "Data")
        agree(page, "data", "5")
        page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
        assert "owner=ann" in page.url
        assert page.evaluate("history.length") == entries + 2
    finally:
        server.stop()


def test_a_link_to_a_page_without_training_keeps_the_settings_of_the_training(visit):
    page = visit("/data?dataset=blobs&steps=300&strategy=true&cost=knn&k=7")
    expect(page.get_by_text("12 of 600 known pairs")).to_be_visible(timeout=PATIENCE)
    driver.to(page, "Flow")
    expect(page.get_by_text("The 300 steps start within seconds")).to_be_visible(timeout=PATIENCE)
    page.locator(".st-key-strategy input").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("cost=knn.*k=7"), timeout=PATIENCE)


def test_a_click_on_a_map_picks_the_row_and_a_pair_is_added_and_undone(visit):
    page = visit("/pairs_and_cost?dataset=blobs&percent=2&cost=bridge")
    row = page.locator(".st-key-pick_source input")
    expect(row).to_be_visible(timeout=PATIENCE)
    before = row.input_value()
    marker = page.locator(".st-key-route .js-plotly-plot .points path").nth(40)
    marker.wait_for(timeout=PATIENCE)

    def picked() -> bool:
        marker.scroll_into_view_if_needed()  # each time, because the page above it may still grow
        page.wait_for_timeout(300)
        box = marker.bounding_box()
        page.mouse.move(box["x"] - 20, box["y"])
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
        page.wait_for_timeout(300)
        page.mouse.down()
        page.mouse.up()
        page.wait_for_timeout(700)  # two clicks in shorter succession would be a double click
        return row.input_value() != before

    driver.until(picked, seconds=20)
    added = f"{row.input_value()}:{page.locator('.st-key-pick_target input').input_value()}"
    page.locator(".st-key-edit_add button").click(timeout=PATIENCE)
    expect(page.get_by_text("1 pair added, 0 of 12 removed")).to_be_visible(timeout=PATIENCE)
    assert parse_qs(urlparse(page.url).query)["edits"] == [added]
    page.reload()
    expect(page.get_by_text("1 pair added, 0 of 12 removed")).to_be_visible(timeout=PATIENCE)
    page.locator(".st-key-edit_reset button").click()
    expect(page.locator(".st-key-edit_reset")).to_have_count(0, timeout=PATIENCE)
    driver.until(lambda: "edits" not in page.url)


def test_a_selection_is_seen_on_every_page_and_after_a_reload_until_it_is_cleared(visit):
    page = visit("/data?dataset=blobs&cost=bridge&percent=2", reduced_motion="reduce")
    selected = page.locator(".st-key-selected")
    unchanged = [page.locator(f".st-key-{key} .js-plotly-plot") for key in ("data_source", "overlap_source")]
    for chart in unchanged:
        chart.evaluate("e => { e.kept = true; }")
    driver.lasso(page, "data_source", 0.4, 0.3, 0.05, 0.08)
    expect(selected).to_contain_text("(brushed on the source map)", timeout=PATIENCE)
    text = selected.locator("p").first.inner_text()
    assert "select=source%3A" in page.url
    lit = "e => e._fullData?.filter(trace => trace.opacity === 1 && trace.customdata?.length).length || 0"
    driver.until(lambda: page.locator(".st-key-data_target .js-plotly-plot").evaluate(lit) > 0)
    page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
    assert all(chart.evaluate("e => e.kept") for chart in unchanged)  # the browser has not rebuilt them
    for title, its_own in (
        ("Pairs and cost", "Nearest to"),
        ("Coupling", "Where do the selected rows go?"),
        ("Flow", "Table of the selected"),
    ):
        driver.to(page, title)
        expect(page.get_by_text(its_own).first).to_be_visible(timeout=PATIENCE)
        expect(selected.locator("p").first).to_have_text(text, timeout=PATIENCE)
    page.reload()
    expect(selected.locator("p").first).to_contain_text("source rows", timeout=PATIENCE)
    driver.to(page, "Data")
    chart = page.locator(".st-key-data_source .js-plotly-plot")
    driver.until(lambda: chart.evaluate(lit) > 0)
    page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
    page.wait_for_timeout(500)
    box = page.locator(".st-key-data_source .nsewdrag").first.bounding_box()
    page.mouse.dblclick(box["x"] + 30, box["y"] + 30)
    expect(selected).to_contain_text("Nothing is selected", timeout=PATIENCE)
    driver.until(lambda: "select=" not in page.url)


def test_a_lasso_on_the_maps_of_pairs_and_of_lines_selects_and_is_drawn_in_their_own_way(visit):
    page = visit("/pairs_and_cost?dataset=blobs&cost=bridge&percent=2", reduced_motion="reduce")
    selected = page.locator(".st-key-selected")
    for chart, side, x in (("route", "source", 0.02), ("lines", "target", 0.55)):
        if chart == "lines":
            driver.to(page, "Coupling")
        tool = page.locator(f".st-key-{chart} [data-title='Lasso Select']").first
        tool.wait_for(state="attached", timeout=PATIENCE)
        page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
        tool.evaluate("e => e.click()")
        driver.lasso(page, chart, x, 0.1, 0.4, 0.8)
        expect(selected).to_contain_text(f"(brushed on the {side} map)", timeout=PATIENCE)
        drawn = page.locator(f".st-key-{chart} .js-plotly-plot").first  # a page being drawn may hold the one before too
        driver.until(lambda drawn=drawn: drawn.evaluate("e => e.layout ? (e.layout.selections || []).length : -1") == 0)
        says = "Nearest to" if chart == "route" else "Only what reaches the selected rows"
        expect(page.get_by_text(says).first).to_be_visible(timeout=PATIENCE)
        page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
        before = selected.inner_text()
        driver.lasso(page, chart, x, 0.1, 0.4, 0.4)  # the tool stays in the visitor's hand
        driver.until(lambda before=before: selected.inner_text() != before)


def test_what_is_brushed_on_one_map_is_forgotten_by_it_when_another_is_brushed(visit):
    page = visit("/data?dataset=blobs", reduced_motion="reduce")
    selected, brushed = page.locator(".st-key-selected"), "e => e.layout ? (e.layout.selections || []).length : -1"
    driver.lasso(page, "data_source", 0.4, 0.3, 0.1, 0.15)
    expect(selected).to_contain_text("source rows", timeout=PATIENCE)
    source, target = (page.locator(f".st-key-data_{side} .js-plotly-plot").first for side in ("source", "target"))
    driver.until(lambda: source.evaluate(brushed) == 1)
    driver.lasso(page, "data_target", 0.3, 0.3, 0.15, 0.3)
    expect(selected).to_contain_text("target rows", timeout=PATIENCE)
    driver.until(lambda: source.evaluate(brushed) == 0)
    driver.until(lambda: target.evaluate(brushed) == 1)
    page.locator(".st-key-select_clear button").click()
    expect(selected).to_contain_text("Nothing is selected", timeout=PATIENCE)
    driver.until(lambda: target.evaluate(brushed) == 0)


def test_a_lesson_is_led_by_the_arrow_keys_and_back(visit):
    page = visit("/lessons?lesson=overlap&step=1&present=true")
    expect(page.get_by_text("Step 1 of 3")).to_be_visible(timeout=PATIENCE)
    page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
    assert not page.locator("[data-testid=stSidebar]").is_visible()
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".st-key-bet .js-plotly-plot")).to_be_visible(timeout=PATIENCE)
    page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Step 2 of 3")).to_be_visible(timeout=PATIENCE)
    assert parse_qs(urlparse(page.url).query)["step"] == ["2"]
    page.go_back()
    expect(page.get_by_text("Step 1 of 3")).to_be_visible(timeout=PATIENCE)
    page.locator(".st-key-lesson_present button").first.click()
    expect(page.locator("[data-testid=stSidebar]")).to_be_visible(timeout=PATIENCE)


def test_two_runs_are_compared_on_one_clock(visit):
    page = visit("/compare?dataset=blobs&cost=bridge&steps=40&percent=2&batch_size=64", reduced_motion="reduce")
    page.get_by_role("button", name="Train now").click(timeout=PATIENCE)
    page.get_by_role("button", name="twice the pairs").click(timeout=PATIENCE)
    expect(page.get_by_text("Which points changed sides?")).to_be_visible(timeout=PATIENCE)
    page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
    expect(page.get_by_text("1 setting differs")).to_be_visible()
    expect(page.locator(driver.CANVAS)).to_have_count(2, timeout=PATIENCE)
    before, after = page.locator(driver.CANVAS).all()
    expect(before).to_have_attribute("data-t", "1.000", timeout=PATIENCE)
    after.focus()
    page.keyboard.press("ArrowLeft")
    expect(after).to_have_attribute("data-t", "0.950")
    expect(before).to_have_attribute("data-t", "0.950")
    before.focus()
    page.keyboard.press("ArrowLeft")
    expect(after).to_have_attribute("data-t", "0.900")
    page.get_by_role("button", name="Select ...").click()
    page.get_by_role("button", name=re.compile(r"^Wrong in both|^Won|^Lost")).first.click()
    expect(page.locator(".st-key-selected")).to_contain_text("test point", timeout=PATIENCE)
    for badge in page.locator(".bv-score").all():
        expect(badge).to_contain_text("selected point", timeout=PATIENCE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_reads_in_both_themes(visit, scheme):
    page = visit("/", color_scheme=scheme, reduced_motion="reduce")
    badge = page.locator(".bv-badge")
    expect(badge).to_contain_text("PCA of the target space", timeout=PATIENCE)
    ink, ground = badge.evaluate(
        "e => [getComputedStyle(e).color, getComputedStyle(document.querySelector('.stApp')).backgroundColor]"
    )
    light = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, ground)]
    assert abs(light[0] - light[1]) > 380
