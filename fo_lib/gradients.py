"""The slot ``gradient`` of :func:`~fo_lib.loop.minimize`: which gradient a step uses, and a check that it is right.

A gradient oracle is a function ``oracle(problem, seed)`` that returns ``estimate(w, t)``, the gradient used by
step ``t = 1, 2, ...``. What it draws is a function of ``(seed, t)`` alone, so that any step can be repeated. What it
remembers besides, as SAGA its table, is in arrays of a dict, ``estimate.memory``, so that a run can be resumed.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import checks
from .layout import Layout
from .problem import Problem
from .sampling import Estimate, Oracle, in_blocks, in_order, mini_batch, reshuffled, shuffled_once, with_replacement
from .variance_reduction import saga, svrg

__all__ = [
    "check_gradient",
    "full",
    "in_blocks",
    "in_order",
    "mini_batch",
    "noisy",
    "reshuffled",
    "saga",
    "shuffled_once",
    "svrg",
    "with_replacement",
]

Array = NDArray[np.floating[Any]]
Weights = Any


def full(problem: Problem, seed: int = 0) -> Estimate:
    """Use the whole gradient in every step."""
    return lambda w, t: problem.grad(w)


def noisy(scale: float) -> Oracle:
    r"""Add normal noise to the full gradient: a stochastic gradient whose variance is known.

    .. math:: g_t = \nabla f(w) + \sigma z_t, \qquad z_t \sim \mathcal N(0, I)

    Parameters
    ----------
    scale : float
        :math:`\sigma \ge 0`, the standard deviation of each entry.

    Returns
    -------
    function
        A gradient oracle.

    Raises
    ------
    TypeError, ValueError
        If ``scale`` is not a number from 0 on.
    """
    scale = checks.number("scale", scale, at_least=0.0)

    def oracle(problem: Problem, seed: int) -> Estimate:
        layout = Layout(problem.start)

        def estimate(w: Weights, t: int) -> Weights:
            noise = np.random.default_rng([seed, t]).standard_normal(layout.size)
            return layout.unflatten(layout.flatten(problem.grad(w)) + scale * noise.astype(layout.dtype))

        return estimate

    return oracle


def check_gradient(
    value: Callable[[Weights], Any], grad: Callable[[Weights], Weights], w: Weights, *, tolerance: float = 1e-6
) -> dict[str, float]:
    r"""Compare a gradient with central differences and, where the code allows it, with the complex step.

    .. math::
        \frac{f(w + h e_i) - f(w - h e_i)}{2h} = \partial_i f(w) + O(h^2), \qquad
        \frac{\operatorname{Im} f(w + i h e_i)}{h} = \partial_i f(w) + O(h^2)

    The first loses digits to cancellation, so that its best ``h`` is the cube root of the rounding unit; the second
    subtracts nothing, takes ``h = 1e-30``, and is exact to rounding, but needs a ``value`` that computes with complex
    numbers (no ``abs``, ``max`` or conversion to float).

    Parameters
    ----------
    value, grad : function
        ``value(w)`` and ``grad(w)``.
    w : array or list of arrays
        Where to compare, float64: one evaluation of ``value`` or two for each number in it.
    tolerance : float
        Largest error accepted, relative to the largest entry of the gradient, by the complex step where it applies
        and else by central differences.

    Returns
    -------
    dict
        The relative error found by each way: ``{"central differences": ..., "complex step": ...}``, the second
        only where it applies.

    Raises
    ------
    ValueError
        If an error exceeds the tolerance: it names the entry, the value given and the value expected.

    Notes
    -----
    Squire & Trapp (1998) for the complex step.
    """
    checks.function("value", value)
    checks.function("grad", grad)
    tolerance = checks.number("tolerance", tolerance, above=0.0)
    layout = Layout(w, "w")
    x = layout.flatten(w, "w").astype(float)
    layout.dtype = x.dtype
    given = layout.flatten(grad(layout.unflatten(x.copy())))
    scale = max(float(np.abs(given).max()), float(np.finfo(float).tiny))

    def number(x: Any) -> Any:
        result = np.asarray(value(layout.unflatten(x)))
        if result.size != 1:
            raise ValueError(f"value must return one number, got an array of shape {result.shape}")
        return result.item()

    ways = _derivatives(number, x)
    errors = {way: float(np.abs(given - expected).max() / scale) for way, expected in ways.items()}
    way, expected = list(ways.items())[-1]  # the sharper one
    if not errors[way] <= tolerance:
        i = int(np.argmax(np.abs(given - expected)))
        raise ValueError(
            f"grad is wrong: entry {i} is {given[i]:.10g}, by {way} it is {expected[i]:.10g}"
            f" (relative error {errors[way]:.1e}, tolerance {tolerance:.1e})"
        )
    return errors


def _derivatives(value: Callable[[Any], Any], x: Array) -> dict[str, Array]:
    unit = np.eye(len(x))
    h = np.cbrt(np.finfo(float).eps) * np.maximum(1.0, np.abs(x))
    differences = [(value(x + s * e) - value(x - s * e)) / (2 * s) for s, e in zip(h, unit, strict=True)]
    if not np.isfinite(differences).all():
        raise ValueError("value must be finite near w: choose another point")
    ways = {"central differences": np.array(differences)}
    with warnings.catch_warnings(), contextlib.suppress(TypeError):
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
        exact = np.array([np.imag(value(x + 1e-30j * e)) / 1e-30 for e in unit])
        # far from the differences: the code drops imaginary parts (abs, max), so that this way says nothing
        if np.allclose(exact, differences, rtol=0, atol=1e-3 * (np.abs(differences).max() + 1e-300)):
            ways["complex step"] = exact
    return ways
