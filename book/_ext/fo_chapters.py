"""What chapters say of one another: "used later in" at a chapter's head, and lists of all theorems and algorithms.

    ```{margin} Before you start
    You need {ref}`ch-a`.              chapter a then says "Used later in" with a link to this one
    ```
    ```{all-theorems}                  a table of theorems, propositions, lemmas, each with the tests that check it
    ```{all-algorithms}                a table of the algorithms

Both are read from the sources of all chapters, in the order of the table of contents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

HEAD = "Before you start"
CHAPTER_LABEL = re.compile(r"^\((ch-[\w-]+)\)=$", re.M)
FIRST_HEADING = re.compile(r"^# (.+)$", re.M)
LABEL = re.compile(r"^:label: (\S+)$", re.M)
NEEDED = re.compile(r"\{(?:prf:)?ref\}`([\w-]+)`")
BOX = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{prf:(?P<kind>\w+)\} ?(?P<title>[^\n]*)\n(?P<text>.*?)^(?P=fence)$", re.M | re.S
)
CHECK = re.compile(r"\{checked-by\}`[^`]+`")
PROVED = ("theorem", "proposition", "lemma", "corollary")


@dataclass(frozen=True)
class Box:
    kind: str
    title: str
    label: str
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    name: str
    title: str
    label: str
    labels: frozenset[str]
    needs: tuple[str, ...]
    boxes: tuple[Box, ...]


def read_chapter(name: str, text: str) -> Chapter:
    """What the source of a chapter says about itself and about others."""
    head = re.search(rf"^```\{{margin\}} {HEAD}\n(.*?)^```$", text, re.M | re.S)
    label, title = CHAPTER_LABEL.search(text), FIRST_HEADING.search(text)
    boxes = tuple(
        Box(box["kind"], box["title"], found[1], tuple(CHECK.findall(box["text"])))
        for box in BOX.finditer(text)
        if (found := LABEL.search(box["text"]))
    )
    own = label[1] if label else ""
    needs = tuple(NEEDED.findall(head[1])) if head else ()
    return Chapter(name, title[1] if title else name, own, frozenset([own, *LABEL.findall(text)]), needs, boxes)


def source_of(folder: Path, name: str) -> Path:
    """The file that is edited: x.md beside x.ipynb, too."""
    path = folder / name
    return path.with_suffix(".md") if path.suffix in {"", ".ipynb"} else path


@cache
def read_chapters(folder: Path) -> tuple[Chapter, ...]:
    """All chapters of a book, in the order of its table of contents."""
    contents = yaml.safe_load((folder / "_toc.yml").read_text(encoding="utf-8"))
    parts = contents.get("parts", [contents])
    files = [entry["file"] for part in parts for entry in part.get("chapters", [])]
    sources = [(file, source_of(folder, file)) for file in files]
    return tuple(read_chapter(file.removesuffix(".ipynb"), path.read_text(encoding="utf-8")) for file, path in sources)


def later(chapters: tuple[Chapter, ...], name: str) -> list[Chapter]:
    """The chapters that need one, in order; a page without a label of its own cannot be led to."""
    own = next((chapter.labels for chapter in chapters if chapter.name == name), frozenset())
    return [chapter for chapter in chapters if chapter.label and chapter.name != name and own & set(chapter.needs)]


def add_used_later(app: Sphinx, doctree: nodes.document) -> None:
    """Add to the head of a chapter where it is used."""
    users = later(read_chapters(Path(app.srcdir)), app.env.docname)
    head = next((box for box in doctree.findall(nodes.sidebar) if box.next_node(nodes.title).astext() == HEAD), None)
    if head is None or not users:
        return
    line = nodes.paragraph("", "Used later in ", classes=["fo-later"])
    target = {"refdomain": "std", "reftype": "ref", "refexplicit": False, "refwarn": True, "refdoc": app.env.docname}
    for number, chapter in enumerate(users):
        link = addnodes.pending_xref("", nodes.inline(), reftarget=chapter.label, **target)
        line += [nodes.Text(", " if number else ""), link]
    line += nodes.Text(".")
    head += line


class AllTheorems(SphinxDirective):
    """Directive `all-theorems`: for each chapter a list of its results and of the tests that check them."""

    kinds: ClassVar = PROVED

    def run(self) -> list[nodes.Node]:
        chapters = read_chapters(Path(self.env.srcdir))
        kept = [(chapter, [box for box in chapter.boxes if box.kind in self.kinds]) for chapter in chapters]
        text = self.write([(chapter, boxes) for chapter, boxes in kept if boxes])
        node = nodes.container()
        self.state.nested_parse(StringList(text.splitlines(), self.env.docname), self.content_offset, node)
        return node.children

    def write(self, kept: list[tuple[Chapter, list[Box]]]) -> str:
        """The directive's MyST source."""
        return "".join(f"**{{ref}}`{chapter.label}`**\n\n{''.join(map(self.item, boxes))}\n" for chapter, boxes in kept)

    def item(self, box: Box) -> str:
        checks = " ".join(dict.fromkeys(box.checks)) or "Quoted from its source."
        return f"- {{prf:ref}}`{box.label}` {box.title}\\\n  {checks}\n"


class AllAlgorithms(AllTheorems):
    """Directive `all-algorithms`: one table."""

    kinds: ClassVar = ("algorithm",)

    def write(self, kept: list[tuple[Chapter, list[Box]]]) -> str:
        rows = [
            f"* - {{prf:ref}}`{box.label}`\n  - {box.title}\n  - {{ref}}`{chapter.label}`\n"
            for chapter, boxes in kept
            for box in boxes
        ]
        head = "* - Algorithm\n  - Name\n  - Chapter\n"
        return f"```{{list-table}}\n:header-rows: 1\n\n{head}{''.join(rows)}```\n"


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("all-theorems", AllTheorems)
    app.add_directive("all-algorithms", AllAlgorithms)
    app.connect("doctree-read", add_used_later)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
