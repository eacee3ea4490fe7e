"""Lassos and other sums of a smooth function and a simple one, for the theorems on proximal methods."""

from dataclasses import replace

import numpy as np
import pytest

from fo_lib import accelerate, problems, prox, sets
from fo_lib.accelerated import restart_by_gradient
from tests.theorems.instances import random_logistic

GROUPS = np.repeat([0, 1], 4)
OPERATORS = {
    "l1": prox.l1(0.3),
    "elastic net": prox.elastic_net(0.2, 0.5),
    "group lasso": prox.group_lasso(0.2, GROUPS),
    "box": sets.box(-0.1, 0.2),
    "l1 ball": sets.l1_ball(0.7),
}


def lasso(seed, n=60, d=120, weight=0.05):
    """Row 15: a lasso with more weights than samples, and its minimum."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n, d)), 3 * rng.standard_normal(n)
    return solved(problems.least_squares(X, y), prox.l1(weight))


def bowl(seed):
    """A quadratic with curvatures over two decades, and its minimizer away from the start, zero."""
    rng = np.random.default_rng(seed)
    spectrum, best = 10 ** rng.uniform(-1, 1, 8), rng.standard_normal(8)
    return problems.quadratic(spectrum, seed=seed, minimizer=best, start=np.zeros(8))


def solved(smooth, h):
    """The problem with the minimizer and the minimum of the composite objective."""
    best = accelerate(smooth, prox=h, restart=restart_by_gradient, steps=200_000, every=50, tolerance=1e-11)
    assert best.reason == "tolerance"
    return replace(smooth, minimizer=best.w, minimum=best.value[-1]), h


def instances():
    yield from (pytest.param(*lasso(seed), id=f"lasso {seed}") for seed in range(4))
    for name, h in OPERATORS.items():
        yield pytest.param(*solved(bowl(3), h), id=f"quadratic and {name}")
    yield pytest.param(*solved(random_logistic(1), prox.l1(0.05)), id="logistic regression and l1")


def flat(L, R):
    """No smooth part at all: what is left is the proximal point method."""
    return problems.from_functions(lambda w: 0.0, np.zeros_like, np.array([R]), L=L)


composite = pytest.mark.parametrize(("problem", "h"), list(instances()))
