"""Live figures on the small book's page: drawn without script, moved by keyboard, mouse and finger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.book.live_page import PAGE, Figure
from tests.book.site_checks import parse
from tests.book.small_book import ROOT

pytestmark = [pytest.mark.site, pytest.mark.browser]

SCRIPTS = ROOT / "book" / "assets" / "js" / "live"
FIGURES = sorted(path.stem for path in (SCRIPTS / "figures").glob("*.js"))
PHONE = {"width": 390, "height": 844}
each_figure = pytest.mark.parametrize("name", FIGURES)


def test_there_are_ten_figures_or_more_and_each_is_in_a_chapter() -> None:
    chapters = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "book").rglob("*.md"))
    assert len(FIGURES) >= 10
    assert sorted(re.findall(r"```\{live\} (\S+)", chapters)) == FIGURES


def test_a_page_loads_the_scripts_of_its_own_figures_only(sites: dict[str, Path]) -> None:
    pages = {"small": ["book/sample.html", PAGE], "book": ["book/acceleration/momentum.html", "book/notation.html"]}
    for site, path in ((site, path) for site, paths in pages.items() for path in paths):
        page = parse(sites[site] / path)
        loaded = [src for src in page.xpath("//script/@src") if "js/live/figures/" in src]
        wanted = page.xpath("//fo-live/@figure")
        assert sorted(re.findall(r"figures/([\w-]+)\.js", " ".join(loaded))) == sorted(wanted), path
        assert bool(wanted) == bool(page.xpath("//script[contains(@src, 'js/live/element.js')]")), path
        assert bool(wanted) == bool(page.xpath("//link[contains(@href, 'css/live.css')]")), path


def test_without_script_there_are_pictures_with_their_numbers_and_nothing_to_move(
    chromium: Any, small_address: str
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{small_address}/{PAGE}")
    for element in page.locator("fo-live").all():
        assert all(box.is_visible() for box in element.locator(".live-panel > svg").all())
        assert all(words.is_visible() and words.inner_text() for words in element.locator("dd, .live-said").all())
        assert len(element.locator(".live-panel > svg path").all()) > 5
        assert not any(part.is_visible() for part in element.locator("input, button, output, .live-handle").all())
        assert element.locator(".live-controls").bounding_box() is None  # and no gap where it would be
    assert len(page.locator("fo-live").all()) == len(FIGURES)
    context.close()


def test_where_a_script_is_missing_there_is_nothing_to_move(chromium: Any, small_address: str) -> None:
    page = chromium.new_page()
    page.route("**/live/element.js*", lambda route: route.abort())
    page.goto(f"{small_address}/{PAGE}", wait_until="load")
    assert page.locator("fo-live .live-panel > svg").first.is_visible()
    assert not any(part.is_visible() for part in page.locator("fo-live :is(input, button, .live-handle)").all())
    page.close()


@each_figure
def test_what_the_build_drew_is_what_the_browser_draws(name: str, figure: Figure, fixture_site: Path) -> None:
    built = parse(fixture_site / PAGE).xpath(f"//fo-live[@figure='{name}']")[0]
    paths = [path.get("d") for path in built.iter("path")]
    drawn = figure.element.evaluate("e => [...e.querySelectorAll('svg path')].map(path => path.getAttribute('d'))")
    assert paths == drawn
    assert [words.text_content() for words in built.iter("dd")] == figure.read()


@each_figure
def test_every_slider_moves_the_figure_by_keyboard(name: str, figure: Figure) -> None:
    for slider in figure.element.locator("input").all():
        control, before = slider.get_attribute("name"), figure.state()
        only_read = (name, control) == ("workers", "samples")  # the length of an epoch is a number below the drawing
        look = figure.read if only_read else figure.drawn
        looked = look()
        at_end = float(slider.input_value()) == float(slider.get_attribute("max"))
        shown = slider.locator("xpath=following-sibling::output")
        words, spoken = shown.inner_text(), slider.get_attribute("aria-valuetext")
        slider.focus()
        figure.page.keyboard.press("ArrowLeft" if at_end else "ArrowRight")
        assert {key for key, value in figure.state().items() if value != before[key]} == {control}
        figure.page.keyboard.press("Home" if at_end else "End")
        assert look() != looked
        assert shown.inner_text() != words
        assert slider.get_attribute("aria-valuetext") != spoken
        figure.press("Reset")


@each_figure
def test_the_start_is_dragged_and_moved_by_arrow_keys(name: str, figure: Figure) -> None:
    if not figure.handle.count():
        assert name in {"schedules", "delay", "workers", "shuffle-buffer"}  # they have no start
        return
    box, panel = figure.handle.bounding_box(), figure.element.locator(".live-panel").first.bounding_box()
    before, drawn = figure.state(), figure.drawn()
    assert min(box["width"], box["height"]) >= 44
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    inwards = 40 if x < panel["x"] + panel["width"] / 2 else -40
    figure.page.mouse.move(x, y)
    figure.page.mouse.down()
    figure.page.mouse.move(x + inwards / 2, y, steps=2)
    figure.page.mouse.move(x + inwards, y, steps=2)
    figure.page.mouse.up()
    dragged = figure.state()
    assert dragged != before
    assert figure.drawn() != drawn
    assert figure.handle.bounding_box()["x"] == pytest.approx(box["x"] + inwards, abs=1)
    figure.page.mouse.move(x + inwards + 8, y)  # still over the handle
    assert figure.state() == dragged  # it has been let go
    valued = figure.handle.get_attribute("aria-valuetext")
    figure.handle.focus()
    figure.page.keyboard.press("ArrowRight")
    assert figure.state() != dragged
    assert figure.handle.get_attribute("aria-valuetext") != valued


@each_figure
def test_presets_set_exact_values(name: str, figure: Figure) -> None:
    count = figure.page.evaluate("name => fo.figures[name].presets.length", name)
    for i in range(count):
        figure.press("Reset")
        wanted = figure.element.evaluate("(e, i) => ({...e.state, ...e.figure.presets[i][1](e.state)})", i)
        figure.element.locator(".live-presets button").nth(i).click()
        assert figure.state() == wanted
    figure.press("Reset")
    assert figure.state() == figure.page.evaluate("name => fo.figures[name].initial", name)


@each_figure
def test_whatever_is_set_the_drawing_is_sound_and_stays_in_its_frame(name: str, figure: Figure) -> None:
    """Every corner of the controls, with every preset: no NaN, nothing empty, no coordinate beyond the clamp.

    Of up to five controls also the middles; with seven those would be 17,000 pictures and a minute.
    """
    shows = figure.element.evaluate("""element => {
      const { figure } = element, starts = [figure.initial, ...figure.presets.map(([, set]) => ({...figure.initial, ...set(figure.initial)}))];
      const ends = (s, c) => [{...s, [c.name]: c.min}, {...s, [c.name]: c.max}];
      const middle = figure.controls.length > 5 ? [] : [1];
      const corners = figure.controls.reduce((all, c) => all.flatMap(s => [...middle.map(() => s), ...ends(s, c)]), starts);
      return [...starts, ...corners].map(state => {
        const { panels, readouts, said } = figure.show(state);
        return { svg: panels.map(p => p.outside + p.inside.join('')).join(), words: readouts.flat().join(' ') + said, count: panels.length };
      });
    }""")
    for show in shows:
        assert not re.search(r"NaN|undefined|Infinity|null", show["svg"] + show["words"])
        assert max(abs(float(x)) for x in re.findall(r"-?\d+\.?\d*(?=[,LM ])", show["svg"])) <= 8000
        assert show["words"]
    assert {show["count"] for show in shows} == {len(figure.element.locator(".live-panel").all())}
    clipped = "e => [...e.querySelectorAll('svg svg')].every(svg => getComputedStyle(svg).overflow === 'hidden')"
    assert figure.element.evaluate(clipped)


@pytest.fixture(scope="module")
def phone(chromium: Any, small_address: str) -> Iterator[Any]:
    context = chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{small_address}/{PAGE}", wait_until="load")
    yield page
    context.close()


@each_figure
def test_a_finger_can_do_all_of_it(name: str, phone: Any) -> None:
    figure = Figure(phone, name)
    small = [part for part in figure.element.locator("button, input").all() if part.bounding_box()["height"] < 44]
    assert small == []
    before = figure.state()
    figure.element.locator(".live-presets button:nth-last-child(2)").tap()
    assert figure.state() != before
    if figure.handle.count():
        figure.handle.scroll_into_view_if_needed()
        box, scrolled, moved = figure.handle.bounding_box(), phone.evaluate("scrollY"), figure.state()
        x, y = box["x"] + 22, box["y"] + 22
        inwards = 25 if x < PHONE["width"] / 2 else -25
        touch = phone.context.new_cdp_session(phone)
        # Downwards, as a page would scroll, and held at the end: a finger that lets go in motion flings the page.
        for kind, k in [("Start", 0), ("Move", 1), ("Move", 2), ("Move", 3), ("Move", 3), ("End", None)]:
            touches = [] if k is None else [{"x": x + k * inwards, "y": y + 20 * k}]
            touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": touches})
            phone.wait_for_timeout(60)
        assert figure.state() != moved
        assert phone.evaluate("scrollY") == scrolled


@each_figure
def test_on_a_phone_the_controls_are_in_sight_below_every_panel(name: str, phone: Any) -> None:
    figure = Figure(phone, name)
    for panel in figure.element.locator(".live-panel").all():
        panel.evaluate("e => e.scrollIntoView({block: 'start'})")
        seen, controls = panel.bounding_box(), figure.element.locator(".live-controls").bounding_box()
        assert seen["y"] + seen["height"] <= controls["y"]
        assert controls["y"] + controls["height"] <= PHONE["height"]


@each_figure
def test_colours_follow_the_page_and_paper_shows_no_controls(name: str, figure: Figure) -> None:
    page, colours = (
        figure.page,
        "e => ['text', '.live-1, .live-3'].map(part => e.querySelector(part)).map(part => [getComputedStyle(part).fill, getComputedStyle(part).stroke])",
    )
    light = figure.element.evaluate(colours)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    dark = figure.element.evaluate(colours)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert light[0] != dark[0]
    assert light[1] != dark[1]
    page.emulate_media(media="print")
    assert not any(part.is_visible() for part in figure.element.locator("input, button, .live-handle").all())
    assert all(svg.is_visible() for svg in figure.element.locator(".live-panel > svg").all())
    page.emulate_media(media="screen")
