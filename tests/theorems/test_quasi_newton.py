"""Quasi-Newton methods: on quadratics, and with pairs from batches."""

import numpy as np
import pytest

from fo_lib import newton, problems
from tests.theorems.instances import random_quadratic


def exact_line_search_path(problem, memory, steps, scale=None):
    """Iterates of L-BFGS with exact line search on a quadratic; with a scale: BFGS from that multiple of the identity."""
    w, pairs, path = problem.start, [], [problem.start]
    B = None if scale is None else scale * np.eye(len(w))
    A = problem.hessian(w)
    for _ in range(steps):
        g = problem.grad(w)
        s = newton.two_loop(g, pairs[-memory:]) if B is None else -B @ g
        s = s * -(g @ s) / (s @ A @ s)
        w, y = w + s, problem.grad(w + s) - g
        pairs.append((s, y))
        if B is not None:
            keep = np.eye(len(w)) - np.outer(s, y) / (s @ y)
            B = keep @ B @ keep.T + np.outer(s, s) / (s @ y)
        path.append(w)
    return np.array(path)


def conjugate_gradients(problem, steps):
    w = problem.start
    r = p = -problem.grad(w)
    path, A = [w], problem.hessian(w)
    for _ in range(steps):
        alpha = r @ r / (p @ A @ p)
        w, new = w + alpha * p, r - alpha * A @ p
        p, r = new + new @ new / (r @ r) * p, new
        path.append(w)
    return np.array(path)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("memory", "scale"), [(1, None), (3, None), (100, None), (0, 1.0), (0, 7.0)])
def test_bfgs_and_lbfgs_are_conjugate_gradients_on_quadratics(seed, memory, scale):
    rng = np.random.default_rng(seed)
    problem = problems.quadratic(rng.uniform(1, 10, 6), seed=seed, start=rng.standard_normal(6))
    path = exact_line_search_path(problem, memory, 6, scale)
    np.testing.assert_allclose(path, conjugate_gradients(problem, 6), atol=1e-9)
    assert np.linalg.norm(path[-1]) < 1e-9
    assert np.linalg.norm(path[4]) > 1e-4  # and not before
    # without exact lines they part
    if scale is None:
        g = problem.grad(problem.start)
        s = -0.5 * g / problem.L
        y = problem.grad(problem.start + s) - g
        new = problem.grad(problem.start + s)
        conjugate = new - (new @ y) / (s @ y) * s
        cosine = newton.two_loop(new, [(s, y)]) @ -conjugate
        cosine /= np.linalg.norm(newton.two_loop(new, [(s, y)])) * np.linalg.norm(conjugate)
        assert cosine < 1 - 1e-4


@pytest.mark.parametrize("rate", [0.03, 0.3])
@pytest.mark.parametrize("at_minimizer", [True, False])
def test_pairs_from_two_batches_measure_the_learning_rate(rate, at_minimizer):
    """Exact, over all pairs of noises: each of a finite set, equally likely."""
    quadratic = random_quadratic(2, dimension=4)
    A = quadratic.hessian(quadratic.start)
    noise = np.random.default_rng(0).standard_normal((9, 4))
    noise -= noise.mean(0)
    w = quadratic.minimizer if at_minimizer else quadratic.minimizer + 0.01 * np.ones(4)
    g = quadratic.grad(w)
    variance = np.mean(np.sum(noise**2, axis=1))
    s = -rate * (g + noise)
    sy = np.mean([[a @ (A @ a + after - before) for after in noise] for a, before in zip(s, noise, strict=True)])
    ss = np.mean(np.sum(s**2, axis=1))
    true = np.mean(np.einsum("ki,ij,kj->k", s, A, s)) / ss
    expected = true + variance / (g @ g + variance) / rate
    assert sy / ss == pytest.approx(expected, rel=1e-12)
    if at_minimizer:
        assert sy / ss == pytest.approx(true + 1 / rate, rel=1e-12)


def test_pairs_from_one_batch_measure_curvature():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    problem = problems.least_squares(X, rng.standard_normal(60))
    for _ in range(50):
        rows, w, s = rng.permutation(60)[:8], rng.standard_normal(4), 1e-3 * rng.standard_normal(4)
        y = problem.sample_grad(w + s, rows) - problem.sample_grad(w, rows)
        low, *_, high = np.linalg.eigvalsh(X[rows].T @ X[rows] / 8)
        assert low * (1 - 1e-6) <= s @ y / (s @ s) <= high * (1 + 1e-6)
    values, Q = np.linalg.eigh(X[rows].T @ X[rows] / 8)
    for value, direction in zip(values, Q.T, strict=True):  # both ends are attained
        y = problem.sample_grad(w + direction, rows) - problem.sample_grad(w, rows)
        assert direction @ y == pytest.approx(value, rel=1e-9)
