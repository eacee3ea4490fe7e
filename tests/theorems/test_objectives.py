"""Theorems of the chapter on objectives."""

import numpy as np
import pytest

from fo_lib import minimize, problems

RNG = np.random.default_rng(0)
X = RNG.standard_normal((30, 4)) * [1.0, 3.0, 0.2, 1.0]
SIGNS = np.where(X @ [1.0, -1.0, 2.0, 0.5] + RNG.standard_normal(30) > 0, 1, -1)


@pytest.mark.parametrize(("name", "bound"), [("least_squares", 1.0), ("logistic", 0.25), ("huber", 1.0)])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_curvature_of_a_linear_model_is_bounded_by_that_of_loss_and_data(name, bound, l2):
    """lambda <= every eigenvalue of the Hessian <= c lambda_max(X'X) / n + lambda, attained at w = 0."""
    extra = {"threshold": 10.0} if name == "huber" else {}
    problem = getattr(problems, name)(X, SIGNS, l2=l2, **extra)
    largest = bound * np.linalg.svd(X, compute_uv=False)[0] ** 2 / 30 + l2
    assert problem.L == pytest.approx(largest, rel=1e-12)
    assert np.linalg.eigvalsh(problem.hessian(np.zeros(4)))[-1] == pytest.approx(largest, rel=1e-12)
    for _ in range(50):
        eigenvalues = np.linalg.eigvalsh(problem.hessian(3 * RNG.standard_normal(4)))
        assert l2 - 1e-12 <= eigenvalues[0]
        assert eigenvalues[-1] <= largest * (1 + 1e-12)


def quadratic_bounds(problem, w, u):
    """f(u) minus its tangent at w, over |u - w|^2 / 2: between mu and L if f is smooth and strongly convex."""
    s = u - w
    return (problem.value(u) - problem.value(w) - problem.grad(w) @ s) / (0.5 * s @ s)


def test_smoothness_and_strong_convexity_are_two_parabolas():
    problem = problems.logistic(X, SIGNS, l2=0.3)
    for _ in range(200):
        w, u = RNG.standard_normal((2, 4))
        assert problem.mu - 1e-12 <= quadratic_bounds(problem, w, u) <= problem.L


def test_the_two_parabolas_are_attained_by_a_quadratic():
    problem = problems.quadratic([2.0, 5.0])
    w = RNG.standard_normal(2)
    assert quadratic_bounds(problem, w, w + np.eye(2)[0]) == pytest.approx(2.0, rel=1e-12)
    assert quadratic_bounds(problem, w, w + np.eye(2)[1]) == pytest.approx(5.0, rel=1e-12)


@pytest.mark.parametrize("h", [1e-1, 1e-2, 1e-3])
def test_central_differences_err_by_the_third_derivative(h):
    """(f(x + h) - f(x - h)) / 2h - f'(x) is f''' h^2 / 6 exactly for a cubic."""

    def cubic(x):
        return 2.0 * x**3 - x

    error = (cubic(0.5 + h) - cubic(0.5 - h)) / (2 * h) - (6 * 0.25 - 1)
    assert error == pytest.approx(12.0 * h**2 / 6, rel=1e-4, abs=1e-12 / h * 1e-3)


def test_the_best_difference_step_balances_truncation_and_rounding():
    """On exp at 1: the best h is (3 eps / 1)^(1/3) up to a small factor, and the error there near eps^(2/3)."""
    h = 10.0 ** np.arange(-9, 0, 0.25)
    x = np.linspace(0.9, 1.1, 201)[:, None]  # the worst over many points: a single one may be lucky
    error = np.abs((np.exp(x + h) - np.exp(x - h)) / (2 * h) - np.exp(x)).max(0) / np.e
    predicted = (3 * np.finfo(float).eps) ** (1 / 3)
    assert 0.2 < h[np.argmin(error)] / predicted < 5
    assert error.min() < 10 * np.finfo(float).eps ** (2 / 3)


Y = np.array([1.0, 2.0, 2.5, 7.0, 30.0])


def best_constant(loss):
    """The constant prediction of least mean loss, by brute force."""
    grid = np.linspace(-5, 35, 400_001)
    return grid[np.argmin(np.mean([loss(grid - y) for y in Y], axis=0))]


def test_squared_loss_estimates_the_mean_and_absolute_loss_the_median():
    assert best_constant(np.square) == pytest.approx(Y.mean(), abs=1e-4)
    assert best_constant(np.abs) == pytest.approx(np.median(Y), abs=1e-4)


@pytest.mark.parametrize("threshold", [1e-3, 2.0, 1e3])
def test_hubers_loss_goes_from_the_median_to_the_mean(threshold):
    problem = problems.huber(np.ones((5, 1)), Y, threshold=threshold)
    found = minimize(problem, learning_rate=1.0, steps=100_000, every=100_000, compiled=True).w[0]
    expected = {1e-3: np.median(Y), 1e3: Y.mean()}.get(threshold)
    assert found == pytest.approx(expected, abs=2e-3) if expected else np.median(Y) < found < Y.mean()


def test_logistic_loss_estimates_the_log_odds():
    """17 of 20 positive: the best constant is log(17 / 3)."""
    problem = problems.solve(problems.logistic(np.ones((20, 1)), [1] * 17 + [0] * 3))
    assert problem.minimizer[0] == pytest.approx(np.log(17 / 3), rel=1e-10)


def test_hinge_loss_estimates_the_majority():
    """17 of 20 positive: the best constant is 1."""
    grid = np.linspace(-3, 3, 6001)
    risk = 17 * np.maximum(0, 1 - grid) + 3 * np.maximum(0, 1 + grid)
    assert grid[np.argmin(risk)] == pytest.approx(1, abs=1e-3)


def test_surrogates_lie_above_the_count_of_errors():
    """An error, y p <= 0, costs 1: logistic loss over log 2 and hinge loss are at least that, and at least 0."""
    margin = np.linspace(-5, 5, 1001)
    errors = (margin <= 0).astype(float)
    assert np.all(np.logaddexp(0, -margin) / np.log(2) >= errors - 1e-15)
    assert np.all(np.maximum(0, 1 - margin) >= errors)
    assert np.logaddexp(0, 0) / np.log(2) == pytest.approx(1.0)


def test_standardizing_makes_the_mean_eigenvalue_one():
    unit = (X - X.mean(0)) / X.std(0)
    assert np.linalg.eigvalsh(unit.T @ unit / 30).mean() == pytest.approx(1.0, rel=1e-12)


def test_separable_data_have_no_minimizer_and_the_weights_grow_like_a_logarithm():
    problem = problems.logistic([[1.0], [2.0], [-1.0]], [1, 1, -1])
    sizes = [abs(minimize(problem, learning_rate=1 / problem.L, steps=n, every=n).w[0]) for n in (100, 1000, 10_000)]
    growth = np.diff(sizes)
    assert growth[0] == pytest.approx(np.log(10), rel=0.1)
    assert growth[1] == pytest.approx(np.log(10), rel=0.1)
