"""Linear models one sample at a time: the iterates of the book's loop, compiled or not, dense or sparse."""

import math
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp

from fo_lib import _linear_kernels as kernels
from fo_lib import averages, gradients, learning_rates, linear_models, minimize, problems, sampling
from fo_lib._linear_runs import Rates
from fo_lib.linear_models import hinge_loss, log_loss, saga, sgd, squared_loss, svrg

N, D = 40, 7
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, D)) * (RNG.random((N, D)) < 0.5)
X[[3, -1]] = 0.0  # rows without an entry, inside and at the end
LABELS = np.where(RNG.random(N) < 0.5, 1, -1)
TARGETS = RNG.standard_normal(N)
MATRIX = {"dense": X, "sparse": sp.csr_matrix(X)}
LOSSES = {"log": (log_loss, problems.logistic, LABELS), "squared": (squared_loss, problems.least_squares, TARGETS)}

BOTH = pytest.mark.parametrize("kind", MATRIX)
WAYS = pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
SMOOTH = pytest.mark.parametrize("name", LOSSES)


def ridge_descent(w, g, learning_rate=0.1, weight_decay=0.0):
    return w - learning_rate * (g + weight_decay * w)


def same(ours, books, tight=1e-12):
    """All that a trace holds of the path is the same to rounding."""
    np.testing.assert_array_equal(ours.step, books.step)
    scale = np.abs(books.w).max()
    np.testing.assert_allclose(ours.w, books.w, rtol=tight, atol=tight * scale)
    np.testing.assert_allclose(ours.learning_rate, books.learning_rate, rtol=1e-14)
    np.testing.assert_allclose(ours.value, books.value, rtol=tight)
    np.testing.assert_allclose(ours.grad_norm, books.grad_norm, rtol=tight * 100)


# ---- the same iterates as minimize


@BOTH
@WAYS
@SMOOTH
@pytest.mark.parametrize("average", [None, 1, 50, 3 * N, 3 * N + 1])
def test_sgd_is_minimize_with_single_samples(kind, compiled, name, average):
    loss, problem, y = LOSSES[name]
    rate = learning_rates.inverse(0.3, 0.05, 0.75)
    ours = sgd(
        MATRIX[kind], y, loss=loss, l2=0.1, learning_rate=rate, average=average, epochs=3, seed=3, compiled=compiled
    )
    mean = None if average is None else averages.uniform(average)
    books = minimize(
        problem(X, y, l2=0.1), learning_rate=rate, gradient=gradients.mini_batch(1), average=mean, steps=3 * N, every=N,
        seed=3,
    )  # fmt: skip
    same(ours, books)


@BOTH
@WAYS
@SMOOTH
@pytest.mark.parametrize("inner", [None, 1, 3, 33, 3 * N])
def test_svrg_is_minimize_with_svrg(kind, compiled, name, inner):
    loss, problem, y = LOSSES[name]
    ours = svrg(MATRIX[kind], y, loss=loss, l2=0.1, learning_rate=0.1, inner=inner, epochs=3, seed=3, compiled=compiled)
    books = minimize(
        problem(X, y, l2=0.1), learning_rate=0.1, gradient=gradients.svrg(inner), steps=3 * N, every=N, seed=3
    )
    same(ours, books)


@BOTH
@WAYS
@SMOOTH
@pytest.mark.parametrize("order", [None, sampling.reshuffled])
def test_saga_is_minimize_with_saga(kind, compiled, name, order):
    loss, problem, y = LOSSES[name]
    slot = gradients.saga() if order is None else gradients.saga(order)
    given = {} if order is None else {"order": order}
    settings = {"learning_rate": 0.1, "seed": 3}
    ours = saga(MATRIX[kind], y, loss=loss, epochs=3, compiled=compiled, **given, **settings)
    same(ours, minimize(problem(X, y), gradient=slot, steps=3 * N, every=N, **settings))


@BOTH
@WAYS
@SMOOTH
def test_saga_takes_the_regularizer_as_it_is(kind, compiled, name):
    """With l2 it is the book's loop on the losses alone, the rule shrinking the weights."""
    loss, problem, y = LOSSES[name]
    ours = saga(MATRIX[kind], y, loss=loss, l2=0.1, learning_rate=0.1, epochs=3, seed=3, compiled=compiled)
    settings = {"learning_rate": 0.1, "gradient": gradients.saga(), "steps": 3 * N, "seed": 3}
    books = minimize(problem(X, y), ridge_descent, weight_decay=0.1, **settings)
    np.testing.assert_allclose(ours.w, books.w, rtol=1e-11, atol=1e-13)
    whole = problem(X, y, l2=0.1)
    assert ours.value[-1] == pytest.approx(whole.value(ours.w), rel=1e-13)
    assert ours.grad_norm[-1] == pytest.approx(np.linalg.norm(whole.grad(ours.w)), rel=1e-10)


@BOTH
@WAYS
@pytest.mark.parametrize("average", [None, 50])
def test_hinge_is_a_loop_in_numpy(kind, compiled, average):
    w, path = np.full(D, 0.1), []
    for epoch in range(3):
        for i in sampling.reshuffled(N, 5, epoch):
            margin = LABELS[i] * (X[i] @ w)
            w = w - 0.2 * (0.05 * w - (LABELS[i] * X[i] if margin < 1 else 0))
            path.append(w)
    mean = np.mean(path[49:], axis=0) if average else w
    ours = sgd(
        MATRIX[kind], LABELS, loss=hinge_loss, l2=0.05, learning_rate=0.2, average=average, epochs=3, every=2, seed=5,
        start=np.full(D, 0.1), compiled=compiled,
    )  # fmt: skip
    np.testing.assert_allclose(ours.w, mean, rtol=1e-11, atol=1e-14)
    margins = LABELS * (X @ mean)
    assert ours.value[-1] == pytest.approx(np.maximum(0, 1 - margins).mean() + 0.025 * mean @ mean, rel=1e-13)
    gradient = -X.T @ (LABELS * (margins < 1)) / N + 0.05 * mean
    assert ours.grad_norm[-1] == pytest.approx(np.linalg.norm(gradient), rel=1e-12)
    np.testing.assert_array_equal(ours.step, [0, 2 * N, 3 * N])


@WAYS
@pytest.mark.parametrize("strength", [0.9, 1.0, 1.5, 3.0])
@pytest.mark.parametrize("average", [None, 9])
def test_a_strong_regularizer_does_not_spoil_the_scale_of_sparse_weights(compiled, strength, average):
    """The scale falls below its least, is 0, changes sign, or grows: the weights are those of the dense loop."""
    settings = {"loss": squared_loss, "l2": strength / 0.1, "learning_rate": 0.1, "epochs": 1, "start": np.ones(D)}
    found = [sgd(MATRIX[kind], TARGETS, average=average, compiled=compiled, **settings) for kind in ("dense", "sparse")]
    same(found[1], found[0], 1e-10)
    assert not found[0].diverged
    for method in (saga, svrg):
        found = [method(MATRIX[kind], TARGETS, compiled=compiled, **settings) for kind in ("dense", "sparse")]
        same(found[1], found[0], 1e-9)


@BOTH
@pytest.mark.parametrize("method", [sgd, saga, svrg])
def test_compiled_and_plain_agree_over_a_long_run_with_a_small_scale(kind, method):
    settings = {"l2": 0.3, "learning_rate": 0.5, "epochs": 30, "every": 30}
    plain, compiled = (method(MATRIX[kind], LABELS, compiled=way, **settings) for way in (False, True))
    same(compiled, plain, 1e-9)


@pytest.mark.parametrize(
    "order", [sampling.reshuffled, sampling.shuffled_once, sampling.with_replacement, sampling.in_order]
)
def test_any_order_is_used(order):
    ours = sgd(X, LABELS, learning_rate=0.2, epochs=2, order=order, seed=1, compiled=False)
    oracle = gradients.mini_batch(1, order)
    same(ours, minimize(problems.logistic(X, LABELS), learning_rate=0.2, gradient=oracle, steps=80, every=N, seed=1))


@pytest.mark.parametrize("method", [sgd, saga, svrg])
def test_another_seed_is_another_run(method):
    ends = [method(X, LABELS, learning_rate=0.1, epochs=1, seed=s, compiled=False).w for s in (0, 0, 1)]
    np.testing.assert_array_equal(ends[0], ends[1])
    assert np.abs(ends[0] - ends[2]).max() > 1e-6


def test_defaults_are_those_of_the_book():
    """Reshuffling for SGD, replacement for the corrected ones, labels 0 and 1 read as -1 and 1."""
    zero_one = (LABELS + 1) // 2
    pairs = [
        (sgd, gradients.mini_batch(1)),
        (saga, gradients.saga()),
        (svrg, gradients.svrg()),
    ]
    for method, oracle in pairs:
        ours = method(X, zero_one, learning_rate=0.1, compiled=False)
        same(ours, minimize(problems.logistic(X, LABELS), learning_rate=0.1, gradient=oracle, steps=10 * N, every=N))


# ---- the default learning rates


@BOTH
def test_default_rates_are_the_proved_ones(kind):
    for loss, problem, y in LOSSES.values():
        largest = problem(X, y, l2=0.002).L_max
        assert saga(MATRIX[kind], y, loss=loss, l2=0.002, epochs=1, compiled=False).learning_rate[-1] == pytest.approx(
            1 / (2 * largest + 2 * N * 0.002), rel=1e-12
        )
        assert svrg(MATRIX[kind], y, loss=loss, l2=0.002, epochs=1, compiled=False).learning_rate[-1] == pytest.approx(
            1 / (6 * largest), rel=1e-12
        )
    strong = problems.logistic(X, LABELS, l2=1.0)
    assert saga(MATRIX[kind], LABELS, l2=1.0, epochs=1, compiled=False).learning_rate[-1] == pytest.approx(
        1 / (3 * strong.L_max), rel=1e-12
    )


@BOTH
@pytest.mark.parametrize("method", [saga, svrg])
def test_they_reach_the_minimizer_and_stop_at_the_tolerance(kind, method):
    solution = problems.solve(problems.logistic(X, LABELS, l2=0.1))
    trace = method(MATRIX[kind], LABELS, l2=0.1, epochs=500, tolerance=1e-10)
    assert trace.reason == "tolerance"
    assert trace.message == f"the gradient norm reached the tolerance 1e-10 at step {trace.step[-1]}"
    assert trace.grad_norm[-1] <= 1e-10 < trace.grad_norm[-2]
    np.testing.assert_allclose(trace.w, solution.minimizer, atol=1e-8)


def test_entries_that_are_given_in_parts_count_as_their_sum():
    expected = saga(X, LABELS, epochs=1, compiled=False).learning_rate[-1]
    found = saga(variants()["repeated entries"], LABELS, epochs=1, compiled=False).learning_rate[-1]
    assert found == pytest.approx(expected, rel=1e-12)


def test_no_default_rate_for_a_loss_of_unknown_curvature():
    for method in (saga, svrg):
        with pytest.raises(ValueError, match="learning_rate must be given: the curvature of the losses is known"):
            method(X, LABELS, loss=hinge_loss)
        for data in (np.zeros((2, 2)), np.full((2, 2), 1e200), np.full((2, 2), np.nan)):
            with (
                np.errstate(over="ignore", invalid="ignore"),
                pytest.raises(ValueError, match="X must hold numbers whose squares are finite and not all zero"),
            ):
                method(data, [1, -1], compiled=False)


# ---- data of every kind


def variants():
    repeated = sp.coo_matrix(X).tocsr()
    repeated = sp.csr_matrix(
        (np.repeat(repeated.data / 2, 2), np.repeat(repeated.indices, 2), 2 * repeated.indptr), (N, D)
    )
    backwards = sp.csr_matrix(X[:, ::-1])
    backwards.indices = D - 1 - backwards.indices
    wide = sp.csr_matrix(X)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    return {
        "list": X.tolist(), "Fortran": np.asfortranarray(X), "strided": np.repeat(X, 2, axis=1)[:, ::2],
        "big-endian": X.astype(">f8"), "csc": sp.csc_matrix(X), "coo": sp.coo_array(X), "csr_array": sp.csr_array(X),
        "repeated entries": repeated, "unsorted": backwards, "64-bit indices": wide,
    }  # fmt: skip


@WAYS
@pytest.mark.parametrize("method", [sgd, saga])
@pytest.mark.parametrize("name", variants())
def test_the_same_data_in_another_form_give_the_same_run(name, method, compiled):
    data = variants()[name]
    before = data.copy() if sp.issparse(data) else None
    settings = {"l2": 0.1, "learning_rate": 0.1, "epochs": 2, "compiled": compiled}
    same(method(data, LABELS, **settings), method(X, LABELS, **settings))
    if before is not None:
        assert data.nnz == before.nnz  # the reader's matrix is left alone


@WAYS
@BOTH
def test_single_precision_is_read_as_it_is_and_returned(kind, compiled):
    single = MATRIX[kind].astype(np.float32)
    trace = sgd(single, LABELS, l2=0.1, learning_rate=0.1, epochs=2, compiled=compiled)
    assert trace.w.dtype == np.float32
    double = sgd(single.astype(np.float64), LABELS, l2=0.1, learning_rate=0.1, epochs=2, compiled=compiled)
    np.testing.assert_array_equal(trace.w, double.w.astype(np.float32))
    np.testing.assert_allclose(trace.value, double.value, rtol=1e-14)


@WAYS
@pytest.mark.parametrize("to", [np.asarray, sp.csr_matrix])
def test_integers_become_double(to, compiled):
    whole = np.round(2 * X).astype(np.int8)
    ours = sgd(to(whole), LABELS, learning_rate=0.1, epochs=1, compiled=compiled)
    assert ours.w.dtype == np.float64
    same(ours, sgd(whole.astype(float), LABELS, learning_rate=0.1, epochs=1, compiled=compiled))


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
