"""Answers to the questions on structure, by other calculations than those of the bank."""

import numpy as np
from scipy import optimize

from fo_lib import (
    primal_dual,
    rates,
    transforms,
)


def steps_on_the_largest_coordinate(G, R, gap):
    """The worst function has as many coordinates as steps: its minimum is -G R / sqrt(d) below the start's value."""
    return optimize.brentq(lambda d: G * np.linalg.norm([R / np.sqrt(d)]) - gap, 1, 1e9, xtol=1e-12, rtol=1e-14)


def rate_with_a_floor(G, gap):
    """On G |w| two points that a step leads to and fro: w = +-G rate / 2, with the value gap."""
    return optimize.brentq(lambda rate: G * abs(G * rate / 2) - gap, 0, 10, xtol=1e-15)


def steps_of_the_flattest_coordinate(mu, L1, L2, L3, share):
    """It is drawn with probability mu / (L1 + L2 + L3), and then done: count until it is likely enough to be done."""
    left, k = 1.0, 0
    while left > share * (1 + 1e-12):
        left, k = left - left * mu / (L1 + L2 + L3), k + 1
    return k


def maximum_over_one_dual_variable(n, square, y, a, p, penalty):
    """The dual, as a function of one variable: the rest of the weights is what predicts p without the first value."""

    def loss(b):  # minus n times the dual, up to a constant: the weights move along the sample by (b - a) / (penalty n)
        moved = (b - a) / (penalty * n)
        return b * b / 2 - b * y + n * penalty / 2 * (2 * moved * p + moved**2 * square)

    return optimize.minimize_scalar(loss, bracket=(a - 1, a + 1), tol=1e-14).x


def largest_rate_of_the_game(s, theta):
    """Where the larger eigenvalue of a step leaves the unit circle, the step written out."""

    def excess(rate):
        columns = []
        for x, z in ((1.0, 0.0), (0.0, 1.0)):
            new = x - rate * s * z
            columns.append((new, z + rate * s * (new + theta * (new - x))))
        return np.abs(np.linalg.eigvals(np.array(columns).T)).max() - 1

    return optimize.brentq(excess, 1 / s, 3 / s, xtol=1e-12)


def slower_part_of_the_error(mu, L, penalty):
    """Of equal workers: z of the flattest direction, or the duals of the steepest, measured."""
    kept = []
    for h, centres, start in ((mu, [1.0, 1.0], 5.0), (L, [-1.0, 1.0], 0.0)):
        workers = [lambda v, rate, c=c, h=h: (v + rate * h * c) / (1 + rate * h) for c in centres]
        limit = np.mean(centres) - h * (np.mean(centres) - np.array(centres)) / penalty
        apart = []
        for steps in (1, 2):
            run = primal_dual.consensus_admm(
                workers, value=lambda w: 0.0, start=[start], penalty=penalty, steps=steps, every=steps
            )
            apart.append(np.linalg.norm((run.w + run.settings["dual"])[:, 0] - limit))
        kept.append(apart[1] / apart[0])
    return max(kept)


def steps_down_a_slope(L, R, gap):
    """The worst function, c |w| with nothing smooth: k steps of c / L from R, for the worst c."""

    def ends_at(k):
        c = np.linspace(0, 2, 2001) * L * R / (2 * k)  # the worst is in the middle
        return (c * np.maximum(R - k * c / L, 0)).max()

    low, high = 0, 1
    while ends_at(high) > gap * (1 + 1e-9):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if ends_at(middle) <= gap * (1 + 1e-9) else (middle, high)
    return high


def minimized_model(w, g, rate, weight):
    """The step minimizes slope, penalty and distance: over a grid that has zero on it."""
    u = np.arange(-60_000, 60_001) / 10_000
    return u[np.argmin(g * u + weight * np.abs(u) + (u - w) ** 2 / (2 * rate))]


def steps_below_the_frank_wolfe_bound(L, D, gap):
    k = np.arange(1, 2_000_000)
    return k[np.argmax(rates.frank_wolfe(k, L=L, D=D) <= gap * (1 + 1e-9))]


def threshold_by_bisection(a, b, c):
    w = np.array([a, b, c])
    theta = optimize.brentq(lambda theta: np.maximum(w - theta, 0).sum() - 1, -5, 2, xtol=1e-14)
    return max(a - theta, 0)


def rounds_until_promised(d, low, high, gap):
    """The bound with the rate of the theorem, found by search; the step in T is 1."""

    def promised(T):
        G, rate = (high - low) / 2, 2 / (high - low) * np.sqrt(2 * np.log(d) / T)
        return (np.log(d) / rate + rate / 2 * T * G**2) / T

    below, above = 0, 1
    while promised(above) > gap:
        below, above = above, 2 * above
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if promised(middle) > gap else (below, middle)
    return above


def nearest_in_relative_entropy(share, g1, g2, rate):
    """The step minimizes slope and divergence."""

    def model(u):
        return rate * (g1 * u + g2 * (1 - u)) + u * np.log(u / share) + (1 - u) * np.log((1 - u) / (1 - share))

    return optimize.minimize_scalar(model, bounds=(1e-9, 1 - 1e-9), method="bounded", options={"xatol": 1e-10}).x


def clipped(a, b, limit):
    g = transforms.clip_norm(limit)(np.array([a, b]))
    return g[0]
