"""Theorems of the chapter on generalization and stability."""

import numpy as np
import pytest

from fo_lib import minimize, problems, rules
from fo_lib.engine import Stepper

RNG = np.random.default_rng(0)
ADAPTIVE = [rules.adagrad, rules.rmsprop, rules.adam, rules.sign_descent]
TINY = {"epsilon": 1e-300}  # zero, but for the weights without any gradient


def construction(P, N, own=1.0):
    """The data of Wilson et al. with P positive and N negative samples."""
    y = np.repeat([1.0, -1.0], [P, N])
    X = np.zeros((P + N, 3 + 5 * (P + N)))
    X[:, 0], X[:, 1:3] = y, 1.0
    for i, label in enumerate(y):
        X[i, 3 + 5 * i :][: 1 if label > 0 else 5] = own
    return X, y


def path(rule, X, y, steps=300, rate=0.003):
    """Iterates of a rule on least squares, from zero, with epsilon zero."""
    hyper = {} if rule is rules.sign_descent else TINY
    step, w = Stepper(rule, learning_rate=rate, **hyper), np.zeros(X.shape[1])
    for _ in range(steps):
        step(w, X.T @ (X @ w - y) / len(y))
        yield w


# Which solution


@pytest.mark.parametrize(("rule", "share"), [(rules.gradient_descent, 1.9), (rules.momentum, 0.5)])
def test_gradient_descent_ends_at_the_nearest_solution(rule, share):
    X, y = RNG.standard_normal((5, 12)), RNG.standard_normal(5)
    f = problems.least_squares(X, y)
    null = np.eye(12) - np.linalg.pinv(X) @ X
    for start in (np.zeros(12), RNG.standard_normal(12)):
        trace = minimize(f, rule, learning_rate=share / f.L, start=start, steps=5000, iterates=True, every=100)
        assert np.allclose((trace.iterates - start) @ null, 0, atol=1e-12)
        assert np.allclose(trace.w, start + np.linalg.pinv(X) @ (y - X @ start), atol=1e-9)
    diverging = minimize(f, rule, learning_rate=4.5 / f.L, steps=20, every=20).w
    assert np.linalg.norm(diverging @ null) < 1e-10 * np.linalg.norm(diverging)


@pytest.mark.parametrize("rule", ADAPTIVE)
def test_adaptive_iterates_are_multiples_of_the_sign_vector(rule):
    """On the construction (c = 4), and for X = identity with labels of one size (c = 1)."""
    for X, y in (construction(7, 4), construction(30, 29), (np.eye(6), np.array([1.0, -1, 1, 1, -1, 1]))):
        sign = np.sign(X.T @ y)
        c = (X @ sign)[0] / y[0]
        assert np.allclose(X @ sign, c * y)
        for w in path(rule, X, y, steps=60):
            scale = w @ sign / (sign @ sign)
            assert np.allclose(w, scale * sign, rtol=1e-9, atol=1e-13)
        assert scale > 0.02 / c


def test_an_exact_fit_has_the_multiple_one_over_c():
    X, y = construction(12, 7)
    *_, w = path(rules.adagrad, X, y, steps=2000, rate=0.05)
    assert np.allclose(X @ w, y, atol=1e-10)
    assert np.allclose(w, np.sign(X.T @ y) / 4, atol=1e-10)


@pytest.mark.parametrize("rule", ADAPTIVE)
def test_without_the_condition_they_are_not(rule):
    X, y = construction(12, 7)
    X[0] *= 1.5
    sign = np.sign(X.T @ y)
    *_, w = path(rule, X, y, steps=400)
    scale = w @ sign / (sign @ sign)
    assert np.abs(w - scale * sign).max() > 0.01 * scale


@pytest.mark.parametrize(("P", "N"), [(2, 1), (3, 2), (50, 1), (120, 80), (101, 100)])
def test_signs_of_the_construction_give_four_times_the_labels(P, N):
    X, y = construction(P, N)
    assert np.array_equal(X @ np.sign(X.T @ y), 4 * y)
    X, y = construction(N, P)  # too few positive samples: the condition fails
    assert not np.array_equal(X @ np.sign(X.T @ y), 4 * y)


def scores(w):
    return np.array([w[0] + w[1] + w[2], -w[0] + w[1] + w[2]])


@pytest.mark.parametrize("rule", ADAPTIVE)
def test_scores_of_the_adaptive_solution(rule):
    X, y = construction(12, 8)
    for w in path(rule, X, y, steps=60):
        assert np.all(y * (X @ w) > 0)
        assert scores(w) == pytest.approx(np.array([3, 1]) * (X @ w)[0] / 4, rel=1e-9)
        assert np.all(scores(w) > 0)
    *_, w = path(rules.adagrad, X, y, steps=2000, rate=0.05)
    assert scores(w) == pytest.approx([0.75, 0.25], abs=1e-9)


def least_norm_scores(P, N, own=1.0):
    p, m = own**2 / P, own**2 / N
    D = (3 + p) * (3 + 5 * m) - 1
    return np.array([1 - p * (4 + 5 * m) / D, -1 + 5 * m * (4 + p) / D])


@pytest.mark.parametrize(("P", "N"), [(2, 1), (3, 2), (50, 1), (12, 8), (30, 29)])
def test_scores_of_the_solution_of_least_norm(P, N):
    X, y = construction(P, N)
    assert scores(np.linalg.pinv(X) @ y) == pytest.approx(least_norm_scores(P, N), rel=1e-9)
    f = problems.least_squares(X, y)
    w = minimize(f, learning_rate=1 / f.L, steps=3000, every=3000).w
    assert scores(w) == pytest.approx(least_norm_scores(P, N), rel=1e-6)
    positive, negative = scores(w)
    assert positive > 0.75
    assert negative < 0


@pytest.mark.parametrize(("P", "N"), [(2, 1), (12, 8), (30, 29), (60, 20)])
def test_other_units_make_the_solution_of_least_norm_fail(P, N):
    limit = np.sqrt(8 / (5 / N - 3 / P))
    for factor in (0.5, 0.99, 1.01, 3.0):
        X, y = construction(P, N, own=factor * limit)
        positive, negative = scores(np.linalg.pinv(X) @ y)
        assert [positive, negative] == pytest.approx(least_norm_scores(P, N, factor * limit), rel=1e-8)
        assert positive > 0
        assert (negative > 0) == (factor > 1)


# The valley


def valley_steps(x, y, rate):
    """Steps until the curvature is at most 2 / rate; checks on the way what the proof says."""
    step, w, count = Stepper(rules.gradient_descent, learning_rate=rate), np.array([x, y]), 0
    while w[1] > 2 / rate:
        before = w.copy()
        step(w, np.array([w[1] * w[0], w[0] ** 2 / 2]))
        assert abs(w[0]) > abs(before[0])
        assert w[1] < before[1]
        count += 1
    return count


def stated_steps(x, y, rate):
    return int(np.ceil(2 * (y - 2 / rate) / (rate * x**2)))


def test_the_valley_widens_within_the_stated_steps():
    for _ in range(50):
        rate, x = RNG.uniform(0.05, 2), RNG.uniform(0.05, 1)
        y = 2 / rate + RNG.uniform(0.01, 1)
        count = valley_steps(x, y, rate)
        assert 1 <= count <= stated_steps(x, y, rate)
        swing = np.array([x, y])
        for _ in range(50):
            swing[0] *= 1 - rate * y  # the quadratic, with the curvature fixed
        assert abs(swing[0]) == pytest.approx((rate * y - 1) ** 50 * x, rel=1e-9)
        assert abs(swing[0]) > x


@pytest.mark.parametrize("steps", [1, 2, 7, 40])
def test_the_number_of_steps_is_attained(steps):
    rate, x = 0.5, 1e-4
    y = 2 / rate + (steps - 0.5) * rate * x**2 / 2
    assert stated_steps(x, y, rate) == steps
    assert valley_steps(x, y, rate) == steps


# Frequencies


def class_weights(share, rate, times):
    """Weights of one class under gradient descent at the given steps."""
    w, found = 0.0, []
    for t in range(1, times[-1] + 1):
        w = rules.gradient_descent(w, -share / (1 + np.exp(w)), learning_rate=rate)
        if t in times:
            found.append(w)
    return np.array(found)


@pytest.mark.parametrize("a", [0.01, 0.3, 1.0, 3.0])
def test_bounds_of_gradient_descent_on_a_class(a):
    t = np.array([1, 2, 5, 30, 300, 3000])
    w = class_weights(0.25, 4 * a, t)
    moved = w + np.exp(w)
    assert np.all(moved >= 1 + a * t)
    assert np.all(moved <= 1 + a * t + a / 2 * np.exp(a / 2) * w)
    if a == 0.01:  # small steps follow the flow, for which the lower bound is exact
        assert moved == pytest.approx(1 + a * t, rel=0.003)


def test_loss_times_frequency_times_steps_tends_to_one():
    for share, rate in ((0.5, 2.0), (0.05, 20.0), (0.01, 10.0)):
        times = np.array([2000, 200_000])
        ratios = np.logaddexp(0, -class_weights(share, rate, times)) * share * rate * times
        assert abs(ratios[1] - 1) < 0.002
        assert abs(ratios[1] - 1) < 0.1 * abs(ratios[0] - 1)


def test_sign_descent_does_not_see_frequencies():
    shares = 1 / np.arange(1, 1001)
    step, w = Stepper(rules.sign_descent, learning_rate=0.05), np.zeros(1000)
    for t in range(1, 201):
        step(w, -shares / (1 + np.exp(w)))
        assert np.logaddexp(0, -w) == pytest.approx(np.full(1000, np.logaddexp(0, -0.05 * t)), rel=1e-9)


# The bigram model


def random_chain(words=6):
    T = np.exp(RNG.standard_normal((words, words)))
    p = 1 / np.arange(1.0, words + 1)
    return p / p.sum(), T / T.sum(axis=1, keepdims=True)


def bigram_gradient(W, p, T):
    q = np.exp(W) / np.exp(W).sum(axis=1, keepdims=True)
    return p[:, None] * (q - T)


def test_rows_of_the_bigram_model_have_the_stated_hessian():
    p, T = random_chain()
    W, words = np.log(T), len(p)
    assert np.allclose(bigram_gradient(W, p, T), 0, atol=1e-15)
    for k in range(words):
        for j in range(words):
            E = np.zeros_like(W)
            E[k, j] = 1e-5
            column = (bigram_gradient(W + E, p, T) - bigram_gradient(W - E, p, T)) / 2e-5
            H = np.zeros_like(W)
            H[k] = p[k] * (np.diag(T[k]) - np.outer(T[k], T[k]))[j]
            assert np.allclose(column, H, atol=1e-9)


def test_the_stable_rate_of_the_bigram_model_is_sharp():
    """Just below the limit an error dies out, just above it grows; rare rows shrink as slowly as stated."""
    p, T = random_chain()
    tops = [np.linalg.eigh(np.diag(t) - np.outer(t, t)) for t in T]
    h = np.array([values[-1] for values, _ in tops])
    limit = 2 / np.max(p * h)
    for factor, grows in ((0.97, False), (1.03, True)):
        W = np.log(T) + 1e-7 * np.array([vectors[:, -1] for _, vectors in tops])
        step, norms = Stepper(rules.gradient_descent, learning_rate=factor * limit), []
        for _ in range(40):
            norms.append(np.linalg.norm(W - np.log(T), axis=1))
            step(W, bigram_gradient(W, p, T))
        assert (norms[-1].max() > 2e-7) == grows
        k = int(np.argmin(p * h))
        ratio = norms[1][k] / norms[0][k]
        assert ratio == pytest.approx(1 - factor * 2 * p[k] * h[k] / np.max(p * h), abs=1e-5)
        assert (ratio >= 1 - 2 * p[k] * h[k] / np.max(p * h)) == (not grows)
