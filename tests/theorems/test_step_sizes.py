"""Theorems of the chapter on step sizes. Where an instance attains a bound, equality is tested on it."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from fo_lib import minimize, problems, rates
from fo_lib.learning_rates import LineSearch, armijo, exact, polyak
from fo_lib.problem import from_functions
from tests.theorems.instances import random_logistic, random_quadratic, sigmoid_loss


def scaled(search, factor):
    """A line search whose every step is multiplied by a factor."""

    def prepare(problem):
        inner = search.prepare(problem)
        return lambda w, g: factor * inner(w, g)

    return LineSearch(prepare)


def counted(problem, tally):
    """The same problem, counting its values and gradients; asked again at its last point, it remembers."""
    last = {}

    def count(name, f):
        def call(w):
            if name not in last or not np.array_equal(last[name][0], w):
                tally[name] += 1
                last[name] = w.copy(), f(w)
            return last[name][1]

        return call

    return replace(problem, value=count("value", problem.value), grad=count("grad", problem.grad))


# Exact line search


@pytest.mark.parametrize("L", [1.5, 10.0, 1000.0])
def test_exact_line_search_attains_its_rate(L):
    """From w0 - w* = (1/mu, 1/L) the value contracts by ((L - mu)/(L + mu))^2 in every step, and a = 2/(L + mu)."""
    mu = 0.5
    trace = minimize(problems.quadratic([mu, L], start=[1 / mu, 1 / L]), learning_rate=exact(), steps=12)
    np.testing.assert_allclose(trace.value[1:] / trace.value[:-1], ((L - mu) / (L + mu)) ** 2, rtol=1e-12)
    bound = rates.exact_line_search(trace.step, L=L, mu=mu, gap=trace.value[0])
    np.testing.assert_allclose(trace.value, bound, rtol=1e-12)
    np.testing.assert_allclose(trace.learning_rate[1:], 2 / (L + mu), rtol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_exact_line_search_bounds_random_quadratics(seed):
    problem = random_quadratic(seed)
    trace = minimize(problem, learning_rate=exact(), steps=50)
    contraction = ((problem.L - problem.mu) / (problem.L + problem.mu)) ** 2
    assert np.all(trace.value[1:] <= contraction * trace.value[:-1] * (1 + 1e-9))
    bound = rates.exact_line_search(trace.step, L=problem.L, mu=problem.mu, gap=trace.value[0])
    assert np.all(trace.value <= bound * (1 + 1e-9))


@pytest.mark.parametrize("seed", range(10))
def test_kantorovich_inequality(seed):
    """(g.Ag)(g.A^-1 g) <= (L + mu)^2 / (4 L mu) |g|^4, with equality for equal parts along the two ends."""
    rng = np.random.default_rng(seed)
    spectrum = np.sort(10 ** rng.uniform(-2, 2, 6))
    mu, L = spectrum[0], spectrum[-1]
    best = (L + mu) ** 2 / (4 * L * mu)
    for g in rng.standard_normal((200, 6)):
        assert (g * spectrum @ g) * (g / spectrum @ g) <= best * (g @ g) ** 2 * (1 + 1e-12)
    ends = np.array([1.0, 0, 0, 0, 0, -1.0])
    attained = (ends * spectrum @ ends) * (ends / spectrum @ ends) / (ends @ ends) ** 2
    assert attained == pytest.approx(best, rel=1e-12)


def test_gradients_of_successive_exact_steps_are_orthogonal():
    problem = random_quadratic(0)
    trace = minimize(problem, learning_rate=exact(), steps=20, iterates=True)
    g = np.array([problem.grad(w) for w in trace.iterates])
    cosine = np.sum(g[1:] * g[:-1], axis=1) / (np.linalg.norm(g[1:], axis=1) * np.linalg.norm(g[:-1], axis=1))
    assert np.max(np.abs(cosine)) < 1e-10


@pytest.mark.parametrize("theta", [0.5, 0.9, 1.0, 1.3])
def test_relaxed_exact_step_has_a_one_step_bound_that_is_attained(theta):
    """Multiplied by theta, one exact step contracts by 1 - theta (2 - theta) 4 L mu / (L + mu)^2 at worst."""
    mu, L = 1.0, 25.0
    contraction = 1 - theta * (2 - theta) * 4 * L * mu / (L + mu) ** 2
    worst = minimize(problems.quadratic([mu, L], start=[1 / mu, 1 / L]), learning_rate=scaled(exact(), theta), steps=1)
    assert worst.value[1] / worst.value[0] == pytest.approx(contraction, rel=1e-12)
    rng = np.random.default_rng(0)
    for _ in range(20):
        problem = problems.quadratic([mu, 3.0, L], start=rng.standard_normal(3))
        trace = minimize(problem, learning_rate=scaled(exact(), theta), steps=20)
        assert np.all(trace.value[1:] <= contraction * trace.value[:-1] * (1 + 1e-12))


@pytest.mark.parametrize("seed", range(10))
def test_shortened_exact_steps_are_faster_in_practice(seed):
    """20 eigenvalues from 1 to 100: steps to a millionth of the gap, against exact search."""
    rng, random = np.random.default_rng(seed), np.random.default_rng(100 + seed)
    problem = problems.quadratic(np.geomspace(1, 100, 20), start=rng.standard_normal(20))

    def steps(search):
        trace = minimize(problem, learning_rate=search, steps=400)
        return int(np.argmax(trace.value <= 1e-6 * trace.value[0]))

    by_chance = LineSearch(lambda p: lambda w, g: random.uniform(0, 2) * exact().prepare(p)(w, g))
    full = steps(exact())
    assert full > 2.5 * steps(scaled(exact(), 0.9))
    assert full > 1.3 * steps(by_chance)
    assert full <= steps(scaled(exact(), 1.1))


# Armijo's backtracking


@pytest.mark.parametrize("shrink", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("c", [1e-4, 0.3, 0.5, 0.9])
def test_armijo_step_bound_is_attained(shrink, c):
    """Curvature L throughout: 2 (1 - c)/L is accepted; a hair above it is not, and the step is q times as long."""
    L = 4.0
    problem, limit = problems.quadratic([L], start=[1.0]), 2 * (1 - c) / L
    w, g = problem.start, problem.grad(problem.start)
    assert armijo(limit * (1 - 1e-9), shrink=shrink, decrease=c).prepare(problem)(w, g) == limit * (1 - 1e-9)
    accepted = armijo(limit * (1 + 1e-9), shrink=shrink, decrease=c).prepare(problem)(w, g)
    assert accepted == pytest.approx(2 * shrink * (1 - c) / L, rel=1e-8)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("first", "c", "grow"), [(1.0, 1e-4, 2.0), (1e-3, 0.3, 2.0), (50.0, 0.5, 1.0), (7.0, 0.1, 1.5)]
)
def test_armijo_bounds_steps_and_gradients(seed, first, c, grow):
    problem = sigmoid_loss(seed)
    trace = minimize(problem, learning_rate=armijo(first, decrease=c, grow=grow), steps=100)
    limit = 2 * 0.5 * (1 - c) / problem.L
    assert np.all(trace.learning_rate[1:] >= min(first, limit))
    trials = np.append(first, grow * trace.learning_rate[1:-1])
    assert np.all(trace.learning_rate[1:] >= np.minimum(trials, limit))
    smallest = np.minimum.accumulate(trace.grad_norm**2)[:-1]
    bound = rates.armijo(trace.step[1:], L=problem.L, gap=trace.value[0], first=first, decrease=c)
    assert np.all(smallest <= bound)


@pytest.mark.parametrize("c", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("k", [10, 1000])
def test_armijo_rate_is_attained_as_c_grows(k, c):
    """k short steps down a slope whose floor they just reach: c a k / (a k + 1/2) of the bound, exactly."""
    a = 0.01
    problem = problems.huber([[1.0]], [0.0], threshold=1 / (a * k + 1))
    trace = minimize(problem, start=[1.0], learning_rate=armijo(a, grow=1.0, decrease=c), steps=k)
    bound = rates.armijo(k, L=1.0, gap=trace.value[0], first=a, decrease=c)
    assert trace.grad_norm[:-1].min() ** 2 / bound == pytest.approx(c * a * k / (a * k + 0.5), rel=1e-9)


def test_armijo_rate_is_attained_at_the_first_step_of_a_bowl():
    """One curvature, a long first trial: 4 q c (1 - c) of the bound, which is q for c = 1/2."""
    problem = problems.quadratic([4.0, 4.0], start=[1.0, 2.0])
    trace = minimize(problem, learning_rate=armijo(10.0, shrink=0.999, decrease=0.5), steps=1)
    bound = rates.armijo(1, L=4.0, gap=trace.value[0], first=10.0, shrink=0.999, decrease=0.5)
    assert trace.grad_norm[0] ** 2 / bound == pytest.approx(0.999, rel=1e-12)


@pytest.mark.parametrize("grow", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("shrink", [0.3, 0.5])
def test_armijo_evaluations_are_what_the_steps_say(shrink, grow):
    """k steps cost 1 + k values and one for each rejection; their number follows from the last step."""
    tally, first, k = Counter(), 8.0, 40
    problem = random_logistic(0, l2=0.01)
    search = armijo(first, shrink=shrink, grow=grow)
    trace = minimize(counted(problem, tally), learning_rate=search, steps=k)
    rejected = ((k - 1) * np.log(grow) + np.log(first / trace.learning_rate[-1])) / np.log(1 / shrink)
    assert tally["value"] == round(1 + k + rejected)
    assert tally["grad"] == k + 1
    lowest = min(first, 2 * shrink * (1 - 1e-4) / problem.L)
    assert rejected <= ((k - 1) * np.log(grow) + np.log(first / lowest)) / np.log(1 / shrink) + 1e-9


def test_armijo_at_one_half_accepts_up_to_the_exact_step_of_a_quadratic():
    problem = random_quadratic(3)
    g = problem.grad(problem.start)
    best = exact().prepare(problem)(problem.start, g)
    assert armijo(best * (1 - 1e-9), decrease=0.5).prepare(problem)(problem.start, g) == best * (1 - 1e-9)
    assert armijo(best * (1 + 1e-9), decrease=0.5).prepare(problem)(problem.start, g) == best * (1 + 1e-9) / 2


# Polyak's step


def distances(problem, search, steps):
    trace = minimize(problem, learning_rate=search, steps=steps, iterates=True)
    return trace, np.sum((trace.iterates - problem.minimizer) ** 2, axis=1)


@pytest.mark.parametrize("seed", range(10))
def test_polyak_step_shortens_the_distance(seed):
    problem = random_logistic(seed, l2=0.01)
    trace, squared = distances(problem, polyak(), 40)
    gap = trace.value - problem.minimum
    kept = gap[:-1] > 1e-10
    drop = (squared[:-1] - squared[1:])[kept]
    assert np.all(drop >= (gap[:-1] ** 2 / trace.grad_norm[:-1] ** 2 + gap[:-1] / problem.L)[kept] * (1 - 1e-6))
    assert np.all(drop >= (1.5 * gap[:-1] / problem.L)[kept] * (1 - 1e-6))
    best = np.minimum.accumulate(gap)[:-1]
    assert np.all(best <= rates.polyak_step(trace.step[1:], L=problem.L, R=np.sqrt(squared[0])))


def test_polyak_decrease_is_attained():
    """|w| without smoothness, and a bowl of one curvature with it: both inequalities are equalities."""
    cone = replace(
        from_functions(lambda w: float(abs(w[0])), np.sign, np.array([3.0])), minimum=0.0, minimizer=np.zeros(1)
    )
    trace, squared = distances(cone, polyak(), 1)
    assert squared[0] - squared[1] == trace.value[0] ** 2 / trace.grad_norm[0] ** 2
    bowl = problems.quadratic([4.0, 4.0], start=[1.0, -2.0])
    trace, squared = distances(bowl, polyak(), 20)
    np.testing.assert_allclose(squared[:-1] - squared[1:], 1.5 * trace.value[:-1] / 4.0, rtol=1e-12)
    np.testing.assert_allclose(squared[1:], squared[:-1] / 4, rtol=1e-12)


@pytest.mark.parametrize("kappa", [4.0, 100.0, 1000.0])
def test_polyak_step_can_be_as_slow_as_a_constant_one(kappa):
    """On diag(1, kappa) there is a start from which every Polyak step is 2/(L + mu)."""
    ratio = (kappa - 3) / (kappa * (3 * kappa - 1))
    problem = problems.quadratic([1.0, kappa], start=[1.0, np.sqrt(ratio)])
    steps = max(1, round(kappa / 4))
    trace, squared = distances(problem, polyak(), steps)
    np.testing.assert_allclose(trace.learning_rate[1:9], 2 / (kappa + 1), rtol=1e-9)
    np.testing.assert_allclose(squared[:9], squared[0] * ((kappa - 1) / (kappa + 1)) ** (2 * trace.step[:9]), rtol=1e-9)


def test_polyak_rate_is_of_the_right_order():
    """That start with kappa = 40 comes within a factor of 12 of the bound at step 10."""
    kappa, k = 40.0, 10
    ratio = (kappa - 3) / (kappa * (3 * kappa - 1))
    problem = problems.quadratic([1.0, kappa], start=[1.0, np.sqrt(ratio)])
    trace, squared = distances(problem, polyak(), k - 1)
    bound = rates.polyak_step(k, L=kappa, R=np.sqrt(squared[0]))
    assert 1 / 12 < trace.value.min() / bound <= 1


def test_polyak_step_is_monotone_up_to_twice_its_length_and_not_beyond():
    """A gentle slope with a sharp floor: times 1.9 the distance falls in every step, times 2.1 it grows."""
    slope = replace(
        problems.huber([[1.0]], [0.0], threshold=0.01), minimum=0.0, minimizer=np.zeros(1), start=np.ones(1)
    )
    for factor in (0.5, 1.0, 1.5, 1.9):
        assert np.all(np.diff(distances(slope, scaled(polyak(), factor), 30)[1]) <= 0)
    assert np.all(np.diff(distances(slope, scaled(polyak(), 2.1), 30)[1]) > 0)


@pytest.mark.parametrize("seed", range(5))
def test_polyak_with_a_guess_too_high_stops_there_and_says_nothing(seed):
    """No step of a convex function lands below the guess, so that nothing ever contradicts it."""
    problem = random_logistic(seed, l2=0.01)
    guess = problem.minimum + 0.1 * (problem.value(problem.start) - problem.minimum)
    trace = minimize(problem, learning_rate=polyak(guess), steps=200)
    assert np.all(trace.value >= guess - 1e-12)
    assert trace.value[-1] == pytest.approx(guess, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_polyak_with_a_guess_too_low_gets_as_near_as_the_error(seed):
    """The distance shrinks while the gap exceeds the error of the guess; then the run is thrown about."""
    problem = random_logistic(seed, l2=0.01)
    error = 0.01 * (problem.value(problem.start) - problem.minimum)
    trace, squared = distances(problem, polyak(problem.minimum - error), 500)
    gap = trace.value - problem.minimum
    far = gap[:-1] > error
    assert np.all(np.diff(squared)[far] < 0)
    assert gap.min() <= error
    assert gap[-250:].max() > 10 * gap.min()
