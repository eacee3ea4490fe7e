"""Each checker takes the right answer, and meets every expected slip with the hint that fits it."""

import importlib

import pytest

from fo_lib.exercises import CHAPTERS, check

NAMES = [chapter.replace("-", "_") for chapter in CHAPTERS]
ANSWERS = [importlib.import_module(f"tests.answers.{name}") for name in NAMES]
RIGHT = {name: answer for module in ANSWERS for name, answer in module.RIGHT.items()}
WRONG = [slip for module in ANSWERS for slip in module.WRONG]


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_answer_is_right(name):
    feedback = check(name, RIGHT[name])
    assert feedback, feedback


@pytest.mark.parametrize(("name", "answer", "hint"), WRONG)
def test_a_slip_is_met_by_its_hint(name, answer, hint):
    feedback = check(name, answer)
    assert not feedback
    assert hint in feedback.text


def test_every_exercise_with_a_checker_is_tested():
    names = {n for name in NAMES for n in importlib.import_module(f"fo_lib.exercises.{name}").CHECKERS}
    assert names == set(RIGHT)
    assert {name for name, *_ in WRONG} == names
