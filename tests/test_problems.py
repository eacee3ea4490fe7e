"""Problems know themselves: their gradients, their curvature, their solutions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fo_lib import check_gradient, problems
from fo_lib.problem import FiniteSum, Problem, solve

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 4)) * [1, 2, 3, 0.1]
TARGETS = X @ RNG.standard_normal(4) + RNG.standard_normal(40)
SIGNS = np.where(TARGETS > 0, 1, -1)
CLASSES = RNG.integers(3, size=40)

MAKE = {
    "quadratic": lambda: problems.quadratic([1.0, 4.0, 9.0], seed=1, minimizer=[1.0, 2.0, 3.0]),
    "least_squares": lambda: problems.least_squares(X, TARGETS, l2=0.1),
    "logistic": lambda: problems.logistic(X, SIGNS, l2=0.1),
    "huber": lambda: problems.huber(X, TARGETS, threshold=0.7, l2=0.1),
    "softmax_regression": lambda: problems.softmax_regression(X, CLASSES, l2=0.1),
    "rosenbrock": problems.rosenbrock,
    "nesterov_worst_case": lambda: problems.nesterov_worst_case(3, L=2.0),
}
EVERY = pytest.mark.parametrize("name", MAKE)
FINITE_SUMS = pytest.mark.parametrize("name", ["least_squares", "logistic", "huber", "softmax_regression"])


def somewhere(problem, seed=0):
    rng = np.random.default_rng(seed)
    w = problem.start
    return [a + rng.standard_normal(a.shape) for a in w] if isinstance(w, list) else w + rng.standard_normal(w.shape)


def flat(w):
    return np.concatenate([np.ravel(a) for a in (w if isinstance(w, list) else [w])])


@EVERY
def test_the_gradient_is_that_of_the_value(name):
    problem = MAKE[name]()
    for seed in range(5):
        check_gradient(problem.value, problem.grad, somewhere(problem, seed))


@EVERY
def test_the_hessian_is_the_derivative_of_the_gradient(name):
    problem = MAKE[name]()
    if problem.hessian is None:
        assert name == "softmax_regression"
        return
    w = somewhere(problem)
    H = np.array([(problem.grad(w + e) - problem.grad(w - e)) / 2e-6 for e in 1e-6 * np.eye(len(w))])
    np.testing.assert_allclose(problem.hessian(w), H, rtol=1e-5, atol=1e-5 * np.abs(H).max())


@EVERY
def test_the_curvature_lies_between_mu_and_L(name):
    problem = MAKE[name]()
    if problem.hessian is None or problem.L is None:
        return
    for seed in range(20):
        eigenvalues = np.linalg.eigvalsh(problem.hessian(somewhere(problem, seed)))
        assert problem.mu <= eigenvalues[0] * (1 + 1e-12) + 1e-14
        assert eigenvalues[-1] <= problem.L * (1 + 1e-12)


@pytest.mark.parametrize("name", ["quadratic", "least_squares"])
def test_L_and_mu_of_quadratics_are_attained(name):
    problem = MAKE[name]()
    eigenvalues = np.linalg.eigvalsh(problem.hessian(problem.start))
    assert eigenvalues[[0, -1]] == pytest.approx([problem.mu, problem.L], rel=1e-12)


def test_L_of_logistic_regression_is_attained_at_zero():
    problem = MAKE["logistic"]()
    assert np.linalg.eigvalsh(problem.hessian(np.zeros(4)))[-1] == pytest.approx(problem.L, rel=1e-12)


def test_L_of_softmax_regression_bounds_the_change_of_the_gradient_and_two_classes_attain_it():
    problem = problems.softmax_regression(X, CLASSES > 0, l2=0.1)
    X1 = np.column_stack([X, np.ones(len(X))])
    top = np.linalg.eigh(X1.T @ X1)[1][:, -1:] * [1.0, -1.0] / np.sqrt(2)  # one class up, the other down
    h = 1e-6
    change = problem.grad([h * top[:-1], h * top[-1]])[0] - problem.grad(problem.start)[0]
    without_l2 = change - 0.1 * h * top[:-1]
    assert np.vdot(without_l2, top[:-1]) / np.vdot(top[:-1], top[:-1]) / h == pytest.approx(problem.L - 0.1, rel=1e-6)
    three = MAKE["softmax_regression"]()
    for seed in range(50):
        a, b = flat(somewhere(three, seed)), flat(somewhere(three, seed + 100))
        g, h = flat(three.grad(somewhere(three, seed))), flat(three.grad(somewhere(three, seed + 100)))
        assert np.linalg.norm(g - h) <= three.L * np.linalg.norm(a - b)


@EVERY
def test_a_known_minimizer_is_one(name):
    problem = MAKE[name]()
    if problem.minimizer is None:
        return
    assert np.linalg.norm(problem.grad(problem.minimizer)) < 1e-12 * max(
        1.0, np.linalg.norm(problem.grad(problem.start))
    )
    assert problem.value(problem.minimizer) == pytest.approx(problem.minimum, abs=1e-14)


@FINITE_SUMS
def test_the_full_gradient_is_the_mean_of_the_sample_gradients(name):
    problem = MAKE[name]()
    w = somewhere(problem)
    each = [problem.sample_grad(w, np.array([i])) for i in range(problem.n_samples)]
    full, batch = problem.grad(w), problem.sample_grad(w, np.array([3, 5, 5]))
    for mean, some, *parts in zip(*[g if isinstance(g, list) else [g] for g in (full, batch, *each)], strict=True):
        np.testing.assert_allclose(mean, np.mean(parts, axis=0), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(some, (parts[3] + 2 * parts[5]) / 3, rtol=1e-12, atol=1e-14)


@FINITE_SUMS
def test_L_max_bounds_the_curvature_of_every_sample(name):
    problem = MAKE[name]()
    assert problem.L <= problem.L_max
    for i in range(problem.n_samples):
        a, b = somewhere(problem, i), somewhere(problem, i + 1000)
        change = flat(problem.sample_grad(a, np.array([i]))) - flat(problem.sample_grad(b, np.array([i])))
        assert np.linalg.norm(change) <= problem.L_max * np.linalg.norm(flat(a) - flat(b)) * (1 + 1e-12)


@FINITE_SUMS
def test_float32_data_stay_float32(name):
    y = CLASSES if name == "softmax_regression" else SIGNS
    make = getattr(problems, name)
    problem = make(X.astype(np.float32), y, **({"threshold": 1.0} if name == "huber" else {}))
    g = problem.grad(problem.start)
    assert {a.dtype for a in (g if isinstance(g, list) else [g])} == {np.dtype(np.float32)}
    assert isinstance(problem.value(problem.start), float)


@pytest.mark.parametrize(("name", "curvature"), [("least_squares", 1.0), ("logistic", 0.25), ("huber", 1.0)])
def test_L_max_is_attained_by_the_longest_sample(name, curvature):
    problem = getattr(problems, name)(X, SIGNS, l2=0.1, **({"threshold": 10.0} if name == "huber" else {}))
    i = int(np.argmax(np.sum(X**2, axis=1)))
    h = 1e-6 * X[i]
    change = problem.sample_grad(h, np.array([i])) - problem.sample_grad(-h, np.array([i]))
    assert np.linalg.norm(change) / np.linalg.norm(2 * h) == pytest.approx(problem.L_max, rel=1e-6)
    softmax = problems.softmax_regression(X, SIGNS > 0)
    assert softmax.L_max == pytest.approx(0.5 * (1 + np.sum(X[i] ** 2)), rel=1e-12)


def test_the_minimizer_of_float32_data_is_float32():
    assert problems.least_squares(X.astype(np.float32), TARGETS).minimizer.dtype == np.float32
    assert problems.least_squares(X.astype(np.float32), TARGETS, l2=0.1).minimizer.dtype == np.float32


def test_values_by_hand():
    one = np.array([[2.0]])
    w = np.array([3.0])  # prediction 6
    assert problems.least_squares(one, [1.0], l2=4.0).value(w) == 0.5 * 25 + 0.5 * 4 * 9
    assert problems.huber(one, [1.0], threshold=2.0).value(w) == 2 * 5 - 0.5 * 4
    assert problems.huber(one, [1.0], threshold=9.0).value(w) == 0.5 * 25
    assert problems.logistic(one, [1.0]).value(w) == pytest.approx(np.log1p(np.exp(-6.0)), rel=1e-14)
    assert problems.logistic(one, [0.0]).value(w) == pytest.approx(6 + np.log1p(np.exp(-6.0)), rel=1e-14)
    softmax = problems.softmax_regression([[1.0]], [0], classes=2)
    assert softmax.value([np.array([[1.0, 2.0]]), np.array([0.0, 3.0])]) == pytest.approx(np.log1p(np.exp(4.0)))
    assert problems.rosenbrock().value(np.array([2.0, 3.0])) == 1 + 100


@given(st.floats(-800, 800))
def test_logistic_and_softmax_neither_overflow_nor_lose_their_tails(z):
    """Warnings are errors here, so an overflow anywhere fails."""
    logistic = problems.logistic([[1.0]], [1])
    slope = logistic.grad(np.array([z]))[0]
    assert slope == pytest.approx(-np.exp(-np.logaddexp(0, z)), rel=1e-12, abs=0)
    softmax = problems.softmax_regression([[1.0]], [1], classes=2)
    w = [np.array([[0.0, z]]), np.zeros(2)]
    assert softmax.value(w) == pytest.approx(logistic.value(np.array([z])), rel=1e-12, abs=1e-13)


@given(arrays(float, 3, elements=st.floats(0.1, 10)), st.integers(0, 100))
def test_quadratics_have_the_spectrum_that_was_asked_for(spectrum, seed):
    problem = problems.quadratic(spectrum, seed=seed)
    np.testing.assert_allclose(np.linalg.eigvalsh(problem.hessian(problem.start)), np.sort(spectrum), rtol=1e-10)
    assert problem.condition_number == pytest.approx(spectrum.max() / spectrum.min(), rel=1e-10)


def test_quadratics_take_a_matrix_a_minimizer_and_a_start():
    A = np.array([[2.0, 1.0], [1.0, 2.0]])
    problem = problems.quadratic(A, minimizer=[1.0, -1.0], start=[0.0, 0.0])
    assert problem.value(problem.start) == 1.0
    assert (problem.mu, problem.L) == pytest.approx((1.0, 3.0))
    np.testing.assert_array_equal(problems.quadratic([1, 2]).start, [1.0, 1.0])


def test_semidefinite_quadratics_have_no_strong_convexity():
    assert problems.quadratic([0.0, 1.0, 2.0], seed=3).mu == 0
    assert problems.quadratic([0.0, 1.0]).mu == 0
    assert problems.quadratic([0.0, 1.0]).condition_number == np.inf


def test_logistic_labels_zero_and_one_mean_minus_one_and_one():
    a, b = problems.logistic(X, SIGNS), problems.logistic(X, SIGNS > 0)
    w = somewhere(a)
    assert a.value(w) == b.value(w)


def test_least_squares_without_full_rank_takes_the_shortest_solution():
    wide = RNG.standard_normal((3, 5))
    problem = problems.least_squares(wide, [1.0, 2.0, 3.0])
    np.testing.assert_allclose(problem.minimizer, np.linalg.pinv(wide) @ [1, 2, 3], rtol=1e-10)
    assert problem.mu == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["logistic", "huber", "least_squares", "quadratic"])
def test_solve_finds_a_point_with_no_gradient(name):
    problem = MAKE[name]()
    solved = solve(problem)
    assert np.linalg.norm(problem.grad(solved.minimizer)) <= 1e-12 * np.linalg.norm(problem.grad(problem.start))
    assert solved.minimum == problem.value(solved.minimizer)
    assert isinstance(solved, type(problem))


def test_solve_says_when_it_cannot():
    with pytest.raises(ValueError, match="solve needs a problem with a hessian, got FiniteSum"):
        solve(MAKE["softmax_regression"]())
    separable = problems.logistic([[1.0], [-1.0]], [1, -1])
    with pytest.raises(ValueError, match="did not reach tolerance 1e-12"):
        solve(separable, steps=5)


def test_from_functions_makes_a_problem_of_any_structure():
    start = [np.ones((2, 2)), np.ones(3)]
    problem = problems.from_functions(
        lambda w: sum(float(np.vdot(a, a)) for a in w), lambda w: [2 * a for a in w], start, L=2.0, mu=2.0, name="mine"
    )
    assert isinstance(problem, Problem)
    assert problem.condition_number == 1
    assert repr(problem) == "Problem('mine', L=2, mu=2)"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"value": 3}, TypeError, "value must be a function, got 3"),
        ({"grad": None}, TypeError, "grad must be a function, got None"),
        ({"start": []}, ValueError, "start must be a non-empty array"),
        ({"start": [1.0, np.nan]}, ValueError, "start must hold finite numbers"),
        ({"L": -1.0}, ValueError, "L must be a finite number and > 0, got -1"),
        ({"mu": 3.0, "L": 2.0}, ValueError, "mu must be a finite number and >= 0 and <= 2, got 3"),
        ({"mu": -1.0}, ValueError, "mu must be a finite number and >= 0, got -1"),
        ({"value": lambda w: np.nan}, ValueError, r"value\(start\) must be a finite number, got nan"),
        ({"value": lambda w: w}, TypeError, r"value\(start\) must be a finite number, got array"),
        ({"grad": lambda w: w[:1]}, ValueError, r"grad\(start\) must have the shape of the weights, \(2,\), got \[\(1,\)\]"),
        ({"grad": lambda w: w * np.inf}, ValueError, r"grad\(start\) must hold finite numbers"),
    ],
)  # fmt: skip
def test_from_functions_names_what_is_wrong(change, error, message):
    good = {"value": lambda w: w @ w, "grad": lambda w: 2 * w, "start": np.ones(2)}
    with pytest.raises(error, match=message):
        problems.from_functions(**{**good, **change})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: problems.quadratic([]), ValueError, "spectrum must be a non-empty array"),
        (
            lambda: problems.quadratic([1.0, -1.0]),
            ValueError,
            r"spectrum must hold eigenvalues >= 0, not all zero, got",
        ),
        (lambda: problems.quadratic([0.0, 0.0]), ValueError, "not all zero"),
        (lambda: problems.quadratic([[1.0, 2.0], [0.0, 1.0]]), ValueError, "eigenvalues or a symmetric matrix"),
        (lambda: problems.quadratic([[1.0, 2.0]]), ValueError, r"spectrum must be a non-empty array of shape \(1, 1\)"),
        (lambda: problems.quadratic([1.0], minimizer=[1.0, 2.0]), ValueError, r"minimizer must be .* shape \(1,\)"),
        (lambda: problems.quadratic([1.0], start="x"), TypeError, "start must be an array of real numbers"),
        (lambda: problems.quadratic(3.0), ValueError, r"spectrum must be a non-empty array of shape \(1, 1\)"),
        (lambda: problems.quadratic([1.0], seed=1.5), TypeError, "seed must be a whole number >= 0, got 1.5"),
        (lambda: problems.least_squares(X * 0, TARGETS), ValueError, "squares are finite and not all zero"),
        (lambda: problems.logistic(X * 1e200, SIGNS), ValueError, "squares are finite and not all zero"),
        (lambda: problems.softmax_regression(X, CLASSES * 10**9), ValueError, "y must hold labels below the number"),
        (lambda: problems.nesterov_worst_case(0), ValueError, "k must be a whole number >= 1, got 0"),
        (lambda: problems.nesterov_worst_case(2, L=0), ValueError, "L must be a finite number and > 0, got 0"),
        (lambda: problems.least_squares(X, TARGETS[:3]), ValueError, r"y must be a non-empty array of shape \(40,\)"),
        (lambda: problems.least_squares(TARGETS, TARGETS), ValueError, r"X must be a non-empty array with 2 dim"),
        (lambda: problems.least_squares(X, TARGETS, l2=-1), ValueError, "l2 must be a finite number and >= 0, got -1"),
        (lambda: problems.least_squares(X * np.nan, TARGETS), ValueError, "X must hold finite numbers only, got nan"),
        (lambda: problems.logistic(X, TARGETS), TypeError, "y must be whole numbers"),
        (lambda: problems.logistic(X, CLASSES), ValueError, r"y must be one of \[-1, 0, 1\] in every entry, got 2"),
        (lambda: problems.logistic(X, CLASSES - 1), ValueError, "y must hold the labels -1 and 1, or 0 and 1, got"),
        (lambda: problems.huber(X, TARGETS, threshold=0), ValueError, "threshold must be a finite number and > 0"),
        (
            lambda: problems.softmax_regression(X, SIGNS),
            ValueError,
            r"y must be one of \[0, 1\] in every entry, got -1",
        ),
        (lambda: problems.softmax_regression(X, CLASSES, classes=2), ValueError, r"y must be one of \[0, 1\]"),
        (lambda: problems.softmax_regression(X, CLASSES, classes=1), ValueError, "classes must be a whole number >= 2"),
        (lambda: problems.rosenbrock().condition_number, ValueError, "has no known L"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_worst_case_is_the_one_of_the_textbook():
    problem = problems.nesterov_worst_case(2, L=4.0)
    w = RNG.standard_normal(5)
    by_hand = 4 / 8 * (w[0] ** 2 + np.sum((w[:-1] - w[1:]) ** 2) + w[-1] ** 2 - 2 * w[0])
    assert problem.value(w) == pytest.approx(by_hand, rel=1e-13)
    assert isinstance(problems.least_squares(X, TARGETS), FiniteSum)
