"""Averages of iterates are the means that they say, and change no step."""

import numpy as np
import pytest

from fo_lib import averages, gradients, minimize, problems

BOWL = problems.quadratic([1.0, 5.0], start=[3.0, -2.0])
SETTINGS = {"learning_rate": 0.1, "gradient": gradients.noisy(1.0), "steps": 12, "iterates": True}
PLAIN = minimize(BOWL, **SETTINGS).iterates[1:]
T = np.arange(1, 13)


def rising(power):
    """Weights of polynomial averaging, written out: w_i counts c_i (1 - c_{i+1}) (1 - c_{i+2}) ..."""
    c = (power + 1) / (power + T)
    return np.array([c[i] * np.prod(1 - c[i + 1 :]) for i in range(12)])


@pytest.mark.parametrize(
    ("average", "weights"),
    [
        (averages.uniform(), np.ones(12)),
        (averages.uniform(first=5), np.where(T >= 5, 1.0, 0.0)),
        (averages.polynomial(0), np.ones(12)),
        (averages.polynomial(1), T),
        (averages.polynomial(3), rising(3)),
        (averages.exponential(0.7), 0.7 ** (12 - T)),
    ],
)
def test_the_mean_is_the_weighted_mean_of_the_iterates(average, weights):
    trace = minimize(BOWL, average=average, **SETTINGS)
    np.testing.assert_allclose(trace.w, weights @ PLAIN / weights.sum(), rtol=1e-12)
    assert trace.value[-1] == BOWL.value(trace.w)
    assert trace.grad_norm[-1] == np.linalg.norm(BOWL.grad(trace.w))
    np.testing.assert_array_equal(trace.iterates[-1], trace.w)


def test_before_its_first_step_the_mean_is_the_iterate():
    trace = minimize(BOWL, average=averages.uniform(first=12), **SETTINGS)
    np.testing.assert_array_equal(trace.iterates[1:], PLAIN)


def test_the_steps_of_a_full_gradient_do_not_see_the_mean():
    path = minimize(BOWL, learning_rate=0.1, steps=9, iterates=True).iterates[1:]
    for every in (1, 4):
        trace = minimize(BOWL, learning_rate=0.1, steps=9, every=every, average=averages.uniform())
        np.testing.assert_allclose(trace.w, path.mean(0), rtol=1e-13)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="first must be a whole number >= 1, got 0"):
        averages.uniform(first=0)
    with pytest.raises(ValueError, match="power must be a finite number and >= 0, got -1"):
        averages.polynomial(-1)
    for decay in (0, 1):
        with pytest.raises(ValueError, match="decay must be a finite number and > 0 and < 1"):
            averages.exponential(decay)
    with pytest.raises(TypeError, match=r"average must be called: uniform\(\.\.\.\), not just named"):
        minimize(BOWL, average=averages.uniform)
