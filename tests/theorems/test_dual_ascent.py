"""Theorems of the chapter on coordinates and duals: duality, and dual coordinate ascent."""

from itertools import product

import numpy as np
import pytest

from fo_lib import problems, rates

# Duality: squared hinge, hinge, squared and logistic losses phi(p), and their conjugates phi*(-a), as in the chapter


def entropy(b):
    return sum(x * np.log(x) if x > 0 else 0.0 for x in (b, 1 - b))


LOSSES = {  # value, minus slope, conjugate at -a, an interval where that is finite
    "squared": (lambda p, y: (p - y) ** 2 / 2, lambda p, y: y - p, lambda a, y: a * a / 2 - a * y, (-9, 9)),
    "hinge": (lambda p, y: max(0, 1 - y * p), lambda p, y: y * (y * p < 1), lambda a, y: -a * y, (0, 1)),
    "squared hinge": (
        lambda p, y: max(0, 1 - y * p) ** 2 / 2, lambda p, y: y * max(0, 1 - y * p),
        lambda a, y: a * a / 2 - a * y, (0, 9),
    ),
    "logistic": (
        lambda p, y: np.logaddexp(0, -y * p), lambda p, y: y / (1 + np.exp(y * p)), lambda a, y: entropy(a * y), (0, 1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("y", [-1, 1])
def test_conjugates_are_suprema_and_touch_at_the_slope(name, y):
    value, minus_slope, conjugate, (low, high) = LOSSES[name]
    p = np.linspace(-40, 40, 80_001)
    values = np.array([value(x, y) for x in p])
    for beta in np.linspace(low, high, 7):
        a = beta * y
        assert np.max(-a * p - values) == pytest.approx(conjugate(a, y), abs=2e-3)
    for x in (-2.0, -0.3, 0.9, 1.0, 3.0):
        a = minus_slope(x, y)
        assert value(x, y) + conjugate(a, y) == pytest.approx(-a * x, abs=1e-12)


def primal_and_dual(loss, X, y, lam, alpha, w=None):
    value, _, conjugate, _ = LOSSES[loss]
    v = X.T @ alpha / (lam * len(y))
    w = v if w is None else w
    primal = np.mean([value(x @ w, t) for x, t in zip(X, y, strict=True)]) + lam / 2 * w @ w
    return primal, -np.mean([conjugate(a, t) for a, t in zip(alpha, y, strict=True)]) - lam / 2 * v @ v


@pytest.mark.parametrize("loss", LOSSES)
def test_every_dual_point_is_below_every_primal_one(loss):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((8, 3)), rng.choice([-1, 1], 8)
    low, high = LOSSES[loss][3]
    for _ in range(200):
        alpha = rng.uniform(low, high, 8) * y
        primal, dual = primal_and_dual(loss, X, y, 0.2, alpha, rng.standard_normal(3))
        assert dual <= primal + 1e-12


@pytest.mark.parametrize(("loss", "make"), [("squared", problems.least_squares), ("logistic", problems.logistic)])
def test_the_slopes_at_the_minimizer_close_the_gap(loss, make):
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((8, 3)), rng.choice([-1.0, 1.0], 8)
    w = problems.solve(make(X, y, l2=0.2), tolerance=1e-13).minimizer
    alpha = np.array([LOSSES[loss][1](x @ w, t) for x, t in zip(X, y, strict=True)])
    np.testing.assert_allclose(X.T @ alpha / (0.2 * 8), w, atol=1e-11)
    primal, dual = primal_and_dual(loss, X, y, 0.2, alpha)
    assert primal == pytest.approx(dual, abs=1e-12)


# Dual coordinate ascent


def ascend(loss, X, y, lam, alpha, i):
    """The exact maximization over alpha_i, of the chapter."""
    w, q = X.T @ alpha / (lam * len(y)), X[i] @ X[i] / (lam * len(y))
    alpha, p, old = alpha.copy(), X[i] @ w, alpha[i]
    if loss == "squared":
        alpha[i] += (y[i] - p - old) / (1 + q)
    elif loss == "squared hinge":
        alpha[i] = y[i] * max(0, y[i] * old + (1 - y[i] * (p + old)) / (1 + q))
    else:
        alpha[i] = y[i] * np.clip(y[i] * old + (1 - y[i] * p) / q, 0, 1)
    return alpha


@pytest.mark.parametrize("loss", ["squared", "squared hinge", "hinge"])
def test_the_update_maximizes_over_its_coordinate(loss):
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((6, 3)), rng.choice([-1, 1], 6)
    low, high = LOSSES[loss][3]
    for _ in range(20):
        alpha, i = rng.uniform(low, min(high, 2), 6) * y, rng.integers(6)
        after = ascend(loss, X, y, 0.3, alpha, i)
        best = primal_and_dual(loss, X, y, 0.3, after)[1]
        for beta in np.linspace(low, high, 400):
            after[i] = beta * y[i]
            assert primal_and_dual(loss, X, y, 0.3, after)[1] <= best + 1e-12


def maximum(loss, X, y, lam):
    alpha = np.zeros(len(y))
    for _ in range(600):
        for i in range(len(y)):
            alpha = ascend(loss, X, y, lam, alpha, i)
    return primal_and_dual(loss, X, y, lam, alpha)[1]


@pytest.mark.parametrize("loss", ["squared", "squared hinge"])
@pytest.mark.parametrize("lam", [0.05, 1.0])
def test_dual_ascent_keeps_its_rate_over_all_sequences(loss, lam):
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((4, 3)), np.array([1, -1, 1, -1])
    best, square = maximum(loss, X, y, lam), np.sum(X**2, axis=1).max()
    s = lam * 4 / (square + lam * 4)
    for t in range(4):
        dual, gap = [], []
        for sequence in product(range(4), repeat=t):
            alpha = np.zeros(4)
            for i in sequence:
                alpha = ascend(loss, X, y, lam, alpha, i)
            primal, below = primal_and_dual(loss, X, y, lam, alpha)
            dual.append(best - below)
            gap.append(primal - below)
        bound = rates.dual_coordinate_ascent(t, n=4, l2=lam, square=square) * (
            best - primal_and_dual(loss, X, y, lam, np.zeros(4))[1]
        )
        assert np.mean(dual) <= bound * (1 + 1e-9)
        assert np.mean(gap) <= 4 / s * bound * (1 + 1e-9)


@pytest.mark.parametrize("lam", [0.02, 0.5])
def test_with_squared_loss_and_equal_lengths_a_step_gains_exactly_s_over_n_of_the_gap(lam):
    rng = np.random.default_rng(4)
    X = rng.standard_normal((5, 3))
    X *= 1.7 / np.linalg.norm(X, axis=1, keepdims=True)
    y, alpha = rng.standard_normal(5), rng.standard_normal(5)
    primal, dual = primal_and_dual("squared", X, y, lam, alpha)
    after = np.mean(
        [primal_and_dual("squared", X, y, lam, ascend("squared", X, y, lam, alpha, i))[1] for i in range(5)]
    )
    kept = float(rates.dual_coordinate_ascent(1, n=5, l2=lam, square=1.7**2))
    assert after - dual == pytest.approx((1 - kept) * (primal - dual), rel=1e-10)


def test_two_copies_of_a_sample_attain_the_rate_of_the_first_step():
    """Duals that are wrong in opposite ways have the right weights: then the gap is that of the dual alone."""
    X, y, lam = np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([0.7, 0.7]), 0.3
    best = maximum("squared", X, y, lam)
    q = 5 / (lam * 2)
    alpha = 0.7 / (1 + 2 * q) + np.array([0.4, -0.4])
    first = best - primal_and_dual("squared", X, y, lam, alpha)[1]
    after = [best - primal_and_dual("squared", X, y, lam, ascend("squared", X, y, lam, alpha, i))[1] for i in (0, 1)]
    kept = rates.dual_coordinate_ascent(1, n=2, l2=lam, square=5.0)
    assert np.mean(after) == pytest.approx(kept * first, rel=1e-10)


@pytest.mark.parametrize("n", [1, 4])
def test_copies_of_a_sample_attain_the_bound_of_the_duality_gap(n):
    """Pulls that are wrong in the same way: one step mends (nearly) all of them, and gains s / n of the gap."""
    X, y, lam = np.tile([[1.0, 2.0]], (n, 1)), np.full(n, 0.7), 1e-3
    alpha = np.full(n, 0.7 / (1 + 5 / lam) + 0.4)
    primal, dual = primal_and_dual("squared", X, y, lam, alpha)
    share = 1 - rates.dual_coordinate_ascent(1, n=n, l2=lam, square=5.0)  # s / n
    assert 0.99 < (primal - dual) * share / (maximum("squared", X, y, lam) - dual) < 1 + 1e-6
