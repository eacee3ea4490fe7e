"""One step of Adam, AdamW and momentum in float32 against a copy of the same words and against other libraries.

usage: python -m benchmarks.step [ROUNDS]

The stream reads and writes what the step must, and computes next to nothing: 7 words a parameter for Adam and AdamW,
which read weights, gradient and two states and write all but the gradient, and 5 for momentum. No step can be faster
once the arrays leave the caches. Each side keeps its own arrays and its own number of the step, as a user calls it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numba
import numpy as np
import optax
import tensorflow as tf
import torch

from benchmarks import measure as shared
from fo_lib import Stepper, rules

ROUNDS = 9
SIZES = {1_000: 300, 100_000: 30, 10_000_000: 1}  # parameters: steps in one timing
TURNS = 7
RATE = 1e-3
RULES: dict[str, tuple[Callable[..., Any], dict[str, float]]] = {
    "Adam": (rules.adam, {}),
    "AdamW": (rules.adamw, {}),
    "momentum": (rules.momentum, {"momentum": 0.9}),
}
TORCH = {
    "Adam": lambda p: torch.optim.Adam(p, RATE, fused=True),
    "AdamW": lambda p: torch.optim.AdamW(p, RATE, fused=True),
    "momentum": lambda p: torch.optim.SGD(p, RATE, momentum=0.9, fused=True),
}
KERAS = {
    "Adam": lambda: keras.optimizers.Adam(RATE),
    "AdamW": lambda: keras.optimizers.AdamW(RATE),
    "momentum": lambda: keras.optimizers.SGD(RATE, momentum=0.9),
}
OPTAX = {
    "Adam": lambda: optax.adam(RATE),
    "AdamW": lambda: optax.adamw(RATE),
    "momentum": lambda: optax.sgd(RATE, momentum=0.9),
}
# within 1.05 of the stream where memory is the limit; elsewhere it is a scale, not a bar
STREAM_BAR = {10_000_000: 1 / 1.05}


def stream(states: int, threads: int) -> Callable[..., None]:
    """A loop that reads and writes the words of a step with this many states."""

    def two(w: Any, g: Any, m: Any, v: Any) -> None:
        for i in numba.prange(w.size):
            x = g[i]
            m[i] += x
            v[i] += x
            w[i] += x

    def one(w: Any, g: Any, v: Any) -> None:
        for i in numba.prange(w.size):
            x = g[i]
            v[i] += x
            w[i] += x

    compiled: Callable[..., None] = numba.njit(fastmath=True, parallel=threads > 1)(two if states == 2 else one)
    return compiled


def of_torch(name: str, g: np.ndarray) -> Callable[[], object]:
    w = torch.zeros(g.size, requires_grad=True)
    w.grad = torch.tensor(g)
    return TORCH[name]([w]).step


def of_keras(name: str, g: np.ndarray) -> Callable[[], object]:
    w, optimizer, gradient = keras.Variable(np.zeros_like(g)), KERAS[name](), tf.constant(g)
    optimizer.build([w])
    step = tf.function(lambda g: optimizer.apply([g], [w]), jit_compile=True)
    return lambda: step(gradient)


def of_optax(name: str, g: np.ndarray) -> Callable[[], object]:
    method, gradient = OPTAX[name](), jnp.asarray(g)
    now = [jnp.zeros(g.size, jnp.float32)]
    now.append(method.init(now[0]))

    def update(g: Any, state: Any, w: Any) -> Any:
        change, state = method.update(g, state, w)
        return optax.apply_updates(w, change), state

    step = jax.jit(update, donate_argnums=(1, 2))

    def run() -> None:
        now[:] = step(gradient, now[1], now[0])
        now[0].block_until_ready()

    return run


def uncompiled(name: str, g: np.ndarray) -> Callable[[], object]:
    rule, hyper = RULES[name]
    w, step = np.zeros_like(g), Stepper(rule, fused=False, learning_rate=RATE, **hyper)
    return lambda: step(w, g)


PEERS = {"our rule uncompiled": uncompiled, "torch fused": of_torch, "Keras XLA": of_keras, "optax jit": of_optax}


def ours(name: str, g: np.ndarray) -> Callable[[], object]:
    rule, hyper = RULES[name]
    w, step = np.zeros_like(g), Stepper(rule, fused=True, learning_rate=RATE, **hyper)
    return lambda: step(w, g)


def compare(name: str, size: int, peers: dict[str, Any], rounds: int, threads: int) -> list[shared.Row]:
    """One rule at one size against the stream and every peer, all in turns."""
    g = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    states = 1 if name == "momentum" else 2
    copied, arrays = stream(states, threads), [np.zeros_like(g) for _ in range(1 + states)]
    runs = {"ours": ours(name, g), "stream": lambda: copied(arrays[0], g, *arrays[1:])}
    runs |= {peer: make(name, g) for peer, make in peers.items()}
    taken = shared.in_turns(runs, rounds, turns=TURNS, repeats=SIZES[size])
    bars = dict.fromkeys(peers, 1.0) | {"stream": STREAM_BAR.get(size) if threads == 1 else None}
    count = "" if threads == 1 else f", {threads} threads"
    note = f"{shared.duration(float(np.median(taken['ours'])))} a step"
    return [
        shared.row(f"{name}, {size:.0e} parameters{count}".replace("e+0", "e"), peer, found, bars[peer], note)
        for peer in bars
        for found in [shared.ratio(taken[peer], taken["ours"])]
    ]


def rows(rounds: int, threads: int, sizes: list[int], peers: dict[str, Any]) -> list[shared.Row]:
    """Every rule at every size."""
    torch.set_num_threads(threads)
    numba.set_num_threads(threads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of peers about themselves
        return [row for n in sizes for name in RULES for row in compare(name, n, peers, rounds, threads)]


def measure(rounds: int) -> list[shared.Row]:
    """One row for each rule, size and peer, on one thread."""
    return rows(rounds, 1, list(SIZES), PEERS)


if __name__ == "__main__":
    shared.main(measure, ROUNDS)
