"""Theorems of the chapter on sweeps and on data larger than memory."""

from fractions import Fraction
from itertools import combinations, permutations, product
from math import comb

import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, stats

from fo_lib.out_of_core import groups, pages, shuffle_buffer
from fo_lib.sweeps import successive_halving


@pytest.mark.parametrize(("eta", "k"), [(2, 4), (3, 2), (4, 3)])
def test_each_rung_of_successive_halving_costs_about_the_same(eta, k):
    n, r = eta**k, 5
    kept = successive_halving(np.random.default_rng(0).random((n, k + 1)), eta)
    trained = [n, *map(len, kept)][: k + 1]  # at each rung, before the choice
    assert trained == [n // eta**i for i in range(k + 1)]
    ends = [eta**i * r for i in range(k + 1)]
    afresh = [alive * end for alive, end in zip(trained, ends, strict=True)]
    assert afresh == [n * r] * (k + 1)
    resumed = [alive * more for alive, more in zip(trained, np.diff([0, *ends]), strict=True)]
    assert sum(resumed) == pytest.approx(n * r * (1 + k * (1 - 1 / eta)))
    assert n * ends[-1] == n**2 * r


def rungs_of(final, error, rng):
    return np.column_stack([final + rng.uniform(-e, e, len(final)) for e in error] + [final])


def test_the_best_trial_survives_where_few_are_within_twice_the_error():
    """And it is the condition that decides: with one rival more it can be lost."""
    n, eta = 16, 4
    rng, kept_best = np.random.default_rng(0), 0
    for _ in range(300):
        error = rng.uniform(0, 0.15, 2)
        final = rng.permutation(np.concatenate([[0.0], rng.uniform(0.0, 1, n - 1)]))
        alive, safe = np.arange(n), True
        losses = rungs_of(final, error, rng)
        for i, kept in enumerate(successive_halving(losses, eta)):
            e = [*error, 0.0][i]
            safe = safe and np.sum(final[alive] <= 2 * e) - 1 < max(1, len(alive) // eta)
            assert not safe or 0 == final[kept].min()
            alive = kept
        kept_best += safe
    assert kept_best > 20  # the condition is not empty
    final = np.concatenate([[0.0], np.full(4, 0.19), np.full(11, 0.9)])  # four rivals, and four places
    lost = np.column_stack([final + 0.1 * np.where(np.arange(n) == 0, 1, -1), final])
    assert 0 not in successive_halving(lost, eta)[0]
    final[4] = 0.9  # three rivals
    found = np.column_stack([final + 0.1 * np.where(np.arange(n) == 0, 1, -1), final])
    assert 0 in successive_halving(found, eta)[0]


def test_where_curves_cross_halving_is_a_guess_or_worse():
    final = np.arange(8.0)
    kept = successive_halving(np.column_stack([final[::-1], final, final]), 2)  # reversed at the first rung
    assert kept[-1][0] == 4  # 8 - 8 / 2: the best of the worse half
    wins = np.zeros(4)
    for order in permutations(range(4)):  # the first rung says nothing about the end
        wins[successive_halving(np.column_stack([order, np.arange(4)]), 4)[-1][0]] += 1
    np.testing.assert_array_equal(wins / 24, 1 / 4)


def largest_normal(n):
    """The expected maximum of n normal numbers."""
    return integrate.quad(lambda x: n * x * stats.norm.pdf(x) * stats.norm.cdf(x) ** (n - 1), -10, 10)[0]


def test_the_best_of_noisy_trials_is_too_good():
    rng, s, n = np.random.default_rng(0), 0.5, 20
    for means in (np.zeros(n), np.linspace(0, 1, n), np.r_[0.0, np.full(n - 1, 3.0)]):
        seen = means + s * rng.standard_normal((40_000, n))
        chosen = np.argmin(seen, axis=1)
        best, true = seen.min(1), means[chosen]
        slack = 4 * s / np.sqrt(40_000)
        assert best.mean() <= means.min() + slack
        gain = (true - best).mean()
        assert -slack < gain <= s * np.sqrt(2 * np.log(n))
        afresh = true + s * rng.standard_normal(40_000)
        assert abs((afresh - true).mean()) < slack
        if not means.any():  # all alike: the whole gain is imagined
            assert gain == pytest.approx(s * largest_normal(n), abs=slack)
            assert gain > 0.7 * s * np.sqrt(2 * np.log(n))
    for n in (2, 10, 100, 1000):
        assert largest_normal(n) <= np.sqrt(2 * np.log(n))


@pytest.mark.parametrize(("n", "q", "b"), [(8, 2, 3), (9, 3, 2), (12, 4, 5), (6, 1, 4)])
def test_pages_of_a_random_batch(n, q, b):
    counts = [pages(rows, 4096 // q if 4096 % q == 0 else 4, page=4096 if 4096 % q == 0 else 4 * q)
              for rows in combinations(range(n), b)]  # fmt: skip
    assert np.mean(counts) == pytest.approx(n // q * (1 - comb(n - q, b) / comb(n, b)), rel=1e-12)


def test_pages_of_an_epoch():
    """Random batches read nearly a page for each row, groups of blocks every page once."""
    n, q, b = 16_384, 4, 64
    order = np.random.default_rng(0).permutation(n)
    shuffled = sum(pages(order[i : i + b], 1024) for i in range(0, n, b))
    grouped = sum(pages(rows, 1024) for rows in groups(n, 256, 4, seed=0, epoch=0))
    assert grouped == n // q
    expected = n // b * (n // q * (1 - comb(n - q, b) / comb(n, b)))
    assert shuffled == pytest.approx(expected, rel=0.01)
    assert 3.9 < shuffled / grouped < q


def law_of_the_buffer(n, size):
    """The exact probability that a row comes out in a step, over all choices: (row, step)."""
    found = np.zeros((n, n), dtype=object)
    for places in product(range(size), repeat=n - size):
        buffer, out = list(range(size)), []
        for row, place in enumerate(places, start=size):
            out.append(buffer[place])
            buffer[place] = row
        for rest in permutations(buffer):
            for step, row in enumerate([*out, *rest]):
                found[row, step] += 1
    return found / found[0].sum()


def formula(n, size, row, step):
    first = max(0, row - size + 1)
    if step < first:
        return Fraction(0)
    return Fraction(1, size) * (1 - Fraction(1, size)) ** (min(step, n - size) - first)


@pytest.mark.parametrize(("n", "size"), [(5, 1), (6, 2), (6, 3), (5, 5), (7, 4)])
def test_the_law_of_the_shuffle_buffer(n, size):
    exact = law_of_the_buffer(n, size)
    for row, step in product(range(n), repeat=2):
        assert exact[row, step] == pytest.approx(float(formula(n, size, row, step)), rel=1e-12)
    drawn = np.zeros((n, n))
    for seed in range(4000):
        drawn[shuffle_buffer(n, size, seed=seed), np.arange(n)] += 1 / 4000
    np.testing.assert_allclose(drawn, exact.astype(float), atol=0.035)
    assert not drawn[exact == 0].any()


def test_a_row_is_at_most_a_buffer_early_and_late_without_a_limit():
    n, size = 60_000, 100
    places = np.empty(n, int)
    places[shuffle_buffer(n, size, seed=0)] = np.arange(n)
    moved = (places - np.arange(n))[size : -20 * size]
    assert moved.min() == -(size - 1)
    assert abs(moved.mean()) < 4 * size / np.sqrt(len(moved))
    assert moved.std() == pytest.approx(np.sqrt(size * (size - 1)), rel=0.03)
    for c in (0, 1, 3):
        exact = (1 - 1 / size) ** (c * size + size)
        assert np.mean(moved > c * size) == pytest.approx(exact, abs=0.01)
        assert exact == pytest.approx(np.exp(-1 - c), rel=0.03)


def test_what_a_buffer_leaves_of_earlier_classes():
    length, size, classes = 60, 20, 3
    n = length * classes
    for c, u in product((1, 2), (0, 7, 40)):
        step = c * length + u
        if step > n - size:
            continue
        earlier = sum(formula(n, size, row, step) for row in range(c * length))
        later = sum(formula(n, size, row, step) for row in range((c + 1) * length, n))
        assert float(earlier) == pytest.approx((1 - 1 / size) ** (size + u), rel=1e-12)
        assert earlier < np.exp(-1 - u / size)
        assert later == 0
    assert sum(formula(n, size, row, length + 41) for row in range(2 * length, n)) > 0


@pytest.mark.parametrize(("blocks", "size", "together", "b"), [(4, 2, 2, 2), (3, 3, 2, 4), (5, 2, 1, 1), (3, 2, 3, 2)])
def test_the_variance_of_a_batch_from_a_group_of_blocks(blocks, size, together, b):
    values = np.sort(np.random.default_rng(0).standard_normal(blocks * size)).reshape(blocks, size)
    means = np.array([
        np.mean(batch)
        for group in combinations(range(blocks), together)
        for batch in combinations(values[list(group)].ravel(), b)
    ])  # fmt: skip
    assert means.mean() == pytest.approx(values.mean(), abs=1e-13)
    between = np.var(values.mean(1), ddof=1) / together * (1 - together / blocks)
    in_group = together * size
    rest = (in_group - b) / (in_group - 1) / b * (values.var() - between)
    assert means.var() == pytest.approx(between + rest, rel=1e-12)
    assert (between == 0) == (together == blocks)


def test_groups_are_blocks_without_replacement_and_batches_within_them():
    """What the theorem assumes is what fo_lib.out_of_core.groups does."""
    firsts = [next(groups(12, 3, 2, seed=seed, epoch=0)) for seed in range(3000)]
    chosen = np.array([np.isin(np.arange(12).reshape(4, 3)[:, 0], rows) for rows in firsts])
    assert np.all(chosen.sum(1) == 2)
    pairs = np.bincount(chosen @ [8, 4, 2, 1])
    np.testing.assert_allclose(pairs[pairs > 0] / 3000, 1 / 6, atol=0.03)
    assert np.count_nonzero(pairs) == 6
    leading = np.bincount([rows[0] for rows in firsts], minlength=12) / 3000
    np.testing.assert_allclose(leading, 1 / 12, atol=0.02)


def test_blocks_of_a_shuffled_file_differ_as_little_as_random_batches():
    values = np.random.default_rng(1).standard_normal(6)
    found = [np.var(np.reshape(order, (3, 2)).mean(1), ddof=1) for order in permutations(values)]
    assert np.mean(found) == pytest.approx(6 / 5 * values.var() / 2, rel=1e-12)


def test_the_buffer_of_tensorflow_has_the_same_law():
    n, size, draws = 24, 5, 1500
    orders = []
    for seed in range(draws // 50):
        pipeline = tf.data.Dataset.range(n).shuffle(size, seed=seed + 1).repeat(50)
        orders += np.reshape([*pipeline.as_numpy_iterator()], (50, n)).tolist()
    places = np.argsort(orders, axis=1)
    assert (places - np.arange(n)).min() == -(size - 1)
    for row in (0, 2, 10, 17, 23):
        found = np.bincount(places[:, row], minlength=n) / draws
        exact = [float(formula(n, size, row, step)) for step in range(n)]
        np.testing.assert_allclose(found, exact, atol=0.05)
