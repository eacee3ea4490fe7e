"""Theorems of the chapter on methods beyond Adam."""

import numpy as np
import pytest

from fo_lib import averages, gradients, matrix_rules, minimize, problems, rules
from fo_lib.engine import Stepper

RNG = np.random.default_rng(0)
SHAPES = [(4, 3), (3, 5), (4, 4)]


def thin_svd(G):
    U, s, V = np.linalg.svd(G, full_matrices=False)
    kept = s > 1e-12 * s[0]
    return U[:, kept], s[kept], V[kept]


def low_rank(shape, rank=2):
    return RNG.standard_normal((shape[0], rank)) @ RNG.standard_normal((rank, shape[1]))


def rotation(m):
    return np.linalg.qr(RNG.standard_normal((m, m)))[0]


# Steepest steps: the rules of the library where there is one


def steps(G, alpha):
    """(step, its norm, dual norm of G) for the three norms."""
    U, s, V = thin_svd(G)
    return {
        "euclid": (-alpha * G / np.linalg.norm(G), np.linalg.norm, np.linalg.norm(G)),
        "entry": (rules.sign_descent(0 * G, G, learning_rate=alpha), lambda S: np.max(np.abs(S)), np.sum(np.abs(G))),
        "spectral": (-alpha * U @ V, lambda S: np.linalg.norm(S, 2), np.sum(s)),
    }


@pytest.mark.parametrize("norm", ["euclid", "entry", "spectral"])
@pytest.mark.parametrize("make", [RNG.standard_normal, low_rank])
@pytest.mark.parametrize("shape", SHAPES)
def test_steepest_steps_attain_the_dual_norm(shape, make, norm):
    G = make(shape)
    S, length, dual = steps(G, 0.3)[norm]
    assert length(S) == pytest.approx(0.3, rel=1e-12)
    assert np.sum(G * S) == pytest.approx(-0.3 * dual, rel=1e-12)


@pytest.mark.parametrize("norm", ["euclid", "entry", "spectral"])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_step_of_the_same_norm_is_steeper(shape, norm):
    """Random directions, and small changes of the best step, scaled to its norm."""
    for _ in range(200):
        G = RNG.standard_normal(shape)
        best, length, dual = steps(G, 1.0)[norm]
        for other in (RNG.standard_normal(shape), best + 0.01 * RNG.standard_normal(shape)):
            value = np.sum(G * other / length(other))
            assert np.sum(G * best) <= value + 1e-12
            assert abs(value) <= dual + 1e-12


# Decrease


@pytest.mark.parametrize("d", [1, 3, 50])
def test_guaranteed_decrease_is_attained_by_sign_descent_on_diagonal_quadratics(d):
    h, w = RNG.uniform(0.1, 10, d), RNG.standard_normal(d)
    g = h * w
    new = rules.sign_descent(w, g, learning_rate=np.sum(np.abs(g)) / np.sum(h))
    decrease = 0.5 * w @ (h * w) - 0.5 * new @ (h * new)
    assert decrease == pytest.approx(np.sum(np.abs(g)) ** 2 / (2 * np.sum(h)), rel=1e-10)


def test_smoothness_in_the_largest_entry_is_the_trace():
    """Of diagonal quadratics: attained at signs, never exceeded; and L_2 <= L_inf <= d L_2."""
    h = RNG.uniform(0, 10, 6)
    signs = np.sign(RNG.standard_normal(6))
    assert signs @ (h * signs) == pytest.approx(np.sum(h), rel=1e-14)
    for s in RNG.uniform(-1, 1, (1000, 6)):
        assert s @ (h * s) <= np.sum(h) * np.max(np.abs(s)) ** 2 + 1e-12
    assert np.max(h) <= np.sum(h) <= 6 * np.max(h)


def test_guaranteed_decrease_for_matrices():
    """f = |A W|_F^2 / 2 has L = |A|_F^2 for the spectral norm; equality for orthogonal steps of full rank."""
    for shape in SHAPES:
        A, W = RNG.standard_normal((6, shape[0])), RNG.standard_normal(shape)
        L, G = np.sum(A**2), A.T @ A @ W
        U, s, V = thin_svd(G)
        new = W - np.sum(s) / L * U @ V
        decrease = 0.5 * np.sum((A @ W) ** 2) - 0.5 * np.sum((A @ new) ** 2)
        bound = np.sum(s) ** 2 / (2 * L)
        assert decrease >= bound * (1 - 1e-12)
        if len(s) == shape[0]:  # U V^T V U^T = I
            assert decrease == pytest.approx(bound, rel=1e-10)


# Lion with decay


@pytest.mark.parametrize("start", [-30.0, 0.0, 9.0, 50.0])
def test_decay_bounds_the_weights_of_lion(start):
    alpha, decay = 0.05, 0.1
    w, m = np.full(20, start), np.zeros(20)
    for t in range(1, 2000):
        w, m = rules.lion(w, RNG.standard_normal(20) - 1.0, m, learning_rate=alpha, weight_decay=decay)
        assert np.all(np.abs(w) - 1 / decay <= (1 - alpha * decay) ** t * (abs(start) - 1 / decay) + 1e-12)
    assert np.all(np.abs(w) <= 1 / decay + 40 * (1 - alpha * decay) ** 1999 + 1e-12)


@pytest.mark.parametrize("start", [0.0, 9.0, 50.0])
def test_the_bound_of_decay_is_attained(start):
    alpha, decay = 0.05, 0.1
    w, m = start, 0.0
    for t in range(1, 300):
        w, m = rules.lion(w, -1.0, m, learning_rate=alpha, weight_decay=decay)
        assert w - 1 / decay == pytest.approx((1 - alpha * decay) ** t * (start - 1 / decay), rel=1e-10)


# Shampoo


@pytest.mark.parametrize("shape", SHAPES)
def test_first_step_of_shampoo_is_the_steepest_in_the_spectral_norm(shape):
    """Of a gradient with singular values from 1 to 2, at a negligible epsilon."""
    U, s, V = thin_svd(RNG.standard_normal(shape))
    G = U * np.linspace(2, 1, len(s)) @ V
    left, right = np.zeros((shape[0],) * 2), np.zeros((shape[1],) * 2)
    w, left, right = matrix_rules.shampoo(np.zeros(shape), G, left, right, learning_rate=0.5, epsilon=1e-12)
    np.testing.assert_allclose(w, -0.5 * U @ V, atol=1e-10)


def root(S):
    values, vectors = np.linalg.eigh(S)
    kept = values > 1e-10 * values[-1]
    return vectors[:, kept] * values[kept] ** -0.25 @ vectors[:, kept].T


@pytest.mark.parametrize("shape", SHAPES)
def test_shampoo_of_one_gradient_with_pseudo_inverses(shape):
    G = low_rank(shape)
    U, _, V = thin_svd(G)
    np.testing.assert_allclose(root(G @ G.T) @ G @ root(G.T @ G), U @ V, atol=1e-10)


# Newton-Schulz


def p(x):
    return 3.4445 * x - 4.7750 * x**3 + 2.0315 * x**5


def image(low, high):
    """The interval onto which p maps another."""
    stationary = np.sqrt(np.roots([5 * 2.0315, -3 * 4.7750, 3.4445]).real)
    values = p(np.array([low, high, *(x for x in stationary if low < x < high)]))
    return values.min(), values.max()


def test_five_steps_map_onto_the_stated_interval():
    low, high = 0.005, 1.0
    for _ in range(5):
        low, high = image(low, high)
    assert (round(low, 4), round(high, 4)) == (0.6818, 1.1544)
    x = np.linspace(0.005, 1, 10**6)
    for _ in range(5):
        x = p(x)
    assert low <= x.min() < low + 1e-4
    assert high - 1e-4 < x.max() <= high
    U, V = rotation(40), rotation(40)
    s = np.geomspace(0.02, 1, 40)
    assert s[0] / np.linalg.norm(s) > 0.005
    got = np.linalg.svd(matrix_rules.orthogonalize(U * s @ V), compute_uv=False)
    assert low - 1e-12 <= got.min() <= got.max() <= high + 1e-12


def test_polynomial_acts_on_singular_values_and_does_not_settle_at_one():
    U, s, V = np.linalg.svd(RNG.standard_normal((6, 4)), full_matrices=False)
    expected = s / np.linalg.norm(s)
    for _ in range(5):
        expected = p(expected)
    np.testing.assert_allclose(matrix_rules.orthogonalize(U * s @ V), U * expected @ V, atol=1e-12)
    assert p(1.0) == pytest.approx(0.701, abs=1e-12)
    np.testing.assert_allclose(
        matrix_rules.orthogonalize(5 * np.outer(U[:, 0], V[0])),
        p(p(p(p(p(1.0))))) * np.outer(U[:, 0], V[0]),
        atol=1e-12,
    )


# Rotations


def distance_under_rotation(rule, steps=8, **hyper):
    """How far the iterates on the turned problem are from the turned iterates."""
    A, C, P, Q = RNG.standard_normal((5, 4)), RNG.standard_normal((5, 3)), rotation(4), rotation(3)
    start = RNG.standard_normal((4, 3))

    def gradient(W):
        return A.T @ (A @ W - C)

    W, turned, step, turned_step = start.copy(), P @ start @ Q, Stepper(rule, **hyper), Stepper(rule, **hyper)
    for _ in range(steps):
        step(W, gradient(W))
        turned_step(turned, P @ gradient(P.T @ turned @ Q.T) @ Q)
    return np.max(np.abs(turned - P @ W @ Q))


def test_muon_and_shampoo_commute_with_rotations():
    assert distance_under_rotation(matrix_rules.muon, learning_rate=0.1) < 1e-10
    assert distance_under_rotation(matrix_rules.shampoo, learning_rate=0.1, epsilon=1e-3) < 1e-9


def test_adam_and_signs_do_not_commute_with_rotations():
    assert distance_under_rotation(rules.adam, learning_rate=0.1) > 0.05
    assert distance_under_rotation(rules.sign_descent, learning_rate=0.1) > 0.05
    assert distance_under_rotation(rules.momentum, learning_rate=0.01) < 1e-10


# Schedule-Free

PROBLEM = problems.quadratic([1.0, 3.0, 9.0], minimizer=[1.0, 2.0, 3.0])


def schedule_free(oracle, rate, beta, steps):
    """The averages x_0, ..., x_steps."""
    estimate, z, x = oracle(PROBLEM, 0), PROBLEM.start, PROBLEM.start
    path = [x]
    for t in range(1, steps + 1):
        z = z - rate * estimate((1 - beta) * z + beta * x, t)
        x = (1 - 1 / t) * x + z / t
        path.append(x)
    return np.array(path)


def test_schedule_free_without_interpolation_is_averaging():
    oracle = gradients.noisy(0.5)
    x = schedule_free(oracle, 0.05, 0.0, 100)
    trace = minimize(PROBLEM, gradient=oracle, learning_rate=0.05, steps=100, average=averages.uniform(), iterates=True)
    plain = minimize(PROBLEM, gradient=oracle, learning_rate=0.05, steps=100, iterates=True)
    np.testing.assert_allclose(x, trace.iterates, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(x[-1], plain.iterates[1:].mean(axis=0), rtol=1e-13)


def test_schedule_free_at_the_average_is_a_heavy_ball():
    oracle = gradients.noisy(0.5)
    x, estimate = schedule_free(oracle, 0.05, 1.0, 100), oracle(PROBLEM, 0)
    for t in range(1, 100):
        expected = (t - 1) / (t + 1) * (x[t] - x[t - 1]) - 0.05 / (t + 1) * estimate(x[t], t + 1)
        np.testing.assert_allclose(x[t + 1] - x[t], expected, rtol=1e-9, atol=1e-14)
