"""Answers to the questions on many workers, fewer messages, and more runs and data, by other calculations than those of the bank."""

import numpy as np
from scipy import optimize

from fo_lib import planning
from fo_lib.sweeps import successive_halving


def limit_by_bisection(L, delay):
    """Where the largest root of z^(delay + 1) - z^delay + rate L leaves the unit circle."""

    def excess(rate):
        coefficients = np.zeros(delay + 2)
        coefficients[[0, 1]] = 1, -1
        coefficients[-1] += rate * L
        return np.abs(np.roots(coefficients)).max() - 1

    return optimize.brentq(excess, 0.2 / (delay + 1) / L, 3 / (delay + 1) / L, xtol=1e-13)


def rest_by_rounds(h, c, rate, local):
    """Rounds, until nothing moves."""
    w, before = 0.0, np.inf
    while abs(w - before) > 1e-14:
        ends, before = [w, w], w
        for _ in range(local):
            ends = [ends[0] - rate * ends[0], ends[1] - rate * h * (ends[1] - c)]
        w = sum(ends) / 2
    return w


def best_ring(seconds, megabytes, gigabytes, milliseconds):
    cluster = planning.Cluster(
        parameters=megabytes * 1e6 / 4, sample_seconds=seconds, latency=milliseconds / 1000, bandwidth=gigabytes * 1e9
    )
    return optimize.minimize_scalar(
        lambda p: float(cluster.step(p, 1)), bounds=(1, 1000), method="bounded", options={"xatol": 1e-7}
    ).x


def steps_of_halving(eta, k, r):
    kept = successive_halving(np.arange(eta**k)[:, None] * np.ones(k + 1), eta)
    alive, made = [eta**k, *map(len, kept[:-1])], 0
    for i, runs in enumerate(alive):
        made += runs * (eta**i * r - (eta ** (i - 1) * r if i else 0))
    return made


def stays(size, late):
    """A row that came in B - 1 steps before its own: the chain of being in the buffer, step by step."""
    inside = np.array([1.0, 0.0])
    for _ in range(size - 1 + late + 1):
        inside = inside @ [[1 - 1 / size, 1 / size], [0, 1]]
    return inside[0]
