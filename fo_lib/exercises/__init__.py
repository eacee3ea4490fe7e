"""Graded feedback on the exercises, offline: ``check("gradient-descent-1", answer)``.

Each chapter's checkers are a module here, named as the chapter. A checker looks at an answer (a number, an array or a
function that the reader wrote) and either returns praise that says why it is right, or raises :class:`NotYet` with a
hint that says what to look at, never with the answer.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Feedback", "NotYet", "check", "close"]

Checker = Callable[[Any], str]
CHAPTERS = tuple(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


class NotYet(Exception):
    """What a checker raises: a hint towards the answer."""


@dataclass(frozen=True)
class Feedback:
    """The verdict on an answer; true if it is right."""

    correct: bool
    text: str

    def __bool__(self) -> bool:
        return self.correct

    def __repr__(self) -> str:
        return f"{'Correct.' if self.correct else 'Not yet.'} {self.text}"


UNANSWERED = Feedback(False, "Put your answer in place of the three dots.")


def check(exercise: str, answer: Any) -> Feedback:
    """Check an answer to an exercise.

    Parameters
    ----------
    exercise : str
        The name beside the exercise, such as ``"gradient-descent-1"``.
    answer : number, array or function
        As the exercise asks. A function that raises an error gets that error as feedback.

    Returns
    -------
    Feedback
        True if right; its text says why, or gives a hint.

    Raises
    ------
    ValueError
        If there is no exercise of that name; the message lists those of the chapter.
    """
    chapter = str(exercise).rpartition("-")[0]
    if chapter not in CHAPTERS:
        raise ValueError(f"exercise must be a chapter and a number, such as 'gradient-descent-1', got {exercise!r}")
    checkers: dict[str, Checker] = importlib.import_module(f".{chapter.replace('-', '_')}", __name__).CHECKERS
    if exercise not in checkers:
        raise ValueError(f"exercise must be one of {sorted(checkers)}, got {exercise!r}")
    if answer is ...:
        return UNANSWERED
    try:
        return Feedback(True, checkers[exercise](answer))
    except NotYet as hint:
        return Feedback(False, str(hint))
    except Exception as error:
        return Feedback(False, f"Your answer raised {type(error).__name__}: {error}")


def close(answer: Any, expected: Any, *, tolerance: float = 1e-3) -> bool:
    """Tell whether an answer is a finite number or array within a relative tolerance of the expected one."""
    try:
        given = np.asarray(answer)
        if given.dtype.kind not in "biuf":
            raise TypeError
    except (TypeError, ValueError):
        raise NotYet(f"The answer should be a number or an array of numbers, not {answer!r}.") from None
    wanted = np.asarray(expected, float)
    if wanted.ndim == 0 and given.size == 1:
        given = given.reshape(())
    if given.shape != wanted.shape:
        form = f"an array of shape {wanted.shape}" if wanted.ndim else "one number"
        raise NotYet(f"The answer should be {form}, not an array of shape {given.shape}.")
    return bool(np.allclose(given, wanted, rtol=tolerance, atol=0))
