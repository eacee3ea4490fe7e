"""Theorems of the chapter on Adam."""

import numpy as np
import pytest

from fo_lib import rates, rules

RNG = np.random.default_rng(0)
BETA1, BETA2 = 0.9, 0.999


def run_adam(gradients, **hyper):
    """Steps of the library's rule on one weight, in learning rates."""
    w = m = v = 0.0
    steps = []
    for t, g in enumerate(gradients, start=1):
        new, m, v = rules.adam(w, g, m, v, t, learning_rate=1.0, **{"epsilon": 0.0, **hyper})
        steps.append(w - new)
        w = new
    return np.array(steps)


# Bias correction


def test_corrected_moments_of_gradients_of_one_size_are_exact():
    """Random signs: the corrected second moment is g^2 at every step; constant sign: the first is g as well."""
    signs = RNG.choice([-1.0, 1.0], 200)
    m = v = 0.0
    for t, sign in enumerate(signs, start=1):
        _, m, v = rules.adam(0.0, 3.0 * sign, m, v, t)
        assert v / (1 - BETA2**t) == pytest.approx(9.0, rel=1e-12)
    m = v = 0.0
    for t in range(1, 200):
        _, m, v = rules.adam(0.0, 3.0, m, v, t)
        assert m / (1 - BETA1**t) == pytest.approx(3.0, rel=1e-12)


def test_expected_moments_are_short_by_the_factor_of_the_correction():
    """200,000 weights with independent gradients of mean 0.5 and mean square 2."""
    g = 0.5 + np.sqrt(1.75) * RNG.standard_normal((10, 200_000))
    m, v = np.zeros(200_000), np.zeros(200_000)
    for t in range(1, 11):
        _, m, v = rules.adam(0.0, g[t - 1], m, v, t)
        assert np.mean(v) == pytest.approx(2.0 * (1 - BETA2**t), rel=0.02)
        assert np.mean(m) == pytest.approx(0.5 * (1 - BETA1**t), rel=0.02)


# The largest step


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.9, 0.99), (0.5, 0.9), (0.0, 0.9)])
@pytest.mark.parametrize("t", [1, 2, 7, 300])
def test_largest_step_is_attained(t, beta1, beta2):
    largest = rates.adam_largest_step(t, beta1=beta1, beta2=beta2)
    i = np.arange(1, t + 1)
    worst = (beta1 / beta2) ** (t - i) if beta1 else (i == t).astype(float)
    with np.errstate(invalid="ignore"):
        steps = run_adam(np.maximum(worst, 1e-140), beta1=beta1, beta2=beta2)
    assert steps[-1] == pytest.approx(largest, rel=1e-9)
    for _ in range(20):
        gradients = RNG.standard_normal(t) * 10 ** RNG.uniform(-2, 2, t)
        assert abs(run_adam(gradients, beta1=beta1, beta2=beta2)[-1]) <= largest * (1 + 1e-12)


def test_a_spike_after_zeros_is_not_the_worst():
    spike = run_adam([*np.full(20_000, 1e-140), 1.0])[-1]
    assert spike == pytest.approx((1 - BETA1) / np.sqrt(1 - BETA2), rel=1e-6)
    assert spike == pytest.approx(3.1623, abs=1e-4)
    growing = run_adam([*np.full(20_000, 1e-140), *(BETA1 / BETA2) ** np.arange(199, -1, -1)])[-1]
    assert growing == pytest.approx(rates.adam_largest_step(20_200), rel=1e-6)
    assert growing == pytest.approx(7.27, abs=0.01)
    assert rates.adam_largest_step(1) == pytest.approx(1.0, rel=1e-12)


def test_uncorrected_first_step_is_too_long():
    m, v = (1 - BETA1) * 2.0, (1 - BETA2) * 4.0
    assert m / np.sqrt(v) == pytest.approx(3.1623, abs=1e-4)
    assert run_adam([2.0])[0] == pytest.approx(1.0, rel=1e-12)
    t = np.arange(1, 200)
    factor = (1 - BETA1**t) / np.sqrt(1 - BETA2**t)  # of the uncorrected steps under a constant gradient
    assert (factor.argmax() + 1, factor.max()) == (12, pytest.approx(6.57, abs=0.01))
    factor = (1 - 0.9**t) / np.sqrt(1 - 0.95**t)
    assert (factor.argmax() + 1, factor.max()) == (20, pytest.approx(1.097, abs=0.001))
    assert rates.adam_largest_step(10_000, beta2=0.99) == pytest.approx(2.345, abs=0.001)


# Reddi, Kale and Kumar's example


def reddi(C, steps, method, rate=0.5):
    """Iterates before each step on [-1, 1]: gradient C at t = 1, 4, 7, ... and -1 otherwise."""
    w, state, path = 1.0, [0.0] * (2 if method is rules.adam else 3), []
    beta2 = 1 / (1 + C**2)
    for t in range(1, steps + 1):
        path.append(w)
        g = C if t % 3 == 1 else -1.0
        hyper = {"learning_rate": rate / np.sqrt(t), "beta1": 0.0, "beta2": beta2, "epsilon": 0.0}
        if method is rules.adam:
            # the paper's Adam has no bias correction: undo it, so that v_hat is v
            hyper["learning_rate"] /= np.sqrt(1 - beta2**t)
            w, *state = rules.adam(w, g, *state, t, **hyper)
        else:
            w, *state = rules.amsgrad(w, g, *state, **hyper)
        w = min(1.0, max(-1.0, w))
    return np.array(path)


def regret_per_step(path, C):
    slopes = np.where(np.arange(1, len(path) + 1) % 3 == 1, C, -1.0)
    return (slopes @ path + slopes.sum()) / len(path)  # the best point is -1


@pytest.mark.parametrize("C", [3.0, 4.0, 10.0])
def test_adam_goes_to_the_worst_point(C):
    path = reddi(C, 30_000, rules.adam)
    assert np.all(path[2999::3][-100:] > 0.99)
    assert path[3 * 9000] == 1.0  # at the start of a cycle
    assert regret_per_step(path, C) == pytest.approx(2 * (C - 2) / 3, rel=0.01)


def test_each_cycle_after_the_first_ends_higher_or_at_the_worst_point():
    """From -1, with a small rate, so that the climb takes many cycles: the induction of the proof."""
    w, v, C = -1.0, 0.0, 4.0
    beta2 = 1 / (1 + C**2)
    starts = []
    for t in range(1, 3001):
        if t % 3 == 1:
            starts.append(w)
        g = C if t % 3 == 1 else -1.0
        w, v = rules.rmsprop(w, g, v, learning_rate=0.15 / np.sqrt(t), rho=beta2, epsilon=0.0)
        w = min(1.0, max(-1.0, w))
    later = np.array(starts[1:])
    assert np.all((np.diff(later) > 0) | (later[1:] == 1.0))
    assert later[-1] == 1.0


def test_amsgrad_goes_to_the_best_point():
    path = reddi(4.0, 200_000, rules.amsgrad)
    assert path[-1] < -0.99
    assert regret_per_step(path, 4.0) < 0.05


# Epsilon


def test_with_a_huge_epsilon_adam_is_momentum():
    w, m, v, u, average = 1.0, 0.0, 0.0, 1.0, 0.0
    for t, g in enumerate(RNG.standard_normal(50), start=1):
        w, m, v = rules.adam(w, g, m, v, t, learning_rate=0.1 * 1e9, epsilon=1e9)
        average = BETA1 * average + (1 - BETA1) * g
        u -= 0.1 * average / (1 - BETA1**t)
        assert w == pytest.approx(u, rel=1e-6)


@pytest.mark.parametrize("g", [1e-10, 1e-8, 1e-3, 1.0])
def test_first_step_as_a_function_of_epsilon(g):
    assert run_adam([g], epsilon=1e-8)[0] == pytest.approx(g / (g + 1e-8), rel=1e-12)


def test_arguments_of_the_largest_step_are_checked():
    with pytest.raises(ValueError, match="t must be >= 1"):
        rates.adam_largest_step(0)
    with pytest.raises(ValueError, match="beta2 must be a finite number and > 0"):
        rates.adam_largest_step(1, beta2=0.8)
