"""The printed book: every link of the page of all chapters leads somewhere, and the PDF has tags and an outline."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import lxml.html
import pytest

from tests.book.small_book import FIXTURE, link_shared_folders
from tools import make_pdf

PAGE = """<html><body><nav class="bd-sidebar-primary"><a href="#document-a">A</a></nav><script>x</script>
<div id="jb-print-toc"><h2> On this page </h2></div>
<span id="document-a"></span><p id="id1">note</p><a id="here" href="#id1">1</a><a id="cite" href="b/index.html#id1">2</a>
<a id="out" href="https://example.org/#id1">3</a><details><p>proof</p></details><img loading="lazy" src="x.png">
<span id="document-b"></span><p id="id1">book</p><a id="back" href="index.html#document-a">4</a></body></html>"""


def test_page_is_made_fit_for_paper() -> None:
    page = lxml.html.document_fromstring(PAGE)
    make_pdf.tidy(page, bibliography="b")
    links = {link.get("id"): link.get("href") for link in page.iter("a")}
    assert links == {"here": "#a-id1", "cite": "#b-id1", "out": "https://example.org/#id1", "back": "#document-a"}
    assert [part.text for part in page.xpath("//*[@id='a-id1' or @id='b-id1']")] == ["note", "book"]
    assert page.xpath("//script | //nav | //img[@loading]") == []
    assert page.xpath("//details[@open]")
    assert page.xpath("//h2")[0].text == "Contents"


@pytest.mark.browser
def test_small_book_is_printed(tmp_path: Path, chromium: Any) -> None:
    folder = tmp_path / "book"
    shutil.copytree(FIXTURE, folder, ignore=shutil.ignore_patterns("_build", "__pycache__"))
    link_shared_folders(folder)
    html, file = make_pdf.make_page(folder, "book/back"), tmp_path / "book.pdf"
    make_pdf.print_page(chromium, html, file)
    pdf = file.read_bytes()
    assert pdf.startswith(b"%PDF")
    assert all(word in pdf for word in (b"/StructTreeRoot", b"/Outlines", b"/Lang (en)"))
    page = lxml.html.parse(str(html))
    names = page.xpath("//@id")
    assert len(names) == len(set(names))
    inner = [address for address in page.xpath("//a/@href") if not address.startswith("http")]
    assert [address for address in inner if address.removeprefix("#") not in names] == []
    assert len(re.findall(rb"/Subtype\s*/Link", pdf)) >= len(inner) / 2 > 10
