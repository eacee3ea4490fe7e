"""Linear models one sample at a time: how runs end, losses, rates and arguments of every kind."""

import math
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp

from fo_lib import _linear_kernels as kernels
from fo_lib import gradients, learning_rates, linear_models, minimize, problems, sampling
from fo_lib._linear_runs import Rates
from fo_lib.linear_models import hinge_loss, log_loss, saga, sgd, squared_loss, svrg
from tests.linear_data import BOTH, LABELS, MATRIX, TARGETS, WAYS, D, N, X, same

# ---- divergence and other ends


@BOTH
@WAYS
@pytest.mark.parametrize("method", [sgd, saga, svrg])
def test_divergence_is_reported_and_leaves_finite_numbers(kind, compiled, method):
    trace = method(MATRIX[kind], TARGETS, loss=squared_loss, learning_rate=1e3, epochs=60, every=7, compiled=compiled)
    assert trace.diverged
    assert "diverged: value or gradient no longer finite at step" in trace.message
    assert "learning_rate=1000" in trace.message
    for array in (trace.w, trace.value, trace.grad_norm):
        assert np.isfinite(array).all()
    assert trace.value[-1] == pytest.approx(problems.least_squares(X, TARGETS).value(trace.w), rel=1e-9)
    assert trace.step[-1] < 60 * N


def test_divergence_ends_the_run_in_its_epoch_though_no_record_is_due():
    trace = sgd(X, TARGETS, loss=squared_loss, learning_rate=1e3, epochs=60, every=60, compiled=False)
    assert trace.diverged
    np.testing.assert_array_equal(trace.step, [0])
    assert int(trace.message.split(" step ")[1].split(",")[0]) <= 5 * N


def test_a_rise_is_told():
    trace = sgd(X, LABELS, learning_rate=30, epochs=1, compiled=False)
    assert trace.reason == "steps"
    assert trace.message.startswith("made all 40 steps, but the value rose from 0.693 to ")
    assert trace.message.endswith("learning_rate=30")
    assert sgd(X, LABELS, learning_rate=0.1, epochs=1, compiled=False).message == "made all 40 steps"


def test_no_epochs_record_the_start_and_a_stationary_start_ends_the_run():
    trace = sgd(X, LABELS, learning_rate=1, epochs=0, compiled=False)
    np.testing.assert_array_equal(trace.step, [0])
    assert trace.value[0] == pytest.approx(np.log(2), rel=1e-15)
    assert trace.learning_rate[0] == 0
    still = sgd(np.eye(2), [0, 0], loss=squared_loss, learning_rate=1, compiled=False)
    assert still.reason == "tolerance"
    assert len(still.step) == 1
    faint = sgd([[1.0]], [1e-200], loss=squared_loss, learning_rate=0.1, epochs=1, compiled=False)
    assert faint.grad_norm[0] == 0  # of a gradient that is not zero
    assert faint.reason == "steps"


def test_settings_say_what_was_run():
    trace = saga(X, LABELS, l2=0.1, epochs=1, compiled=False)
    assert trace.settings == {"rule": "saga", "loss": "log_loss", "l2": 0.1, "stochastic": True, "L": None}
    assert [m(X, LABELS, learning_rate=1, epochs=0, compiled=False).settings["rule"] for m in (sgd, svrg)] == [
        "sgd",
        "svrg",
    ]


# ---- losses


@pytest.mark.parametrize("p", [-800.0, -3.0, 0.0, 0.5, 40.0, 800.0])
@pytest.mark.parametrize("y", [-1.0, 1.0])
def test_log_loss_is_exact_in_both_tails(p, y):
    value, slope = log_loss(p, y)
    assert value == pytest.approx(np.logaddexp(0, -y * p), rel=1e-15)
    assert slope == pytest.approx(-y * np.exp(-np.logaddexp(0, y * p)), rel=1e-14)


def test_hinge_and_squared_loss():
    assert [hinge_loss(p, -1.0) for p in (-2.0, -1.0, 0.5)] == [(0.0, 0.0), (0.0, 0.0), (1.5, 1.0)]
    assert squared_loss(3.0, 1.0) == (2.0, 2.0)


def quantile_loss(p, y):
    return (0.9 * (y - p), -0.9) if p < y else (0.1 * (p - y), 0.1)


def weight(p):
    return 2.0 * p


def weighted_loss(p, y):
    return weight(p - y) * (p - y) / 2, weight(p - y)


@BOTH
def test_a_loss_of_ones_own_is_compiled(kind):
    for loss in (quantile_loss, weighted_loss):
        found = [
            sgd(MATRIX[kind], TARGETS, loss=loss, learning_rate=0.01, epochs=2, compiled=way) for way in (False, True)
        ]
        same(*found)
    doubled = sgd(MATRIX[kind], TARGETS, loss=weighted_loss, learning_rate=0.01, epochs=2)
    same(doubled, minimize(
        problems.least_squares(np.sqrt(2) * X, np.sqrt(2) * TARGETS), learning_rate=0.01,
        gradient=gradients.mini_batch(1), steps=80, every=N,
    ))  # fmt: skip


def test_a_changed_helper_of_a_loss_is_compiled_anew(monkeypatch):
    before = sgd(X, TARGETS, loss=weighted_loss, learning_rate=0.01, epochs=1)
    monkeypatch.setitem(globals(), "weight", lambda p: 3.0 * p)
    after = sgd(X, TARGETS, loss=weighted_loss, learning_rate=0.01, epochs=1)
    assert after.value[0] == pytest.approx(1.5 * before.value[0])
    same(after, sgd(X, TARGETS, loss=weighted_loss, learning_rate=0.01, epochs=1, compiled=False))


def test_a_loss_that_cannot_be_compiled_safely_is_refused_but_runs_plain():
    scale = 2.0

    def scaled(p, y):
        return scale * (p - y) ** 2, 2 * scale * (p - y)

    with pytest.raises(TypeError, match="loss must be plain, or else pass compiled=False: 'scaled' cannot be compiled"):
        sgd(X, TARGETS, loss=scaled, learning_rate=0.01)
    assert sgd(X, TARGETS, loss=scaled, learning_rate=0.01, epochs=1, compiled=False).reason == "steps"


# ---- learning rates


def scalar_calls(schedule):
    calls = []

    def counted(t):
        if np.ndim(t) == 0:
            calls.append(t)
        return schedule(t)

    return counted, calls


def test_a_schedule_of_arithmetic_is_called_with_arrays():
    schedule = learning_rates.inverse(0.3, 0.01, 0.6)
    counted, calls = scalar_calls(schedule)
    rates = Rates(counted)(1001, 500)
    assert len(calls) < 20
    np.testing.assert_allclose(rates, [schedule(t) for t in range(1001, 1501)], rtol=1e-14)


@pytest.mark.parametrize(
    "schedule",
    [
        learning_rates.cosine(0.1, 2000),
        learning_rates.inverse_sqrt(0.1, 20),
        lambda t: 0.1 if t < 1200 else 0.01,
        lambda t: 0.1,
        lambda t: [0.1, 0.2][t % 2],
        lambda t: t / np.max(t) / 7 + (0.1 if np.ndim(t) == 0 else 0.0),
        lambda t: np.float32(0.1) * np.ones_like(t, np.float32)[()],
        lambda t: 1 / t**12,
        lambda t: 0.1 / (1 + t // 1000) if np.ndim(t) == 0 else -0.1 / t,
    ],
)
def test_any_other_schedule_is_called_step_by_step_or_right_all_the_same(schedule):
    np.testing.assert_allclose(Rates(schedule)(1001, 500), [schedule(t) for t in range(1001, 1501)], rtol=1e-13)
    np.testing.assert_allclose(Rates(schedule)(1001, 1), [schedule(1001)], rtol=1e-13)


def test_a_schedule_that_errs_is_named_with_its_step():
    with pytest.raises(ValueError, match=r"learning_rate\(41\) must be a finite number and > 0, got 0"):
        sgd(X, LABELS, learning_rate=lambda t: 1 - t // 41, compiled=False)
    with pytest.raises(ValueError, match="t must be a step from 1 to 50"):
        sgd(X, LABELS, learning_rate=learning_rates.cosine(0.1, 50), compiled=False)


# ---- arguments


def broken(**parts):
    matrix = sp.csr_matrix(X)
    for name, change in parts.items():
        array = getattr(matrix, name).copy()
        change(array)
        setattr(matrix, name, array)
    return matrix


def put(k, value):
    return lambda array: array.__setitem__(k, value)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"X": X[0]}, ValueError, r"X must be a non-empty array with 2 dimension"),
        ({"X": np.zeros((0, 3))}, ValueError, "X must be a non-empty array"),
        ({"X": X.astype(complex)}, TypeError, "X must be an array of real numbers"),
        ({"X": sp.csr_matrix(X.astype(complex))}, TypeError, "X must be an array of real numbers"),
        ({"X": sp.coo_array(X[0])}, ValueError, r"X must be a matrix that is not all zero, got shape \(7,\)"),
        ({"X": sp.csr_matrix((N, D))}, ValueError, "X must be a matrix that is not all zero, got shape .* with 0"),
        ({"X": np.where(X == X[5, 2], np.nan, X)}, ValueError, r"X must hold finite numbers only, got nan at index"),
        ({"X": broken(data=put(4, np.inf))}, ValueError, r"X must hold finite numbers only, got inf at index \(4,\)"),
        ({"X": broken(indices=put(4, D))}, ValueError, "valid CSR matrix: it has indices outside 0 to 6"),
        ({"X": broken(indices=put(4, -1))}, ValueError, "valid CSR matrix: it has indices outside 0 to 6"),
        ({"X": broken(indptr=put(-1, 10**6))}, ValueError, "valid CSR matrix: its indptr does not fit"),
        ({"X": broken(indptr=put(0, 1))}, ValueError, "valid CSR matrix: its indptr does not fit"),
        ({"X": broken(indptr=put(1, 99))}, ValueError, "valid CSR matrix: its indptr does not fit"),
        ({"y": LABELS[1:]}, ValueError, r"y must be a non-empty array of shape \(40,\)"),
        ({"y": np.where(TARGETS > 1, 2, LABELS)}, ValueError, "y must hold the labels -1 and 1, or 0 and 1, got"),
        ({"y": np.where(TARGETS > 1, 0, LABELS)}, ValueError, "y must hold the labels -1 and 1, or 0 and 1, got"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be a finite number and > 0"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate must be a finite number"),
        ({"l2": -1}, ValueError, "l2 must be a finite number and >= 0"),
        ({"average": 0}, ValueError, "average must be a whole number >= 1"),
        ({"epochs": -1}, ValueError, "epochs must be a whole number >= 0"),
        ({"every": 0}, ValueError, "every must be a whole number >= 1"),
        ({"seed": -1}, ValueError, "seed must be a whole number >= 0"),
        ({"tolerance": -1}, ValueError, "tolerance must be a finite number and >= 0"),
        ({"order": 3}, TypeError, "order must be a function"),
        ({"order": lambda n, seed, epoch: np.arange(n) + 1}, ValueError, "order must return 40 integers from 0 to 39"),
        ({"start": np.ones(3)}, ValueError, r"start must be a non-empty array of shape \(7,\)"),
        ({"start": np.full(D, 1e300), "l2": 1.0}, ValueError, "start must be a point where value and gradient are"),
        ({"loss": 3}, TypeError, "loss must be a function"),
        ({"loss": lambda p, y: p - y}, TypeError, r"loss must return \(value, slope\), got "),
        ({"loss": lambda p, y: (p, np.nan)}, ValueError, r"slope of loss\(0.0, -?1\) must be a finite number"),
    ],
)
def test_bad_arguments_are_named(changed, error, message):
    given = {"X": X, "y": LABELS, "learning_rate": 0.1, "compiled": False, **changed}
    with pytest.raises(error, match=message):
        sgd(given.pop("X"), given.pop("y"), **given)


def test_inner_is_a_number_of_steps():
    with pytest.raises(ValueError, match="inner must be a whole number >= 1, got 0"):
        svrg(X, LABELS, inner=0)


# ---- what the compiled loops rest on


@pytest.mark.parametrize("name", ["sgd_dense", "sgd_sparse", "corrected_dense", "corrected_sparse"])
def test_every_loop_over_rows_in_random_order_asks_for_them_ahead(name):
    assert {"prefetch", "touch"} <= set(getattr(kernels, name).__code__.co_names)


def test_nothing_large_is_imported_for_a_plain_run():
    code = (
        "import sys, numpy as np; from fo_lib import linear_models as m; "
        "m.sgd(np.eye(2), [1, -1], learning_rate=1, epochs=1, compiled=False); "
        "heavy = {'numba', 'scipy', 'sklearn'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_are_public():
    assert linear_models.__all__ == ["hinge_loss", "log_loss", "saga", "sgd", "squared_loss", "svrg"]
    assert math.isclose(log_loss(0.0, 1.0)[0], math.log(2))


def test_weights_that_float32_cannot_hold_are_a_divergence():
    rng = np.random.default_rng(0)
    data, targets = (10 * rng.standard_normal((20, 3))).astype(np.float32), rng.standard_normal(20)
    trace = sgd(data, targets, loss=squared_loss, learning_rate=0.012, epochs=40)
    assert trace.diverged
    assert trace.message == "diverged: weights beyond the numbers of float32, that of X"
    assert np.isfinite(trace.w).all()


def test_an_order_that_was_not_made_is_refused():
    with pytest.raises(TypeError, match="order must be called: in_blocks"):
        sgd(X, LABELS, learning_rate=0.1, order=sampling.in_blocks)
