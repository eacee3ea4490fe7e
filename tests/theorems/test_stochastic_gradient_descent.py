"""Theorems of the chapter on stochastic gradient descent."""

from itertools import permutations

import numpy as np
import pytest

from fo_lib import gradients, learning_rates, minimize, problems, rates

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((12, 3)) * [1.0, 2.0, 0.5], RNG.standard_normal(12)
RIDGE = problems.least_squares(X, Y, l2=0.05)
ROWS = [np.array([i]) for i in range(12)]


# Unbiased, and the draws with least variance


def test_weighted_draws_are_unbiased_and_best_in_proportion_to_the_norms():
    w = RNG.standard_normal(3)
    g = np.array([RIDGE.sample_grad(w, row) for row in ROWS])
    norms = np.linalg.norm(g, axis=1)

    def moments(p):
        estimates = g / (12 * p[:, None])
        mean = p @ estimates
        return mean, p @ np.sum((estimates - mean) ** 2, axis=1)

    best = norms / norms.sum()
    least = norms.mean() ** 2 - np.sum(RIDGE.grad(w) ** 2)
    for p in (np.full(12, 1 / 12), best, RNG.dirichlet(np.ones(12)), best * 0.9 + 0.1 / 12):
        mean, variance = moments(p)
        np.testing.assert_allclose(mean, RIDGE.grad(w), rtol=1e-12)
        assert variance >= least * (1 - 1e-12)
    assert moments(best)[1] == pytest.approx(least, rel=1e-12)
    assert moments(np.full(12, 1 / 12))[1] > 1.05 * least


# The noise ball


def chains(curvature, n, start):
    """Independent chains on the quadratic of one variable, as one problem."""
    return problems.from_functions(
        lambda w: float(0.5 * curvature * w @ w), lambda w: curvature * w, np.full(n, start), L=curvature
    )


@pytest.mark.parametrize(("curvature", "sigma", "rate"), [(2.0, 1.5, 0.3), (0.5, 0.4, 1.9)])
def test_additive_noise_bound_is_attained_by_a_quadratic(curvature, sigma, rate):
    """The library's run of 40,000 chains: mean square within 4 standard errors (2.8 %) at every step."""
    trace = minimize(
        chains(curvature, 40_000, 3.0), gradient=gradients.noisy(sigma), learning_rate=rate, steps=30, iterates=True
    )
    measured = np.mean(trace.iterates**2, axis=1)
    bound = rates.sgd_additive_noise(
        trace.step, L=curvature, mu=curvature, learning_rate=min(rate, 1 / curvature), R=3.0, variance=sigma**2
    )
    if rate <= 1 / curvature:
        np.testing.assert_allclose(measured, bound, rtol=0.028)
    floor = rates.sgd_stationary_variance(rate, curvature=curvature, variance=sigma**2)
    q = (1 - rate * curvature) ** (2 * trace.step)
    np.testing.assert_allclose(measured, q * 9 + (1 - q) * floor, rtol=0.028)


@pytest.mark.parametrize("seed", range(10))
def test_additive_noise_bound_holds_with_equality_only_along_mu(seed):
    """The exact second moment on a random quadratic, by its recursion, never exceeds the bound."""
    rng = np.random.default_rng(seed)
    spectrum = np.sort(10 ** rng.uniform(-1, 1, 5))
    start, share = rng.standard_normal(5), rng.dirichlet(np.ones(5))
    rate = 2 / (spectrum[0] + spectrum[-1]) * rng.uniform(0.1, 1)
    moment, k = start**2, np.arange(200)
    exact = []
    for _ in k:
        exact.append(moment.sum())
        moment = (1 - rate * spectrum) ** 2 * moment + rate**2 * 0.7 * share
    bound = rates.sgd_additive_noise(
        k, L=spectrum[-1], mu=spectrum[0], learning_rate=rate, R=np.linalg.norm(start), variance=0.7
    )
    assert np.all(exact <= bound * (1 + 1e-12))
    along = rates.sgd_additive_noise(k, L=2.0, mu=2.0, learning_rate=0.2, R=1.0, variance=0.7)
    m = 1.0
    for value in along:
        assert value == pytest.approx(m, rel=1e-12)
        m = (1 - 0.2 * 2.0) ** 2 * m + 0.2**2 * 0.7


# Samples: the noise at the minimizer is what counts


def exact_moments(problem, rate, start, steps):
    """E ||w_k - w*||^2 of SGD with uniform draws on least squares: mean and second moment by their recursions."""
    best = problem.minimizer
    c = np.array([problem.sample_grad(best, row) for row in ROWS])
    A = [np.eye(3) - rate * (np.outer(x, x) + problem.mu_penalty * np.eye(3)) for x in X]
    mean, second = start - best, np.outer(start - best, start - best)
    result = []
    for _ in range(steps + 1):
        result.append(np.trace(second))
        cross = sum(a @ np.outer(mean, ci) for a, ci in zip(A, c, strict=True)) / 12
        second = sum(a @ second @ a.T for a in A) / 12 - rate * (cross + cross.T) + rate**2 * c.T @ c / 12
        mean = sum(a @ mean for a in A) / 12
    return np.array(result), np.mean(np.sum(c**2, axis=1))


class Ridge:
    """The problem with the weight of its penalty."""

    def __init__(self, targets, l2):
        self.problem = problems.least_squares(X, targets, l2=l2)
        self.mu_penalty = l2

    def __getattr__(self, name):
        return getattr(self.problem, name)


@pytest.mark.parametrize("factor", [1.0, 0.3])
def test_finite_sum_bound_holds_for_the_exact_second_moment(factor):
    ridge = Ridge(Y, 0.05)
    rate = factor / (2 * ridge.L_max)
    start = ridge.minimizer + np.array([1.0, -1.0, 2.0])
    exact, variance = exact_moments(ridge, rate, start, 400)
    bound = rates.sgd_finite_sum(
        np.arange(401), mu=ridge.mu, L_max=ridge.L_max, learning_rate=rate, R=np.sqrt(6), variance=variance
    )
    assert np.all(exact <= bound)
    runs = [
        minimize(
            ridge.problem, gradient=gradients.mini_batch(1, gradients.with_replacement), learning_rate=rate,
            start=start, steps=400, every=400, seed=seed,
        ).w
        for seed in range(300)
    ]  # fmt: skip
    measured = np.mean(np.sum((np.array(runs) - ridge.minimizer) ** 2, axis=1))
    assert measured == pytest.approx(exact[-1], rel=0.25)


def test_under_interpolation_the_rate_is_linear_with_a_constant_step():
    ridge = Ridge(X @ np.array([1.0, -2.0, 0.5]), 0.0)
    rate = 1 / (2 * ridge.L_max)
    exact, variance = exact_moments(ridge, rate, np.zeros(3), 3000)
    assert variance < 1e-25
    bound = rates.sgd_finite_sum(
        np.arange(3001), mu=ridge.mu, L_max=ridge.L_max, learning_rate=rate, R=np.sqrt(5.25), variance=0.0
    )
    assert np.all(exact <= bound * (1 + 1e-9))
    assert exact[-1] < 1e-12


def test_finite_sum_bound_is_of_the_right_order_in_one_dimension():
    """Samples h (w - a_i)^2 / 2: the exact floor is eta sigma^2 / (h (2 - eta h)), the bound 2 eta sigma^2 / h."""
    exact = rates.sgd_stationary_variance(0.1, curvature=2.0, variance=3.0)
    bound = rates.sgd_finite_sum(10_000, mu=2.0, L_max=2.0, learning_rate=0.1, R=1.0, variance=3.0)
    assert exact <= bound <= 4 * exact


# Robbins and Monro; steps c / k


def second_moments(schedule, steps, curvature=1.0, sigma=1.0, start=1.0):
    """E w_k^2 on the quadratic of one variable, exactly."""
    moments = [start**2]
    for t in range(1, steps + 1):
        rate = schedule(t)
        moments.append((1 - rate * curvature) ** 2 * moments[-1] + rate**2 * sigma**2)
    return np.array(moments)


def test_robbins_monro_conditions_decide_convergence():
    power = {p: second_moments(lambda t, p=p: t**-p, 200_000)[-1] for p in (0.51, 0.75, 1.0)}
    assert all(m < 0.01 for m in power.values())
    halved = second_moments(lambda t: 0.5 * t**-0.6, 4000)
    assert halved[-1] < 0.6 * halved[1000]  # still falling
    assert second_moments(lambda t: 0.5, 200_000)[-1] == pytest.approx(1 / 3, rel=1e-9)  # sum of squares infinite
    summable = second_moments(lambda t: 0.5 * t**-2.0, 200_000, sigma=0.0)[-1]  # sum finite: never arrives
    assert summable == pytest.approx(np.prod(1 - 0.5 / np.arange(1.0, 200_001) ** 2) ** 2, rel=1e-9)
    assert summable > 0.04


@pytest.mark.parametrize(
    ("c", "curvature", "sigma"), [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (0.75, 1.0, 1.0), (1.5, 0.5, 2.0)]
)
def test_inverse_rate_has_its_constant(c, curvature, sigma):
    steps = 2_000_000 if c * curvature < 1 else 200_000
    moment = second_moments(lambda t: c / t, steps, curvature, sigma)[-1]
    assert steps * moment == pytest.approx(rates.sgd_inverse_rate(c, curvature=curvature, variance=sigma**2), rel=0.01)


def test_inverse_rate_that_is_too_small_is_slow():
    m = second_moments(lambda t: 0.25 / t, 100_000)
    slope = np.log(m[100_000] / m[10_000]) / np.log(10)
    assert slope == pytest.approx(-0.5, abs=0.01)


def test_inverse_rate_of_the_library():
    """The loop with the schedule 1 / k: 20,000 chains, 5 %."""
    trace = minimize(
        chains(1.0, 20_000, 1.0), gradient=gradients.noisy(1.0), learning_rate=learning_rates.inverse(2.0, 1.0),
        steps=400, every=400,
    )  # fmt: skip
    exact = second_moments(learning_rates.inverse(2.0, 1.0), 400)[-1]
    assert np.mean(trace.w**2) == pytest.approx(exact, rel=0.05)
    assert 400 * exact == pytest.approx(rates.sgd_inverse_rate(2.0, curvature=1.0, variance=1.0), rel=0.02)


# Kaczmarz


def kaczmarz_step(A, y, w, i):
    return w - (A[i] @ w - y[i]) / (A[i] @ A[i]) * A[i]


def test_kaczmarz_factor_is_attained_along_the_last_singular_vector():
    truth = np.array([1.0, -1.0, 2.0])
    y, norm = X @ truth, np.linalg.norm(X)
    p = np.sum(X**2, axis=1) / norm**2
    _, s, V = np.linalg.svd(X)
    factor = rates.kaczmarz(1, smallest_singular_value=s[-1], frobenius_norm=norm)
    for e in (*V, *RNG.standard_normal((20, 3))):
        after = p @ [np.sum((kaczmarz_step(X, y, truth + e, i) - truth) ** 2) for i in range(12)]
        assert after == pytest.approx(e @ e - np.sum((X @ e) ** 2) / norm**2, rel=1e-12)
        assert after <= factor * (e @ e) * (1 + 1e-12)
    along = p @ [np.sum((kaczmarz_step(X, y, truth + V[-1], i) - truth) ** 2) for i in range(12)]
    assert along == pytest.approx(factor, rel=1e-12)


def test_kaczmarz_is_sgd_with_importance_sampling():
    """A uniform step of rate a on row i, divided by n p_i, is the projection when a = n / ||X||_F^2."""
    y, w = X @ np.ones(3), RNG.standard_normal(3)
    plain = problems.least_squares(X, y)
    total = np.sum(X**2)
    for i, row in enumerate(ROWS):
        p = np.sum(X[i] ** 2) / total
        step = w - 12 / total * plain.sample_grad(w, row) / (12 * p)
        np.testing.assert_allclose(step, kaczmarz_step(X, y, w, i), rtol=1e-12)


# Reshuffling

A = np.array([1.0, -2.0, 0.5, 3.0, -2.5])
SPREAD = float(np.mean(A**2))


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.6])
def test_reshuffling_floor_over_every_order(rate):
    """Exact: the second moment at rest, the mean over all 120 orders of an epoch."""
    q = 1 - rate * 1.5
    sums = np.array([rate * 1.5 * sum(q ** (4 - j) * a for j, a in enumerate(order)) for order in permutations(A)])
    assert abs(sums.mean()) < 1e-12
    floor = np.mean(sums**2) / (1 - q**10)
    assert rates.reshuffling_floor(rate, n=5, curvature=1.5, variance=SPREAD) == pytest.approx(floor, rel=1e-9)
    if rate == 0.02:
        leading = 5 * 6 / 24 * (rate * 1.5) ** 3 * SPREAD
        assert floor == pytest.approx(leading, rel=0.1)


def test_reshuffling_and_replacement_in_the_library():
    """Mean over 4,000 epochs at their ends, within 10 %; the slopes are 3 and 1."""
    a = np.linspace(-2, 2, 20)
    a -= a.mean()
    spread = float(np.mean(a**2))
    problem = problems.least_squares(np.ones((20, 1)), a)
    floors = {}
    for order in (gradients.reshuffled, gradients.with_replacement):
        for rate in (0.02, 0.005):
            trace = minimize(
                problem, gradient=gradients.mini_batch(1, order), learning_rate=rate, steps=20 * 4000, every=20,
                iterates=True,
            )  # fmt: skip
            floors[order, rate] = np.mean(trace.iterates[200:] ** 2)
    for rate in (0.02, 0.005):
        theory = rates.reshuffling_floor(rate, n=20, curvature=1.0, variance=spread)
        assert floors[gradients.reshuffled, rate] == pytest.approx(theory, rel=0.1)
        independent = rates.sgd_stationary_variance(rate, curvature=1.0, variance=spread)
        assert floors[gradients.with_replacement, rate] == pytest.approx(independent, rel=0.2)


def test_reshuffling_slopes():
    for rate in (1e-4, 1e-5):
        ratio = rates.reshuffling_floor(rate, n=20, curvature=1.0, variance=1.0) / rates.reshuffling_floor(
            rate / 2, n=20, curvature=1.0, variance=1.0
        )
        assert np.log2(ratio) == pytest.approx(3, abs=0.01)


def test_with_different_curvatures_the_bias_has_slope_two():
    """Over all 120 orders: at rest the squared mean of the epoch ends falls like rate^2, their variance like rate^3."""
    h, a = np.array([0.5, 1.0, 2.0, 1.5, 0.8]), np.array([1.0, -2.0, 0.5, 3.0, -2.5])
    a = a - (h @ a) / h.sum()  # the minimizer of the sum is zero
    parts = []
    for rate in (2e-3, 1e-3):
        maps = []
        for order in permutations(range(5)):
            slope, shift = 1.0, 0.0
            for i in order:
                slope, shift = (1 - rate * h[i]) * slope, (1 - rate * h[i]) * shift + rate * h[i] * a[i]
            maps.append((slope, shift))
        slope, shifts = maps[0][0], np.array([shift for _, shift in maps])
        mean = shifts.mean() / (1 - slope)
        parts.append((mean**2, shifts.var() / (1 - slope**2)))
    slopes = np.log2(np.array(parts[0]) / parts[1])
    np.testing.assert_allclose(slopes, [2, 3], atol=0.02)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rates.sgd_additive_noise(1, L=1, mu=0.5, learning_rate=1.4, R=1, variance=1), "learning_rate"),
        (lambda: rates.sgd_stationary_variance(1.0, curvature=2, variance=1), "learning_rate must be"),
        (lambda: rates.sgd_finite_sum(1, mu=0.1, L_max=1, learning_rate=0.6, R=1, variance=1), "learning_rate"),
        (lambda: rates.sgd_inverse_rate(0.5, curvature=1, variance=1), "c must be"),
        (lambda: rates.reshuffling_floor(1.0, n=5, curvature=1, variance=1), "learning_rate"),
        (lambda: rates.kaczmarz(1, smallest_singular_value=2, frobenius_norm=1), "smallest_singular_value"),
    ],
)
def test_outside_its_assumptions_a_bound_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
