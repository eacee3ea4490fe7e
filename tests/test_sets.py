"""Convex sets: projections by their variational inequality, corners by linear programs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from fo_lib import sets

RNG = np.random.default_rng(0)
# a set, the shape of its points, a way to draw points of it, and how far outside a point is: by its definition
SETS = {
    "box": (
        sets.box(-0.5, [1, 2, 0, 1]), (4,), lambda rng: rng.uniform(-0.5, [1, 2, 0, 1]),
        lambda w: max((w - [1, 2, 0, 1]).max(), (-0.5 - w).max()),
    ),
    "simplex": (
        sets.simplex(2.0), (5,), lambda rng: 2 * rng.dirichlet(np.full(5, 0.3)),
        lambda w: max(-w.min(), abs(w.sum() - 2)),
    ),
    "l1_ball": (
        sets.l1_ball(1.5), (4,), lambda rng: 1.5 * rng.dirichlet(np.full(5, 0.3))[:4] * rng.choice([-1, 1], 4),
        lambda w: np.linalg.norm(w, 1) - 1.5,
    ),
    "l2_ball": (
        sets.l2_ball(1.5), (4,), lambda rng: _long(rng, (4,)) * 1.5 * rng.uniform(),
        lambda w: np.linalg.norm(w) - 1.5,
    ),
    "psd_cone": (
        sets.psd_cone(), (3, 3), lambda rng: (lambda a: a @ a.T)(rng.standard_normal((3, 2))),
        lambda w: max(-np.linalg.eigvalsh(w).min(), np.abs(w - w.T).max()),
    ),
    "nuclear_ball": (
        sets.nuclear_ball(2.0), (4, 3), lambda rng: 2 * np.outer(_long(rng, (4,)), _long(rng, (3,))) * rng.uniform(),
        lambda w: np.linalg.norm(w, "nuc") - 2,
    ),
}  # fmt: skip


def _long(rng, shape):
    v = rng.standard_normal(shape)
    return v / np.linalg.norm(v)


@pytest.mark.parametrize("name", SETS)
@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([0.3, 1.0, 10.0, 1e6]))
def test_the_projection_makes_no_acute_angle_with_the_set(name, seed, size):
    """p = P(w) is in the set, and (w - p)'(u - p) <= 0 for all u in it: which is true of the nearest point only."""
    C, shape, draw, outside = SETS[name]
    rng = np.random.default_rng(seed)
    w = size * rng.standard_normal(shape)
    p = C.project(w)
    assert C.value(p) == 0.0
    assert outside(p) <= 1e-12 * max(size, 1)
    for _ in range(20):
        u = draw(rng)
        assert C.value(u) == 0.0, "the point that the test draws is not one of the set"
        assert np.sum((w - p) * (u - p)) <= 1e-12 * (1 + np.sum(np.abs(w - p)) * np.sum(np.abs(u - p)))
    np.testing.assert_allclose(C.project(p), p, atol=1e-12 * max(size, 1))


@pytest.mark.parametrize("name", [name for name in SETS if name != "psd_cone"])
def test_no_point_of_the_set_is_lower_than_the_corner(name):
    C, shape, draw, outside = SETS[name]
    for seed in range(50):
        rng = np.random.default_rng(seed)
        g = rng.standard_normal(shape)
        s = C.corner(g)
        assert outside(s) <= 1e-12
        assert all(np.sum(g * draw(rng)) >= np.sum(g * s) - 1e-12 for _ in range(20))


def test_corners_are_solutions_of_linear_programs():
    g = RNG.standard_normal(4)
    assert np.isclose(g @ sets.simplex(2.0).corner(g), linprog(g, A_eq=np.ones((1, 4)), b_eq=[2.0]).fun)
    assert np.isclose(g @ sets.box(-1, [0, 1, 2, 3]).corner(g), linprog(g, bounds=[(-1, i) for i in range(4)]).fun)
    split = linprog(np.r_[g, -g], A_ub=np.ones((1, 8)), b_ub=[1.5]).fun
    assert np.isclose(g @ sets.l1_ball(1.5).corner(g), split)
    assert np.isclose(np.sum(_M * sets.nuclear_ball(2.0).corner(_M)), -2 * np.linalg.norm(_M, 2))
    assert np.isclose(g @ sets.l2_ball(3.0).corner(g), -3 * np.linalg.norm(g))


_M = RNG.standard_normal((6, 4))


@pytest.mark.parametrize("name", ["simplex", "l1_ball", "l2_ball", "box", "nuclear_ball"])
def test_a_zero_gradient_has_a_corner(name):
    C, shape, *_ = SETS[name]
    assert C.value(C.corner(np.zeros(shape))) == 0.0


def test_corners_of_narrow_matrices():
    for shape in ((1, 4), (2, 5), (5, 1)):
        g = RNG.standard_normal(shape)
        assert np.isclose(np.sum(g * sets.nuclear_ball(1.0).corner(g)), -np.linalg.norm(g, 2))


def test_far_points_are_projected_too():
    """Nothing is lost where entries are so large that the set is below their rounding, or their squares overflow."""
    np.testing.assert_array_equal(sets.simplex().project(np.array([1e20, 0.0])), [1, 0])
    np.testing.assert_allclose(sets.simplex().project(np.array([1e17, 1e17])), [0.5, 0.5])
    np.testing.assert_allclose(sets.l1_ball(2.0).project(np.array([-1e300, 1e300])), [-1, 1])
    np.testing.assert_allclose(sets.l2_ball(1.0).project(np.array([3e200, -4e200])), [0.6, -0.8])
    for C in (sets.box(0, 1), sets.simplex(), sets.l2_ball(1.0)):
        assert C.value(np.array([1e200, 0])) == np.inf
        assert C.value(np.array([np.inf, 0])) == np.inf
        assert C.value(np.array([1e20, 0], np.float32)) == np.inf


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_many_weights_of_float32_are_projected_into_the_set(scale):
    w = scale * np.random.default_rng(0).standard_normal(100_000).astype(np.float32)
    for C in (sets.simplex(), sets.l1_ball(1.0)):
        p = C.project(w)
        assert p.dtype == np.float32
        assert C.value(p) == 0
        assert np.abs(p.astype(float)).sum() == pytest.approx(1, abs=1e-5)


def test_a_box_does_not_follow_its_limits():
    lower = np.zeros(2)
    box = sets.box(lower, 1)
    lower[0] = 5
    assert box.project(np.array([0.5, 0.5])).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("name", SETS)
def test_it_keeps_the_dtype_and_its_argument(name):
    C, shape, *_ = SETS[name]
    w = (3 * RNG.standard_normal(shape)).astype(np.float32)
    before = w.copy()
    p = C(w, 0.1)
    assert p.dtype == np.float32
    assert np.array_equal(w, before)
    assert C.value(p) == 0.0
    assert C.value(p + 1.0 * np.ones_like(p) * np.where(name == "psd_cone", -10, 10)) == np.inf
    if C.corner is not None:
        assert C.corner(w).dtype == np.float32
        assert C.value(C.corner(w)) == 0.0
    assert repr(C) == f"Set({name!r})"


@pytest.mark.parametrize("name", SETS)
def test_whole_numbers_are_numbers(name):
    C, shape, *_ = SETS[name]
    w = RNG.integers(-5, 5, shape)
    np.testing.assert_array_equal(C.project(w), C.project(w.astype(float)))
    if C.corner is not None:
        np.testing.assert_array_equal(C.corner(w), C.corner(w.astype(float)))


def test_a_box_may_be_open():
    quadrant = sets.box(0, np.inf)
    assert quadrant.corner is None
    assert quadrant.project(np.array([-1.0, 5.0])).tolist() == [0, 5]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sets.box(1, 0), ValueError, "lower must be <= upper in every entry, got 1 and 0"),
        (lambda: sets.box(np.nan, 0), ValueError, "lower must be <= upper"),
        (lambda: sets.box(np.inf, np.inf), ValueError, "lower must be below infinity"),
        (lambda: sets.box(-np.inf, -np.inf), ValueError, "upper above minus infinity"),
        (lambda: sets.simplex(0), ValueError, "total must be a finite number and > 0, got 0"),
        (lambda: sets.simplex().project(np.ones((2, 2))), ValueError, r"w must be a vector, got shape \(2, 2\)"),
        (lambda: sets.simplex().corner(np.ones((2, 2))), ValueError, r"w must be a vector, got shape \(2, 2\)"),
        (lambda: sets.l1_ball(1).corner(np.ones((2, 2))), ValueError, r"w must be a vector, got shape \(2, 2\)"),
        (lambda: sets.l1_ball(9).project(np.ones((2, 2))), ValueError, r"w must be a vector, got shape \(2, 2\)"),
        (
            lambda: sets.box([0, 0], 1).project(np.ones((2, 1))),
            ValueError,
            r"shape of the limits, \(2,\) and \(\), got",
        ),
        (lambda: sets.l1_ball(-1), ValueError, "radius must be a finite number and > 0"),
        (lambda: sets.l2_ball("1"), TypeError, "radius must be a finite number and > 0, got '1'"),
        (lambda: sets.nuclear_ball(0), ValueError, "radius must be a finite number and > 0"),
        (lambda: sets.box(0, 1)([1.0], 0.1), TypeError, "box takes weights that are one array of real .*, got list"),
        (lambda: sets.simplex().corner("g"), TypeError, "simplex takes weights that are one array of real .*, got str"),
        (lambda: sets.psd_cone().project(np.ones(3)), ValueError, r"psd_cone takes a matrix, got shape \(3,\)"),
        (lambda: sets.nuclear_ball(1).project(np.ones(3)), ValueError, r"nuclear_ball takes a matrix, got shape"),
    ],
)
def test_bad_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
