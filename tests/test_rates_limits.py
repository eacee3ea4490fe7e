"""Every argument of every bound has the limits of its theorem: refused just outside of them, accepted just within."""

import inspect

import pytest

from fo_lib import rates

# For each argument: a value, the least that is allowed, and whether that itself is (by default for all bounds).
ARGUMENTS = {
    "L": (2.0, 0, False), "L0": (1.0, 0, False), "L1": (1.0, 0, False), "L_max": (2.0, 0, False),
    "L_sum": (2.0, 0, False), "M": (1.0, 0, True), "D": (1.0, 0, False), "G": (1.0, 0, False), "R": (1.0, 0, True),
    "barrier": (1.0, 0, True), "big": (1.0, 0, True), "bottom": (1.0, 0, False), "condition": (2.0, 1, True),
    "correlation": (0.0, -1, True), "curvature": (1.0, 0, False), "decrease": (0.2, 0, False),
    "deviation": (1.0, 0, False), "diameter": (1.0, 0, False), "difference": (1.0, 0, True),
    "distance": (1.0, 0, True), "divergence": (1.0, 0, True), "end": (1.0, 0, False), "first": (1.0, 0, False),
    "frobenius_norm": (2.0, 0, False), "gamma": (1.0, 0, False), "gap": (1.0, 0, True), "gradient": (1.0, 0, True),
    "gradient_norm": (1.0, 0, True), "increment": (0.1, 0, False), "l2": (0.1, 0, False),
    "learning_rate": (0.05, 0, False), "length": (0.1, 0, True), "momentum": (0.5, 0, True), "mu": (0.5, 0, False),
    "noise_scale": (1.0, 0, True), "nu": (0.5, 0, True), "power": (3.0, 2, True), "rate": (0.1, 0, False),
    "share": (0.5, 0, True), "sharpness": (0.5, 0, False), "shrink": (0.5, 0, False), "sigma": (1.0, 0, False),
    "small": (1.0, 0, True), "smallest_singular_value": (1.0, 0, False), "square": (1.0, 0, False),
    "squared_distance": (1.0, 0, True), "start": (2.0, 0, True), "temperature": (1.0, 0, False),
    "top": (1.0, 0, False), "total_rate": (0.1, 0, True), "variance": (1.0, 0, True), "weight_decay": (0.1, 0, False),
    "width": (1.0, 0, False), "contraction": (0.5, 0, False), "beta1": (0.9, 0, True),
}  # fmt: skip
OTHERS = {  # where a bound has its own
    ("R", "clipped_descent"): (1.0, 0, False), ("gradient", "scale_invariant_norm"): (1.0, 0, False),
    ("curvature", "noisy_quadratic"): (1.0, 0, True),
    ("mu", "proximal_gradient_strongly_convex"): (0.5, 0, True), ("M", "newton_basin"): (1.0, 0, False),
    ("L0", "relaxed_smoothness"): (1.0, 0, True), ("learning_rate", "plateau_steps"): (0.01, 0, False),
    ("start", "plateau_steps"): (0.5, 0, False), ("share", "softmax_row_progress"): (0.1, 0, True),
}  # fmt: skip
# What is not one number, or has no limit of its own.
PLAIN = {
    "gradients": [[1.0, 2.0]], "dual_norms": [1.0], "learning_rates": [0.1], "penalty": 1.0, "step_curvature": 0.5,
    "error": 0.1, "decrement": 1.0, "scores": [1.0, 2.0, 3.0], "sizes": (2, 8), "b": 2, "beta2": 0.999, "c": 2.0,
}  # fmt: skip
# Whole numbers: the least for most bounds, and for some.
COUNTS = {
    "k": 0, "t": 1, "T": 0, "n": 1, "d": 2, "delay": 0, "dimensions": 1, "every": 1, "inner": 1, "local": 1,
    "precision": 2, "workers": 1,
}  # fmt: skip
FIRST = dict.fromkeys(
    [
        ("k", name)
        for name in (
            "armijo", "first_order_lower", "frank_wolfe", "gradient_descent_nonconvex", "gradients_elsewhere",
            "polyak_ruppert", "polyak_step", "proximal_gradient", "proximal_gradient_slope", "relative_smoothness",
            "saddle_point_gap", "subgradient_best", "subgradient_strongly_convex",
            "subgradient_strongly_convex_uniform",
        )
    ]
    + [("d", "coordinate_descent_convex")],
    1,
) | {
    ("t", "dual_coordinate_ascent"): 0, ("n", "mini_batch_variance"): 2, ("n", "reshuffling_floor"): 2,
    ("n", "compensated_summation"): 2, ("n", "random_hit"): 0, ("n", "grid_hit"): 0,
}  # fmt: skip
BOUNDS = {name: inspect.signature(getattr(rates, name)).parameters for name in rates.__all__}
EVERY_ARGUMENT = [(bound, name) for bound, names in BOUNDS.items() for name in names]


def limits(bound, name):
    return OTHERS.get((name, bound)) or ARGUMENTS.get(name)


def valid(bound):
    counts = {name: FIRST.get((name, bound), least) + 1 for name, least in COUNTS.items()}
    known = {**PLAIN, **counts, **{name: value for name, (value, *_) in ARGUMENTS.items()}}
    return {name: limits(bound, name)[0] if limits(bound, name) else known[name] for name in BOUNDS[bound]}


def refused(bound, **changed):
    """Whether a bound refuses the changed argument: not if it names another one, which the change has made wrong."""
    (name,) = changed
    arguments = {**valid(bound), **changed}
    positional = [arguments.pop(key) for key, p in BOUNDS[bound].items() if p.kind is not p.KEYWORD_ONLY]
    try:
        getattr(rates, bound)(*positional, **arguments)
    except ValueError as error:
        return str(error).startswith(name)
    return False


def test_every_argument_is_in_a_table():
    assert {name for _, name in EVERY_ARGUMENT} == {*ARGUMENTS, *PLAIN, *COUNTS}


@pytest.mark.parametrize(("bound", "name"), [pair for pair in EVERY_ARGUMENT if limits(*pair)])
def test_a_number_is_refused_below_its_least_value(bound, name):
    value, least, closed = limits(bound, name)
    assert not refused(bound, **{name: value})
    assert refused(bound, **{name: least - 1e-9})
    assert refused(bound, **{name: float(least)}) is not closed
    assert not refused(bound, **{name: least + 1e-9})


@pytest.mark.parametrize(("bound", "name"), [pair for pair in EVERY_ARGUMENT if pair[1] in COUNTS])
def test_a_whole_number_is_refused_below_its_least_value(bound, name):
    least = FIRST.get((name, bound), COUNTS[name])
    assert refused(bound, **{name: least - 1})
    assert not refused(bound, **{name: least})
