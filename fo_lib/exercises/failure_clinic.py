"""Checkers for the failure clinic."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def limit(answer: Any) -> str:
    if close(answer, 2 * 0.3 / 1.4) or close(answer, 0.3 / 1.4):
        raise NotYet("The growth factor is not alpha L, but alpha L - 1.")
    if close(answer, (1 + 1.4) / 0.3):
        raise NotYet("That is the curvature L. The limit is 2 / L.")
    if not close(answer, 2 * 0.3 / (1 + 1.4)):
        raise NotYet("The growth factor is alpha L - 1: solve for L, and take 2 / L.")
    return "A run that blows up has measured its curvature for you."


def softmax_floor(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function of the number of classes.")
    values = [answer(c) for c in (2, 10, 1000)]
    if close(values, [np.log(c) for c in (2, 10, 1000)]):
        raise NotYet("That is the loss of guessing. The probabilities may be 1 for the right class, else 0.")
    if not close(values, [np.log(1 + (c - 1) / np.e) for c in (2, 10, 1000)]):
        raise NotYet("Put the best possible probabilities, a 1 and zeros, into softmax and cross-entropy.")
    return "For 1,000 classes the loss cannot fall below 5.9, and guessing gives 6.9."


def repeats(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function repeats(losses).")
    rng = np.random.default_rng(0)
    trend, pattern = np.linspace(2, 0, 50), rng.standard_normal(50)
    fresh, fixed = trend + rng.standard_normal((4, 50)), trend + pattern + 0.1 * rng.standard_normal((4, 50))
    for losses in (fixed, fresh):
        changes = np.diff(losses, axis=1)
        wanted = np.mean([np.corrcoef(changes[k], changes[k + 1])[0, 1] for k in range(3)])
        if close(answer(losses), np.mean([np.corrcoef(losses[k], losses[k + 1])[0, 1] for k in range(3)])):
            raise NotYet("Those are the losses themselves: their common trend correlates. Take the changes.")
        if not close(answer(losses), wanted):
            raise NotYet("Correlate np.diff of each epoch with that of the next one, and take the mean over the pairs.")
    return "Near 1 for a repeated order, near 0 for fresh ones."


CHECKERS: dict[str, Checker] = {
    "failure-clinic-1": limit,
    "failure-clinic-2": softmax_floor,
    "failure-clinic-3": repeats,
}
