"""SVRG and SAGA: their estimates by hand, unbiased, exact at the minimizer; and noise of known size."""

import numpy as np
import pytest

from fo_lib import gradients, minimize, problems

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((6, 3)), RNG.standard_normal(6)
RIDGE = problems.least_squares(X, Y, l2=0.1)
BOTH = pytest.mark.parametrize("make", [gradients.saga, gradients.svrg])


def single(w, i):
    return RIDGE.sample_grad(w, np.array([i]))


def order(n, seed, epoch):
    return np.array([4, 1, 4, 0, 2, 1])


def test_saga_by_hand():
    estimate = gradients.saga(order)(RIDGE, 0)
    table = np.array([single(np.zeros(3), i) for i in range(6)])
    for t, i in enumerate([4, 1, 4, 0, 2, 1, 4], start=1):
        w = RNG.standard_normal(3) if t > 1 else np.zeros(3)
        np.testing.assert_allclose(estimate(w, t), single(w, i) - table[i] + table.mean(0), rtol=1e-10, atol=1e-13)
        table[i] = single(w, i)


def test_svrg_by_hand():
    estimate = gradients.svrg(4, order)(RIDGE, 0)
    for t, i in enumerate([4, 1, 4, 0, 2, 1, 4], start=1):
        w = RNG.standard_normal(3)
        if t in (1, 5):
            anchor = w
        expected = single(w, i) - single(anchor, i) + RIDGE.grad(anchor)
        np.testing.assert_allclose(estimate(w, t), expected, rtol=1e-10, atol=1e-13)


@BOTH
def test_the_estimate_is_unbiased_over_the_sample(make):
    """After three steps anywhere, the mean over the next sample is the full gradient."""
    path, w = RNG.standard_normal((3, 3)), RNG.standard_normal(3)
    estimates = []
    for i in range(6):
        estimate = make(order=lambda n, seed, epoch, i=i: np.array([4, 1, 0, i, 0, 0]))(RIDGE, 0)
        for t in (1, 2, 3):
            estimate(path[t - 1], t)
        estimates.append(estimate(w, 4))
    np.testing.assert_allclose(np.mean(estimates, axis=0), RIDGE.grad(w), rtol=1e-10)


@BOTH
def test_it_converges_to_the_minimizer_with_a_constant_rate(make):
    trace = minimize(RIDGE, gradient=make(), learning_rate=1 / (3 * RIDGE.L_max), steps=3000, every=3000)
    np.testing.assert_allclose(trace.w, RIDGE.minimizer, atol=1e-10)
    softmax = problems.softmax_regression(X, [0, 1, 2, 0, 1, 2], l2=0.1)
    trace = minimize(softmax, gradient=make(), learning_rate=0.05, steps=1000, every=1000)
    assert trace.grad_norm[-1] < 1e-3 * trace.grad_norm[0]


@BOTH
def test_a_problem_without_samples_is_refused(make):
    with pytest.raises(TypeError, match=f"{make.__name__} needs a problem with samples"):
        minimize(problems.rosenbrock(), gradient=make())
    with pytest.raises(TypeError, match="order must be a function"):
        make(order=3)
    with pytest.raises(TypeError, match=rf"gradient must be called: {make.__name__}"):
        minimize(RIDGE, gradient=make)


def test_svrg_takes_a_new_anchor_after_twice_the_samples_by_default():
    estimate = gradients.svrg()(RIDGE, 0)
    first = estimate(RIDGE.minimizer, 1)
    assert np.abs(first).max() < 1e-14  # at the anchor the estimate is the full gradient
    w = np.ones(3)
    assert np.abs(estimate(w, 12) - RIDGE.grad(w)).max() > 1e-3
    np.testing.assert_allclose(estimate(w, 13), RIDGE.grad(w), rtol=1e-10)
    with pytest.raises(ValueError, match="inner must be a whole number >= 1, got 0"):
        gradients.svrg(0)


def test_noise_has_its_variance_and_is_a_function_of_seed_and_step():
    bowl = problems.quadratic(np.ones(1000), start=np.zeros(1000))
    estimate = gradients.noisy(0.5)(bowl, 3)
    draws = np.array([estimate(np.zeros(1000), t) for t in range(1, 101)])
    assert draws.std() == pytest.approx(0.5, rel=0.01)
    assert abs(draws.mean()) < 0.005
    assert abs(np.mean(draws[1:] * draws[:-1])) < 0.005
    np.testing.assert_array_equal(draws[6], gradients.noisy(0.5)(bowl, 3)(np.zeros(1000), 7))
    np.testing.assert_array_equal(gradients.noisy(0)(bowl, 3)(np.ones(1000), 1), np.ones(1000))
    with pytest.raises(ValueError, match="scale must be a finite number and >= 0, got -1"):
        gradients.noisy(-1)


@pytest.mark.parametrize("oracle", [gradients.noisy(0.5), gradients.saga(), gradients.svrg(), gradients.mini_batch(1)])
def test_another_seed_is_another_run(oracle):
    ends = [minimize(RIDGE, gradient=oracle, learning_rate=0.01, steps=9, seed=seed).w for seed in (0, 0, 1)]
    np.testing.assert_array_equal(ends[0], ends[1])
    assert np.abs(ends[0] - ends[2]).max() > 1e-6


def test_svrg_has_stages_of_twice_the_samples_by_default():
    runs = [
        minimize(RIDGE, gradient=oracle, learning_rate=0.01, steps=40).w
        for oracle in (gradients.svrg(), gradients.svrg(12), gradients.svrg(6))
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert np.abs(runs[0] - runs[2]).max() > 1e-8
