"""Linear models one sample at a time: the iterates of the book's loop, compiled or not, dense or sparse."""

import numpy as np
import pytest
import scipy.sparse as sp

from fo_lib import averages, gradients, learning_rates, minimize, problems, sampling
from fo_lib.linear_models import hinge_loss, saga, sgd, squared_loss, svrg
from tests.linear_data import BOTH, LABELS, LOSSES, MATRIX, SMOOTH, TARGETS, WAYS, D, N, X, same


def ridge_descent(w, g, learning_rate=0.1, weight_decay=0.0):
    return w - learning_rate * (g + weight_decay * w)


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
