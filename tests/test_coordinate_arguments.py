"""The lasso by coordinate descent: how its runs end, and arguments of every kind."""

import numpy as np
import pytest
import scipy.sparse as sp

from fo_lib import _coordinate_kernels as kernels
from fo_lib import _coordinate_runs as runs
from fo_lib.coordinate import duality_gap, largest_l1, lasso, path
from fo_lib.linear_models import squared_loss, svrg
from tests.test_coordinate_runs import KINDS, MATRIX, X, Y, same


def test_epochs_and_records_are_as_many_as_asked_for():
    run = lasso(X, Y, l1=0.001, tolerance=0.0, epochs=7, every=3)
    assert run.step.tolist() == [0, 3, 6, 7]
    assert (run.reason, run.diverged) == ("steps", False)
    assert run.message == f"made all 7 sweeps, and the gap is {run.gap[-1]:.2g}"
    none = lasso(X, Y, l1=0.001, epochs=0)
    assert (none.step.tolist(), none.w.any()) == ([0], False)
    assert none.value[0] == pytest.approx(np.var(Y) / 2, rel=1e-14)
    names = {"rule": "coordinate descent", "l1": 0.001, "l2": 0.0, "stochastic": False, "L": None}
    assert {**names, "intercept": none.settings["intercept"]} == none.settings


@pytest.mark.parametrize(
    "form", [np.ascontiguousarray, np.asfortranarray, np.float32, list, sp.csr_matrix, sp.coo_array]
)
def test_data_of_every_form_give_the_same_and_are_not_changed(form):
    small = np.round(X, 2).astype(np.float32).astype(float)
    given = small.tolist() if form is list else form(small)
    y = Y.copy()
    same(lasso(given, y, l1=0.1), lasso(small, Y, l1=0.1), 1e-10)
    path(given, y, l1=[0.1])
    assert largest_l1(given, y) == pytest.approx(largest_l1(small, Y), rel=1e-12)
    again = np.array(given if form is list or isinstance(given, np.ndarray) else given.toarray(), float)
    np.testing.assert_array_equal(again, small)
    np.testing.assert_array_equal(y, Y)


@KINDS
def test_a_run_ends_as_diverged_where_numbers_are_no_longer_finite(kind, monkeypatch):
    """With records and weights that are; and a path goes on from these."""
    sound, sweeps = getattr(kernels, f"sweep_{kind}"), []

    def spoiled(data, squares, chosen, l1, l2, w, r):
        sweeps.append(l1)
        steepest = sound(data, squares, chosen, l1, l2, w, r)
        w[0] = np.inf if sweeps[2:] == [l1] else w[0]
        return steepest

    monkeypatch.setattr(kernels, f"sweep_{kind}", spoiled)
    run = lasso(MATRIX[kind], Y, l1=0.01, tolerance=0.0, epochs=9, every=1, compiled=False)
    assert (run.reason, run.diverged, run.step.tolist()) == ("diverged", True, [0, 1, 2])
    assert run.message == "diverged: value, gap or gradient no longer finite at sweep 3"
    assert np.isfinite([*run.value, *run.gap, *run.grad_norm, *run.w, run.settings["intercept"]]).all()
    assert duality_gap(X, Y, run.w, l1=0.01)[0] == pytest.approx(run.value[-1], rel=1e-12)
    monkeypatch.setattr(runs, "COLUMNS", 0)
    sweeps.clear()
    first, second = path(MATRIX[kind], Y, l1=[0.01, 0.01], tolerance=0.0, epochs=3, every=1, compiled=False)
    assert (first.reason, second.reason) == ("diverged", "steps")
    assert second.value[0] == pytest.approx(first.value[-1], rel=1e-12)
    assert second.value[-1] < first.value[-1]


def test_weights_beyond_all_numbers_diverge():
    tiny = X * 1e-158
    run = lasso(tiny, Y, l1=0.1 * largest_l1(tiny, Y), epochs=5, compiled=False)
    assert (run.reason, run.step.tolist(), run.w.any()) == ("diverged", [0], False)


def test_a_start_is_not_changed():
    start = np.ones(12)
    lasso(X, Y, l1=0.1, start=start)
    assert (start == 1).all()


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"l1": 0.0}, ValueError, r"l1 must be a finite number and > 0, got 0.0"),
        ({"l1": "x"}, TypeError, r"l1 must be a finite number and > 0, got 'x'"),
        ({"l2": -1}, ValueError, r"l2 must be a finite number and >= 0, got -1"),
        ({"tolerance": -1}, ValueError, r"tolerance must be a finite number and >= 0, got -1"),
        ({"epochs": -1}, ValueError, r"epochs must be a whole number >= 0, got -1"),
        ({"every": 0}, ValueError, r"every must be a whole number >= 1, got 0"),
        ({"start": np.ones(3)}, ValueError, r"start must be a non-empty array of shape \(12,\), got 'shape \(3,\)'"),
        ({"X": np.ones(5)}, ValueError, r"X must be a non-empty array with 2 dimension"),
        ({"X": np.where(X > 1, np.nan, X)}, ValueError, r"X must hold finite numbers only, got nan at index"),
        ({"X": sp.csr_matrix(np.where(X > 1, np.inf, X))}, ValueError, r"X must hold finite numbers only, got inf"),
        ({"X": X * 1e200}, ValueError, r"X must hold numbers whose squares have a finite sum"),
        ({"X": 0 * X}, ValueError, r"X must be a matrix that is not all zero, got shape \(40, 12\)"),
        ({"X": 0 * sp.csc_matrix(X)}, ValueError, r"X must be a matrix that is not all zero, got shape \(40, 12\)"),
        ({"X": sp.csc_matrix((40, 12))}, ValueError, r"X must be a matrix that is not all zero, got shape \(40, 12\)"),
        ({"start": np.full(12, 1e200)}, ValueError, r"start must be a point where the objective is finite"),
        ({"y": Y * 1e200}, ValueError, r"y must hold numbers whose squares have a finite sum"),
        ({"y": Y[:-1]}, ValueError, r"y must be a non-empty array of shape \(40,\)"),
        ({"y": np.where(Y > 1, np.nan, Y)}, ValueError, r"y must hold finite numbers only, got nan"),
    ],
)
def test_a_bad_argument_is_named(changed, error, message):
    given = {"X": X, "y": Y, "l1": 0.1, **changed}
    with pytest.raises(error, match=message):
        lasso(**given, compiled=False)
    if not changed.keys() & {"l1", "start"}:
        with pytest.raises(error, match=message):
            path(**{**given, "l1": [0.1]}, compiled=False)


@pytest.mark.parametrize(
    ("l1", "message"),
    [(0.1, "l1 must be a non-empty array with 1 dim"), ([0.1, 0.0], "l1 must be a finite number and > 0, got 0.0")],
)
def test_a_bad_level_of_a_path_is_named_before_any_is_solved(l1, message):
    with pytest.raises(ValueError, match=message):
        path(X, Y, l1=l1, compiled=False)


def test_a_wrong_index_is_refused():
    wrong = sp.csc_matrix(X)
    wrong.indices[3] = 40
    with pytest.raises(ValueError, match="X must be a valid CSC matrix: it has indices outside 0 to 39"):
        lasso(wrong, Y, l1=0.1)
    wrong = sp.csc_matrix(X)
    wrong.indptr[-1] += 5
    with pytest.raises(ValueError, match="X must be a valid CSC matrix: its indptr does not fit its data"):
        lasso(wrong, Y, l1=0.1)


def test_what_is_computed_from_bad_numbers_is_refused():
    bad = np.where(X > 1, np.nan, X)
    with pytest.raises(ValueError, match="X must hold finite numbers only, got nan"):
        largest_l1(bad, Y)
    with pytest.raises(ValueError, match="X must hold finite numbers only, got nan"):
        duality_gap(bad, Y, np.zeros(12), l1=1.0)
    with pytest.raises(ValueError, match=r"w must be a non-empty array of shape \(12,\)"):
        duality_gap(X, Y, np.zeros(3), l1=1.0)
    with pytest.raises(ValueError, match="l1 must be a finite number and > 0"):
        duality_gap(X, Y, np.zeros(12), l1=0.0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"w": np.full(12, 1e200)}, "w must be a point where the objective is finite: here it is not"),
        ({"y": Y * 1e200}, "y must hold numbers whose squares have a finite sum"),
        ({"y": Y * 1e200, "w": np.full(12, 1e200)}, "y must hold numbers whose squares have a finite sum"),
        ({"X": X * 1e200}, "X must hold numbers whose squares have a finite sum"),
        ({"X": sp.csc_matrix(X * 1e200)}, "X must hold numbers whose squares have a finite sum"),
    ],
)
def test_what_is_too_large_is_named(changed, message):
    given = {"X": X, "y": Y, "w": np.ones(12), **changed}
    with pytest.raises(ValueError, match=message):
        duality_gap(**given, l1=1.0)
    if "w" not in changed:
        with pytest.raises(ValueError, match=message):
            largest_l1(given["X"] * 1e107, given["y"] * 1e107)


def test_with_l2_alone_almost_it_is_ridge_regression():
    """Against another program of the library, for squares: l1 is next to nothing."""
    run = lasso(X, Y, l1=1e-9, l2=0.5, intercept=False, tolerance=1e-13)
    ridge = svrg(X, Y, loss=squared_loss, l2=0.5, epochs=300, tolerance=1e-10)
    np.testing.assert_allclose(run.w, ridge.w, atol=1e-6)
