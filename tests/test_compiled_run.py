"""The compiled loop makes the same steps as the plain one, and refuses what it could get wrong."""

import dataclasses
import time

import numpy as np
import pytest

from fo_lib import averages, compiled_run, compiling, gradients, iteration, learning_rates, minimize, problems, rules
from fo_lib.matrix_rules import muon
from fo_lib.problem import Kernel

ALL = [getattr(rules, name) for name in rules.__all__]
RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
SIGNS = np.where(X @ [1.0, -2.0, 0.5] + RNG.standard_normal(40) > 0, 1, -1)
PROBLEMS = {
    "quadratic": problems.quadratic([1.0, 5.0, 10.0], seed=0, minimizer=[1.0, 2.0, 3.0]),
    "rosenbrock": problems.rosenbrock(),
    "worst case": problems.nesterov_worst_case(4),
    "least squares": problems.least_squares(X, X @ [1.0, 2.0, 3.0] + 0.1, l2=0.01),
    "logistic": problems.logistic(X, SIGNS, l2=0.01),
    "huber": problems.huber(X, X @ [1.0, 2.0, 3.0] + RNG.standard_normal(40), threshold=0.5, l2=0.01),
}
EVERY_PROBLEM = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)


def own_value(w, A, shift):
    return 0.5 * ((w - shift) @ (A @ (w - shift)))


def own_gradient(w, A, shift):
    return A @ (w - shift)


def own(shift=1.0):
    """A reader's problem: plain functions of the weights and of data."""
    return problems.from_functions(own_value, own_gradient, np.zeros(2), data=(np.diag([1.0, 4.0]), shift))


def assert_same(plain, compiled, rtol=1e-9):
    assert compiled.message == plain.message
    assert compiled.reason == plain.reason
    assert compiled.settings == plain.settings
    for name in ("step", "value", "grad_norm", "learning_rate", "w"):
        found, expected = getattr(compiled, name), getattr(plain, name)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-3 * rtol, err_msg=name)
    if plain.iterates is None:
        assert compiled.iterates is None
    else:
        np.testing.assert_allclose(compiled.iterates, plain.iterates, rtol=rtol, atol=1e-3 * rtol)


def assert_agree(problem, rule=rules.gradient_descent, **arguments):
    arguments = {"steps": 60, "iterates": True, **arguments}
    plain, fast = (minimize(problem, rule, compiled=choice, **arguments) for choice in (False, True))
    assert_same(plain, fast, rtol=1e-4 if fast.w.dtype == np.float32 else 1e-9)
    return fast


@EVERY_PROBLEM
def test_the_kernel_is_the_function_of_the_problem(problem):
    """Run as plain Python: the text that is compiled."""
    for w in (problem.start, RNG.standard_normal(len(problem.start)), 100.0 * RNG.standard_normal(len(problem.start))):
        g = np.full_like(w, np.nan)
        value = problem.kernel.evaluate(w, g, *problem.kernel.data)
        assert value == pytest.approx(problem.value(w), rel=1e-12)
        np.testing.assert_allclose(g, problem.grad(w), rtol=1e-11, atol=1e-11)


@EVERY_PROBLEM
def test_every_problem_runs_compiled(problem):
    trace = assert_agree(problem, learning_rate=1e-3 if problem.L is None else 1 / problem.L)
    assert trace.value[-1] < trace.value[0]


@pytest.mark.parametrize("rule", ALL, ids=rules.__all__)
def test_every_rule_runs_compiled(rule):
    assert_agree(PROBLEMS["logistic"], rule, learning_rate=0.05)


@pytest.mark.parametrize("rule", [rules.gradient_descent, rules.adam, rules.adagrad])
def test_weights_of_float32_stay_so(rule):
    assert_agree(problems.logistic(X.astype(np.float32), SIGNS, l2=0.01), rule, learning_rate=0.05)


def test_own_functions_run_compiled_with_their_data_as_they_are():
    trace = assert_agree(own(), learning_rate=0.2, steps=200)
    np.testing.assert_allclose(trace.w, 1.0, rtol=1e-9)
    np.testing.assert_allclose(minimize(own(3.0), learning_rate=0.2, steps=200, compiled=True).w, 3.0, rtol=1e-9)


@pytest.mark.parametrize(
    "arguments",
    [
        {"average": averages.uniform(5)},
        {"average": averages.exponential(0.9), "every": 7},
        {"every": 7},
        {"steps": 0},
        {"steps": 1},
        {"steps": 63},
        {"steps": 64},
        {"steps": 250, "every": 100},
        {"steps": 250, "every": 10_000},
        {"learning_rate": learning_rates.inverse(0.05, 0.1)},
        {"learning_rate": learning_rates.cosine(0.05, 60, 5)},
        {"momentum": lambda t: t / (t + 3)},
        {"tolerance": 1e-3, "steps": 5000},
        {"tolerance": 1e-3, "steps": 5000, "every": 50},
        {"iterates": False},
        {"start": [3, -4, 5]},
        {"learning_rate": 9.0, "steps": 2000},
        {"learning_rate": 9.0, "steps": 2000, "every": 100, "average": averages.uniform()},
    ],
    ids="-".join,
)  # fmt: skip
def test_every_argument_means_the_same(arguments):
    assert_agree(PROBLEMS["quadratic"], rules.momentum, **{"learning_rate": 0.05, **arguments})


def test_how_it_ends_is_said_in_the_same_words():
    bowl = PROBLEMS["quadratic"]
    assert "learning_rate=0.3 > 2 / L = 0.2" in assert_agree(bowl, learning_rate=0.3, steps=20_000).message
    assert "but the value rose" in assert_agree(bowl, learning_rate=0.25, steps=20).message
    assert assert_agree(problems.rosenbrock(), learning_rate=1.0).diverged
    tiny = problems.quadratic([1.0, 1.0], start=[1e-170, 1e-170])
    assert assert_agree(tiny, learning_rate=0.5, steps=2).reason == "steps"
    assert assert_agree(tiny, start=[0.0, 0.0], steps=2).reason == "tolerance"
    with pytest.raises(ValueError, match="start must be a point where value and gradient are finite"):
        minimize(bowl, start=[1e200] * 3, compiled=True)


def test_a_long_run_is_one_run_whatever_the_blocks_and_the_room(monkeypatch):
    expected = minimize(PROBLEMS["logistic"], rules.adam, steps=3000, iterates=True, every=3)
    monkeypatch.setattr(compiled_run, "MANY", 70)
    for seconds in (0.0, 10.0):
        monkeypatch.setattr(iteration, "SECONDS", seconds)
        assert_same(
            expected, minimize(PROBLEMS["logistic"], rules.adam, steps=3000, iterates=True, every=3, compiled=True)
        )


def test_blocks_grow_while_they_are_short_and_shrink_when_they_are_long(monkeypatch):
    now, seen = [0.0], []

    def block(first, last, rate):
        seen.append(last - first)
        now[0] += (last - first) * iteration.SECONDS / 1000
        return iteration.GOING_ON, last, rate

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    assert iteration.in_blocks(block, 5000, progress=False) == (iteration.GOING_ON, 5001, 0.0)
    assert seen[:7] == [64, 128, 256, 512, 1024, 512, 1024]
    assert sum(seen) == 5001


def test_the_bar_counts_every_step_and_the_start(monkeypatch):
    bars = []

    class Bar:
        def __init__(self, total, **options):
            self.total, self.done, self.closed, self.options = total, 0, False, options
            bars.append(self)

        def update(self, steps):
            self.done += steps

        def close(self):
            self.closed = True

    monkeypatch.setattr("tqdm.auto.tqdm", Bar)
    minimize(problems.quadratic([1.0, 3.0]), learning_rate=0.1, steps=200, progress=True)
    assert [(bar.total, bar.done, bar.closed) for bar in bars] == [(201, 201, True)]


@pytest.fixture
def plain_twin(monkeypatch):
    """Instead of compiling, run the same text."""
    monkeypatch.setattr(compiling, "jit", lambda function, **options: function)
    monkeypatch.setattr(compiled_run, "_loops", {})


@pytest.mark.usefixtures("plain_twin")
@pytest.mark.parametrize("average", [None, averages.uniform(5)], ids=["iterate", "mean"])
@pytest.mark.parametrize("rule", ALL, ids=rules.__all__)
def test_the_text_of_the_compiled_slots_run_by_python_does_the_same(rule, average):
    assert_agree(PROBLEMS["logistic"], rule, average=average, every=3, learning_rate=0.05)
    assert_agree(own(), rule, average=average, learning_rate=lambda t: 0.1 / t)


def reads_data(w):
    return X[0, 0] * (w @ w)


def not_for_numba(w):
    return np.vectorize(abs)(w)


BOWL = PROBLEMS["quadratic"]
SQUARE = {"value": own_value, "grad": own_gradient, "start": np.zeros(2), "data": (np.eye(2), 1.0)}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"gradient": gradients.mini_batch(2)}, ValueError, "compiled=True takes neither another gradient, nor a line"),
        ({"learning_rate": learning_rates.armijo()}, ValueError, "nor a line search, a transform or a prox"),
        ({"transform": lambda g: g}, ValueError, "nor a line search, a transform or a prox"),
        ({"prox": lambda w, a: w}, ValueError, "nor a line search, a transform or a prox"),
        ({"problem": problems.softmax_regression(X, np.arange(40) % 3)}, ValueError, "'softmax regression' has no kernel"),
        ({"problem": problems.from_functions(lambda w: np.sum(w**2), lambda w: 2 * w, np.ones((2, 2)))}, ValueError, "no kernel"),
        ({"problem": problems.from_functions(reads_data, lambda w: 2 * X[0, 0] * w, np.ones(2))}, TypeError, "cannot be compiled: it reads the global 'X', which is not a plain function"),
        ({"problem": problems.from_functions(np.linalg.norm, np.sign, np.ones(2))}, TypeError, "reads the global .*, which is not a plain function"),
        ({"problem": problems.from_functions(lambda w: float(w @ w), not_for_numba, np.ones(2))}, TypeError, "compiled: Numba cannot compile rule or problem 'problem'"),
        ({"problem": dataclasses.replace(BOWL, value=lambda w: 1 + BOWL.value(w))}, ValueError, "kernel of problem 'quadratic' must be its function, got value and gradient norm .* near the start"),
        ({"problem": dataclasses.replace(BOWL, grad=lambda w: 1.01 * BOWL.grad(w))}, ValueError, "kernel of problem 'quadratic' must be its function"),
        ({"rule": muon}, TypeError, "cannot be compiled"),
        ({"learning_rate": -1.0}, ValueError, "learning_rate must be a finite number and > 0, got -1"),
        ({"learning_rate": lambda t: 2.0 - t}, ValueError, r"learning_rate\(2\) must be .*, got 0.0"),
        ({"momentum": 0.5}, TypeError, r"rule 'gradient_descent' has hyperparameters \['learning_rate'\], got 'momentum'"),
        ({"rule": rules.momentum, "momentum": 1.0}, ValueError, "momentum must be a finite number and >= 0 and < 1, got 1"),
        ({"rule": rules.momentum, "momentum": lambda t: t}, ValueError, "momentum must be a finite number and >= 0 and < 1, got 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_compiled_is_refused_with_the_reason(arguments, error, message):
    with pytest.raises(error, match=message):
        minimize(**{"problem": BOWL, "steps": 5, "compiled": True, **arguments})


def test_without_numba_the_error_names_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "numba", None)
    monkeypatch.setattr(compiled_run, "_loops", {})
    with pytest.raises(ImportError, match="numba"):
        minimize(BOWL, compiled=True)


def test_weights_of_one_vector_have_a_kernel_and_others_have_none():
    assert isinstance(own().kernel, Kernel)
    assert problems.from_functions(**{**SQUARE, "start": np.ones(2)}).value(np.ones(2)) == 0.0
    lists = problems.from_functions(lambda w: float(w[0] @ w[0]), lambda w: [2 * w[0]], [np.ones(2)])
    assert lists.kernel is None


def test_a_run_may_begin_at_a_minimizer():
    """There the gradient is rounding error, in which a kernel and NumPy differ."""
    problem = problems.logistic(X.astype(np.float32), SIGNS, l2=0.01)
    solved = minimize(problem, learning_rate=1 / problem.L, steps=3000)
    again = minimize(problem, start=solved.w, learning_rate=1 / problem.L, steps=10, compiled=True)
    np.testing.assert_allclose(again.w, solved.w, atol=1e-5)


def test_an_index_outside_an_array_is_an_error_and_not_foreign_memory():
    def run(value, grad, data=()):
        problem = problems.from_functions(value, grad, np.zeros(1), data=data)
        return minimize(problem, learning_rate=1.0, steps=20, compiled=True)

    with pytest.raises(IndexError):
        run(lambda w, T: T[int(w[0])], lambda w, T: 0 * w - 1.0, (np.arange(3.0),))
    with pytest.raises(ValueError, match="must have the shape of the weights"):
        run(lambda w: w.sum(), lambda w: 0 * w[w < 1.5] - 1)
    shortening = problems.from_functions(lambda w: w.sum(), lambda w: w[w < 1], np.zeros(2))
    with pytest.raises(ValueError, match="must have the shape of the weights"):
        shortening.kernel.evaluate(np.array([0.0, 2.0]), np.zeros(2))


def cliff(w):
    return w[0] * w[0] / 2 if w[0] > -0.5 else np.inf


def slope(w):
    return 1.0 * w


def test_a_value_counts_only_where_it_is_recorded():
    problem = problems.from_functions(cliff, slope, np.ones(1))
    assert assert_agree(problem, learning_rate=1.8, steps=2, every=2).reason == "steps"


def test_more_than_all_steps_between_records_is_all_steps():
    assert assert_agree(BOWL, learning_rate=0.05, every=10**20).step.tolist() == [0, 60]
    with pytest.raises(TypeError, match="data must be a tuple of what the functions need besides w, got 5"):
        problems.from_functions(own_value, own_gradient, np.zeros(2), data=5)


def test_a_kernel_may_be_compared_where_its_gradient_is_zero():
    beside_start = 0.1  # where a run from 0 compares the kernel with the problem: exactly the minimizer of this one
    assert_agree(problems.least_squares([[1.0]], [beside_start]), learning_rate=0.5, steps=5)
