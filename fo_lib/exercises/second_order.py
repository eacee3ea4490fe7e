"""Checkers for the chapter on second-order methods."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def digits(answer: Any) -> str:
    if close(answer, np.ceil(100 / np.log10(2))):
        raise NotYet("That would be a method that halves the error. This one squares it.")
    if not close(answer, 9):
        raise NotYet("1 - w is squared in each step: write the error after k steps as a power of 0.5, and round up.")
    return "From one digit to a hundred in nine steps."


def damped_step(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function damped_step(w, g, H).")
    rng = np.random.default_rng(0)
    root, w, g = rng.standard_normal((4, 4)), rng.standard_normal(4), rng.standard_normal(4)
    H = root @ root.T + np.eye(4)
    s = np.linalg.solve(H, -g)
    delta = np.sqrt(-g @ s)
    given = np.asarray(answer(w.copy(), g.copy(), H.copy()))
    for wrong, hint in (
        (s, "That is the plain step. Shorten it by 1 + delta."),
        (s / (1 + delta**2), "The decrement is the root of -g @ s."),
        (s / (1 + np.linalg.norm(g)), "The decrement is not the norm of the gradient: it measures by the Hessian."),
        (s / (1 + np.linalg.norm(s)), "The decrement is not the length of the step: it measures by the Hessian."),
        (-s / (1 + delta), "The step goes uphill."),
    ):
        if given.shape == (4,) and np.allclose(given, w + wrong):
            raise NotYet(hint)
    if not close(given, w + s / (1 + delta), tolerance=1e-9):
        raise NotYet("Solve H s = -g, take delta from g and s, and return w plus the shortened step.")
    return "Direction and decrement from one linear system."


def price(answer: Any) -> str:
    d, n = 600, 10_000
    if close(answer, d / 2 + d**2 / (12 * n)):
        raise NotYet("Nearly: a Newton step needs its gradient, too.")
    if not close(answer, 1 + d / 2 + d**2 / (12 * n)):
        raise NotYet("Divide 2 n d^2 and d^3 / 3 by the 4 n d flops of a gradient.")
    return "Three hundred gradients: Newton has to save as many steps."


def gauss_newton(answer: Any) -> str:
    if close(answer, 0.5):
        raise NotYet("That is the upper end, where 0 is no minimizer any more.")
    if close(answer, -1):
        raise NotYet("That is the answer for the residuals of the chapter. These are twice as large at 0.")
    if not close(answer, -0.5):
        raise NotYet("Compute J'J and S at 0: the error is multiplied by -S / J'J. When is that larger than -1?")
    return "A large residual and a curved model: together they decide."


CHECKERS: dict[str, Checker] = {
    "second-order-1": digits,
    "second-order-2": damped_step,
    "second-order-3": price,
    "second-order-4": gauss_newton,
}
