"""The lasso by coordinate descent: its sweeps, kinds of data, paths and working sets."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp

from fo_lib import _coordinate_runs as runs
from fo_lib.coordinate import duality_gap, largest_l1, lasso, path
from tests.test_coordinate import INTERCEPT, WAYS, centred, problem

KINDS = pytest.mark.parametrize("kind", ["dense", "sparse"])
X, Y = problem(11, 40, 12)
MATRIX = {"dense": X, "sparse": sp.csc_matrix(X)}


def same(found, expected, tight=1e-11):
    np.testing.assert_array_equal(found.step, expected.step)
    np.testing.assert_allclose(found.w, expected.w, rtol=tight, atol=tight)
    np.testing.assert_allclose(found.value, expected.value, rtol=tight)
    np.testing.assert_allclose(found.gap, expected.gap, rtol=1e-6, atol=tight * expected.value[0])
    np.testing.assert_allclose(found.grad_norm, expected.grad_norm, rtol=1e-6, atol=tight)
    assert found.settings["intercept"] == pytest.approx(expected.settings["intercept"], rel=tight, abs=tight)


def textbook(X, y, l1, l2, sweeps, w):
    """Each weight in turn from its column and the residual without it."""
    w, n, path = w.copy(), len(y), []
    for _ in range(sweeps):
        for j in range(X.shape[1]):
            rho = X[:, j] @ (y - X @ w + X[:, j] * w[j]) / n
            w[j] = np.sign(rho) * max(abs(rho) - l1, 0) / (X[:, j] @ X[:, j] / n + l2)
        path.append(w.copy())
    return path


# ---- the iterates


@WAYS
@KINDS
@INTERCEPT
@pytest.mark.parametrize("l2", [0.0, 0.2])
def test_a_sweep_is_that_of_the_textbook(kind, compiled, l2, intercept):
    start = np.linspace(-1, 1, 12)
    how = {"l1": 0.1, "l2": l2, "intercept": intercept, "start": start, "working_set": False, "compiled": compiled}
    iterates = textbook(*centred(X, Y, intercept), 0.1, l2, 5, start)
    for sweeps, expected in enumerate(iterates, start=1):
        found = lasso(MATRIX[kind], Y, epochs=sweeps, tolerance=0.0, **how)
        np.testing.assert_allclose(found.w, expected, rtol=1e-12, atol=1e-13)
    recorded = lasso(MATRIX[kind], Y, epochs=5, tolerance=0.0, every=1, **how)
    np.testing.assert_allclose(recorded.w, iterates[-1], rtol=1e-12, atol=1e-13)
    assert recorded.step.tolist() == [0, 1, 2, 3, 4, 5]
    values = [duality_gap(X, Y, w, l1=0.1, l2=l2, intercept=intercept)[0] for w in [start, *iterates]]
    np.testing.assert_allclose(recorded.value, values, rtol=1e-12)


@WAYS
@INTERCEPT
def test_products_of_columns_give_the_same_iterates(compiled, intercept):
    how = {"l2": 0.1, "intercept": intercept, "tolerance": 1e-9, "every": 1, "compiled": compiled}
    (found,) = path(X, Y, l1=[0.05], **how)
    same(found, lasso(X, Y, l1=0.05, **how))
    assert len(found.step) > 5


@pytest.mark.parametrize("way", ["dense", "sparse", "gram"])
def test_compiled_and_plain_agree(way):
    def run(compiled):
        how = {"l2": 0.01, "tolerance": 1e-10, "compiled": compiled}
        return path(X, Y, l1=[0.05], **how)[0] if way == "gram" else lasso(MATRIX[way], Y, l1=0.05, **how)

    same(run(True), run(False))


@KINDS
def test_the_intercept_makes_the_residual_sum_to_zero(kind):
    assert abs(X.mean(axis=0)).min() > 0.01
    for run in (lasso(MATRIX[kind], Y, l1=0.05), *path(MATRIX[kind], Y, l1=[0.1, 0.05])):
        assert abs((Y - X @ run.w - run.settings["intercept"]).mean()) < 1e-14 * abs(Y).max() * 40
    assert lasso(MATRIX[kind], Y, l1=0.05, intercept=False).settings["intercept"] == 0.0


@KINDS
@INTERCEPT
def test_no_sweep_raises_the_value(kind, intercept):
    run = lasso(MATRIX[kind], Y, l1=0.02, intercept=intercept, start=np.full(12, 3.0), every=1, tolerance=1e-12)
    assert len(run.step) > 10
    assert (np.diff(run.value) <= 1e-14 * run.value[0]).all()


@KINDS
@pytest.mark.parametrize("l2", [0.0, 1.0])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-8])
def test_the_gap_estimated_on_the_way_ends_the_sweeps_in_time(kind, l2, tolerance):
    """After the first sweep whose gap is small enough, or one more; and the one look at all columns confirms it."""
    how = {"l1": 0.02, "l2": l2, "tolerance": tolerance}
    needed = lasso(MATRIX[kind], Y, every=1, **how).step[-1]
    found = lasso(MATRIX[kind], Y, **how)
    assert found.reason == "tolerance"
    assert len(found.step) == 2
    assert needed <= found.step[-1] <= needed + 1


# ---- paths and working sets


@INTERCEPT
@pytest.mark.parametrize("shape", [(40, 12), (15, 60)])
def test_a_path_has_the_solution_for_each_l1(shape, intercept):
    X, y = problem(12, *shape)
    levels = largest_l1(X, y, intercept=intercept) * np.logspace(0, -2, 7)
    for data in (X, sp.csr_matrix(X)):
        found = path(data, y, l1=levels, l2=0.01, intercept=intercept, tolerance=1e-13)
        assert len(found) == 7
        for run, l1 in zip(found, levels, strict=True):
            alone = lasso(X, y, l1=l1, l2=0.01, intercept=intercept, tolerance=1e-13)
            np.testing.assert_allclose(run.w, alone.w, atol=1e-5)
            assert run.settings["intercept"] == pytest.approx(alone.settings["intercept"], abs=1e-5)
            assert run.settings["l1"] == l1
            value, gap = duality_gap(X, y, run.w, l1=l1, l2=0.01, intercept=intercept)
            assert run.value[-1] == pytest.approx(value, rel=1e-9)
            assert gap <= 2e-13 * np.var(y) if intercept else gap <= 2e-13 * (y @ y) / len(y)


def test_a_path_goes_on_from_where_it_was():
    levels = largest_l1(X, Y) * np.logspace(0, -2, 40)
    found = path(X, Y, l1=levels, tolerance=1e-8)
    for before, run in itertools.pairwise(found):
        value, gap = duality_gap(X, Y, before.w, l1=run.settings["l1"])
        assert (run.value[0], run.gap[0]) == (pytest.approx(value, rel=1e-12), pytest.approx(gap, rel=1e-7))
    cold = [lasso(X, Y, l1=l1, tolerance=1e-8) for l1 in levels]
    assert sum(run.step[-1] for run in found) < 0.9 * sum(run.step[-1] for run in cold)


def test_a_start_at_the_solution_needs_no_sweep():
    run = lasso(X, Y, l1=0.05, tolerance=1e-8)
    assert lasso(X, Y, l1=0.05, tolerance=1e-8, start=run.w).step.tolist() == [0]


@pytest.mark.parametrize(("levels", "shape", "kind"), [(1, (40, 12), "gram"), (1, (40, 30), "dense"),
                                                       (2, (40, 30), "gram"), (9, (10, 12), "dense")])  # fmt: skip
def test_products_are_taken_where_columns_are_few(levels, shape, kind):
    model = runs.Model(*problem(0, *shape), True, False)
    model.prepare(levels)
    assert model.kind == kind
    assert len(model.r) == shape[kind == "gram"]


def test_a_working_set_has_all_weights_and_the_columns_nearest_to_one(monkeypatch):
    """Near in the dual: (l1 - |c_j|) over the norm of the column."""
    monkeypatch.setattr(runs, "FIRST", 6)
    X, y = problem(13, 30, 50, density=1.0)
    X[:, 7] = 2.0
    model = runs.Model(X, y, True, False)
    w = np.zeros(50)
    w[[40, 9]] = 1.0
    l1 = 0.3 * largest_l1(X, y)
    _, _, _, s = model.loop("look")(model.data, l1, 0.0, w, model.r, model.c, True)
    chosen = model.working_set(w, s, l1, 0)
    Xc, yc = centred(X, y, True)
    slopes = Xc.T @ (yc - Xc @ w) / 30
    with np.errstate(divide="ignore", invalid="ignore"):
        distance, unscaled = ((l1 - abs(c)) / np.sqrt((Xc**2).mean(axis=0)) for c in (s * slopes, slopes))
    distance[[7, 40, 9]] = unscaled[[7, 40, 9]] = np.inf
    assert chosen.tolist() == sorted([40, 9, *np.argsort(distance)[:4]])
    assert {*np.argsort(distance)[:4]} != {*np.argsort(unscaled)[:4]}  # as the residual is, it is not in the dual
    assert len(model.working_set(w, s, l1, 10)) == 10
    w[:10] = 1.0
    w[7] = 0.0
    assert len(model.working_set(w, s, l1, 10)) == 20
    assert model.working_set(w, s, l1, 49).tolist() == [j for j in range(50) if j != 7]


@KINDS
def test_a_working_set_saves_work_and_changes_no_solution(kind):
    X, y = problem(14, 60, 1500)
    data = X if kind == "dense" else sp.csc_matrix(X)
    l1 = 0.1 * largest_l1(X, y)
    found, expected = (lasso(data, y, l1=l1, tolerance=1e-13, working_set=way) for way in (True, False))
    np.testing.assert_allclose(found.w, expected.w, atol=1e-5 * abs(expected.w).max())
    assert len(found.step) < 0.5 * expected.step[-1]  # looks at all columns
    assert found.reason == expected.reason == "tolerance"


def test_without_a_working_set_sweeps_are_over_all_columns():
    X, y = problem(15, 20, 150)
    run = lasso(X, y, l1=0.05, tolerance=0.0, epochs=2, working_set=False)
    expected = textbook(*centred(X, y, True), 0.05, 0.0, 2, np.zeros(150))[-1]
    np.testing.assert_allclose(run.w, expected, rtol=1e-11, atol=1e-12)
    other = lasso(X, y, l1=0.05, tolerance=0.0, epochs=2)
    assert abs(other.w - expected).max() > 1e-3
