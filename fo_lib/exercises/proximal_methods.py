"""Checkers for the chapter on proximal methods."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def threshold(answer: Any) -> str:
    if close(answer, (2.5, 0, -1.0)):
        raise NotYet("The threshold is the learning rate times the weight of the penalty.")
    if close(answer, (3.0, 0, -1.5)):
        raise NotYet("That is the hard threshold. The soft one also moves what it keeps.")
    if close(answer, (2.0, 0.6, -0.5)):
        raise NotYet("The second entry would cross zero. It stops there.")
    if not close(answer, (2.0, 0, -0.5)):
        raise NotYet("Move each entry towards zero by the threshold, and not beyond.")
    return "Exact zeros: the middle entry does not come close to zero, it is zero."


def one_sided(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function prox_relu(w, learning_rate).")
    w, rate = np.array([3.0, 0.8, 0.3, 0.0, -0.2, -2.0]), 0.5
    given = np.asarray(answer(w.copy(), rate), float)
    soft = np.sign(w) * np.maximum(np.abs(w) - rate, 0)
    if np.allclose(given, soft, atol=1e-12):
        raise NotYet("That is the operator of |w|. Here negative weights cost nothing: they stay where they are.")
    if np.allclose(given, np.maximum(w - rate, 0), atol=1e-12):
        raise NotYet("Negative weights cost nothing: they stay where they are.")
    if np.allclose(given, w - rate * (w > 0), atol=1e-12):
        raise NotYet("A weight between zero and the learning rate has crossed the kink. It should stop there.")
    if np.allclose(given, np.where(w > 1, w - 1, np.minimum(w, 0)), atol=1e-12):
        raise NotYet("The learning rate is the second argument; use it.")
    right = np.where(w > rate, w - rate, np.minimum(w, 0))
    if not np.allclose(given, right, atol=1e-12):
        raise NotYet("Three cases: w above the learning rate, between zero and it, below zero.")
    return "A kink on one side only: what is positive and small becomes zero, what is negative stays."


def _grad(w: Any) -> Any:
    """Gradient of a smooth convex function with L = 4."""
    return np.array([3.0, 0.5, 0.02]) * (w - np.array([0.1, 2.0, -5.0])) + np.tanh(w)


def _prox(w: Any, rate: float) -> Any:
    return w - np.clip(w, -0.1 * rate, 0.1 * rate)


def _ista(start: Any, count: int, *, rate: float = 0.25, before: bool = False, momentum: bool = False) -> Any:
    """The method with L = 4, and the slips to be told apart."""
    x = y = start
    for t in range(1, count + 1):
        if before:
            z = _prox(y, rate)
            new = z - _grad(z) / 4
        else:
            new = _prox(y - _grad(y) / 4, rate)
        y = new + (t - 1) / (t + 2) * (new - x) if momentum else new
        x = new
    return x


def ista(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function ista(grad, prox, w, L, steps).")
    first = np.array([1.0, -2.0, 3.0])
    start = first.copy()
    given = np.asarray(answer(_grad, _prox, start, 4.0, 20))
    if not np.array_equal(start, first):
        raise NotYet("The caller's array has changed: -= writes into it.")
    slips: list[tuple[dict[str, Any], str]] = [
        ({"rate": 1.0}, "The operator needs the learning rate as well: 1 / L, not 1."),
        ({"rate": 0.0}, "The operator is missing, or got a learning rate of zero."),
        ({"before": True}, "The other way round: first the gradient step, then the operator."),
        ({"momentum": True}, "That is FISTA. ISTA has no momentum."),
    ]
    for settings, hint in slips:
        if np.allclose(given, _ista(first, 20, **settings), rtol=1e-9, atol=1e-12):
            raise NotYet(hint)
    if not np.allclose(given, _ista(first, 20), rtol=1e-9, atol=1e-12):
        raise NotYet("Follow the algorithm box for three steps by hand and compare.")
    return "One line, and it solves every problem of the chapter."


def certificate(answer: Any) -> str:
    if close(answer, 0):
        raise NotYet("That is the difference at theta = r / n, which is not allowed: X'r / n has an entry of 1.5.")
    if close(answer, 2.5):
        raise NotYet("That is the objective: subtract the value of the dual problem.")
    if close(answer, 20 / 9):
        raise NotYet("That is the value of the dual problem: subtract it from the objective.")
    if close(answer, 0.25):
        raise NotYet("That is the true gap. The certificate does not know the minimizer, and is a little larger.")
    if not close(answer, 5 / 18):
        raise NotYet("r = y - Xw; theta = s r / n, with the largest s <= 1 that keeps |X'theta| at most lambda.")
    return "The true gap is 0.25. No minimizer was needed to know that it is not more than this."


def support(answer: Any) -> str:
    if close(answer, 2 / 3):
        raise NotYet("That is 2 / L. Near this minimizer only one weight moves.")
    if close(answer, 0.5):
        raise NotYet("That is 1 over the curvature of the support. The limit is twice as much.")
    if not close(answer, 1.0):
        raise NotYet("Take the part of the Hessian that belongs to the weights that are not zero.")
    return "Half as long again as 2 / L = 2/3 allows."


CHECKERS: dict[str, Checker] = {
    "proximal-methods-1": threshold,
    "proximal-methods-2": one_sided,
    "proximal-methods-3": ista,
    "proximal-methods-4": certificate,
    "proximal-methods-5": support,
}
