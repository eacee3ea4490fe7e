"""Steps a second of `minimize(..., compiled=True)` with its whole trace, against loops of optax, PyTorch and SciPy.

usage: python -m benchmarks.loop [ROUNDS]

Rosenbrock's valley and logistic regression of 100 samples in 50 dimensions, float64, one thread. optax runs inside
`jax.lax.fori_loop` and keeps nothing but the last weights; ours records value, gradient norm and rate of every step.
PyTorch runs the loop of its tutorials with its own gradients, NumPy the lines of a page, SciPy its L-BFGS-B on our
functions, counted by evaluations. Each ends where ours does, but for SciPy, which is another method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import scipy.optimize
import torch

from benchmarks.measure import Row, in_turns, main, ratio, row
from fo_lib import minimize, problems, rules
from fo_lib.engine import signature
from fo_lib.problem import Problem

ROUNDS = 9
RULES: dict[str, tuple[Any, dict[str, float], Callable[..., Any], Callable[..., Any]]] = {
    "gradient descent": (rules.gradient_descent, {}, optax.sgd, torch.optim.SGD),
    "momentum": (
        rules.momentum, {"momentum": 0.9}, lambda a: optax.sgd(a, 0.9),
        lambda w, lr: torch.optim.SGD(w, lr, momentum=0.9),
    ),
    "Adam": (rules.adam, {}, optax.adam, torch.optim.Adam),
}  # fmt: skip


def samples() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 50))
    return X, np.where(X @ rng.standard_normal(50) + 3 * rng.standard_normal(100) > 0, 1.0, -1.0)


def valley(w: Any) -> Any:
    """Rosenbrock's function, the same text for both libraries."""
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def cases() -> dict[str, tuple[Problem, Callable[..., Any], Callable[..., Any], float, int]]:
    """Each problem with its value in JAX and in PyTorch, a learning rate, and steps a run."""
    X, y = samples()
    XJ, yJ, XT, yT = jnp.array(X), jnp.array(y), torch.tensor(X), torch.tensor(y)
    return {
        "Rosenbrock": (problems.rosenbrock(), valley, valley, 2e-4, 1_000_000),
        "logistic regression": (
            problems.logistic(X, y, l2=1e-2),
            lambda w: jnp.mean(jnp.logaddexp(0, -yJ * (XJ @ w))) + 0.005 * w @ w,
            lambda w: torch.mean(torch.nn.functional.softplus(-yT * (XT @ w))) + 0.005 * w @ w,
            2e-3, 20_000,
        ),
    }  # fmt: skip


def in_jax(rule: Any, value: Callable[..., Any], start: np.ndarray) -> Callable[[int], np.ndarray]:
    grad = jax.grad(value)

    @jax.jit
    def loop(w: Any, steps: int) -> Any:
        def step(_: int, carried: Any) -> Any:
            w, state = carried
            update, state = rule.update(grad(w), state, w)
            return optax.apply_updates(w, update), state

        return jax.lax.fori_loop(0, steps, step, (w, rule.init(w)))[0]

    return lambda steps: np.asarray(loop(jnp.array(start), steps))


def in_torch(make: Any, value: Callable[..., Any], start: np.ndarray, rate: float) -> Callable[[int], np.ndarray]:
    def run(steps: int) -> np.ndarray:
        w = torch.tensor(start, requires_grad=True)
        optimizer = make([w], lr=rate)
        for _ in range(steps):
            optimizer.zero_grad()
            value(w).backward()
            optimizer.step()
        return w.detach().numpy()

    return run


def by_hand(rule: Any, problem: Problem, rate: float, steps: int, **extra: float) -> np.ndarray:
    """The lines that a reader would write: the rule, and nothing recorded or checked."""
    w, about = problem.start, signature(rule)
    states = [np.zeros_like(w)] * len(about.state)
    for t in range(1, steps + 1):
        count = [t] * about.takes_t
        new = rule(w, problem.grad(w), *states, *count, learning_rate=rate, **extra)
        w, *states = new if isinstance(new, tuple) else (new,)
    return w


def compare(name: str, rule: str, rounds: int) -> list[Row]:
    problem, jax_value, torch_value, rate, steps = cases()[name]
    ours, extra, in_optax, torch_rule = RULES[rule]

    def fast(n: int, **options: Any) -> Any:
        return minimize(problem, ours, learning_rate=rate, steps=n, compiled=True, **extra, **options)

    jitted = in_jax(in_optax(rate), jax_value, problem.start)
    eager = in_torch(torch_rule, torch_value, problem.start, rate)
    few = 1000
    for run in (jitted, eager, lambda n: by_hand(ours, problem, rate, n, **extra)):  # all make the same steps
        np.testing.assert_allclose(run(few), fast(few).w, rtol=1e-5, atol=1e-7)
    evaluations = scipy.optimize.minimize(problem.value, problem.start, jac=problem.grad, method="L-BFGS-B").nfev
    found = in_turns(
        {
            "ours": lambda: fast(steps),
            "last": lambda: fast(steps, every=steps),
            "optax": lambda: jitted(steps),
            "torch": lambda: eager(few),
            "plain": lambda: minimize(problem, ours, learning_rate=rate, steps=few, every=few, **extra),
            "NumPy": lambda: by_hand(ours, problem, rate, few, **extra),
            "SciPy": lambda: scipy.optimize.minimize(problem.value, problem.start, jac=problem.grad, method="L-BFGS-B"),
        },
        rounds,
        warm_up=1,
    )
    each = {
        "ours": steps,
        "last": steps,
        "optax": steps,
        "torch": few,
        "SciPy": evaluations,
        "plain": few,
        "NumPy": few,
    }
    a_step = {k: [s / each[k] for s in times] for k, times in found.items()}
    note = f"{1 / np.median(a_step['ours']):,.0f} steps a second"
    what = f"{rule}, {name}"
    rows = [
        row(f"{what}, whole trace", "optax fori_loop, no trace", ratio(a_step["optax"], a_step["ours"]), 1.0, note),
        row(f"{what}, last step only", "optax fori_loop, no trace", ratio(a_step["optax"], a_step["last"]), None),
        row(f"{what}, whole trace", "torch", ratio(a_step["torch"], a_step["ours"]), 20.0),
        row(f"{what}, whole trace", "NumPy, written out", ratio(a_step["NumPy"], a_step["ours"]), 1.0),
        row(f"{what}, not compiled", "NumPy, written out", ratio(a_step["NumPy"], a_step["plain"]), 1.0),
    ]
    if rule == "gradient descent":
        peer = "SciPy L-BFGS-B, an evaluation"
        rows.append(row(f"{what}, whole trace", peer, ratio(a_step["SciPy"], a_step["ours"]), None))
    return rows


def measure(rounds: int) -> list[Row]:
    jax.config.update("jax_enable_x64", True)
    torch.set_num_threads(1)
    return [line for name in cases() for rule in RULES for line in compare(name, rule, rounds)]


if __name__ == "__main__":
    main(measure, ROUNDS)
