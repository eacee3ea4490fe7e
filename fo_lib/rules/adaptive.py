"""A step of its own for each weight: Adagrad and what followed from it."""

from typing import Any

import numpy as np

__all__ = ["adadelta", "adagrad", "rmsprop"]


def adagrad(w: Any, g: Any, s: Any, learning_rate: float = 0.01, epsilon: float = 1e-10) -> Any:
    r"""Adagrad: each weight's step shrinks with the gradients it has seen.

    .. math:: s \gets s + g^2, \qquad w \gets w - \alpha \frac{g}{\sqrt{s} + \epsilon}

    Parameters
    ----------
    w, g, s : array or float
        Weights, gradient, sum of squared gradients.
    learning_rate : float
        The step size :math:`\alpha > 0`.
    epsilon : float
        Keeps the division finite while ``s`` is zero.

    Returns
    -------
    tuple
        ``(w, s)``.

    Notes
    -----
    As in PyTorch. Keras and optax put :math:`\epsilon` inside the root and start ``s`` at 0.1.
    Duchi, Hazan & Singer (2011), Figure 1, diagonal case.
    """
    s = s + g * g
    return w - learning_rate * g / (np.sqrt(s) + epsilon), s


def rmsprop(w: Any, g: Any, v: Any, learning_rate: float = 0.001, rho: float = 0.9, epsilon: float = 1e-8) -> Any:
    r"""RMSProp: divide by a running root mean square of the gradient.

    .. math:: v \gets \rho v + (1 - \rho) g^2, \qquad w \gets w - \alpha \frac{g}{\sqrt{v} + \epsilon}

    Parameters
    ----------
    w, g, v : array or float
        Weights, gradient, running mean of the squared gradient.
    learning_rate : float
        The step size :math:`\alpha > 0`.
    rho : float
        Decay of the running mean, in [0, 1).
    epsilon : float
        Keeps the division finite while ``v`` is zero.

    Returns
    -------
    tuple
        ``(w, v)``.

    Notes
    -----
    PyTorch: the same form, with ``alpha=0.99`` and ``lr=0.01`` as defaults. Keras and optax put
    :math:`\epsilon` inside the root. Tieleman & Hinton (2012), lecture 6e.
    """
    v = rho * v + (1 - rho) * g * g
    return w - learning_rate * g / (np.sqrt(v) + epsilon), v


def adadelta(
    w: Any, g: Any, v: Any, s: Any, learning_rate: float = 1.0, rho: float = 0.95, epsilon: float = 1e-6
) -> Any:
    r"""Adadelta: RMSProp whose learning rate is the running size of its own steps.

    .. math::
        v &\gets \rho v + (1 - \rho) g^2, & \delta &= \frac{\sqrt{s + \epsilon}}{\sqrt{v + \epsilon}} \, g, \\
        s &\gets \rho s + (1 - \rho) \delta^2, & w &\gets w - \alpha \, \delta.

    Parameters
    ----------
    w, g, v, s : array or float
        Weights, gradient, running means of the squared gradient and of the squared step.
    learning_rate : float
        :math:`\alpha > 0`, without units; the paper has none, that is 1.
    rho : float
        Decay of both running means, in [0, 1).
    epsilon : float
        Inside both roots: keeps the division finite, and sets the size of the first steps.

    Returns
    -------
    tuple
        ``(w, v, s)``.

    Notes
    -----
    The same form as PyTorch, Keras and optax, with other defaults: ``rho=0.9`` in PyTorch and optax;
    ``learning_rate=0.001`` and ``epsilon=1e-7`` in Keras. ``optax.adadelta()`` without a learning rate climbs: the
    minus sign comes with the rate. Zeiler (2012), Algorithm 1.
    """
    v = rho * v + (1 - rho) * g * g
    step = np.sqrt(s + epsilon) / np.sqrt(v + epsilon) * g
    return w - learning_rate * step, v, rho * s + (1 - rho) * step * step
