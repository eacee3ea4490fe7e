r"""Update rules that see a whole matrix of weights, where those of :mod:`fo_lib.rules` see one weight at a time.

They have the same form, ``rule(w, g, *state, [t], learning_rate=..., ...)``, and the same text runs on NumPy arrays and
on tensors. A weight array of any shape counts as a matrix: its last axis gives the columns, all others the rows; a
vector is one column. :func:`~fo_lib.loop.minimize` calls such a rule once for each array of weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["muon", "orthogonalize", "shampoo"]

Shape = tuple[int, ...]


def _matrix_rule(**state_shapes: Callable[[Shape], Shape]) -> Callable[[Any], Any]:
    """Mark a rule as one of matrices, and say of which shape each state is for weights of a given shape."""

    def mark(rule: Any) -> Any:
        rule.state_shapes = state_shapes
        return rule

    return mark


def _rows(shape: Shape) -> Shape:
    size = int(np.prod(shape, dtype=int)) // _columns(shape)[0]
    return size, size


def _columns(shape: Shape) -> Shape:
    size = shape[-1] if len(shape) > 1 else 1
    return size, size


def _as_matrix(a: Any) -> Any:
    return np.reshape(a, (-1, a.shape[-1] if len(a.shape) > 1 else 1))


def orthogonalize(matrix: Any) -> Any:
    r"""Push the singular values of a matrix to about 1, without computing them: Newton-Schulz iteration.

    .. math::
        X \gets G / \|G\|_F, \qquad X \gets a X + b (X X^\top) X + c (X X^\top)^2 X \quad \text{(five times)}

    Parameters
    ----------
    matrix : array of shape (m, n)
        :math:`G = U \Sigma V^\top`, at least one entry not zero.

    Returns
    -------
    array of shape (m, n)
        :math:`U S V^\top`. With :math:`(a, b, c) = (3.4445, -4.7750, 2.0315)` each singular value in [0.005, 1] of
        :math:`G / \|G\|_F` becomes one in [0.68, 1.16]; the polynomial oscillates about 1 and does not converge to it.

    Notes
    -----
    Jordan et al. (2024).
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = np.transpose(matrix) if tall else matrix
    x = x / (np.sqrt(np.sum(x * x)) + 1e-30)
    for _ in range(5):
        gram = x @ np.transpose(x)
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * (gram @ gram)) @ x
    return np.transpose(x) if tall else x


@_matrix_rule(v=lambda shape: shape)
def muon(w: Any, g: Any, v: Any, learning_rate: float = 0.02, momentum: float = 0.95) -> Any:
    r"""Muon: momentum, then a step in which every direction of the matrix counts the same.

    .. math:: v \gets \beta v + g, \qquad w \gets w - \alpha \, \mathrm{orthogonalize}(g + \beta v)

    Parameters
    ----------
    w, g, v : array
        Weights, gradient, velocity.
    learning_rate : float
        About the singular values of a step, :math:`\alpha > 0`, in the units of the weights.
    momentum : float
        :math:`\beta \in [0, 1)`.

    Returns
    -------
    tuple
        ``(w, v)``.

    Notes
    -----
    The update as its authors state it. PyTorch scales it by :math:`\sqrt{\max(1, m/n)}` for m rows and n columns, optax
    by :math:`\sqrt{\max(1, n/m)}`, Keras by :math:`0.2 \sqrt{\max(m, n)}`, which ``rms_rate=None`` turns off. In
    practice biases, embeddings and the last layer are left to AdamW. Jordan et al. (2024).
    """
    v = momentum * v + g
    update = orthogonalize(_as_matrix(g + momentum * v))
    return w - learning_rate * np.reshape(update, w.shape), v


def _inverse_fourth_root(matrix: Any, epsilon: Any) -> Any:
    values, vectors = np.linalg.eigh(matrix)
    return vectors * (np.maximum(values, 0 * values) + epsilon) ** -0.25 @ np.transpose(vectors)


@_matrix_rule(left=_rows, right=_columns)
def shampoo(w: Any, g: Any, left: Any, right: Any, learning_rate: float = 0.1, epsilon: float = 1e-4) -> Any:
    r"""Shampoo: Adagrad with a full matrix for the rows and one for the columns.

    .. math::
        L \gets L + G G^\top, \qquad R \gets R + G^\top G, \qquad
        W \gets W - \alpha \, (L + \epsilon I)^{-1/4} \, G \, (R + \epsilon I)^{-1/4}

    Parameters
    ----------
    w, g : array
        Weights and gradient, m rows and n columns.
    left, right : array of shape (m, m) and (n, n)
        Sums of outer products of the gradients.
    learning_rate : float
        The step size :math:`\alpha > 0`.
    epsilon : float
        Keeps the roots finite, in the units of the squared gradient.

    Returns
    -------
    tuple
        ``(w, left, right)``.

    Notes
    -----
    The paper starts the sums at :math:`\epsilon I`, which is the same. None of Keras, PyTorch and optax has it. Gupta,
    Koren & Singer (2018), Algorithm 1.
    """
    matrix = _as_matrix(g)
    left = left + matrix @ np.transpose(matrix)
    right = right + np.transpose(matrix) @ matrix
    update = _inverse_fourth_root(left, epsilon) @ matrix @ _inverse_fourth_root(right, epsilon)
    return w - learning_rate * np.reshape(update, w.shape), left, right
