"""Checkers for the chapter on Adam."""

from __future__ import annotations

from typing import Any

import numpy as np

from fo_lib import rules

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def three(answer: Any) -> str:
    m = 0.1 * (0.81 + 0.9 - 1)
    if close(answer, m / (1 - 0.9**3)):
        return "A quarter of a learning rate: two votes against one, the last vote counting most."
    if close(answer, m):
        raise NotYet("The first moment still has to be corrected.")
    if close(answer, -m / (1 - 0.9**3)):
        raise NotYet("The size is right. The first two gradients still outvote the third: which sign?")
    raise NotYet("All gradients have size 1, so v_hat is 1. Work out m after three steps, and correct it.")


def _lists() -> tuple[list[Any], list[list[Any]]]:
    rng = np.random.default_rng(0)
    w = [rng.standard_normal((2, 3)), rng.standard_normal(4)]
    return w, [[rng.standard_normal(a.shape) for a in w] for _ in range(12)]


def code(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function adam_step(w, g, state, learning_rate, beta1, beta2, epsilon).")
    start, gradients = _lists()
    expected, moments = [a.copy() for a in start], [(0.0, 0.0)] * 2
    w, state = [a.copy() for a in start], None
    for t, g in enumerate(gradients, start=1):
        kept = [a.copy() for a in w]
        new, state = answer(w, g, state, 0.1, 0.8, 0.9, 0.5)
        if any(not np.array_equal(a, b) for a, b in zip(w, kept, strict=True)):
            raise NotYet("The weights that were passed in have changed.")
        if [np.shape(a) for a in new] != [a.shape for a in start]:
            raise NotYet("It should return a list of weights of the shapes it was given, and the state.")
        for i in range(2):
            step = rules.adam(expected[i], g[i], *moments[i], t, 0.1, 0.8, 0.9, 0.5)
            expected[i], moments[i] = step[0], step[1:]
        if not all(np.allclose(a, b, rtol=1e-9) for a, b in zip(new, expected, strict=True)):
            raise NotYet(
                f"Step {t} is off. The counter, from 1? Both corrections? epsilon beside the root, inside the"
                " denominator? Moments of their own for each variable?"
            )
        w = new
    return "Twelve steps on two variables, right to the last digit."


def largest(answer: Any) -> str:
    if close(answer, 0.1 / np.sqrt(0.05) / np.sqrt(1 - 0.81 / 0.95)):
        return "Hardly more than one learning rate: such steps are safe."
    if close(answer, 0.1 / np.sqrt(0.05)):
        raise NotYet("That is the bound of the paper, for a single spike. Gradients can do worse.")
    raise NotYet("Use the limit in the theorem, with r = beta1^2 / beta2.")


def half(answer: Any) -> str:
    if close(answer, 1e-7 / np.sqrt(0.001)):
        return "Three hundred times the gradient at which the paper's Adam takes half a step."
    if close(answer, 1e-7):
        raise NotYet("Beside the uncorrected root: v after the first step is 0.001 g^2.")
    raise NotYet("Write the first step as sqrt(0.001) g / (sqrt(0.001) g + 1e-7), and solve for a half.")


CHECKERS: dict[str, Checker] = {
    "adam-1": three,
    "adam-2": code,
    "adam-3": largest,
    "adam-4": half,
}
