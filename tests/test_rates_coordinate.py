"""Bounds of coordinate, dual and primal-dual methods are their formulas, take arrays, and refuse what is not covered."""

import numpy as np
import pytest

from fo_lib import rates

K = np.array([1, 2, 10])


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (rates.coordinate_descent(K, mu=1.0, L_sum=4.0), 0.75**K),
        (rates.coordinate_descent(0, mu=1.0, L_sum=4.0), 1),
        (rates.coordinate_descent_convex([0, 3, 9], d=3, R=2.0, gap=4.0), [6, 3, 1.5]),
        (rates.dual_coordinate_ascent(K, n=10, l2=0.1, square=3.0), 0.975**K),
        (rates.dual_coordinate_ascent(K, n=10, l2=0.1, square=2.0, gamma=2.0), 0.95**K),
        (rates.saddle_point_gap(K, squared_distance=6.0), [3, 1.5, 0.3]),
        (rates.consensus([1.0, 2.0, 8.0], mu=1.0, L=4.0), [4 / 5, 2 / 3, 8 / 9]),
    ],
)
def test_values_by_hand(bound, expected):
    np.testing.assert_allclose(bound, expected, rtol=1e-14)


def test_the_best_penalty_is_the_geometric_mean():
    around = 2.0 * np.geomspace(0.25, 4, 41)
    at = rates.consensus(around, mu=1.0, L=4.0)
    assert np.argmin(at) == 20
    assert at[20] == pytest.approx(2 / 3)  # sqrt(kappa) / (sqrt(kappa) + 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.coordinate_descent(-1, mu=1, L_sum=2), "k must be >= 0, got -1"),
        (lambda: rates.coordinate_descent(1, mu=3, L_sum=2), "mu must be"),
        (lambda: rates.coordinate_descent(1, mu=1, L_sum=0), "L_sum must be"),
        (lambda: rates.coordinate_descent_convex(-1, d=2, R=1, gap=1), "k must be >= 0, got -1"),
        (lambda: rates.coordinate_descent_convex(1, d=0, R=1, gap=1), "d must be"),
        (lambda: rates.coordinate_descent_convex(1, d=2, R=-1, gap=1), "R must be"),
        (lambda: rates.coordinate_descent_convex(1, d=2, R=1, gap=-1), "gap must be"),
        (lambda: rates.dual_coordinate_ascent(-1, n=2, l2=1, square=1), "t must be >= 0, got -1"),
        (lambda: rates.dual_coordinate_ascent(1, n=0, l2=1, square=1), "n must be"),
        (lambda: rates.dual_coordinate_ascent(1, n=2, l2=0, square=1), "l2 must be"),
        (lambda: rates.dual_coordinate_ascent(1, n=2, l2=1, square=0), "square must be"),
        (lambda: rates.dual_coordinate_ascent(1, n=2, l2=1, square=1, gamma=0), "gamma must be"),
        (lambda: rates.saddle_point_gap(0, squared_distance=1), "k must be >= 1, got 0"),
        (lambda: rates.saddle_point_gap(1, squared_distance=-1), "squared_distance must be"),
        (lambda: rates.consensus(0.0, mu=1, L=2), "penalty must be > 0 in every entry, got 0"),
        (lambda: rates.consensus(1.0, mu=3, L=2), "mu must be"),
    ],
)
def test_outside_the_assumptions(call, message):
    with pytest.raises(ValueError, match=message):
        call()
