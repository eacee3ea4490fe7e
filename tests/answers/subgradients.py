"""Answers to the exercises on subgradients: right ones, and slips with the hint that each should meet."""

import numpy as np


def method(value, subgradient, w, learning_rates, *, best=True, sign=1.0, start=True, scale=1.0):
    record, lowest = (w, value(w)) if start else (None, np.inf)
    for alpha in learning_rates:
        w = w - sign * scale * alpha * subgradient(w)
        if value(w) < lowest or not best:
            record, lowest = w, value(w)
    return record


def in_place(value, subgradient, w, learning_rates):
    for alpha in learning_rates:
        w -= alpha * subgradient(w)
    return w


def alias(value, subgradient, w, learning_rates):
    best = w = w.copy()
    lowest = value(w)
    for alpha in learning_rates:
        w -= alpha * subgradient(w)
        if value(w) < lowest:
            best, lowest = w, value(w)
    return best


def with_value(value, subgradient, w, learning_rates):
    best = method(value, subgradient, w, learning_rates)
    return best, value(best)


def without_last(value, subgradient, w, learning_rates):
    return method(value, subgradient, w, learning_rates[:-1])


def slip(**settings):
    return lambda *arguments: method(*arguments, **settings)


def pegasos(w, x, y, lam, t, *, sign=1, penalty=True, flat=True, label=True, rate=None):
    if y not in (-1, 1):
        raise ValueError("y must be -1 or 1")
    hinge = (y * (w @ x) < 1 or not flat) * (y if label else 1) * x
    return w - (penalty * lam * w - sign * hinge) * (1 / (lam * t) if rate is None else rate(lam, t))


def step(**settings):
    return lambda *arguments: pegasos(*arguments, **settings)


RIGHT = {
    "subgradients-1": (-2, 0),
    "subgradients-2": 40_000,
    "subgradients-3": 0.125,
    "subgradients-4": method,
    "subgradients-5": pegasos,
    "subgradients-6": (1, 4),
}

WRONG = [
    ("subgradients-1", (0, -2), "Smaller end first"),
    ("subgradients-1", (-1, 1), "one of the three"),
    ("subgradients-1", (-1, -1), "more than one subgradient"),
    ("subgradients-1", (-2, 2), "they are the ends"),
    ("subgradients-2", 200, "root of k"),
    ("subgradients-2", 4_000_000, "0.1, not 0.01"),
    ("subgradients-2", 39_999, "Solve"),
    ("subgradients-3", 0.25, "Half of that"),
    ("subgradients-3", 0.025, "squared"),
    ("subgradients-3", 0.0, "Which term"),
    ("subgradients-4", 1.0, "should be a function"),
    ("subgradients-4", in_place, "has changed"),
    ("subgradients-4", slip(best=False), "the last point"),
    ("subgradients-4", alias, "same array as w"),
    ("subgradients-4", lambda *arguments: None, "is there a return"),
    ("subgradients-4", with_value, "nothing else"),
    ("subgradients-4", lambda value, subgradient, w, learning_rates: value(w), r"one point, of shape (3,), not of"),
    ("subgradients-4", without_last, "last point counts"),
    ("subgradients-4", slip(sign=-1.0), "against it"),
    ("subgradients-4", slip(scale=0.5), "in their order"),
    ("subgradients-4", slip(start=False), "start counts"),
    ("subgradients-5", 1.0, "should be a function"),
    ("subgradients-5", step(sign=-1), "Wrong sign"),
    ("subgradients-5", step(penalty=False), "penalty has a gradient"),
    ("subgradients-5", step(flat=False), "only the penalty"),
    ("subgradients-5", step(label=False), "label is missing"),
    ("subgradients-5", lambda w, x, y, lam, t: w - (lam * w - (w @ x < 1) * y * x) / (lam * t), "margin y w.x"),
    ("subgradients-5", step(rate=lambda lam, t: lam), "the rate is not"),
    ("subgradients-5", step(rate=lambda lam, t: 1 / t**0.5), "the rate is not"),
    ("subgradients-5", step(rate=lambda lam, t: 2 / t), "the rate is not"),
    ("subgradients-5", step(rate=lambda lam, t: 1 / (lam * (t + 1))), "the rate is not"),
    ("subgradients-5", step(rate=lambda lam, t: -1 / (lam * t)), "Rate, penalty, hinge"),
    ("subgradients-5", lambda *arguments: None, "is there a return"),
    ("subgradients-5", lambda w, x, y, lam, t: w, "Rate, penalty, hinge"),
    ("subgradients-6", (4, 4), "The second is right"),
    ("subgradients-6", (4, 1), "other way round"),
    ("subgradients-6", (1, 1), "The first is right"),
    ("subgradients-6", (0, 3), "one by one"),
]
