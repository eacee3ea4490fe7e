"""Checkers for the chapter on saddle points and splitting."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Checker, NotYet, close

__all__ = ["CHECKERS"]


def edge(answer: Any) -> str:
    if close(answer, 2.0):
        raise NotYet("2 is a squared: take the root. (It is also the limit without extrapolation.)")
    if close(answer, 2 / np.sqrt(3)):
        raise NotYet("That is for theta = 1.")
    if not close(answer, np.sqrt(2)):
        raise NotYet("(1 + 2 theta) a^2 must be below 4.")
    return "With less extrapolation, larger steps; and less damping."


def certificate(answer: Any) -> str:
    if close(answer, 4 - 6):
        raise NotYet("A bound above a value bounds nothing: scale z until D^T z is in the box of the dual.")
    if close(answer, 4):
        raise NotYet("That is the value. Subtract the bound.")
    if close(answer, 3):
        raise NotYet("That is the bound, or the value without the factor lambda. The gap is value minus bound.")
    if close(answer, 3 - 3):
        raise NotYet("The jump costs lambda, here 2, not 1.")
    if not close(answer, 1):
        raise NotYet("The value is distances plus lambda times the jump; the bound is z (b2 - b1), with |z| at most 1.")
    return "And it is the true gap: (0, 0) attains the bound."


def _step(
    f: Any, g: Any, K: Any, tau: float, sigma: float, x: Any, z: Any, *, ahead: float = 1.0, moreau: bool = True,
    scaled: bool = True, sign: float = 1.0,
) -> Any:  # fmt: skip
    x_next = f(x - sign * tau * (K.T @ z), tau)
    v = z + sigma * (K @ (x_next + ahead * (x_next - x)))
    if not moreau:
        return x_next, g(v, sigma)
    return x_next, v - sigma * g(v / sigma, 1 / sigma) if scaled else v - g(v, sigma)


def step(answer: Any) -> str:
    if not callable(answer):
        raise NotYet("The answer should be a function step(f, g, K, tau, sigma, x, z).")
    rng = np.random.default_rng(0)
    K, x, z = rng.standard_normal((2, 3)), rng.standard_normal(3), rng.standard_normal(2)
    tau, sigma = 0.4, 0.3

    def f(v: Any, rate: float) -> Any:
        return (v + rate * 3.0) / (1 + rate)

    def g(v: Any, rate: float) -> Any:
        return (v + rate) / (1 + 2 * rate)

    given = x.copy(), z.copy()
    found = answer(f, g, K.copy(), tau, sigma, *given)
    if not (np.array_equal(given[0], x) and np.array_equal(given[1], z)):
        raise NotYet("The caller's arrays have changed.")
    if not (isinstance(found, tuple) and [np.shape(part) for part in found] == [(3,), (2,)]):
        raise NotYet("Return two arrays: the new x, then the new z.")

    def same(wanted: Any) -> bool:
        return all(np.allclose(one, other) for one, other in zip(found, wanted, strict=True))

    if same(_step(f, g, K, tau, sigma, x, z)):
        return "Two products with K and two operators: that is all a step costs."
    slips: list[tuple[dict[str, Any], str]] = [
        ({"ahead": 0.0}, "z saw the new x without extrapolation. Those players circle."),
        ({"ahead": -1.0}, "z saw the old x. Those players spiral outwards."),
        ({"moreau": False}, "That is the operator of g; Moreau's identity makes that of its conjugate."),
        ({"scaled": False}, "Moreau's identity at rate sigma: divide v by sigma, and g gets the rate 1 / sigma."),
        ({"sign": -1.0}, "x descends: minus tau K^T z."),
    ]
    for settings, hint in slips:
        if same(_step(f, g, K, tau, sigma, x, z, **settings)):
            raise NotYet(hint)
    raise NotYet("First x by f at rate tau, then z by the operator of the conjugate, at 2 x_next - x.")


def rounds(answer: Any) -> str:
    if close(answer, 688, tolerance=1e-9) or close(answer, 691, tolerance=1e-9):
        raise NotYet("That is gradient descent's kappa. Here it is the root of it.")
    if close(answer, 66, tolerance=1e-9):
        raise NotYet("The factor is sqrt(kappa) / (sqrt(kappa) + 1), a little larger than 1 - 1 / sqrt(kappa).")
    if close(answer, 74, tolerance=1e-9):
        raise NotYet("That counts the first round, which makes s_1. How many follow it?")
    if not close(answer, 73, tolerance=1e-9):
        raise NotYet("Solve (10 / 11)^k <= 1 / 1000 for the smallest whole k.")
    return "Each of them one vector from every worker, and one back."


CHECKERS: dict[str, Checker] = {
    "splitting-1": edge,
    "splitting-2": certificate,
    "splitting-3": step,
    "splitting-4": rounds,
}
