"""Bounds are their formulas, take arrays of steps, and refuse what their theorems do not cover."""

import numpy as np
import pytest

from fo_lib import rates

K = np.array([1, 2, 10])


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (rates.gradient_descent_convex(K, L=3.0, R=2.0), [12 / 6, 12 / 10, 12 / 42]),
        (rates.gradient_descent_convex_textbook(K, L=3.0, R=2.0), [24 / 5, 24 / 6, 24 / 14]),
        (rates.gradient_descent_strongly_convex(K, L=4.0, mu=1.0, learning_rate=0.4), [0.6, 0.36, 0.6**10]),
        (rates.gradient_descent_strongly_convex(K, L=4.0, mu=1.0, learning_rate=0.25), [0.75, 0.75**2, 0.75**10]),
        (rates.gradient_descent_pl(K, L=4.0, mu=1.0, gap=2.0), [1.5, 1.125, 2 * 0.75**10]),
        (rates.gradient_descent_nonconvex(K, L=4.0, gap=0.5), [4, 2, 0.4]),
        (rates.exact_line_search(K, L=3.0, mu=1.0, gap=2.0), [0.5, 0.125, 2 * 0.25**10]),
        (rates.armijo(K, L=4.0, gap=0.5, first=1.0, decrease=0.2), [12.5, 6.25, 1.25]),
        (rates.armijo(K, L=4.0, gap=0.5, first=0.1, shrink=0.9, decrease=0.5), [10, 5, 1]),
        (rates.polyak_step(K, L=3.0, R=2.0), [8, 4, 0.8]),
        (rates.mini_batch_variance(K, n=10, variance=9.0), [9, 4.5 * 8 / 9, 0]),
    ],
)
def test_values_by_hand(bound, expected):
    np.testing.assert_allclose(bound, expected, rtol=1e-14)


def test_the_textbook_bound_is_never_below_the_tight_one():
    k = np.arange(100)
    assert np.all(rates.gradient_descent_convex(k, L=1, R=1) <= rates.gradient_descent_convex_textbook(k, L=1, R=1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.gradient_descent_convex(-1, L=1, R=1), "k must be >= 0, got -1"),
        (lambda: rates.gradient_descent_convex(1, L=0, R=1), "L must be a finite number and > 0, got 0"),
        (lambda: rates.gradient_descent_convex(1, L=1, R=-1), "R must be a finite number and >= 0, got -1"),
        (lambda: rates.gradient_descent_strongly_convex(1, L=1, mu=2, learning_rate=1), "mu must be .* <= 1, got 2"),
        (lambda: rates.gradient_descent_strongly_convex(1, L=1, mu=1, learning_rate=2.1), "rate must be .* <= 2"),
        (lambda: rates.gradient_descent_pl(1, L=1, mu=0, gap=1), "mu must be a finite number and > 0 and <= 1, got 0"),
        (lambda: rates.gradient_descent_pl(1, L=1, mu=1, gap=-1), "gap must be a finite number and >= 0, got -1"),
        (lambda: rates.gradient_descent_nonconvex(0, L=1, gap=1), "k must be >= 1, got 0"),
        (lambda: rates.gradient_descent_nonconvex(1, L=1, gap=-1), "gap must be"),
        (lambda: rates.exact_line_search(1, L=1, mu=0.5, gap=np.nan), "gap must be a finite number and >= 0, got nan"),
        (lambda: rates.armijo(0, L=1, gap=1, first=1), "k must be >= 1, got 0"),
        (lambda: rates.armijo(1, L=0, gap=1, first=1), "L must be"),
        (lambda: rates.armijo(1, L=1, gap=-1, first=1), "gap must be"),
        (lambda: rates.armijo(1, L=1, gap=1, first=0), "first must be"),
        (lambda: rates.armijo(1, L=1, gap=1, first=1, shrink=1), "shrink must be"),
        (lambda: rates.armijo(1, L=1, gap=1, first=1, decrease=1), "decrease must be"),
        (lambda: rates.polyak_step(0, L=1, R=1), "k must be >= 1, got 0"),
        (lambda: rates.polyak_step(1, L=-1, R=1), "L must be"),
        (lambda: rates.polyak_step(1, L=1, R=-1), "R must be"),
        (lambda: rates.mini_batch_variance(0, n=5, variance=1), "b must be from 1 to n = 5, got 0"),
        (lambda: rates.mini_batch_variance(6, n=5, variance=1), "b must be from 1 to n = 5, got 6"),
        (lambda: rates.mini_batch_variance(1, n=1, variance=1), "n must be a whole number >= 2, got 1"),
        (lambda: rates.mini_batch_variance(1, n=5, variance=-1), "variance must be a finite number and >= 0, got -1"),
    ],
)
def test_what_a_theorem_does_not_cover_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
