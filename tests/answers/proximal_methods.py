"""Answers to the exercises on proximal methods: right ones, and slips with the hint that each should meet."""

import numpy as np


def prox_relu(w, rate, *, keep=True, stop=True, used=True):
    level = rate if used else 1.0
    moved = np.where(w > level, w - level, np.minimum(w, 0))
    if not keep:
        return np.maximum(w - level, 0)
    return moved if stop else w - level * (w > 0)


def ista(grad, prox, w, L, steps, *, rate=None, before=False, momentum=False, scale=1.0):
    x = y = w
    alpha = 1 / L if rate is None else rate
    for t in range(1, steps + 1):
        if before:
            z = prox(y, alpha)
            new = z - grad(z) / L
        else:
            new = prox(y - scale * grad(y) / L, alpha)
        y = new + (t - 1) / (t + 2) * (new - x) if momentum else new
        x = new
    return x


def in_place(grad, prox, w, L, steps):
    for _ in range(steps):
        w -= grad(w) / L
        w[:] = prox(w, 1 / L)
    return w


def slip(function, **settings):
    return lambda *arguments: function(*arguments, **settings)


RIGHT = {
    "proximal-methods-1": (2.0, 0.0, -0.5),
    "proximal-methods-2": prox_relu,
    "proximal-methods-3": ista,
    "proximal-methods-4": 5 / 18,
    "proximal-methods-5": 1.0,
}

WRONG = [
    ("proximal-methods-1", (2.5, 0, -1.0), "learning rate times the weight"),
    ("proximal-methods-1", (3.0, 0, -1.5), "hard threshold"),
    ("proximal-methods-1", (2.0, 0.6, -0.5), "would cross zero"),
    ("proximal-methods-1", (1.0, 0, 0), "not beyond"),
    ("proximal-methods-2", 1.0, "should be a function"),
    ("proximal-methods-2", lambda w, rate: np.sign(w) * np.maximum(np.abs(w) - rate, 0), "operator of |w|"),
    ("proximal-methods-2", slip(prox_relu, keep=False), "stay where they are"),
    ("proximal-methods-2", slip(prox_relu, stop=False), "crossed the kink"),
    ("proximal-methods-2", slip(prox_relu, used=False), "second argument"),
    ("proximal-methods-2", lambda w, rate: w, "Three cases"),
    ("proximal-methods-3", 1.0, "should be a function"),
    ("proximal-methods-3", in_place, "has changed"),
    ("proximal-methods-3", slip(ista, rate=1.0), "1 / L, not 1"),
    ("proximal-methods-3", slip(ista, rate=0.0), "operator is missing"),
    ("proximal-methods-3", slip(ista, before=True), "other way round"),
    ("proximal-methods-3", slip(ista, momentum=True), "That is FISTA"),
    ("proximal-methods-3", slip(ista, scale=0.5), "by hand and compare"),
    ("proximal-methods-4", 0.0, "not allowed"),
    ("proximal-methods-4", 2.5, "That is the objective"),
    ("proximal-methods-4", 20 / 9, "value of the dual"),
    ("proximal-methods-4", 0.25, "true gap"),
    ("proximal-methods-4", 1.0, "r = y - Xw"),
    ("proximal-methods-5", 2 / 3, "That is 2 / L"),
    ("proximal-methods-5", 0.5, "twice as much"),
    ("proximal-methods-5", 2.0, "part of the Hessian"),
]
