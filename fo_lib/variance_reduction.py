"""Gradients of single samples, corrected so that their noise vanishes at the minimizer: SVRG and SAGA."""

from __future__ import annotations

import numpy as np

from . import checks
from .layout import Layout
from .memory import Memory, Remembering
from .problem import Problem
from .sampling import Array, Estimate, Oracle, Order, Weights, batches, require_samples, with_replacement

__all__ = ["saga", "svrg"]


def svrg(inner: int | None = None, order: Order = with_replacement) -> Oracle:
    r"""Correct each sample's gradient by what it was at an anchor, where the full gradient is known.

    .. math:: g_t = \nabla \ell_i(w) - \nabla \ell_i(\tilde w) + \nabla f(\tilde w)

    Every ``inner`` steps, beginning with the first, the anchor :math:`\tilde w` becomes the current iterate. That
    costs a full gradient.

    Parameters
    ----------
    inner : int, optional
        Steps between two anchors; by default twice the number of samples.
    order : function
        In which order samples are drawn (see :func:`~fo_lib.gradients.mini_batch`).

    Returns
    -------
    function
        A gradient oracle. A step costs two sample gradients, an anchor ``n``; memory: two vectors.

    Raises
    ------
    TypeError, ValueError
        At once if ``inner`` is not a whole number from 1 on; at the start of a run if the problem has no samples.

    Notes
    -----
    Johnson & Zhang (2013), option I.
    """
    if inner is not None:
        inner = checks.count("inner", inner)
    checks.function("order", order)

    def oracle(problem: Problem, seed: int) -> Estimate:
        samples, layout = require_samples("svrg", problem), Layout(problem.start)
        rows = batches(samples.n_samples, 1, order, seed)
        stage = 2 * samples.n_samples if inner is None else inner
        memory: Memory = {}

        def estimate(w: Weights, t: int) -> Weights:
            if (t - 1) % stage == 0:
                memory.update(anchor=layout.flatten(w), mean=layout.flatten(problem.grad(w)))
            here = layout.flatten(samples.sample_grad(w, rows(t)))
            there = layout.flatten(samples.sample_grad(layout.unflatten(memory["anchor"]), rows(t)))
            return layout.unflatten(here - there + memory["mean"])

        return Remembering(estimate, memory)

    return oracle


def saga(order: Order = with_replacement) -> Oracle:
    r"""Correct each sample's gradient by the last one that was seen of it.

    .. math:: g_t = \nabla \ell_i(w) - G_i + \frac1n \sum_j G_j, \qquad \text{then} \quad G_i \gets \nabla \ell_i(w)

    The table :math:`G` is filled at the first iterate, at the price of a full gradient.

    Parameters
    ----------
    order : function
        In which order samples are drawn (see :func:`~fo_lib.gradients.mini_batch`).

    Returns
    -------
    function
        A gradient oracle. A step costs one sample gradient; memory: a table of ``n`` gradients. (For a linear model one
        number a sample would do: its gradient is a multiple of the sample.)

    Raises
    ------
    TypeError
        At the start of a run, if the problem has no samples.

    Notes
    -----
    Defazio, Bach & Lacoste-Julien (2014), eq. 1.
    """
    checks.function("order", order)

    def oracle(problem: Problem, seed: int) -> Estimate:
        samples, layout = require_samples("saga", problem), Layout(problem.start)
        n, draw = samples.n_samples, batches(samples.n_samples, 1, order, seed)
        memory: Memory = {}

        def gradient(w: Weights, row: int) -> Array:
            return layout.flatten(samples.sample_grad(w, np.array([row])))

        def estimate(w: Weights, t: int) -> Weights:
            if "table" not in memory:
                memory["table"] = np.array([gradient(w, row) for row in range(n)])
                memory["mean"] = memory["table"].mean(0)
            table, mean, i = memory["table"], memory["mean"], int(draw(t)[0])
            new = gradient(w, i)
            change = new - table[i]
            g = change + mean
            table[i], memory["mean"] = new, mean + change / n
            return layout.unflatten(g)

        return Remembering(estimate, memory)

    return oracle
