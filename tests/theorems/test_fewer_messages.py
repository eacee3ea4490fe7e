"""Theorems of the chapter on fewer and smaller messages: gradients from elsewhere, late gradients, local steps."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from fo_lib import minimize, problems, rates
from fo_lib.compression import compressed, dense
from fo_lib.gradients import mini_batch, noisy
from fo_lib.local_steps import local_sgd
from fo_lib.staleness import stale
from fo_lib.team import mean_of, shuffled_split, sorted_split

# Late gradients of a quadratic


def companion(b, delay):
    """The map from (w_k, ..., w_{k - delay}) to the next ones."""
    M = np.eye(delay + 1, k=-1)
    M[0, 0] += 1
    M[0, -1] -= b
    return M


def radius(b, delay):
    return np.abs(np.linalg.eigvals(companion(b, delay))).max()


@pytest.mark.parametrize("delay", [0, 1, 2, 5, 16])
def test_late_gradients_converge_up_to_exactly_this_rate(delay):
    limit = rates.delay_limit(delay)
    for part in (0.01, 0.3, 0.9, 0.999):
        assert radius(part * limit, delay) < 1
    assert radius(limit, delay) == pytest.approx(1, abs=1e-9)
    for part in (1.001, 1.5, 10):  # roots leave the circle, and none comes back
        assert radius(part * limit, delay) > 1
    assert rates.delay_limit(0) == pytest.approx(2)


@pytest.mark.parametrize("delay", [1, 3, 8])
def test_no_rate_beats_the_critical_one(delay):
    best, decay = rates.delay_best(delay)
    assert best < rates.delay_limit(delay)
    assert radius(best, delay) == pytest.approx(decay, rel=1e-4)  # a double root: digits are lost
    others = np.linspace(0.01, 1.2, 60) * rates.delay_limit(delay)
    assert min(radius(b, delay) for b in others) > decay
    assert (rates.delay_best(0)) == (1, 0)
    for b in np.linspace(0.05, 0.95, 7) * best:  # below it the real root leads, and it is at most 1 - b
        rho = radius(b, delay)
        assert rho**delay * (1 - rho) == pytest.approx(b, rel=1e-6)
        assert delay / (delay + 1) < rho < 1 - b


@pytest.mark.parametrize("delay", [0, 1, 4])
def test_the_oracle_is_this_recursion(delay):
    problem = problems.quadratic([0.5, 2.0], start=[1.0, -3.0])
    run = minimize(problem, learning_rate=0.1, gradient=stale(delay), steps=30, iterates=True)
    for i, h in enumerate((0.5, 2.0)):
        x = np.full(delay + 1, problem.start[i])
        for k in range(31):
            assert run.iterates[k, i] == pytest.approx(x[0], rel=1e-12)
            x = companion(0.1 * h, delay) @ x


# The lemma: each of its three terms is attained


def mean_square(points, problem):
    return np.mean([np.sum(problem.grad(w) ** 2) for w in points])


def test_each_term_of_the_bound_is_attained():
    L, rate = 3.0, 1 / 3.0
    bowl = problems.quadratic([L], start=[2.0])
    one = rates.gradients_elsewhere(1, gap=bowl.value(bowl.start), L=L, rate=rate, variance=0.0, distance=0.0)
    assert mean_square([bowl.start], bowl) == pytest.approx(float(one), rel=1e-12)
    T, offset = 5000, 0.7  # gradients at a constant distance: the run rests at minus this distance
    moved = replace(bowl, grad=lambda w: L * (w + offset))
    w = minimize(moved, learning_rate=rate, start=[0.0], steps=100, iterates=True).iterates
    bound = rates.gradients_elsewhere(10**9, gap=0.0, L=L, rate=rate, variance=0.0, distance=offset / rate)
    assert mean_square(w[1:], bowl) == pytest.approx(float(bound), rel=1e-9)
    w = minimize(bowl, learning_rate=rate, gradient=noisy(0.5), start=[1e-9], steps=T, iterates=True).iterates
    bound = rates.gradients_elsewhere(T, gap=0.0, L=L, rate=rate, variance=0.25, distance=0.0)
    assert mean_square(w, bowl) == pytest.approx(float(bound), rel=0.08)  # the noise of the mean: 2 %


@pytest.mark.parametrize("delay", [1, 5, 20])
@pytest.mark.parametrize("random", [False, True])
def test_late_gradients_keep_the_bound_on_a_model(delay, random):
    rng = np.random.default_rng(delay)
    X, y = rng.standard_normal((60, 5)), rng.choice([-1, 1], 60)
    problem = problems.logistic(X, y)
    G, rate, T = np.linalg.norm(X, axis=1).max(), 1 / problem.L, 400
    noise = np.mean(np.sum((X / 2) ** 2, axis=1)) * 4  # a sample's gradient is at most |x|
    run = minimize(
        problem, learning_rate=rate, gradient=stale(delay, mini_batch(1), random=random), steps=T, iterates=True
    )
    bound = rates.gradients_elsewhere(T, gap=np.log(2), L=problem.L, rate=rate, variance=noise, distance=delay * G)
    assert np.mean(run.grad_norm**2) <= bound
    steps = np.linalg.norm(run.iterates[delay:] - run.iterates[:-delay], axis=1)
    assert steps.max() <= rate * delay * G * (1 + 1e-12)


@pytest.mark.parametrize("delay", [1, 4])
def test_a_slope_attains_the_distance_of_late_gradients(delay):
    slope = problems.from_functions(lambda w: 2.0 * w[0], lambda w: np.array([2.0]), np.zeros(1))
    w = minimize(slope, learning_rate=0.1, gradient=stale(delay), steps=9, iterates=True).iterates[:, 0]
    np.testing.assert_allclose(w[:-delay] - w[delay:], 0.1 * delay * 2.0, rtol=1e-12)


# Local steps


def quadratics(seed, m=4, d=3, *, alike=False):
    rng = np.random.default_rng(seed)
    hessians = []
    for _ in range(m):
        Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
        hessians.append(Q @ np.diag(rng.uniform(0.2, 2.0, d)) @ Q.T)
    hessians = [hessians[0]] * m if alike else hessians
    centres = rng.standard_normal((m, d))
    parts = [
        problems.quadratic((A + A.T) / 2, minimizer=c, start=np.ones(d)) for A, c in zip(hessians, centres, strict=True)
    ]
    return mean_of(parts), np.array(hessians), centres


def singles(m):
    return [np.array([i]) for i in range(m)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("local", "rate"), [(1, 0.5), (2, 0.9), (8, 0.3), (30, 0.9)])
def test_local_steps_rest_at_exactly_this_point(seed, local, rate):
    problem, hessians, centres = quadratics(seed)
    kept = np.array([np.linalg.matrix_power(np.eye(3) - rate * A, local) for A in hessians])
    P = np.eye(3) - kept
    rest = np.linalg.solve(P.sum(0), np.einsum("ijk,ik->j", P, centres))
    oracle = local_sgd(singles(4), local, rate=rate)
    run = minimize(problem, learning_rate=1.0, gradient=oracle, steps=5, iterates=True)
    stays = minimize(problem, learning_rate=1.0, gradient=oracle, steps=1, start=rest)
    np.testing.assert_allclose(stays.w, rest, atol=1e-13)
    errors = run.iterates - rest  # the same linear map in every round
    np.testing.assert_allclose(errors[1:], errors[:-1] @ kept.mean(0).T, atol=1e-12)
    best = np.linalg.solve(hessians.sum(0), np.einsum("ijk,ik->j", hessians, centres))
    assert (np.linalg.norm(rest - best) < 1e-9) == (local == 1)


@pytest.mark.parametrize("seed", range(3))
def test_the_bias_of_local_steps_in_first_order_and_in_the_limit(seed):
    problem, hessians, centres = quadratics(seed)
    best = np.linalg.solve(hessians.sum(0), np.einsum("ijk,ik->j", hessians, centres))
    slopes = np.einsum("ijk,ik->ij", hessians, best - centres)
    ahead = np.linalg.solve(hessians.mean(0), np.einsum("ijk,ik->ij", hessians, slopes).mean(0))
    local = 5
    for rate in (1e-3, 1e-4):
        P = np.array([np.eye(3) - np.linalg.matrix_power(np.eye(3) - rate * A, local) for A in hessians])
        rest = np.linalg.solve(P.sum(0), np.einsum("ijk,ik->j", P, centres))
        np.testing.assert_allclose((rest - best) / rate, (local - 1) / 2 * ahead, atol=50 * rate)
        assert np.abs(ahead).max() > 0.01
    oracle = local_sgd(singles(4), 200, rate=0.9)
    run = minimize(problem, learning_rate=1.0, gradient=oracle, steps=1, start=centres.mean(0) + 3)
    np.testing.assert_allclose(run.w, centres.mean(0), atol=1e-9)


@pytest.mark.parametrize("local", [2, 7])
def test_with_equal_curvatures_local_steps_are_steps_of_the_mean(local):
    problem, _, _ = quadratics(0, alike=True)
    rounds = minimize(
        problem, learning_rate=1.0, gradient=local_sgd(singles(4), local, rate=0.4), steps=6, iterates=True
    )
    every = minimize(problem, learning_rate=0.4, steps=6 * local, every=local, iterates=True)
    np.testing.assert_allclose(rounds.iterates, every.iterates, atol=1e-12)


@pytest.mark.parametrize("local", [2, 5])
def test_so_are_they_with_noise_that_does_not_depend_on_the_weights(local):
    """Eight samples with one Hessian, two for each worker, one of them in a step; least squares have no such noise."""
    mean, _, _ = quadratics(1, m=8, alike=True)
    workers = [np.array([2 * i, 2 * i + 1]) for i in range(4)]

    def apart(problem, rate):
        oracle = local_sgd(workers, local, rate=rate, size=1)
        rounds = minimize(problem, learning_rate=1.0, gradient=oracle, steps=6, iterates=True)
        batch = compressed(workers, dense(), size=1)
        every = minimize(problem, learning_rate=rate, gradient=batch, steps=6 * local, every=local, iterates=True)
        assert np.abs(np.diff(every.iterates, axis=0)).min() > 1e-6
        return np.abs(rounds.iterates - every.iterates).max()

    rng = np.random.default_rng(0)
    assert apart(mean, 0.4) < 1e-12
    assert apart(problems.least_squares(rng.standard_normal((8, 3)), rng.standard_normal(8)), 0.1) > 1e-3


@pytest.mark.parametrize("local", [1, 2, 8])
def test_opposite_slopes_attain_the_drift(local):
    """Two workers with the gradients G and -G: after h local steps each is a h G from their mean."""
    G, rate, squares = 3.0, 0.1, [0.0]
    for h in range(1, local):
        parts = [problems.from_functions(lambda w, s=s: s * w[0], lambda w, s=s: np.array([s]), [0.0]) for s in (G, -G)]
        oracles = [local_sgd(singles(1), h, rate=rate)(mean_of([part]), 0) for part in parts]
        squares.append(np.mean([oracle(np.zeros(1), 1)[0] ** 2 for oracle in oracles]))
    assert np.mean(squares) == pytest.approx((rate * rates.local_drift(local, gradient=G)) ** 2)


def spread(gradient, noise, rate, local, workers=2):
    """Mean over steps, workers and all outcomes of the noise: squared distance from the workers' mean."""
    total, outcomes = 0.0, list(itertools.product(noise, repeat=workers * (local - 1)))
    for outcome in outcomes:
        w, left = np.zeros(workers), list(outcome)
        for h in range(local):
            total += np.mean((w - w.mean()) ** 2)
            if h < local - 1:
                w = w - rate * (gradient(w) + np.array([left.pop() for _ in range(workers)]))
    return total / len(outcomes) / local


@pytest.mark.parametrize("local", [1, 2, 4])
def test_the_drift_of_workers_with_the_same_data(local):
    noise, rate = (-0.6, 0.6), 0.5
    bound = (rate * rates.local_drift_alike(local, workers=2, variance=0.36)) ** 2
    assert spread(lambda w: 0 * w + 1, noise, rate, local) == pytest.approx(bound, abs=1e-15)
    for gradient in (lambda w: 3 * w, np.tanh, lambda w: 4 * np.clip(w, -0.1, 0.2)):  # convex, L <= 2 / rate
        assert spread(gradient, noise, rate, local) <= bound + 1e-15
    if local == 4:
        assert spread(lambda w: -w, noise, rate, local) > 1.1 * bound  # not convex: they run apart
        assert rates.local_drift_alike(local, workers=10**9, variance=0.36) == pytest.approx(0.6 * 1.5**0.5)


@pytest.mark.parametrize("local", [2, 8])
@pytest.mark.parametrize("sort", [False, True])
def test_local_steps_keep_the_bound_on_a_model(local, sort):
    rng = np.random.default_rng(local)
    X, y = rng.standard_normal((80, 4)) + 0.5, np.sign(rng.standard_normal(80))
    workers = sorted_split(y, 4) if sort else shuffled_split(80, 4)
    problem = problems.logistic(X, y)
    part_L = max(problems.logistic(X[rows], y[rows]).L for rows in workers)
    G, rate, T = np.linalg.norm(X, axis=1).max(), 0.5 / part_L, 240
    run = minimize(
        problem, learning_rate=1.0, gradient=local_sgd(workers, local, rate=rate, size=1), steps=T // local,
        iterates=True,
    )  # fmt: skip
    bound = rates.gradients_elsewhere(
        T, gap=np.log(2), L=part_L, rate=rate, variance=G**2 / 4, distance=rates.local_drift(local, gradient=G)
    )
    assert np.mean(run.grad_norm**2) <= bound  # at the rounds, whose points are among those of the theorem


def test_one_local_step_is_a_large_batch():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 3)), rng.standard_normal(40)
    problem, workers = problems.least_squares(X, y), shuffled_split(40, 5)
    one = minimize(problem, learning_rate=1.0, gradient=local_sgd(workers, 1, rate=0.1, size=2), steps=20)
    batch = minimize(problem, learning_rate=0.1, gradient=compressed(workers, dense(), size=2), steps=20)
    np.testing.assert_allclose(one.w, batch.w, rtol=1e-12)
