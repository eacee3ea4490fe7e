"""Bounds of mirror descent are their formulas, take arrays, and refuse what their theorems do not cover."""

import numpy as np
import pytest

from fo_lib import rates

K = np.array([1, 2, 10])


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (rates.mirror_descent_regret([3.0, 4.0], divergence=2.0, learning_rate=0.5), 4 + 25 / 4),
        (rates.mirror_descent_regret([3.0, 4.0], divergence=2.0, sigma=0.5, learning_rate=0.5), 4 + 25 / 2),
        (rates.mirror_descent_regret([3.0, 4.0], divergence=2.0), 10),
        (rates.mirror_descent_regret([3.0, 4.0], divergence=2.0, sigma=0.25), 20),
        (rates.experts_regret(K, d=7), np.sqrt(2 * K * np.log(7))),
        (rates.experts_regret(K, d=7, width=1.0), np.sqrt(K * np.log(7) / 2)),
        (rates.relative_smoothness(K, L=3.0, divergence=2.0), [6, 3, 0.6]),
        (rates.mixture_em([0, 1, 9], divergence=2.0), [2, 1, 0.2]),
    ],
)
def test_values_by_hand(bound, expected):
    np.testing.assert_allclose(bound, expected, rtol=1e-14)


def test_the_best_rate_is_the_default():
    rate = np.sqrt(2 * 0.5 * 2.0 / 25)
    best = rates.mirror_descent_regret([3.0, 4.0], divergence=2.0, sigma=0.5)
    for factor, larger in ((1, 0), (0.9, 0.005), (1.1, 0.004)):
        at = rates.mirror_descent_regret([3.0, 4.0], divergence=2.0, sigma=0.5, learning_rate=factor * rate)
        assert at >= best * (1 + larger) * (1 - 1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.mirror_descent_regret([-1.0], divergence=1), "dual_norms must be >= 0 in every entry, got -1"),
        (lambda: rates.mirror_descent_regret([1.0], divergence=-1), "divergence must be"),
        (lambda: rates.mirror_descent_regret([1.0], divergence=1, sigma=0), "sigma must be"),
        (lambda: rates.mirror_descent_regret([1.0], divergence=1, learning_rate=0), "learning_rate must be"),
        (lambda: rates.experts_regret(-1, d=2), "T must be >= 0, got -1"),
        (lambda: rates.experts_regret(1, d=1), "d must be a whole number >= 2, got 1"),
        (lambda: rates.experts_regret(1, d=2, width=0), "width must be"),
        (lambda: rates.relative_smoothness(0, L=1, divergence=1), "k must be >= 1, got 0"),
        (lambda: rates.relative_smoothness(1, L=0, divergence=1), "L must be"),
        (lambda: rates.relative_smoothness(1, L=1, divergence=-1), "divergence must be"),
        (lambda: rates.mixture_em(-1, divergence=1), "k must be >= 0, got -1"),
        (lambda: rates.mixture_em(1, divergence=-1), "divergence must be"),
    ],
)
def test_outside_the_assumptions(call, message):
    with pytest.raises(ValueError, match=message):
        call()
