"""Theorems of the chapter on second-order methods."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy import optimize

from fo_lib import minimize, newton, problems, rates
from fo_lib.newton import newton_method
from fo_lib.problem import solve
from tests.theorems.instances import random_logistic, random_quadratic


def one_variable(value, slope, curvature, start):
    """A problem of one weight."""
    return replace(
        problems.from_functions(lambda w: float(value(w[0])), lambda w: np.array([slope(w[0])]), [float(start)]),
        hessian=lambda w: np.array([[curvature(w[0])]]),
    )


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


@pytest.mark.parametrize("c", [0.5, -0.5, -0.9, -1.1, -2.0])
def test_gauss_newton_factor_is_exact_in_the_limit(c):
    """r = (w + 1, c w^2 + w - 1): J'J = 2 and S = -2 c at 0, so the error is multiplied by c; curvature 2 - 2 c."""

    def step(w):
        J, r = np.array([1, 2 * c * w + 1]), np.array([w + 1, c * w**2 + w - 1])
        return w - J @ r / (J @ J)

    assert step(1e-7) / 1e-7 == pytest.approx(c, rel=1e-5)
    w = 1e-3
    for _ in range(200):
        w = step(w)
    assert (abs(w) < 1e-6) == (abs(c) < 1)
    f = one_variable(
        lambda w: 0.5 * ((w + 1) ** 2 + (c * w**2 + w - 1) ** 2),
        lambda w: w + 1 + (2 * c * w + 1) * (c * w**2 + w - 1),
        lambda w: 1 + (2 * c * w + 1) ** 2 + 2 * c * (c * w**2 + w - 1),
        1e-3,
    )
    assert f.hessian(np.zeros(1))[0, 0] == 2 - 2 * c
    assert abs(newton_method(f, steps=20).w[0]) < 1e-12


@pytest.mark.parametrize("residual", [0.0, 0.3])
def test_gauss_newton_factor_on_a_curve_fit(residual):
    """A decaying exponential: the measured factor is the spectral radius of inv(J'J) S, zero without residual."""
    x = np.linspace(0, 3, 12)
    y = 2 * np.exp(-0.7 * x) + residual * np.cos(5 * x)

    def parts(w):
        e = np.exp(-w[1] * x)
        r, J = w[0] * e - y, np.column_stack([e, -w[0] * x * e])
        S = np.array([[0, -(r @ (x * e))], [-(r @ (x * e)), w[0] * (r @ (x**2 * e))]])
        return r, J, S

    best = optimize.least_squares(
        lambda w: parts(w)[0], [1.0, 1.0], lambda w: parts(w)[1], method="lm", ftol=1e-15, xtol=1e-15, gtol=1e-15
    ).x
    for _ in range(5):  # polished by Newton's method
        r, J, S = parts(best)
        best = best - np.linalg.solve(J.T @ J + S, J.T @ r)
    _, J, S = parts(best)
    rho = np.abs(np.linalg.eigvals(np.linalg.solve(J.T @ J, S))).max()
    w, errors = best + np.array([3e-2, -2e-2]), []
    for _ in range(6):
        r, J, _ = parts(w)
        w = w - np.linalg.lstsq(J, r, rcond=None)[0]
        errors.append(np.linalg.norm(w - best))
    if residual:
        assert 0.01 < rho < 1
        assert errors[4] / errors[3] == pytest.approx(rho, rel=0.05)
    else:
        assert rho < 1e-9
        assert errors[2] < 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_generalized_gauss_newton_is_the_fisher_information(seed):
    """A layer of tanh below a softmax, by complex steps: the gradient of each label, and the Jacobian of the logits."""
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal(3), rng.standard_normal(12 + 20)

    def logits(w):
        return w[12:].reshape(5, 4) @ np.tanh(w[:12].reshape(4, 3) @ x)

    def losses(w):
        z = logits(w)
        return np.log(np.exp(z).sum()) - z

    def jacobian(function):
        return np.column_stack([function(w + 1e-30j * e).imag / 1e-30 for e in np.eye(32)])

    J, gradients = jacobian(logits), jacobian(losses)
    p = np.exp(-losses(w))
    G = J.T @ (np.diag(p) - np.outer(p, p)) @ J
    np.testing.assert_allclose(sum(p[y] * np.outer(gradients[y], gradients[y]) for y in range(5)), G, atol=1e-12)
    assert np.linalg.eigvalsh(G)[0] > -1e-12
    # linear in the second layer: there it is the Hessian, for whichever label
    h = 1e-4
    top = w[12:]

    def at(v, y):
        return losses(np.concatenate([w[:12], v]))[y]

    for y in (0, 3):
        e = h * np.eye(20)[:3]
        second = [
            [
                (at(top + a + b, y) - at(top + a - b, y) - at(top - a + b, y) + at(top - a - b, y)) / (4 * h * h)
                for b in e
            ]
            for a in e
        ]
        np.testing.assert_allclose(second, G[12:15, 12:15], atol=1e-6)
    empirical = np.outer(gradients[0], gradients[0])
    assert np.linalg.norm(empirical - G) > 0.1 * np.linalg.norm(G)


class Counted:
    """A matrix, or a matrix with its derivative in a direction, that counts the multiplications of its products."""

    work = 0

    def __init__(self, value, tangent=None):
        self.value, self.tangent = value, tangent

    @staticmethod
    def multiply(a, b):
        Counted.work += a.shape[0] * a.shape[1] * b.shape[1]
        return a @ b

    def __matmul__(self, other):
        value = self.multiply(self.value, other.value)
        parts = [
            self.multiply(a, b) for a, b in ((self.tangent, other.value), (self.value, other.tangent))
            if a is not None and b is not None
        ]  # fmt: skip
        return Counted(value, sum(parts) if parts else None)

    @property
    def T(self):
        return Counted(self.value.T, None if self.tangent is None else self.tangent.T)

    def apply(self, function, derivative):
        tangent = None if self.tangent is None else derivative(self.value) * self.tangent
        return Counted(function(self.value), tangent)

    def times(self, other):
        """Entry by entry."""
        if self.tangent is None:
            return Counted(self.value * other.value)
        return Counted(self.value * other.value, self.tangent * other.value + self.value * other.tangent)


def network_gradient(weights, X, Y):
    """Gradient of half the squared error of a network with tanh units, by a forward and a backward pass."""
    hidden = [X]
    for W in weights[:-1]:
        hidden.append((hidden[-1] @ W).apply(np.tanh, lambda z: 1 / np.cosh(z) ** 2))
    out = hidden[-1] @ weights[-1]
    back, gradients = Counted(out.value - Y, out.tangent), []
    for i in range(len(weights) - 1, -1, -1):
        gradients.insert(0, hidden[i].T @ back)
        if i:
            back = (back @ weights[i].T).times(hidden[i].apply(lambda h: 1 - h**2, lambda h: -2 * h))
    return gradients


@pytest.mark.parametrize("widths", [(7, 5, 3), (4, 9, 9, 2), (30, 3, 3, 3, 1)])
def test_a_hessian_product_costs_at_most_three_gradients(widths):
    rng = np.random.default_rng(0)
    X, Y = Counted(rng.standard_normal((20, widths[0]))), rng.standard_normal((20, widths[-1]))
    W, V = ([rng.standard_normal(shape) for shape in pairwise(widths)] for _ in range(2))

    def gradient(t):
        return network_gradient([Counted(a + t * b) for a, b in zip(W, V, strict=True)], X, Y)

    Counted.work = 0
    gradient(0.0)
    once, Counted.work = Counted.work, 0
    product = network_gradient([Counted(a, b) for a, b in zip(W, V, strict=True)], X, Y)
    assert once < Counted.work <= 3 * once
    # exactly three times, but for the two products with the data, which have no tangent
    assert Counted.work == 3 * once - 2 * 20 * widths[0] * widths[1]
    for exact, ahead, behind in zip(product, gradient(1e-5), gradient(-1e-5), strict=True):
        np.testing.assert_allclose(exact.tangent, (ahead.value - behind.value) / 2e-5, rtol=1e-5, atol=1e-6)


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
