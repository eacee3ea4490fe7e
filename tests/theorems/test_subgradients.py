"""Theorems of the chapter on subgradients."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from fo_lib import minimize, problems, rates, rules
from fo_lib.learning_rates import inverse, polyak
from tests.theorems.instances import ball, worst


def absolute_errors(seed):
    """Mean |X w - y| with a solution known beforehand: at zero residuals any multipliers in [-1, 1] may balance."""
    rng = np.random.default_rng(seed)
    X, best = rng.standard_normal((30, 4)), rng.standard_normal(4)
    lift = rng.choice([-1.0, 1.0], 26)
    X[:4] = np.linalg.qr(rng.standard_normal((4, 4)))[0] * 6  # so that they can
    multipliers = -np.linalg.solve(X[:4].T, X[4:].T @ lift)
    X[:4] *= max(1, np.abs(multipliers).max() * 1.1)
    y = X @ best - np.concatenate([np.zeros(4), lift * rng.uniform(0.1, 2, 26)])
    problem = problems.from_functions(
        lambda w: np.abs(X @ w - y).mean(), lambda w: X.T @ np.sign(X @ w - y) / 30, np.zeros(4)
    )
    return replace(problem, minimum=problem.value(best), minimizer=best), np.linalg.norm(X, axis=1).mean(), X, y


SEEDS = range(6)
REGRESSIONS = [absolute_errors(seed) for seed in SEEDS]
regressions = pytest.mark.parametrize(("problem", "G", "X", "y"), REGRESSIONS, ids=map(str, SEEDS))


@regressions
def test_the_planted_solution_is_one(problem, G, X, y):
    r = X @ problem.minimizer - y
    zero = np.abs(r) < 1e-9
    assert zero.sum() == 4
    multipliers = np.linalg.solve(X[zero].T, -X[~zero].T @ np.sign(r[~zero]))
    assert np.abs(multipliers).max() <= 1
    rng = np.random.default_rng(0)
    for w in problem.minimizer + rng.standard_normal((50, 4)):
        assert problem.value(w) >= problem.minimum


# Subdifferentials


def hinge(w):
    return max(0.0, 1 - w)


CASES = {
    "absolute value": (lambda w: abs(w[0]), lambda w: [-1.0, 0.3, 1.0], [0.0]),
    "hinge at its kink": (lambda w: hinge(w[0]), lambda w: [-1.0, -0.4, 0.0], [1.0]),
}


@pytest.mark.parametrize("name", CASES)
def test_subdifferentials_of_one_weight_are_these_intervals(name):
    """Each claimed slope supports the function from below, and slopes a hundredth outside of the interval do not."""
    value, slopes, (at,) = CASES[name]
    u = np.linspace(-3, 3, 601)

    def supports(g):
        return all(value([x]) >= value([at]) + g * (x - at) - 1e-12 for x in u)

    ends = slopes(at)
    assert all(supports(g) for g in ends)
    assert not supports(ends[0] - 0.01)
    assert not supports(ends[-1] + 0.01)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_calculus_gives_subgradients(seed):
    """Weighted sums, affine maps and maxima, at points that are kinks of the parts."""
    rng = np.random.default_rng(seed)
    A, b, c = rng.standard_normal((5, 3)), rng.standard_normal(5), rng.uniform(0, 2, 5)
    w = np.linalg.solve(A[:3], b[:3])  # three residuals vanish
    r = A @ w - b
    r[:3] = 0
    free = rng.uniform(-1, 1, 3)
    slopes = np.concatenate([free, np.sign(r[3:])])
    points = w + rng.standard_normal((300, 3)) * 10.0 ** rng.uniform(-3, 1, (300, 1))

    def total(v):
        return c @ np.abs(A @ v - b)

    def largest(v):
        return np.max(np.abs(A @ v - b) - np.abs(r))

    mix = rng.dirichlet(np.ones(5))
    for f, g in ((total, A.T @ (c * slopes)), (largest, A.T @ (mix * slopes))):
        assert all(f(u) >= f(w) + g @ (u - w) - 1e-9 for u in points)
    wrong = A.T @ (c * slopes) + 1e-2 + np.abs(A.T) @ c  # outside of the sum rule's set
    assert any(total(u) < total(w) + wrong @ (u - w) for u in points)


def test_zero_is_a_subgradient_of_the_sum_of_distances_at_the_median_only():
    y = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    for w in np.arange(0, 17, 0.5):
        low, high = np.sum(np.where(y < w, 1, -1)), np.sum(np.where(y <= w, 1, -1))
        assert (low <= 0 <= high) == (w == np.median(y))


# The method


@regressions
def test_one_step_of_the_lemma(problem, G, X, y):
    rng = np.random.default_rng(1)
    project = ball(2.0)
    for _ in range(200):
        w, u = (project(rng.standard_normal(4) * 2, 0) for _ in range(2))
        alpha, g = rng.uniform(0, 2), problem.grad(w)
        after = project(w - alpha * g, alpha)
        bound = np.sum((w - u) ** 2) - 2 * alpha * (problem.value(w) - problem.value(u)) + alpha**2 * g @ g
        assert np.sum((after - u) ** 2) <= bound + 1e-12


@regressions
@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_best_and_mean_of_the_subgradient_method_keep_the_bound(problem, G, X, y, power):
    R, schedule = np.linalg.norm(problem.minimizer), inverse(0.3, 1.0, power)
    alphas = np.array([schedule(t) for t in range(1, 401)])
    bound = rates.subgradient_steps(alphas, G=G, R=R)
    run = minimize(problem, learning_rate=schedule, steps=399, iterates=True)
    gap = run.value - problem.minimum
    assert np.all(np.minimum.accumulate(gap) <= bound)
    means = np.cumsum(alphas[:, None] * run.iterates, axis=0) / np.cumsum(alphas)[:, None]
    assert all(problem.value(m) - problem.minimum <= b for m, b in zip(means, bound, strict=True))


@pytest.mark.parametrize("k", [1, 2, 10, 100, 1000])
@pytest.mark.parametrize(("M", "R"), [(1.0, 1.0), (3.0, 0.5)])
def test_the_largest_coordinate_attains_the_bound(k, M, R):
    problem = worst(k, M, R)
    alpha = R / (M * np.sqrt(k))
    for prox in (None, ball(R)):  # no point leaves the ball
        run = minimize(problem, learning_rate=alpha, steps=k - 1, prox=prox, iterates=True)
        gap = run.value - problem.minimum
        wanted = rates.subgradient_best(k, G=M, R=R)
        assert gap.min() == pytest.approx(wanted, rel=1e-12)
        mean = run.iterates.mean(axis=0)
        assert problem.value(mean) - problem.minimum == pytest.approx(wanted, rel=1e-12)
        assert rates.subgradient_steps(np.full(k, alpha), G=M, R=R)[-1] == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("factor", [0.9, 1.1, 2.0])
def test_any_other_constant_rate_has_a_larger_bound_and_the_sum_of_the_proof_is_exact(factor):
    """2 sum a (f - f*) = R^2 - |w_k - w*|^2 + sum a^2 |g|^2 on the worst function: all its pieces meet in w*."""
    k = 50
    problem = worst(k)
    alpha = factor / np.sqrt(k)
    run = minimize(problem, learning_rate=alpha, steps=k, iterates=True)
    gaps = run.value[:k] - problem.minimum
    left = np.sum((run.iterates[k] - problem.minimizer) ** 2)
    assert 2 * alpha * gaps.sum() == pytest.approx(1 - left + alpha**2 * k, rel=1e-12)
    bound = rates.subgradient_steps(np.full(k, alpha), G=1.0, R=1.0)[-1]
    assert bound > rates.subgradient_best(k, G=1.0, R=1.0) * (1 + 1e-3)


def chain(alphas):
    """max(0, max_i g_i.(w - w*)) on which the method meets g_0, g_1, ..., has one gap all along, and ends in w* = 0.

    Backwards: s = sum of a_j g_j over j > i is known, and g_i.s = gap - a_i; the rest of g_i is a new direction.
    """
    k = len(alphas)
    gap, g, s = alphas[-1], np.zeros((k, k)), np.zeros(k)
    for i in reversed(range(k)):
        g[i] = (gap - alphas[i]) / max(s @ s, 1e-300) * s
        g[i, i] = np.sqrt(1 - g[i] @ g[i])
        s = s + alphas[i] * g[i]

    def value(w):
        return max(0.0, float((g @ w).max()))

    def subgradient(w):
        return g[np.argmax(g @ w > value(w) - 1e-12)]

    return replace(problems.from_functions(value, subgradient, s), minimum=0.0, minimizer=np.zeros(k))


@pytest.mark.parametrize(("k", "power"), [(2, 0.5), (10, 0.5), (10, 0.25), (40, 0.25), (40, 0.1)])
def test_rates_that_shrink_attain_the_bound_as_well(k, power):
    schedule = inverse(0.7, 1.0, power)
    alphas = np.array([schedule(t) for t in range(1, k + 1)])
    problem = chain(alphas)
    run = minimize(problem, learning_rate=schedule, steps=k, iterates=True)
    bound = rates.subgradient_steps(alphas, G=1.0, R=np.linalg.norm(problem.start))[-1]
    np.testing.assert_allclose(run.value[:k], bound, rtol=1e-9)
    mean = alphas @ run.iterates[:k] / alphas.sum()
    assert 0.45 * bound <= problem.value(mean) <= bound * (1 + 1e-12)


@pytest.mark.parametrize("p", [0.25, 0.5])
def test_random_subgradients_keep_the_bound_in_expectation(p):
    """A slope e_j of the largest coordinate arrives as e_j / p with probability p: exact, over all 2^k outcomes."""
    k, m, G = 8, int(8 * p), 1 / np.sqrt(p)
    problem, alpha = worst(m), 1 / (G * np.sqrt(k))
    of_best, of_mean, total, left = 0.0, 0.0, 0.0, 0.0
    for luck in product([0, 1], repeat=k):
        w, points = np.zeros(m), []
        for arrives in luck:
            points.append(w)
            w = w - alpha * arrives / p * problem.grad(w)
        chance = np.prod([p if arrives else 1 - p for arrives in luck])
        gaps = np.array([problem.value(v) for v in points]) - problem.minimum
        of_best, total = of_best + chance * gaps.min(), total + chance * gaps.sum()
        of_mean += chance * (problem.value(np.mean(points, axis=0)) - problem.minimum)
        left += chance * np.sum((w - problem.minimizer) ** 2)
    assert 2 * alpha * total == pytest.approx(1 - left + alpha**2 * k * G**2, rel=1e-12)
    bound = rates.subgradient_best(k, G=G, R=1.0)
    assert 0.35 * bound <= of_best <= of_mean <= total / k <= bound


def methods(problem, k, R):
    """Last points of methods whose points lie in the span of the subgradients seen."""
    rates_tried = {"half": 0.5, "constant": 1.0, "double": 2.0}
    runs = {
        name: minimize(problem, learning_rate=c * R / np.sqrt(k), steps=k - 1, prox=ball(R))
        for name, c in rates_tried.items()
    }
    runs["polyak"] = minimize(problem, learning_rate=polyak(), steps=k - 1)
    runs["shrinking"] = minimize(problem, learning_rate=inverse(R, 1.0, 0.5), steps=k - 1, prox=ball(R))
    runs["momentum"] = minimize(problem, rules.momentum, learning_rate=0.1, momentum=0.9, steps=k - 1, prox=ball(R))
    return runs


@pytest.mark.parametrize("k", [1, 2, 10, 50])
def test_no_method_in_the_span_beats_the_lower_bound(k):
    problem = worst(k)
    for run in methods(problem, k, 1.0).values():
        assert run.w[-1] == 0  # each subgradient opens one more coordinate at most
        assert run.value.min() - problem.minimum >= rates.subgradient_best(k, G=1.0, R=1.0) * (1 - 1e-12)


@pytest.mark.parametrize("k", [2, 10, 50])
@pytest.mark.parametrize("alpha", ["best", 1.0, 3.0])
def test_the_lower_bound_needs_no_ball(k, alpha):
    """max(max_i w_i, |w| - 1 - 1/sqrt(k)) has its minimum -1/sqrt(k) at distance 1, on all of the space."""

    def value(w):
        return max(w.max(), np.linalg.norm(w) - 1 - 1 / np.sqrt(k))

    def subgradient(w):
        return np.eye(k)[w.argmax()] if value(w) == w.max() else w / np.linalg.norm(w)

    problem = replace(problems.from_functions(value, subgradient, np.zeros(k)), minimum=-1 / np.sqrt(k))
    assert value(np.full(k, -1 / np.sqrt(k))) == pytest.approx(problem.minimum)
    rng = np.random.default_rng(k)
    assert min(value(w) for w in rng.standard_normal((500, k)) - 1) >= problem.minimum
    rate = 1 / np.sqrt(k) if alpha == "best" else alpha
    run = minimize(problem, learning_rate=rate, steps=k - 1, iterates=True)
    assert run.value.min() - problem.minimum == pytest.approx(1 / np.sqrt(k))
    outside = [value(w) > w.max() for w in run.iterates]
    assert any(outside) == (alpha != "best" and (k > 2 or alpha == 3.0))  # the second piece has its say


@pytest.mark.parametrize(("G", "alpha"), [(1.0, 0.2), (3.0, 0.05)])
def test_a_constant_rate_stalls_exactly_at_half_of_g_squared_alpha(G, alpha):
    start = np.array([G * alpha * 10.5])
    problem = problems.from_functions(lambda w: G * float(abs(w[0])), lambda w: G * np.sign(w), start)
    gap = minimize(problem, learning_rate=alpha, steps=2000).value
    assert gap.min() == pytest.approx(G**2 * alpha / 2, rel=1e-9)
    np.testing.assert_allclose(gap[20:], G**2 * alpha / 2, rtol=1e-6)
    bound = rates.subgradient_steps(np.full(2000, alpha), G=G, R=start[0])
    assert gap.min() <= bound[-1] <= gap.min() * 1.2


def test_rates_with_a_finite_sum_stop_on_the_way_and_others_arrive():
    problem = problems.from_functions(lambda w: float(abs(w[0])), np.sign, [3.0])
    best = {
        power: minimize(problem, learning_rate=inverse(1.0, 1.0, power), steps=20_000, every=10).value.min()
        for power in (2.0, 1.0, 0.5)
    }
    assert best[2.0] == pytest.approx(3 - np.pi**2 / 6, abs=1e-3)  # all steps together: 1.645
    assert max(best[1.0], best[0.5]) < 1e-3


@regressions
def test_polyaks_step_needs_neither_g_nor_r(problem, G, X, y):
    run = minimize(problem, learning_rate=polyak(), steps=300)
    best = np.minimum.accumulate(run.value - problem.minimum)
    bound = rates.subgradient_best(run.step + 1, G=G, R=np.linalg.norm(problem.minimizer))
    assert np.all(best <= bound)


@pytest.mark.parametrize(("k", "M", "R"), [(1, 1.0, 1.0), (50, 1.0, 1.0), (50, 3.0, 0.5)])
def test_polyaks_step_attains_its_bound_on_the_largest_coordinate(k, M, R):
    problem = worst(k, M, R)
    run = minimize(problem, learning_rate=polyak(), steps=k - 1)
    assert run.value.min() - problem.minimum == pytest.approx(rates.subgradient_best(k, G=M, R=R), rel=1e-12)
