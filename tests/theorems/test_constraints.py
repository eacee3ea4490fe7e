"""Theorems of the chapter on constraints: projections and projected gradient descent."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize

from fo_lib import minimize, problems, rates, rules, sets
from tests.answers.constraints import dykstra
from tests.theorems.instances import random_logistic

SETS = {
    "box": (sets.box(-0.5, [0.2, 1.0, 0.1, 2.0]), (4,)),
    "simplex": (sets.simplex(), (4,)),
    "l1 ball": (sets.l1_ball(0.8), (4,)),
    "l2 ball": (sets.l2_ball(0.8), (4,)),
    "cone": (sets.psd_cone(), (3, 3)),
    "nuclear ball": (sets.nuclear_ball(0.8), (3, 2)),
}
each_set = pytest.mark.parametrize("name", SETS)


def quadratic(seed, d=8, low=-1.0):
    """A quadratic with curvatures over decades and its free minimizer somewhere outside of small sets."""
    rng = np.random.default_rng(seed)
    spectrum = 10 ** rng.uniform(low, 1, d)
    return problems.quadratic(spectrum, seed=seed, minimizer=rng.standard_normal(d), start=np.full(d, 1 / d))


def solved(problem, C):
    """The problem with the minimizer and the minimum over a set."""
    start, alpha = C.project(problem.start), 1 / problem.L
    best = minimize(problem, learning_rate=alpha, prox=C, start=start, steps=200_000, every=100, tolerance=1e-12)
    assert best.reason == "tolerance"
    return replace(problem, minimizer=best.w, minimum=best.value[-1])


# Projections


@each_set
def test_the_inequality_holds_at_the_projection_and_nowhere_else(name):
    C, shape = SETS[name]
    rng = np.random.default_rng(0)
    for _ in range(50):
        w = 2 * rng.standard_normal(shape)
        p = C.project(w)
        others = [C.project(2 * rng.standard_normal(shape)) for _ in range(20)]
        assert max(np.sum((w - p) * (u - p)) for u in others) <= 1e-12
        assert all(np.linalg.norm(w - p) <= np.linalg.norm(w - u) + 1e-12 for u in others)
        for u in others:  # at another point u the projection itself breaks it
            assert np.sum((w - u) * (p - u)) > 0 or np.linalg.norm(u - p) < 1e-9


@each_set
def test_projections_are_firmly_nonexpansive(name):
    C, shape = SETS[name]
    rng = np.random.default_rng(1)
    for _ in range(200):
        w, u = 2 * rng.standard_normal((2, *shape))
        p, q = C.project(w), C.project(u)
        assert np.sum((p - q) ** 2) <= np.sum((p - q) * (w - u)) + 1e-12
        assert np.linalg.norm(p - q) <= np.linalg.norm(w - u) * (1 + 1e-12)


def test_no_factor_below_one_is_right():
    """Two points above a face of a box keep their distance."""
    C = sets.box(0.0, 1.0)
    w, u = np.array([0.2, 3.0]), np.array([0.9, 3.0])
    assert np.linalg.norm(C.project(w) - C.project(u)) == pytest.approx(np.linalg.norm(w - u), rel=1e-15)


def nearest(w, **constraints):
    return scipy_minimize(
        lambda u: np.sum((u - w) ** 2), np.full(w.size, 1 / w.size), jac=lambda u: 2 * (u - w), method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500}, **constraints,
    ).x  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_formulas_against_a_general_solver(seed):
    w = np.random.default_rng(seed).standard_normal(6) * 2
    one = {"type": "eq", "fun": lambda u: u.sum() - 1, "jac": np.ones_like}
    np.testing.assert_allclose(
        sets.simplex().project(w), nearest(w, bounds=[(0, None)] * 6, constraints=one), atol=1e-6
    )
    ball = {"type": "ineq", "fun": lambda u: 0.64 - u @ u, "jac": lambda u: -2 * u}
    np.testing.assert_allclose(sets.l2_ball(0.8).project(w), nearest(w, constraints=ball), atol=1e-6)
    size = nearest(np.abs(w), bounds=[(0, None)] * 6, constraints=one)
    np.testing.assert_allclose(sets.l1_ball(1.0).project(w), np.sign(w) * size, atol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_the_threshold_of_the_simplex(seed):
    """max(w - theta, 0) adds up to 1 for one theta only, and it is (sum of the m largest - 1) / m."""
    w = np.random.default_rng(seed).standard_normal(7) * 3
    p = sets.simplex().project(w)
    kept = p > 0
    theta = (w[kept].sum() - 1) / kept.sum()
    np.testing.assert_allclose(p, np.maximum(w - theta, 0), atol=1e-12)
    assert w[kept].min() > theta >= w[~kept].max(initial=-np.inf)
    for m in range(1, 8):  # theta is the largest of the seven candidates
        assert (np.sort(w)[::-1][:m].sum() - 1) / m <= theta + 1e-12


@pytest.mark.parametrize("seed", range(8))
def test_the_cone_cuts_off_negative_eigenvalues(seed):
    """And the distance is that of the cut eigenvalues and of the skew part."""
    W = np.random.default_rng(seed).standard_normal((4, 4))
    values = np.linalg.eigvalsh((W + W.T) / 2)
    P = sets.psd_cone().project(W)
    assert np.linalg.eigvalsh(P).min() >= -1e-12
    cut = np.sum(np.minimum(values, 0) ** 2) + np.sum(((W - W.T) / 2) ** 2)
    assert np.sum((W - P) ** 2) == pytest.approx(cut)


def test_rescaling_after_clipping_rests_where_the_gradient_is_parallel_to_the_weights():
    """Its fixed points: g_i = c w_i where w_i > 0. The minimizer has equal g_i there."""
    problem, C = quadratic(0), sets.simplex()
    w = problem.start
    for _ in range(20_000):
        w = np.maximum(w - problem.grad(w) / problem.L, 0)
        w = w / w.sum()
    g, kept = problem.grad(w), w > 1e-12
    np.testing.assert_allclose(g[kept] / w[kept], (g @ w) / (w @ w), rtol=1e-6)
    assert (g[~kept] >= -1e-9).all()
    best = solved(problem, C)
    slopes = best.grad(best.minimizer)[best.minimizer > 1e-9]
    assert np.ptp(slopes) < 1e-9
    assert problem.value(w) > best.minimum + 1e-3


# Optimality and projected gradient descent


@pytest.mark.parametrize("name", ["box", "simplex", "l1 ball", "l2 ball"])
def test_the_conditions_of_optimality_agree(name):
    C, (d,) = SETS[name]
    problem = solved(quadratic(2, d), C)
    rng = np.random.default_rng(0)
    for w, best in ((problem.minimizer, True), (C.project(np.full(d, 0.1)), False)):
        g = problem.grad(w)
        lowest = min(g @ (C.project(2 * rng.standard_normal(d)) - w) for _ in range(500))
        assert (lowest >= -1e-8) == best
        assert (g @ (w - C.corner(g)) <= 1e-8) == best
        for alpha in (0.01, 1.0, 30.0):
            assert (np.linalg.norm(w - C.project(w - alpha * g)) <= 1e-9 * max(alpha, 1)) == best


INSTANCES = [(solved(quadratic(seed), C), C) for seed in range(3) for C in (sets.simplex(), sets.l1_ball(0.8))]
INSTANCES += [(solved(random_logistic(seed, l2=1e-2), C), C) for seed in range(2) for C in (sets.l2_ball(0.5),)]


@pytest.mark.parametrize(("problem", "C"), INSTANCES)
def test_projected_gradient_keeps_both_bounds(problem, C):
    start = C.project(np.ones_like(problem.start))
    run = minimize(problem, learning_rate=1 / problem.L, prox=C, start=start, steps=300, iterates=True)
    distance = np.linalg.norm(run.iterates - problem.minimizer, axis=1)
    bound = rates.proximal_gradient(run.step[1:], L=problem.L, R=distance[0])
    assert np.all(run.value[1:] - problem.minimum <= bound * (1 + 1e-9) + 1e-13)
    for alpha in (0.5 / problem.L, 1 / problem.L, 1.9 / problem.L):
        run = minimize(problem, learning_rate=alpha, prox=C, start=start, steps=200, iterates=True)
        distance = np.linalg.norm(run.iterates - problem.minimizer, axis=1)
        factor = max(1 - alpha * problem.mu, alpha * problem.L - 1)
        assert np.all(distance <= factor**run.step * distance[0] * (1 + 1e-9) + 1e-9)


@pytest.mark.parametrize("k", [1, 2, 7, 100])
@pytest.mark.parametrize(("L", "R"), [(1.0, 1.0), (3.0, 2.0)])
def test_a_slope_on_a_half_line_attains_the_bound(k, L, R):
    c = L * R / (2 * k)
    slope = problems.from_functions(lambda w: float(c * w[0]), lambda w: np.array([c]), np.array([R]), L=L)
    gap = minimize(slope, learning_rate=1 / L, prox=sets.box(0.0, np.inf), steps=k).value[-1]
    assert gap == pytest.approx(rates.proximal_gradient(k, L=L, R=R), rel=1e-12)


@pytest.mark.parametrize("share", [0.3, 1.0, 1.9])
def test_a_run_along_a_face_attains_the_linear_rate(share):
    """The third weight is pressed against its limit, and the other two are as if there were none."""
    bowl = problems.quadratic([0.2, 2.0, 1.0], minimizer=[0.0, 0.0, -5.0], start=[0.0, 0.0, 0.0])
    alpha = share / 2.0
    factor = max(1 - 0.2 * alpha, 2.0 * alpha - 1)
    start = [1.0, 0, 0] if factor == 1 - 0.2 * alpha else [0, 1.0, 0]
    half = sets.box([-np.inf, -np.inf, 0.0], np.inf)
    run = minimize(bowl, learning_rate=alpha, prox=half, start=start, steps=40, iterates=True)
    np.testing.assert_allclose(np.linalg.norm(run.iterates, axis=1), factor**run.step, rtol=1e-9)


# The wrong metric


@pytest.mark.parametrize("shift", [0.0, 1.0, -3.0, 1e3])
def test_the_simplex_does_not_see_what_all_slopes_share(shift):
    rng = np.random.default_rng(0)
    for _ in range(20):
        w = rng.standard_normal(5)
        np.testing.assert_allclose(sets.simplex().project(w + shift), sets.simplex().project(w), atol=1e-12)


def test_steps_by_signs_stand_still_where_all_slopes_have_one_sign():
    problem, C = quadratic(4), sets.simplex()
    best = solved(problem, C)
    shifted = problems.from_functions(lambda w: problem.value(w) + 100 * w.sum(), lambda w: problem.grad(w) + 100,
                                      problem.start)  # fmt: skip
    w = problem.start
    assert (shifted.grad(w) > 0).all()
    np.testing.assert_allclose(C.project(w - 0.1 * np.sign(shifted.grad(w))), w, atol=1e-15)
    adam = minimize(shifted, rules.adam, learning_rate=0.01, prox=C, steps=2000)
    plain = minimize(shifted, learning_rate=1 / problem.L, prox=C, steps=2000)
    first = problem.value(w) - best.minimum
    assert problem.value(plain.w) - best.minimum < 1e-9 * first
    assert problem.value(adam.w) - best.minimum > 0.95 * first


def moves(problem, C, w, epsilon):
    """How far Adam's step at rest and the projection move a point."""
    g = problem.grad(w)
    return np.linalg.norm(C.project(w - g / (np.abs(g) + epsilon)) - w)


@pytest.mark.parametrize("seed", range(3))
def test_adam_rests_on_the_simplex_at_minimizers_only(seed):
    """With epsilon > 0, at any size; a large one lets it arrive, a small one leaves it creeping."""
    problem, C = quadratic(seed), sets.simplex()
    best = solved(problem, C)
    shifted = problems.from_functions(lambda w: problem.value(w) + 100 * w.sum(), lambda w: problem.grad(w) + 100,
                                      problem.start)  # fmt: skip
    for epsilon in (1e-3, 1.0, 100.0):
        assert moves(shifted, C, best.minimizer, epsilon) < 1e-9
        assert moves(shifted, C, problem.start, epsilon) > 1e-9
    settings = {"learning_rate": 0.1, "prox": C, "steps": 20_000, "every": 20_000}
    w = minimize(problem, rules.adam, epsilon=1.0, **settings).w
    assert problem.value(w) - best.minimum < 1e-9


def test_adam_rests_on_a_ball_at_equal_sizes():
    """Where no slope is near zero. The minimizer has a gradient parallel to it, and other sizes."""
    problem = problems.quadratic([1.0, 2, 3, 4], minimizer=[3.0, 2, -2, 1], start=np.zeros(4))
    C = sets.l2_ball(0.5)
    best = solved(problem, C)
    w = minimize(problem, rules.adam, learning_rate=0.01, prox=C, steps=10_000, every=10_000).w
    np.testing.assert_allclose(w, [0.25, 0.25, -0.25, 0.25], rtol=1e-5)
    assert moves(problem, C, w, 1e-8) < 1e-6
    assert moves(problem, C, best.minimizer, 1e-8) > 0.01
    assert problem.value(w) - best.minimum > 0.01 * (problem.value(problem.start) - best.minimum)


def test_a_scaled_step_needs_a_projection_in_the_same_metric():
    """With a fixed diagonal scaling the Euclidean projection converges to a point that is no minimizer."""
    problem, C = problems.quadratic([8.0, 1, 2, 3], seed=1, minimizer=[0.9, 0.8, 0.6, -0.2]), sets.simplex()
    problem = replace(problem, start=np.full(4, 0.25))
    scale = np.array([1.0, 0.5, 0.25, 0.125]) / problem.L
    best = solved(problem, C)
    w = problem.start
    for _ in range(50_000):
        w = C.project(w - scale * problem.grad(w))
    assert problem.value(w) > best.minimum + 1e-4
    v = problem.start  # in the metric: subtract theta * scale, not theta
    for _ in range(50_000):
        u = v - scale * problem.grad(v)
        low, high = (u / scale).min() - 1 / scale.min(), (u / scale).max()
        for _ in range(100):
            theta = (low + high) / 2
            low, high = (theta, high) if np.maximum(u - theta * scale, 0).sum() > 1 else (low, theta)
        v = np.maximum(u - theta * scale, 0)
        if np.linalg.norm(v - best.minimizer) < 1e-7:
            break
    assert problem.value(v) == pytest.approx(best.minimum, abs=1e-9)


def test_boxes_do_not_mind_a_diagonal_metric():
    """Each entry is projected alone: steps with any fixed diagonal scaling find the minimizer over a box."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        w, D = 2 * rng.standard_normal(3), rng.uniform(0.2, 5, 3)
        found = scipy_minimize(lambda u, w=w, D=D: D @ (u - w) ** 2, np.zeros(3), bounds=[(-0.5, 0.7)] * 3,
                               options={"ftol": 1e-16, "gtol": 1e-10})  # fmt: skip
        np.testing.assert_allclose(sets.box(-0.5, 0.7).project(w), found.x, atol=1e-6)
    C = sets.box(-0.3, [0.1, 0.2, 0.4, 2.0])
    problem = problems.quadratic([8.0, 1, 2, 3], seed=1, minimizer=[0.9, 0.8, 0.6, -0.2], start=np.zeros(4))
    best, w = solved(problem, C), problem.start
    for _ in range(5000):
        w = C.project(w - np.array([1.0, 0.5, 0.25, 0.125]) / problem.L * problem.grad(w))
    np.testing.assert_allclose(w, best.minimizer, atol=1e-9)


# The exercise on two sets


@pytest.mark.parametrize("start", [[2.0, 0.3], [3.0, -1.0]])
def test_dykstra_finds_the_projection_and_plain_alternation_another_point(start):
    def half_space(u):
        return u - max(0.0, u.sum() - 1) / 2

    disc, w = sets.l2_ball(1.0).project, np.array(start)
    one = {"type": "ineq", "fun": lambda u: 1 - u.sum(), "jac": lambda u: -np.ones(2)}
    ball = {"type": "ineq", "fun": lambda u: 1 - u @ u, "jac": lambda u: -2 * u}
    exact = nearest(w, constraints=[one, ball])
    np.testing.assert_allclose(dykstra(half_space, disc, w, 200), exact, atol=1e-6)
    plain = dykstra(half_space, disc, w, 200, p_kept=False, q_kept=False)
    assert plain.sum() <= 1 + 1e-9
    assert np.linalg.norm(plain) <= 1 + 1e-9
    assert np.linalg.norm(plain - exact) > 0.01


def test_dykstra_needs_both_memories():
    """From (2, 0.3) one would do: there the two methods end at the same point. From (3, -1) it does not."""

    def half_space(u):
        return u - max(0.0, u.sum() - 1) / 2

    disc, w = sets.l2_ball(1.0).project, np.array([3.0, -1.0])
    exact = w / np.sqrt(10)
    for kept in ({"p_kept": False}, {"q_kept": False}):
        assert np.linalg.norm(dykstra(half_space, disc, w, 200, **kept) - exact) > 0.1
