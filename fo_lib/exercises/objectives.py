"""Checkers for the chapter on objectives."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def smoothness(answer: Any) -> str:
    X = np.array([[1.0, 0.0], [1.0, 2.0], [0.0, -1.0], [2.0, 1.0]])
    largest = np.linalg.eigvalsh(X.T @ X)[-1]
    if close(answer, largest / 4 + 0.1):
        raise NotYet("That is for squared loss. What is the largest second derivative of the logistic loss?")
    if close(answer, largest / 16):
        raise NotYet("The penalty adds to the curvature.")
    if not close(answer, largest / 16 + 0.1):
        raise NotYet("It is (c / n) times the largest eigenvalue of X'X, plus lambda.")
    return "It is attained at w = 0, where every prediction is undecided."


def huber_gradient(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function huber_gradient(w, X, y, threshold).")
    rng = np.random.default_rng(0)
    X, y, w = rng.standard_normal((9, 3)), 3 * rng.standard_normal(9), rng.standard_normal(3)
    residual = X @ w - y
    given = np.asarray(answer(w, X, y, 0.8))
    expected = np.clip(residual, -0.8, 0.8) @ X / 9
    if given.shape == (3,) and np.allclose(given, 9 * expected):
        raise NotYet("That is the sum over the samples; f is a mean.")
    if given.shape == (3,) and np.allclose(given, np.clip(residual @ X / 9, -0.8, 0.8)):
        raise NotYet("You clipped the gradient. The loss clips each residual.")
    if not close(given, expected, tolerance=1e-9):
        raise NotYet("The derivative of the loss by the prediction is the residual, clipped to the threshold.")
    return "No sample can pull harder than the threshold times its features."


def forward(answer: Any) -> str:
    if close(answer, (3 * 2.0**-52) ** (1 / 3)):
        raise NotYet("That is for central differences.")
    if not close(answer, np.sqrt(2 * 2.0**-52), tolerance=0.05):
        raise NotYet("Add the two errors and minimize their sum over h.")
    return "The error there is of the same size: half of the digits are lost."


def pinball(answer: Any) -> str:
    if close(answer, 10):
        raise NotYet("That is the median, best for equal charges on both sides.")
    if not close(answer, 18, tolerance=1e-6):
        raise NotYet("Where do nine targets below balance one above?")
    return "The 0.9-quantile: the loss decides what is estimated."


CHECKERS: dict[str, Checker] = {
    "objectives-1": smoothness,
    "objectives-2": huber_gradient,
    "objectives-3": forward,
    "objectives-4": pinball,
}
