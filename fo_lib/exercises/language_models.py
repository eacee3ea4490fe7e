"""Checkers for the chapter on language models."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def steps(answer: Any) -> str:
    exact = np.log(999 / np.expm1(0.1)) / 0.02
    if close(answer, np.ceil(exact), tolerance=1e-6):
        return "For all classes alike, the most frequent and the rarest."
    if close(answer, exact, tolerance=1e-2):
        raise NotYet("Almost: a number of steps is whole, and the loss must be at most 0.1 after it.")
    if close(answer, 2 * exact, tolerance=1e-2):
        raise NotYet("The right logit goes up and the wrong ones go down: the margin grows by twice the rate.")
    raise NotYet("Solve log(1 + 999 exp(-2 alpha t)) = 0.1 for t.")


def advantage(answer: Any) -> str:
    square = (1 - 0.99**100) / (1 - 0.99)
    if close(answer, np.sqrt(square)):
        return "Not the 10 of the root: a memory of 100 steps half forgets between two occurrences."
    if close(answer, np.sqrt(square) / 100):
        raise NotYet("That is Adam's speed. Divide it by the speed 1/n of gradient descent.")
    if close(answer, 10.0):
        raise NotYet("That is the limit of long memories. This memory is as long as the gap.")
    if close(answer, square):
        raise NotYet("Adam divides by a root mean square: take the root.")
    raise NotYet("Take s(n) with beta1 = 0, where the second and third factors are 1, and divide by 1/n.")


def scores(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function scores_gradient(A, inner).")
    rng = np.random.default_rng(0)
    A = rng.dirichlet(np.ones(5), size=4)
    inner = rng.standard_normal((4, 5))
    right = A * (inner - (A * inner).sum(axis=1, keepdims=True))
    given = answer(A, inner)
    if close(given, A * inner):
        raise NotYet("A weight that grows takes from the others of its row: subtract the mean of the row under A.")
    if close(given, A * (inner - inner.mean(axis=1, keepdims=True))):
        raise NotYet("The mean to subtract is the one under A, not the plain one.")
    if not close(given, right, tolerance=1e-9):
        raise NotYet("In each row: A times (inner minus the mean of inner under A).")
    return "Its rows add up to zero: attention can only be moved around."


def sampling(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function probabilities(z, temperature, top).")
    z = np.array([2.0, 1.0, 0.0, -1.0, 3.0])
    for temperature, top in ((1.0, 5), (0.5, 3), (2.0, 2)):
        kept = np.where(z >= np.sort(z)[-top], np.exp(z / temperature), 0.0)
        given = np.asarray(answer(z.copy(), temperature, top), float)
        if given.shape == z.shape and np.count_nonzero(given) != top:
            raise NotYet(f"With top={top}, {np.count_nonzero(given)} tokens can be drawn.")
        if given.shape == z.shape and not np.isclose(given.sum(), 1):
            raise NotYet("Probabilities add up to 1, after the others were removed.")
        if not close(given, kept / kept.sum(), tolerance=1e-6):
            raise NotYet(f"For the temperature {temperature:g} it is something else. Divide the logits by it.")
    return "As the temperature goes to zero, this becomes the most likely token."


CHECKERS: dict[str, Checker] = {
    "language-models-1": steps,
    "language-models-2": advantage,
    "language-models-3": scores,
    "language-models-4": sampling,
}
