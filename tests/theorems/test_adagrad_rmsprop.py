"""Theorems of the chapter on Adagrad and RMSProp."""

import numpy as np
import pytest
from scipy.optimize import linprog

from fo_lib import minimize, problems, rates, rules
from fo_lib.engine import Stepper

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("steps", [1, 2, 10, 1000])
def test_sum_over_roots_is_at_most_twice_the_root(steps):
    for _ in range(20):
        g = RNG.standard_normal(steps) * 10 ** RNG.uniform(-3, 3, steps)
        roots = np.sqrt(np.cumsum(g**2))
        assert np.sum(g**2 / roots) <= 2 * roots[-1]
    constant = np.sum(1 / np.sqrt(np.arange(1.0, steps + 1)))
    assert constant >= 2 * np.sqrt(steps) - 2  # so that the factor 2 cannot be improved for many steps
    assert np.sum(1 / np.sqrt(np.arange(1.0, 1e6 + 1))) / 2e3 == pytest.approx(1, abs=1e-3)


def adagrad_run(gradient, steps, d, rate, bound=None):
    """Iterates before each step and gradients, of the library's rule, projected to a box where there is one."""
    step, w, path, used = Stepper(rules.adagrad, epsilon=1e-30), np.zeros(d), [], []
    for t in range(steps):
        g = gradient(w, t)
        path.append(w.copy())
        used.append(g)
        step(w, g, learning_rate=rate)
        if bound is not None:
            np.clip(w, -bound, bound, out=w)
    return np.array([*path, w]), np.array(used)


def test_regret_identity_without_a_box():
    """What the proof adds up, exactly: distances weighted by the roots, and the sum of the lemma."""
    A, rate = RNG.standard_normal((60, 3)), 0.3
    path, g = adagrad_run(lambda w, t: A[t] * np.sign(A[t] @ w - 1.0), 60, 3, rate)
    roots = np.sqrt(np.cumsum(g**2, axis=0))
    for u in RNG.standard_normal((5, 3)):
        left = np.sum(g * (path[:-1] - u))
        distances = (path[:-1] - u) ** 2 - (path[1:] - u) ** 2
        right = np.sum(roots * distances) / (2 * rate) + rate / 2 * np.sum(g**2 / roots)
        assert left == pytest.approx(right, rel=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_adagrad_regret_on_a_box(seed):
    """Hinge losses on [-1, 1]^10, the comparator by linear programming."""
    rng = np.random.default_rng(seed)
    T, d = 400, 10
    X = rng.standard_normal((T, d)) * (rng.random((T, d)) < 1 / np.arange(1, d + 1))
    y = np.sign(X @ rng.standard_normal(d) + 0.5 * rng.standard_normal(T))
    rate = 2 / np.sqrt(2)
    path, g = adagrad_run(lambda w, t: -y[t] * X[t] * (y[t] * (X[t] @ w) < 1), T, d, rate, bound=1.0)
    losses = np.maximum(0, 1 - y * np.sum(X * path[:-1], axis=1))
    best = linprog(
        np.concatenate([np.zeros(d), np.ones(T)]),
        A_ub=np.hstack([-y[:, None] * X, -np.eye(T)]),
        b_ub=-np.ones(T),
        bounds=[(-1, 1)] * d + [(0, None)] * T,
    )
    regret, bound = losses.sum() - best.fun, rates.adagrad_regret(g, width=2.0)
    assert bound == pytest.approx(np.sqrt(2) * 2 * np.sum(np.linalg.norm(g, axis=0)), rel=1e-12)
    assert bound == pytest.approx(rates.adagrad_regret(g, width=2.0, learning_rate=rate), rel=1e-12)
    assert 0 <= regret <= bound


def test_random_signs_force_a_fixed_share_of_the_bound_on_every_method():
    """Losses g_t w with random signs on [-1, 1]: any method's expected loss is 0, the best point's is -E|sum g|."""
    rng = np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], size=(2000, 400))
    regrets = []
    for row in signs[:300]:
        path, _ = adagrad_run(lambda w, t, row=row: row[t : t + 1], 400, 1, np.sqrt(2), bound=1.0)
        regrets.append(np.sum(row * path[:-1, 0]) + abs(row.sum()))
    bound = rates.adagrad_regret(np.ones((400, 1)), width=2.0)
    forced = np.abs(signs.sum(1)).mean()
    assert forced / bound == pytest.approx(np.sqrt(2 / np.pi) / (2 * np.sqrt(2)), rel=0.05)
    assert np.mean(regrets) == pytest.approx(forced, rel=0.2)
    assert bound < 3.7 * forced


def test_bound_of_adagrad_against_that_of_one_rate():
    """Never more than sqrt 2 times as large; with equal columns that is what it is; sqrt(d / 2) times smaller with one."""
    for g in (RNG.standard_normal((50, 8)), RNG.standard_normal((50, 8)) * 10.0 ** -np.arange(8)):
        one_rate = rates.online_gradient_descent_regret(g, diameter=2.0 * np.sqrt(8))
        assert rates.adagrad_regret(g, width=2.0) <= np.sqrt(2) * one_rate
    equal = np.ones((50, 8))
    ratio = rates.adagrad_regret(equal, width=2.0) / rates.online_gradient_descent_regret(
        equal, diameter=2 * np.sqrt(8)
    )
    assert ratio == pytest.approx(np.sqrt(2), rel=1e-12)
    single = np.eye(8)[[0] * 50]
    ratio = rates.online_gradient_descent_regret(single, diameter=2 * np.sqrt(8)) / rates.adagrad_regret(
        single, width=2.0
    )
    assert ratio == pytest.approx(np.sqrt(8 / 2), rel=1e-12)


@pytest.mark.parametrize("rule", [rules.adagrad, rules.rmsprop])
def test_steps_do_not_depend_on_the_scale_of_a_gradient(rule):
    scale = np.array([1e-6, 1.0, 1e6])
    one, other = Stepper(rule, epsilon=0.0), Stepper(rule, epsilon=0.0)
    w, u = np.ones(3), np.ones(3)
    for g in RNG.standard_normal((30, 3)):
        one(w, g)
        other(u, scale * g)
        np.testing.assert_allclose(u, w, rtol=1e-12)


def test_first_steps():
    g = 1e-5
    assert rules.adagrad(0.0, g, 0.0, learning_rate=0.1, epsilon=0.0)[0] == pytest.approx(-0.1, rel=1e-12)
    for rho in (0.9, 0.99):
        first = rules.rmsprop(0.0, g, 0.0, learning_rate=0.1, rho=rho, epsilon=0.0)[0]
        assert first == pytest.approx(-0.1 / np.sqrt(1 - rho), rel=1e-12)


@pytest.mark.parametrize("curvature", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.999])
def test_rmsprop_cycles_at_half_its_rate(curvature, rho):
    a = 0.05
    v = (curvature * a) ** 2
    w, u = rules.rmsprop(a, curvature * a, v, learning_rate=2 * a, rho=rho, epsilon=0.0)
    assert w == pytest.approx(-a, rel=1e-12)
    assert u == pytest.approx(v, rel=1e-12)


@pytest.mark.parametrize("start", [0.3, 1.0, 7.0])
@pytest.mark.parametrize("curvature", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("rho", [0.3, 0.5, 0.9, 0.99])
def test_rmsprop_ends_on_that_cycle(curvature, start, rho):
    bowl = problems.quadratic([curvature], start=[start])
    trace = minimize(bowl, rules.rmsprop, learning_rate=0.01, rho=rho, epsilon=0.0, steps=8000, iterates=True)
    np.testing.assert_allclose(np.abs(trace.iterates[-10:, 0]), 0.005, rtol=1e-6)
    assert trace.value[-1] == pytest.approx(curvature * 0.01**2 / 8, rel=1e-6)


def test_adagrad_of_a_rotated_problem_is_another_method():
    Q = np.linalg.qr(RNG.standard_normal((4, 4)))[0]
    A = np.diag([1.0, 10.0, 100.0, 1000.0])
    plain, turned = problems.quadratic(A, start=np.ones(4)), problems.quadratic(Q @ A @ Q.T, start=Q @ np.ones(4))
    same = [minimize(p, learning_rate=1e-3, steps=50).value[-1] for p in (plain, turned)]
    assert same[0] == pytest.approx(same[1], rel=1e-9)
    other = [minimize(p, rules.adagrad, learning_rate=0.5, steps=200).value[-1] for p in (plain, turned)]
    assert other[1] > 100 * other[0]


def test_arguments_of_the_bounds_are_checked():
    with pytest.raises(ValueError, match="gradients must be a non-empty array with 2 dimension"):
        rates.adagrad_regret(np.ones(3), width=1.0)
    with pytest.raises(ValueError, match="width must be"):
        rates.adagrad_regret(np.ones((3, 1)), width=0.0)
    with pytest.raises(ValueError, match="diameter must be"):
        rates.online_gradient_descent_regret(np.ones((3, 1)), diameter=-1.0)
