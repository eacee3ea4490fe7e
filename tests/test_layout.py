"""Any structure of weights is one flat vector, and back."""

import numpy as np
import pytest

from fo_lib.layout import Layout


def test_flatten_and_unflatten_are_inverse():
    weights = [np.arange(6.0).reshape(2, 3), np.array([7.0]), np.arange(4.0)]
    layout = Layout(weights)
    flat = layout.flatten(weights)
    assert flat.shape == (11,)
    for a, b in zip(weights, layout.unflatten(flat), strict=True):
        np.testing.assert_array_equal(a, b)


def test_unflatten_gives_views_and_flatten_a_copy():
    weights = np.ones((2, 2))
    layout = Layout(weights)
    flat = layout.flatten(weights)
    layout.unflatten(flat)[0, 0] = 5.0
    assert flat[0] == 5.0
    assert weights[0, 0] == 1.0


def test_a_list_of_numbers_is_one_array():
    layout = Layout([1.0, 2.0])
    assert layout.single
    assert layout.shapes == [(2,)]


def test_float32_is_kept():
    assert Layout([np.ones(2, np.float32), np.ones(3, np.float32)]).dtype == np.float32


def test_mixed_dtypes_are_refused():
    with pytest.raises(TypeError, match=r"one dtype, got \['float32', 'float64'\]"):
        Layout([np.ones(2, np.float32), np.ones(2)])


@pytest.mark.parametrize(
    ("weights", "message"),
    [([], "start must be a non-empty array"), ((), "start must be"), ([np.ones(2), [np.nan]], r"start\[1\] must hold")],
)
def test_bad_weights_are_named(weights, message):
    with pytest.raises(ValueError, match=message):
        Layout(weights)


def test_a_wrong_shape_is_named():
    layout = Layout([np.ones((2, 3)), np.ones(3)])
    with pytest.raises(ValueError, match=r"grad\(w\) must have the shape of the weights, \[\(2, 3\), \(3,\)\], got"):
        layout.flatten([np.ones((3, 2)), np.ones(3)])
    with pytest.raises(ValueError, match=r"\(2,\), got \[\(\)\]"):
        Layout(np.ones(2)).flatten(1.0)
