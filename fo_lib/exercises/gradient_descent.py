"""Checkers for the chapter on gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def edge(answer: Any) -> str:
    X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    limit = 2 / np.linalg.eigvalsh(X.T @ X / 3)[-1]
    if close(answer, limit):
        return "Beyond 2 / L the component along the steepest eigenvector grows in every step."
    if close(answer, limit / 2):
        raise NotYet("That is 1 / L, where the guaranteed decrease is largest. It may be longer before it diverges.")
    if close(answer, limit, tolerance=0.02):
        raise NotYet("Close. Give at least four digits, or the expression itself.")
    if close(answer, limit / 3):
        raise NotYet("Look at the factor 1 / n in f.")
    raise NotYet("The limit is set by the largest eigenvalue of the Hessian, X'X / n.")


def digits(answer: Any) -> str:
    steps = np.ceil(np.log(1e6) / np.log(471 / 469))
    if close(answer, np.ceil(np.log(1e6) / -np.log(1 - 1 / 470)), tolerance=1e-9):
        raise NotYet("That is for the learning rate 1 / L. The best one is 2 / (L + mu).")
    if close(answer, steps, tolerance=3e-4) and not close(answer, steps, tolerance=1e-9):
        raise NotYet("Nearly: the number of steps is a whole number. Round up.")
    if not close(answer, steps, tolerance=1e-9):
        raise NotYet("Solve rho^k = 1e-6 with rho = (kappa - 1) / (kappa + 1), and round up.")
    return "About 1.15 kappa steps for each digit."


def code(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function descend(grad, w, learning_rate, tolerance, steps).")
    start = np.array([1.0, -2.0])

    def grad(w: Any) -> Any:
        return np.array([1.0, 3.0]) * w

    result = answer(grad, start, 0.1, 0.0, 5)
    if not np.array_equal(start, [1.0, -2.0]):
        raise NotYet("The array that was passed in has changed: w -= ... writes into it.")
    if not close(result, [0.9**5, -2 * 0.7**5], tolerance=1e-12):
        raise NotYet("After five steps on a quadratic it is not where it should be. Sign? Number of steps?")
    path = [start]
    for _ in range(100):
        path.append(path[-1] - 0.1 * grad(path[-1]))
    norms = [float(np.linalg.norm(grad(w))) for w in path]
    for stop in (0, *range(3, 12)):  # a tolerance equal to the norm at that step: at most, and of that norm
        if not close(answer(grad, start, 0.1, norms[stop], 1000), path[stop], tolerance=1e-12):
            raise NotYet("It should return the first iterate whose gradient norm is at most the tolerance.")
    return "It stops at the right iterate and leaves its input alone."


def two_rates(answer: Any) -> str:
    if not close(sorted(np.ravel(np.asarray(answer, float))), [0.1, 1.0], tolerance=1e-6):
        raise NotYet("Two steps multiply the error at eigenvalue s by (1 - a1 s)(1 - a2 s). Make it zero at 1 and 10.")
    return "One step removes each eigenvalue."


CHECKERS: dict[str, Checker] = {
    "gradient-descent-1": edge,
    "gradient-descent-2": digits,
    "gradient-descent-3": code,
    "gradient-descent-4": two_rates,
}
