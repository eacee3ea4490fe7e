"""Checkers for the chapter on averaging and variance reduction."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def start(answer: Any) -> str:
    if close(answer, 1e6, tolerance=0.01):
        return "A million steps, where the iterate itself forgets within a thousand."
    if close(answer, 1e3, tolerance=0.01):
        raise NotYet("Square the start term: (R / (alpha h k))^2 has k squared.")
    raise NotYet("Set (R / (alpha h k))^2 equal to (sigma / h)^2 / k and solve for k.")


def running_mean(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function running_mean(path, first).")
    path = np.random.default_rng(0).standard_normal((8, 3))
    for first in (1, 4):
        given = np.asarray(answer(path.copy(), first))
        if given.shape != path.shape:
            raise NotYet("It should return one mean for each row of the path: an array of the same shape.")
        if not np.allclose(given[: first - 1], path[: first - 1]):
            raise NotYet("Before step `first` the mean is the iterate itself.")
        expected = np.cumsum(path[first - 1 :], axis=0) / np.arange(1, 10 - first)[:, None]
        if not np.allclose(given[first - 1 :], expected):
            raise NotYet("From step `first` on it is the mean of the iterates since then. Steps count from 1.")
    return "One vector of memory, and no sum that grows."


def control_variate(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function svrg_gradient(grad, w, anchor, i, n).")
    A = np.random.default_rng(1).standard_normal((4, 2, 2))

    def grad(w: Any, i: int) -> Any:
        return A[i] @ w + i

    w, anchor = np.array([1.0, -1.0]), np.array([0.5, 2.0])
    full = np.mean([grad(anchor, j) for j in range(4)], axis=0)
    expected = np.array([grad(w, i) - grad(anchor, i) + full for i in range(4)])
    given = np.array([answer(grad, w, anchor, i, 4) for i in range(4)], dtype=float)
    if given.shape != expected.shape:
        raise NotYet("It should return a gradient: an array of the shape of w.")
    if not np.allclose(given.mean(0), expected.mean(0)):
        raise NotYet("Its mean over the samples should be the full gradient at w. Check the signs.")
    if not np.allclose(given, expected):
        raise NotYet("The mean is right, but not the single estimates: is the same sample used at w and at the anchor?")
    return "Unbiased, and without noise where w is the anchor."


def counting(answer: Any) -> str:
    if close(answer, 10 * (2 * 50 * 10**4 + 10**5), tolerance=1e-6):
        return "Most of it goes into the steps: the anchor is a tenth."
    if close(answer, 10 * (50 * 10**4 + 10**5), tolerance=1e-6):
        raise NotYet("Each step uses two sample gradients, at the iterate and at the anchor.")
    if close(answer, 2 * 50 * 10**4 + 10**5, tolerance=1e-6):
        raise NotYet("That is one stage, which halves the gap.")
    raise NotYet("The bracket is 1/2 with m = 50 L / mu: ten stages. What does a stage cost?")


CHECKERS: dict[str, Checker] = {
    "averaging-and-variance-reduction-1": start,
    "averaging-and-variance-reduction-2": running_mean,
    "averaging-and-variance-reduction-3": control_variate,
    "averaging-and-variance-reduction-4": counting,
}
