"""Checkers for the chapter on tuning and fair comparison."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def trials(answer: Any) -> str:
    if close(answer, 227):
        raise NotYet("227 trials fall just short: round up.")
    if close(answer, 59):
        raise NotYet("That is for the top 5 % with probability 0.95.")
    if not close(answer, 228, tolerance=1e-9):
        raise NotYet("All n trials miss the top 2 % with probability 0.98^n.")
    return "About what a grid of six values in three knobs costs, and no more with thirty knobs."


def noise_scale(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function noise_scale(G).")
    G = np.random.default_rng(0).standard_normal((7, 4)) + 1
    n, squared, spread = len(G), np.sum(G.mean(axis=0) ** 2), G.var(axis=0).sum()
    trace = spread * n / (n - 1)
    given = answer(G.copy())
    for wrong, hint in (
        (spread / squared, "Two corrections are missing: of the spread, and of the squared norm of the mean."),
        (trace / squared, "The squared norm of the mean gradient contains noise: its expectation is not |g|^2."),
        (spread / (squared - spread / n), "The spread around the sample mean is too small on average: n - 1."),
        ((squared - trace / n) / trace, "That is the inverse: the noise belongs in the numerator."),
    ):
        if close(given, wrong):
            raise NotYet(hint)
    if not close(given, trace / (squared - trace / n)):
        raise NotYet("Rows are samples. Estimate the trace with n - 1, and subtract a share of it from |mean|^2.")
    return "Two unbiased estimates. Their quotient is still biased: average each over steps before dividing."


def seeds(answer: Any) -> str:
    if close(answer, 11):
        raise NotYet("Both methods vary: the variance of a difference is twice that of one.")
    if close(answer, 31):
        raise NotYet("Only one of the two can win wrongly: use the one-sided quantile, 1.645.")
    if not close(answer, 22):
        raise NotYet("Solve Phi(-delta sqrt(n) / (s sqrt 2)) = 0.05 for n, and round up.")
    return "Twenty-two, for half a standard deviation. With a correlation of 0.8 it would be five."


def paying_in_steps(answer: Any) -> str:
    if close(answer, 5):
        raise NotYet("That is the excess, S / S_min - 1.")
    if close(answer, 1.2):
        raise NotYet("That is the price in samples. The product of the two excesses is one.")
    if not close(answer, 6):
        raise NotYet("Put E / E_min = 1.2 into the hyperbola.")
    return "The last samples saved are dear."


CHECKERS: dict[str, Checker] = {
    "tuning-1": trials,
    "tuning-2": noise_scale,
    "tuning-3": seeds,
    "tuning-4": paying_in_steps,
}
