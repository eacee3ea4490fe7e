"""Checkers for the chapter on word embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def first_loss(answer: Any) -> str:
    if close(answer, 6 * np.log(2)):
        return "One coin flip for the neighbour and one for each negative."
    if close(answer, 5 * np.log(2)) or close(answer, np.log(2)):
        raise NotYet("The true neighbour and its five negatives are six terms.")
    raise NotYet("All scores are zero at first, and sigma(0) = 1/2.")


def score(answer: Any) -> str:
    if close(answer, np.log(30 / 90 / 0.001 / 5)):
        return "Odds against the noise, K draws of it."
    if close(answer, np.log(30 / 120 / 0.001 / 5)):
        raise NotYet("That is where negatives may be the neighbour itself. Here they may not.")
    if close(answer, np.log(30 / 90 / 0.001)):
        raise NotYet("There are K negatives for each pair.")
    raise NotYet("Look up the second line of the proposition on scores at the minimum.")


def batch_loss(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function batch_loss(u, v, noise, contexts, negatives, weight).")
    rng = np.random.default_rng(0)
    u, v, noise = rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), rng.normal(size=(4, 2))
    contexts, negatives = np.array([5, 6, 7]), np.array([1, 6, 2, 6])

    def expected(counted: np.ndarray[Any, Any], weight: float) -> float:
        attracted = np.logaddexp(0, -np.einsum("ij,ij->i", u, v))
        return float(attracted.sum() + weight * (counted * np.logaddexp(0, u @ noise.T)).sum())

    counted = contexts[:, None] != negatives[None]
    given = answer(u, v, noise, contexts, negatives, 0.5)
    if close(given, expected(counted, 0.5)):
        far = answer(1000 * u, v, noise, contexts, negatives, 0.5)
        u = 1000 * u
        if not close(far, expected(counted, 0.5)):
            raise NotYet("Right for small scores, not for scores of a thousand: use np.logaddexp(0, s).")
        return "Stable, weighed, and no neighbour is punished as a negative."
    if close(given, expected(counted, 0.5) / 3):
        raise NotYet("That is the mean over the pairs; the sum is asked for.")
    if close(given, expected(counted, 1.0)):
        raise NotYet("Each negative counts with the weight.")
    if close(given, expected(np.ones_like(counted), 0.5)):
        raise NotYet("The second pair has the negative 6, which is its own context: that must not count.")
    raise NotYet("Sum log(1 + exp(-u.v)) over the pairs, and weight log(1 + exp(u.n)) over pairs and negatives.")


def stride(answer: Any) -> str:
    if close(answer, 20.0):
        return "The root of the rarity."
    if close(answer, 400.0):
        raise NotYet("It makes 400 steps between two touches, but each is shorter than alpha.")
    raise NotYet("Dense Adam moves it by alpha sqrt(m) a touch; and lazy Adam?")


CHECKERS: dict[str, Checker] = {
    "word-embeddings-1": first_loss,
    "word-embeddings-2": score,
    "word-embeddings-3": batch_loss,
    "word-embeddings-4": stride,
}
