"""What compressors keep, how many bits they count, and what they refuse."""

import numpy as np
import pytest

from fo_lib import minimize, problems
from fo_lib.compression import (
    Compressor,
    compressed,
    dense,
    plain_sign,
    quantize,
    random_k,
    scaled_sign,
    top_k,
)
from fo_lib.team import shuffled_split

ALL = [dense(), top_k(2), random_k(2), random_k(2, rescale=True), plain_sign(), scaled_sign(), quantize(3)]
V = np.array([0.5, -3.0, 3.0, 0.0, -1.0])


def rng():
    return np.random.default_rng(0)


def least(n=12):
    X = np.random.default_rng(1).standard_normal((n, 4))
    return problems.least_squares(X, X @ [1.0, -2.0, 0.5, 0.0] + 0.1)


@pytest.mark.parametrize("compressor", ALL, ids=lambda c: c.name)
def test_a_compressor_keeps_shape_and_dtype_and_leaves_its_argument(compressor):
    for dtype in (np.float32, np.float64):
        v = V.astype(dtype)
        out = compressor.apply(v, rng())
        assert out.shape == v.shape
        assert out.dtype == dtype
        np.testing.assert_array_equal(v, V)
        assert np.isfinite(compressor.apply(np.zeros(5, dtype), rng())).all()


def test_what_each_of_them_sends():
    np.testing.assert_array_equal(top_k(1).apply(V, rng()), [0, -3, 0, 0, 0])  # of equal ones the first
    np.testing.assert_array_equal(top_k(3).apply(V, rng()), [0, -3, 3, 0, -1])
    np.testing.assert_array_equal(plain_sign().apply(V, rng()), [1, -1, 1, 1, -1])
    np.testing.assert_allclose(scaled_sign().apply(V, rng()), 1.5 * np.array([1, -1, 1, 1, -1]))
    kept = random_k(2).apply(V, rng())
    np.testing.assert_allclose(random_k(2, rescale=True).apply(V, rng()), 2.5 * kept)
    levels = quantize(3).apply(V, rng()) / np.linalg.norm(V) * 3
    np.testing.assert_allclose(levels, np.round(levels), atol=1e-12)
    np.testing.assert_array_equal(dense().apply(V, rng()), V)
    assert not quantize(3).apply(np.zeros(3), rng()).any()


def test_bits_count_indices_and_scales():
    d = 1970
    assert dense().bits(d) == 32 * d
    assert top_k(20).bits(d) == 20 * (32 + 11)
    assert top_k(20).bits(1024) == 20 * (32 + 10)
    assert top_k(20).bits(1025) == 20 * (32 + 11)
    assert random_k(20).bits(d) == random_k(20, rescale=True).bits(d) == 20 * 32
    assert plain_sign().bits(d) == d
    assert scaled_sign().bits(d) == d + 32
    assert [quantize(s).bits(d) - 32 for s in (1, 3, 4, 7, 8)] == [2 * d, 3 * d, 4 * d, 4 * d, 5 * d]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("compressor", [c for c in ALL if not c.name.startswith("random")], ids=lambda c: c.name)
def test_what_is_not_a_number_is_never_hidden(compressor, dtype):
    """A run that diverges must show it: no compressor turns NaN into a sign, or leaves it out as small."""
    v = np.array([1.0, -2.0, np.nan, 0.0, 3.0], dtype)
    assert np.isnan(compressor.apply(v, rng())).any()


class AlwaysUp:
    """A generator that rounds up wherever there is anything to round."""

    def random(self, n):
        return np.zeros(n)


def test_rounding_never_goes_above_the_last_level():
    for x in np.random.default_rng(0).uniform(0.1, 10, 500):
        for dtype in (np.float32, np.float64):
            v = np.array([0.0, -x], dtype)
            assert np.abs(quantize(3).apply(v, AlwaysUp())).max() <= x * (1 + 1e-6)


def test_every_compressor_says_of_which_kind_it_is():
    kinds = {c.name: (c.contraction is not None, c.variance is not None) for c in ALL}
    assert kinds == {
        "dense": (True, True), "top-2": (True, False), "random-2": (False, True), "sign": (False, False),
        "scaled sign": (True, False), "3 bits": (False, True),
    }  # fmt: skip
    assert random_k(2).contraction(8) == 0.25
    assert (dense().contraction(8), dense().variance(8)) == (1, 0)
    assert quantize(1).variance(100) == 10
    assert quantize(10).variance(100) == 0.25


def test_a_run_repeats_and_its_seed_counts():
    problem, workers = least(), shuffled_split(12, 3)
    oracle = compressed(workers, random_k(1), size=2)
    one, two, other = (minimize(problem, learning_rate=0.1, gradient=oracle, steps=20, seed=s).w for s in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_workers_of_different_size_count_by_their_samples():
    problem = least()
    workers = [np.arange(9), np.arange(9, 12)]
    estimate = compressed(workers, dense())(problem, 0)
    w = np.ones(4)
    np.testing.assert_allclose(estimate(w, 1), problem.grad(w), rtol=1e-12)


def test_weights_of_several_arrays_are_one_message():
    X = np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32)
    problem = problems.softmax_regression(X, np.arange(20) % 2)
    w = compressed(shuffled_split(20, 2), top_k(1), feedback=False)(problem, 0)(problem.start, 1)
    assert [part.dtype for part in w] == [np.float32] * 2
    assert 1 <= sum(np.count_nonzero(part) for part in w) <= 2  # one entry from each worker


def test_bad_arguments_are_named():
    for maker in (top_k, random_k, quantize):
        with pytest.raises(TypeError, match=r"must be a whole number >= 1, got 0.01"):
            maker(0.01)
        with pytest.raises(ValueError, match="got 0"):
            maker(0)
    for compressor in (top_k(6), random_k(6), random_k(6, rescale=True)):
        with pytest.raises(ValueError, match=r"k must be .* <= 5 .the number of entries., got 6"):
            compressor.apply(V, rng())
        with pytest.raises(ValueError, match="the number of entries"):
            compressor.bits(5)
    with pytest.raises(TypeError, match="compressor must be a Compressor, such as"):
        compressed(shuffled_split(12, 3), top_k)
    with pytest.raises(TypeError, match="compressed needs a problem with samples"):
        minimize(problems.rosenbrock(), gradient=compressed([[0]], dense()))
    assert isinstance(top_k(1), Compressor)
