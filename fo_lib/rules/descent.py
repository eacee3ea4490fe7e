"""Gradient descent, with and without momentum, and the same with signs only."""

from typing import Any

import numpy as np

__all__ = ["gradient_descent", "lion", "momentum", "nesterov", "sign_descent"]


def gradient_descent(w: Any, g: Any, learning_rate: float = 0.1) -> Any:
    r"""Step against the gradient.

    .. math:: w \gets w - \alpha g

    Parameters
    ----------
    w, g : array or float
        Weights and gradient.
    learning_rate : float
        The step size :math:`\alpha > 0`.

    Returns
    -------
    array or float
        The new weights.

    Notes
    -----
    Keras, PyTorch and optax call it ``SGD`` whichever gradient they are given. Cauchy (1847).
    """
    return w - learning_rate * g


def momentum(w: Any, g: Any, v: Any, learning_rate: float = 0.01, momentum: float = 0.9) -> Any:
    r"""Heavy ball: a velocity remembers earlier gradients.

    .. math:: v \gets \beta v - \alpha g, \qquad w \gets w + v

    Parameters
    ----------
    w, g, v : array or float
        Weights, gradient, velocity.
    learning_rate : float
        The step size :math:`\alpha > 0`.
    momentum : float
        :math:`\beta \in [0, 1)`.

    Returns
    -------
    tuple
        ``(w, v)``.

    Notes
    -----
    Keras's ``SGD(momentum=...)`` is the same. PyTorch and optax keep :math:`u \gets \beta u + g` and
    step by :math:`-\alpha u`: the same iterates while the learning rate is constant, and different
    ones as soon as it changes. Polyak (1964), eq. 9.
    """
    v = momentum * v - learning_rate * g
    return w + v, v


def nesterov(w: Any, g: Any, v: Any, learning_rate: float = 0.01, momentum: float = 0.9) -> Any:
    r"""Nesterov's momentum, in the variable at which the gradient is taken.

    .. math:: v \gets \beta v - \alpha g, \qquad w \gets w + \beta v - \alpha g

    Parameters
    ----------
    w, g, v : array or float
        Weights, gradient, velocity. ``w`` is the look-ahead point: the gradient is evaluated there.
    learning_rate : float
        The step size :math:`\alpha > 0`.
    momentum : float
        :math:`\beta \in [0, 1)`.

    Returns
    -------
    tuple
        ``(w, v)``.

    Notes
    -----
    With :math:`x = w - \beta v` this is :math:`v \gets \beta v - \alpha \nabla f(x + \beta v)`,
    :math:`x \gets x + v`. The same as Keras, and as PyTorch and optax at a constant learning rate.
    Nesterov (1983); this form: Sutskever et al. (2013), eqs. 3-4, and Bengio et al. (2013).
    """
    v = momentum * v - learning_rate * g
    return w + momentum * v - learning_rate * g, v


def sign_descent(w: Any, g: Any, learning_rate: float = 0.001) -> Any:
    r"""Move every weight by the learning rate, whatever the size of its gradient.

    .. math:: w \gets w - \alpha \, \mathrm{sign}(g)

    Parameters
    ----------
    w, g : array or float
        Weights and gradient.
    learning_rate : float
        The step of each weight, :math:`\alpha > 0`, in the units of the weights.

    Returns
    -------
    array or float
        The new weights. A weight whose gradient is exactly zero stays.

    Notes
    -----
    optax's ``sign_sgd``; Keras and PyTorch have none. Adam with :math:`\beta_1 = \beta_2 = \epsilon = 0`. Bernstein,
    Wang, Azizzadenesheli & Anandkumar (2018), Algorithm 1.
    """
    return w - learning_rate * np.sign(g)


def lion(
    w: Any,
    g: Any,
    m: Any,
    learning_rate: float = 0.0001,
    beta1: float = 0.9,
    beta2: float = 0.99,
    weight_decay: float = 0.0,
) -> Any:
    r"""Lion: the sign of a mean of gradients that weighs the newest one more than the memory does.

    .. math::
        w &\gets w - \alpha \left( \mathrm{sign}(\beta_1 m + (1 - \beta_1) g) + \lambda w \right), \\
        m &\gets \beta_2 m + (1 - \beta_2) g.

    Parameters
    ----------
    w, g, m : array or float
        Weights, gradient, running mean of the gradient.
    learning_rate : float
        The step of each weight, :math:`\alpha > 0`, in the units of the weights.
    beta1, beta2 : float
        Weight of the memory in the step, and decay of the memory, in [0, 1).
    weight_decay : float
        :math:`\lambda \ge 0`.

    Returns
    -------
    tuple
        ``(w, m)``.

    Notes
    -----
    The same as Keras (``learning_rate=0.001``) and optax (whose decay is 1e-3 unless told otherwise); PyTorch has
    none. Chen et al. (2023), Algorithm 2.
    """
    update = np.sign(beta1 * m + (1 - beta1) * g)
    return w - learning_rate * (update + weight_decay * w), beta2 * m + (1 - beta2) * g
