"""The pages in a browser without network: no errors, no sideways scrolling on a phone, accessible, light."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import axe_playwright_python
import pytest

from tests.book.site_checks import all_pages
from tests.book.small_book import ROOT

pytestmark = [pytest.mark.site, pytest.mark.browser]
Page = Any  # Playwright is imported only where a browser is found

DESK, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}
MAX_BYTES = 350_000  # of a page with all that it loads, compressed
COMPRESSED = {".woff2", ".png", ".jpg"}
SETTLE_MS = 300
SAMPLE = "book/sample.html"
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
# KaTeX hides its drawing of a formula from screen readers; an empty box of its size in its place makes axe twice as fast.
BOXES = """() => [...document.querySelectorAll('.katex-html')].map(e => [e, e.getBoundingClientRect()]).forEach(([e, r]) => {
    e.replaceChildren(); e.style.cssText = `display: inline-block; width: ${r.width}px; height: ${r.height}px`; })"""
# Axe takes a table's header that is a formula for empty, since it reads no MathML: test_site looks for empty ones.
# Colours are half of its work, and depend on the mode alone; nothing else depends on the mode.
RULES = {
    "all": "rules: {'empty-table-header': {enabled: false}}",
    "colours": "runOnly: ['color-contrast']",
    "but colours": "rules: {'empty-table-header': {enabled: false}, 'color-contrast': {enabled: false}}",
}

SITE = ROOT / "_build" / "html"
BOOK_PAGES = [("book", str(path.relative_to(SITE))) for path in all_pages(SITE) if path != SITE / "index.html"]
PAGES = [*BOOK_PAGES, *(("small", f"book/{name}.html") for name in ("index", "sample", "live", "back"))]
each_page = pytest.mark.parametrize(("site", "path"), PAGES, ids=[f"{site}:{path}" for site, path in PAGES])


class Visit:
    """One page, opened with the network cut off, and what happened meanwhile."""

    def __init__(self, chromium: Any, address: str, viewport: dict[str, int], scheme: str, scripts: bool = True):
        self.faults: list[str] = []
        self.loaded: dict[str, int] = {}
        self.host = urlsplit(address).netloc
        self.context = chromium.new_context(
            viewport=viewport, color_scheme=scheme, java_script_enabled=scripts, reduced_motion="reduce"
        )
        self.context.route("**/*", self.allow_own_host)
        self.page = self.context.new_page()
        self.page.on("console", self.note_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        self.page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url}"))
        self.page.on("response", self.weigh)
        self.page.goto(address, wait_until="load")
        self.page.wait_for_timeout(SETTLE_MS)

    def allow_own_host(self, route: Any) -> None:
        if urlsplit(route.request.url).netloc == self.host:
            route.continue_()
        else:
            route.abort()

    def note_console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"console: {message.text}")

    def weigh(self, response: Any) -> None:
        if not response.ok:
            self.faults.append(f"{response.status}: {response.url}")
            return
        body, suffix = response.body(), Path(urlsplit(response.url).path).suffix
        self.loaded[response.url] = len(body) if suffix in COMPRESSED else len(gzip.compress(body))

    def violations(self, rules: str = "all") -> list[str]:
        """What axe-core finds, with the element."""
        self.page.evaluate(BOXES)
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        run = f"() => axe.run({{exclude: ['.katex-html']}}, {{resultTypes: ['violations'], {RULES[rules]}}})"
        found = self.page.evaluate(f"{run}.then(result => result.violations)")
        return [f"{rule['id']}: {node['target']} {node['html'][:120]}" for rule in found for node in rule["nodes"]]

    def show_mode(self, mode: str) -> None:
        self.page.evaluate(f"document.documentElement.dataset.theme = {json.dumps(mode)}")


@pytest.fixture
def visit(chromium: Any, addresses: dict[str, str]) -> Iterator[Any]:
    visits: list[Visit] = []

    def open_page(site: str, path: str, viewport: Any = None, scheme: str = "light", scripts: bool = True) -> Visit:
        visits.append(Visit(chromium, f"{addresses[site]}/{path}", viewport or DESK, scheme, scripts))
        return visits[-1]

    yield open_page
    for opened in visits:
        opened.context.close()


@each_page
def test_page_has_no_errors_weighs_little_and_is_accessible(site: str, path: str, visit: Any) -> None:
    opened = visit(site, path)
    errors = list(opened.faults)  # before axe, which loads things of its own
    total = sum(opened.loaded.values())
    heaviest = sorted(opened.loaded.items(), key=lambda item: -item[1])[:8]
    assert total < MAX_BYTES, f"{total} bytes: {heaviest}"
    light = opened.violations()
    opened.show_mode("dark")
    assert {"light": light, "dark": opened.violations("colours"), "errors": errors} == {
        "light": [],
        "dark": [],
        "errors": [],
    }


@each_page
def test_page_fits_a_phone(site: str, path: str, visit: Any) -> None:
    opened = visit(site, path, viewport=PHONE)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert opened.violations("all" if site == "small" else "but colours") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_follows_the_colour_scheme_of_the_system(scheme: str, visit: Any) -> None:
    assert visit("small", SAMPLE, scheme=scheme).page.evaluate("document.documentElement.dataset.theme") == scheme


def test_quiz_explains_an_option_by_keyboard(visit: Any) -> None:
    page = visit("small", SAMPLE).page
    option = page.locator(".fo-option").nth(1)
    assert not option.locator(".fo-why").is_visible()
    option.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert option.locator(".fo-why").is_visible()
    assert option.get_by_role("button").get_attribute("aria-expanded") == "true"
    assert option.locator(".fo-why").inner_text().startswith("Not quite. No. It would")


def test_answers_are_remembered_in_this_browser_until_forgotten(visit: Any) -> None:
    opened, faults = visit("small", SAMPLE), []
    page, quiz = opened.context.new_page(), ".fo-quiz .fo-option.fo-right"  # a page that may leave its first address
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(opened.page.url)
    line = page.locator(".fo-progress")
    tick = page.locator(".bd-links a.fo-solved")
    assert not line.is_visible()
    page.locator(f"{quiz} .fo-choice").click()
    assert line.inner_text().startswith("1 of 1 questions answered")
    assert tick.count() == 1
    page.reload()
    assert page.locator(f"{quiz} .fo-why").is_visible()
    page.goto(page.url.replace("sample", "back"))
    assert [link.get_attribute("href") for link in tick.all()] == ["sample.html"]
    page.goto(page.url.replace("back", "sample"))
    page.get_by_role("button", name="Forget").click()
    assert not line.is_visible()
    assert tick.count() == 0
    assert page.evaluate("localStorage.getItem('fo-progress')") == "{}"
    page.evaluate("localStorage.setItem('fo-progress', 'not ours')")
    page.reload()
    page.locator(f"{quiz} .fo-choice").click()
    assert line.is_visible()
    assert faults == []
    opened.page.locator(f"{quiz} .fo-choice").click()
    assert opened.page.locator(".fo-progress").is_visible()
    assert opened.violations() == []


def test_everything_can_be_read_without_script(visit: Any) -> None:
    page = visit("small", SAMPLE, scripts=False).page
    assert all(why.is_visible() for why in page.locator(".fo-why").all())
    assert page.locator("svg.fo-svg").is_visible()
    page.locator("details.fo-proof > summary").click()
    assert page.locator("details.fo-proof .fo-inside").is_visible()


def test_everything_is_printed(visit: Any) -> None:
    page = visit("small", SAMPLE).page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    hidden = [
        part.evaluate("element => element.outerHTML.slice(0, 80)")
        for part in page.locator(".fo-why, .fo-inside, details .cell_input, .sd-tab-content").all()
        if not part.is_visible()
    ]
    assert hidden == []
    assert not page.locator(".bd-sidebar-primary").is_visible()


def test_pointing_at_a_reference_previews_it(visit: Any) -> None:
    opened = visit("small", SAMPLE)
    page = opened.page
    assert not any("tippy" in address for address in opened.loaded)  # only a reader who points needs it
    for target, words in [
        ("thm-rate", "Rate on quadratics"),
        ("alg-descent", "Input"),
        ("term-condition-number", "ratio"),
    ]:
        link = page.locator(f"article p a[href$='#{target}']").first
        link.scroll_into_view_if_needed()
        link.hover()
        page.locator(".tippy-content").wait_for(timeout=5000)
        assert words in page.locator(".tippy-content").last.inner_text()
        page.mouse.move(5, 5)
        page.locator(".tippy-content").wait_for(state="detached", timeout=5000)


def test_figures_follow_the_colours_of_the_page(visit: Any) -> None:
    opened = visit("small", SAMPLE)
    colour = "element => getComputedStyle(element).fill"
    text = opened.page.locator("svg.fo-svg text").first
    light = text.evaluate(colour)
    opened.show_mode("dark")
    assert text.evaluate(colour) != light
    assert "Source Sans 3" in text.evaluate("element => getComputedStyle(element).fontFamily")


def test_what_scrolls_is_reached_by_keyboard(visit: Any) -> None:
    page = visit("small", SAMPLE, viewport=PHONE).page
    scrolling = "e => e.scrollWidth > e.clientWidth && e.checkVisibility()"
    boxes = [box for box in page.locator(".bd-article pre").all() if box.evaluate(scrolling)]
    assert boxes
    assert all(box.get_attribute("tabindex") == "0" for box in boxes)


@pytest.mark.parametrize(
    ("rules", "found"),
    [("all", {"color-contrast", "image-alt"}), ("colours", {"color-contrast"}), ("but colours", {"image-alt"})],
)
def test_axe_finds_planted_faults(rules: str, found: set[str], visit: Any) -> None:
    opened = visit("small", SAMPLE)
    faults = "<img src='data:,'><p style='background: white; color: #bbb'>pale</p>"
    opened.page.evaluate(f"document.querySelector('article').insertAdjacentHTML('beforeend', {json.dumps(faults)})")
    assert {fault.partition(":")[0] for fault in opened.violations(rules)} == found


def test_a_page_runs_and_loads_nothing_that_it_was_not_built_with(visit: Any) -> None:
    page = visit("small", SAMPLE).page
    planted = """() => new Promise(resolve => {
        const refused = [];
        document.addEventListener('securitypolicyviolation', event => {
            if (refused.push(event.effectiveDirective) === 3) resolve(refused.sort());
        });
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        const [far, image] = [document.createElement('script'), document.createElement('img')];
        far.src = 'https://example.org/x.js';
        image.src = 'https://example.org/x.png';
        document.body.append(script, far, image);
    })"""
    assert page.evaluate(planted) == ["img-src", "script-src-elem", "script-src-elem"]
    assert not page.evaluate("'ran' in window")


def test_search_finds_words_of_the_text(visit: Any) -> None:
    page = visit("small", "search.html?q=contraction").page
    found = page.locator("#search-results li a").first
    found.wait_for(timeout=5000)
    assert found.get_attribute("href").startswith("book/sample.html")
