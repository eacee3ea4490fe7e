"""Notebooks for a course: the student's has every exercise, a place for each answer, and no solution."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from unittest.mock import Mock, call

import nbformat
import pytest

from tests.book.small_book import ROOT
from tools import make_course
from tools.run_notebooks import METADATA, find_chapters

CHAPTERS = [path for path in find_chapters() if path.is_relative_to(ROOT / "book")]


def code(file: Path) -> list[str]:
    cells = nbformat.read(file, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_a_student_gets_the_exercises_and_no_solution(chapter: Path, tmp_path: Path) -> None:
    student, teacher = make_course.make(chapter, tmp_path)
    texts = [file.read_text(encoding="utf-8") for file in (student, teacher)]
    assert "{solution" not in texts[0]
    solutions = texts[1].count("{solution}") + texts[1].count("{solution-start}")
    assert code(student).count("# Your work") == solutions
    assert texts[0].count("{exercise") == texts[1].count("{exercise")
    kept = [cell for cell in code(student) if cell != "# Your work"]
    rest = iter(code(teacher))
    assert all(cell in rest for cell in kept)  # the same cells in the same order
    assert all(not cell.get("outputs") for cell in nbformat.read(student, as_version=4).cells)


def test_solutions_of_both_kinds_are_taken_out_whole() -> None:
    source = """before
````{solution} ex-a
:class: dropdown
```python
answer = 1
```
````
between
````{solution-start} ex-b
````
```{code-cell} ipython3
answer = 2
```
````{solution-end}
````
after
"""
    found = make_course.without_solutions(source)
    assert found == f"before\n{make_course.OWN_WORK}between\n{make_course.OWN_WORK}after\n"


def test_a_course_made_twice_is_the_same_and_has_stored_results_and_a_kernel(tmp_path: Path) -> None:
    (tmp_path / "stored").mkdir()
    (tmp_path / "stored" / "run.json").write_text("{}", encoding="utf-8")
    chapter = tmp_path / "a.md"
    chapter.write_text("# A\n\n```{code-cell} ipython3\nx = 1\n```\n", encoding="utf-8")
    files = make_course.make(chapter, tmp_path / "course")
    first = [file.read_bytes() for file in files]
    assert [file.read_bytes() for file in make_course.make(chapter, tmp_path / "course")] == first
    for file in files:
        assert (file.parent / "stored" / "run.json").is_file()
        assert nbformat.read(file, as_version=4).metadata == METADATA


@pytest.mark.parametrize("chapters", [CHAPTERS[1:2], CHAPTERS], ids=["named", "all"])
def test_a_course_has_the_chapters_that_are_named_or_all(chapters: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    make = Mock()
    monkeypatch.setattr(make_course, "make", make)
    monkeypatch.setattr(sys, "argv", ["make_course.py", *map(str, chapters if chapters != CHAPTERS else [])])
    make_course.main()
    assert make.call_args_list == [call(chapter, make_course.COURSE) for chapter in chapters]


def minutes_of_chapters() -> dict[str, int]:
    found = {}
    for source in (ROOT / "book").glob("*/*.md"):
        text = source.read_text(encoding="utf-8")
        label, reading = re.search(r"^\((ch-[\w-]+)\)=", text, re.M), re.search(r"Read in (\d+) minutes", text)
        if label and reading:
            found[label[1]] = int(reading[1])
    return found


def test_the_plans_say_how_long_the_reading_of_each_week_takes() -> None:
    minutes, weeks = minutes_of_chapters(), 0
    applications = [minutes[f"ch-{name}"] for name in ("image-classification", "word-embeddings", "language-models")]
    plans = (ROOT / "book/reference/teaching.md").read_text(encoding="utf-8")
    for cell in re.findall(r"^\* - \d+\n  - (.*)$", plans, re.M):
        if "projects" in cell:
            continue
        each = [minutes[label] for label in re.findall(r"\{ref\}`(ch-[\w-]+)`", cell)]
        total, (first, second) = sum(each), [0, *each][-2:]
        if "one of" in cell:
            total -= min(first, second)
        if "first half of" in cell:
            total -= second - second // 2
        if "one chapter on applications" in cell:
            total += max(applications)
        assert cell.endswith(f"({total} min)"), cell
        weeks += 1
    assert weeks == 6 + 12 + 6 + 3
