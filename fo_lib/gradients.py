"""The slot ``gradient`` of :func:`~fo_lib.loop.minimize`: which gradient a step uses, and a check that it is right.

A gradient oracle is a function ``oracle(problem, seed)`` that returns ``estimate(w, t)``, the gradient used by
step ``t = 1, 2, ...``. What it draws is a function of ``(seed, t)`` alone, so that any step can be repeated.
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
from .problem import FiniteSum, Problem

__all__ = [
    "check_gradient",
    "full",
    "in_order",
    "mini_batch",
    "reshuffled",
    "shuffled_once",
    "with_replacement",
]

Array = NDArray[np.floating[Any]]
Rows = NDArray[np.int64]
Weights = Any
Estimate = Callable[[Weights, int], Weights]
Oracle = Callable[[Problem, int], Estimate]
Order = Callable[[int, int, int], Rows]


def full(problem: Problem, seed: int = 0) -> Estimate:
    """Use the whole gradient in every step."""
    return lambda w, t: problem.grad(w)


def reshuffled(n: int, seed: int, epoch: int) -> Rows:
    """Order: every sample once an epoch, in a new random order each epoch."""
    return np.random.default_rng([seed, epoch]).permutation(n)


def shuffled_once(n: int, seed: int, epoch: int) -> Rows:
    """Order: every sample once an epoch, in one random order for all epochs."""
    return np.random.default_rng([seed, 0]).permutation(n)


def with_replacement(n: int, seed: int, epoch: int) -> Rows:
    """Order: independent uniform draws; an epoch is ``n`` of them."""
    return np.random.default_rng([seed, epoch]).integers(n, size=n)


def in_order(n: int, seed: int, epoch: int) -> Rows:
    """Order: as the data are stored, the same in every epoch. Biased wherever they are sorted."""
    return np.arange(n)


def mini_batch(size: int = 1, order: Order = reshuffled) -> Oracle:
    r"""Use the mean gradient over a batch of samples.

    .. math:: g_t = \frac1{|B_t|} \sum_{i \in B_t} \nabla \ell_i(w) + \lambda w

    Parameters
    ----------
    size : int
        Samples a batch. The last batch of an epoch is smaller if ``size`` does not divide ``n``.
    order : function
        ``order(n, seed, epoch)`` returns the rows of one epoch in the order of use: :func:`reshuffled`,
        :func:`shuffled_once`, :func:`with_replacement`, :func:`in_order`, or your own.

    Returns
    -------
    function
        A gradient oracle.

    Raises
    ------
    TypeError, ValueError
        At once if ``size`` is not a whole number from 1 on; at the start of a run if it exceeds the number of samples
        or the problem has none.
    """
    size = checks.count("size", size)
    checks.function("order", order)

    def oracle(problem: Problem, seed: int) -> Estimate:
        if not isinstance(problem, FiniteSum):
            raise TypeError(f"mini_batch needs a problem with samples (a FiniteSum), got {problem!r}")
        n, sample_grad = problem.n_samples, problem.sample_grad
        checks.count("size", size, at_most=n, why="the number of samples")
        steps = -(-n // size)
        rows, current = np.empty(0, np.int64), -1

        def estimate(w: Weights, t: int) -> Weights:
            nonlocal rows, current
            epoch, k = divmod(t - 1, steps)
            if epoch != current:
                rows, current = _checked(order(n, seed, epoch), n), epoch
            return sample_grad(w, rows[k * size : (k + 1) * size])

        return estimate

    return oracle


def _checked(rows: Rows, n: int) -> Rows:
    rows = np.asarray(rows)
    if rows.shape != (n,) or rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= n:
        raise ValueError(f"order must return {n} integers from 0 to {n - 1}, got shape {rows.shape} of {rows.dtype}")
    return rows


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
    checks.number("tolerance", tolerance, above=0.0)
    layout = Layout(w)
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
