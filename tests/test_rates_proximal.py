"""The bounds of the chapter on proximal methods, by hand, and what they refuse."""

import numpy as np
import pytest

from fo_lib import rates


def test_bounds_by_hand():
    np.testing.assert_allclose(rates.proximal_gradient([1, 3], L=2, R=3), [4.5, 1.5])
    np.testing.assert_allclose(rates.proximal_gradient_slope([1, 3], L=2, R=3), [6, 2])
    found = rates.proximal_gradient_strongly_convex([0, 2], L=4, mu=1, learning_rate=0.25, nu=2)
    np.testing.assert_allclose(found, [1, 0.25])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.proximal_gradient(0, L=1, R=1), "k must be >= 1, got 0"),
        (lambda: rates.proximal_gradient(1, L=0, R=1), "L must be"),
        (lambda: rates.proximal_gradient(1, L=1, R=-1), "R must be"),
        (lambda: rates.proximal_gradient_slope(0, L=1, R=1), "k must be >= 1, got 0"),
        (lambda: rates.proximal_gradient_slope(1, L=0, R=1), "L must be"),
        (lambda: rates.proximal_gradient_slope(1, L=1, R=-1), "R must be"),
        (lambda: rates.proximal_gradient_strongly_convex(1, L=0, mu=0, learning_rate=1), "L must be"),
        (lambda: rates.proximal_gradient_strongly_convex(1, L=1, mu=2, learning_rate=1), "mu must be"),
        (lambda: rates.proximal_gradient_strongly_convex(1, L=1, mu=-1, learning_rate=1), "mu must be"),
        (lambda: rates.proximal_gradient_strongly_convex(1, L=1, mu=1, learning_rate=2.1), "learning_rate must be"),
        (lambda: rates.proximal_gradient_strongly_convex(1, L=1, mu=1, learning_rate=0), "learning_rate must be"),
        (lambda: rates.proximal_gradient_strongly_convex(1, L=1, mu=1, learning_rate=1, nu=-1), "nu must be"),
    ],
)
def test_bounds_refuse_what_their_theorems_do_not_cover(call, message):
    with pytest.raises(ValueError, match=message):
        call()
