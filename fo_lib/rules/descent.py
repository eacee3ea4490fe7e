"""Gradient descent, with and without momentum."""

from typing import Any

__all__ = ["gradient_descent", "momentum", "nesterov"]


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
