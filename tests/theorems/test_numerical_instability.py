"""Theorems of the chapter on numerical instability."""

import math
from fractions import Fraction
from itertools import product

import ml_dtypes
import numpy as np
import pytest

from fo_lib import rates

BITS = {np.float64: (53, np.uint64), np.float32: (24, np.uint32), np.float16: (11, np.uint16)}
BITS[ml_dtypes.bfloat16] = (8, np.uint16)
FORMATS = [pytest.param(dtype, *BITS[dtype], id=dtype.__name__) for dtype in BITS]


# Rounding


@pytest.mark.parametrize(("dtype", "p", "integer"), FORMATS)
def test_an_update_is_lost_below_half_a_gap(dtype, p, integer):
    rng = np.random.default_rng(0)
    for mantissa, e in zip(rng.integers(2 ** (p - 1), 2**p, 300), rng.integers(-5, 6, 300), strict=True):
        w, gap = dtype(math.ldexp(int(mantissa), int(e) - p + 1)), math.ldexp(1.0, int(e) + 1 - p)
        odd = bool(np.array(w).view(integer) & integer(1))
        assert odd == bool(mantissa % 2)
        assert dtype(w + dtype(gap / 2 * (1 - 1 / 64))) == w
        assert dtype(w + dtype(gap / 2 * (1 + 1 / 64))) == dtype(float(w) + gap) != w
        assert (dtype(w + dtype(gap / 2)) == w) == (not odd)


@pytest.mark.parametrize(("dtype", "p", "integer"), FORMATS[2:])
@pytest.mark.parametrize("seed", range(20))
def test_a_sum_of_equal_terms_halts_where_the_theorem_says(dtype, p, integer, seed):
    d = dtype(2.0 ** np.random.default_rng(seed).uniform(-12, -3)) if seed else dtype(2.0**-5)
    total, halt = dtype(0), rates.stall_point(float(d), precision=p)
    for _ in range(2 ** (p + 3)):
        previous, total = total, dtype(total + d)
        if total == previous:
            break
    assert float(total) == halt
    assert halt / 2 < 2**p * float(d) <= halt


def test_a_sum_in_float32_halts_after_millions_of_terms():
    terms = np.full(40_000_000, 0.001, np.float32)
    assert np.add.accumulate(terms, out=terms)[-1] == rates.stall_point(0.001, precision=24) == 2.0**15


@pytest.mark.parametrize("x", [1.0009765, -1.0009765, 3.14159, 1e-3, -2.5e20])
def test_stochastic_rounding_is_exact_over_all_random_bits(x):
    """Every one of the 65,536 random integers once."""
    x = np.float32(x)
    noise = np.arange(1 << 16, dtype=np.uint32)
    rounded = ((x.view(np.uint32) + noise) & np.uint32(0xFFFF0000)).view(np.float32).astype(float)
    assert np.array_equal(rounded.astype(ml_dtypes.bfloat16).astype(float), rounded)  # numbers of bfloat16
    low, high = rounded.min(), rounded.max()
    assert rounded.mean() == pytest.approx(float(x), rel=1e-14, abs=0)
    assert rounded.var() == pytest.approx((float(x) - low) * (high - float(x)), rel=1e-9)
    assert high - low == 2.0 ** (math.frexp(abs(float(x)))[1] - 8)  # neighbours
    assert rounded.var() <= (high - low) ** 2 / 4


def test_stochastically_rounded_updates_arrive_in_the_mean():
    rng, w, n, d = np.random.default_rng(0), np.ones(20_000, np.float32), 50, np.float32(0.001)
    for _ in range(n):
        noise = rng.integers(1 << 16, size=w.shape, dtype=np.uint32)
        w = (((w + d).view(np.uint32) + noise) & np.uint32(0xFFFF0000)).view(np.float32)
    gap = 2.0**-7
    assert w.mean() - 1 == pytest.approx(n * d, abs=5 * np.sqrt(n) * gap / 2 / np.sqrt(len(w)))
    assert w.var() == pytest.approx(n * d * (gap - d), rel=0.05)  # every step starts at a number of the format
    assert w.var() <= n * gap**2 / 4


# Sums


def add(terms):
    total = terms.dtype.type(0)
    for x in terms:
        total = total + x
    return total


def add_compensated(terms):
    total = carry = terms.dtype.type(0)
    for x in terms:
        new = total + x
        larger, smaller = (total, x) if abs(total) >= abs(x) else (x, total)
        total, carry = new, carry + ((larger - new) + smaller)
    return total + carry


def exactly(terms):
    return sum(Fraction(float(x)) for x in terms)


def test_error_of_a_sum_attains_its_bound():
    for dtype, (p, _) in BITS.items():
        n = 1 + 2 ** (p - 6) if p < 20 else 2000
        terms = np.full(n, 2.0**-p).astype(dtype)
        terms[0] = 1
        error = float(abs(Fraction(float(add(terms))) - exactly(terms)))
        bound = float(rates.naive_summation(n, precision=p)) * float(exactly(terms))
        assert error <= bound <= error * (1 + 2 ** (-6) + 1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("seed", range(10))
def test_error_of_sums_of_random_terms_stays_within_the_bounds(dtype, seed):
    rng, p = np.random.default_rng(seed), BITS[dtype][0]
    terms = (rng.standard_normal(300) * 10 ** rng.uniform(-2, 1, 300)).astype(dtype)
    size, exact = sum(abs(Fraction(float(x))) for x in terms), exactly(terms)
    assert abs(Fraction(float(add(terms))) - exact) <= size * Fraction(float(rates.naive_summation(300, precision=p)))
    bound = rates.compensated_summation(300, precision=p, condition=float(size / abs(exact)))
    assert abs(Fraction(float(add_compensated(terms))) - exact) <= abs(exact) * Fraction(float(bound))


def test_compensated_sum_of_ill_conditioned_terms():
    """Naive is off by a tenth, compensated within its bound, whose first term is attained."""
    rng = np.random.default_rng(0)
    half = rng.standard_normal(50).astype(np.float32) * np.float32(1e6)
    terms = np.concatenate([half, -rng.permutation(half), np.float32([1])])
    size, exact = float(sum(abs(Fraction(float(x))) for x in terms)), float(exactly(terms))
    bound = float(rates.compensated_summation(101, precision=24, condition=size / exact))
    assert abs(float(add(terms)) / exact - 1) > 10 * bound
    assert abs(float(add_compensated(terms)) / exact - 1) <= bound
    assert rates.compensated_summation(3, precision=2, condition=2.0) == 0.25 + 1.25 * 2 * 2 / 16
    tie = np.float32([1, 2.0**-24])  # two terms: a single rounding, of size u / (1 + u)
    error = abs(float(add_compensated(tie)) / float(exactly(tie)) - 1)
    assert 0.99 < error / float(rates.compensated_summation(2, precision=24)) <= 1


def test_refusals_of_the_bounds_of_rounding():
    with pytest.raises(ValueError, match="increment must be"):
        rates.stall_point(0.0, precision=8)
    with pytest.raises(ValueError, match="precision must be"):
        rates.stall_point(1.0, precision=1)
    with pytest.raises(ValueError, match="n must be >= 1"):
        rates.naive_summation(0, precision=8)
    with pytest.raises(ValueError, match="precision must be"):
        rates.naive_summation(2, precision=1)
    with pytest.raises(ValueError, match="n must be >= 2"):
        rates.compensated_summation(1, precision=8)
    with pytest.raises(ValueError, match="condition must be"):
        rates.compensated_summation(2, precision=8, condition=0.5)
    with pytest.raises(ValueError, match="precision must be"):
        rates.compensated_summation(2, precision=1)


# The loss


def loss_and_gradient(z, y):
    shifted = z - z.max()
    log_sum = np.log(np.exp(shifted).sum())
    q = np.exp(shifted - log_sum)
    return log_sum - shifted[y], q - np.eye(len(z))[y], q


def test_log_sum_exp_takes_all_finite_logits():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for z in ([8e307, -8e307, 0.0], [-8e307] * 3, [1e-320, 0, 0], [710.0, 709, -745]):
            z = np.array(z)
            loss, gradient, _ = loss_and_gradient(z, 1)
            assert np.all(np.isfinite([loss, *gradient]))
            assert -1e-9 <= loss - (z.max() - z[1]) <= np.log(3) + 1e-9
        exact = math.log(math.fsum([1, math.exp(-2), math.exp(-1)])) + 1
        assert loss_and_gradient(np.array([3.0, 1, 2]) + 1e4, 2)[0] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_gradient_from_logits_and_after_clipping(seed):
    z = np.random.default_rng(seed).standard_normal(5) * 3
    _, gradient, q = loss_and_gradient(z, 2)
    steps = 1e-6 * np.eye(5)
    numeric = [(loss_and_gradient(z + h, 2)[0] - loss_and_gradient(z - h, 2)[0]) / 2e-6 for h in steps]
    np.testing.assert_allclose(gradient, numeric, atol=1e-8)
    assert 1 - q[2] <= np.linalg.norm(gradient) < np.sqrt(2)
    assert np.linalg.norm(loss_and_gradient(np.array([200.0, -200]), 1)[1]) == np.sqrt(2)
    wrong = np.array([40.0, 0.0])  # probability below 1e-7: constant under clipping
    clipped = [-np.log(max(loss_and_gradient(wrong + np.array([h, 0]), 1)[2][1], 1e-7)) for h in (-1, 0, 1)]
    assert clipped == [-np.log(1e-7)] * 3


def test_two_softmaxes_have_a_floor():
    for K in (2, 10, 100):
        floor = np.log1p((K - 1) / np.e)
        assert loss_and_gradient(np.eye(K)[0], 0)[0] == pytest.approx(floor, rel=1e-12)
        rng = np.random.default_rng(K)
        for q in rng.dirichlet(np.full(K, 0.1), 500):
            assert loss_and_gradient(q, 0)[0] >= floor
    assert np.log1p(9 / np.e) == pytest.approx(1.4612, abs=1e-4)


# Depth and time


def test_one_layer_halves_the_square_exactly_over_all_signs():
    """A row and its negative: one of the two is on. The mean over all signs of the rows is exact, for any tangent."""
    rng = np.random.default_rng(0)
    W, h, t = rng.standard_normal((4, 3)), rng.standard_normal(3), rng.standard_normal(3)
    flips = [np.array(signs)[:, None] * W for signs in product((-1, 1), repeat=4)]
    tangents = [np.sum(((V @ h > 0) * (V @ t)) ** 2) for V in flips]
    signals = [np.sum(np.maximum(V @ h, 0) ** 2) for V in flips]
    assert np.mean(tangents) == pytest.approx(np.sum((W @ t) ** 2) / 2, rel=1e-12)
    assert np.mean(signals) == pytest.approx(np.sum((W @ h) ** 2) / 2, rel=1e-12)


@pytest.mark.parametrize("scale", [1.0, 2.0, 3.0])
def test_depth_multiplies_squares_by_half_the_scale(scale):
    """Three layers of width 32, uniform weights, 10,000 networks: within 4 %; five standard errors are less."""
    rng, n, m, N = np.random.default_rng(0), 32, 3, 10_000
    h = np.tile(np.arange(1.0, n + 1), (N, 1))
    t = np.tile(np.sin(np.arange(n)), (N, 1))
    first = np.sum(h[0] ** 2), np.sum(t[0] ** 2)
    for _ in range(m):
        W = rng.uniform(-1, 1, (N, n, n)) * np.sqrt(3 * scale / n)
        z, t = np.einsum("kij,kj->ki", W, h), np.einsum("kij,kj->ki", W, t)
        h, t = np.maximum(z, 0), t * (z > 0)
    for part, start in ((h, first[0]), (t, first[1])):
        squares = np.sum(part**2, axis=1) / start
        assert 5 * squares.std() / np.sqrt(N) < 0.04 * (scale / 2) ** m
        assert squares.mean() == pytest.approx((scale / 2) ** m, rel=0.04)


def test_gradients_through_time_grow_or_shrink_by_the_spectral_radius():
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    d = rng.standard_normal(5)
    for rho in (0.9, 1.0, 1.1):
        power = np.linalg.matrix_power(rho * Q, 30)
        assert np.linalg.norm(power.T @ d) == pytest.approx(rho**30 * np.linalg.norm(d), rel=1e-12)
    W, h, J = rng.standard_normal((5, 5)), rng.standard_normal(5), np.eye(5)
    radius, norm = max(abs(np.linalg.eigvals(W))), np.linalg.norm(W, 2)
    for k in range(1, 15):
        h = np.tanh(W @ h)
        J = (1 - h**2)[:, None] * W @ J
        power = np.linalg.norm(np.linalg.matrix_power(W, k), 2)
        assert np.linalg.norm(J, 2) <= norm**k
        assert radius**k * (1 - 1e-9) <= power <= norm**k * (1 + 1e-9)


# Normalization


def normalize(x, epsilon):
    s = np.sqrt(np.mean((x - x.mean()) ** 2) + epsilon)
    return (x - x.mean()) / s, s


def jacobian(x, epsilon):
    n, (x_hat, s) = len(x), normalize(x, epsilon)
    return (np.eye(n) - np.ones((n, n)) / n - np.outer(x_hat, x_hat) / n) / s


@pytest.mark.parametrize("epsilon", [0.0, 0.1])
def test_jacobian_of_normalization(epsilon):
    x = np.random.default_rng(0).standard_normal(6)
    J, h = jacobian(x, epsilon), 1e-6
    numeric = np.array(
        [(normalize(x + h * e, epsilon)[0] - normalize(x - h * e, epsilon)[0]) / (2 * h) for e in np.eye(6)]
    )
    np.testing.assert_allclose(J, numeric.T, atol=1e-8)
    np.testing.assert_allclose(J @ np.ones(6), 0, atol=1e-14)
    if epsilon == 0:
        x_hat, s = normalize(x, 0.0)
        np.testing.assert_allclose(J @ x_hat, 0, atol=1e-14)
        np.testing.assert_allclose((s * J) @ (s * J), s * J, atol=1e-14)
        assert np.linalg.matrix_rank(J, tol=1e-10) == 4


def test_batches_of_one_and_two_have_no_gradient():
    np.testing.assert_allclose(jacobian(np.array([3.0]), 0.1), 0, atol=1e-15)
    np.testing.assert_allclose(jacobian(np.array([3.0, -1.0]), 0.0), 0, atol=1e-15)
    assert np.abs(jacobian(np.array([3.0, -1.0, 0.0]), 0.0)).max() > 0.01


# Loss scaling


def test_powers_of_two_scale_without_error():
    x = np.random.default_rng(0).standard_normal(1000) * 1e-3
    x = x[np.abs(x) > 2.0**-14]
    for k in (1, 7, 15):
        assert np.array_equal(
            (2.0**k * x).astype(np.float16).astype(float), 2.0**k * x.astype(np.float16).astype(float)
        )
    wrong = (1000 * x).astype(np.float16).astype(float) / 1000
    assert np.mean(wrong != x.astype(np.float16)) > 0.9  # no power of two
    least = 2.0**-24  # what is at most half of it is zero
    assert np.float16(least / 2) == 0 < np.float16(least / 2 * 1.001) == np.float16(least)
    x = 2.0**-14 - 0.4 * 2.0**-24  # just below the smallest normal number, and rounded up to it
    assert float(np.float16(x)) == 2.0**-14
    assert float(np.float16(4 * x)) != 4 * float(np.float16(x))


def backward(seed, scale):
    """A backward pass through three layers, every operation rounded to float16."""
    rng = np.random.default_rng(seed)
    d, out = (scale * np.array([0.25, -0.5, 0.125, 1.0])).astype(np.float16), []
    for _ in range(3):
        W, h = rng.standard_normal((2, 4, 4)).astype(np.float16)
        mask = (rng.random(4) < 0.9).astype(np.float16)
        out.append(h[0][:, None] * d[None, :])
        arriving = np.zeros(4, np.float16)
        for j in range(4):
            arriving = arriving + W[:, j] * d[j]
        d = arriving * mask
    return [g.astype(float) for g in out]


@pytest.mark.parametrize("seed", range(5))
def test_a_scaled_backward_pass_is_the_same_bit_for_bit(seed):
    plain, scaled, decimal = backward(seed, 1.0), backward(seed, 2.0**6), backward(seed, 100.0)
    assert all(np.array_equal(2.0**6 * a, b) for a, b in zip(plain, scaled, strict=True))
    assert not all(np.array_equal(100 * a, b) for a, b in zip(plain, decimal, strict=True))


def test_a_negative_length_is_refused():
    with pytest.raises(ValueError, match="length must be >= 0 in every entry, got -1"):
        rates.relaxed_smoothness(-1.0, L0=1.0, L1=1.0, gradient=1.0)
