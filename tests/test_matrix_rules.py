"""Rules of matrices: their formulas by singular values, any shape of weights, and the loop."""

import tracemalloc

import numpy as np
import pytest

from fo_lib import matrix_rules, minimize, problems
from fo_lib.engine import Stepper, can_fuse, signature

RNG = np.random.default_rng(0)
G = RNG.standard_normal((4, 3))


def polynomial(x):
    return 3.4445 * x - 4.7750 * x**3 + 2.0315 * x**5


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (5, 5), (6, 1)])
def test_orthogonalize_applies_its_polynomial_to_the_singular_values(shape):
    matrix = 100 * RNG.standard_normal(shape)
    U, s, V = np.linalg.svd(matrix, full_matrices=False)
    s = s / np.linalg.norm(s)
    for _ in range(5):
        s = polynomial(s)
    np.testing.assert_allclose(matrix_rules.orthogonalize(matrix), U * s @ V, atol=1e-12)


@pytest.mark.parametrize("shape", [(1000, 2), (2, 1000)])
def test_orthogonalize_multiplies_by_the_small_side(shape):
    """Products of 2 by 2 numbers, not of a million."""
    matrix = RNG.standard_normal(shape)
    tracemalloc.start()
    matrix_rules.orthogonalize(matrix)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * matrix.nbytes


def test_muon_steps_along_the_momentum_with_all_directions_alike():
    w, v = matrix_rules.muon(np.zeros((4, 3)), G, np.full((4, 3), 0.5), learning_rate=0.1, momentum=0.5)
    np.testing.assert_allclose(v, 0.25 + G, rtol=1e-14)
    np.testing.assert_allclose(w, -0.1 * matrix_rules.orthogonalize(G + 0.5 * v), rtol=1e-12)


def inverse_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(values**-0.25) @ vectors.T


def test_an_eigenvalue_that_rounding_made_negative_counts_as_zero():
    root = matrix_rules._inverse_fourth_root(np.diag([16.0, -0.25]), 1e-4)
    np.testing.assert_allclose(root, np.diag([(16 + 1e-4) ** -0.25, 10.0]), rtol=1e-12)


def test_the_defaults_of_the_rules_of_matrices():
    assert signature(matrix_rules.muon).hyper == {"learning_rate": 0.02, "momentum": 0.95}
    assert signature(matrix_rules.shampoo).hyper == {"learning_rate": 0.1, "epsilon": 1e-4}


def test_shampoo_by_its_formula_over_two_steps():
    g2 = RNG.standard_normal((4, 3))
    w, left, right = matrix_rules.shampoo(np.ones((4, 3)), G, np.zeros((4, 4)), np.zeros((3, 3)), 0.5, 1e-2)
    w, left, right = matrix_rules.shampoo(w, g2, left, right, 0.5, 1e-2)
    L1, R1 = G @ G.T + 1e-2 * np.eye(4), G.T @ G + 1e-2 * np.eye(3)
    L2, R2 = L1 + g2 @ g2.T, R1 + g2.T @ g2
    first = inverse_root(L1) @ G @ inverse_root(R1)
    second = inverse_root(L2) @ g2 @ inverse_root(R2)
    np.testing.assert_allclose(w, 1 - 0.5 * (first + second), rtol=1e-10)


@pytest.mark.parametrize("rule", [matrix_rules.muon, matrix_rules.shampoo])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "matrix"), [((2, 2, 3), (4, 3)), ((5,), (5, 1)), ((), (1, 1))])
def test_an_array_of_any_shape_counts_as_a_matrix(rule, dtype, shape, matrix):
    w, gradients = np.ones(shape, dtype), RNG.standard_normal((3, *shape)).astype(dtype)
    flat, step, flat_step = w.reshape(matrix).copy(), Stepper(rule), Stepper(rule)
    for g in gradients:
        step(w, np.asarray(g))
        flat_step(flat, g.reshape(matrix))
    assert w.dtype == dtype
    np.testing.assert_allclose(w.reshape(matrix), flat, rtol=1e-4 if dtype == np.float32 else 1e-10)


def test_the_loop_calls_a_rule_of_matrices_for_each_array():
    X, y = RNG.standard_normal((30, 4)), RNG.integers(3, size=30)
    problem = problems.softmax_regression(X, y)
    for rule in (matrix_rules.muon, matrix_rules.shampoo):
        trace = minimize(problem, rule, learning_rate=0.05, steps=5)
        weights, steps = [a.copy() for a in problem.start], [Stepper(rule), Stepper(rule)]
        for _ in range(5):
            for w, g, step in zip(weights, problem.grad(weights), steps, strict=True):
                step(w, g, learning_rate=0.05)
        for got, expected in zip(trace.w, weights, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-10)
        assert not can_fuse(rule)


def test_a_state_of_the_wrong_shape_is_named():
    def careless(w, g, left, learning_rate=0.1):
        return w, left[:1]

    careless.state_shapes = {"left": lambda shape: (shape[0], shape[0])}
    with pytest.raises(ValueError, match=r"shapes \[\(4, 3\), \(4, 4\)\], got \[\(4, 3\), \(1, 4\)\]"):
        Stepper(careless)(np.zeros((4, 3)), G)
