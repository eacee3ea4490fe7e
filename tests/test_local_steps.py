"""Local steps, teams of workers and late gradients: which samples, which weights, and what is refused."""

import numpy as np
import pytest

from fo_lib import minimize, problems, rules
from fo_lib.gradients import mini_batch
from fo_lib.local_steps import local_sgd
from fo_lib.staleness import stale
from fo_lib.team import Team, mean_of, shuffled_split, sorted_split

DATA = np.random.default_rng(3).standard_normal((24, 3))
PROBLEM = problems.least_squares(DATA, DATA @ [1.0, 2.0, -1.0] + 0.3 * DATA[:, 0] ** 2)


def numbered(n):
    """Least squares whose one-sample gradient at 0 is minus the sample's number, from 1 on."""
    return problems.least_squares(np.ones((n, 1)), np.arange(1.0, n + 1))


def test_splits_are_partitions():
    labels = np.array([3, 1, 2, 1, 3, 2, 0])
    for rows in (shuffled_split(7, 3, seed=2), sorted_split(labels, 3)):
        assert [len(part) for part in rows] == [3, 2, 2]
        assert sorted(np.concatenate(rows)) == list(range(7))
    assert [labels[part].tolist() for part in sorted_split(labels, 3)] == [[0, 1, 1], [2, 2], [3, 3]]
    assert sorted_split(labels, 3)[0].tolist() == [6, 1, 3]  # of equal labels the first
    one, other = shuffled_split(50, 2), shuffled_split(50, 2, seed=1)
    assert not np.array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[0], shuffled_split(50, 2)[0])


def test_each_worker_draws_from_its_own_samples_each_once_an_epoch():
    team = Team("test", numbered(12), [np.arange(0, 6), np.arange(6, 12)], 2, 0)
    for worker, wanted in ((0, sum(range(1, 7))), (1, sum(range(7, 13)))):
        for epoch in range(2):
            sums = [-2 * team.gradient(worker, np.zeros(1), t)[0] for t in range(3 * epoch + 1, 3 * epoch + 4)]
            assert sum(sums) == pytest.approx(wanted)
    orders = [[team.gradient(worker, np.zeros(1), t)[0] for t in range(1, 13)] for worker in (0, 1)]
    assert not np.allclose(np.array(orders[1]) + 6, orders[0])  # not the same stream of numbers
    assert len(team) == 2


def test_local_steps_by_hand():
    workers = [np.arange(10), np.arange(10, 24)]
    w = np.array([0.3, -0.2, 1.0])
    change = local_sgd(workers, 3, rate=0.1)(PROBLEM, 0)(w, 1)
    ends = []
    for rows in workers:
        v = w
        for _ in range(3):
            v = v - 0.1 * PROBLEM.sample_grad(v, rows)
        ends.append(v)
    np.testing.assert_allclose(w - change, (10 * ends[0] + 14 * ends[1]) / 24, rtol=1e-12)


def test_every_local_step_has_a_batch_of_its_own():
    seen = []
    problem = numbered(8)
    watched = problems.FiniteSum(
        value=problem.value, grad=problem.grad, start=problem.start, n_samples=8,
        sample_grad=lambda w, rows: (seen.extend(rows.tolist()), problem.sample_grad(w, rows))[1],
    )  # fmt: skip
    minimize(watched, learning_rate=1.0, gradient=local_sgd([np.arange(8)], 4, rate=0.01, size=1), steps=2)
    assert sorted(seen) == list(range(8))


def test_a_schedule_of_the_local_rate_counts_rounds():
    oracle = local_sgd([np.arange(24)], 2, rate=lambda t: 0.1 / t)(PROBLEM, 0)
    for t in (1, 4):
        constant = local_sgd([np.arange(24)], 2, rate=0.1 / t)(PROBLEM, 0)
        np.testing.assert_array_equal(oracle(np.ones(3), t), constant(np.ones(3), t))


def test_active_workers_are_drawn_without_repetition_and_evenly():
    workers = [np.array([i]) for i in range(6)]
    oracle = local_sgd(workers, 1, rate=1.0, active=2)(numbered(6), 0)
    drawn = np.array([-oracle(np.zeros(1), t)[0] for t in range(1, 601)])  # means of two numbers of 1 to 6
    assert set(2 * drawn.round(9)) <= set(range(3, 12))
    assert drawn.mean() == pytest.approx(3.5, abs=0.15)
    assert oracle(np.zeros(1), 5) == oracle(np.zeros(1), 5)
    everyone = local_sgd(workers, 1, rate=1.0, active=6)(numbered(6), 0)
    assert everyone(np.zeros(1), 1) == pytest.approx(-3.5)


def test_a_server_may_have_a_rule_of_its_own_and_a_diverging_worker_is_reported():
    workers = shuffled_split(24, 3)
    plain, heavy = (
        minimize(PROBLEM, rule, learning_rate=1.0, gradient=local_sgd(workers, 2, rate=0.02), steps=40)
        for rule in (rules.gradient_descent, rules.momentum)
    )
    assert heavy.value[-1] < plain.value[-1]
    wild = minimize(PROBLEM, learning_rate=1.0, gradient=local_sgd(workers, 50, rate=100.0), steps=20)
    assert wild.reason == "diverged"
    assert np.isfinite(wild.w).all()


def test_weights_of_several_arrays_keep_their_dtype():
    problem = problems.softmax_regression(DATA.astype(np.float32), np.arange(24) % 3)
    run = minimize(problem, learning_rate=1.0, gradient=local_sgd(shuffled_split(24, 4), 5, rate=0.1), steps=20)
    assert [part.dtype for part in run.w] == [np.float32, np.float32]
    assert run.value[-1] < run.value[0]


def test_the_mean_of_problems():
    parts = [problems.quadratic([1.0, 3.0], minimizer=[1.0, 0.0]), problems.quadratic([5.0, 1.0])]
    mean, w = mean_of(parts), np.array([2.0, -1.0])
    assert mean.value(w) == pytest.approx((parts[0].value(w) + parts[1].value(w)) / 2)
    np.testing.assert_allclose(mean.grad(w), (parts[0].grad(w) + parts[1].grad(w)) / 2)
    np.testing.assert_array_equal(mean.sample_grad(w, np.array([1])), parts[1].grad(w))
    assert (mean.L, mean.mu, mean.L_max, mean.n_samples) == (4, 1, 5, 2)
    unknown = mean_of([problems.rosenbrock(), problems.quadratic([1.0, 1.0])])
    assert unknown.L is None
    assert unknown.L_max is None


def test_a_late_gradient_is_that_of_then():
    seen = []
    problem = problems.from_functions(lambda w: float(w @ w), lambda w: 2 * w, np.ones(1))
    oracle = stale(2)(problem, 0)
    for t, x in enumerate([1.0, 0.9, 0.7, 0.4, 0.0], 1):
        seen.append(oracle(np.array([x]), t)[0] / 2)
    assert seen == [1.0, 1.0, 1.0, 0.9, 0.7]
    drawn = stale(2, random=True)(problem, 0)
    ages = [t - 1 - int(drawn(np.array([float(t - 1)]), t)[0] / 2) for t in range(1, 400)]
    assert set(ages) == {0, 1, 2}
    assert 100 < ages.count(1) < 170
    same = minimize(problem, learning_rate=0.1, gradient=stale(0), steps=9, iterates=True)
    np.testing.assert_array_equal(same.iterates, minimize(problem, learning_rate=0.1, steps=9, iterates=True).iterates)


def test_a_late_batch_is_the_batch_of_its_step():
    late, fresh = stale(3, mini_batch(2))(PROBLEM, 5), mini_batch(2)(PROBLEM, 5)
    for t in range(1, 9):
        np.testing.assert_array_equal(late(np.ones(3), t), fresh(np.ones(3), t))


REFUSED = [
    (lambda: shuffled_split(3, 4), ValueError, "workers must be .* <= 3 .the number of samples., got 4"),
    (lambda: shuffled_split(3, 1.5), TypeError, "workers must be a whole number"),
    (lambda: sorted_split([1, 2], 3), ValueError, "the number of samples"),
    (lambda: sorted_split([[1, 2]], 1), ValueError, "labels must be"),
    (lambda: mean_of([]), TypeError, "parts must be a sequence of at least one Problem"),
    (lambda: mean_of([1.0]), TypeError, "parts must be a sequence"),
    (lambda: mean_of([problems.quadratic([1.0]), problems.quadratic([1.0, 2.0])]), ValueError, "weights of one shape"),
    (lambda: local_sgd([[0]], 0, rate=0.1), ValueError, "local must be a whole number >= 1, got 0"),
    (lambda: local_sgd([[0]], 1, rate=-0.1), ValueError, "rate must be"),
    (lambda: local_sgd([[0]], 1, rate=0.1, active=0), ValueError, "active must be"),
    (lambda: stale(-1), ValueError, "delay must be a whole number >= 0, got -1"),
    (lambda: stale(1.0), TypeError, "delay must be"),
    (lambda: stale(1, 3), TypeError, "gradient must be a function, got 3"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_bad_arguments_are_refused_at_once(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("workers", "error", "message"),
    [
        ([np.arange(23)], ValueError, "share the 24 samples, each exactly once; got 23 rows"),
        ([np.arange(24), np.array([3])], ValueError, "got 25 rows"),
        ([np.arange(23), np.array([3])], ValueError, "each exactly once; got 24 rows"),
        ([np.arange(1, 25)], ValueError, "each exactly once; got 24 rows"),
        ([np.arange(24.0)], ValueError, "non-empty vector of integers"),
        ([np.arange(24), []], ValueError, r"workers\[1\] must be a non-empty vector"),
        (4, TypeError, "workers must be a list of rows"),
        ([], TypeError, "workers must be a list of rows"),
    ],
)
def test_workers_that_are_no_partition_are_refused(workers, error, message):
    with pytest.raises(error, match=message):
        minimize(PROBLEM, learning_rate=1.0, gradient=local_sgd(workers, 1, rate=0.1), steps=1)


def test_what_only_a_run_can_see_is_refused_at_its_start():
    two = [np.arange(12), np.arange(12, 24)]
    with pytest.raises(ValueError, match=r"active must be .* <= 2 .the number of workers., got 3"):
        minimize(PROBLEM, gradient=local_sgd(two, 1, rate=0.1, active=3))
    with pytest.raises(ValueError, match=r"size must be .* <= 12"):
        minimize(PROBLEM, gradient=local_sgd(two, 1, rate=0.1, size=13), steps=1)
    with pytest.raises(TypeError, match="local_sgd needs a problem with samples"):
        minimize(problems.rosenbrock(), gradient=local_sgd(two, 1, rate=0.1))
