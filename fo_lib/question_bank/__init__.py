"""Questions with numbers of one's own: ``ask("momentum/window", seed=7)`` draws them from the seed.

Two students with different seeds hardly ever get the same sheet, and the checker knows both. Each part of the book has
a module here with its questions; a question is a text with places for numbers, how they are drawn, and how they are
answered.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import checks
from ..exercises import UNANSWERED, Feedback, NotYet, close
from ._question import Template
from .acceleration import QUESTIONS as ACCELERATION
from .adaptivity import QUESTIONS as ADAPTIVITY
from .applications import QUESTIONS as APPLICATIONS
from .foundations import QUESTIONS as FOUNDATIONS
from .pitfalls import QUESTIONS as PITFALLS
from .randomness import QUESTIONS as RANDOMNESS
from .structure import QUESTIONS as STRUCTURE

__all__ = ["QUESTIONS", "Question", "ask", "grade"]

_TEMPLATES: dict[str, Template] = {
    template.name: template
    for part in (FOUNDATIONS, RANDOMNESS, ACCELERATION, ADAPTIVITY, STRUCTURE, PITFALLS, APPLICATIONS)
    for template in part
}
QUESTIONS: tuple[str, ...] = tuple(_TEMPLATES)
"""The names of all questions, in the order of the chapters."""


@dataclass(frozen=True)
class Question:
    """A question with its numbers.

    Attributes
    ----------
    name : str
        Chapter and topic, such as ``"momentum/window"``.
    seed : int
        What the numbers were drawn from.
    text : str
        The question.
    numbers : mapping
        The numbers in it, by name.
    """

    name: str
    seed: int
    text: str
    numbers: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"{self.name}, seed {self.seed}\n{self.text}"

    @property
    def solution(self) -> float:
        """The right answer, a float."""
        return float(_TEMPLATES[self.name].solve(**self.numbers))

    def check(self, answer: Any) -> Feedback:
        """Compare an answer with the right one, to a relative 0.1 %; whole numbers must be exact.

        Parameters
        ----------
        answer : float
            One number; three dots for none yet.

        Returns
        -------
        Feedback
            True if right; otherwise its text is a hint, never the answer.
        """
        template = _TEMPLATES[self.name]
        if answer is ...:
            return UNANSWERED
        try:
            right = close(answer, self.solution, tolerance=1e-9 if template.whole else 1e-3)
        except NotYet as problem:
            return Feedback(False, str(problem))
        return Feedback(right, template.why if right else template.hint)


def ask(name: str, seed: int) -> Question:
    """Draw the numbers of a question.

    Parameters
    ----------
    name : str
        One of `QUESTIONS`.
    seed : int
        Not negative. The same seed gives the same numbers, on every machine.

    Returns
    -------
    Question

    Raises
    ------
    ValueError
        If there is no question of that name, or the seed is not a whole number from 0.
    """
    if not isinstance(name, str) or name not in _TEMPLATES:
        raise ValueError(f"name must be one of {list(QUESTIONS)}, got {name!r}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0, got {seed!r}")
    template = _TEMPLATES[name]
    numbers = template.draw(np.random.default_rng([int(seed), zlib.crc32(name.encode())]))
    return Question(name, int(seed), template.text.format(**numbers), numbers)


def grade(answers: Mapping[str, Any], seed: int) -> dict[str, Feedback]:
    """Check a student's answers.

    Parameters
    ----------
    answers : mapping
        From the name of a question to the answer, a float.
    seed : int
        The student's seed.

    Returns
    -------
    dict
        From the name to its `Feedback`. Their number of right answers is ``sum(map(bool, grade(...).values()))``.

    Raises
    ------
    ValueError
        As `ask`.
    """
    checks.instance("answers", answers, Mapping)
    return {name: ask(name, seed).check(answer) for name, answer in answers.items()}
