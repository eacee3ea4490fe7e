"""The loop with a prox: what it records, where it stops, and what it refuses."""

import numpy as np
import pytest

from fo_lib import accelerate, learning_rates, minimize, problems, prox, rules, sets

BOWL = problems.quadratic([1.0, 4.0], minimizer=[2.0, -1.0], start=[3.0, 1.0])


def test_the_value_of_a_prox_is_part_of_the_objective():
    h = prox.l1(0.5)
    trace = minimize(BOWL, learning_rate=0.2, prox=h, steps=10, every=3, iterates=True)
    for w, value, norm in zip(trace.iterates, trace.value, trace.grad_norm, strict=True):
        assert value == BOWL.value(w) + h.value(w)
        mapping = (w - h(w - 0.2 * BOWL.grad(w), 0.2)) / 0.2
        assert norm == pytest.approx(np.linalg.norm(mapping), rel=1e-12)


def test_under_a_schedule_the_mapping_is_that_of_the_step_that_led_there():
    """Where weights become zero it depends on the learning rate."""
    h = prox.l1(10.0)
    trace = minimize(BOWL, learning_rate=lambda t: 0.2 / t, prox=h, steps=2, iterates=True)
    for rate, w, norm in zip((0.2, 0.2, 0.1), trace.iterates, trace.grad_norm, strict=True):
        mapping = prox.gradient_mapping(h, w, BOWL.grad(w), rate)
        assert norm == pytest.approx(np.linalg.norm(mapping), rel=1e-12)


@pytest.mark.parametrize("operator", [prox.l1(0.5), sets.l1_ball(1.0)])
def test_it_stops_by_the_gradient_mapping(operator):
    """At such a solution the gradient is not zero; the mapping is."""
    trace = minimize(BOWL, learning_rate=0.2, prox=operator, start=[0.0, 0.0], tolerance=1e-8)
    assert trace.reason == "tolerance"
    assert trace.grad_norm[-1] <= 1e-8
    assert np.linalg.norm(BOWL.grad(trace.w)) > 0.1


def test_a_start_outside_the_set_is_refused():
    with pytest.raises(ValueError, match="start must be a point where value and gradient are finite"):
        minimize(BOWL, learning_rate=0.2, prox=sets.l2_ball(1.0))


def test_a_divergence_under_a_prox_is_reported():
    """Though no singular values can be computed of what is not finite."""
    square = problems.from_functions(lambda w: float(np.sum(w * w)), lambda w: 2 * w, np.ones((2, 2)), L=2.0)
    start = np.ones((2, 2), np.float32)  # whose entries overflow before the norm does, which is taken in float64
    for run in (minimize, accelerate):
        trace = run(square, start=start, learning_rate=3.0, prox=prox.nuclear_norm(0.1), steps=5000, every=5000)
        assert trace.diverged
        assert np.isfinite(trace.value).all()


@pytest.mark.parametrize("run", [minimize, accelerate])
def test_a_step_below_the_rounding_of_the_weights_is_no_end(run):
    start = np.full(2, 100, np.float32)
    trace = run(BOWL, start=start, learning_rate=1e-9, prox=prox.l1(0.5), steps=2)
    assert trace.reason == "steps"
    assert trace.grad_norm == pytest.approx(np.linalg.norm(BOWL.grad(start) + 0.5), rel=1e-6)


@pytest.mark.parametrize("run", [minimize, accelerate])
def test_a_prox_never_sees_what_is_not_finite(run):
    """Some would raise, as decompositions do."""

    def value(w):
        assert np.isfinite(w).all()
        return 0.0

    h = prox.Prox(value, lambda w, a: w + value(w), "strict")
    assert run(BOWL, learning_rate=0.6, prox=h, steps=5000).diverged
    if run is minimize:  # infinite at once, and recorded
        assert run(BOWL, learning_rate=lambda t: 1e308 if t == 2 else 0.1, prox=h, steps=3).diverged


MAKERS = [
    getattr(module, name)
    for module in (prox, sets)
    for name in module.__all__
    if name[0].islower() and name != "gradient_mapping"
]


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
@pytest.mark.parametrize("run", [minimize, accelerate])
def test_a_maker_that_is_only_named_is_refused(run, maker):
    with pytest.raises(TypeError, match=rf"prox must be called: {maker.__name__}\(\.\.\.\), not just named"):
        run(BOWL, learning_rate=0.2, prox=maker)


def test_momentum_rests_at_the_minimum_of_another_function():
    """Of f / (1 - momentum) + h, for the velocity does not see the prox; on a set that is the right one."""
    settings = {"learning_rate": 0.02, "steps": 5000, "tolerance": 0.0}
    heavy = minimize(BOWL, rules.momentum, momentum=0.9, prox=prox.l1(0.5), **settings)
    np.testing.assert_allclose(heavy.w, minimize(BOWL, prox=prox.l1(0.05), **settings).w, atol=1e-10)
    assert heavy.grad_norm[-1] > 0.4
    within = minimize(BOWL, rules.momentum, momentum=0.9, prox=sets.l1_ball(1.0), start=[0.0, 0.0], **settings)
    np.testing.assert_allclose(
        within.w, minimize(BOWL, prox=sets.l1_ball(1.0), start=[0.0, 0.0], **settings).w, atol=1e-10
    )


def test_a_prox_of_ones_own_has_no_value():
    trace = minimize(BOWL, learning_rate=0.2, prox=lambda w, a: np.maximum(w, 0), steps=3)
    assert trace.value[-1] == BOWL.value(trace.w)


@pytest.mark.parametrize("slot", ["transform", "prox"])
def test_a_line_search_with_a_transform_or_a_prox_is_refused(slot):
    with pytest.raises(ValueError, match="nor a transform, nor a prox"):
        minimize(BOWL, learning_rate=learning_rates.armijo(), **{slot: lambda *arrays: arrays[0]})
