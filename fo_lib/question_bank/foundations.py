"""Questions on objectives, gradient descent and step sizes."""

from __future__ import annotations

import math

from ._question import Template, one_of

__all__ = ["QUESTIONS"]


def _eigenvalues(a: float, b: float, c: float) -> tuple[float, float]:
    """Of the symmetric matrix with a and c on the diagonal and b beside it; the smaller one first."""
    middle, half = (a + c) / 2, math.hypot((a - c) / 2, b)
    return middle - half, middle + half


def _condition(a: float, b: float, c: float) -> float:
    low, high = _eigenvalues(a, b, c)
    return high / low


def _accepted(h: float, first: float, c: float) -> float:
    """On h w^2 / 2 a rate is accepted if alpha h / 2 <= 1 - c."""
    rate = first
    while rate * h / 2 > 1 - c:
        rate /= 2
    return rate


QUESTIONS = (
    Template(
        "objectives/condition",
        "A quadratic has the Hessian [[{a}, {b}], [{b}, {c}]]. What is its condition number?",
        one_of(a=(5, 6, 7, 8, 9), b=(1, 2), c=(3, 4, 10, 12, 20)),
        _condition,
        "The ratio of the eigenvalues, not of the entries on the diagonal.",
        "The entry beside the diagonal makes the bowl longer than the diagonal alone would.",
    ),
    Template(
        "objectives/logistic",
        "The largest eigenvalue of X'X/n is {s}. What is the L of mean logistic loss with the penalty {l2}/2 |w|^2?",
        one_of(s=(2.0, 3.0, 6.0, 10.0, 18.0), l2=(0.01, 0.1, 0.25, 1.0)),
        lambda s, l2: s / 4 + l2,
        "How large can the second derivative of log(1 + exp(-z)) be? And what does the penalty add?",
        "The logistic loss curves by a quarter at most, and the penalty adds its factor.",
    ),
    Template(
        "gradient-descent/limit",
        "Gradient descent on a quadratic with the Hessian [[{a}, {b}], [{b}, {c}]]: below which constant"
        " learning rate does"
        " it converge from every start?",
        one_of(a=(5, 6, 7, 8, 9), b=(1, 2), c=(3, 4, 10, 12, 20)),
        lambda a, b, c: 2 / _eigenvalues(a, b, c)[1],
        "The limit is set by the largest eigenvalue.",
        "At 2 / L the steepest direction jumps to and fro, beyond that it grows.",
    ),
    Template(
        "gradient-descent/steps",
        "mu = {mu}, L = {L}. With the best constant learning rate, after how many steps is the distance to the"
        " minimizer of a"
        " quadratic certainly at most 10^-{digits} of that at the start?",
        one_of(mu=(1, 2, 4), L=(40, 60, 100, 150), digits=(3, 4, 5, 6)),
        lambda mu, L, digits: math.ceil(digits * math.log(10) / math.log((L + mu) / (L - mu))),
        "The best rate is 2 / (L + mu); which factor does a step have then? Round up.",
        "About 1.15 times the condition number for each digit.",
        whole=True,
    ),
    Template(
        "step-sizes/exact",
        "Exact line search on a quadratic with mu = {mu} and L = {L}: by which factor is the gap f - f*"
        " multiplied in a step, in the"
        " worst case?",
        one_of(mu=(1, 2, 3, 5), L=(10, 20, 40, 80)),
        lambda mu, L: ((L - mu) / (L + mu)) ** 2,
        "The gap, not the distance: the factor is a square.",
        "The same as the best constant rate achieves; what exact search saves is knowing L and mu.",
    ),
    Template(
        "step-sizes/armijo",
        "f(w) = ({h}/2) w^2. Backtracking tries {first}, then half of it, and so on, until f has fallen by at"
        " least {c} times alpha |f'|^2."
        " Which learning rate does it accept?",
        one_of(h=(3.0, 5.0, 6.0, 7.0, 9.0, 11.0, 13.0), first=(1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0), c=(0.1, 0.25, 0.4)),
        _accepted,
        "f(w - alpha h w) = (1 - alpha h)^2 f(w): for which alpha is that enough?",
        "A rate is accepted if alpha h / 2 is at most 1 - c.",
    ),
)
