"""Checkers for the chapter on generalization and stability."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def own(answer: Any) -> str:
    if close(answer, 1 / 5):
        return "Positive, so wrong: the private features have used up what the first feature knows."
    if close(answer, -1 / 5) or close(answer, -3 / 5):
        raise NotYet("The score is w_1 y + w_2 + w_3, and all three weights are equal and positive.")
    if close(answer, 1 / 4):
        raise NotYet("That is for one and five private features. What is c now?")
    raise NotYet("Find c in X sign(X'y) = c y from a positive sample, then lambda = 1 / c.")


def units(answer: Any) -> str:
    square = 8 / (5 / 80 - 3 / 120)
    if close(answer, np.sqrt(square)):
        return "Fifteen times the unit, and the method of least norm relies on private features, too."
    if close(answer, square):
        raise NotYet("That is the square of sigma.")
    raise NotYet("Solve sigma^2 (5/N - 3/P) = 8 with P = 120 and N = 80.")


def product(answer: Any) -> str:
    if close(answer, 1.0):
        return "The flattest minimizer is u = v = 1, of sharpness 2; beyond this rate there is nowhere to settle."
    if close(answer, 2.0):
        raise NotYet("2 is the least sharpness of a minimizer. The rate belongs to it by 2 / alpha.")
    raise NotYet("On uv = 1 the Hessian has the eigenvalues 0 and u^2 + v^2. What is the least value of the latter?")


def largest(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function largest(times, d).")
    Q = np.linalg.qr(np.random.default_rng(1).standard_normal((5, 5)))[0]
    for spectrum in ([3.0, 1.0, 0.5, 0.0, -1.0], [2.0, 1.0, 0.0, -1.0, -5.0], [-1.0, -2.0, -3.0, -4.0, -6.0]):
        A = (Q * spectrum) @ Q.T
        found = answer(lambda v, A=A: A @ v, 5)
        if not close(found, spectrum[0], tolerance=5e-3):
            if close(found, spectrum[-1], tolerance=5e-3):
                raise NotYet(f"For the eigenvalues {spectrum} it found the one of largest size. Shift the matrix.")
            raise NotYet(f"For the eigenvalues {spectrum} it returned {float(found):.4g}.")
    return "Right for three spectra, one of them all negative."


CHECKERS: dict[str, Checker] = {
    "generalization-and-stability-1": own,
    "generalization-and-stability-2": units,
    "generalization-and-stability-3": product,
    "generalization-and-stability-4": largest,
}
