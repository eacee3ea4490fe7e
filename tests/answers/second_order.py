"""Answers to the exercises on second-order methods: right ones, and slips with the hint that each should meet."""

import numpy as np


def step(w, g, H, power=0.5):
    s = np.linalg.solve(H, -g)
    return w + s / (1 + (-g @ s) ** power)


def shortened(by):
    def wrong(w, g, H):
        s = np.linalg.solve(H, -g)
        return w + s / (1 + by(g, s))

    return wrong


RIGHT = {
    "second-order-1": 9,
    "second-order-2": step,
    "second-order-3": 304,
    "second-order-4": -0.5,
}

WRONG = [
    ("second-order-1", 333, "This one squares it"),
    ("second-order-1", 8, "round up"),
    ("second-order-2", 1.0, "should be a function"),
    ("second-order-2", shortened(lambda g, s: 0.0), "the plain step"),
    ("second-order-2", lambda w, g, H: step(w, g, H, power=1), "the root of"),
    ("second-order-2", shortened(lambda g, s: np.linalg.norm(g)), "not the norm of the gradient"),
    ("second-order-2", shortened(lambda g, s: np.linalg.norm(s)), "not the length of the step"),
    ("second-order-2", lambda w, g, H: 2 * w - step(w, g, H), "uphill"),
    ("second-order-2", lambda w, g, H: w, "Solve H s = -g"),
    ("second-order-3", 303, "needs its gradient"),
    ("second-order-3", 600, "flops of a gradient"),
    ("second-order-4", 0.5, "the upper end"),
    ("second-order-4", -1.0, "the residuals of the chapter"),
    ("second-order-4", 0.25, "the error is multiplied by"),
]
