"""Checkers for the chapter on stochastic gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def ball(answer: Any) -> str:
    if close(answer, 2 / 13):
        return "Small rates would need 2/9: the factor 2 - alpha h matters here."
    if close(answer, 2 / 9):
        raise NotYet("That leaves out alpha h in the denominator 2 - alpha h.")
    raise NotYet("Set alpha sigma^2 / (h (2 - alpha h)) equal to 0.25 and solve for alpha.")


def price(answer: Any) -> str:
    if close(answer, 9 / 8):
        return "An eighth more: near the best c the price of a wrong guess is small."
    if close(answer, (4 / 3) ** 2 / (8 / 3 - 1)):
        raise NotYet("With the guess too large, c = 1 / guess is too small: c h is 3/4.")
    raise NotYet("Write the limit of the theorem in terms of c h, and divide by its value at c h = 1.")


def _data() -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    return rng.standard_normal((6, 2)), rng.standard_normal(6)


def _expected(X: Any, y: Any, steps: int) -> Any:
    """Mean of the last iterate: the mean step is affine in the mean."""
    mean = np.zeros(2)
    for k in range(1, steps + 1):
        mean = mean - 0.3 / k * X.T @ (X @ mean - y) / len(X)
    return mean


def code(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function sgd(X, y, rate, steps, seed).")
    X, y = _data()
    try:
        ends = np.array([answer(X, y, lambda k: 0.3 / k, 2, seed) for seed in range(400)])
    except ZeroDivisionError:
        raise NotYet("Steps count from 1: rate(0) is never asked for.") from None
    if ends.shape != (400, 2):
        raise NotYet("It should return the last iterate, an array with one entry for each column of X.")
    if np.array_equal(ends[0], ends[1]) and np.array_equal(ends[0], ends[2]):
        raise NotYet("Three seeds give the same result: is every step made with a single, random sample?")
    if not np.array_equal(ends[7], answer(X, y, lambda k: 0.3 / k, 2, 7)):
        raise NotYet("The same seed should give the same result: draw from default_rng(seed), and from nothing else.")
    distinct = len({tuple(np.round(end, 12)) for end in ends})
    if distinct <= 30:
        raise NotYet("Two steps can use the same sample twice: draw independently, not from a permutation.")
    if np.abs(ends.mean(0) - _expected(X, y, 2)).max() > 5 * ends.std(0).max() / 20:
        raise NotYet("On average it should step along the full gradient. Sign, rate(k), the residual of the sample?")
    return "Independent draws, the right mean, and repeatable."


def kaczmarz(answer: Any) -> str:
    if close(answer, 1 - 2 / 11):
        return "Each step has one chance in eleven, times two rows, to repair the small coordinate."
    if close(answer, 2 / 11):
        raise NotYet("That is what is taken away. What is left?")
    raise NotYet("You need the smallest eigenvalue of X'X and the sum of all squared entries.")


CHECKERS: dict[str, Checker] = {
    "stochastic-gradient-descent-1": ball,
    "stochastic-gradient-descent-2": price,
    "stochastic-gradient-descent-3": code,
    "stochastic-gradient-descent-4": kaczmarz,
}
