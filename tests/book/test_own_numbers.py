"""Chapters end with a question from the bank, and their solution is right for every seed, not only for that of the page."""

from __future__ import annotations

import re
from typing import Any

import jupytext
import numpy as np
import pytest

from fo_lib import question_bank
from fo_lib.exercises import UNANSWERED
from tests.book.small_book import ROOT
from tools.run_notebooks import code_cells, find_chapters

ASK = re.compile(r'question_bank\.ask\("([\w/-]+)", seed=1\)')
PAGE = ROOT / "book" / "reference" / "question_bank.md"
ENDS = {
    found[1]: cells[number + 1 :]
    for path in find_chapters()
    if path != PAGE
    for cells in [[cell.source for cell in code_cells(jupytext.read(path, fmt="md:myst"))]]
    for number, source in enumerate(cells)
    if (found := ASK.search(source))
}


def test_each_chapter_with_questions_in_the_bank_ends_with_one() -> None:
    asked = [name.partition("/")[0] for name in ENDS]
    assert sorted(asked) == sorted({name.partition("/")[0] for name in question_bank.QUESTIONS})


@pytest.mark.parametrize("name", ENDS)
def test_the_solution_of_the_page_is_right_for_all_seeds(name: str) -> None:
    unanswered, solution = ENDS[name]
    assert unanswered == "question.check(...)"
    assert question_bank.ask(name, seed=1).check(...) == UNANSWERED
    for seed in range(60):
        space: dict[str, Any] = {"np": np, "question": question_bank.ask(name, seed=seed)}
        exec(solution.replace("question.check(", "feedback = question.check("), space)
        assert space["feedback"], f"seed {seed}: {space['feedback']}"
