"""Answers to the exercises on methods beyond Adam: right ones, and slips with the hint that each should meet."""

import numpy as np

RIGHT_STEP = np.array([[0.0, -0.1], [0.1, 0.0]])
G = np.array([[0.0, 2.0], [-3.0, 0.0]])
STEPS = np.log(0.1 / 20) / np.log(1 - 1e-4)


def polar(G, scale=None, iterations=60, a=1.5, b=-0.5):
    X = G / (scale or np.sqrt(np.sum(G**2)))
    for _ in range(iterations):
        X = a * X + b * X @ (X.T @ X)
    return X


def in_place(G):
    result = polar(G)
    G /= 2
    return result


RIGHT = {
    "beyond-adam-1": RIGHT_STEP,
    "beyond-adam-2": polar,
    "beyond-adam-3": (201**2 / 300) / (201 / 100),
    "beyond-adam-4": int(np.ceil(STEPS)),
}

WRONG = [
    ("beyond-adam-1", 0.1, "two rows and two columns"),
    ("beyond-adam-1", -RIGHT_STEP, "steepest way up"),
    ("beyond-adam-1", -0.1 * G / np.sqrt(13), "singular values still differ"),
    ("beyond-adam-1", -0.1 * G / 3, "singular values still differ"),
    ("beyond-adam-1", np.zeros((2, 2)), "take -0.1 U V"),
    ("beyond-adam-2", 1.0, "should be a function"),
    ("beyond-adam-2", in_place, "has changed"),
    ("beyond-adam-2", lambda G: polar(G).T @ polar(G) if G.shape == (5, 3) else polar(G), "returned the shape"),
    ("beyond-adam-2", lambda G: polar(G, scale=1.0), "It diverges"),
    ("beyond-adam-2", lambda G: polar(G, iterations=3), "Iterate longer"),
    ("beyond-adam-3", 300 / (201 * 100), "other way round"),
    ("beyond-adam-3", 1.0, "Here it is less"),
    ("beyond-adam-3", 201.0, "Divide"),
    ("beyond-adam-4", STEPS - 1.0, "Nearly"),
    ("beyond-adam-4", np.log(10.1 / 30) / np.log(1 - 1e-4), "distance to 10"),
    ("beyond-adam-4", 10, "distance to 1 / lambda"),
]
