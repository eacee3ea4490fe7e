"""Questions on Adagrad, Adam, weight decay and what came after."""

from __future__ import annotations

import math

from ._question import Template, one_of

__all__ = ["QUESTIONS"]

_SCHULZ = (3.4445, -4.7750, 2.0315)


def _schulz(s: float) -> float:
    a, b, c = _SCHULZ
    return a * s + b * s**3 + c * s**5


QUESTIONS = (
    Template(
        "adagrad/step",
        "Adagrad with the rate {rate} sees the same gradient, {g}, in every step. How long is step number {t}?"
        " (No epsilon.)",
        one_of(rate=(0.01, 0.1, 0.5), g=(0.2, 1.0, 5.0), t=(9, 25, 64, 100)),
        lambda rate, g, t: rate / math.sqrt(t),
        "The sum of squares after t steps is t g^2.",
        "The size of the gradient has cancelled.",
    ),
    Template(
        "adam/spike",
        "Adam with beta1 = {beta1} and beta2 = {beta2} has seen gradients of zero for a very long time. Then"
        " comes one that is not. How long is that step,"
        " in learning rates?",
        one_of(beta1=(0.0, 0.5, 0.9), beta2=(0.9, 0.99, 0.999, 0.9999)),
        lambda beta1, beta2: (1 - beta1) / math.sqrt(1 - beta2),
        "m holds (1 - beta1) g, and v holds (1 - beta2) g^2.",
        "The paper gives this as the longest step, which it is for beta1 = 0 only: gradients that grow attain more.",
    ),
    Template(
        "adam/first",
        "The very first gradient is {g:g}, the learning rate {rate}, epsilon {epsilon:g}, added to the root of"
        " the corrected second moment. How long is Adam's first step?",
        one_of(g=(1e-8, 1e-7, 1e-6), rate=(0.001, 0.01), epsilon=(1e-8, 1e-7, 1e-6)),
        lambda g, rate, epsilon: rate * g / (g + epsilon),
        "After the corrections m is g and v is g^2; epsilon stands beside the root.",
        "With a gradient as small as epsilon the step is half of what it would be.",
    ),
    Template(
        "weight-decay/equilibrium",
        "AdamW with beta1 = 0 under pure noise: each step multiplies a weight by 1 - {rate} * {decay} (learning"
        " rate times decay) and adds one learning rate of random sign. At which root mean square does it settle?",
        one_of(rate=(0.001, 0.003, 0.01), decay=(0.01, 0.05, 0.1, 0.2)),
        lambda rate, decay: math.sqrt(rate / (decay * (2 - rate * decay))),
        "w^2 = (1 - rate decay)^2 w^2 + rate^2.",
        "It depends on the ratio of rate and decay; how fast it is reached, on their product.",
    ),
    Template(
        "beyond-adam/muon",
        "What does one step of Muon's iteration, with the coefficients 3.4445, -4.7750 and 2.0315, make of the"
        " singular value {s}?",
        one_of(s=tuple(round(0.05 * k, 2) for k in range(1, 21))),
        _schulz,
        "An odd polynomial: a s + b s^3 + c s^5.",
        "Small ones grow 3.44 times; those near one end between 0.7 and 1.2.",
    ),
    Template(
        "generalization/edge",
        "Gradient descent with the full gradient, without momentum, at the rate {rate} runs at the edge of"
        " stability. Around which sharpness does it hover?",
        one_of(rate=(0.008, 0.01, 0.016, 0.02, 0.025, 0.04, 0.05, 0.08, 0.1, 0.125, 0.16, 0.2, 0.25, 0.4)),
        lambda rate: 2 / rate,
        "The largest curvature at which a step of this rate does not grow.",
        "The rate chooses the sharpness, not the other way round.",
    ),
)
