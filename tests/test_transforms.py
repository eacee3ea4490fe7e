"""Clipping: what it bounds, what it keeps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fo_lib import transforms

VECTORS = arrays(float, 4, elements=st.floats(-1e6, 1e6, allow_subnormal=False))


@given(VECTORS, st.floats(1e-3, 1e3))
def test_clip_norm_keeps_the_direction_and_bounds_the_norm(g, limit):
    clipped, norm = transforms.clip_norm(limit)(g), np.linalg.norm(g)
    np.testing.assert_allclose(np.linalg.norm(clipped), min(norm, limit), rtol=1e-12)
    np.testing.assert_allclose(clipped * norm, g * np.linalg.norm(clipped), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("size", "dtype"), [(1e200, np.float64), (1e30, np.float32), (1e-200, np.float64)])
def test_clip_norm_survives_squares_that_overflow_or_underflow(size, dtype):
    clipped = transforms.clip_norm(size / 2)(np.array([0.6 * size, 0.8 * size], dtype))
    np.testing.assert_allclose(clipped / size, [0.3, 0.4], rtol=1e-6)
    assert not transforms.clip_norm(1.0)(np.zeros(2)).any()


def test_clip_norm_leaves_a_short_gradient_as_it_is():
    g = np.array([3.0, 4.0])
    assert transforms.clip_norm(5.0)(g) is g


@given(VECTORS, st.floats(1e-3, 1e3))
def test_clip_value_bounds_every_entry_and_changes_no_other(g, limit):
    clipped = transforms.clip_value(limit)(g)
    assert np.abs(clipped).max() <= limit
    np.testing.assert_array_equal(clipped[np.abs(g) <= limit], g[np.abs(g) <= limit])
    np.testing.assert_array_equal(np.sign(clipped), np.sign(g))


@pytest.mark.parametrize("make", [transforms.clip_norm, transforms.clip_value])
def test_bad_limits_are_named(make):
    with pytest.raises(ValueError, match="limit must be a finite number and > 0, got 0"):
        make(0)
    with pytest.raises(TypeError, match="limit must be a finite number and > 0, got None"):
        make(None)
