"""Answers to the exercises on Nesterov's acceleration: right ones, and slips with the hint that each should meet."""


def accelerated(grad, x, L, steps, *, ahead=True, shift=0, gradient_only=False, last="x", scale=1.0):
    y = x
    for t in range(1, steps + 1):
        new = y - scale * grad(y if ahead else x) / L
        beta = 0.0 if gradient_only else (t - 1 + shift) / (t + 2 + shift)
        y = new + beta * (new - x)
        x = new
    return x if last == "x" else y


def in_place(grad, x, L, steps):
    y = x.copy()
    for t in range(1, steps + 1):
        new = y - grad(y) / L
        y = new + (t - 1) / (t + 2) * (new - x)
        x += new - x
    return x


def slip(**settings):
    return lambda grad, x, L, steps: accelerated(grad, x, L, steps, **settings)


RIGHT = {
    "nesterov-1": 19 / 21,
    "nesterov-2": 447,
    "nesterov-3": accelerated,
    "nesterov-4": 3.8 / 2.8 / 4,
    "nesterov-5": (2.45, -0.18),
}

WRONG = [
    ("nesterov-1", (19 / 21) ** 2, "not squared"),
    ("nesterov-1", 399 / 401, "root of the condition number"),
    ("nesterov-1", 0.9, "Put kappa = 400"),
    ("nesterov-2", 25_000, "gradient descent needs"),
    ("nesterov-2", 448, "k + 1 in it"),
    ("nesterov-2", 632, "smallest whole k"),
    ("nesterov-3", 1.0, "should be a function"),
    ("nesterov-3", in_place, "has changed"),
    ("nesterov-3", slip(gradient_only=True), "momentum is missing"),
    ("nesterov-3", slip(last="y"), "look-ahead point y"),
    ("nesterov-3", slip(ahead=False), "point you step from"),
    ("nesterov-3", slip(shift=1), "t counts from 1"),
    ("nesterov-3", slip(scale=0.5), "by hand and compare"),
    ("nesterov-4", 0.5, "limit of gradient descent"),
    ("nesterov-4", 0.95, "limit of the heavy ball"),
    ("nesterov-4", 1.357, "limits alpha times L"),
    ("nesterov-5", (1.55, 0.18), "Wrong sign"),
    ("nesterov-5", (2.5, -0.2), "multiplied by the momentum"),
    ("nesterov-5", (2.0, 0.0), "w = x + beta v"),
]
