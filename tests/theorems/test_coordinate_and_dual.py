"""Theorems of the chapter on coordinates and duals: coordinate descent."""

import numpy as np
import pytest

from fo_lib import problems, rates

# Coordinate descent


def curvatures(problem, X, l2, most):
    """Bounds of the curvature along each coordinate: of a mean of losses with curvature at most ``most``."""
    return most * np.mean(X**2, axis=0) + l2


def step(problem, L, w, i):
    w = w.copy()
    w[i] -= problem.grad(w)[i] / L[i]
    return w


def expected(problem, L, p, w, k):
    """The expected value after k steps, over all sequences of coordinates."""
    if k == 0:
        return problem.value(w)
    return sum(p[i] * expected(problem, L, p, step(problem, L, w, i), k - 1) for i in range(len(w)))


def sampling(H):
    """Equal probabilities, and those in proportion to the L_i; and the constants of the rate of each."""
    d, L = len(H), np.diag(H)
    within = np.linalg.eigvalsh(H / np.sqrt(np.outer(L, L)))[0]  # mu in the norm of the L_i
    return {
        "equal": (np.full(d, 1 / d), {"mu": within, "L_sum": float(d)}),
        "by curvature": (L / L.sum(), {"mu": np.linalg.eigvalsh(H)[0], "L_sum": L.sum()}),
    }


@pytest.mark.parametrize("kind", ["equal", "by curvature"])
@pytest.mark.parametrize("seed", range(4))
def test_random_coordinates_keep_the_linear_rate_in_expectation(kind, seed):
    rng = np.random.default_rng(seed)
    B = rng.standard_normal((3, 3))
    H = B @ B.T + 0.3 * np.diag([1, 4, 9])
    problem = problems.quadratic(H, minimizer=rng.standard_normal(3), start=rng.standard_normal(3))
    L = np.diag(H)
    p, constants = sampling(H)[kind]
    w = problem.start
    bound = rates.coordinate_descent(np.arange(5), **constants) * (problem.value(w) - problem.minimum)
    for k in range(5):
        assert expected(problem, L, p, w, k) - problem.minimum <= bound[k] * (1 + 1e-12)


@pytest.mark.parametrize("kind", ["equal", "by curvature"])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_a_diagonal_quadratic_attains_the_linear_rate(kind, k):
    h = np.array([0.5, 2.0, 4.0])
    start = [1.0, 0, 0] if kind == "by curvature" else [1.0, -2.0, 0.5]  # only the flattest direction, or any start
    problem = problems.quadratic(h, start=start)
    p, constants = sampling(np.diag(h))[kind]
    wanted = rates.coordinate_descent(k, **constants) * problem.value(problem.start)
    assert expected(problem, h, p, problem.start, k) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_logistic_regression_keeps_both_bounds_in_every_step(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((30, 4)) * [1, 2, 0.5, 3], rng.choice([-1, 1], 30)
    problem = problems.solve(problems.logistic(X, y, l2=0.05), tolerance=1e-12)
    L, w = curvatures(problem, X, 0.05, 0.25), rng.standard_normal(4)
    for p, L_sum in ((np.full(4, 1 / 4), 4 * L.max()), (L / L.sum(), L.sum())):  # mu_L >= mu / max L
        for _ in range(30):
            gap = problem.value(w) - problem.minimum
            after = sum(p[i] * problem.value(step(problem, L, w, i)) for i in range(4)) - problem.minimum
            assert after <= (1 - problem.mu / L_sum) * gap + 1e-15
            w = step(problem, L, w, rng.choice(4, p=p))


def energy(problem, L, w):
    return np.sum(L * (w - problem.minimizer) ** 2) / 2 + problem.value(w) - problem.minimum


@pytest.mark.parametrize("seed", range(3))
def test_the_energy_of_the_convex_bound_falls_by_the_gap_over_d(seed):
    rng = np.random.default_rng(seed)
    d, X, y = 4, rng.standard_normal((30, 4)) * [1, 2, 0.5, 3], rng.choice([-1, 1], 30)
    problem = problems.solve(problems.logistic(X, y, l2=1e-3), tolerance=1e-12)
    L, w = curvatures(problem, X, 1e-3, 0.25), rng.standard_normal(d)
    for _ in range(10):
        after = np.mean([energy(problem, L, step(problem, L, w, i)) for i in range(d)])
        assert after <= energy(problem, L, w) - (problem.value(w) - problem.minimum) / d + 1e-13
        w = step(problem, L, w, rng.integers(d))


def huber(w, kink):
    """Value and slope of a function of one number with curvature at most 1."""
    return np.where(np.abs(w) <= kink, w**2 / 2, kink * np.abs(w) - kink**2 / 2), np.clip(w, -kink, kink)


def test_a_sum_of_near_kinks_loses_hardly_more_than_the_gap_over_d():
    d, kink = 3, 0.01
    w = np.ones(d)
    value, slope = huber(w, kink)
    after, _ = huber(w - slope, kink)
    lost = np.mean((w**2 - (w - slope) ** 2) / 2 + value - after)  # of the energy, by a step along one coordinate
    assert 1 <= lost / (value.sum() / d) < 1.02


def test_a_diagonal_quadratic_loses_exactly_two_gaps_over_d_of_energy():
    h = np.array([0.5, 2.0, 4.0])
    problem, w = problems.quadratic(h, start=[1.0, -2.0, 0.5]), np.array([1.0, -2.0, 0.5])
    after = np.mean([energy(problem, h, step(problem, h, w, i)) for i in range(3)])
    assert after == pytest.approx(energy(problem, h, w) - 2 / 3 * problem.value(w), rel=1e-14)


def test_the_convex_bound_holds_and_is_at_most_twice_too_large_for_one_coordinate():
    rng = np.random.default_rng(0)
    B = rng.standard_normal((2, 3))
    flat = problems.quadratic(B.T @ B + 1e-9 * np.eye(3), start=[1.0, 2.0, -1.0])
    L = np.diag(B.T @ B) + 1e-9
    R = np.sqrt(np.sum(L * (flat.start - flat.minimizer) ** 2))
    for k in range(6):
        bound = rates.coordinate_descent_convex(k, d=3, R=R, gap=flat.value(flat.start) - flat.minimum)
        assert expected(flat, L, np.full(3, 1 / 3), flat.start, k) - flat.minimum <= bound * (1 + 1e-12)
    k, w = 1000, 1.0
    kink = 1 / (2 * k + 1)  # Huber's function, on which gradient descent attains its bound
    first = float(huber(w, kink)[0])
    for _ in range(k):
        w -= huber(w, kink)[1]
    bound = rates.coordinate_descent_convex(k, d=1, R=1.0, gap=first)
    assert huber(w, kink)[0] / bound == pytest.approx(0.5, rel=2e-3)


def sweep(H, w, best):
    w = w.copy()
    for i in range(len(w)):
        w[i] -= H[i] @ (w - best) / H[i, i]
    return w


@pytest.mark.parametrize("seed", range(3))
def test_units_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    B = rng.standard_normal((5, 5))
    H, best, w = B @ B.T + np.eye(5), rng.standard_normal(5), rng.standard_normal(5)
    c = 10.0 ** rng.uniform(-3, 3, 5)  # the same weights in other units: w = v / c
    scaled = H / np.outer(c, c)
    for _ in range(3):
        v = sweep(scaled, c * w, c * best)
        w = sweep(H, w, best)
        np.testing.assert_allclose(v, c * w, rtol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_a_sweep_is_a_step_of_gauss_and_seidel_and_always_converges(seed):
    rng = np.random.default_rng(seed)
    B = rng.standard_normal((5, 5))
    H, best, w = B @ B.T + 0.1 * np.eye(5), rng.standard_normal(5), rng.standard_normal(5)
    after = w - np.linalg.solve(np.tril(H), H @ (w - best))
    np.testing.assert_allclose(sweep(H, w, best), after, rtol=1e-10)
    assert np.abs(np.linalg.eigvals(np.eye(5) - np.linalg.solve(np.tril(H), H))).max() < 1
    for i in range(5):  # each of its steps lowers the value by H_ii / 2 times its squared length
        before = (w - best) @ H @ (w - best) / 2
        length = H[i] @ (w - best) / H[i, i]
        w[i] -= length
        assert (w - best) @ H @ (w - best) / 2 == pytest.approx(before - H[i, i] / 2 * length**2)


def slowness(d, c=0.999):
    """Sweeps to a fixed accuracy, cyclic over what is guaranteed for random ones, on Sun and Ye's matrix."""
    H = (1 - c) * np.eye(d) + c
    cyclic = np.abs(np.linalg.eigvals(np.eye(d) - np.linalg.solve(np.tril(H), H))).max()
    random = rates.coordinate_descent(d, mu=1 - c, L_sum=float(d))
    return np.log(random) / (2 * np.log(cyclic))


def test_a_fixed_order_can_be_slower_by_the_square_of_the_dimension():
    ratios = np.array([slowness(d) for d in (20, 40, 80)])
    np.testing.assert_allclose(ratios[1:] / ratios[:-1], 4, rtol=0.01)
    np.testing.assert_allclose(ratios, np.array([20, 40, 80]) ** 2 / (4 * np.pi**2), rtol=0.03)
    assert slowness(5) < 1  # in five dimensions it is faster than what is guaranteed for random ones


# Kinks


def test_separable_kinks_stop_no_one_and_others_do():
    rng = np.random.default_rng(0)
    B = rng.standard_normal((4, 4))
    H, b, weight = B @ B.T + np.eye(4), 5 * rng.standard_normal(4), 1.0
    w = np.zeros(4)
    for _ in range(2000):
        for i in range(4):
            slope = b[i] - H[i] @ w + H[i, i] * w[i]
            w[i] = np.sign(slope) * max(abs(slope) - weight, 0) / H[i, i]
    g = b - H @ w  # optimal: g in weight times the subdifferential of the norm
    assert np.all(np.abs(g) <= weight + 1e-9)
    np.testing.assert_allclose(g[w != 0], weight * np.sign(w[w != 0]), atol=1e-9)

    def stuck(u):
        return abs(u[0] - u[1]) + np.sum((u - 1) ** 2) / 4

    at = np.zeros(2)
    moves = np.linspace(-3, 3, 6001)
    for i in range(2):
        along = [stuck(at + t * np.eye(2)[i]) for t in moves]
        assert np.argmin(along) == 3000  # no move along a coordinate helps
    assert stuck(np.ones(2)) == 0 < stuck(at) == 0.5
