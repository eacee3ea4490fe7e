"""Chapters name their users, the page of statements lists all of them, and terms lead to the glossary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lxml.html
import pytest
from docutils import nodes
from docutils.core import publish_doctree
from sphinx import addnodes

from book._ext import fo_chapters, fo_terms
from tests.book.small_book import FIXTURE, ROOT

SOURCE = """(ch-b)=
# A title

```{margin} Before you start
You need {ref}`ch-a` and {prf:ref}`lem-c`.
```

````{prf:theorem} A name
:label: thm-d

```{math}
:label: eq-d
x
```

{checked-by}`tests/a.py::test_one`
{checked-by}`tests/a.py::test_two`
````

:::{prf:proof}
:label: not-a-statement
See {ref}`ch-e` and {checked-by}`tests/a.py::test_three`.
:::
"""


def test_a_source_says_what_it_needs_and_states() -> None:
    chapter = fo_chapters.read_chapter("part/b", SOURCE)
    assert (chapter.label, chapter.title, chapter.needs) == ("ch-b", "A title", ("ch-a", "lem-c"))
    theorem, proof = chapter.boxes
    checks = ("{checked-by}`tests/a.py::test_one`", "{checked-by}`tests/a.py::test_two`")
    assert theorem == fo_chapters.Box("theorem", "A name", "thm-d", checks)
    assert proof.kind == "proof"


def test_later_chapters_are_those_that_need_a_label_of_this_one() -> None:
    one = fo_chapters.read_chapter("a", "(ch-a)=\n# A\n\n```{prf:lemma}\n:label: lem-c\n```\n")
    two = fo_chapters.read_chapter("b", SOURCE)
    other = fo_chapters.read_chapter("c", "(ch-c)=\n# C\n")
    assert fo_chapters.later((one, two, other), "a") == [two]
    assert fo_chapters.later((one, replace(two, label="")), "a") == []
    assert fo_chapters.later((one, two, other), "b") == []
    assert fo_chapters.later((one, two, other), "c") == []
    by_lemma = fo_chapters.read_chapter("d", SOURCE.replace("{ref}`ch-a` and ", "").replace("ch-b", "ch-d"))
    assert fo_chapters.later((one, by_lemma), "a") == [by_lemma]
    by_itself = fo_chapters.read_chapter("b", SOURCE.replace("ch-a", "ch-b"))
    assert fo_chapters.later((by_itself,), "b") == []


@pytest.mark.parametrize(("name", "users"), [("a", ["ch-b", "ch-d"]), ("c", [])])
def test_the_head_of_a_chapter_lists_all_its_users(
    name: str, users: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = {"a": "(ch-a)=\n# A\n", "b": SOURCE, "c": "(ch-c)=\n# C\n", "d": SOURCE.replace("ch-b", "ch-d")}
    chapters = tuple(fo_chapters.read_chapter(name, text) for name, text in sources.items())
    monkeypatch.setattr(fo_chapters, "read_chapters", lambda _: chapters)
    doctree = publish_doctree(".. sidebar:: Before you start\n\n   You need algebra.\n")
    app: Any = SimpleNamespace(srcdir="", env=SimpleNamespace(docname=name))
    fo_chapters.add_used_later(app, doctree)
    lines = [line for line in doctree.findall(nodes.paragraph) if "fo-later" in line["classes"]]
    assert [line.astext() for line in lines] == (["Used later in , ."] if users else [])
    assert [link["reftarget"] for link in doctree.findall(addnodes.pending_xref)] == users


def test_a_result_is_listed_with_each_of_its_tests_once() -> None:
    item: Any = fo_chapters.AllTheorems.item
    box = fo_chapters.Box("lemma", "A name", "lem-c", ("one", "two", "one"))
    assert item(None, box) == "- {prf:ref}`lem-c` A name\\\n  one two\n"
    assert item(None, replace(box, checks=())).endswith("\n  Quoted from its source.\n")


def test_an_algorithm_is_listed_with_its_name_and_chapter() -> None:
    write: Any = fo_chapters.AllAlgorithms.write
    chapter = fo_chapters.read_chapter("b", SOURCE)
    assert "* - {prf:ref}`thm-d`\n  - A name\n  - {ref}`ch-b`\n" in write(None, [(chapter, chapter.boxes[:1])])


@pytest.mark.parametrize("folder", [ROOT, FIXTURE], ids=["book", "small"])
def test_no_statement_is_overlooked(folder: Path) -> None:
    chapters = fo_chapters.read_chapters(folder)
    found = sum(len(chapter.boxes) for chapter in chapters)
    sources = {fo_chapters.source_of(folder, f"{chapter.name}.ipynb") for chapter in chapters}
    texts = [path.read_text(encoding="utf-8") for path in sources]
    kinds = (*fo_chapters.PROVED, "algorithm")
    assert found == sum(text.count(f"{{prf:{kind}}}") for text in texts for kind in kinds) > 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Its condition numbers are large", ["condition number"]),
        ("Learning rates and learning rates", ["Learning rate", "learning rate"]),
        ("a well-convex, a convex-like thing", []),
        ("strongly convex beats convex", ["strongly convex", "convex"]),
        ("the learning rates of learning", ["learning rate", "learning"]),
    ],
)
def test_terms_are_whole_words_and_the_longest_wins(text: str, found: list[str]) -> None:
    words = fo_terms.pattern(["condition number", "learning", "learning rate", "convex", "strongly convex"])
    assert [match[1] for match in words.finditer(text)] == found


TEXT = """\
Convex
======

The **learning rate** is a metric. Learning rates after a learning rate and momentum_, another learning rate.

.. note:: A convex function has no noise.

- The next learning rate, convex, one step size, and momentum again.

.. _momentum: glossary.html#term-momentum
"""


def links_to_terms(docname: str) -> list[tuple[str, str]]:
    """The words of a text that become links on a page, with their addresses."""
    terms = ("learning rate", "Convex", "momentum", "noise", "step size", "metric", "function")
    objects = {("term", term): ("glossary", f"term-{term.lower().replace(' ', '-')}") for term in terms[:-1]}
    domain = SimpleNamespace(objects={**objects, ("label", terms[-1]): ("other", "function")})
    builder = SimpleNamespace(get_relative_uri=lambda page, other: f"{page}/../{other}")
    app: Any = SimpleNamespace(env=SimpleNamespace(get_domain=lambda _: domain), builder=builder)
    doctree = publish_doctree(TEXT)
    before = doctree.astext()
    fo_terms.link_terms(app, doctree, docname)
    assert doctree.astext() == before
    links = (link for link in doctree.findall(nodes.reference) if "fo-term" in link["classes"])
    return [(link.astext(), link["refuri"]) for link in links]


def test_the_first_use_in_running_text_leads_to_the_glossary() -> None:
    found = [("Learning rates", "learning-rate"), ("convex", "convex"), ("step size", "step-size")]
    assert links_to_terms("sgd") == [(words, f"sgd/../glossary#term-{anchor}") for words, anchor in found]
    assert links_to_terms("glossary") == []


@pytest.mark.site
def test_pages_of_the_small_book(sites: dict[str, Path]) -> None:
    page, back = (lxml.html.parse(sites["small"] / "book" / f"{name}.html") for name in ("sample", "back"))
    (term,) = page.xpath("//a[contains(@class, 'fo-term')]")
    assert (term.text_content(), term.get("href")) == ("learning rate", "back.html#term-learning-rate")
    (line,) = page.xpath("//*[contains(@class, 'fo-later')]")
    assert line.text_content() == "Used later in Back matter."
    assert line.xpath(".//a/@href") == ["back.html#ch-back"]
    assert back.xpath("//*[contains(@class, 'fo-later')]") == []
    assert back.xpath("//table//td//a[contains(@href, '#alg-descent')]")
    statements = back.xpath("//li[.//a[contains(@href, '#thm-rate')]]")
    assert ["Rate on quadratics" in item.text_content() for item in statements] == [True]
    assert ["test_rate" in item.text_content() for item in statements] == [True]
