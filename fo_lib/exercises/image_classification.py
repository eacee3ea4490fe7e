"""Checkers for the chapter on image classification."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]

Array = NDArray[np.float64]


def logit_gap(answer: Any) -> str:
    if close(answer, np.log(0.9 / 0.01)):
        raise NotYet("The right class gets its share of the even part, too: 0.91.")
    if close(answer, np.log(0.9 / 0.1)):
        raise NotYet("The tenth is spread evenly over all ten classes.")
    if close(answer, 91):
        raise NotYet("That is the ratio of the probabilities. Logits are their logarithms.")
    if not close(answer, np.log(91)):
        raise NotYet("At the optimum the probabilities are the targets: take the logarithm of their ratio.")
    return "Without smoothing the gap would have to be infinite."


def _softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def _sample(seed: int) -> tuple[Array, NDArray[np.int64]]:
    """Logits of 400 samples, and labels drawn from their probabilities."""
    rng = np.random.default_rng(seed)
    z = 2 * rng.standard_normal((400, 5))
    return z, np.array([rng.choice(5, p=p) for p in _softmax(z)])


def smoothed_gradient(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function smoothed_gradient(z, y, eps).")
    z, y = _sample(0)
    z, y = z[:7], y[:7]
    p, labels = _softmax(z), np.eye(5)[y]
    given, right = answer(z.copy(), y.copy(), 0.2), (p - 0.8 * labels - 0.04) / 7
    if close(given, 7 * right):
        raise NotYet("The loss is a mean over the samples: divide by their number.")
    if close(given, (p - labels) / 7):
        raise NotYet("Those are the hard targets: eps does not enter.")
    if close(given, (p - 0.8 * labels) / 7):
        raise NotYet("All classes get eps / K, so that the targets sum to 1, and the rows of the gradient to 0.")
    if not close(given, right):
        raise NotYet("It is (P - targets) / n, with targets (1 - eps) times the unit row, plus eps / K.")
    return "Probabilities minus targets, whatever the targets are."


def temperature(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function temperature(z, y).")
    z, y = _sample(1)

    def slope(T: float) -> float:
        q = _softmax(z / T)
        return float(((q * z).sum(1) - z[np.arange(len(z)), y]).mean())

    for factor in (3.0, 0.5):
        T = float(answer(factor * z, y))
        if not (np.isfinite(T) and T > 0):
            raise NotYet("A temperature is a positive number.")
        left, right = slope(1.001 * T / factor), slope(0.999 * T / factor)
        if left <= 0 <= right:  # the mean logit falls with T
            continue
        beta = 1 / (T * factor)
        if slope(1.001 * beta) <= 0 <= slope(0.999 * beta):
            raise NotYet("That is 1 / T: the factor of the logits, not their divisor.")
        raise NotYet("It does not minimize the mean cross-entropy of z / T: at the minimum the mean expected"
                     " logit is the mean logit of the right class.")  # fmt: skip
    return "One number, found on a convex curve, and no image changes its class."


def calibration(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function ece(confidence, right).")
    rng = np.random.default_rng(2)
    confidence = rng.uniform(0.2, 1, 500) ** 0.5
    right = rng.random(500) < 0.7
    bins = np.minimum((10 * confidence).astype(int), 9)
    gaps = [(right[bins == b] - confidence[bins == b]).sum() for b in range(10)]
    sizes = np.bincount(bins, minlength=10)
    given, wanted = answer(confidence.copy(), right.copy()), np.abs(gaps).sum() / 500
    if close(given, np.abs(np.sum(gaps)) / 500):
        raise NotYet("Take absolute values of the bins before adding them: else bins cancel.")
    if close(given, np.mean([abs(g) / n for g, n in zip(gaps, sizes, strict=True) if n])):
        raise NotYet("Weight each bin with its share of the samples.")
    if not close(given, wanted):
        raise NotYet("Ten bins of equal width; in each |accuracy - mean confidence|, times its share; add them.")
    return "Here the gaps have both signs: with one bin they would nearly cancel."


CHECKERS: dict[str, Checker] = {
    "image-classification-1": logit_gap,
    "image-classification-2": smoothed_gradient,
    "image-classification-3": temperature,
    "image-classification-4": calibration,
}
