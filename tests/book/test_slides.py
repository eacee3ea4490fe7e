"""Slides of a chapter: each thing to look at once, the text in the notes, and a show that runs without network."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import lxml.html
import pytest

from tools import make_slides

pytestmark = pytest.mark.site


@pytest.fixture
def slides(sites: dict[str, Path], tmp_path: Path) -> Path:
    site = tmp_path / "site"
    shutil.copytree(sites["small"], site)
    return make_slides.make(site / "book" / "sample.html")


def test_every_exhibit_has_one_slide(slides: Path) -> None:
    page = lxml.html.parse(str(slides)).getroot()
    for name in ("thm-rate", "lem-descent", "alg-descent", "fig-decrease", "tab-steps", "ex-best"):
        found = page.xpath(f"//*[@id='{name}']")
        assert len(found) == 1, name
        (slide,) = found[0].xpath("ancestor::section[div/@class = 'bd-article']")
        assert len(slide.xpath("./div/*[self::h1 or self::h2 or self::h3]")) == 1
    stacks = page.xpath("//div[@class='slides']/section")
    assert [stack.xpath("string(section[1]//h1 | section[1]//h2)") for stack in stacks][:2] == [
        "Gradient descent",
        "The idea",
    ]
    assert page.xpath("//details[contains(@class, 'fo-proof')] | //details[contains(@class, 'fo-solution')]") == []


def test_the_text_between_is_told_and_only_short_text_is_shown(slides: Path) -> None:
    page = lxml.html.parse(str(slides)).getroot()
    opening = "Gradient descent on an ill-conditioned bowl"
    assert opening in page.xpath("string(//aside[@class='notes'])")
    shown = page.xpath("//div[@class='bd-article']/p")
    assert shown
    assert all(len(text.text_content()) <= make_slides.SHORT for text in shown)


@pytest.mark.browser
def test_the_show_runs_without_network(slides: Path, chromium: Any) -> None:
    context = chromium.new_context(offline=True)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(request.url))
    page.goto(slides.as_uri())
    page.wait_for_function("Reveal.isReady()")
    assert page.locator("section.present .bd-article h1").inner_text() == "Gradient descent"
    page.keyboard.press("ArrowRight")
    assert page.evaluate("Reveal.getIndices().h") == 1
    page.evaluate("Reveal.slide(Reveal.getTotalSlides(), 0)")
    last = page.locator(".fo-quiz .fo-option button").first
    page.evaluate(
        "Reveal.slide(...Object.values(Reveal.getIndices(document.querySelector('.fo-quiz').closest('section'))))"
    )
    last.click()
    assert page.locator(".fo-quiz .fo-option .fo-why").first.is_visible()
    assert faults == []
    context.close()
