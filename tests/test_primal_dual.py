"""Primal-dual methods: by conditions of optimality and certificates; arguments; what a trace says."""

import numpy as np
import pytest
from scipy import optimize, sparse
from scipy.sparse.linalg import aslinearoperator

from fo_lib import coordinate, problems, prox, sets
from fo_lib.primal_dual import chambolle_pock, consensus_admm
from fo_lib.prox import Prox, conjugate


def square(c):
    """Half the squared distance from a point."""
    return Prox(lambda x: np.sum((x - c) ** 2) / 2, lambda x, rate: (x + rate * c) / (1 + rate), "square")


def denoising(seed=0, d=12, weight=0.7):
    rng = np.random.default_rng(seed)
    c, K = rng.standard_normal(d), np.diff(np.eye(d), axis=0)
    # the dual: maximize -|K'z|^2 / 2 + c'K'z over |z| <= weight
    return square(c), prox.l1(weight), K, lambda z: c @ (K.T @ z) - np.sum((K.T @ z) ** 2) / 2


# Chambolle and Pock


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("average", [False, True])
def test_the_point_and_its_dual_satisfy_the_conditions_of_optimality(seed, average):
    f, g, K, dual_value = denoising(seed)
    run = chambolle_pock(f, g, K, dual_value=dual_value, average=average, steps=20_000, every=1000)
    x, z = run.w, run.settings["dual"]
    tolerance = 1e-2 if average else 1e-9  # the mean remembers the start
    assert np.abs(z).max() <= 0.7 + 1e-12
    np.testing.assert_allclose(x, f(x - K.T @ z, 1.0), atol=tolerance)
    np.testing.assert_allclose(z, conjugate(g)(z + K @ x, 1.0), atol=tolerance)
    assert 0 <= run.gap[-1] <= tolerance
    assert run.value[-1] == pytest.approx(f.value(x) + g.value(K @ x), rel=1e-14)


def test_the_gap_bounds_the_distance_of_the_value_from_the_minimum():
    f, g, K, dual_value = denoising()
    best = chambolle_pock(f, g, K, steps=20_000, every=20_000).value[-1]
    run = chambolle_pock(f, g, K, dual_value=dual_value, steps=200)
    assert np.all(run.value - best <= run.gap + 1e-12)
    bounds = run.value - run.gap  # the best dual value so far never falls
    assert np.all(np.diff(bounds) >= -1e-14)
    assert run.gap[-1] < run.gap[0] / 100
    stopped = chambolle_pock(f, g, K, dual_value=dual_value, tolerance=0.01)
    assert stopped.reason == "tolerance"
    assert stopped.gap[-1] <= 0.01 < stopped.gap[-2]
    assert stopped.message == f"the gap reached the tolerance 0.01 at step {stopped.step[-1]}"


def test_a_linear_program():
    """min c'x over x >= 0 with Ax = b: two sets and a slope, against HiGHS."""
    rng = np.random.default_rng(3)
    A, inside = rng.standard_normal((4, 9)), rng.uniform(0, 1, 9)
    b, c = A @ inside, rng.uniform(0.1, 1, 9)
    f = Prox(lambda x: c @ x, lambda x, rate: np.maximum(x - rate * c, 0), "slope over x >= 0")
    run = chambolle_pock(f, sets.box(b, b), A, steps=100_000, tolerance=1e-10, every=100)
    assert run.reason == "tolerance"  # by the residual: values of points outside of a set certify nothing
    assert run.value[-1] == pytest.approx(optimize.linprog(c, A_eq=A, b_eq=b).fun, abs=1e-7)
    np.testing.assert_allclose(A @ run.w, b, atol=1e-8)


@pytest.mark.parametrize("average", [False, True])
def test_the_kinds_of_matrices_agree(average):
    f, g, K, _ = denoising()
    norm = np.linalg.norm(K, 2)
    given = {"norm": norm, "steps": 60, "iterates": True, "average": average}
    runs = [chambolle_pock(f, g, kind, **given) for kind in (K, sparse.csr_array(K), aslinearoperator(K))]
    for run in runs:
        np.testing.assert_allclose(run.iterates, runs[0].iterates, rtol=1e-12, atol=1e-14)
    exact = chambolle_pock(f, g, K, steps=5)
    assert exact.settings["primal_rate"] * exact.settings["dual_rate"] * norm**2 == pytest.approx(1, rel=1e-12)
    rough = chambolle_pock(f, g, sparse.csr_array(K), steps=5)
    assert rough.settings["primal_rate"] == pytest.approx(0.5)  # columns and rows of K have absolute sums of 2


def test_the_report_of_means_is_the_mean_of_the_iterates():
    f, g, K, _ = denoising()
    plain = chambolle_pock(f, g, K, steps=20, iterates=True, start=np.ones(12))
    mean = chambolle_pock(f, g, K, steps=20, iterates=True, start=np.ones(12), average=True)
    np.testing.assert_array_equal(mean.iterates[0], np.ones(12))
    for k in (1, 2, 20):
        np.testing.assert_allclose(mean.iterates[k], plain.iterates[1 : k + 1].mean(0), rtol=1e-12)
    np.testing.assert_allclose(mean.grad_norm, plain.grad_norm)
    duals = [chambolle_pock(f, g, K, steps=k, every=k, start=np.ones(12)).settings["dual"] for k in range(1, 21)]
    np.testing.assert_allclose(mean.settings["dual"], np.mean(duals, axis=0), rtol=1e-12)


def test_a_start_that_the_metric_takes_for_the_saddle_point_does_not_end_the_run():
    """With rates at their limit M is singular: here the first move is in its kernel, from a point that is no solution."""
    same, zero = (lambda x, rate: x), (lambda v, rate: 0 * v)
    run = chambolle_pock(same, zero, np.eye(1), start=[1.0], dual_start=[1.0])
    assert run.grad_norm[0] == 0
    assert (run.step[-1], run.w[0], run.settings["dual"][0]) == (1, 0, 0)


def test_the_gradient_norm_is_that_of_an_element_of_the_operator():
    """M (u_0 - u_1) at u_1, with f, g quadratic, where the operator has one element: grad f(x) + K'z and grad g*(z) - Kx."""
    c, e, K = np.array([1.0, -2.0]), np.array([0.5, 1.0, 2.0]), np.arange(6.0).reshape(3, 2) / 5
    run = chambolle_pock(square(c), square(e), K, steps=3, iterates=True)
    for k in (1, 2, 3):
        after = chambolle_pock(square(c), square(e), K, steps=k, every=k)
        x, z = after.w, after.settings["dual"]
        element = np.r_[x - c + K.T @ z, z + e - K @ x]  # g*(z) = |z|^2 / 2 + e'z
        assert run.grad_norm[k] == pytest.approx(np.linalg.norm(element), rel=1e-10)
    assert run.grad_norm[0] == run.grad_norm[1]
    end = chambolle_pock(square(c), square(e), K, tolerance=1e-9)
    np.testing.assert_allclose(end.w, np.linalg.solve(np.eye(2) + K.T @ K, c + K.T @ e), atol=1e-8)
    assert end.message.startswith("the residual reached the tolerance 1e-09")


@pytest.mark.parametrize("given", [{"primal_rate": 0.1}, {"dual_rate": 2.0}, {"primal_rate": 0.2, "dual_rate": 0.3}])
def test_rates_that_are_given(given):
    f, g, K, dual_value = denoising()
    run = chambolle_pock(f, g, K, dual_value=dual_value, steps=5000, every=5000, **given)
    assert run.gap[-1] < 1e-8
    assert given.items() <= run.settings.items()
    assert run.learning_rate.tolist() == [0, run.settings["primal_rate"]]


def cp(**changes):
    f, g, K, _ = denoising()
    return lambda: chambolle_pock(**{"f": f, "g": g, "K": K, "steps": 3, **changes})


def admm(**changes):
    near = square(np.ones(2))
    return lambda: consensus_admm(
        **{"operators": [near], "value": near.value, "start": np.zeros(2), "penalty": 1.0, "steps": 3, **changes}
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (cp(f=1.0), TypeError, "f must be a function"),
        (cp(g=None), TypeError, "g must be a function"),
        (cp(K=[[1.0]]), TypeError, "K must be a matrix, or a linear operator with a shape, got list"),
        (cp(K=np.ones(3)), TypeError, "K must be a matrix"),
        (cp(K=np.array([[np.nan] * 12])), ValueError, "K must hold finite numbers"),
        (cp(K=np.zeros((3, 12))), ValueError, "the norm of K must be a finite number and > 0, got 0.0"),
        (cp(K=aslinearoperator(np.ones((3, 12)))), TypeError, "norm must be given"),
        (cp(K=np.zeros((0, 12))), ValueError, r"K must have at least one row and one column, got shape \(0, 12\)"),
        (cp(norm=0), ValueError, "norm must be"),
        (cp(norm=1.4), ValueError, "norm must be at least that of each column of K, 1.41421, got 1.4"),
        (cp(K=sparse.csr_array(np.diff(np.eye(12), axis=0)), norm=1.4), ValueError, "norm must be at least that of"),
        (cp(primal_rate=0.0), ValueError, "primal_rate must be"),
        (cp(dual_rate=-1.0), ValueError, "dual_rate must be"),
        (cp(K=1e-200 * np.diff(np.eye(12), axis=0), primal_rate=1e-200), ValueError, "dual_rate, at most"),
        (cp(norm=2.0, primal_rate=0.5, dual_rate=0.51), ValueError, r"dual_rate must be .* <= 0.5, got 0.51"),
        (cp(dual_value=3), TypeError, "dual_value must be a function"),
        (cp(dual_value=lambda z: -100.0, g=sets.box(-1, 1)), ValueError, "dual_value must be left out where g has no"),
        (cp(dual_value=lambda z: -100.0, f=lambda x, rate: x), ValueError, "dual_value must be left out where f has"),
        (cp(dual_value=lambda z: 100.0), ValueError, "a lower bound of the minimum, got 100 where the value at step 0"),
        (cp(dual_value=lambda z: -np.inf), ValueError, "dual_value must be finite at the first z"),
        (cp(dual_value=lambda z: 0.0 if not z.any() else np.nan), ValueError, "dual_value must be .* never NaN"),
        (cp(average=True, tolerance=0.1), ValueError, "tolerance, for means without dual_value, must be"),
        (cp(f=prox.l1), TypeError, r"f must be an operator, called as f\(v, rate\)"),
        (cp(f=lambda x, rate: 1.0), ValueError, r"f must return an array of the shape it is given, \(12,\), got \(\)"),
        (cp(start=np.ones(3)), ValueError, r"start must be a non-empty array of shape \(12,\)"),
        (cp(dual_start=np.ones(3)), ValueError, r"dual_start must be a non-empty array of shape \(11,\)"),
        (cp(steps=-1), ValueError, "steps must be"),
        (cp(every=0), ValueError, "every must be"),
        (cp(tolerance=-1), ValueError, "tolerance must be"),
        (cp(f=Prox(lambda x: np.inf, lambda x, a: x, "none")), ValueError, "start must be a point where the objective"),
        (admm(operators=[]), ValueError, "operators must hold at least one function, got none"),
        (admm(operators=[square(1.0), 3]), TypeError, r"operators\[1\] must be a function"),
        (admm(operators=square(1.0)), TypeError, "operators must be a sequence of functions, got the single Prox"),
        (admm(operators=[lambda v, rate: 1.0]), ValueError, r"operators\[0\] must return an array of the shape"),
        (admm(prox=3), TypeError, "prox must be a function"),
        (admm(prox=prox.l1), TypeError, "prox must be an operator"),
        (admm(value=1.0), TypeError, "value must be a function"),
        (admm(penalty=0), ValueError, "penalty must be"),
        (admm(start=[np.inf]), ValueError, "start must hold finite numbers"),
        (admm(value=lambda w: np.nan), ValueError, "start must be a point where the objective"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_function_that_breaks_down_is_reported_and_the_trace_stays_finite():
    broken = Prox(lambda x: np.inf if abs(x).max() > 0.1 else 0.0, lambda x, rate: x + 3 * rate, "broken")
    run = chambolle_pock(broken, prox.l1(1.0), np.eye(2), steps=50)
    assert run.diverged
    assert run.message == "diverged: the objective is no longer finite at step 1"
    assert np.isfinite(run.value).all()
    assert run.w.tolist() == [0, 0]  # the last point with a finite value
    rounds = consensus_admm([broken], value=lambda w: 1.0 if abs(w).max() < 9 else np.inf,
                            start=np.zeros(2), penalty=1.0)  # fmt: skip
    assert rounds.diverged
    assert abs(rounds.w).max() < 9
    assert len(rounds.settings["primal_residual"]) == len(rounds.settings["dual_residual"]) == len(rounds.step)


def test_a_bound_that_is_lost_later_leaves_the_best_one():
    f, g, K, dual_value = denoising()
    run = chambolle_pock(f, g, K, dual_value=lambda z: -np.inf if z.any() else dual_value(z), steps=5)
    np.testing.assert_allclose(run.gap, run.value - dual_value(np.zeros(11)), rtol=1e-12)


def test_a_bound_may_touch_the_minimum_up_to_rounding():
    f, g, K, _ = denoising()
    best = chambolle_pock(f, g, K, steps=20_000, every=20_000).value[-1]
    run = chambolle_pock(f, g, K, dual_value=lambda z: best * (1 + 1e-13), steps=5000, tolerance=1e-12)
    assert run.reason == "tolerance"
    assert run.gap[-1] >= 0
    with pytest.raises(ValueError, match="lower bound"):
        chambolle_pock(f, g, K, dual_value=lambda z: best + 1e-4, steps=5000)


def test_means_do_not_stop_on_the_residual_of_the_iterates():
    same, zero = (lambda x, rate: x), (lambda v, rate: 0 * v)
    given = {"start": [1.0], "dual_start": [0.5], "steps": 40}
    assert chambolle_pock(same, zero, np.eye(1), **given).step[-1] == 2
    assert chambolle_pock(same, zero, np.eye(1), average=True, **given).step[-1] == 40


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_the_scale_of_the_matrix_does_not_overflow_its_square(size):
    f, g, K, _ = denoising()
    usual = chambolle_pock(f, g, K, steps=0).settings
    run = chambolle_pock(f, g, size * K, steps=0)
    for name in ("primal_rate", "dual_rate"):
        assert run.settings[name] * size == pytest.approx(usual[name], rel=1e-12)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_of_numpy_is_an_array_like_any_other():
    f, g, K, _ = denoising()
    np.testing.assert_array_equal(
        chambolle_pock(f, g, np.asmatrix(K), steps=9).w, chambolle_pock(f, g, K, steps=9).w
    )  # fmt: skip


def test_no_steps_return_a_copy_of_the_start():
    f, g, K, _ = denoising()
    start, first = np.ones(12), np.zeros(2)
    chambolle_pock(f, g, K, start=start, steps=0).w[:] = 5
    admm(start=first, steps=0)().w[:] = 5
    assert start.max() == 1
    assert first.max() == 0


# Consensus


def pieces(seed=0, m=4, d=5, n=40):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n, d)), rng.standard_normal(n) * 3

    def operator(A, b):
        return lambda v, rate: np.linalg.solve(np.eye(d) + rate * A.T @ A / n, v + rate * A.T @ b / n)

    rows = np.array_split(np.arange(n), m)
    return X, y, [operator(X[part], y[part]) for part in rows]


@pytest.mark.parametrize("penalty", [0.05, 0.3, 2.0])
@pytest.mark.parametrize("m", [1, 4])
def test_workers_agree_on_the_lasso_that_coordinate_descent_finds(m, penalty):
    X, y, operators = pieces(m=m)
    whole, weight = problems.least_squares(X, y), 0.2
    run = consensus_admm(
        operators, value=whole.value, prox=prox.l1(weight), start=np.zeros(5), penalty=penalty, tolerance=1e-10
    )
    assert run.reason == "tolerance"
    peer = coordinate.lasso(X, y, l1=weight, intercept=False, tolerance=1e-12, compiled=False)
    np.testing.assert_allclose(run.w, peer.w, atol=1e-7)
    assert run.value[-1] == pytest.approx(peer.value[-1], rel=1e-12)
    np.testing.assert_allclose(-penalty * run.settings["dual"].sum(0), whole.grad(run.w), atol=1e-7)


def test_residuals_are_those_of_the_round_that_follows():
    X, y, operators = pieces()
    value = problems.least_squares(X, y).value
    run = consensus_admm(operators, value=value, start=np.zeros(5), penalty=0.3, steps=6, iterates=True)
    primal, dual = run.settings["primal_residual"], run.settings["dual_residual"]
    z, u = np.zeros(5), np.zeros((4, 5))
    for k in range(6):
        np.testing.assert_allclose(run.iterates[k], z, atol=1e-12)
        x = np.array([f(z - v, 1 / 0.3) for f, v in zip(operators, u, strict=True)])
        after = np.mean(x + u, axis=0)
        assert primal[k] == pytest.approx(np.sqrt(np.sum((x - after) ** 2)), rel=1e-9)
        assert dual[k] == pytest.approx(0.3 * 2 * np.linalg.norm(after - z), rel=1e-9)
        # without h the two are legs of a right angle: the workers' points seen from the z they were given
        assert run.grad_norm[k] == pytest.approx(0.3 * np.linalg.norm(x - z), rel=1e-9)
        z, u = after, u + x - after
    assert run.learning_rate.tolist() == [0] + [1 / 0.3] * 6


def test_weights_may_be_a_matrix():
    points = np.random.default_rng(0).standard_normal((3, 2, 2))
    run = consensus_admm(
        [square(c) for c in points], value=lambda w: np.sum((w - points) ** 2) / 2, start=np.zeros((2, 2)), penalty=1.0,
        prox=prox.nuclear_norm(0.6), tolerance=1e-12,
    )  # fmt: skip
    np.testing.assert_allclose(run.w, prox.nuclear_norm(0.6)(points.mean(0), 1 / 3), atol=1e-9)


def test_records_are_thinned_and_nothing_of_the_caller_changes():
    _, _, operators = pieces()
    start = np.ones(5)
    run = consensus_admm(operators, value=lambda w: 0.0, start=start, penalty=1.0, steps=10, every=4)
    assert run.step.tolist() == [0, 4, 8, 10]
    assert len(run.settings["primal_residual"]) == 4
    assert run.message == "made all 10 steps"
    assert np.array_equal(start, np.ones(5))
