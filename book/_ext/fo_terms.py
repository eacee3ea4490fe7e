"""The first time a chapter uses a term of the glossary, the word leads there, and shows the definition when pointed at.

Only running text counts: no headings, code, quotations of a reference, captions or quizzes. Words of everyday language
among the terms are left alone, since a chapter may mean them in their everyday sense.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

EVERYDAY = {
    "acceleration", "attention", "averaging", "gap", "interpolation", "metric", "plateau", "regret", "restart",
    "smooth", "surrogate", "temperature", "velocity",
}  # fmt: skip
# What a paragraph may stand in for its words to become links.
AROUND = (nodes.section, nodes.list_item, nodes.bullet_list, nodes.enumerated_list, nodes.document)


def is_running_text(text: nodes.Text) -> bool:
    """Whether a piece of text stands directly in a paragraph of the chapter."""
    return isinstance(text.parent, nodes.paragraph) and all(isinstance(node, AROUND) for node in ancestors(text.parent))


def ancestors(node: nodes.Node) -> Iterator[nodes.Node]:
    while node := node.parent:
        yield node


def pattern(terms: list[str]) -> re.Pattern[str]:
    """Any of the terms as whole words, longest first, with a plural's s."""
    words = "|".join(re.escape(term) for term in sorted(terms, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])({words})s?(?![\w-])", re.I)


def link_terms(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Link the first use of each term."""
    glossary = {
        name.lower(): place
        for (kind, name), place in app.env.get_domain("std").objects.items()
        if kind == "term" and name.lower() not in EVERYDAY
    }
    if not glossary or any(place[0] == docname for place in glossary.values()):
        return
    wanted = set(glossary) - linked(doctree, glossary)
    for text in list(doctree.findall(nodes.Text)):
        if wanted and is_running_text(text):
            text.parent.replace(text, list(pieces(app, str(text), docname, glossary, wanted)))


def linked(doctree: nodes.document, glossary: dict[str, tuple[str, str]]) -> set[str]:
    """Terms that the author has linked."""
    anchors = {place[1]: name for name, place in glossary.items()}
    targets = (link.get("refuri", "").partition("#")[2] for link in doctree.findall(nodes.reference))
    return {anchors[target] for target in targets if target in anchors}


def pieces(
    app: Sphinx, text: str, docname: str, glossary: dict[str, tuple[str, str]], wanted: set[str]
) -> Iterator[nodes.Node]:
    """The parts of a text, with a link for each term in it that is still wanted."""
    end = 0
    for match in pattern(list(wanted)).finditer(text):
        name = match[1].lower()
        if name not in wanted:
            continue
        wanted.discard(name)
        page, anchor = glossary[name]
        address = f"{app.builder.get_relative_uri(docname, page)}#{anchor}"
        yield nodes.Text(text[end : match.start()])
        yield nodes.reference("", match[0], refuri=address, internal=True, classes=["fo-term"])
        end = match.end()
    yield nodes.Text(text[end:])


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-resolved", link_terms, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
