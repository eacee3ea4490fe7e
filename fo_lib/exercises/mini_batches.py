"""Checkers for the chapter on mini-batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def batch_size(answer: Any) -> str:
    n, variance, error = 10_000, 4.0, 0.03
    if close(answer, np.ceil(variance / error**2), tolerance=1e-3):
        raise NotYet("That is for draws with replacement. Without, the factor (n - b) / (n - 1) helps.")
    if not close(answer, np.ceil(n * variance / (variance + error**2 * (n - 1))), tolerance=1e-9):
        raise NotYet("Set the variance of the theorem equal to 0.03 squared, solve for b, and round up.")
    return "Nearly a third of the data: an accurate gradient is expensive."


def batches(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function batches(n, size, rng).")
    for n, size, sizes in ((10, 4, [4, 4, 2]), (60, 20, [20, 20, 20])):
        one, two = (list(answer(n, size, np.random.default_rng(seed))) for seed in (0, 1))
        if [len(rows) for rows in one] != sizes:
            raise NotYet(f"For n = {n} and size {size} there are batches of {', '.join(map(str, sizes))}.")
        if sorted(np.concatenate(one).tolist()) != list(range(n)):
            raise NotYet("Every sample should appear exactly once an epoch.")
        again = list(answer(n, size, np.random.default_rng(0)))
        if np.concatenate(again).tolist() != np.concatenate(one).tolist():
            raise NotYet("The same rng should give the same batches: draw from it, and from nothing else.")
        first = set(one[0].tolist())
        if first == set(two[0].tolist()) or first == set(range(size)):
            raise NotYet("Which samples meet in a batch should be random: draw the whole order from rng.")
    return "Every sample once, in a random order."


def batch_gradient(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function batch_gradient(w, X, y, rows).")
    rng = np.random.default_rng(0)
    X, y, w = rng.standard_normal((8, 3)), np.array([1.0, -1.0] * 4), rng.standard_normal(3)
    rows = np.array([1, 4, 6])
    with np.errstate(all="ignore"):
        expected = -(y[rows] / (1 + np.exp(y[rows] * (X[rows] @ w)))) @ X[rows] / 3
    given = np.asarray(answer(w, X, y, rows))
    if given.shape == (3,) and np.allclose(given, 3 * expected):
        raise NotYet("That is the sum over the batch. Divide by its size.")
    everything = -(y / (1 + np.exp(y * (X @ w)))) @ X / 8
    if given.shape == (3,) and np.allclose(given, everything):
        raise NotYet("That is the mean over all samples. Use the rows.")
    if given.shape == (3,) and np.allclose(given, -expected):
        raise NotYet("The sign is wrong.")
    if not close(given, expected, tolerance=1e-9):
        raise NotYet("Compare with finite differences: fo_lib.check_gradient does.")
    try:
        with np.errstate(over="raise", invalid="raise"):
            far = answer(1e5 * w, X, y, rows)
    except FloatingPointError:
        raise NotYet("For large w an exponential overflows: np.logaddexp(0, z) is log(1 + exp(z)) without.") from None
    if not np.all(np.isfinite(far)):
        raise NotYet("For large w it is not finite: look for an exponential that overflows.")
    return "A mean, with the right sign, and stable."


def breaks(answer: Any) -> str:
    if close(answer, 2.0):
        raise NotYet("That is where the small steps diverge.")
    if not close(answer, 2 / 8):
        raise NotYet("The single step multiplies w by 1 - 8 eta h. When is that larger than 1 in size?")
    return "The large step is eight times nearer to the edge."


CHECKERS: dict[str, Checker] = {
    "mini-batches-1": batch_size,
    "mini-batches-2": batches,
    "mini-batches-3": batch_gradient,
    "mini-batches-4": breaks,
}
