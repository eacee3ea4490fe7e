"""The built book, and a small book that uses every component, for the tests of pages."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.book import live_numbers
from tests.book.live_page import PAGE, Figure
from tests.book.small_book import FIXTURE, build, link_shared_folders
from tests.book.visit import DESK, Visit
from tools import browser

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="session")
def book_site() -> Path:
    """The built book; `make test` builds it first."""
    assert (SITE / "index.html").is_file(), "the book is not built: run `make book`"
    return SITE


@pytest.fixture(scope="session")
def fixture_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small book, built once in a run: the workers of pytest-xdist share a lock and the result."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "small-book"
    with (shared / "small-book.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            shutil.copytree(FIXTURE, folder, ignore=shutil.ignore_patterns("_build", "__pycache__"))
            link_shared_folders(folder)
            result = build(folder)
            (folder / "log.txt").write_text(result.stdout + result.stderr, encoding="utf-8")
    assert (folder / "_build" / "html" / "index.html").is_file(), (folder / "log.txt").read_text(encoding="utf-8")
    return folder / "_build" / "html"


@pytest.fixture(scope="session")
def sites(book_site: Path, fixture_site: Path) -> dict[str, Path]:
    return {"book": book_site, "small": fixture_site}


@contextlib.contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of a site, served on this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def small_address(fixture_site: Path) -> Iterator[str]:
    with served(fixture_site) as address:
        yield address


@pytest.fixture(scope="session")
def addresses(book_site: Path, small_address: str) -> Iterator[dict[str, str]]:
    """Both sites, served."""
    with served(book_site) as address:
        yield {"book": address, "small": small_address}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A running browser; the only place where browser tests are skipped."""
    path = browser.find()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(browser.MISSING)
        pytest.skip(browser.MISSING)
    from playwright.sync_api import sync_playwright  # takes half a second

    arguments = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=path, args=arguments)
        yield instance
        instance.close()


@pytest.fixture(scope="session")
def live_page(chromium: Any, small_address: str) -> Iterator[Any]:
    """The small book's page of live figures, open on a desktop."""
    context = chromium.new_context(
        viewport={"width": 1440, "height": 1000}, color_scheme="light", reduced_motion="reduce"
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{small_address}/{PAGE}", wait_until="load")
    yield page
    assert faults == []
    context.close()


@pytest.fixture
def figure(live_page: Any, name: str) -> Figure:
    """A live figure, as at first."""
    opened = Figure(live_page, name)
    opened.press("Reset")
    return opened


@pytest.fixture(scope="module")
def js(chromium: Any) -> Iterator[live_numbers.Js]:
    """Evaluate an expression with `m`, the mathematics, and `a`, the arguments."""
    page = chromium.new_page()
    page.add_script_tag(path=live_numbers.SCRIPT)
    yield lambda expression, *a: page.evaluate(f"a => {{ const m = fo.mathematics; return {expression}; }}", list(a))
    page.close()


@pytest.fixture
def visit(chromium: Any, addresses: dict[str, str]) -> Iterator[Any]:
    visits: list[Visit] = []

    def open_page(site: str, path: str, viewport: Any = None, scheme: str = "light", scripts: bool = True) -> Visit:
        visits.append(Visit(chromium, f"{addresses[site]}/{path}", viewport or DESK, scheme, scripts))
        return visits[-1]

    yield open_page
    for opened in visits:
        opened.context.close()
