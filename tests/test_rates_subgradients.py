"""Bounds of the subgradient methods are their formulas, take arrays, and refuse what their theorems do not cover."""

import numpy as np
import pytest

from fo_lib import rates

K = np.array([1, 2, 10])


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (rates.subgradient_steps([1.0, 0.5], G=2.0, R=3.0), [13 / 2, 14 / 3]),
        (rates.subgradient_best(K, G=2.0, R=3.0), [6, 6 / np.sqrt(2), 6 / np.sqrt(10)]),
        (rates.subgradient_strongly_convex(K, G=3.0, mu=2.0), [4.5, 3, 9 / 11]),
        (rates.subgradient_strongly_convex_uniform([1, 10], G=2.0, mu=0.5), [4, 0.4 * (1 + np.log(10))]),
        (rates.polyak_sharp([0, 1, 4], G=5.0, sharpness=3.0), [1, 0.8, 0.8**4]),
    ],
)
def test_values_by_hand(bound, expected):
    np.testing.assert_allclose(bound, expected, rtol=1e-14)


def test_the_constant_rate_of_the_theorem_turns_one_bound_into_the_other():
    k, G, R = 50, 3.0, 2.0
    bound = rates.subgradient_steps(np.full(k, R / (G * np.sqrt(k))), G=G, R=R)
    assert bound[-1] == pytest.approx(rates.subgradient_best(k, G=G, R=R))


def test_rates_in_single_precision_are_summed_in_double():
    alphas = np.full(100_000, 0.1, np.float32)
    bound = rates.subgradient_steps(alphas, G=1.0, R=1.0)
    np.testing.assert_allclose(bound, rates.subgradient_steps(alphas.astype(float), G=1.0, R=1.0), rtol=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.subgradient_steps([1, 0], G=1, R=1), "learning_rates must be > 0 in every entry, got 0"),
        (lambda: rates.subgradient_steps([1], G=0, R=1), "G must be a finite number and > 0, got 0"),
        (lambda: rates.subgradient_steps([1], G=1, R=-1), "R must be a finite number and >= 0, got -1"),
        (lambda: rates.subgradient_best(0, G=1, R=1), "k must be >= 1, got 0"),
        (lambda: rates.subgradient_best(1, G=-1, R=1), "G must be"),
        (lambda: rates.subgradient_best(1, G=1, R=-1), "R must be"),
        (lambda: rates.subgradient_strongly_convex(0, G=1, mu=1), "k must be >= 1, got 0"),
        (lambda: rates.subgradient_strongly_convex(1, G=0, mu=1), "G must be"),
        (lambda: rates.subgradient_strongly_convex(1, G=1, mu=0), "mu must be"),
        (lambda: rates.subgradient_strongly_convex_uniform(0, G=1, mu=1), "k must be >= 1, got 0"),
        (lambda: rates.subgradient_strongly_convex_uniform(1, G=0, mu=1), "G must be"),
        (lambda: rates.subgradient_strongly_convex_uniform(1, G=1, mu=0), "mu must be"),
        (lambda: rates.polyak_sharp(-1, G=1, sharpness=1), "k must be >= 0, got -1"),
        (lambda: rates.polyak_sharp(1, G=0, sharpness=1), "G must be"),
        (lambda: rates.polyak_sharp(1, G=1, sharpness=1.1), "sharpness must be a finite number and > 0 and <= 1"),
    ],
)
def test_what_a_theorem_does_not_cover_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
