"""Every refusal names the argument, what was given and what is allowed."""

from pathlib import Path

import numpy as np
import pytest

from fo_lib import checks


@pytest.mark.parametrize("value", [1, 1.5, np.float32(2), np.int64(3), np.array(0.5)])
def test_numbers_of_every_kind_are_accepted(value):
    assert checks.number("x", value) == float(value)
    assert type(checks.number("x", value)) is float


@pytest.mark.parametrize("value", [None, "1", True, np.bool_(False), [1.0], np.ones(1), np.ones(2), 1j])
def test_what_is_no_number_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"^rate must be a finite number, got"):
        checks.number("rate", value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0, -1, 1, 2])
def test_numbers_outside_the_limits_are_a_value_error(value):
    with pytest.raises(ValueError, match=r"rate must be a finite number and > 0 and < 1, got"):
        checks.number("rate", value, above=0, below=1)


def test_closed_limits_include_their_ends():
    assert checks.number("x", 0, at_least=0, at_most=1) == 0
    assert checks.number("x", 1, at_least=0, at_most=1) == 1
    for value in (-1e-9, 1 + 1e-9):
        with pytest.raises(ValueError, match=">= 0 and <= 1"):
            checks.number("x", value, at_least=0, at_most=1)


@pytest.mark.parametrize("value", [1.0, "2", None, True, np.bool_(True)])
def test_what_is_no_whole_number_is_a_type_error(value):
    with pytest.raises(TypeError, match="steps must be a whole number >= 1, got"):
        checks.count("steps", value)


def test_counts_have_limits_and_a_reason():
    assert checks.count("size", np.int32(3), at_most=3) == 3
    with pytest.raises(ValueError, match="whole number >= 1, got 0"):
        checks.count("size", 0)
    with pytest.raises(ValueError, match=r"<= 3 \(the number of samples\), got 4"):
        checks.count("size", 4, at_most=3, why="the number of samples")


@pytest.mark.parametrize("value", [3, True, b"here", ["here"], 1.5, None])
def test_what_is_no_path_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"^folder must be a path, got"):
        checks.path("folder", value)
    with pytest.raises(ValueError, match=r"^folder must be a path, '.' for this folder, got ''"):
        checks.path("folder", "")
    assert checks.path("folder", "here") == checks.path("folder", Path("here")) == Path("here")


def test_only_functions_can_be_called():
    checks.function("f", len)
    with pytest.raises(TypeError, match="f must be a function, got 3"):
        checks.function("f", 3)


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        ([1, 2], "float64"),
        ([True, False], "float64"),
        (np.ones(2, np.float32), "float32"),
        (np.ones(2, np.float16), "float64"),
    ],
)
def test_arrays_become_floating_point_and_keep_float32(given, dtype):
    assert checks.array("X", given).dtype == dtype


@pytest.mark.parametrize("value", [["a"], [1j], [None], np.array(["2020"], "datetime64[Y]")])
def test_arrays_of_other_things_are_a_type_error(value):
    with pytest.raises(TypeError, match="X must be an array of real numbers, got"):
        checks.array("X", value)


@pytest.mark.parametrize("value", [[], np.ones((2, 0)), [1.0], np.ones((2, 2, 2))])
def test_wrong_shapes_are_named(value):
    with pytest.raises(ValueError, match=r"X must be a non-empty array with 2 dimension\(s\), got 'shape"):
        checks.array("X", value, ndim=2)
    with pytest.raises(ValueError, match=r"X must be a non-empty array of shape \(2, 3\)"):
        checks.array("X", value, shape=(2, 3))


def test_ragged_rows_are_named():
    with pytest.raises(ValueError, match="all rows of one length"):
        checks.array("X", [[1, 2], [3]])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_first_number_that_is_not_finite_is_named(bad):
    X = np.zeros((3, 2))
    X[1, 0] = X[2, 1] = bad
    with pytest.raises(ValueError, match=rf"X must hold finite numbers only, got {bad} at index \(1, 0\) \(2 of 6"):
        checks.array("X", X)


def test_labels_are_whole_and_allowed():
    assert checks.labels("y", [0.0, 2.0], n=2).dtype == np.int64
    with pytest.raises(TypeError, match=r"y must be whole numbers, got .*0\.5"):
        checks.labels("y", [0, 0.5], n=2)
    with pytest.raises(ValueError, match=r"y must be one of \[0, 1\] in every entry, got 2"):
        checks.labels("y", [0, 2], n=2, allowed=[0, 1])
    with pytest.raises(ValueError, match=r"y must be 0, 1, 2, \.\.\. in every entry, got -1"):
        checks.labels("y", [0, -1], n=2)
    with pytest.raises(ValueError, match=r"y must be a non-empty array of shape \(3,\)"):
        checks.labels("y", [0, 1], n=3)
