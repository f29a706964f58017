"""What is drawn can be read: nothing is cut or printed over, down to 640 pixels, in both themes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from bridgeviz.viz.palette import contrast

from . import driver

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PATIENCE = 60_000
PAGES = {
    "coupling?dataset=digits&percent=2&cost=bridge": "What does each target class receive?",
    "pairs_and_cost?dataset=blobs&percent=5&cost=bridge": "Does the cost tell classes apart?",
}

CUT = """() => [...document.querySelectorAll('[data-testid=stMetric] p')]
    .filter(e => e.scrollWidth > e.clientWidth + 1 || e.parentElement.scrollWidth > e.parentElement.clientWidth + 1)
    .map(e => e.textContent)"""
OVERPRINTED = """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap(chart => {
    const texts = [...chart.querySelectorAll(
        '.infolayer text, .xtick text, .ytick text, .textpoint text, .bartext, .annotation text')]
        .filter(e => e.textContent.trim() && !e.closest('.hoverlayer'))
        .map(e => [e.textContent, e.getBoundingClientRect()]).filter(([_, b]) => b.width);
    const both = [];
    texts.forEach(([a, p], i) => texts.slice(i + 1).forEach(([b, q]) => {
        const w = Math.min(p.right, q.right) - Math.max(p.left, q.left);
        const h = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
        if (w > 2 && h > 3) both.push(`${a} | ${b}`);
    }));
    return both;
})"""
NARROWEST = "() => Math.min(...[...document.querySelectorAll('.js-plotly-plot')].map(e => e.clientWidth))"
INKS = """() => [...document.querySelectorAll('.js-plotly-plot .xtick text, .js-plotly-plot .gtitle, ' +
    '.js-plotly-plot .legendtext, .js-plotly-plot .xtitle, [data-testid=stCaptionContainer] p')].map(e => {
    let opacity = 1;
    for (let at = e; at && at.nodeType === 1; at = at.parentElement) opacity *= getComputedStyle(at).opacity;
    const style = getComputedStyle(e), ink = e instanceof SVGElement ? style.fill : style.color;
    return [e.textContent, ...ink.match(/[\\d.]+/g).slice(0, 3).map(Number), opacity];
})"""
GROUND = "() => getComputedStyle(document.querySelector('.stApp')).backgroundColor.match(/[\\d.]+/g).map(Number)"


@pytest.mark.parametrize(("link", "last"), PAGES.items())
def test_nothing_is_cut_or_printed_over_and_everything_is_legible(visit, link, last):
    page = visit(f"/{link}", reduced_motion="reduce", color_scheme="light")
    expect(page.get_by_text(last)).to_be_visible(timeout=PATIENCE)
    for width in (1440, 820, 640):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(1500)
        page.locator(driver.IDLE).wait_for(timeout=PATIENCE)
        assert page.evaluate(CUT) == []
        assert page.evaluate(OVERPRINTED) == []
        assert page.evaluate(NARROWEST) >= 300
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(1000)
        ground = page.evaluate(GROUND)[:3]
        for text, *ink, opacity in page.evaluate(INKS):
            seen = [opacity * a + (1 - opacity) * b for a, b in zip(ink, ground, strict=True)]
            assert contrast(seen, ground) >= 4.5, (scheme, text)


PLAYED = """e => {
    const p = e.player, c = p.canvas, ratio = c.width / c.clientWidth;
    const [a, b, d] = [p.place(0, 0), p.place(1000, 0), p.place(0, 1000)];
    const seen = [...p.targetLabels].map((_, k) => p.place(p.targets[2 * k], p.targets[2 * k + 1]))
        .filter(([x, y]) => x > 0 && y > 0 && x < c.clientWidth && y < c.clientHeight)
        .map(([x, y]) => p.context.getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data[3]);
    return {across: b[0] - a[0], up: a[1] - d[1], seen: seen.length, drawn: seen.filter(v => v > 40).length};
}"""


def test_the_player_draws_the_target_and_has_one_scale_for_both_axes(visit):
    page = visit("/?preset=classes_overlap", reduced_motion="reduce")
    expect(page.locator(driver.CANVAS)).to_have_attribute("data-t", "1.000", timeout=PATIENCE)
    driver.at(page, 0.0)
    found = page.locator(".bv").evaluate(PLAYED)
    assert found["across"] == pytest.approx(found["up"], rel=1e-3)
    assert found["seen"] > 300
    assert found["drawn"] > 0.95 * found["seen"]
