"""Feedback on answers: graded, never an exception, never the answer itself."""

import importlib

import numpy as np
import pytest

from fo_lib import exercises
from fo_lib.exercises import Feedback, NotYet, check, close


def test_unknown_exercises_are_named():
    with pytest.raises(
        ValueError, match="exercise must be a chapter and a number, such as 'gradient-descent-1', got 'x'"
    ):
        check("x", 1)
    with pytest.raises(ValueError, match=r"exercise must be one of \['objectives-1', .*got 'objectives-99'"):
        check("objectives-99", 1)


def test_every_chapter_has_checkers_named_after_it():
    for chapter in exercises.CHAPTERS:
        module = importlib.import_module(f"fo_lib.exercises.{chapter.replace('-', '_')}")
        assert len(module.CHECKERS) >= 3
        assert [name.rpartition("-")[0] for name in module.CHECKERS] == [chapter] * len(module.CHECKERS)


@pytest.mark.parametrize("chapter", exercises.CHAPTERS)
@pytest.mark.parametrize("nonsense", [None, "x", np.nan, [1, 2, 3], -1e9, lambda *a: None])
def test_nonsense_is_not_yet_right_and_never_an_exception(chapter, nonsense):
    module = importlib.import_module(f"fo_lib.exercises.{chapter.replace('-', '_')}")
    for name in module.CHECKERS:
        feedback = check(name, nonsense)
        assert not feedback
        assert len(feedback.text) > 10
        assert repr(feedback).startswith("Not yet. ")


def test_a_right_answer_is_true_and_says_why():
    feedback = Feedback(True, "Because.")
    assert feedback
    assert repr(feedback) == "Correct. Because."


def test_three_dots_are_no_answer():
    assert check("objectives-1", ...) == Feedback(False, "Put your answer in place of the three dots.")


def test_close_compares_numbers_and_arrays():
    assert close(1.0005, 1.0)
    assert not close(1.002, 1.0)
    assert close([1, 2.0], np.array([1.0, 2.0]))
    assert not close(np.nan, 1.0)
    assert close([1.0], 1.0)
    with pytest.raises(NotYet, match=r"should be one number, not an array of shape \(2,\)"):
        close([1.0, 2.0], 1.0)
    assert not close(1e-3, 0.0)
    with pytest.raises(NotYet, match=r"should be an array of shape \(2,\), not an array of shape \(\)"):
        close(1.0, [1.0, 2.0])
    with pytest.raises(NotYet, match="should be a number or an array of numbers, not 'x'"):
        close("x", 1.0)
