"""Answers to the exercises on momentum: right ones, and slips with the hint that each should meet."""

import numpy as np


def heavy_ball(grad, w, learning_rate, momentum, steps):
    v = [np.zeros_like(a) for a in w]
    for _ in range(steps):
        v = [momentum * b - learning_rate * g for b, g in zip(v, grad(w), strict=True)]
        w = [a + b for a, b in zip(w, v, strict=True)]
    return w


def shared_velocity(grad, w, learning_rate, momentum, steps):
    """The classic slip: one number, overwritten by each array in turn."""
    v = 0.0
    w = list(w)
    for _ in range(steps):
        for i, g in enumerate(grad(w)):
            v = momentum * np.mean(v) - learning_rate * g
            w[i] = w[i] + v
    return w


def in_place(grad, w, learning_rate, momentum, steps):
    v = [np.zeros_like(a) for a in w]
    for _ in range(steps):
        v = [momentum * b - learning_rate * g for b, g in zip(v, grad(w), strict=True)]
        for a, b in zip(w, v, strict=True):
            a += b
    return w


def averaged(grad, w, learning_rate, momentum, steps):
    """Right in the first step only: the velocity is halved after each."""
    v = [np.zeros_like(a) for a in w]
    for _ in range(steps):
        v = [momentum * b / 2 - learning_rate * g for b, g in zip(v, grad(w), strict=True)]
        w = [a + b for a, b in zip(w, v, strict=True)]
    return w


RIGHT = {
    "momentum-1": 0.95,
    "momentum-2": (4 / 121, 81 / 121),
    "momentum-3": heavy_ball,
    "momentum-4": 0.64,
}

WRONG = [
    ("momentum-1", 0.5, "of plain gradient descent"),
    ("momentum-1", (1 + np.sqrt(0.9)) ** 2 / 4, "stop being complex"),
    ("momentum-1", 1.9, "inside the unit circle"),
    ("momentum-2", (4 / 121, 9 / 11), "The momentum is its square"),
    ("momentum-2", (2 / 101, 81 / 121), "best one for gradient descent"),
    ("momentum-2", (0.1, 0.9), "Put mu = 1"),
    ("momentum-2", 4 / 121, "an array of shape"),
    ("momentum-3", 1.0, "should be a function"),
    ("momentum-3", lambda *a: heavy_ball(*a)[:1], "one array for each array"),
    ("momentum-3", in_place, "have changed"),
    (
        "momentum-3",
        lambda grad, w, rate, beta, steps: heavy_ball(grad, w, rate, 0.0, steps),
        "survive from step to step",
    ),
    ("momentum-3", shared_velocity, "Is a velocity shared"),
    ("momentum-3", averaged, "twelve are not"),
    ("momentum-4", 0.8, "The momentum is its square"),
    ("momentum-4", 0.6, "differential equation"),
    ("momentum-4", 1.44, "never comes to rest"),
    ("momentum-4", 0.9, "needs (1 + beta"),
]
