"""Theorems of the chapter on averaging and variance reduction."""

import numpy as np
import pytest

from fo_lib import averages, gradients, minimize, problems, rates

RNG = np.random.default_rng(0)


# Polyak-Ruppert averaging


def exact_square_of_the_mean(k, curvature, rate, start, variance):
    """E of the squared mean of k iterates, from the covariance matrix of the iterates."""
    q, i = 1 - rate * curvature, np.arange(1, k + 1)
    mean = start * q**i
    noise = np.tril(q ** np.maximum(i[:, None] - i[None, :], 0))  # iterate i holds q^(i-j) of the j-th kick
    covariance = rate**2 * variance * noise @ noise.T
    return mean.mean() ** 2 + covariance.mean()


@pytest.mark.parametrize("rate", [0.05, 0.5, 1.4])
@pytest.mark.parametrize("k", [1, 2, 10, 200])
def test_square_of_the_mean_is_exact(k, rate):
    expected = exact_square_of_the_mean(k, 1.3, rate, 2.0, 0.7)
    bound = rates.polyak_ruppert(k, curvature=1.3, learning_rate=rate, R=2.0, variance=0.7)
    assert bound == pytest.approx(expected, rel=1e-9)


def test_averages_of_the_library_have_that_square():
    """20,000 chains at once; 5 %, five standard errors."""
    chains = problems.from_functions(lambda w: float(0.5 * w @ w), lambda w: w, np.full(20_000, 1.0))
    for rate in (0.1, 1.0):
        w = minimize(
            chains, gradient=gradients.noisy(1.0), learning_rate=rate, average=averages.uniform(), steps=60, every=60
        ).w
        exact = rates.polyak_ruppert(60, curvature=1.0, learning_rate=rate, R=1.0, variance=1.0)
        assert np.mean(w**2) == pytest.approx(exact, rel=0.05)


def test_the_limit_does_not_depend_on_the_rate():
    for rate in (0.01, 0.3, 1.5):
        scaled = 1e8 * rates.polyak_ruppert(1e8, curvature=2.0, learning_rate=rate / 2, R=1.0, variance=3.0)
        assert scaled == pytest.approx(3.0 / 4.0, rel=2e-3)


def test_the_start_is_forgotten_slowly():
    """Without noise the mean is off by R q / (alpha h k), where the iterate is off by R q^k."""
    trace = minimize(
        problems.quadratic([0.5], start=[3.0]), learning_rate=0.2, average=averages.uniform(), steps=500, iterates=True
    )
    k = trace.step[1:]
    np.testing.assert_allclose(
        trace.iterates[1:, 0] ** 2,
        rates.polyak_ruppert(k, curvature=0.5, learning_rate=0.2, R=3.0, variance=0.0),
        rtol=1e-10,
    )
    assert trace.w[0] == pytest.approx(3.0 * 0.9 / (0.2 * 0.5 * 500), rel=1e-9)


def streaming_least_squares(spectrum, first, skip, runs, steps=20_000):
    """n Cov of the mean of SGD's iterates, in units of H^-1 (unit noise), for the rate first k^-0.6."""
    rng, d = np.random.default_rng(1), len(spectrum)
    w, total = np.zeros((runs, d)), np.zeros((runs, d))
    for k in range(1, steps + 1):
        x = rng.standard_normal((runs, d)) * np.sqrt(spectrum)
        residual = np.sum(x * (w - 1), axis=1) - rng.standard_normal(runs)
        w -= first * k**-0.6 * residual[:, None] * x
        if k > skip:
            total += w
    return (steps - skip) * np.mean((total / (steps - skip) - 1) ** 2, axis=0) * spectrum


def test_polyak_and_juditskys_covariance_on_a_stream():
    """1,000 runs: within 15 % of the limit, three standard errors; with a small curvature, far from it."""
    ratios = streaming_least_squares(np.array([1.0, 0.8, 0.6, 0.5]), 0.3, 1000, 1000)
    np.testing.assert_allclose(ratios, 1, atol=0.15)
    trap = streaming_least_squares(np.array([1.0, 0.8, 0.6, 0.1]), 0.2, 0, 100)
    assert trap[3] > 30


# Variance reduction

X, Y = RNG.standard_normal((15, 4)) * [1.0, 2.0, 0.5, 1.0], RNG.standard_normal(15)
RIDGE = problems.least_squares(X, Y, l2=0.1)
BEST = RIDGE.minimizer
ROWS = [np.array([i]) for i in range(15)]


def samples(w):
    return np.array([RIDGE.sample_grad(w, row) for row in ROWS])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 100.0])
def test_variance_of_svrg_is_bounded_by_both_gaps(scale):
    """Exact, over all samples, at 50 pairs of points; and unbiased."""
    for _ in range(50):
        w, anchor = BEST + scale * RNG.standard_normal((2, 4))
        estimates = samples(w) - samples(anchor) + RIDGE.grad(anchor)
        np.testing.assert_allclose(estimates.mean(0), RIDGE.grad(w), rtol=1e-6, atol=1e-12)
        gaps = RIDGE.value(w) + RIDGE.value(anchor) - 2 * RIDGE.minimum
        second = np.mean(np.sum(estimates**2, axis=1))
        assert second <= 4 * RIDGE.L_max * gaps + 1e-15


def test_the_bound_of_the_second_moment_is_attained_within_its_constants():
    """One variable, equal curvatures, anchor at w: the second moment is 2 L gap, a quarter of 4 L (gap + gap)."""
    problem = problems.least_squares(np.ones((3, 1)), [1.0, 2.0, 6.0])
    w = problem.minimizer + 1.0
    estimates = [problem.sample_grad(w, np.array([i])) * 0 + problem.grad(w) for i in range(3)]
    gap = problem.value(w) - problem.minimum
    assert np.mean(np.square(estimates)) == pytest.approx(2 * problem.L_max * gap, rel=1e-12)


def stage(problem, anchor, rate, inner, seed):
    """One stage with the library's estimate; the new anchor is drawn from its iterates."""
    trace = minimize(
        problem, gradient=gradients.svrg(inner), learning_rate=rate, start=anchor, steps=inner, iterates=True, seed=seed
    )
    return trace.iterates[np.random.default_rng([seed, 1]).integers(inner)]


def test_svrg_stage_ratio():
    """The setting of the paper: n = 100, rate .1 / L, m = 50 L / mu. The bound is one half."""
    rng = np.random.default_rng(0)
    problem = problems.least_squares(rng.standard_normal((100, 5)), rng.standard_normal(100), l2=1.0)
    rate, inner = 0.1 / problem.L_max, round(50 * problem.L_max / problem.mu)
    bound = rates.svrg_stage(L_max=problem.L_max, mu=problem.mu, learning_rate=rate, inner=inner)
    assert bound == pytest.approx(0.5, abs=1e-3)
    start = problem.minimizer + rng.standard_normal(5)
    gaps = [problem.value(stage(problem, start, rate, inner, seed)) - problem.minimum for seed in range(40)]
    assert np.mean(gaps) <= bound * (problem.value(start) - problem.minimum)


def test_svrg_stage_ratio_is_of_the_right_order_for_a_short_stage():
    """One variable, no difference between samples: the mean over the stage is known exactly."""
    problem = problems.least_squares(np.ones((2, 1)), [1.0, 1.0])
    for rate, inner in ((0.01, 30), (0.05, 20), (0.1, 100)):
        bound = rates.svrg_stage(L_max=1.0, mu=1.0, learning_rate=rate, inner=inner)
        ratio = np.mean((1 - rate) ** (2 * np.arange(inner)))
        trace = minimize(problem, gradient=gradients.svrg(inner), learning_rate=rate, steps=inner - 1)
        assert np.mean(trace.value) / trace.value[0] == pytest.approx(ratio, rel=1e-9)
        assert ratio <= bound
        assert bound < 8 * ratio


def lyapunov(w, table, rate, weight):
    return np.sum((w - BEST) ** 2) + weight * rate**2 * np.sum((table - samples(BEST)) ** 2)


def saga_step(w, table, i, rate):
    """A step of SAGA from a given table, written out; that the library makes it is tested in test_variance_reduction."""
    new = RIDGE.sample_grad(w, ROWS[i])
    after = table.copy()
    after[i] = new
    return w - rate * (new - table[i] + table.mean(0)), after


@pytest.mark.parametrize("factor", [1.0, 0.2])
def test_saga_lyapunov_function_contracts(factor):
    """Exact expectation over the next sample, at 200 states: tables of gradients at random points."""
    rate = factor / (6 * RIDGE.L_max)
    contraction = rates.saga(1, n=15, L_max=RIDGE.L_max, mu=RIDGE.mu, learning_rate=rate)
    ratios = []
    for _ in range(200):
        w = BEST + RNG.standard_normal(4) * 10 ** RNG.uniform(-3, 1)
        points = BEST + RNG.standard_normal((15, 4)) * 10 ** RNG.uniform(-3, 1)
        table = np.array([RIDGE.sample_grad(point, row) for point, row in zip(points, ROWS, strict=True)])
        before = lyapunov(w, table, rate, 4)
        after = np.mean([lyapunov(*saga_step(w, table, i, rate), rate, 4) for i in range(15)])
        ratios.append(after / before)
    assert max(ratios) <= contraction
    # of the right order: from a table without error the distance alone shrinks like the mean of (1 - alpha h)^2
    after = np.mean([lyapunov(*saga_step(BEST + 1e-3, samples(BEST), i, rate), rate, 4) for i in range(15)])
    assert after <= contraction * 4e-6


def test_saga_forgets_its_table_at_the_stated_order():
    """At the minimizer, one variable, equal curvatures: exactly 1 - 3 / (4n), where the bound is 1 - 1 / (2n)."""
    n, rate = 12, 1 / 6
    at_best = np.linspace(-1, 1, n)
    error = RNG.permutation(np.linspace(-3, 3, n))
    table, ratios = at_best + error, []
    for i in range(n):
        w = -rate * (at_best[i] - table[i] + table.mean())
        after = table.copy()
        after[i] = at_best[i]
        ratios.append((w**2 + 4 * rate**2 * np.sum((after - at_best) ** 2)) / (4 * rate**2 * np.sum(error**2)))
    bound = rates.saga(1, n=n, L_max=1.0, mu=1.0, learning_rate=rate)
    assert np.mean(ratios) == pytest.approx(1 - 3 / (4 * n), rel=1e-12)
    assert bound == pytest.approx(1 - 1 / (2 * n), rel=1e-12)


def test_saga_of_the_library_stays_below_its_bound():
    rate = 1 / (6 * RIDGE.L_max)
    start = BEST + 1.0
    runs = [
        minimize(
            RIDGE, gradient=gradients.saga(), learning_rate=rate, start=start, steps=1500, every=100, iterates=True,
            seed=seed,
        ).iterates
        for seed in range(20)
    ]  # fmt: skip
    square = np.mean(np.sum((np.array(runs) - BEST) ** 2, axis=2), axis=0)
    first = lyapunov(start, samples(start), rate, 4)
    k = 100 * np.arange(16)
    bound = first * rates.saga(k, n=15, L_max=RIDGE.L_max, mu=RIDGE.mu, learning_rate=rate)
    assert np.all(square <= bound)
    slope, theory = np.log(square[12] / square[2]) / 1000, np.log(bound[1] / bound[0]) / 100
    assert 1 < slope / theory < 8


def defazio(w, points, rate):
    """The Lyapunov function of Defazio et al. (2014), for points at which the table was filled."""
    c = 1 / (2 * rate * (1 - rate * RIDGE.mu) * 15)
    at_best = samples(BEST)

    def loss(point, i):
        return 0.5 * (X[i] @ point - Y[i]) ** 2 + 0.05 * point @ point

    excess = [loss(p, i) - loss(BEST, i) - at_best[i] @ (p - BEST) for i, p in enumerate(points)]
    return np.mean(excess) + c * np.sum((w - BEST) ** 2)


def test_saga_with_the_step_of_its_paper():
    """Step 1 / (2 (mu n + L)): their function contracts by 1 - step mu, in exact expectation at 200 states."""
    rate = 1 / (2 * (RIDGE.mu * 15 + RIDGE.L_max))
    for _ in range(200):
        w = BEST + RNG.standard_normal(4) * 10 ** RNG.uniform(-2, 1)
        points = BEST + RNG.standard_normal((15, 4)) * 10 ** RNG.uniform(-2, 1)
        table = np.array([RIDGE.sample_grad(point, row) for point, row in zip(points, ROWS, strict=True)])
        after = []
        for i in range(15):
            moved = points.copy()
            moved[i] = w
            after.append(defazio(saga_step(w, table, i, rate)[0], moved, rate))
        assert np.mean(after) <= (1 - rate * RIDGE.mu) * defazio(w, points, rate) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rates.polyak_ruppert(0, curvature=1, learning_rate=1, R=1, variance=1), "k must be >= 1"),
        (lambda: rates.polyak_ruppert(1, curvature=1, learning_rate=2, R=1, variance=1), "learning_rate"),
        (lambda: rates.svrg_stage(L_max=1, mu=0.1, learning_rate=0.5, inner=10), "learning_rate"),
        (lambda: rates.saga(1, n=5, L_max=1, mu=0.1, learning_rate=0.2), "learning_rate"),
    ],
)
def test_outside_its_assumptions_a_bound_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
