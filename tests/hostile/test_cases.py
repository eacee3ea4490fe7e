"""What the hunts found, one case each: the error that is raised now, or the result."""

import numpy as np
import pytest

from fo_lib import (
    checks,
    coordinate,
    datasets,
    distributed,
    engine,
    gradients,
    keras,
    learning_rates,
    linear_models,
    minimize,
    newton,
    planning,
    plots,
    primal_dual,
    problems,
    prox,
    question_bank,
    rates,
    rules,
    sets,
    skip_gram,
    team,
    text,
    training,
)
from fo_lib.schedules import as_schedule
from fo_lib.word_vectors import WordVectors

from .calls_data import CLUSTER, CORPUS, SHARES, VOCABULARY
from .calls_slots import BOWL, RIDGE, G, W, X, Y

MASKED = np.ma.array([1.0, 2.0], mask=[False, True])
H = np.eye(2)
RNG = np.random.default_rng(0)
TINY = planning.Cluster(parameters=1.0, sample_seconds=1e-300, latency=0.0, bandwidth=1.0)
PLAN = {"samples": 10, "batch": 2.0}


def squared(p, y):
    return 0.5 * (p - y) ** 2, p - y


REFUSED = {
    "a whole number beyond floats": (lambda: checks.number("x", 10**400), ValueError, "x must be a finite number"),
    "a masked number": (lambda: checks.number("x", np.ma.masked), TypeError, "x must be a finite number"),
    "masked entries": (lambda: checks.array("x", MASKED), ValueError, "x must be an array without masked entries"),
    "a label beyond whole floats": (lambda: checks.labels("y", [1e200], n=1), ValueError, "y must be whole numbers up"),
    "a generator": (lambda: checks.several("x", iter([1])), TypeError, "x must be a sequence, got list_iterator"),
    "an array of no dimension": (lambda: checks.several("x", np.array(1)), TypeError, "x must be a sequence"),
    "n, not k": (lambda: rates.naive_summation(0, precision=24), ValueError, "n must be >= 1"),
    "t, not k": (lambda: rates.adam_largest_step(0), ValueError, "t must be >= 1"),
    "L_max, not L": (lambda: rates.svrg_stage(L_max=0, mu=1, learning_rate=1, inner=1), ValueError, "L_max must be"),
    "infinity times zero": (
        lambda: rates.dual_coordinate_ascent(1, n=10, l2=1.7e308, square=2.0, gamma=1.0),
        ValueError, "dual_coordinate_ascent goes beyond the range of float64 at t=1, n=10, l2=1.7e",
    ),
    "a divisor that is lost": (lambda: rates.feedback_error(5e-324), ValueError, "feedback_error goes beyond"),
    "shapes that do not fit": (
        lambda: rates.two_batch_estimates([1.0, 2.0], [1.0, 2.0, 3.0], sizes=(1, 2)),
        ValueError, r"small and big must have shapes that fit together, got \(2,\) and \(3,\)",
    ),
    "one size of two": (lambda: rates.two_batch_estimates(1.0, 2.0, sizes=3), TypeError, "sizes must be two numbers"),
    "a rate that underflows": (
        lambda: as_schedule("rate", learning_rates.inverse(1.0, 1.0, 1e300), above=0.0)(9), ValueError, r"rate\(9\) must",
    ),
    "a problem that is none": (lambda: problems.solve(None), TypeError, "problem must be a Problem"),
    "targets whose squares overflow": (lambda: problems.least_squares(X, 1e200 * Y), ValueError, "y must hold numbers"),
    "a gradient that is none": (lambda: gradients.check_gradient(np.sum, None, W), TypeError, "grad must be a function"),
    "w, not start": (lambda: gradients.check_gradient(np.sum, np.sum, [np.nan]), ValueError, "w must hold finite"),
    "a gradient of another shape": (
        lambda: prox.gradient_mapping(prox.l1(1.0), W, G[:1], 1.0), ValueError, r"g must have the shape of w, \(2,\)",
    ),
    "a group that asks for all memory": (lambda: prox.group_lasso(1.0, [0, 2**40]), ValueError, "groups must number"),
    "a limit that is no number": (lambda: sets.box("x", 1.0), TypeError, "lower must be an array of real numbers"),
    "limits of two shapes": (lambda: sets.box([0, 0], [1, 1, 1]), ValueError, "lower and upper must have one shape"),
    "a rule with no hash": (lambda: minimize(BOWL, []), TypeError, r"rule must be a function, got \[\]"),
    "a pass of float16": (lambda: engine.fuse(rules.adam, np.float16), TypeError, "dtype must be numpy.float32 or"),
    "a Hessian whose norm overflows": (
        lambda: newton.trust_region_step(G, 1e200 * H, 1.0), ValueError, "g and H must hold numbers whose squares",
    ),
    "a pair that is none": (lambda: newton.two_loop(G, [(W, W[:1])]), TypeError, r"pairs\[0\] must be two vectors"),
    "products that overflow": (lambda: newton.two_loop(1e308 * G, [(1e9 * W, W)]), ValueError, "g and pairs must hold"),
    "no operators": (
        lambda: primal_dual.consensus_admm(None, value=np.sum, start=W, penalty=1.0), TypeError, "operators must be a",
    ),
    "a loss that overflows": (
        lambda: linear_models.sgd(X, 1e200 * Y, loss=squared, learning_rate=1.0, compiled=False),
        ValueError, "y must be small enough for the loss",
    ),
    "ragged rows": (lambda: linear_models.sgd([[1], [1, 2]], Y, learning_rate=1.0), ValueError, "X must be an array of"),
    "masked data": (
        lambda: coordinate.largest_l1(np.ma.array(X, mask=X > 1), Y), ValueError, "X must be an array without masked",
    ),
    "no parts": (lambda: team.mean_of(None), TypeError, "parts must be a sequence"),
    "lines that are a number": (lambda: text.build_vocabulary(3), TypeError, "lines must be an iterable of lines, got int"),
    "no vocabulary": (lambda: text.encode(["a"], None), TypeError, "vocabulary must be a Vocabulary"),
    "a frequency of zero": (lambda: skip_gram.keep_probability([0.0]), ValueError, "frequencies must be > 0"),
    "counts of zero": (lambda: skip_gram.noise_distribution([0, 0]), ValueError, "counts must be >= 0, and not all 0"),
    "one line of two": (lambda: skip_gram.pairs(CORPUS, SHARES, 3, RNG), TypeError, "lines must be the first and"),
    "too few frequencies": (lambda: skip_gram.pairs(CORPUS, [0.5], (0, 3), RNG), ValueError, "frequencies must be as"),
    "words that are none": (lambda: WordVectors(None, np.eye(2)), TypeError, "words must be a sequence"),
    "a step that takes no time": (
        lambda: planning.plan(TINY, 1, samples=10, batch=1e-300), ValueError, "cluster and batch must give times",
    ),
    "a target beyond floats": (
        lambda: planning.plan(CLUSTER, 2, **PLAN, least_steps=1e308, critical_batch=9.0),
        ValueError, "least_steps and critical_batch must give times",
    ),
    "infinite minus infinite seconds": (
        lambda: planning.Cluster(parameters=1.0, sample_seconds=1e308, latency=1.0, bandwidth=1.0).step(1, 100.0),
        ValueError, "batch must give a time within the range of floats",
    ),
    "answers that are none": (lambda: question_bank.grade(None, 3), TypeError, "answers must be a Mapping"),
    "a list for a name": (lambda: question_bank.ask([], 3), ValueError, "name must be one of"),
    "pairs of a list": (lambda: datasets.word_pairs([]), ValueError, "name must be one of"),
    "ragged rows to split": (
        lambda: datasets.train_test_split([[1], [1, 2]], Y, 0.5, 0), ValueError, "X and y must be arrays, with all rows",
    ),
    "variables that are none": (lambda: training.restore(None, []), TypeError, "variables must be a sequence"),
    "settings that are none": (
        lambda: training.train(lambda k: 1.0, [], rounds=1, settings="x"), TypeError, "settings must be a Mapping",
    ),
    "a batch of no rows": (lambda: distributed.shard(np.array(3), 0, 1), ValueError, "batch must have rows"),
    "arrays without rows": (
        lambda: distributed.feed([[]], 1, seed=0, last=1), ValueError, "arrays must have rows, got one without",
    ),
    "an empty table": (lambda: keras.TableSchedule([]), ValueError, "rates must hold at least one learning rate"),
    "a picture of one dimension": (
        lambda: plots.images([np.ones(3)], ["one"]), ValueError, r"pictures\[0\] must have two dimensions, got shape",
    ),
    "rows of two lengths in a list": (
        lambda: minimize(BOWL, start=[[1.0], [1.0, 2.0]]), ValueError, "start must have the shape of the problem's",
    ),
    "rows of two lengths in a row": (
        lambda: minimize(BOWL, start=[[[1.0], [1.0, 2.0]]]), ValueError, r"start\[0\] must be an array of numbers",
    ),
    "no environment": (lambda: distributed.task("x"), TypeError, "environ must be a Mapping"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_by_name(case):
    call, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        call()


def test_a_bound_that_is_too_large_for_a_float_is_infinite():
    assert rates.gradient_descent_convex(1, L=1e308, R=1e9) == np.inf


def test_a_rate_that_is_an_array_of_no_dimension_is_read_and_not_changed():
    first = np.array(2)
    trace = minimize(BOWL, learning_rate=learning_rates.armijo(first), steps=2)
    assert first == 2
    np.testing.assert_array_equal(trace.w, minimize(BOWL, learning_rate=learning_rates.armijo(2.0), steps=2).w)


def test_a_small_integer_type_does_not_overflow():
    assert minimize(BOWL, learning_rate=0.1, steps=np.uint8(255)).step[-1] == 255
    assert learning_rates.cosine(1.0, np.int8(127))(127) > 0
    np.testing.assert_allclose(learning_rates.inverse(np.float16(60000), 0.5)(1), 60000)


def test_a_trust_region_whose_square_overflows_holds_the_newton_step():
    np.testing.assert_allclose(newton.trust_region_step(G, H, 1e200), -G)
    hard = newton.trust_region_step(np.array([0.0, 1.0]), np.diag([-1.0, 1.0]), 2.0)
    assert np.linalg.norm(hard) == pytest.approx(2)


def test_longer_windows_than_the_text_cost_nothing():
    found = [skip_gram.pairs(CORPUS, SHARES, (0, 3), np.random.default_rng(0), window=w)[0] for w in (2**31, 2**31)]
    np.testing.assert_array_equal(*found)


def test_a_problem_of_ridge_takes_a_penalty_of_any_number_type():
    assert problems.least_squares(X, Y, l2=np.longdouble(0.25)).minimum == RIDGE.minimum
    assert len(VOCABULARY.words) == len(SHARES)
