"""Chapters name their users, the page of statements lists all of them, and terms lead to the glossary."""

from __future__ import annotations

from pathlib import Path

import lxml.html
import pytest

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
See {checked-by}`tests/a.py::test_three`.
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
    assert fo_chapters.later((one, two, other), "b") == []
    by_lemma = fo_chapters.read_chapter("d", SOURCE.replace("{ref}`ch-a` and ", "").replace("ch-b", "ch-d"))
    assert fo_chapters.later((one, by_lemma), "a") == [by_lemma]


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
        ("a well-learning rate, a learning rate-like thing", []),
        ("strongly convex beats convex", ["strongly convex", "convex"]),
    ],
)
def test_terms_are_whole_words_and_the_longest_wins(text: str, found: list[str]) -> None:
    words = fo_terms.pattern(["condition number", "learning rate", "convex", "strongly convex"])
    assert [match[1] for match in words.finditer(text)] == found


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
