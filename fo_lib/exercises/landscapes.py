"""Checkers for the chapter on loss landscapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def steps(answer: Any) -> str:
    if close(answer, 56) or close(answer, np.log(1e12) / 0.5):
        raise NotYet("That is the time of the flow. A step multiplies the distance by 1 + alpha gamma.")
    if not close(answer, 69):
        raise NotYet(
            "The distance is multiplied by 1.5 in each step: how often until it is 10^12 times larger? Round up."
        )
    return "Twelve decades in 69 steps: a logarithm."


def growth(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function growth(alpha, beta, gamma).")
    alpha, beta, gamma = 0.2, 0.8, 0.5
    small, large = np.sort(np.roots([1, -(1 + beta + alpha * gamma), beta]).real)
    given = answer(alpha, beta, gamma)
    for wrong, hint in (
        (1 + alpha * gamma, "That is gradient descent. Momentum adds beta times the last step."),
        (1 + alpha * gamma / (1 - beta), "That is the limit for small rates. Momentum lags behind the growth."),
        (small, "That is the smaller root, which dies out."),
        (np.sqrt(beta), "With negative curvature the roots are real: check the sign of the curvature."),
    ):
        if close(given, wrong):
            raise NotYet(hint)
    if not close(given, large):
        raise NotYet("Write the step for a component c with gradient -gamma c, try c = z^k, and solve for z.")
    if not close(answer(0.1, 0.0, 2.0), 1.2):
        raise NotYet("Without momentum it should be 1 + alpha gamma.")
    return "The larger root: above 1 for every momentum."


def copies(answer: Any) -> str:
    if close(answer, 12):
        raise NotYet("Those are the permutations. Signs of tanh units can be changed, too.")
    if close(answer, 32):
        raise NotYet("Those are the signs. Units can be renamed, too.")
    if close(answer, 56):
        raise NotYet("The choices in the two layers are independent: multiply.")
    if not close(answer, 384):
        raise NotYet("Count 2^m m! for each layer.")
    return "384 copies of a network of five units."


def curvature(answer: Any) -> str:
    d, trace, squares = 1000, 900, 10_800
    variance = 2 * (d * squares - trace**2) / (d**2 * (d + 2))
    if close(answer, [trace / d, variance]):
        raise NotYet("The second number is the variance: take the root.")
    if not close(answer, [trace / d, np.sqrt(variance)]):
        raise NotYet("You need the trace and the sum of the squared eigenvalues: see the first part of the theorem.")
    return "Six standard deviations above zero, at a saddle."


CHECKERS: dict[str, Checker] = {
    "landscapes-1": steps,
    "landscapes-2": growth,
    "landscapes-3": copies,
    "landscapes-4": curvature,
}
