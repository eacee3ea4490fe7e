"""Notebooks for a course: the student's has every exercise, a place for each answer, and no solution."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.book.small_book import ROOT
from tools import make_course
from tools.run_notebooks import find_chapters

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
