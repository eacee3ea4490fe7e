"""The lasso by coordinate descent: optimal by its own conditions and by scikit-learn, with a gap that never lies."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes
from sklearn.linear_model import ElasticNet, Lasso

from fo_lib import _coordinate_kernels as kernels
from fo_lib.coordinate import duality_gap, largest_l1, lasso, path

DIABETES = load_diabetes(return_X_y=True)
WAYS = pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
INTERCEPT = pytest.mark.parametrize("intercept", [False, True], ids=["without", "intercept"])


def problem(seed, n, d, density=0.6):
    """Columns that are correlated, of different size, and not centred; a few weights matter."""
    rng = np.random.default_rng(seed)
    X = (rng.standard_normal((n, d)) + rng.standard_normal((n, 1)) + 0.5) * (rng.random((n, d)) < density)
    X *= rng.uniform(0.5, 2, d)
    return X, X[:, :3].sum(axis=1) + rng.standard_normal(n) + 3.0


def centred(X, y, intercept):
    return (X - X.mean(axis=0), y - y.mean()) if intercept else (X, y)


def objective(X, y, w, l1, l2, intercept):
    X, y = centred(X, y, intercept)
    return np.mean((y - X @ w) ** 2) / 2 + l1 * abs(w).sum() + l2 / 2 * w @ w


# ---- the solution


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(3, 30),
    d=st.integers(3, 40),
    share=st.floats(0.02, 1.2),
    l2=st.sampled_from([0.0, 0.01, 1.0]),
    intercept=st.booleans(),
    sparse=st.booleans(),
)
def test_the_weights_meet_the_conditions_of_optimality(seed, n, d, share, l2, intercept, sparse):
    """c_j = l1 sign(w_j) where there is a weight, and |c_j| <= l1 where there is none."""
    X, y = problem(seed, n, d)
    if not X.any():
        return
    l1 = share * largest_l1(X, y, intercept=intercept)
    run = lasso(sp.csr_array(X) if sparse else X, y, l1=l1, l2=l2, intercept=intercept, tolerance=1e-15)
    Xc, yc = centred(X, y, intercept)
    c = Xc.T @ (yc - Xc @ run.w) / n - l2 * run.w
    slack = 1e-5 * l1
    assert (abs(c) <= l1 + slack).all()
    np.testing.assert_allclose(c[run.w != 0], l1 * np.sign(run.w[run.w != 0]), atol=slack)


@INTERCEPT
@pytest.mark.parametrize("share", [0.5, 0.05, 0.002])
@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_the_objective_is_that_of_scikit_learn_on_diabetes(share, ratio, intercept):
    X, y = DIABETES
    l1 = share * largest_l1(X, y, intercept=intercept)
    model = (Lasso if ratio == 1 else ElasticNet)(
        alpha=l1 / ratio, fit_intercept=intercept, tol=1e-13, max_iter=10**6, **({} if ratio == 1 else {"l1_ratio": ratio})
    ).fit(X, y)  # fmt: skip
    l2 = l1 / ratio * (1 - ratio)
    run = lasso(X, y, l1=l1, l2=l2, intercept=intercept, tolerance=1e-13)
    theirs = objective(X, y, model.coef_, l1, l2, intercept)
    assert run.value[-1] == pytest.approx(theirs, rel=1e-10)
    np.testing.assert_allclose(run.w, model.coef_, atol=1e-4 * abs(model.coef_).max())
    assert run.settings["intercept"] == pytest.approx(model.intercept_, rel=1e-8, abs=1e-12)


@INTERCEPT
@pytest.mark.parametrize("sparse", [False, True])
def test_from_the_largest_l1_on_all_weights_are_exactly_zero_and_below_one_is_not(sparse, intercept):
    X, y = problem(1, 50, 20)
    X = sp.csc_matrix(X) if sparse else X
    largest = largest_l1(X, y, intercept=intercept)
    at_it = lasso(X, y, l1=largest * (1 + 1e-12), intercept=intercept)
    assert not at_it.w.any()
    assert at_it.gap[-1] < 1e-12 * at_it.value[-1]
    assert np.count_nonzero(lasso(X, y, l1=0.999 * largest, intercept=intercept, tolerance=1e-12).w) == 1


@pytest.mark.parametrize("working_set", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_a_column_without_spread_gets_no_weight(sparse, l2, working_set):
    X, y = problem(2, 30, 6, density=1.0)
    X[:, 1], X[:, 4] = 0.0, 0.1
    given = sp.csc_matrix(X) if sparse else X
    run = lasso(given, y, l1=0.01, l2=l2, start=np.ones(6), working_set=working_set, tolerance=1e-10)
    assert run.reason == "tolerance"
    assert (run.w != 0).tolist() == [True, False, True, True, False, True]
    assert np.isfinite(run.value).all()
    counted = lasso(given, y, l1=0.01, intercept=False, tolerance=1e-10)
    assert (counted.w != 0).tolist()[1::3] == [False, True]


def test_nothing_to_explain_needs_no_sweep():
    X, _ = problem(3, 20, 5)
    run = lasso(X, np.full(20, 7.5), l1=0.1)
    assert (run.step.tolist(), run.reason, run.w.any(), run.settings["intercept"]) == ([0], "tolerance", False, 7.5)


@WAYS
def test_means_far_from_zero_change_nothing(compiled):
    X, y = problem(4, 40, 8, density=1.0)
    settings = {"l1": 0.05, "tolerance": 1e-12, "compiled": compiled}
    expected = lasso(X, y, **settings)
    found = lasso(X + 1e5, y - 1e5, **settings)
    np.testing.assert_allclose(found.w, expected.w, atol=1e-7)
    for run in path(X + 1e5, y, l1=[0.2, 0.05], tolerance=1e-12, compiled=compiled)[-1:]:
        np.testing.assert_allclose(run.w, expected.w, atol=1e-7)


@pytest.mark.parametrize("zero", [False, True], ids=["full", "one zero each"])
@pytest.mark.parametrize("mean", [1e6, 1e8])
def test_sparse_columns_of_any_mean_give_the_weights_of_dense_ones(mean, zero):
    """A mean as large as this would cancel in sums over the entries."""
    X, y = problem(4, 40, 8, density=1.0)
    X += mean
    if zero:
        X[range(8), range(8)] = 0.0
    matrix = sp.csc_matrix(X)
    l1 = 0.02 * largest_l1(X, y)
    expected, found = lasso(X, y, l1=l1), lasso(matrix, y, l1=l1)
    assert found.reason == "tolerance"
    assert found.step[-1] == expected.step[-1]
    np.testing.assert_allclose(found.w, expected.w, rtol=1e-6)
    assert found.settings["intercept"] == pytest.approx(expected.settings["intercept"], rel=1e-9)
    np.testing.assert_array_equal(matrix.toarray(), X)
    for data in (X, matrix):
        value, gap = duality_gap(data, y, found.w, l1=l1)
        assert (value, gap) == (pytest.approx(found.value[-1], rel=1e-5), pytest.approx(found.gap[-1], abs=1e-6))


# ---- the certificate


def optimum(X, y, **settings):
    return lasso(X, y, tolerance=1e-15, epochs=20_000, **settings).value[-1]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([0.0, 0.1, 1.0, 30.0]), l2=st.sampled_from([0.0, 0.3]))
def test_the_gap_is_at_least_the_distance_to_the_minimum_anywhere(seed, size, l2):
    X, y = problem(seed, 15, 10)
    rng = np.random.default_rng(seed)
    w = size * rng.standard_normal(10) * (rng.random(10) < 0.7)
    intercept = bool(seed % 2)
    value, gap = duality_gap(X, y, w, l1=0.1, l2=l2, intercept=intercept)
    assert value == pytest.approx(objective(X, y, w, 0.1, l2, intercept), rel=1e-12)
    least = optimum(X, y, l1=0.1, l2=l2, intercept=intercept)
    assert gap >= value - least - 1e-12 * value


def test_the_gap_is_the_distance_where_there_is_one_sample_and_one_weight():
    """At w = 0, for y > l1, both are (y - l1)^2 / 2."""
    value, gap = duality_gap([[1.0]], [3.0], [0.0], l1=1.0, intercept=False)
    assert (value, gap) == (4.5, pytest.approx(2.0, rel=1e-15))
    assert value - lasso([[1.0]], [3.0], l1=1.0, intercept=False).value[-1] == pytest.approx(2.0, rel=1e-15)


def test_the_gap_of_a_perfect_fit_is_what_the_regularizer_costs():
    value, gap = duality_gap(np.eye(2), [3.0, -1.0], [3.0, -1.0], l1=0.1, intercept=False)
    assert (value, gap) == (pytest.approx(0.4), pytest.approx(0.4))


@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("size", [0.0, 0.3, -3.0, "beyond"])
def test_the_gap_is_the_objective_minus_the_best_of_the_dual_along_the_residual(l2, size):
    """The dual of the lasso with d more samples, sqrt(n l2) I and zeros; its constraints are met."""
    X, y = problem(5, 12, 6)
    w, n, l1 = np.linalg.lstsq(X, 4 * y)[0] if size == "beyond" else size * np.arange(-2.0, 4.0), 12, 0.4
    more = np.vstack([X, np.sqrt(n * l2) * np.eye(6)])
    target = np.concatenate([y, np.zeros(6)])
    r = target - more @ w
    limit = l1 / abs(more.T @ r / n).max()
    s = np.linspace(-limit, limit, 20_001)[:, None]
    dual = (target @ target - ((target - s * r) ** 2).sum(axis=1)) / (2 * n)
    value, gap = duality_gap(X, y, w, l1=l1, l2=l2, intercept=False)
    assert gap == pytest.approx(value - dual.max(), rel=1e-6)
    if size == "beyond":
        assert s[dual.argmax()] < 0


@INTERCEPT
@pytest.mark.parametrize("kind", ["dense", "sparse", "gram"])
def test_what_is_recorded_is_computed_from_the_weights_alone(kind, intercept, monkeypatch):
    """Also where a sweep spoils the residual that it keeps."""
    sound = kernels.sweep_dense

    def spoiled(data, squares, chosen, l1, l2, w, r):
        steepest = sound(data, squares, chosen, l1, l2, w, r)
        r *= 0.9
        return steepest

    X, y = problem(6, 40, 8)
    settings = {"l2": 0.02, "intercept": intercept, "epochs": 3, "every": 1, "compiled": False}
    if kind == "gram":
        run = path(X, y, l1=[0.3, 0.1], **settings)[-1]
        assert len(run.step) == 4
    else:
        run = lasso(X if kind == "dense" else sp.csc_matrix(X), y, l1=0.1, **settings)
    value, gap = duality_gap(X, y, run.w, l1=0.1, l2=0.02, intercept=intercept)
    assert (run.value[-1], run.gap[-1]) == (pytest.approx(value, rel=1e-12), pytest.approx(gap, rel=1e-9))
    monkeypatch.setattr(kernels, "sweep_dense", spoiled)
    wrong = lasso(X, y, l1=0.1, **{**settings, "every": 3})
    value, gap = duality_gap(X, y, wrong.w, l1=0.1, l2=0.02, intercept=intercept)
    assert (wrong.value[-1], wrong.gap[-1]) == (pytest.approx(value, rel=1e-12), pytest.approx(gap, rel=1e-9))


@pytest.mark.parametrize("tolerance", [1e-2, 1e-5, 1e-9])
@pytest.mark.parametrize("working_set", [False, True])
def test_it_stops_at_the_first_record_whose_gap_is_the_share_of_the_value_without_weights(tolerance, working_set):
    X, y = problem(7, 60, 300)
    run = lasso(X, y, l1=0.05, tolerance=tolerance, working_set=working_set)
    limit = tolerance * np.var(y) / 2
    assert run.reason == "tolerance"
    assert run.gap[-1] <= limit < run.gap[:-1].min()
    assert run.message == f"the gap {run.gap[-1]:.2g} reached the tolerance at sweep {run.step[-1]}"


def test_the_gradient_norm_is_that_of_the_shortest_subgradient():
    X, y = problem(8, 30, 6)
    w = np.array([1.0, 0.0, -0.5, 0.0, 0.0, 0.2])
    run = lasso(X, y, l1=0.3, l2=0.1, start=w, epochs=0)
    Xc, yc = centred(X, y, True)
    g = -Xc.T @ (yc - Xc @ w) / 30 + 0.1 * w
    shortest = [min(abs(g[j] + t) for t in (np.linspace(-0.3, 0.3, 6001) if w[j] == 0 else [0.3 * np.sign(w[j])]))
                for j in range(6)]  # fmt: skip
    assert run.grad_norm[0] == pytest.approx(np.linalg.norm(shortest), abs=2e-4)
    assert lasso(X, y, l1=0.3, tolerance=1e-14).grad_norm[-1] < 1e-5
