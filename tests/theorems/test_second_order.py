"""Theorems of the chapter on second-order methods."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize

from fo_lib import minimize, newton, problems, rates
from fo_lib.newton import newton_method
from fo_lib.problem import solve
from tests.theorems.instances import one_variable, random_logistic


def plain_path(problem, steps, **settings):
    return newton_method(problem, length=newton.full_step, steps=steps, iterates=True, **settings).iterates


@pytest.mark.parametrize(("mu", "M"), [(1.0, 1.0), (3.0, 0.5), (0.2, 7.0)])
def test_local_bound_and_basin_are_attained_exactly(mu, M):
    edge = rates.newton_basin(mu=mu, M=M)

    def path(start, steps):
        f = one_variable(
            lambda w: mu / 2 * w**2 - M / 6 * abs(w) ** 3,
            lambda w: mu * w - M / 2 * w * abs(w),
            lambda w: mu - M * abs(w),
            start,
        )
        return np.abs(plain_path(f, steps)[:, 0])

    for share in (0.1, 0.5, 0.9, 0.99):
        error = path(share * edge, 4)
        np.testing.assert_allclose(error[1:], rates.newton_error(error[:-1], mu=mu, M=M), rtol=1e-9, atol=1e-16)
    assert path(0.99 * edge, 12)[-1] < 1e-9 * edge
    assert path(1.01 * edge, 5)[-1] > edge
    # at the edge, in exact arithmetic: to and fro for ever
    w, radius = Fraction(2, 3), Fraction(2, 3)
    for k in range(20):
        w = w - (w - w * abs(w) / 2) / (1 - abs(w))
        assert w == (-1) ** (k + 1) * radius
    assert edge == pytest.approx(2 * mu / (3 * M), rel=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_local_bound_holds_on_logistic_regression(seed):
    """|third derivative of the loss| <= 1 / (6 sqrt 3), so M <= mean |x|^3 / (6 sqrt 3)."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 3))
    problem = solve(problems.logistic(X, X @ rng.standard_normal(3) + rng.logistic(size=40) > 0, l2=0.05))
    M = np.mean(np.linalg.norm(X, axis=1) ** 3) / (6 * np.sqrt(3))
    mu = np.linalg.eigvalsh(problem.hessian(problem.minimizer))[0]
    direction = rng.standard_normal(3)
    radius = rates.newton_basin(mu=mu, M=M)
    path = plain_path(problem, 5, start=problem.minimizer + 0.99 * radius * direction / np.linalg.norm(direction))
    error = np.linalg.norm(path - problem.minimizer, axis=1)
    assert np.all(error[1:] <= rates.newton_error(error[:-1], mu=mu, M=M) + 1e-14)
    assert error[-1] < 1e-12


@pytest.mark.parametrize(("mu", "M", "start"), [(1.0, 1.0, 0.3), (0.5, 4.0, 2.0), (2.0, 0.1, 50.0)])
def test_global_bound_is_attained_exactly(mu, M, start):
    """Curvature mu + M max(w0 - w, 0), and the slope zero at 0: strongly convex, Hessian Lipschitz."""

    def slope(w):
        def primitive(x):
            return mu * x - M / 2 * max(start - x, 0.0) ** 2

        return primitive(w) - primitive(0.0)

    f = one_variable(lambda w: 0.0, slope, lambda w: mu + M * max(start - w, 0.0), start)
    path = plain_path(f, 6)[:, 0]
    assert path[1] == pytest.approx(-M / (2 * mu) * start**2, rel=1e-12)
    assert np.all(np.abs(path[1:]) <= M / (2 * mu) * path[:-1] ** 2 * (1 + 1e-12) + 1e-14)


def test_orders_other_than_two():
    for m in (2, 3, 5):
        f = one_variable(
            lambda w, m=m: w ** (2 * m),
            lambda w, m=m: 2 * m * w ** (2 * m - 1),
            lambda w, m=m: 2 * m * (2 * m - 1) * w ** (2 * m - 2),
            1.0,
        )
        path = plain_path(f, 10)[:, 0]
        np.testing.assert_allclose(path[1:] / path[:-1], 1 - 1 / (2 * m - 1), rtol=1e-12)
    # even functions: (name, slope, curvature, f''''(0) / (3 f''(0)))
    for slope, curvature, limit in (
        (lambda w: w + w**3, lambda w: 1 + 3 * w**2, 6 / 3),
        (lambda w: w / np.hypot(1, w), lambda w: np.hypot(1, w) ** -3, -3 / 3),
        (lambda w: 2 * np.sinh(w), lambda w: 2 * np.cosh(w), 2 / (3 * 2)),
    ):
        path = plain_path(one_variable(lambda w: 0.0, slope, curvature, 1e-2), 1)[:, 0]
        assert path[1] / path[0] ** 3 == pytest.approx(limit, rel=1e-3)
    # and without symmetry the order is two: 1 - w is squared
    path = plain_path(one_variable(lambda w: w, lambda w: 1 - 1 / w, lambda w: 1 / w**2, 0.9), 3)[:, 0]
    np.testing.assert_allclose(1 - path[1:], (1 - path[:-1]) ** 2, rtol=1e-9, atol=1e-15)


def test_far_away_it_diverges_or_cycles():
    def root(start):
        return one_variable(
            lambda w: np.hypot(1, w), lambda w: w / np.hypot(1, w), lambda w: np.hypot(1, w) ** -3, start
        )

    for start in (0.5, 0.999, 1.001, 1.5):
        path = plain_path(root(start), 3)[:, 0]
        np.testing.assert_allclose(path[1:], -(path[:-1] ** 3), rtol=1e-9)
    assert abs(plain_path(root(0.999), 12)[-1, 0]) < 1e-15
    lost = newton_method(root(1.001), length=newton.full_step, steps=100)
    assert lost.diverged
    assert abs(newton_method(root(1e3), steps=50).w[0]) < 1e-6
    well = one_variable(
        lambda w: w**4 / 4 - w**2 + 2 * w, lambda w: w**3 - 2 * w + 2, lambda w: 3 * w**2 - 2, 0.0
    )  # fmt: skip
    assert plain_path(well, 6)[:, 0].tolist() == [0, 1, 0, 1, 0, 1, 0]
    path = plain_path(well, 20, start=[0.05])[:, 0]
    np.testing.assert_allclose(path[-2:], [1, 0], atol=1e-12)
    # two steps square the distance, times 9 = (f' f/2 (f)^2 at 0) (f/(f'')^2 at 1): the cycle attracts
    path = plain_path(well, 2, start=[1e-4])[:, 0]
    assert path[2] == pytest.approx(9 * path[0] ** 2, rel=1e-2)


def log_barrier(start):
    """w - log w, self-concordant with equality everywhere."""
    return one_variable(lambda w: w - np.log(w), lambda w: 1 - 1 / w, lambda w: 1 / w**2, start)


@pytest.mark.parametrize("start", [1.001, 1.5, 4.0, 1000.0])
def test_damped_step_attains_its_decrease(start):
    trace = newton_method(log_barrier(start), length=newton.self_concordant, steps=1)
    assert trace.w[0] == pytest.approx(1, rel=1e-10)
    assert trace.learning_rate[1] == pytest.approx(1 / start, rel=1e-12)
    expected = rates.self_concordant_decrease(start - 1)
    assert trace.value[0] - trace.value[1] == pytest.approx(expected, rel=1e-6)
    # from the other side it gains more
    trace = newton_method(log_barrier(1 / start), length=newton.self_concordant, steps=1)
    assert trace.value[0] - trace.value[1] > rates.self_concordant_decrease(1 - 1 / start)


@pytest.mark.parametrize("seed", range(5))
def test_damped_newton_on_a_barrier(seed):
    """Maximal distance to many walls, from close to one of them: never outside, and within the number of steps."""
    rng = np.random.default_rng(seed)
    A, c = rng.standard_normal((30, 4)), rng.standard_normal(4)
    room = 1 / np.abs(A @ c).max()
    problem = replace(
        problems.from_functions(
            lambda w: -np.log(1 - A @ w).sum(), lambda w: A.T @ (1 / (1 - A @ w)), 0.9999 * room * c
        ),
        hessian=lambda w: (A.T / (1 - A @ w) ** 2) @ A,
    )
    trace = newton_method(problem, length=newton.self_concordant, steps=400, tolerance=1e-9, iterates=True)
    assert trace.reason == "tolerance"
    assert np.all(A @ trace.iterates.T < 1)
    delta = 1 / trace.learning_rate[1:] - 1
    gain = -np.diff(trace.value)
    assert np.all(gain >= rates.self_concordant_decrease(delta) - 1e-11)
    large = np.sum(delta >= 0.25)
    assert large <= (trace.value[0] - trace.value[-1]) / rates.self_concordant_decrease(0.25)
    assert 1 / rates.self_concordant_decrease(0.25) < 38


@pytest.mark.parametrize("length", [newton.full_step, newton.backtracking, newton.self_concordant])
def test_newton_is_affine_invariant_and_gradient_descent_is_not(length):
    f = random_logistic(3, l2=0.01)
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((5, 5)) + 2 * np.eye(5), rng.standard_normal(5)
    start = (3.0 if length is newton.backtracking else 0.3) * rng.standard_normal(5)  # far enough for short steps
    moved = replace(
        problems.from_functions(lambda v: f.value(A @ v + b), lambda v: A.T @ f.grad(A @ v + b), start),
        hessian=lambda v: A.T @ f.hessian(A @ v + b) @ A,
    )
    settings = {"length": length, "steps": 4, "iterates": True}
    v = newton_method(moved, **settings)
    w = newton_method(f, start=A @ start + b, **settings)
    np.testing.assert_allclose(v.iterates @ A.T + b, w.iterates, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(v.value, w.value, rtol=1e-10)
    np.testing.assert_array_equal(v.learning_rate[1:] < 1, w.learning_rate[1:] < 1)
    assert (min(w.learning_rate[1:]) < 1) == (length is not newton.full_step)
    descent = minimize(moved, learning_rate=0.01, steps=1).w
    expected = A @ start + b - 0.01 * A @ A.T @ f.grad(A @ start + b)
    np.testing.assert_allclose(A @ descent + b, expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_newton_lands_on_the_saddle_and_saddle_free_newton_leaves(seed):
    rng = np.random.default_rng(seed)
    spectrum = np.array([-5.0, -0.3, 0.2, 1.0, 40.0])
    Q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    A = Q @ np.diag(spectrum) @ Q.T
    saddle = replace(
        problems.from_functions(lambda w: float(0.5 * w @ A @ w), lambda w: A @ w, rng.standard_normal(5)),
        hessian=lambda w: A,
    )
    assert np.linalg.norm(newton_method(saddle, length=newton.full_step, steps=1).w) < 1e-12
    settings = {"direction": newton.saddle_free_direction, "length": newton.full_step, "steps": 3, "iterates": True}
    along = newton_method(saddle, **settings).iterates @ Q
    np.testing.assert_allclose(along[1:, 2:], 0, atol=1e-12)
    np.testing.assert_allclose(along[1:, :2], 2 * along[:-1, :2], rtol=1e-10)
    g = rng.standard_normal(5)
    assert g @ newton.saddle_free_direction(g, A) < 0


def trust_instance(seed):
    """Gradient, Hessian, radius: definite, indefinite, singular, and the hard case, in turn."""
    rng = np.random.default_rng(seed)
    values = np.array([[0.5, 1, 2, 9], [-3, -1, 2, 9], [0, 0, 1, 5], [-2, -2, 1, 5]][seed % 4], float)
    Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    c = rng.standard_normal(4)
    if seed % 4 == 3:
        c[:2] = 0
    return Q @ c, Q @ np.diag(values) @ Q.T, 10 ** rng.uniform(-1, 1)


@pytest.mark.parametrize("seed", range(24))
def test_the_trust_region_step_meets_the_conditions(seed):
    g, H, radius = trust_instance(seed)
    s = newton.trust_region_step(g, H, radius)
    nu = max(-(s @ (H @ s + g)) / (s @ s), 0.0)
    scale = np.linalg.norm(g) + radius * np.linalg.norm(H, 2)
    assert np.linalg.norm((H + nu * np.eye(4)) @ s + g) < 1e-10 * scale
    assert np.linalg.eigvalsh(H)[0] + nu > -1e-9
    assert np.linalg.norm(s) <= radius * (1 + 1e-12)
    assert nu * (radius - np.linalg.norm(s)) == pytest.approx(0, abs=1e-10 * scale)


@pytest.mark.parametrize("seed", range(12))
def test_no_point_of_the_ball_is_lower_and_scipy_agrees(seed):
    g, H, radius = trust_instance(seed)

    def model(s):
        return s @ g + 0.5 * np.einsum("...i,ij,...j", s, H, s)

    s = newton.trust_region_step(g, H, radius)
    rng = np.random.default_rng(seed)
    others = rng.standard_normal((20_000, 4))
    others *= radius * rng.random((20_000, 1)) ** 0.25 / np.linalg.norm(others, axis=1, keepdims=True)
    local = s + 0.05 * others
    local *= np.minimum(1, radius / np.linalg.norm(local, axis=1, keepdims=True))
    best = model(s)
    assert np.all(model(others) >= best - 1e-10)
    assert np.all(model(local) >= best - 1e-10)
    first = optimize.minimize(
        model, np.zeros(4), jac=lambda s: g + H @ s, hess=lambda s: H, method="trust-exact",
        options={"initial_trust_radius": radius, "max_trust_radius": 1.001 * radius, "maxiter": 1},
    )  # fmt: skip
    assert np.linalg.norm(first.x) <= radius * 1.2  # SciPy stops when it is near enough to the boundary
    scaled = first.x * min(1, radius / np.linalg.norm(first.x))
    assert best <= model(scaled) + 1e-10
    assert model(scaled) <= 0.75 * best


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.newton_error(1.0, mu=1.0, M=1.0), "error must be >= 0 and < mu / M, got 1.0"),
        (lambda: rates.newton_error(-0.1, mu=1.0, M=1.0), "error must be >= 0"),
        (lambda: rates.newton_error(0.1, mu=0.0, M=1.0), "mu must be a finite number and > 0"),
        (lambda: rates.newton_error(0.1, mu=1.0, M=-1.0), "M must be a finite number and >= 0"),
        (lambda: rates.newton_basin(mu=0.0, M=1.0), "mu must be a finite number and > 0"),
        (lambda: rates.newton_basin(mu=1.0, M=0.0), "M must be a finite number and > 0"),
        (lambda: rates.self_concordant_decrease(-1.0), "decrement must be >= 0, got -1"),
    ],
)
def test_what_the_bounds_do_not_cover_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_bounds_by_hand():
    np.testing.assert_allclose(rates.newton_error([0.0, 0.5], mu=2.0, M=2.0), [0, 0.25])
    assert rates.newton_basin(mu=3.0, M=4.0) == pytest.approx(0.5)
    np.testing.assert_allclose(rates.self_concordant_decrease([0.0, 1.0]), [0, 1 - np.log(2)])
