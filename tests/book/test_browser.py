"""What a page does in a browser: quizzes, previews, search, print, colours, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.book.visit import PHONE

pytestmark = [pytest.mark.site, pytest.mark.browser]

SAMPLE = "book/sample.html"


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
    assert not any("tippy" in address for address in opened.weights())  # only a reader who points needs it
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
    pale = "<p style='background: white; color: #bbb'>pale</p>"
    faults = f"<img src='data:,'><div hidden>{pale}</div>{pale}"  # a text out of sight does not vouch for its like
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
