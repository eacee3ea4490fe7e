"""Mini-batches see the samples they say they see; check_gradient finds what is wrong."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fo_lib import check_gradient, gradients, problems

N = 10
ORDERS = [
    gradients.reshuffled, gradients.shuffled_once, gradients.with_replacement, gradients.in_order, gradients.in_blocks(4),
]  # fmt: skip


def counting_problem(n=N):
    """Least squares whose one-sample gradient at w = 0 is minus the sample's number, counted from 1."""
    return problems.least_squares(np.ones((n, 1)), np.arange(1.0, n + 1))


def batches(size, order, steps, seed=0, n=N):
    estimate = gradients.mini_batch(size, order)(counting_problem(n), seed)
    return [-estimate(np.zeros(1), t)[0] for t in range(1, steps + 1)]


@given(st.integers(1, N), st.sampled_from(ORDERS[:2] + ORDERS[3:]), st.integers(0, 5))
def test_an_epoch_uses_every_sample_once(size, order, seed):
    per_epoch = -(-N // size)
    means = batches(size, order, 2 * per_epoch, seed)
    sizes = [min(size, N - k * size) for k in range(per_epoch)]
    for epoch in (means[:per_epoch], means[per_epoch:]):
        assert np.dot(epoch, sizes) == pytest.approx(N * (N + 1) / 2)


def test_the_last_batch_of_an_epoch_is_the_rest():
    assert batches(4, gradients.in_order, 4) == [2.5, 6.5, 9.5, 2.5]


def test_reshuffling_changes_the_order_and_shuffling_once_does_not():
    one = batches(1, gradients.reshuffled, 2 * N)
    two = batches(1, gradients.shuffled_once, 4 * N)
    assert one[:N] != one[N:]
    assert two == 4 * two[:N]
    assert two[:N] != sorted(two[:N])
    assert sorted(one[:N]) == sorted(two[:N]) == list(range(1, N + 1))


def test_sampling_with_replacement_repeats_and_omits():
    drawn = batches(1, gradients.with_replacement, 5000, n=10)
    counts = np.bincount(np.round(drawn).astype(int), minlength=11)[1:]
    assert counts.min() > 400
    assert len(set(drawn[:10])) < 10


@pytest.mark.parametrize("order", ORDERS)
def test_what_a_step_draws_depends_on_seed_and_step_alone(order):
    estimate = gradients.mini_batch(3, order)(counting_problem(), 7)
    forwards = [estimate(np.zeros(1), t)[0] for t in range(1, 9)]
    backwards = [estimate(np.zeros(1), t)[0] for t in range(8, 0, -1)]
    assert forwards == backwards[::-1]
    afresh = [gradients.mini_batch(3, order)(counting_problem(), 7)(np.zeros(1), t)[0] for t in range(1, 9)]
    assert forwards == afresh


@pytest.mark.parametrize("order", ORDERS[:3])
def test_seeds_differ(order):
    assert batches(1, order, N, seed=0) != batches(1, order, N, seed=1)


def test_no_epoch_of_one_seed_is_an_epoch_of_another():
    epochs = {tuple(gradients.reshuffled(20, seed, epoch)) for seed in range(10) for epoch in range(10)}
    assert len(epochs) == 100


@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 7), st.integers(0, 3))
def test_blocks_come_in_random_order_each_whole_and_whatever_the_slices(n, size, step, seed):
    rows = gradients.in_blocks(size)(n, seed, 2)
    whole = rows[0:n]
    assert len(rows) == n
    assert sorted(whole) == list(range(n))
    pieces = gradients.in_blocks(size)(n, seed, 2)
    np.testing.assert_array_equal(np.concatenate([pieces[k : k + step] for k in range(0, n, step)]), whole)
    blocks = [row // size for row in whole]
    assert sum(a != b for a, b in itertools.pairwise(blocks)) == -(-n // size) - 1


def test_blocks_are_mixed_within_and_among_themselves_and_anew_in_each_epoch():
    one, two = (gradients.in_blocks(50)(1000, 0, epoch)[0:1000] for epoch in (1, 2))
    assert (one != two).mean() > 0.9
    assert (one // 50 != np.arange(1000) // 50).mean() > 0.5
    offsets = one.reshape(20, 50) % 50
    assert all((row != np.arange(50)).mean() > 0.5 for row in offsets)
    assert len({tuple(row) for row in offsets}) == 20


def test_the_order_of_blocks_is_not_that_of_the_rows_in_one_of_them():
    rows = gradients.in_blocks(10)(100, 3, 1)[0:100]
    blocks, first = rows[::10] // 10, rows[rows < 10]
    assert blocks.tolist() != first.tolist()


def test_the_order_within_a_block_is_a_function_of_seed_epoch_and_block():
    """So that another program that reads the same file can follow."""
    rows = gradients.in_blocks(5)(20, 7, 2)[0:20].reshape(4, 5)
    for block in rows[:, 0] // 5:
        expected = np.random.default_rng([7, 2, block + 1]).permutation(np.arange(5 * block, 5 * block + 5))
        assert expected.tolist() in rows.tolist()


def test_a_billion_rows_are_drawn_from_block_by_block():
    """Eight gigabytes for the order of an epoch, if it were made at once."""
    rows = gradients.in_blocks(100_000)(10**9, 0, 1)
    start = rows[0:64]
    assert len(set(start // 100_000)) == 1
    assert rows[10**9 - 3 : 10**9].max() < 10**9
    np.testing.assert_array_equal(rows[0:64], start)


def test_blocks_must_have_a_size():
    with pytest.raises(ValueError, match="size must be a whole number >= 1, got 0"):
        gradients.in_blocks(0)
    with pytest.raises(TypeError, match=r"order must be called: in_blocks\(\.\.\.\), not just named"):
        gradients.mini_batch(2, gradients.in_blocks)


@pytest.mark.parametrize("order", ORDERS[:3])
def test_large_sets_are_shuffled_all_over(order):
    rows = order(1000, 0, 1)
    assert len(set(rows[:100] // 100)) > 5


@pytest.mark.parametrize("rows", [[0, 1], np.arange(10.0), np.arange(1, 11), np.arange(5, 15), np.arange(-1, 9)])
def test_an_order_that_is_none_is_named(rows):
    estimate = gradients.mini_batch(2, lambda n, seed, epoch: rows)(counting_problem(), 0)
    with pytest.raises(ValueError, match="order must return 10 integers from 0 to 9, got shape"):
        estimate(np.zeros(1), 1)


def test_a_batch_is_one_sample_unless_told_otherwise():
    estimate = gradients.mini_batch()(counting_problem(), 0)
    assert sorted(-estimate(np.zeros(1), t)[0] for t in range(1, N + 1)) == list(range(1, N + 1))


def test_a_batch_of_everything_is_the_full_gradient():
    problem = counting_problem()
    estimate = gradients.mini_batch(N)(problem, 0)
    np.testing.assert_allclose(estimate(np.ones(1), 1), problem.grad(np.ones(1)), rtol=1e-14)
    assert gradients.full(problem)(np.ones(1), 1) == problem.grad(np.ones(1))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gradients.mini_batch(0), ValueError, "size must be a whole number >= 1, got 0"),
        (lambda: gradients.mini_batch(2.0), TypeError, "size must be a whole number >= 1, got 2.0"),
        (lambda: gradients.mini_batch(2, "random"), TypeError, "order must be a function, got 'random'"),
        (
            lambda: gradients.mini_batch(11)(counting_problem(), 0),
            ValueError,
            r"<= 10 \(the number of samples\), got 11",
        ),
        (
            lambda: gradients.mini_batch(1)(problems.rosenbrock(), 0),
            TypeError,
            r"mini_batch needs a problem with samples",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def cubes(w):
    return (w**3).sum()


def test_a_right_gradient_passes_both_ways():
    errors = check_gradient(cubes, lambda w: 3 * w**2, np.array([1.0, -2.0, 3.0]))
    assert errors["central differences"] < 1e-9
    assert errors["complex step"] < 1e-15


@pytest.mark.parametrize("wrong", [lambda w: -3 * w**2, lambda w: 3.001 * w**2, lambda w: 3 * w**2 + [0, 0, 1e-3]])
def test_a_wrong_gradient_is_found_and_the_entry_named(wrong):
    with pytest.raises(ValueError, match=r"grad is wrong: entry \d is .*, by complex step it is"):
        check_gradient(cubes, wrong, np.array([1.0, -2.0, 3.0]))


def test_the_complex_step_decides_where_differences_lose_their_digits():

    def far(w):
        return cubes(w) + 1e6

    errors = check_gradient(far, lambda w: 3 * w**2, np.ones(2), tolerance=1e-14)
    assert errors["central differences"] > 1e-7
    with pytest.raises(ValueError, match=r"by complex step it is 3 .*tolerance 1\.0e-12"):
        check_gradient(far, lambda w: 3 * w**2 * (1 + 1e-11), np.ones(2), tolerance=1e-12)


def test_values_that_are_not_complex_functions_are_judged_by_differences_alone():
    for value in (lambda w: np.abs(w).sum(), lambda w: float(w.sum()), lambda w: np.zeros(1) + w.real.sum()):
        assert list(check_gradient(value, np.ones_like, np.array([1.0, 2.0]))) == ["central differences"]
    small = check_gradient(lambda w: 1e-6 * np.abs(w).sum(), lambda w: 1e-6 + 0 * w, np.ones(2))
    assert list(small) == ["central differences"]  # whatever the units of the gradient


def test_lists_of_arrays_are_checked_in_float64_whatever_their_dtype():
    w = [np.ones((2, 2), np.float32), np.ones(3, np.float32)]
    errors = check_gradient(lambda w: cubes(w[0]) + cubes(w[1]), lambda w: [3 * a**2 for a in w], w)
    assert errors["central differences"] < 1e-9


def test_a_zero_gradient_is_right_where_the_value_is_flat():
    assert check_gradient(lambda w: 5.0, np.zeros_like, np.ones(2)) == {"central differences": 0.0, "complex step": 0.0}


def test_errors_are_relative_to_the_largest_entry():
    with pytest.raises(ValueError, match=r"relative error 1\.0e-03"):
        check_gradient(cubes, lambda w: 3 * w**2 + 3e-3, np.ones(4))


def test_a_value_that_is_no_number_is_named():
    with pytest.raises(ValueError, match=r"value must return one number, got an array of shape \(2,\)"):
        check_gradient(lambda w: w, np.ones_like, np.ones(2))
    with pytest.raises(ValueError, match="value must be finite near w"):
        check_gradient(lambda w: np.nan, np.ones_like, np.ones(2))


def test_check_gradient_refuses_bad_arguments():
    with pytest.raises(ValueError, match="tolerance must be a finite number and > 0, got 0"):
        check_gradient(cubes, cubes, np.ones(2), tolerance=0)
    with pytest.raises(ValueError, match="w must hold finite numbers"):
        check_gradient(cubes, cubes, np.array([np.nan]))
