"""The bounds of `fo_lib.rates`: most share the names, and so the values, of their arguments."""

import inspect

import numpy as np

from fo_lib import rates

from .calls import CALLS, Call

STEPS = np.array([1.0, 3.0, 8.0])
VALID = {
    "D": 2.0, "G": 2.0, "L": 4.0, "L0": 1.0, "L1": 0.5, "L_max": 4.0, "L_sum": 4.0, "M": 1.0, "R": 2.0, "T": STEPS,
    "b": STEPS, "barrier": STEPS, "beta1": 0.5, "beta2": 0.75, "big": STEPS, "bottom": 2.0, "c": 1.0, "condition": 2.0,
    "contraction": 0.5, "correlation": 0.5, "curvature": 1.0, "d": 5, "decrease": 0.25, "decrement": STEPS / 16,
    "delay": 3, "deviation": 1.0, "diameter": 2.0, "difference": 0.5, "dimensions": 2, "distance": 1.0,
    "divergence": 2.0, "dual_norms": STEPS, "end": 8.0, "error": STEPS / 32, "every": STEPS, "first": 1.0,
    "frobenius_norm": 2.0, "gamma": 1.0, "gap": 2.0, "gradient": 1.0, "gradient_norm": STEPS,
    "gradients": np.array([[1.0, 2.0], [0.5, -1.0], [0.0, 1.0]]), "increment": 0.25, "inner": 100, "k": STEPS, "l2": 0.5,
    "learning_rate": 0.125, "learning_rates": np.array([0.5, 0.25]), "length": STEPS / 8, "local": 4, "momentum": 0.5,
    "mu": 1.0, "n": STEPS, "noise_scale": 4.0, "nu": 0.5, "penalty": STEPS, "power": 3.0, "precision": 24, "rate": 0.125,
    "scores": np.array([0.5, 0.25, 1.0]), "share": 0.25, "sharpness": 1.0, "shrink": 0.5, "sigma": 0.5,
    "sizes": (8, 64), "small": 2 * STEPS, "smallest_singular_value": 0.5, "square": 2.0, "squared_distance": 4.0,
    "start": STEPS, "step_curvature": STEPS / 8, "t": STEPS, "temperature": 0.5, "top": 2.0, "total_rate": 2.0,
    "variance": 1.0, "weight_decay": 0.5, "width": 2.0, "workers": 3,
}  # fmt: skip
OWN = {
    "compensated_summation": {"n": STEPS + 1},
    "dual_coordinate_ascent": {"n": 10},
    "expected_best": {"n": 2},
    "frank_wolfe_lower": {"d": 9},
    "heavy_ball_variance": {"learning_rate": STEPS / 8, "momentum": STEPS / 16},
    "mini_batch_variance": {"n": 10},
    "nesterov_variance": {"learning_rate": STEPS / 8, "momentum": STEPS / 16},
    "noisy_quadratic": {"start": 2.0},
    "reshuffling_floor": {"n": 10},
    "saga": {"n": 10, "learning_rate": 1 / 32},
    "softmax_row_progress": {"share": STEPS / 8},
    "svrg_stage": {"learning_rate": 1 / 64},
}

for name in rates.__all__:
    function = getattr(rates, name)
    valid = {**VALID, **OWN.get(name, {})}
    arguments = {p: valid[p] for p in inspect.signature(function).parameters}
    long = ("n",) if name == "reshuffling_floor" else ()
    CALLS[f"rates.{name}"] = Call(function, arguments, long=long, infinite="what is too large for a float")
