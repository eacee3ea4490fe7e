"""The same weights and gradients for every library, and a rule run over them. NumPy only."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHAPES = ((3, 4), (5,))
STEPS = 20

# Relative to 1 + |w|. The libraries order the operations differently, so that each step may add a rounding
# or two: 20 steps measured 8.3 machine epsilons at most (AdamW of PyTorch, float32).
ROUNDING = {dtype: 16 * float(np.finfo(dtype).eps) for dtype in ("float32", "float64")}

Arrays = list[NDArray[Any]]


def weights_and_gradients(dtype: str) -> tuple[Arrays, list[Arrays]]:
    """Two variables, and for each step their gradients, of either sign and of size 1e-4 to 1."""
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(shape).astype(dtype) for shape in SHAPES]
    gradients = [
        [(rng.choice([-1, 1], shape) * 10 ** rng.uniform(-4, 0, shape)).astype(dtype) for shape in SHAPES]
        for _ in range(STEPS)
    ]
    return weights, gradients


def run(
    rule: Callable[..., Any],
    dtype: str,
    learning_rates: Iterable[float] | None = None,
    start: float = 0.0,
    **settings: float,
) -> Arrays:
    """Weights after each step of a rule, one array (steps, *shape) a variable; its state begins at `start`."""
    parameters = inspect.signature(rule).parameters.values()
    state_names = [p.name for p in parameters if p.default is p.empty and p.name not in ("w", "g", "t")]
    needs_t = "t" in inspect.signature(rule).parameters
    weights, gradients = weights_and_gradients(dtype)
    rates = [{}] * STEPS if learning_rates is None else [{"learning_rate": rate} for rate in learning_rates]
    trajectories = []
    for i, w in enumerate(weights):
        values = (w, *(np.full_like(w, start) for _ in state_names))
        path = []
        for t, rate in enumerate(rates, start=1):
            result = rule(values[0], gradients[t - 1][i], *values[1:], *([t] if needs_t else []), **settings, **rate)
            values = result if state_names else (result,)
            path.append(values[0])
        trajectories.append(np.stack(path))
    return trajectories


def rate_outside_velocity(w: Any, g: Any, v: Any, learning_rate: float = 0.01, momentum: float = 0.9) -> Any:
    """Momentum as PyTorch and optax write it; fo_lib and Keras keep the rate inside the velocity."""
    v = momentum * v + g
    return w - learning_rate * v, v


def drop(learning_rate: float = 0.01) -> list[float]:
    """A learning rate for each step, divided by ten mid-way."""
    return [learning_rate if t <= STEPS // 2 else learning_rate / 10 for t in range(1, STEPS + 1)]


def assert_close(got: Arrays, expected: Arrays, tolerance: float) -> None:
    """Every weight after every step agrees within `tolerance` * (1 + |w|)."""
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, strict=True)


def distance(a: Arrays, b: Arrays) -> float:
    """The largest difference of two trajectories."""
    return max(float(np.abs(x - y).max()) for x, y in zip(a, b, strict=True))
