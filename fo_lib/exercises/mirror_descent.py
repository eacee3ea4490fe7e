"""Checkers for the chapter on mirror descent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def by_hand(answer: Any) -> str:
    if close(answer, (2 / 3, 1 / 3)):
        raise NotYet("Wrong way: a loss makes a weight smaller.")
    if close(answer, (0.25, 0.5)):
        raise NotYet("Divide by the sum: the weights have to add up to 1.")
    if not close(answer, (1 / 3, 2 / 3)):
        raise NotYet("Multiply each weight by exp(-alpha g), then divide all by their sum.")
    return "The odds, 1 to 1, were halved; odds are what is multiplied."


def rounds(answer: Any) -> str:
    if close(answer, 138_156, tolerance=1e-4):
        raise NotYet("That is for losses in [-1, 1]. Here the width is 1.")
    if close(answer, 1000 / (2 * 0.01**2)):
        raise NotYet("The logarithm of the number of experts counts, not the number.")
    if not close(answer, 34_539, tolerance=1e-9):
        raise NotYet("Solve sqrt(T ln(d) / 2) / T <= 0.01 for the smallest whole T.")
    return "A million experts would take only twice as many."


def step(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function step(w, g, learning_rate).")
    w, g = np.array([0.5, 0.3, 0.2]), np.array([1.0, -2.0, 0.5])
    given = _untouched(answer, w, g, 0.3)
    right, wrong_way = (w * np.exp(sign * 0.3 * g) for sign in (-1, 1))
    slips: list[tuple[Any, str]] = [
        (right, "Divide by the sum."),
        (wrong_way / wrong_way.sum(), "A loss should make a weight smaller."),
        (w * (1 - 0.3 * g) / (w * (1 - 0.3 * g)).sum(), "That is 1 - alpha g, the exponential only to first order."),
    ]
    for slip, hint in slips:
        if np.allclose(given, slip, rtol=1e-9):
            raise NotYet(hint)
    if not np.allclose(given, right / right.sum(), rtol=1e-9):
        raise NotYet("Multiply each weight by exp(-alpha g), then divide all by their sum.")
    for large, wanted in EXTREMES:
        with np.errstate(all="ignore"):
            given = _untouched(answer, w, np.array(large), 1.0)
        if not np.allclose(given, wanted, rtol=1e-9, atol=1e-12):
            raise NotYet(f"Wrong for g = {large}. Subtract the largest exponent from all before the exponential.")
    return "And it is right however large the gradient is."


EXTREMES: list[tuple[list[float], list[float]]] = [
    ([-1e4, -1e4, 0.0], [0.625, 0.375, 0]),
    ([-1e4, -2e4, 0.0], [0, 1, 0]),
    ([1e4, 1e4, 1e4], [0.5, 0.3, 0.2]),
]


def _untouched(answer: Any, w: Any, g: Any, rate: float) -> Any:
    """What a reader's step returns; refuse one that writes into its arguments."""
    own_w, own_g = w.copy(), g.copy()
    given = np.array(answer(own_w, own_g, rate), float)
    if not (np.array_equal(own_w, w) and np.array_equal(own_g, g)):
        raise NotYet("A caller's array has changed: operators such as *= and -= write into it.")
    return given


def burg(answer: Any) -> str:
    if close(answer, 2 - math.log(2) - 1 + 1 / 3 + math.log(3) - 1):
        raise NotYet("The other order: D(u, w) is not D(w, u).")
    if close(answer, math.log(2) - math.log(3)):
        raise NotYet("That is h(u) - h(w). The linear part is missing.")
    if not close(answer, 0.5 + math.log(2) - 1 + 3 - math.log(3) - 1):
        raise NotYet("Each entry contributes u / w - ln(u / w) - 1.")
    return "Zero exactly where u = w, in every entry."


def em(answer: Any) -> str:
    if close(answer, (1.55, 0.45)):
        raise NotYet("Those are the factors, -g. They multiply the weights.")
    if close(answer, (0.55 / 0.7, 0.15 / 0.7)):
        raise NotYet("Take the shares within each sample first, then their mean.")
    if close(answer, (1 / (1 + math.exp(-1.1)), 1 / (1 + math.exp(1.1)))):
        raise NotYet("That is exponentiated gradient: EM multiplies by -g itself, not by its exponential.")
    if not close(answer, (0.775, 0.225)):
        raise NotYet("For each sample, the share of component 1 in w_1 P_i1 + w_2 P_i2; then their mean.")
    return "Both samples prefer the first component, so that further steps lead to (1, 0)."


CHECKERS: dict[str, Checker] = {
    "mirror-descent-1": by_hand,
    "mirror-descent-2": rounds,
    "mirror-descent-3": step,
    "mirror-descent-4": burg,
    "mirror-descent-5": em,
}
