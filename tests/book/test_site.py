"""The built pages: their links lead somewhere, nothing comes from another host, no source shows through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.book import site_checks as checks
from tests.book.small_book import ROOT
from tools.run_notebooks import find_chapters

pytestmark = [pytest.mark.site, pytest.mark.parametrize("name", ["book", "small"])]
PageCheck = Callable[[Path, Path], list[str]]

PAGE_CHECKS: dict[str, PageCheck] = {
    "links": lambda site, page: list(checks.dead_links(site, page)),
    "source": lambda site, page: list(checks.raw_source(page)),
    "outside": lambda site, page: list(checks.outside_assets(page)),
    "headers": lambda site, page: list(checks.empty_headers(page)),
    "ids": lambda site, page: list(checks.repeated_ids(page)),
    "policy": lambda site, page: list(checks.policy_faults(page)),
}


@pytest.mark.parametrize("check", PAGE_CHECKS)
def test_pages(check: str, name: str, sites: dict[str, Path]) -> None:
    site = sites[name]
    faults = {str(page.relative_to(site)): PAGE_CHECKS[check](site, page) for page in checks.all_pages(site)}
    assert {page: found for page, found in faults.items() if found} == {}


def test_style_sheets_load_only_what_is_there(name: str, sites: dict[str, Path]) -> None:
    sheets = sites[name].rglob("*.css")
    faults = {str(sheet.relative_to(sites[name])): list(checks.css_faults(sites[name], sheet)) for sheet in sheets}
    assert {sheet: found for sheet, found in faults.items() if found} == {}


def test_launch_buttons_open_the_notebook_of_the_page(name: str, sites: dict[str, Path]) -> None:
    root = ROOT if name == "book" else ROOT / "tests" / "book" / "fixture"
    chapters = [path for path in find_chapters() if path.is_relative_to(root / "book")]
    for chapter in chapters:
        file = chapter.with_suffix(".ipynb").relative_to(root)
        page = sites[name] / file.with_suffix(".html")
        assert page.is_file(), f"{file} is not in _toc.yml"
        assert checks.launched_files(page) == {"Colab": str(file), "Binder": str(file)}
        assert (root / file).is_file()


# The checks themselves: a page with every fault.

FAULTY = """<html><body><a id="a"></a><p id="a">See $x<br>and \\frac12.</p><p>{ref}`x` is raw</p><table id="t"><tr><th> </th></tr></table>
<a href="missing.html">m</a> <a href="#nowhere">n</a> <a href="#a">fine</a> <pre>$ make</pre>
<script src="https://example.org/x.js"></script><link rel="stylesheet" href="//example.org/x.css">
<meta http-equiv="Content-Security-Policy" content="default-src 'self'; img-src //example.org; script-src 'unsafe-inline'"></body></html>"""


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("links", ["missing.html", "#nowhere"]),
        ("source", ["raw TeX", "raw TeX", "raw MyST"]),
        ("outside", ["x.js", "x.css"]),
        ("headers", ["in the table t"]),
        ("ids", ["id used twice: a"]),
        (
            "policy",
            [
                "policy after ['script', 'link']",
                "by default 'self'",
                "//example.org as img-src",
                "'unsafe-inline' as script-src",
            ],
        ),
    ],
)
def test_check_finds_its_faults(check: str, words: list[str], name: str, tmp_path: Path) -> None:
    page = tmp_path / f"{name}.html"
    page.write_text(FAULTY, encoding="utf-8")
    faults = PAGE_CHECKS[check](tmp_path, page)
    assert len(faults) == len(words)
    assert all(word in fault for word, fault in zip(words, faults, strict=True))


def test_a_page_without_policy_is_found(name: str, tmp_path: Path) -> None:
    page = tmp_path / f"{name}.html"
    page.write_text("<html><body></body></html>", encoding="utf-8")
    assert list(checks.policy_faults(page)) == ["no content-security policy"]


def test_css_check_finds_its_faults(name: str, tmp_path: Path) -> None:
    sheet = tmp_path / f"{name}.css"
    sheet.write_text("@import 'https://example.org/a.css'; a{background:url(gone.png)} b{background:url(data:,)}")
    assert [fault.split()[0] for fault in checks.css_faults(tmp_path, sheet)] == ["loads", "names"]
