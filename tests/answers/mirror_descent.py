"""Answers to the exercises on mirror descent: right ones, and slips with the hint that each should meet."""

import numpy as np


def step(w, g, learning_rate, *, sign=-1, divide=True, safe=True, first_order=False):
    exponent = sign * learning_rate * g
    new = w * (1 + exponent) if first_order else w * np.exp(exponent - exponent.max() * safe)
    return new / new.sum() if divide else new


def in_place(w, g, learning_rate):
    w *= np.exp(-learning_rate * g)
    return w / w.sum()


def shifts_in_place(w, g, learning_rate):
    g -= g.min()
    return step(w, g, learning_rate)


def scales_in_place(w, g, learning_rate):
    g *= -learning_rate
    new = w * np.exp(g - g.max())
    return new / new.sum()


def clipped(limit):
    def answer(w, g, learning_rate):
        new = w * np.exp(np.clip(-learning_rate * g, -limit, limit))
        return new / new.sum()

    return answer


def smallest_first(w, g, learning_rate):
    """Never too large an exponent, but zeros divided by zero if all of them are low."""
    new = w * np.exp(np.minimum(-learning_rate * g - np.max(-learning_rate * g).clip(0), 0))
    return new / new.sum()


def slip(**settings):
    return lambda w, g, learning_rate: step(w, g, learning_rate, **settings)


BURG = 0.5 + np.log(2) - 1 + 3 - np.log(3) - 1

RIGHT = {
    "mirror-descent-1": (1 / 3, 2 / 3),
    "mirror-descent-2": 34_539,
    "mirror-descent-3": step,
    "mirror-descent-4": BURG,
    "mirror-descent-5": (0.775, 0.225),
}

WRONG = [
    ("mirror-descent-1", (2 / 3, 1 / 3), "Wrong way"),
    ("mirror-descent-1", (0.25, 0.5), "Divide by the sum"),
    ("mirror-descent-1", (0.5, 0.5), "Multiply each weight"),
    ("mirror-descent-2", 138_156, "losses in [-1, 1]"),
    ("mirror-descent-2", 5_000_000, "logarithm of the number"),
    ("mirror-descent-2", 34_538, "smallest whole T"),
    ("mirror-descent-3", 1.0, "should be a function"),
    ("mirror-descent-3", in_place, "has changed"),
    ("mirror-descent-3", shifts_in_place, "has changed"),
    ("mirror-descent-3", scales_in_place, "has changed"),
    ("mirror-descent-3", clipped(700), "Wrong for g = [-10000.0, -20000.0, 0.0]"),
    ("mirror-descent-3", smallest_first, "Wrong for g = [10000.0, 10000.0, 10000.0]"),
    ("mirror-descent-3", slip(divide=False, safe=False), "Divide by the sum"),
    ("mirror-descent-3", slip(sign=1), "make a weight smaller"),
    ("mirror-descent-3", slip(first_order=True), "only to first order"),
    ("mirror-descent-3", lambda w, g, learning_rate: step(w, g, 2 * learning_rate), "Multiply each weight"),
    ("mirror-descent-3", slip(safe=False), "Subtract the largest exponent"),
    ("mirror-descent-4", 2 - np.log(2) - 1 + 1 / 3 + np.log(3) - 1, "other order"),
    ("mirror-descent-4", np.log(2 / 3), "linear part"),
    ("mirror-descent-4", 0.5, "Each entry contributes"),
    ("mirror-descent-5", (1.55, 0.45), "multiply the weights"),
    ("mirror-descent-5", (0.55 / 0.7, 0.15 / 0.7), "within each sample"),
    ("mirror-descent-5", (1 / (1 + np.exp(-1.1)), 1 / (1 + np.exp(1.1))), "exponentiated gradient"),
    ("mirror-descent-5", (0.9, 0.1), "share of component 1"),
]
