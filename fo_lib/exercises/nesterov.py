"""Checkers for the chapter on Nesterov's acceleration."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def momentum(answer: Any) -> str:
    if close(answer, (19 / 21) ** 2):
        raise NotYet("That is the heavy ball's momentum. Nesterov's is not squared.")
    if close(answer, 399 / 401):
        raise NotYet("Take the root of the condition number.")
    if not close(answer, 19 / 21):
        raise NotYet("Put kappa = 400 into the momentum of the theorem for strongly convex functions.")
    return "Slightly more than 0.9."


def steps(answer: Any) -> str:
    if close(answer, 25_000, tolerance=1e-3):
        raise NotYet("That is what gradient descent needs.")
    if close(answer, 448, tolerance=1e-9):
        raise NotYet("Nearly: the bound has k + 1 in it.")
    if not close(answer, 447, tolerance=1e-9):
        raise NotYet("Solve 2 L R^2 / (k + 1)^2 <= accuracy for the smallest whole k.")
    return "Gradient descent would need 25,000."


def _grad(w: Any) -> Any:
    """Gradient of a smooth convex function with L = 4."""
    return np.array([3.0, 0.5, 0.02]) * w + np.tanh(w)


def _nesterov(
    start: Any, count: int, *, ahead: bool = True, shift: int = 0, last: str = "x", beta: float | None = None
) -> Any:
    """Accelerated descent with L = 4, and the slips to be told apart."""
    x = y = start
    for t in range(1, count + 1):
        new = y - _grad(y if ahead else x) / 4
        y = new + ((t - 1 + shift) / (t + 2 + shift) if beta is None else beta) * (new - x)
        x = new
    return x if last == "x" else y


def accelerated(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function accelerated(grad, x, L, steps).")
    first = np.array([1.0, -2.0, 3.0])
    start = first.copy()
    given = np.asarray(answer(_grad, start, 4.0, 20))
    if not np.array_equal(start, first):
        raise NotYet("The caller's array has changed: += writes into it.")
    slips: list[tuple[dict[str, Any], str]] = [
        ({"beta": 0.0}, "That is gradient descent: the momentum is missing."),
        ({"last": "y"}, "That is the look-ahead point y. The theorem is about x."),
        ({"ahead": False}, "Take the gradient at the point you step from, y."),
        ({"shift": 1}, "The momentum after the first step is 0: t counts from 1."),
    ]
    for settings, hint in slips:
        if np.allclose(given, _nesterov(first, 20, **settings), rtol=1e-9, atol=1e-12):
            raise NotYet(hint)
    if not np.allclose(given, _nesterov(first, 20), rtol=1e-9, atol=1e-12):
        raise NotYet("Follow the algorithm box for three steps by hand and compare.")
    return "One line more than gradient descent."


def edge(answer: Any) -> str:
    if close(answer, 0.5):
        raise NotYet("That is the limit of gradient descent. Nesterov's is lower.")
    if close(answer, 0.95):
        raise NotYet("That is the limit of the heavy ball. Nesterov's is lower.")
    if not close(answer, 3.8 / 2.8 / 4):
        raise NotYet("Put beta = 0.9 into (2 + 2 beta) / (1 + 2 beta); that limits alpha times L.")
    return "A third less than gradient descent stands."


def point(answer: Any) -> str:
    if close(answer, (1.55, 0.18)):
        raise NotYet("Wrong sign: w lies ahead of x, in the direction of v.")
    if close(answer, (2.5, -0.2)):
        raise NotYet("The velocity has to be multiplied by the momentum.")
    if not close(answer, (2.45, -0.18)):
        raise NotYet("The rule's weights are w = x + beta v.")
    return "There, and not at w, the theorems hold."


CHECKERS: dict[str, Checker] = {
    "nesterov-1": momentum,
    "nesterov-2": steps,
    "nesterov-3": accelerated,
    "nesterov-4": edge,
    "nesterov-5": point,
}
