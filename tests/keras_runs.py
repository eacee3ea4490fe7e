"""What the tests of the Keras optimizers share: rules, and runs of them in NumPy and in Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from fo_lib import matrix_rules, rules
from fo_lib.engine import Stepper

RULES = {name: getattr(rules, name) for name in rules.__all__}
RULES |= {"muon": matrix_rules.muon, "shampoo": matrix_rules.shampoo}
EVERY_RULE = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
EVERY_DTYPE = pytest.mark.parametrize("dtype", ["float32", "float64"])
SHAPES = [(3, 4), (5,), (6, 2), (3, 4)]  # two alike, which could share a state unseen
# Measured, in machine epsilons times 1 + |w|, after any of 100 steps: element-wise rules 0 in float64 and 2.4 in
# float32 (nadam); 19 and 7.3 with matrices (shampoo).
ROUNDING = {True: 60, False: 8}


def arrays(dtype, steps, shapes=SHAPES):
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    sizes = [[10 ** rng.uniform(-4, 0, shape) for shape in shapes] for _ in range(steps)]
    return weights, [[(rng.choice([-1, 1], s.shape) * s).astype(dtype) for s in step] for step in sizes]


def numpy_run(rule, weights, gradients, rate=None, **hyper):
    """The last weights under the NumPy rule; ``rate`` is a schedule."""
    weights = [w.copy() for w in weights]
    steppers = [Stepper(rule, fused=False, **hyper) for _ in weights]
    for t, step in enumerate(gradients, start=1):
        now = {} if rate is None else {"learning_rate": rate(t)}
        for w, g, stepper in zip(weights, step, steppers, strict=True):
            stepper(w, g, **now)
    return weights


def keras_run(opt, weights, gradients, *, compiled=False, jit=False):
    variables = [keras.Variable(w, dtype=w.dtype) for w in weights]
    opt.build(variables)

    def step(*gradients):
        opt.apply_gradients(zip(gradients, variables, strict=True))

    call = tf.function(step, jit_compile=jit, autograph=False) if compiled else step
    for gradient in gradients:
        call(*map(tf.convert_to_tensor, gradient))
    return [v.numpy() for v in variables]


def assert_close(got, expected, epsilons=8):
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == b.dtype
        tolerance = epsilons * float(np.finfo(b.dtype).eps)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, strict=True)


def differ(a, b):
    return max(float(np.abs(x - y).max()) for x, y in zip(a, b, strict=True))
