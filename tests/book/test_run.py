"""Code in the browser: a chapter from end to end, and each thing that a reader may do with a cell."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.book.conftest import QuietHandler
from tests.book.run_site import CELLS, LOAD_MS, RunVisit, build_run_site, distribution, stored
from tests.book.small_book import ROOT
from tests.book.visit import DESK, PHONE

pytestmark = [pytest.mark.site, pytest.mark.browser]
CHAPTER = "book/foundations/gradient_descent"
IMPORTS, ARRAY, PRINTS, BLOCKED, EXERCISE, FIGURE, RASTER, ENDLESS, PYPLOT, FAILS = range(len(CELLS))


@contextmanager
def served(site: Path) -> Iterator[str]:
    handler = functools.partial(QuietHandler, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small site that carries its own Python."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return build_run_site(tmp_path_factory.mktemp("run"), monkeypatch)


@pytest.fixture(scope="module")
def own_address(own_site: Path) -> Iterator[str]:
    with served(own_site) as address:
        yield f"{address}/book/cells.html"


@pytest.fixture(scope="module")
def book_address(book_site: Path) -> Iterator[str]:
    with served(book_site) as address:
        yield f"{address}/{CHAPTER}.html"


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Any]:
    visits: list[RunVisit] = []

    def opened(*arguments: Any, **options: Any) -> RunVisit:
        visits.append(RunVisit(chromium, *arguments, **options))
        return visits[-1]

    yield opened
    for visit in visits:
        visit.context.close()


@pytest.fixture(scope="module")
def page(chromium: Any, own_address: str) -> Iterator[RunVisit]:
    """The small site's page, opened once: Python is loaded once for most tests, which use different cells."""
    visit = RunVisit(chromium, own_address)
    yield visit
    visit.context.close()


def test_a_chapter_runs_from_end_to_end(open_page: Any, book_address: str) -> None:
    """Python is asked for at the first press only, comes from one address, and gives the stored outputs."""
    notebook = nbformat.read(ROOT / f"{CHAPTER}.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    visit = open_page(book_address, cdn=distribution())
    assert not [
        address for address in visit.asked if "pyodide" in address or "run_worker" in address or ".zip" in address
    ]
    visit.page.evaluate("for (const box of document.querySelectorAll('details')) box.open = true")
    ran = 0
    for number, cell in enumerate(cells):
        if visit.button(number, "Run").count():
            visit.press(number)
            assert visit.text(number) == "".join(map(stored, cell.outputs)), cell.source
            assert visit.figures(number) == sum(stored(output) == "" for output in cell.outputs), cell.source
            ran += 1
    assert ran == len(cells) - 1  # one needs Keras
    hosts = {address.split("/")[2] for address in visit.asked}
    assert hosts == {visit.host, "cdn.jsdelivr.net"}
    assert visit.faults == []
    light = visit.violations()
    visit.show_mode("dark")
    assert {"light": light, "dark": visit.violations()} == {"light": [], "dark": []}


def test_the_cells_that_one_needs_run_first_and_only_once(page: RunVisit) -> None:
    page.press(PRINTS)
    assert page.status(PRINTS).endswith("after cells 1 and 2")
    assert page.text(PRINTS) == "3\n[0 2 4]\n" or page.text(PRINTS) == "3\narray([0, 2, 4])\n"
    page.press(PRINTS)
    assert "after" not in page.status(PRINTS)
    assert page.text(ARRAY) == ""
    assert {address.split("/")[2] for address in page.asked} == {page.host}


def test_what_a_browser_lacks_is_said(page: RunVisit) -> None:
    bar = page.cell(BLOCKED).locator(".fo-run")
    assert bar.get_by_role("button").count() == 0
    assert "needs Keras" in bar.inner_text()
    assert bar.get_by_role("link").get_attribute("href").endswith("/book/cells.ipynb")


def test_a_cell_is_edited_run_and_reset_by_keyboard(page: RunVisit) -> None:
    keyboard = page.page.keyboard
    page.button(EXERCISE, "Edit").focus()
    keyboard.press("Enter")
    area = page.cell(EXERCISE).get_by_role("textbox")
    assert area.input_value() == CELLS[EXERCISE]
    keyboard.type("1")  # in place of the dots
    keyboard.press("End")
    keyboard.press("Enter")
    keyboard.press("Tab")
    assert area.input_value() == CELLS[EXERCISE].replace("...", "1") + "\n    "
    keyboard.press("Escape")
    assert page.button(EXERCISE, "Run").evaluate("button => button === document.activeElement")
    keyboard.press("Tab")
    keyboard.press("Enter")
    assert page.cell(EXERCISE).get_by_role("textbox").count() == 0
    page.button(EXERCISE, "Edit").press("Enter")
    keyboard.type("3240.5")
    keyboard.press("Shift+Enter")
    page.wait(EXERCISE)
    first = page.text(EXERCISE)
    assert first
    page.button(EXERCISE, "Reset").press("Enter")
    assert page.cell(EXERCISE).locator(".fo-ran").count() == 0
    assert page.cell(EXERCISE).locator("pre").inner_text().strip() == CELLS[EXERCISE]
    page.press(EXERCISE)
    assert "three dots" in page.text(EXERCISE) != first


def test_figures_are_part_of_the_page(page: RunVisit) -> None:
    for number in (FIGURE, RASTER, PYPLOT):
        page.press(number)
        assert page.figures(number) == 1
        assert page.text(number) == ""
    figure = page.cell(FIGURE).locator(".fo-ran svg")
    colour = "svg => getComputedStyle(svg.querySelector('text')).fill"
    light = figure.evaluate(colour)
    page.show_mode("dark")
    assert figure.evaluate(colour) != light
    page.show_mode("light")
    ids = page.page.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)")
    assert len(ids) == len(set(ids))


def test_an_error_shows_the_lines_of_the_cell(page: RunVisit) -> None:
    page.press(FAILS, "Failed")
    text = page.text(FAILS)
    assert text.startswith("Traceback")
    assert "Cell 10, line 1" in text
    assert "IndexError: index 7 is out of bounds" in text
    assert "fo_browser" not in text


def test_an_error_in_a_cell_that_is_needed_is_shown_where_one_looks(page: RunVisit) -> None:
    page.button(ARRAY, "Edit").click()
    page.cell(ARRAY).get_by_role("textbox").fill("a = nothing")
    page.press(PRINTS, "Failed")
    assert "Cell 2, line 1" in page.text(PRINTS)
    assert page.text(PRINTS).count("Error") == 1
    page.button(ARRAY, "Reset").click()
    page.press(PRINTS)
    assert page.status(PRINTS).endswith("after cell 2")


def test_outputs_are_accessible(page: RunVisit) -> None:
    for number, end in ((PRINTS, "Ran"), (FIGURE, "Ran"), (FAILS, "Failed")):
        page.press(number, end)
    page.button(EXERCISE, "Edit").click()
    light = page.violations()
    page.show_mode("dark")
    dark = page.violations()
    page.show_mode("light")
    page.page.set_viewport_size(PHONE)
    assert {"light": light, "dark": dark, "phone": page.violations()} == {"light": [], "dark": [], "phone": []}
    assert page.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.page.set_viewport_size(DESK)
    page.button(EXERCISE, "Reset").click()


def test_a_run_can_be_stopped_and_those_that_wait_still_run(page: RunVisit) -> None:
    page.button(ENDLESS, "Run").click()
    page.wait(ENDLESS, "Running…")
    page.button(PRINTS, "Run").click()
    assert page.status(PRINTS).startswith("Waiting")
    page.button(ENDLESS, "Stop").click()
    assert "lost" in page.text(ENDLESS)
    assert not page.button(ENDLESS, "Stop").is_visible()
    page.wait(PRINTS)
    assert page.status(PRINTS).endswith("after cells 1 and 2")  # in a new Python


def test_an_address_that_does_not_answer_is_named_and_asked_again(open_page: Any, book_address: str) -> None:
    visit = open_page(book_address)
    visit.press(0, "Failed")
    assert "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/pyodide.js cannot be reached" in visit.text(0)
    visit.cdn = distribution()
    visit.button(0, "Run").click()
    visit.cell(0).locator(".fo-status", has_text="MB").wait_for(timeout=LOAD_MS)


def test_a_page_opened_as_a_file_says_what_to_do(open_page: Any, own_site: Path) -> None:
    visit = open_page((own_site / "book" / "cells.html").as_uri())
    visit.button(0, "Run").click()
    assert "make serve" in visit.text(0)


def test_there_are_no_buttons_without_script_and_on_paper(open_page: Any, own_address: str) -> None:
    visit = open_page(own_address, scripts=False)
    assert visit.page.locator(".fo-run button").count() == 0
    assert {bar.bounding_box()["height"] for bar in visit.page.locator(".fo-run").all()} <= {0, 1}
    visit = open_page(own_address)
    assert visit.button(0, "Run").is_visible()
    visit.page.emulate_media(media="print")
    assert not visit.button(0, "Run").is_visible()
