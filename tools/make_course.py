"""Make a student's and a teacher's notebook of chapters: without the solutions, and with all of them.

usage: python -m tools.make_course [CHAPTER.md ...]      (default: every chapter)

Both come from the chapter's source, into _build/course/student and _build/course/teacher, without outputs: they are to
be run. Where a solution was, an empty cell waits for the student's own.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import jupytext
import nbformat

from tools.run_notebooks import METADATA, find_chapters

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "_build" / "course"
# ```{solution} x ... ```, and ````{solution-start} x ... ````{solution-end} with cells between.
ONE_BLOCK = re.compile(r"^(?P<fence>`{3,})\{solution\}.*?^(?P=fence)\n", re.M | re.S)
WITH_CELLS = re.compile(r"^`{3,}\{solution-start\}.*?^`{3,}\{solution-end\}\n`{3,}\n", re.M | re.S)
OWN_WORK = "```{code-cell} ipython3\n# Your work\n```\n"


def without_solutions(source: str) -> str:
    """A chapter's source with a place for the student's work in place of each solution."""
    return WITH_CELLS.sub(OWN_WORK, ONE_BLOCK.sub(OWN_WORK, source))


def notebook(source: str) -> nbformat.NotebookNode:
    made = jupytext.reads(source, fmt="md:myst")
    made.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number:03d}"
    return made


def make(chapter: Path, folder: Path) -> tuple[Path, Path]:
    """Write both notebooks of a chapter; return the student's and the teacher's."""
    source = chapter.read_text(encoding="utf-8")
    files = []
    for kind, text in (("student", without_solutions(source)), ("teacher", source)):
        file = folder / kind / chapter.with_suffix(".ipynb").name
        file.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook(text), file)
        files.append(file)
        if (stored := chapter.parent / "stored").is_dir():  # results that take longer than a class
            shutil.copytree(stored, file.parent / "stored", dirs_exist_ok=True)
    return files[0], files[1]


def main() -> None:
    chapters = [Path(name).resolve() for name in sys.argv[1:]]
    for chapter in chapters or [path for path in find_chapters() if path.is_relative_to(ROOT / "book")]:
        make(chapter, COURSE)
    print(f"The notebooks are in {COURSE}/student and {COURSE}/teacher")


if __name__ == "__main__":
    main()
