"""Checkers for the chapter on methods beyond Adam."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def step(answer: Any) -> str:
    if np.shape(answer) != (2, 2):
        raise NotYet("The answer should be a matrix of two rows and two columns.")
    S, right = np.asarray(answer, dtype=float), np.array([[0.0, -0.1], [0.1, 0.0]])
    G = np.array([[0.0, 2.0], [-3.0, 0.0]])
    if np.allclose(S, right, atol=1e-9):
        return "Both directions get the same step, and the value is -0.1 times the sum of the singular values."
    if np.allclose(S, -right, atol=1e-9):
        raise NotYet("That is the steepest way up.")
    if np.allclose(S, -0.1 * G / np.linalg.norm(G)) or np.allclose(S, -0.1 * G / 3):
        raise NotYet("A multiple of the gradient: its two singular values still differ. Both may be 0.1.")
    raise NotYet("Write G as U diag(3, 2) V^T, and take -0.1 U V^T.")


def polar(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function polar(G).")
    rng = np.random.default_rng(0)
    for shape in ((4, 4), (5, 3), (3, 6)):
        G = 10 * rng.standard_normal(shape)
        U, _, V = np.linalg.svd(G, full_matrices=False)
        kept = G.copy()
        with np.errstate(all="ignore"):
            got = answer(G)
        if not np.array_equal(G, kept):
            raise NotYet("The matrix that was passed in has changed.")
        if np.shape(got) != shape:
            raise NotYet(f"For a matrix of shape {shape} it returned the shape {np.shape(got)}.")
        if not np.all(np.isfinite(got)):
            raise NotYet("It diverges. Scale the matrix first: the iteration needs singular values below sqrt(3).")
        if not np.allclose(got, U @ V, atol=1e-9):
            raise NotYet(
                f"For the shape {shape} it is off by {np.max(np.abs(got - U @ V)):.0e}. Iterate longer, with"
                " coefficients whose fixed point is 1 (those of Muon have another aim)."
            )
    return "Ten digits without a decomposition, tall and wide."


def promise(answer: Any) -> str:
    if close(answer, 201 * 100 / 300):
        return "Dense gradient, one steep direction: the best case for signs."
    if close(answer, 300 / (201 * 100)):
        raise NotYet("The other way round: sign descent over gradient descent.")
    if close(answer, 1.0):
        raise NotYet("L in the largest entry is at most d times the Euclidean one. Here it is less: the trace.")
    raise NotYet("Divide |g|_1^2 / trace(H) by |g|_2^2 / max(H).")


def decay(answer: Any) -> str:
    steps = int(np.ceil(np.log(0.1 / 20) / np.log(1 - 1e-4)))
    if close(answer, steps, tolerance=1e-9):
        return "Fifty thousand steps: with a decay like this the box is far away in time."
    if close(answer, steps, tolerance=1e-3):
        raise NotYet("Nearly: use the factor 1 - 1e-4 itself, and the first whole number at which it is below.")
    if close(answer, np.log(10.1 / 30) / np.log(1 - 1e-4), tolerance=1e-3):
        raise NotYet("The weight does not shrink to 0, since the gradients push. What shrinks is its distance to 10.")
    raise NotYet("The distance to 1 / lambda is 20 at the start, and shrinks by 1 - alpha lambda in each step.")


CHECKERS: dict[str, Checker] = {
    "beyond-adam-1": step,
    "beyond-adam-2": polar,
    "beyond-adam-3": promise,
    "beyond-adam-4": decay,
}
