"""Theorems of the chapter on proximal methods: the operator, the proximal gradient method."""

import numpy as np
import pytest

from fo_lib import minimize, problems, prox, rates, sets
from tests.theorems.proximal_instances import OPERATORS, bowl, composite, flat, solved

# The operator


def prox_by_search(value, w, rate):
    """Minimize h(u) + |u - w|^2 / (2 rate) over a fine grid of one weight."""
    u = np.linspace(-4, 4, 800_001)
    return u[np.argmin(value(u) + (u - w) ** 2 / (2 * rate))]


@pytest.mark.parametrize("rate", [0.3, 2.0])
@pytest.mark.parametrize("w", [-2.0, -0.1, 0.0, 0.35, 1.7])
def test_the_operator_minimizes_its_definition(w, rate):
    for h, value in (
        (prox.l1(0.4), lambda u: 0.4 * np.abs(u)),
        (prox.squared_l2(0.7), lambda u: 0.35 * u * u),
        (prox.elastic_net(0.4, 0.7), lambda u: 0.4 * np.abs(u) + 0.35 * u * u),
        (sets.box(-1.0, 0.5), lambda u: np.where((u >= -1) & (u <= 0.5), 0, np.inf)),
    ):
        assert h(np.array([w]), rate)[0] == pytest.approx(prox_by_search(value, w, rate), abs=1e-5)


@pytest.mark.parametrize("nu", [0.0, 1.5])
@pytest.mark.parametrize("name", OPERATORS)
def test_the_operator_is_firmly_nonexpansive(name, nu):
    """(1 + rate nu) |p - q|^2 <= (p - q).(w - u), with nu the strong convexity of h; equal where h is the square alone."""
    rng, rate = np.random.default_rng(0), 0.8
    shrunk = 1 + rate * nu

    def operator(w):  # of h + nu/2 |w|^2: shrink the argument, then a shorter step of h
        return OPERATORS[name](w / shrunk, rate / shrunk)

    for _ in range(100):
        w, u = rng.standard_normal((2, 8)) * 10.0 ** rng.uniform(-1, 1)
        p, q = operator(w), operator(u)
        assert shrunk * np.sum((p - q) ** 2) <= (p - q) @ (w - u) + 1e-12
        p, q = (prox.squared_l2(1.5)(x, rate) for x in (w, u))
        assert (1 + rate * 1.5) * np.sum((p - q) ** 2) == pytest.approx((p - q) @ (w - u))


def test_the_share_of_the_conjugate_is_the_rest():
    """Moreau: w is the sum of both operators' points, and the two are a pair of point and subgradient."""
    rng = np.random.default_rng(1)
    pairs = [
        (prox.l1(0.6), sets.box(-0.6, 0.6)),
        (prox.group_lasso(0.5, np.zeros(8, int)), sets.l2_ball(0.5 * np.sqrt(8))),
        (sets.box(0.0, np.inf), sets.box(-np.inf, 0.0)),
    ]
    for h, dual in pairs:
        for _ in range(20):
            w, rate = 2 * rng.standard_normal(8), rng.uniform(0.1, 3)
            p, v = h(w, rate), prox.conjugate(h)(w / rate, 1 / rate)
            np.testing.assert_allclose(p + rate * v, w, atol=1e-12)
            np.testing.assert_allclose(v, dual(w / rate, 1 / rate), atol=1e-12)
            for z in p + rng.standard_normal((20, 8)):
                assert h.value(z) >= h.value(p) + v @ (z - p) - 1e-12


# The proximal gradient method


def subgradients(problem, h, run):
    """s_k = G(w_{k-1}) - grad f(w_{k-1}) + grad f(w_k), a subgradient of f + h at w_k, for k = 1, 2, ..."""
    g = np.array([problem.grad(w) for w in run.iterates])
    return problem.L * (run.iterates[:-1] - run.iterates[1:]) - g[:-1] + g[1:]


@composite
def test_the_prox_gradient_inequality_holds_at_every_point(problem, h):
    rng = np.random.default_rng(0)
    size, L, mu = len(problem.start), problem.L, problem.mu
    for _ in range(30):
        y, u = (problem.minimizer + rng.standard_normal(size) * 10.0 ** rng.uniform(-2, 1) for _ in range(2))
        u = h(u, 1 / L)  # where h is finite
        g = problem.grad(y)
        new = h(y - g / L, 1 / L)
        G = prox.gradient_mapping(h, y, g, 1 / L)
        left = problem.value(new) + h.value(new)
        right = problem.value(u) + h.value(u) + G @ (y - u) - G @ G / (2 * L) - mu / 2 * np.sum((y - u) ** 2)
        assert left <= right + 1e-10 * (1 + abs(left))


def test_the_prox_gradient_inequality_is_attained():
    """At curvature L and u at the minimizer, on a part where h is linear."""
    problem, h = problems.quadratic([4.0], minimizer=[3.0]), prox.l1(0.5)
    y, u = np.array([5.0]), np.array([3.0 - 0.5 / 4])
    G = prox.gradient_mapping(h, y, problem.grad(y), 1 / 4)
    new = y - G / 4
    left, right = (problem.value(w) + h.value(w) for w in (new, u))
    assert left == pytest.approx(right + G @ (y - u) - G @ G / 8 - 2 * np.sum((y - u) ** 2))


@composite
def test_gap_and_slope_of_the_proximal_gradient_method(problem, h):
    L, start = problem.L, np.zeros_like(problem.start)
    run = minimize(problem, prox=h, learning_rate=1 / L, start=start, steps=300, iterates=True)
    k, R = run.step[1:], np.linalg.norm(problem.minimizer)
    gap, slack = run.value - problem.minimum, 1e-9 * (1 + abs(problem.minimum))
    assert np.all(gap[1:] <= rates.proximal_gradient(k, L=L, R=R) + slack)
    assert np.all(np.diff(gap) <= slack)
    sizes = np.linalg.norm(subgradients(problem, h, run), axis=1)
    assert np.all(sizes <= rates.proximal_gradient_slope(k, L=L, R=R) + 1e-9)
    assert np.all(run.grad_norm[1:] <= sizes + 1e-9)
    assert np.all(sizes <= run.grad_norm[:-1] + 1e-9)
    distance = np.linalg.norm(run.iterates - problem.minimizer, axis=1)
    assert np.all(np.diff(distance) <= 1e-12)


@composite
def test_the_energy_behind_the_exact_constant(problem, h):
    """L/2 R^2 >= L/2 |w_k - w*|^2 + k gap + k^2 |s_k|^2 / (2L): what the proof adds up."""
    L, start = problem.L, np.zeros_like(problem.start)
    run = minimize(problem, prox=h, learning_rate=1 / L, start=start, steps=100, iterates=True)
    k, gap = run.step[1:], run.value[1:] - problem.minimum
    distance = np.sum((run.iterates[1:] - problem.minimizer) ** 2, axis=1)
    s = np.sum(subgradients(problem, h, run) ** 2, axis=1)
    first = L / 2 * np.sum(problem.minimizer**2)
    assert np.all(L / 2 * distance + k * gap + k**2 * s / (2 * L) <= first * (1 + 1e-9) + 1e-9)


@pytest.mark.parametrize("k", [1, 2, 7, 100])
@pytest.mark.parametrize(("L", "R"), [(1.0, 1.0), (3.0, 2.0)])
def test_the_constant_of_the_proximal_gradient_method_is_attained(k, L, R):
    run = minimize(flat(L, R), prox=prox.l1(L * R / (2 * k)), learning_rate=1 / L, steps=k)
    assert run.value[-1] == pytest.approx(rates.proximal_gradient(k, L=L, R=R), rel=1e-12)
    problem, h = flat(L, R), prox.l1(L * R / k)
    run = minimize(problem, prox=h, learning_rate=1 / L, steps=k, iterates=True)
    assert abs(subgradients(problem, h, run)[-1, 0]) == pytest.approx(rates.proximal_gradient_slope(k, L=L, R=R))
    # and with a projection in place of the norm
    slope = problems.from_functions(lambda w: L * R / (2 * k) * w[0], lambda w: w * 0 + L * R / (2 * k), [R], L=L)
    run = minimize(slope, prox=sets.box(0.0, np.inf), learning_rate=1 / L, steps=k)
    assert run.value[-1] == pytest.approx(rates.proximal_gradient(k, L=L, R=R), rel=1e-12)


@pytest.mark.parametrize("share", [0.5, 1.0, 1.7, 2.0])
@pytest.mark.parametrize("nu", [0.0, 0.5])
def test_the_linear_rate_is_attained_by_quadratics_and_kept_by_others(share, nu):
    L, mu = 4.0, 0.5
    alpha = share / L
    best = 3.0
    for curvature in (mu, L):
        # the minimizer of f + nu/2 w^2 + c |w| is 3, far from the kink
        f = problems.quadratic([curvature], minimizer=[best + (nu * best + 0.2) / curvature], start=[best + 0.1])
        run = minimize(f, prox=prox.elastic_net(0.2, nu), learning_rate=alpha, steps=20, iterates=True)
        factor = abs(1 - alpha * curvature) / (1 + alpha * nu)
        np.testing.assert_allclose(np.abs(run.iterates[:, 0] - best), 0.1 * factor**run.step, rtol=1e-6, atol=1e-12)
    bound = rates.proximal_gradient_strongly_convex([0, 1, 5], L=L, mu=mu, nu=nu, learning_rate=alpha)
    worst = max(abs(1 - alpha * mu), abs(1 - alpha * L)) / (1 + alpha * nu)
    np.testing.assert_allclose(bound, [1, worst, worst**5])
    for seed in range(5):
        problem, h = solved(bowl(seed), prox.elastic_net(0.3, nu))
        alpha = share / problem.L
        run = minimize(problem, prox=h, learning_rate=alpha, steps=100, iterates=True)
        distance = np.linalg.norm(run.iterates - problem.minimizer, axis=1)
        constants = {"L": problem.L, "mu": problem.mu, "nu": nu, "learning_rate": alpha}
        bound = rates.proximal_gradient_strongly_convex(run.step, **constants)
        assert np.all(distance <= bound * distance[0] * (1 + 1e-9) + 1e-9)


def test_a_smooth_part_with_flat_directions_has_the_linear_rate_of_h():
    """With mu = 0 and an elastic net the factor is 1 / (1 + rate nu); a flat direction attains it."""
    nu = 0.3
    for seed in range(4):
        rng = np.random.default_rng(seed)
        wide = problems.least_squares(rng.standard_normal((20, 40)), rng.standard_normal(20))
        assert wide.mu < 1e-12
        problem, h = solved(wide, prox.elastic_net(0.05, nu))
        for share in (1.0, 2.0):
            run = minimize(problem, prox=h, learning_rate=share / problem.L, steps=200, iterates=True)
            distance = np.linalg.norm(run.iterates - problem.minimizer, axis=1)
            constants = {"L": problem.L, "mu": 0, "nu": nu, "learning_rate": share / problem.L}
            bound = rates.proximal_gradient_strongly_convex(run.step, **constants)
            assert np.all(distance <= bound * distance[0] * (1 + 1e-9) + 1e-9)
    one_sample, best = problems.least_squares(np.array([[2.0, 0.0]]), np.array([1.0])), np.array([2 / (4 + nu), 0.0])
    start = best + np.array([0.0, 5.0])  # the other weight is there already
    run = minimize(one_sample, prox=prox.squared_l2(nu), learning_rate=0.4, start=start, steps=20, iterates=True)
    bound = rates.proximal_gradient_strongly_convex(run.step, L=4, mu=0, nu=nu, learning_rate=0.4)
    np.testing.assert_allclose(np.linalg.norm(run.iterates - best, axis=1), 5 * bound, rtol=1e-9)
