"""Proximal operators: each by its optimality condition and by Moreau's identity, never by a second copy of its formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fo_lib import problems, prox, sets
from fo_lib.prox import Prox

GROUPS = np.array([0, 1, 1, 2, 2, 2])
OPERATORS = {
    "l1": (prox.l1(0.7), (6,)),
    "l1 with a weight for each": (prox.l1([0.0, 0.5, 1, 2, 0.1, 3]), (6,)),
    "squared_l2": (prox.squared_l2(1.3), (6,)),
    "elastic_net": (prox.elastic_net(0.7, 1.3), (6,)),
    "group_lasso": (prox.group_lasso(0.6, GROUPS), (6,)),
    "nuclear_norm": (prox.nuclear_norm(0.8), (2, 3)),
}
SEEDS, RATES = st.integers(0, 10**6), st.floats(0.01, 10)


@pytest.mark.parametrize("name", OPERATORS)
@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, rate=RATES)
def test_its_residual_is_a_subgradient_at_its_result(name, seed, rate):
    """(w - p) / rate lies in the subdifferential of h at p, which makes p the minimizer: only ``value`` is used."""
    h, shape = OPERATORS[name]
    rng = np.random.default_rng(seed)
    w = 3 * rng.standard_normal(shape) * rng.integers(0, 2, shape)
    p = h(w, rate)
    subgradient = (w - p) / rate
    for size in (1e-3, 0.1, 1, 10):
        for u in (p + size * rng.standard_normal(shape), p * (1 + size), p * (1 - size)):
            assert h.value(u) >= h.value(p) + np.sum(subgradient * (u - p)) - 1e-9 * (1 + h.value(u))


DUALS = {
    "l1": (prox.l1(0.7), sets.box(-0.7, 0.7), (6,)),
    "each": (prox.l1([0.5, 1, 2]), sets.box([-0.5, -1, -2], [0.5, 1, 2]), (3,)),
    "one group": (prox.group_lasso(0.5, [0, 0, 0, 0]), sets.l2_ball(1.0), (4,)),
    "a simplex": (sets.simplex(2.0), Prox(lambda v: 2.0 * v.max(), lambda v, a: _prox_of_max(v, 2 * a), "max"), (5,)),
    "the cone": (sets.psd_cone(), lambda v, a: -sets.psd_cone().project(-(v + v.T) / 2) + (v - v.T) / 2, (3, 3)),
}


def _prox_of_max(v, rate):
    """Cut off the top: the level at which the amount cut off is the rate, by bisection."""
    low, high = v.min() - rate, v.max()
    for _ in range(200):
        level = (low + high) / 2
        low, high = (level, high) if np.maximum(v - level, 0).sum() > rate else (low, level)
    return np.minimum(v, high)


@pytest.mark.parametrize("name", DUALS)
@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, rate=RATES)
def test_moreau_function_and_conjugate_share_the_point(name, seed, rate):
    """The operator of each conjugate is code of its own here, and the identity is its check."""
    h, dual, shape = DUALS[name]
    v = 3 * np.random.default_rng(seed).standard_normal(shape)
    np.testing.assert_allclose(prox.conjugate(h)(v, rate), dual(v, rate), atol=1e-12)


def test_nuclear_and_spectral_norm_are_dual():
    """The projection onto matrices of spectral norm at most 0.8, from the eigenvalues of W W'."""
    w = np.random.default_rng(3).standard_normal((4, 3))
    eigenvalues, q = np.linalg.eigh(w.T @ w)
    projected = w @ q @ np.diag(np.minimum(1, 0.8 / np.sqrt(eigenvalues))) @ q.T
    np.testing.assert_allclose(prox.conjugate(prox.nuclear_norm(0.8))(w, 2.0), projected, atol=1e-12)


@pytest.mark.parametrize("name", OPERATORS)
def test_no_two_points_come_farther_apart(name):
    h, shape = OPERATORS[name]
    rng = np.random.default_rng(1)
    for _ in range(50):
        u, w = rng.standard_normal((2, *shape))
        a, b = h(u, 0.5), h(w, 0.5)
        assert np.sum((a - b) * (u - w)) >= np.sum((a - b) ** 2) - 1e-12


def test_small_weights_become_exactly_zero():
    assert prox.l1(1.0)(np.array([-0.5, 0.5, 2.0, -2.0]), 0.5).tolist() == [0, 0, 1.5, -1.5]
    assert prox.group_lasso(1.0, [0, 0, 1])(np.array([0.5, -0.5, 3.0]), 1.0).tolist() == [0, 0, 2]
    assert prox.group_lasso(1.0, [0])(np.array([0.0]), 1.0).tolist() == [0]
    assert prox.group_lasso(1e-200, [0])(np.array([0.0]), 1e-200).tolist() == [0]


@pytest.mark.parametrize("name", OPERATORS)
def test_it_keeps_the_dtype_and_its_argument(name):
    h, shape = OPERATORS[name]
    w = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    before = w.copy()
    assert h(w, 0.1).dtype == np.float32
    assert h(w, np.float64(0.1)).dtype == np.float32
    assert prox.conjugate(h)(w, np.float64(0.1)).dtype == np.float32
    assert np.array_equal(w, before)
    assert isinstance(h.value(w), float)
    assert not np.isfinite(prox.l1(1.0)(np.array([np.nan, np.inf]), 0.1)).any()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: prox.l1(-1.0), ValueError, "weight must be >= 0 in every entry, got -1"),
        (lambda: prox.l1("much"), TypeError, "weight must be an array of real numbers"),
        (lambda: prox.squared_l2(-1), ValueError, "weight must be a finite number and >= 0, got -1"),
        (lambda: prox.elastic_net(-1, 1), ValueError, "l1_weight must be a finite number and >= 0"),
        (lambda: prox.elastic_net(1, -1), ValueError, "l2_weight must be a finite number and >= 0"),
        (lambda: prox.group_lasso(0, [0]), ValueError, "weight must be a finite number and > 0"),
        (lambda: prox.group_lasso(1, [0, 2, 2]), ValueError, "groups must number the groups 0, 1, 2, .* none is 1"),
        (lambda: prox.group_lasso(1, [0.5]), TypeError, "groups must be whole numbers"),
        (lambda: prox.group_lasso(1, [0, 1])(np.ones(3), 1), ValueError, r"shape of groups, \(2,\), got \(3,\)"),
        (lambda: prox.nuclear_norm(np.nan), ValueError, "weight must be a finite number"),
        (lambda: prox.l1([1.0, 2.0]).value(np.ones((2, 1))), ValueError, r"shape of weight, \(2,\), got \(2, 1\)"),
        (
            lambda: prox.conjugate(prox.l1(1))(np.ones(2), 0),
            ValueError,
            "learning_rate must be a finite number and > 0",
        ),
        (lambda: prox.conjugate(1), TypeError, "operator must be a function, got 1"),
        (lambda: prox.l1(1)([np.ones(2)], 0.1), TypeError, "l1 takes weights that are one array of real .* got list"),
        (lambda: prox.l1(1)(np.ones(2, complex), 0.1), TypeError, "one array of real numbers, got dtype complex128"),
        (lambda: prox.l1(1)(np.ones(2), -1), ValueError, "learning_rate must be a finite number and > 0, got -1"),
        (lambda: prox.l1(np.ones((2, 1)))(np.ones(2), 1), ValueError, r"shape of weight, \(2, 1\), got \(2,\)"),
        (lambda: prox.nuclear_norm([1.0, 2.0]), TypeError, "weight must be a finite number"),
        (lambda: prox.nuclear_norm(1)(np.ones((2, 2, 2)), 1), ValueError, "takes a matrix, got shape"),
    ],
)
def test_bad_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_whole_numbers_are_numbers():
    for h in (prox.l1(0.5), prox.elastic_net(0.5, 0.3), prox.group_lasso(0.5, [0, 0, 1])):
        w = np.array([3, 0, -1])
        np.testing.assert_array_equal(h(w, 0.3), h(w.astype(float), 0.3))
    assert prox.l1(0.5)(np.array([3, 0, -1]), 1.0).tolist() == [2.5, 0, -0.5]


def test_the_gradient_mapping_is_the_gradient_without_a_prox():
    bowl = problems.quadratic([1.0, 5.0])
    w = np.array([1.0, 2.0])
    np.testing.assert_allclose(prox.gradient_mapping(lambda w, a: w, w, bowl.grad(w), 0.1), bowl.grad(w), rtol=1e-14)
    assert repr(prox.l1(1.0)) == "Prox('l1')"
