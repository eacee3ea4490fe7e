"""Answers to the questions on fewer messages, by other calculations than those of the bank."""

import numpy as np
from scipy import optimize


def limit_by_bisection(L, delay):
    """Where the largest root of z^(delay + 1) - z^delay + rate L leaves the unit circle."""

    def excess(rate):
        coefficients = np.zeros(delay + 2)
        coefficients[[0, 1]] = 1, -1
        coefficients[-1] += rate * L
        return np.abs(np.roots(coefficients)).max() - 1

    return optimize.brentq(excess, 0.2 / (delay + 1) / L, 3 / (delay + 1) / L, xtol=1e-13)


def rest_by_rounds(h, c, rate, local):
    """Rounds, until nothing moves."""
    w, before = 0.0, np.inf
    while abs(w - before) > 1e-14:
        ends, before = [w, w], w
        for _ in range(local):
            ends = [ends[0] - rate * ends[0], ends[1] - rate * h * (ends[1] - c)]
        w = sum(ends) / 2
    return w
