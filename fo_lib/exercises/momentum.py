"""Checkers for the chapter on momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def limit(answer: Any) -> str:
    if close(answer, 2 / 4):
        raise NotYet("That is the limit 2 / L of plain gradient descent. Momentum moves it.")
    if close(answer, (1 + np.sqrt(0.9)) ** 2 / 4, tolerance=1e-4):
        raise NotYet("That is where the roots stop being complex. The run still converges there.")
    if not close(answer, 2 * 1.9 / 4, tolerance=1e-4):
        raise NotYet("Find the window in which both roots lie inside the unit circle, for alpha times L.")
    return "Nearly twice the limit of gradient descent."


def tuning(answer: Any) -> str:
    alpha, beta = 4 / 121, 81 / 121
    if close(answer, (alpha, np.sqrt(beta))):
        raise NotYet("The second number is the rate rho. The momentum is its square.")
    if close(answer, (2 / 101, beta)):
        raise NotYet("That learning rate is the best one for gradient descent.")
    if not close(answer, (alpha, beta)):
        raise NotYet("Put mu = 1 and L = 100 into the tuning of the theorem: learning rate first, then momentum.")
    return "It shrinks the error by 9/11 a step, where gradient descent manages 99/101."


def _grads(w: list[Any]) -> list[Any]:
    """The gradient of a quadratic that couples two arrays of different shapes."""
    a, b = w
    return [a - 1.0 + 0.5 * b.sum(), 3.0 * b + 0.5 * a.sum()]


def _start() -> list[Any]:
    return [np.array([1.0, -2.0, 3.0]), np.array([[0.5, 1.0], [2.0, -1.0]])]


def _run(w: list[Any], rate: float, beta: float, steps: int) -> list[Any]:
    """Heavy ball with a velocity for each array."""
    v = [np.zeros_like(a) for a in w]
    for _ in range(steps):
        v = [beta * b - rate * g for b, g in zip(v, _grads(w), strict=True)]
        w = [a + b for a, b in zip(w, v, strict=True)]
    return w


def _same(given: list[Any], expected: list[Any]) -> bool:
    return all(np.allclose(a, b, rtol=1e-10, atol=0) for a, b in zip(given, expected, strict=True))


def heavy_ball(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function heavy_ball(grad, w, learning_rate, momentum, steps).")
    start = _start()
    given = list(answer(_grads, start, 0.05, 0.8, 12))
    if [np.shape(a) for a in given] != [(3,), (2, 2)]:
        raise NotYet("Return a list with one array for each array of weights, in the same order and shapes.")
    if not all(np.array_equal(a, b) for a, b in zip(start, _start(), strict=True)):
        raise NotYet("The caller's arrays have changed: += writes into them.")
    if _same(given, _run(start, 0.05, 0.0, 12)):
        raise NotYet("That is gradient descent: the velocity has to survive from step to step.")
    if not _same(list(answer(_grads, start, 0.05, 0.8, 1)), _run(start, 0.05, 0.8, 1)):
        raise NotYet(
            "From rest the first step should be that of gradient descent, for every array. Is a velocity shared?"
        )
    if not _same(given, _run(start, 0.05, 0.8, 12)):
        raise NotYet("One step is right, twelve are not: one velocity for each array, kept until the next step.")
    return "One velocity for each array of weights."


def critical(answer: Any) -> str:
    if close(answer, 0.8):
        raise NotYet("That is the double root, the decay per step. The momentum is its square.")
    if close(answer, 0.6):
        raise NotYet("That is the critical friction of the differential equation. The recurrence differs a little.")
    if close(answer, 1.2**2):
        raise NotYet("A momentum of 1 or more never comes to rest. Take the other solution.")
    if not close(answer, 0.64):
        raise NotYet("The double root needs (1 + beta - alpha lambda)^2 = 4 beta, with alpha lambda = 0.04.")
    return "Any less is overdamped, any more swings."


CHECKERS: dict[str, Checker] = {
    "momentum-1": limit,
    "momentum-2": tuning,
    "momentum-3": heavy_ball,
    "momentum-4": critical,
}
