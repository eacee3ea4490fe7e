"""Questions on momentum and Nesterov's acceleration."""

from __future__ import annotations

import math

from ._question import Template, one_of

__all__ = ["QUESTIONS"]


def _polyak(mu: float, L: float) -> float:
    """The best momentum for curvatures between mu and L."""
    return ((math.sqrt(L) - math.sqrt(mu)) / (math.sqrt(L) + math.sqrt(mu))) ** 2


QUESTIONS = (
    Template(
        "momentum/best",
        "mu = {mu}, L = {L}. Which momentum is best for the heavy ball on quadratics?",
        one_of(mu=(1, 2, 4), L=(25, 49, 64, 100, 144, 225, 400, 900)),
        _polyak,
        "Its root is the rate: (sqrt(kappa) - 1) / (sqrt(kappa) + 1).",
        "The closer to one, the larger the condition number.",
    ),
    Template(
        "momentum/window",
        "Heavy ball with momentum {beta} along a direction of curvature {h}: below which learning rate is it stable?",
        one_of(beta=(0.5, 0.8, 0.9, 0.95), h=(2.0, 4.0, 10.0, 50.0)),
        lambda beta, h: 2 * (1 + beta) / h,
        "It is more than the 2 / h of gradient descent.",
        "1 + beta times the limit of gradient descent.",
    ),
    Template(
        "momentum/effective",
        "A recipe has the learning rate {rate} and momentum {beta}, with v = beta v - rate g. Noise dominates."
        " With which rate is plain SGD about the same?",
        one_of(rate=(0.001, 0.01, 0.02), beta=(0.8, 0.9, 0.95, 0.99)),
        lambda rate, beta: rate / (1 - beta),
        "Add up what one gradient moves the weights in all later steps.",
        "One gradient goes on to act with beta, beta^2, ... of its first effect.",
    ),
    Template(
        "nesterov/steps",
        "L = {L}, the distance to a minimizer is {R}. After how many steps of Nesterov's method does the bound"
        " 2 L R^2 / (k + 1)^2 on the gap first promise at most {gap:g}?",
        one_of(L=(1, 2, 8, 18), R=(1, 3, 10), gap=(1e-2, 1e-3, 1e-4)),
        lambda L, R, gap: math.ceil(math.sqrt(2 * L * R**2 / gap) - 1 - 1e-9),
        "Solve 2 L R^2 / (k + 1)^2 <= gap, and round up.",
        "A hundredth of the gap takes ten times the steps; gradient descent needs a hundred times.",
        whole=True,
    ),
)
