"""Answers to the exercises on saddle points and splitting: right ones, and slips with their hints."""

from fo_lib import prox


def step(f, g, K, tau, sigma, x, z):
    x_next = f(x - tau * (z @ K), tau)
    return x_next, prox.conjugate(g)(z + sigma * (K @ (2 * x_next - x)), sigma)


def step_in_turn(f, g, K, tau, sigma, x, z):
    x_next = f(x - tau * (z @ K), tau)
    return x_next, prox.conjugate(g)(z + sigma * (K @ x_next), sigma)


def step_at_once(f, g, K, tau, sigma, x, z):
    return f(x - tau * (z @ K), tau), prox.conjugate(g)(z + sigma * (K @ x), sigma)


def step_without_moreau(f, g, K, tau, sigma, x, z):
    x_next = f(x - tau * (z @ K), tau)
    return x_next, g(z + sigma * (K @ (2 * x_next - x)), sigma)


def step_without_scaling(f, g, K, tau, sigma, x, z):
    x_next = f(x - tau * (z @ K), tau)
    v = z + sigma * (K @ (2 * x_next - x))
    return x_next, v - g(v, sigma)


def step_uphill(f, g, K, tau, sigma, x, z):
    x_next = f(x + tau * (z @ K), tau)
    return x_next, prox.conjugate(g)(z + sigma * (K @ (2 * x_next - x)), sigma)


def step_in_place(f, g, K, tau, sigma, x, z):
    x[:], z[:] = step(f, g, K, tau, sigma, x, z)
    return x, z


RIGHT = {
    "splitting-1": 2**0.5,
    "splitting-2": 1,
    "splitting-3": step,
    "splitting-4": 73,
}

WRONG = [
    ("splitting-1", 2.0, "take the root"),
    ("splitting-1", 2 / 3**0.5, "theta = 1"),
    ("splitting-1", 1.0, "below 4"),
    ("splitting-2", -2, "bounds nothing"),
    ("splitting-2", 4, "That is the value"),
    ("splitting-2", 3, "value minus bound"),
    ("splitting-2", 0, "costs lambda"),
    ("splitting-2", 7, "at most 1"),
    ("splitting-3", 1.0, "should be a function"),
    ("splitting-3", step_in_place, "have changed"),
    ("splitting-3", lambda f, g, K, tau, sigma, x, z: x, "two arrays"),
    ("splitting-3", lambda *given: step(*given)[::-1], "the new x, then"),
    ("splitting-3", step_in_turn, "circle"),
    ("splitting-3", step_at_once, "spiral"),
    ("splitting-3", step_without_moreau, "that of its conjugate"),
    ("splitting-3", step_without_scaling, "divide v by sigma"),
    ("splitting-3", step_uphill, "x descends"),
    ("splitting-3", lambda f, g, K, tau, sigma, x, z: (x, z), "First x by f"),
    ("splitting-4", 688, "root of it"),
    ("splitting-4", 66, "a little larger"),
    ("splitting-4", 74, "counts the first"),
    ("splitting-4", 72, "smallest whole k"),
]
