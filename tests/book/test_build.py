"""The build is strict: what a reader would stumble over fails it, with the reason in the output."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.book.small_book import build, write_book
from tools import build_book

THEOREM = """# Page

```{prf:theorem} A name
:label: thm-a
Let $x > 0$.

CHECK
```
"""

QUIZ = "# Page\n\n```{quiz}\nWhich?\n- [x] this :: Yes.\n- [ ] that :: No.\n```\n"

LIVE = "# Page\n\n```{live} step-size\n:name: fig-a\n:alt: a bowl\nA caption.\n```\n"

FAULTS = {
    "reference": ("# Page\n\nSee {ref}`nowhere`.\n", "nowhere"),
    "theorem reference": ("# Page\n\nSee {prf:ref}`thm-nowhere`.\n", "thm-nowhere"),
    "equation reference": ("# Page\n\nSee {eq}`eq-nowhere`.\n", "eq-nowhere"),
    "citation": ("# Page\n\nSee {cite:p}`nobody1900`.\n", "nobody1900"),
    "glossary term": ("# Page\n\nSee {term}`nonsense`.\n", "nonsense"),
    "formula": ("# Page\n\nIt is $\\nosuchmacro{x}$.\n", "nosuchmacro"),
    "image without alt text": ("# Page\n\n![](assets/images/favicon.svg)\n", "without alt text"),
    "quiz without a right option": (QUIZ.replace("[x]", "[ ]"), "a right one"),
    "quiz without an explanation": (QUIZ.replace(" :: No.", ""), "no explanation"),
    "live figure that does not exist": (LIVE.replace("step-size", "step-sighs"), "no figure 'step-sighs'"),
    "live figure without alt text": (LIVE.replace(":alt: a bowl\n", ""), "has no :alt:"),
    "live figure without a name": (LIVE.replace(":name: fig-a\n", ""), "has no :name:"),
    "live figure without a caption": (LIVE.replace("A caption.\n", ""), "Content block expected"),
    "test that does not exist": (
        THEOREM.replace("CHECK", "{checked-by}`tests/theorems/test_a.py::test_other`"),
        "names no test: tests/theorems/test_a.py::test_other",
    ),
    "test file that does not exist": (
        THEOREM.replace("CHECK", "{checked-by}`tests/theorems/test_b.py::test_a`"),
        "names no test: tests/theorems/test_b.py::test_a",
    ),
    "theorem without a test": (THEOREM.replace("CHECK", ""), "thm-a has no {checked-by} line"),
}
GOOD = (
    THEOREM.replace("CHECK", "{checked-by}`tests/theorems/test_a.py::test_a`")
    + QUIZ.removeprefix("# Page\n")
    + LIVE.removeprefix("# Page\n")
)


def write_test(folder: Path) -> None:
    (folder / "tests" / "theorems").mkdir(parents=True)
    (folder / "tests" / "theorems" / "test_a.py").write_text("def test_a():\n    pass\n", encoding="utf-8")


def test_a_page_without_faults_builds(tmp_path: Path) -> None:
    write_test(tmp_path)
    write_book(tmp_path, GOOD)
    result = build(tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    page = (tmp_path / "_build" / "html" / "book" / "index.html").read_text(encoding="utf-8")
    assert "/blob/main/tests/theorems/test_a.py#L1" in page


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_the_build(fault: str, tmp_path: Path) -> None:
    page, reason = FAULTS[fault]
    write_test(tmp_path)
    write_book(tmp_path, page)
    result = build(tmp_path)
    assert result.returncode != 0, f"the page was built: {page}"
    assert reason in result.stdout + result.stderr


def test_a_site_made_of_the_same_files_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []

    def build_site(source: Path) -> int:
        built.append(source)
        (source / "_build" / "html").mkdir(parents=True, exist_ok=True)
        return 0

    def runs() -> int:
        with pytest.raises(SystemExit) as ended:
            build_book.main()
        assert ended.value.code == 0
        return len(built)

    monkeypatch.setattr(build_book, "build", build_site)
    monkeypatch.setattr(sys, "argv", ["build_book", str(tmp_path)])
    page = tmp_path / "book" / "page.md"
    page.parent.mkdir()
    page.write_text("one", encoding="utf-8")
    assert [runs(), runs()] == [1, 1]
    page.write_text("two", encoding="utf-8")
    assert [runs(), runs()] == [2, 2]
    page.rename(page.with_name("other.md"))
    assert runs() == 3
    monkeypatch.setenv("PYODIDE", "self")
    assert runs() == 4
    monkeypatch.setattr(build_book, "build", lambda source: 1)
    page.write_text("three", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        build_book.main()
    assert ended.value.code == 1
    monkeypatch.setattr(build_book, "build", build_site)
    assert runs() == 5  # a failure is not noted
