"""Bounds of the chapter on fewer messages: their values at round numbers, and what they refuse."""

import numpy as np
import pytest

from fo_lib import rates


def test_values():
    assert rates.delay_limit(1) == pytest.approx(1)
    assert rates.delay_best(1) == (0.25, 0.5)
    assert rates.feedback_error(0.75) == pytest.approx(1)
    assert rates.feedback_error(1.0) == 0
    assert rates.local_drift(1, gradient=5.0) == 0
    assert rates.local_drift(2, gradient=2.0) == pytest.approx(2 * np.sqrt(0.5))
    assert rates.local_drift_alike(5, workers=2, variance=4.0) == pytest.approx(2)
    assert rates.local_drift_alike(5, workers=1, variance=4.0) == 0
    bound = rates.gradients_elsewhere([1, 10], gap=3.0, L=2.0, rate=0.5, variance=0.7, distance=4.0)
    np.testing.assert_allclose(bound, [12 + 0.7 + 16, 1.2 + 0.7 + 16])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.delay_limit(-1), "delay"),
        (lambda: rates.delay_best(-1), "delay"),
        (lambda: rates.feedback_error(0.0), "contraction"),
        (lambda: rates.feedback_error(1.1), "contraction"),
        (lambda: rates.local_drift(0, gradient=1.0), "local"),
        (lambda: rates.local_drift(1, gradient=-1.0), "gradient"),
        (lambda: rates.local_drift_alike(1, workers=0, variance=1.0), "workers"),
        (lambda: rates.local_drift_alike(1, workers=1, variance=-1.0), "variance"),
        (lambda: rates.gradients_elsewhere(1, gap=1, L=2, rate=0.51, variance=0, distance=0), "rate"),
        (lambda: rates.gradients_elsewhere(0, gap=1, L=2, rate=0.5, variance=0, distance=0), "k must be >= 1"),
        (lambda: rates.gradients_elsewhere(1, gap=-1, L=2, rate=0.5, variance=0, distance=0), "gap"),
        (lambda: rates.gradients_elsewhere(1, gap=1, L=2, rate=0.5, variance=-1, distance=0), "variance"),
        (lambda: rates.gradients_elsewhere(1, gap=1, L=2, rate=0.5, variance=0, distance=-1), "distance"),
    ],
)
def test_what_the_theorems_exclude_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
