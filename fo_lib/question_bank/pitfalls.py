"""Questions on numbers, landscapes, second-order methods and tuning."""

from __future__ import annotations

import math

from ._question import Template, one_of

__all__ = ["QUESTIONS"]


def _clipped(a: float, b: float, limit: float) -> float:
    return a * min(1.0, limit / math.hypot(a, b))


QUESTIONS = (
    Template(
        "numerical-instability/clip",
        "The gradients of two layers are ({a},) and ({b},), the limit on the global norm is {limit}. What"
        " becomes of the first?",
        one_of(a=(3.0, 6.0, 9.0), b=(4.0, 8.0, 12.0), limit=(1.0, 2.0, 5.0)),
        _clipped,
        "All gradients are multiplied by the same number, limit over their common norm.",
        "The direction stays; clipping each layer on its own would turn it.",
    ),
    Template(
        "numerical-instability/softmax",
        "Logits ({big:g}, {small:g}), the label is the second. What is the cross-entropy?",
        one_of(big=(100.0, 200.0, 1000.0), small=(-100.0, 0.0, 50.0)),
        lambda big, small: big - small + math.log1p(math.exp(small - big)),
        "Subtract the larger logit before taking exponentials.",
        "Beyond a gap of about 745, or 103 in single precision, the logarithm of the rounded softmax says infinity.",
    ),
    Template(
        "landscapes/saddle",
        "Gradient descent with the rate {rate} near a saddle, {y:g} away from it along a direction of curvature"
        " -{h}. After how many steps is it at"
        " least 1 away? (The function is quadratic.)",
        one_of(rate=(0.01, 0.05, 0.1), y=(1e-4, 1e-8, 1e-12), h=(0.5, 1.0, 2.0)),
        lambda rate, y, h: math.ceil(math.log(1 / y) / math.log1p(rate * h) - 1e-9),
        "The distance is multiplied by 1 + rate h in every step.",
        "The logarithm of the distance counts: a saddle holds a run up for long only if it starts very close.",
        whole=True,
    ),
    Template(
        "second-order/quadratic",
        "Newton's method near a minimizer doubles the number of right digits. The error is 10^-{digits} now."
        " After how many steps is it at most"
        " 10^-{goal}? (Each error is the square of the last.)",
        one_of(digits=(1, 2, 3, 4, 5), goal=(12, 16, 30, 50, 60, 100, 120, 200)),
        lambda digits, goal: math.ceil(math.log2(goal / digits) - 1e-9),
        "The exponent doubles: digits, 2 digits, 4 digits, ...",
        "Which is why nobody counts Newton steps beyond the first few.",
        whole=True,
    ),
    Template(
        "tuning/random",
        "{share:.0%} of all settings are good enough. How many random trials find one of them with a"
        " probability of at least {sure:.0%}?",
        one_of(share=(0.02, 0.05, 0.1, 0.2), sure=(0.8, 0.9, 0.95, 0.99)),
        lambda share, sure: math.ceil(math.log(1 - sure) / math.log(1 - share) - 1e-9),
        "The probability that all n trials miss is (1 - share)^n.",
        "The number of hyperparameters does not occur in it.",
        whole=True,
    ),
    Template(
        "tuning/critical",
        "The critical batch size is {critical}. How many times the fewest possible steps does a batch of {b} need?",
        one_of(critical=(100, 250, 1000, 4000), b=(50, 200, 500, 1000)),
        lambda critical, b: 1 + critical / b,
        "At the critical batch size it is twice the fewest.",
        "Far below the critical size, twice the batch halves the steps.",
    ),
    Template(
        "failure-clinic/curvature",
        "Gradient descent at the rate {rate}, full batch, quadratic loss. Late in the run each step multiplies"
        " the loss by {growth}. Which"
        " curvature does that?",
        one_of(rate=(0.01, 0.02, 0.05, 0.1), growth=(1.21, 1.44, 2.25, 4.0)),
        lambda rate, growth: (1 + math.sqrt(growth)) / rate,
        "The loss grows by (1 - rate h)^2, and only a rate h beyond 2 makes that more than 1.",
        "Late in a diverging run the steepest direction is all that is seen: its growth tells the curvature.",
    ),
)
