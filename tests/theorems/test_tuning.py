"""Theorems of the chapter on tuning and fair comparison."""

from itertools import product
from math import comb

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from fo_lib import learning_rates, minimize, problems, rates, rules


def li2(x):
    """Real part of the dilogarithm, x > 1."""
    return np.pi**2 / 3 - np.log(x) ** 2 / 2 - special.spence(1 - 1 / x)


@pytest.mark.parametrize("h", [0.3, 1.0, 7.0])
def test_the_ramp_turns_at_the_limit_and_returns_at_six_times_it(h):
    zero = optimize.brentq(li2, 5, 30)
    assert zero == pytest.approx(12.595, abs=5e-4)
    reached = []
    for ratio in (1.01, 1.001, 1.0001):
        steps = int(np.log(30 / 1e-4) / np.log(ratio))
        ramp = 1e-4 / h * ratio ** np.arange(steps)
        logs = np.cumsum(np.log(np.abs(1 - ramp * h)))
        lowest = np.argmin(logs)
        assert ramp[lowest] <= 2 / h < ramp[lowest + 1]
        reached.append(ramp[lowest + np.argmax(logs[lowest:] > 0)] * h)
    np.testing.assert_allclose(reached, zero, rtol=0.03)
    assert reached[-1] == pytest.approx(zero, rel=1e-3)
    # and the same by the library's own loop
    steps, ratio = 250, 1.05
    trace = minimize(problems.quadratic([h]), learning_rate=lambda t: 1e-4 / h * ratio ** (t - 1), steps=steps)
    turn = trace.learning_rate[np.argmin(trace.value)]
    assert turn <= 2 / h < turn * ratio


@pytest.mark.parametrize(("steps", "warmup"), [(2, 1), (10, 3), (101, 10), (1000, 999)])
def test_a_cosine_travels_half_as_far_as_a_constant(steps, warmup):
    t = range(1, steps + 1)
    assert sum(map(learning_rates.cosine(0.3, steps), t)) == pytest.approx(0.3 * (steps + 1) / 2, rel=1e-12)
    assert sum(map(learning_rates.cosine(0.3, steps, warmup), t)) == pytest.approx(0.3 * (steps + 2) / 2, rel=1e-12)


@pytest.mark.parametrize(("h", "variance", "start"), [(1.0, 1.0, 1.0), (0.1, 2.0, 30.0), (5.0, 0.01, 0.2)])
def test_the_best_schedule_for_one_curvature(h, variance, start):
    steps = 12
    first = h * start / (h * h * start + variance)
    schedule = learning_rates.inverse(first, first * h)
    best = np.array([schedule(t) for t in range(1, steps + 1)])
    settings = {"curvature": h, "variance": variance, "start": start}
    errors = rates.noisy_quadratic(best, **settings)
    np.testing.assert_allclose(1 / errors, 1 / start + np.arange(steps + 1) * h * h / variance, rtol=1e-11)

    def end(log_rates):
        return np.log(rates.noisy_quadratic(np.exp(log_rates), **settings)[-1])

    for seed in range(5):  # no other sequence is better, and a general optimizer finds this one
        other = np.log(best) + 0.1 * np.random.default_rng(seed).standard_normal(steps)
        assert end(other) > end(np.log(best))
    found = optimize.minimize(end, np.log(best) + 0.5, method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(np.exp(found.x), best, rtol=1e-3)


def test_the_recursion_of_the_error_is_exact():
    """Over all signs of the noise, which have mean zero and variance one."""
    h, sigma, w0, schedule = 0.7, 1.3, 2.0, [0.9, 0.2, 1.5, 0.4]
    ends = []
    for signs in product((-1, 1), repeat=4):
        w = w0
        for rate, z in zip(schedule, signs, strict=True):
            w -= rate * (h * w + sigma * z)
        ends.append(w * w)
    expected = rates.noisy_quadratic(schedule, curvature=h, variance=sigma**2, start=w0**2)
    assert expected[0] == w0**2
    assert expected[-1] == pytest.approx(np.mean(ends), rel=1e-12)


@pytest.mark.parametrize("beta1", [0.5, 0.9])
def test_the_first_steps_of_adam_are_long_but_not_wild(beta1):
    rng = np.random.default_rng(0)
    g = rng.standard_normal(50) * 10.0 ** rng.uniform(-3, 3, 50)
    zeros = np.zeros(50)
    first = rules.adam(zeros, g, zeros, zeros, 1.0, 0.01, beta1, 0.999, 0.0)[0]
    np.testing.assert_allclose(np.abs(first), 0.01, rtol=1e-12)
    # the moments of the library's rule are linear in gradients and in their squares: weights from unit gradients
    T = 40
    m, v = np.zeros(T), np.zeros(T)
    for t in range(1, T + 1):
        unit = np.eye(T)[t - 1]
        _, m, v = rules.adam(np.zeros(T), unit, m, v, float(t), 0.01, beta1, 0.999, 1e-8)
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - 0.999**t)
        assert v_hat.sum() == pytest.approx(1, rel=1e-12)
        ratio = (1 - beta1) / (1 + beta1) * (1 + beta1**t) / (1 - beta1**t)
        assert m_hat @ m_hat == pytest.approx(ratio, rel=1e-11)
    if beta1 == 0.9:
        assert (1 - beta1) / (1 + beta1) == pytest.approx(1 / 19)
        assert m_hat @ m_hat < 1 / 18


@pytest.mark.parametrize("k", [2, 3, 8])
def test_linear_scaling_gap_on_a_quadratic_is_exact(k):
    problem = problems.quadratic([0.5, 2.0, 4.0], seed=1, start=[1.0, -2.0, 0.5])
    H, w0 = problem.hessian(problem.start), problem.start - problem.minimizer

    def gap(eta):
        many = minimize(problem, learning_rate=eta, steps=k).w
        return many - minimize(problem, learning_rate=k * eta, steps=1).w

    def power(eta, j):
        return np.linalg.matrix_power(-eta * H, j) @ w0

    for eta in (0.3 / k, 0.01):
        np.testing.assert_allclose(gap(eta), sum(comb(k, j) * power(eta, j) for j in range(2, k + 1)), atol=1e-13)
    leading = k * (k - 1) / 2 * 1e-10 * H @ H @ w0
    assert np.linalg.norm(gap(1e-5) - leading) < 1e-3 * np.linalg.norm(leading)
    slope = np.log(np.linalg.norm(gap(1e-3)) / np.linalg.norm(gap(1e-4))) / np.log(10)
    assert slope == pytest.approx(2, abs=0.02)
    for share, stable in ((0.99, True), (1.01, False)):  # of the limits 2 / L and 2 / (k L)
        for factor in (1, k):
            eta = share * 2 / (factor * problem.L)
            trace = minimize(problem, learning_rate=factor * eta, steps=800)
            assert (trace.value[-1] < trace.value[0] * 1e-3) == stable


def all_batches(gradients, size):
    """Means of every batch drawn with replacement, all equally likely."""
    return np.array([np.mean(batch, axis=0) for batch in product(gradients, repeat=size)])


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_best_step_of_a_batch_over_all_batches(size):
    rng = np.random.default_rng(size)
    A, y = rng.standard_normal((5, 3)), rng.standard_normal(5)
    f = problems.least_squares(A, y)
    w, H = rng.standard_normal(3), f.hessian(f.start)
    single = np.array([f.sample_grad(w, np.array([i])) for i in range(5)])
    g, sigma = single.mean(0), np.cov(single.T, bias=True)
    batches = all_batches(single, size)

    def expected(eta):
        return np.mean([f.value(w - eta * batch) for batch in batches])

    curvature = g @ H @ g
    noise = np.trace(H @ sigma) / curvature
    for eta in (0.01, 0.3, 2.0):
        formula = f.value(w) - eta * g @ g + eta**2 / 2 * (curvature + np.trace(H @ sigma) / size)
        assert expected(eta) == pytest.approx(formula, rel=1e-10)
    share = rates.batch_efficiency(size, noise_scale=noise)
    best = g @ g / curvature * share
    assert f.value(w) - expected(best) == pytest.approx((g @ g) ** 2 / (2 * curvature) * share, rel=1e-9)
    assert expected(best) < min(expected(0.99 * best), expected(1.01 * best))


def test_steps_and_samples_lie_on_a_hyperbola_and_cross_at_twice_the_least():
    noise, sizes = 37.0, np.array([1, 5, 37, 400])
    steps = 1 / rates.batch_efficiency(sizes, noise_scale=noise)  # in units of the least number
    samples = sizes * steps / noise
    np.testing.assert_allclose((steps - 1) * (samples - 1), 1, rtol=1e-12)
    assert (steps[2], samples[2]) == (2, 2)


@pytest.mark.parametrize("curvature", [0.5, 3.0])
def test_the_simple_noise_scale_where_all_curvatures_agree(curvature):
    rng = np.random.default_rng(0)
    single = rng.standard_normal((6, 3)) + 0.5
    g, sigma = single.mean(0), np.cov(single.T, bias=True)
    H = curvature * np.eye(3)
    assert np.trace(H @ sigma) / (g @ H @ g) == pytest.approx(np.trace(sigma) / (g @ g), rel=1e-12)


@pytest.mark.parametrize("sizes", [(1, 2), (1, 4), (2, 3)])
def test_estimators_of_the_noise_scale_over_all_draws(sizes):
    population = np.array([[1.0, 0.1], [2.3, 1.0], [0.5, -2.0]])
    g, trace = population.mean(0), np.sum(population.var(0))
    small, big = (np.sum(all_batches(population, size) ** 2, axis=1) for size in sizes)
    pairs = np.array(list(product(small, big)))  # independent, all equally likely
    squared, spread = rates.two_batch_estimates(*pairs.T, sizes=sizes)
    assert squared.mean() == pytest.approx(g @ g, rel=1e-12)
    assert spread.mean() == pytest.approx(trace, rel=1e-12)
    assert np.mean(spread / squared) != pytest.approx(trace / (g @ g), rel=0.2)
    # from single gradients
    draws = np.array(list(product(population, repeat=4)))
    S = draws.var(axis=1, ddof=1).sum(axis=1)
    assert S.mean() == pytest.approx(trace, rel=1e-12)
    corrected = np.sum(draws.mean(axis=1) ** 2, axis=1) - S / 4
    assert corrected.mean() == pytest.approx(g @ g, rel=1e-12)
    assert np.mean(S / corrected) != pytest.approx(trace / (g @ g), rel=0.2)


def test_signs_scale_with_the_root_of_the_batch():
    def drift(g, sigma, B, eta):
        w = rules.sign_descent(0.0, 1.0, eta)  # the length of the library's step
        low = integrate.quad(stats.norm.pdf, -np.inf, -g * np.sqrt(B) / sigma)[0]
        return w * ((1 - low) - low)

    for g, sigma, B in ((0.1, 1.0, 1), (0.02, 3.0, 8), (2.0, 1.0, 4), (0.5, 0.1, 1)):
        expected = -0.01 * special.erf(g / sigma * np.sqrt(B / 2))
        assert drift(g, sigma, B, 0.01) == pytest.approx(expected, rel=1e-6)
    small = drift(0.001, 1.0, 4, 0.01)
    assert small == pytest.approx(-0.01 * np.sqrt(8 / np.pi) * 0.001, rel=1e-3)
    for g, factor in ((0.001, 2.0), (30.0, 4.0)):  # four times the batch: the root of four, or four
        one, four = drift(g, 1.0, 1, 0.01), drift(g, 1.0, 4, 0.01 * factor)
        assert four == pytest.approx(4 * one, rel=1e-3)


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (rates.batch_efficiency([1, 10, 100], noise_scale=10.0), [1 / 11, 1 / 2, 10 / 11]),
        (rates.random_hit([0, 1, 2], share=0.1), [0, 0.1, 0.19]),
        (rates.grid_hit([1, 8, 27, 64], share=0.3, dimensions=3), [0.3, 0.6, 0.9, 1.0]),
        (rates.noisy_quadratic([0.5, 1.0], curvature=1.0, variance=4.0, start=8.0), [8.0, 3.0, 4.0]),
        (rates.two_batch_estimates([5.0], [3.0], sizes=(1, 3)), [[2.0], [3.0]]),
        (rates.expected_best([3.0, 1.0, 2.0], 2), 4 / 3),
        (rates.wrong_winner([1, 4], difference=0.0, deviation=1.0), [0.5, 0.5]),
    ],
)
def test_values_by_hand(bound, expected):
    np.testing.assert_allclose(bound, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.batch_efficiency(0, noise_scale=1), "b must be >= 1, got 0"),
        (lambda: rates.batch_efficiency(1, noise_scale=-1), "noise_scale must be"),
        (lambda: rates.two_batch_estimates(1.0, 1.0, sizes=(4, 4)), r"sizes\[0\] must be .* <= 3"),
        (lambda: rates.noisy_quadratic([0.1], curvature=-1, variance=1, start=1), "curvature must be"),
        (lambda: rates.noisy_quadratic([0.1], curvature=1, variance=-1, start=1), "variance must be"),
        (lambda: rates.noisy_quadratic([0.1], curvature=1, variance=1, start=-1), "start must be"),
        (lambda: rates.random_hit(-1, share=0.1), "n must be >= 0"),
        (lambda: rates.random_hit(1, share=1.1), "share must be"),
        (lambda: rates.grid_hit(1, share=1.1, dimensions=1), "share must be"),
        (lambda: rates.grid_hit(1, share=0.1, dimensions=0), "dimensions must be"),
        (lambda: rates.expected_best([1.0], 2), r"n must be .* <= 1 \(the number of scores\)"),
        (lambda: rates.wrong_winner(0, difference=1, deviation=1), "n must be >= 1"),
        (lambda: rates.wrong_winner(1, difference=-1, deviation=1), "difference must be"),
        (lambda: rates.wrong_winner(1, difference=1, deviation=0), "deviation must be"),
        (lambda: rates.wrong_winner(1, difference=1, deviation=1, correlation=1), "correlation must be"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_tiny_share_is_not_lost_in_rounding():
    assert rates.random_hit(10, share=1e-17) == pytest.approx(1e-16, rel=1e-6)
    np.testing.assert_array_equal(rates.random_hit([0, 1, 5], share=1.0), [0, 1, 1])


def test_squared_norms_are_not_negative():
    with pytest.raises(ValueError, match="small must be >= 0 in every entry, got -1"):
        rates.two_batch_estimates(-1.0, 1.0, sizes=(2, 4))
    with pytest.raises(TypeError, match=r"sizes\[1\] must be a whole number"):
        rates.two_batch_estimates(1.0, 1.0, sizes=(2, 4.5))
