"""Make slides of chapters from their built pages, to be shown without network.

usage: python -m tools.make_slides [CHAPTER.md ...]      (default: every chapter; the book must be built)

Each figure, theorem, algorithm, formula, table, listing and quiz gets a slide of its own; the text between them goes
into the speaker's notes (key S). The slides of book/x/y.md are written beside the page, as y.slides.html.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import lxml.html
from lxml.html import builder

from tools.run_notebooks import find_chapters

ROOT = Path(__file__).resolve().parent.parent
Element = lxml.html.HtmlElement
SITE = ROOT / "_build" / "html"
BOOK = "First-Order Methods for Machine Learning"
SHORT = 280  # characters of a paragraph that may stand above what it introduces
OWN_STYLES = ("reveal/reveal.css", "css/slides.css")
LEFT_OUT = {"notes-and-sources"}
PICTURES = ".//figure | .//img | .//svg | .//table"
EXHIBITS = {"proof", "exercise", "math", "literal-block-wrapper", "pst-scrollable-table-container", "fo-quiz"}
SCRIPTS = ("/js/quiz", "/js/live", "/js/repairs")
START = "Reveal.initialize({hash: true, width: 1280, height: 760, center: false, plugins: [RevealNotes]});"


@dataclass
class Slide:
    """One slide: what it shows under a heading, and what the speaker says."""

    heading: str
    level: int
    shown: list[Element] = field(default_factory=list)
    notes: list[Element] = field(default_factory=list)

    def html(self) -> Element:
        heading = getattr(builder, f"H{self.level}")(self.heading)
        notes = builder.ASIDE(builder.CLASS("notes"), *self.notes)
        return builder.SECTION(builder.DIV(builder.CLASS("bd-article"), heading, *self.shown), notes)


def classes(element: Element) -> set[str]:
    return set((element.get("class") or "").split())


def is_exhibit(element: Element) -> bool:
    """Whether an element is something to look at, not text between."""
    return element.tag in {"figure", "table", "fo-live"} or bool(classes(element) & EXHIBITS)


def exhibits_of(child: Element, section: Element) -> list[Element]:
    """What a part of a section gives to look at; the cells below exercises are for the reader's own answers."""
    if "cell" in classes(child):
        return [] if section.get("id") == "check-yourself" else of_cell(child)
    return [deepcopy(child)] if is_exhibit(child) else []


def of_cell(cell: Element) -> list[Element]:
    """What a code cell draws, or else its code with what it prints."""
    outputs = cell.xpath("./div[contains(@class, 'cell_output')]")
    if drawn := [part for part in outputs if part.xpath(PICTURES)]:
        return list(map(deepcopy, drawn))
    code = cell.xpath("./div[contains(@class, 'cell_input')]")
    return [builder.DIV(builder.CLASS("cell"), *map(deepcopy, [*code, *outputs]))]


def slides_of(section: Element, level: int = 1) -> Iterator[Slide]:
    """The slides of a section; what it says before the first exhibit is in the notes of that."""
    if section.get("id") in LEFT_OUT:
        return
    title = next((child for child in section if child.tag in {"h1", "h2", "h3", "h4"}), None)
    heading = title.text_content().rstrip("#").strip() if title is not None else ""
    made = [Slide(heading, 1, [builder.P(BOOK)])] if level == 1 else []
    told: list[Element] = []
    for child in section.iterchildren(lxml.etree.Element):
        if child.tag in {"p", "ul", "ol"}:
            told.append(child)
        for part in exhibits_of(child, section):
            lead = [deepcopy(told[-1])] if told and len(told[-1].text_content()) <= SHORT else []
            made.append(Slide(heading, max(level, 2), [*lead, part], list(map(deepcopy, told))))
            told = []
    if not made:
        made = [Slide(heading, level, list(map(deepcopy, told[:1])))]
    made[-1].notes += map(deepcopy, told)
    yield from made
    for child in section.xpath("./section"):
        yield from slides_of(child, level + 1)


def head(page: Element) -> list[Element]:
    """The styles of the page, the scripts of what is alive on it, and those of the slides."""
    kept = page.xpath("//head/meta[@charset] | //head/title | //head/link[@rel='stylesheet' or @rel='icon']")
    live = [script for script in page.xpath("//script[@src]") if any(name in script.get("src") for name in SCRIPTS)]
    static = next(link.get("href") for link in kept if "/fonts.css" in (link.get("href") or "")).partition("fonts/")[0]
    styles = [builder.LINK(rel="stylesheet", href=f"{static}{name}") for name in OWN_STYLES]
    scripts = [builder.SCRIPT(src=f"{static}reveal/{name}") for name in ("reveal.js", "notes.js")]
    return [*map(deepcopy, kept), *styles, *map(deepcopy, live), *scripts]


def make(page: Path) -> Path:
    """Write the slides of a built page beside it."""
    tree = lxml.html.parse(str(page)).getroot()
    for waste in tree.xpath("//*[contains(@class, 'headerlink') or contains(@class, 'copybtn')]"):
        waste.drop_tree()
    for image in tree.xpath("//img[@loading]"):
        del image.attrib["loading"]
    groups: list[list[Slide]] = []
    for slide in slides_of(tree.xpath("//article//section")[0]):
        if slide.level <= 2 and not (groups and groups[-1][0].heading == slide.heading):
            groups.append([])
        groups[-1].append(slide)
    stacks = [builder.SECTION(*(slide.html() for slide in group)) for group in groups]
    show = builder.DIV(builder.CLASS("reveal"), builder.DIV(builder.CLASS("slides"), *stacks))
    html = builder.HTML(builder.HEAD(*head(tree)), builder.BODY(show, builder.SCRIPT(START)), lang="en")
    html.set("data-theme", "light")
    file = page.with_suffix(".slides.html")
    file.write_bytes(lxml.html.tostring(html, doctype="<!DOCTYPE html>", encoding="utf-8"))
    return file


def main() -> None:
    chapters = [Path(name).resolve() for name in sys.argv[1:]]
    chapters = chapters or [path for path in find_chapters() if path.is_relative_to(ROOT / "book")]
    for chapter in chapters:
        page = SITE / chapter.relative_to(ROOT).with_suffix(".html")
        if not page.is_file():
            sys.exit(f"{page} is not built: run `make book` first")
        print(make(page))


if __name__ == "__main__":
    main()
