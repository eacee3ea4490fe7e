"""Theorems on smaller messages: what fails without feedback, the memory of feedback, and the noise of rounding."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fo_lib import minimize, problems, rates, sets
from fo_lib.compression import (
    Compressor,
    compressed,
    plain_sign,
    quantize,
    random_k,
    scaled_sign,
    top_k,
)
from fo_lib.gradients import mini_batch
from fo_lib.team import mean_of, shuffled_split, sorted_split

VECTORS = arrays(float, 6, elements=st.floats(-1e3, 1e3, allow_subnormal=False)).filter(
    lambda v: np.abs(v).max() > 1e-3
)
RNG = np.random.default_rng(0)
AWAY = ([-3.0, 2.0, 2.0], [2.0, -3.0, 2.0], [2.0, 2.0, -3.0])


def singles(m):
    return [np.array([i]) for i in range(m)]


def slope(*values):
    return problems.from_functions(
        lambda w: float(np.dot(values, w)), lambda w: np.array(values), np.zeros(len(values))
    )


# Without feedback


def test_signs_climb_to_the_worst_point_of_a_segment():
    """Gradients 4, -1, -1, -1: their mean is 1/4, the mean of their signs -1/2."""
    problem = mean_of([slope(4.0), slope(-1.0), slope(-1.0), slope(-1.0)])
    assert problem.grad(np.zeros(1)) == 0.25
    box, workers = sets.box(-1, 1), [np.arange(4)]
    for rate in (0.1, 0.02):
        oracle = compressed(workers, plain_sign(), size=1, feedback=False)
        run = minimize(problem, learning_rate=rate, gradient=oracle, prox=box, steps=int(20 / rate), every=100)
        assert run.w[0] > 1 - 20 * rate
        exact = minimize(problem, learning_rate=rate, gradient=mini_batch(1), prox=box, steps=int(20 / rate))
        assert exact.w[0] < -1 + 40 * rate
    four = minimize(
        problem, learning_rate=0.01, gradient=compressed(singles(4), plain_sign(), feedback=False), steps=10
    )
    assert four.w[0] == pytest.approx(10 * 0.01 / 2)


@pytest.mark.parametrize("compressor", [plain_sign(), scaled_sign()])
def test_signs_of_positive_features_leave_no_way_but_one(compressor):
    rng = np.random.default_rng(0)
    X = rng.uniform(0.1, 1.0, (30, 4))
    problem, pattern = problems.least_squares(X, X @ [3.0, -1.0, 2.0, 0.5]), np.ones(4)
    lost = compressed([np.arange(30)], compressor, size=1, feedback=False)
    w = minimize(problem, learning_rate=0.05, gradient=lost, steps=300, iterates=True).iterates
    assert np.abs(w - w.mean(1, keepdims=True) * pattern).max() < 1e-12
    line = min(problem.value(t * pattern) for t in np.linspace(0, 3, 301))
    kept = compressed([np.arange(30)], scaled_sign(), size=1)
    run = minimize(problem, learning_rate=0.05, gradient=kept, steps=3000, every=3000)
    assert run.value[-1] < line / 10


@settings(max_examples=20)
@given(st.floats(0.1, 3), st.floats(-1, 1), st.floats(-1, 1), st.floats(0.1, 1.0))
def test_the_largest_entries_can_hide_a_whole_coordinate(c, first, second, rate):
    w1, w2 = first * c / 2, second * c / 2  # |w1| + |w2| <= c
    parts = [problems.quadratic([1.0, 1.0], minimizer=[s * c, 0.0], start=[w1, w2]) for s in (-1, 1)]
    oracle = compressed(singles(2), top_k(1), feedback=False)
    run = minimize(mean_of(parts), learning_rate=rate, gradient=oracle, steps=10, iterates=True)
    np.testing.assert_array_equal(run.iterates[:, 1], w2)
    np.testing.assert_allclose(run.iterates[:, 0], w1 * (1 - rate) ** np.arange(len(run.step)), atol=1e-9)


@pytest.mark.parametrize("rate", [0.3, 0.01, 1e-4])
def test_the_largest_entries_can_point_away_at_every_rate(rate):
    parts = [problems.quadratic(2 * np.outer(a, a) + 0.5 * np.eye(3), start=np.ones(3)) for a in AWAY]
    oracle = compressed(singles(3), top_k(1), feedback=False)
    run = minimize(mean_of(parts), learning_rate=rate, gradient=oracle, steps=5, iterates=True)
    factor = 1 + 11 * rate / 6
    np.testing.assert_allclose(run.iterates, factor ** np.arange(6)[:, None] * np.ones(3), rtol=1e-9)


def test_feedback_brings_back_what_the_largest_entries_lost():
    parts = [problems.quadratic(2 * np.outer(a, a) + 0.5 * np.eye(3), start=np.ones(3)) for a in AWAY]
    for feedback in (True, False):
        oracle = compressed(singles(3), top_k(1), feedback=feedback)
        run = minimize(mean_of(parts), learning_rate=0.02, gradient=oracle, steps=1000, every=1000)
        assert (run.value[-1] < 1e-3 * run.value[0]) == feedback


# With feedback


def memory_in_weights(iterates, problem, rate):
    """Rate times the mean memory: the run minus the one that subtracts every gradient at once."""
    gradients = np.array([problem.grad(w) for w in iterates[:-1]])
    return iterates[1:] - (iterates[0] - rate * np.cumsum(gradients, axis=0))


@pytest.mark.parametrize(("compressor", "delta"), [(top_k(1), 1 / 4), (scaled_sign(), 1 / 4), (top_k(3), 3 / 4)])
def test_the_memory_of_feedback_stays_within_its_bound(compressor, delta):
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((60, 4)) + 0.3, rng.choice([-1, 1], 60)
    problem, workers, rate = problems.logistic(X, y), sorted_split(y, 3), 0.3
    assert compressor.contraction(4) == delta
    run = minimize(problem, learning_rate=rate, gradient=compressed(workers, compressor), steps=300, iterates=True)
    G = max(np.linalg.norm(problem.sample_grad(w, rows)) for w in run.iterates for rows in workers)
    apart = np.linalg.norm(memory_in_weights(run.iterates, problem, rate), axis=1)
    assert 0 < apart.max() <= rate * rates.feedback_error(delta) * G
    virtual = run.iterates[1:] - memory_in_weights(run.iterates, problem, rate)
    part_L = max(problems.logistic(X[rows], y[rows]).L for rows in workers)
    bound = rates.gradients_elsewhere(
        300, gap=np.log(2), L=part_L, rate=rate, variance=0.0, distance=rates.feedback_error(delta) * G
    )
    points = [run.iterates[0], *virtual[:-1]]
    assert np.mean([np.sum(problem.grad(w) ** 2) for w in points]) <= bound


@pytest.mark.parametrize("delta", [0.1, 0.5, 0.99, 1.0])
def test_a_shrinking_contraction_attains_the_bound_of_the_memory(delta):
    kept = np.sqrt(1 - delta)
    shrink = Compressor("shrink", lambda v, rng: (1 - kept) * v, lambda d: d, lambda d: delta)
    problem = mean_of([slope(2.0, 0.0)])
    w = minimize(problem, learning_rate=1.0, gradient=compressed(singles(1), shrink), steps=2000, iterates=True)
    apart = memory_in_weights(w.iterates, problem, 1.0)[-1, 0]
    assert apart == pytest.approx(2.0 * rates.feedback_error(delta), rel=1e-9, abs=1e-9)
    assert rates.feedback_error(delta) <= 2 / delta


@pytest.mark.parametrize("compressor", [top_k(1), scaled_sign(), plain_sign(), random_k(1)])
def test_nothing_is_lost_with_feedback(compressor):
    """Whatever the compressor does: what was applied, and what is remembered, add up to all gradients."""
    problem = mean_of([slope(3.0, -1.0, 0.5), slope(-2.0, 1.0, 0.5)])
    w = minimize(problem, learning_rate=1.0, gradient=compressed(singles(2), compressor), steps=50, iterates=True)
    replayed, memory = np.zeros(3), np.zeros((2, 3))
    for t in range(1, 51):
        for i, g in enumerate(([3.0, -1.0, 0.5], [-2.0, 1.0, 0.5])):
            wanted = memory[i] + g
            sent = compressor.apply(wanted, np.random.default_rng([0, t, i]))
            memory[i], replayed = wanted - sent, replayed - sent / 2
        np.testing.assert_allclose(w.iterates[t], replayed, atol=1e-12)
        np.testing.assert_allclose(w.iterates[t], -t * np.array([0.5, 0, 0.5]) + memory.mean(0), atol=1e-12)


# The constants of the compressors


@given(VECTORS, st.integers(1, 6))
def test_top_k_is_a_contraction(v, k):
    lost = np.sum((top_k(k).apply(v, RNG) - v) ** 2)
    assert lost <= (1 - top_k(k).contraction(6)) * (v @ v) * (1 + 1e-12)
    level = np.ones(6)
    assert np.sum((top_k(k).apply(level, RNG) - level) ** 2) == pytest.approx(6 * (1 - k / 6))


@given(VECTORS)
def test_scaled_signs_are_a_contraction_with_exactly_this_constant(v):
    delta = np.abs(v).sum() ** 2 / (6 * (v @ v))
    lost = np.sum((scaled_sign().apply(v, RNG) - v) ** 2)
    assert lost == pytest.approx((1 - delta) * (v @ v), rel=1e-9, abs=1e-6)
    assert delta >= scaled_sign().contraction(6) - 1e-12


@pytest.mark.parametrize("k", [1, 2, 4])
def test_random_entries_by_enumeration(k):
    v = np.array([3.0, -1.0, 0.5, 2.0])
    chosen = [np.isin(np.arange(4), rows) for rows in itertools.combinations(range(4), k)]
    kept = np.array([v * mask for mask in chosen])
    assert np.mean(np.sum((kept - v) ** 2, axis=1)) == pytest.approx((1 - random_k(k).contraction(4)) * (v @ v))
    rescaled = kept * 4 / k
    np.testing.assert_allclose(rescaled.mean(0), v)
    omega = random_k(k, rescale=True).variance(4)
    assert np.mean(np.sum((rescaled - v) ** 2, axis=1)) == pytest.approx(omega * (v @ v), abs=1e-12)
    drawn = {tuple(random_k(k).apply(v, np.random.default_rng(i))) for i in range(200)}
    assert drawn == {tuple(row) for row in kept}
    doubled = {tuple(random_k(k, rescale=True).apply(v, np.random.default_rng(i))) for i in range(200)}
    assert doubled == {tuple(row) for row in rescaled}


class Fixed:
    """A generator whose uniform numbers are all the same: rounding up happens where it is below the part."""

    def __init__(self, u):
        self.u = u

    def random(self, n):
        return np.full(n, self.u)


def rounding(v, s):
    """Mean and variance of each entry of the rounded vector, from what it does at each u of a fine grid."""
    grid = (np.arange(20_000) + 0.5) / 20_000
    found = np.array([quantize(s).apply(v, Fixed(u)) for u in grid])
    return found.mean(0), found.var(0)


@pytest.mark.parametrize("s", [1, 3, 7])
def test_random_rounding_is_unbiased_with_exactly_this_variance(s):
    v = np.random.default_rng(s).standard_normal(5)
    mean, variance = rounding(v, s)
    norm = np.linalg.norm(v)
    part = s * np.abs(v) / norm - np.floor(s * np.abs(v) / norm)
    np.testing.assert_allclose(mean, v, atol=1e-4 * norm)
    np.testing.assert_allclose(variance, norm**2 * part * (1 - part) / s**2, atol=1e-4 * norm**2)
    assert variance.sum() <= quantize(s).variance(5) * norm**2 * (1 + 1e-3)


def test_both_bounds_of_random_rounding_are_sharp():
    v = np.ones(16)  # s = 2: every entry is half a level
    assert rounding(v, 2)[1].sum() == pytest.approx(16 / (4 * 4) * 16, rel=1e-3)
    assert quantize(2).variance(16) == 1
    v = np.ones(10_000)  # s = 1: a hundredth of a level, (1 - 1 / 100) of the bound
    part = 1 / 100
    exact = 10_000 * part * (1 - part)
    assert exact / quantize(1).variance(10_000) == pytest.approx(0.99)
    rng = np.random.default_rng(0)
    drawn = [np.sum((quantize(1).apply(v, rng) - v) ** 2) / 10_000 for _ in range(200)]
    assert np.mean(drawn) == pytest.approx(exact, rel=0.03)


def test_two_bytes_are_a_contraction_that_needs_hardly_any_memory():
    """bfloat16 keeps the upper half of a float32: to the nearest, a relative error of 1/257 at most in each entry."""
    v = np.random.default_rng(0).standard_normal(100_000).astype(np.float32)
    bits = v.view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view(np.float32)
    off = np.abs(rounded - v) / np.abs(v)
    assert 1 / 258 < off.max() <= 1 / 257 * (1 + 1e-6)
    assert rates.feedback_error(1 - 1 / 257**2) == pytest.approx(1 / 256)


def test_independent_rounding_of_workers_averages_out():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((64, 5)), rng.standard_normal(64)
    problem, w = problems.least_squares(X, y), rng.standard_normal(5)
    for m in (1, 4):
        workers, mean = shuffled_split(64, m), problem.grad(w)
        estimate = compressed(workers, quantize(1), feedback=False)(problem, 0)
        found = np.array([estimate(w, t) for t in range(1, 1001)])
        own = [problem.sample_grad(w, rows) for rows in workers]
        norms = [np.linalg.norm(g) for g in own]
        parts = [np.abs(g) / norm for g, norm in zip(own, norms, strict=True)]
        variance = sum(norm**2 * np.sum(p * (1 - p)) for norm, p in zip(norms, parts, strict=True)) / m**2
        np.testing.assert_allclose(found.mean(0), mean, atol=5 * np.sqrt(variance / 1000))
        assert np.mean(np.sum((found - mean) ** 2, axis=1)) == pytest.approx(variance, rel=0.15)
        assert variance <= quantize(1).variance(5) * max(norms) ** 2 / m
