"""Print the whole book into one tagged PDF with an outline and working links.

usage: python -m tools.make_pdf [SOURCE]      (the folder with _config.yml; default: this repository)

Sphinx puts all chapters on one page, this script makes that page fit for paper, and Chromium prints it. Live figures
appear as they are at first sight; proofs, solutions and the answers to quizzes are open.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lxml.html

from tools import browser
from tools.build_book import build_environment

ROOT = Path(__file__).resolve().parent.parent
Element = lxml.html.HtmlElement
NAME = "first-order-methods.pdf"
ALL_PAGES_MS = 900_000
# What a printed page does without; scripts would only lay out what is not shown.
DROPPED = " | ".join(
    [
        "//script", "//link[@rel='next' or @rel='prev']", "//*[contains(@class, 'bd-sidebar')]",
        "//*[contains(@class, 'bd-header')]", "//*[contains(@class, 'headerlink')]", "//dialog", "//footer",
        "//noscript", "//*[@id='pst-skip-link']",
    ]
)  # fmt: skip
FOOTER = "<div style='width:100%;font-size:8px;text-align:center'><span class='pageNumber'></span></div>"


def build_one_page(source: Path, folder: Path) -> Path:
    """Let Sphinx write all chapters to one page, and return it."""
    shutil.rmtree(folder, ignore_errors=True)
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    options = ["--builder", "singlehtml", "--path-output", str(folder), "-n", "-W", "--keep-going", "--all", "-q"]
    subprocess.run([str(jupyter_book), "build", str(source), *options], env=build_environment(), check=True)
    return folder / "_build" / "singlehtml" / "book" / "index.html"


def with_documents(page: Element) -> Iterator[tuple[Element, str]]:
    """Every element with the document that it comes from; Sphinx marks where each begins."""
    document = ""
    for element in page.iter(lxml.etree.Element):
        if (name := element.get("id", "")).startswith("document-"):
            document = name.removeprefix("document-")
        yield element, document


def make_ids_unique(page: Element, cited: str) -> None:
    """Give an id that several documents use the name of its document, in links, too.

    A link to another document with an id that Sphinx numbered leads to an entry of the bibliography, `cited`.
    """
    repeated = {name for name, count in Counter(page.xpath("//@id")).items() if count > 1}
    for element, document in list(with_documents(page)):
        if element.get("id") in repeated:
            element.set("id", f"{document}-{element.get('id')}")
        address, mark, name = element.get("href", "").partition("#")
        if mark and not address.startswith("http"):
            owner = document if not address else cited
            element.set("href", f"#{owner}-{name}" if name in repeated else f"#{name}")


def tidy(page: Element, bibliography: str) -> None:
    """Make the page of all chapters fit for paper."""
    for element in page.xpath(DROPPED):
        element.drop_tree()
    for image in page.xpath("//img[@loading]"):
        del image.attrib["loading"]
    for details in page.xpath("//details"):
        details.set("open", "")
    for heading in page.xpath("//*[@id='jb-print-toc']//h2"):
        heading.text = "Contents"
    for mark in page.xpath("//*[starts-with(@id, 'document-')]"):
        mark.classes.add("fo-document")
    make_ids_unique(page, bibliography)
    page.find("body").set("class", "fo-book")


def make_page(source: Path, bibliography: str) -> Path:
    """The whole book as one page for paper."""
    page = build_one_page(source, source / "_build" / "pdf")
    tree = lxml.html.parse(str(page)).getroot()
    tidy(tree, bibliography)
    html = page.parents[1] / "print.html"  # where Sphinx's addresses of pictures and style sheets begin
    html.write_bytes(lxml.html.tostring(tree, doctype="<!DOCTYPE html>", encoding="utf-8"))
    return html


def print_page(chromium: Any, html: Path, pdf: Path) -> None:
    """Print a page with Chromium, which writes the tags and, from the headings, the outline."""
    tab = chromium.new_page()
    tab.set_default_timeout(ALL_PAGES_MS)
    tab.goto(html.as_uri(), wait_until="load", timeout=ALL_PAGES_MS)
    tab.pdf(
        path=pdf, tagged=True, outline=True, prefer_css_page_size=True, print_background=True,
        display_header_footer=True, header_template="<span></span>", footer_template=FOOTER,
    )  # fmt: skip
    tab.close()


def main() -> None:
    from playwright.sync_api import sync_playwright  # takes half a second

    path = browser.find_or_install()
    if path is None:
        sys.exit("make pdf needs Chromium or Chrome: install one, or set FO_BROWSER to its path")
    source = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    html, pdf = make_page(source, "book/reference/bibliography"), source / "_build" / NAME
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        print_page(chromium, html, pdf)
        chromium.close()
    print(f"The book is in {pdf}")


if __name__ == "__main__":
    main()
