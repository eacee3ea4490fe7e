"""Theorems of the chapter on constraints: the worst change of an input within a box."""

from itertools import product

import numpy as np
import pytest

from fo_lib import minimize, problems, sets


def corners(low, high):
    """All corners of a box."""
    return np.array([np.where(upper, high, low) for upper in product([False, True], repeat=len(low))])


@pytest.mark.parametrize("seed", range(6))
def test_the_worst_change_of_a_linear_classifier(seed):
    rng = np.random.default_rng(seed)
    w, b, x, y = rng.standard_normal(7), rng.standard_normal(), rng.uniform(size=7), rng.choice([-1, 1])
    eps = 0.2
    worst = min(y * (u @ w + b) for u in corners(x - eps, x + eps))
    assert worst == pytest.approx(y * (x @ w + b) - eps * np.abs(w).sum(), rel=1e-12)
    slope = -y / (1 + np.exp(y * (x @ w + b))) * w  # of the logistic loss, by x
    assert y * ((x + eps * np.sign(slope)) @ w + b) == pytest.approx(worst, rel=1e-12)
    low, high = np.maximum(x - eps, 0), np.minimum(x + eps, 1)
    within = min(y * (u @ w + b) for u in corners(low, high))
    assert y * (np.clip(x + eps * np.sign(slope), 0, 1) @ w + b) == pytest.approx(within, rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_with_several_classes_one_linear_problem_for_each_is_exact(seed):
    """Some point of the box is given another class if and only if one of the K - 1 minima is negative."""
    rng = np.random.default_rng(seed)
    W, b, x = rng.standard_normal((7, 4)), rng.standard_normal(4), rng.uniform(size=7)
    y = int(np.argmax(x @ W + b))
    for eps in (0.01, 0.05, 0.1, 0.3):
        box = sets.box(np.maximum(x - eps, 0), np.minimum(x + eps, 1))
        minima = [(W[:, y] - W[:, j]) @ box.corner(W[:, y] - W[:, j]) + b[y] - b[j] for j in range(4) if j != y]
        all_corners = corners(np.maximum(x - eps, 0), np.minimum(x + eps, 1))
        margin = all_corners @ W + b
        least = (margin[:, [y]] - np.delete(margin, y, axis=1)).min()
        assert min(minima) == pytest.approx(least, abs=1e-12)


def test_training_against_the_adversary_is_logistic_regression_over_a_box():
    """With w = u - v: no entry of both is positive, and the loss is the logistic loss of the worst margins."""
    rng, eps, l2 = np.random.default_rng(0), 0.1, 1e-2
    X, y = rng.uniform(size=(60, 12)), rng.choice([-1.0, 1.0], 60)
    Z = y[:, None] * X
    split = problems.logistic(np.hstack([Z - eps, -Z - eps]), np.ones(60), l2=l2)
    best = minimize(split, learning_rate=1 / split.L, prox=sets.box(0, np.inf), steps=100_000, tolerance=1e-11,
                    every=100)  # fmt: skip
    u, v = np.split(best.w, 2)
    assert (np.minimum(u, v) == 0).all()

    def worst_loss(w):
        margins = [
            min(sign * (change @ w) for change in corners(x - eps, x + eps)) for x, sign in zip(X, y, strict=True)
        ]
        return np.mean(np.logaddexp(0, -np.array(margins))) + l2 / 2 * w @ w

    assert best.value[-1] == pytest.approx(worst_loss(u - v), rel=1e-9)
    for _ in range(10):  # convex: no direction leads down
        assert worst_loss(u - v + 1e-3 * rng.standard_normal(12)) > best.value[-1]
