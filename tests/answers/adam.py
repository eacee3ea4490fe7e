"""Answers to the exercises on Adam: right ones, and slips with the hint that each should meet."""

import numpy as np

M = 0.1 * (0.81 + 0.9 - 1)


def adam_step(w, g, state, learning_rate, beta1, beta2, epsilon, advance=1):
    t, moments = state or (0, [(0.0, 0.0)] * len(w))
    t, new, updated = max(t + advance, 1), [], []
    for a, b, (m, v) in zip(w, g, moments, strict=True):
        m, v = beta1 * m + (1 - beta1) * b, beta2 * v + (1 - beta2) * b * b
        new.append(a - learning_rate * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon))
        updated.append((m, v))
    return new, (t, updated)


def in_place(w, g, state, *settings):
    new, state = adam_step(w, g, state, *settings)
    for a, b in zip(w, new, strict=True):
        a[...] = b
    return w, state


RIGHT = {
    "adam-1": M / (1 - 0.9**3),
    "adam-2": adam_step,
    "adam-3": 0.1 / np.sqrt(0.05) / np.sqrt(1 - 0.81 / 0.95),
    "adam-4": 1e-7 / np.sqrt(0.001),
}

WRONG = [
    ("adam-1", M, "still has to be corrected"),
    ("adam-1", -M / (1 - 0.9**3), "which sign"),
    ("adam-1", 1.0, "v_hat is 1"),
    ("adam-2", 1.0, "should be a function"),
    ("adam-2", in_place, "have changed"),
    ("adam-2", lambda w, g, state, *a: (w[:1], state), "a list of weights"),
    ("adam-2", lambda *a: adam_step(*a, advance=0), "Step 2 is off"),
    ("adam-3", 0.1 / np.sqrt(0.05), "for a single spike"),
    ("adam-3", 7.27, "the limit in the theorem"),
    ("adam-4", 1e-7, "uncorrected root"),
    ("adam-4", 1.0, "solve for a half"),
]
