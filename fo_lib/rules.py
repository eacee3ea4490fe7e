r"""Update rules, each written once, exactly as in the book.

A rule maps weights and gradient, and the state it carries, to new ones. It is plain element-wise
arithmetic: no side effect, no hidden state, and no weight sees another. The same text runs on Python
floats, NumPy arrays and tensors, and the engine compiles it to one pass over memory.

The parameters of a rule have a fixed order, and the engine reads their roles from it:

* ``w``, ``g``: weights and gradient, of one shape and dtype;
* the state (``v``, ``s``, ``m``): of the shape and dtype of ``w``, zero before the first step;
* ``t``, where the rule needs it: the number of the step, counting from 1;
* hyperparameters, each with its default. The first is always ``learning_rate``.

A rule without state returns the new weights; one with state returns ``(w, *state)``.
"""

from typing import Any

import numpy as np

__all__ = ["adagrad", "adam", "adamw", "gradient_descent", "momentum", "nesterov", "rmsprop"]


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


def adam(
    w: Any,
    g: Any,
    m: Any,
    v: Any,
    t: float,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> Any:
    r"""Adam: a running mean of the gradient over the root of a running mean of its square.

    .. math::
        m &\gets \beta_1 m + (1 - \beta_1) g, & \hat m &= m / (1 - \beta_1^t), \\
        v &\gets \beta_2 v + (1 - \beta_2) g^2, & \hat v &= v / (1 - \beta_2^t), \\
        w &\gets w - \alpha \, \hat m / (\sqrt{\hat v} + \epsilon).

    Parameters
    ----------
    w, g, m, v : array or float
        Weights, gradient, first and second moment.
    t : float
        Number of this step, from 1.
    learning_rate : float
        The step size :math:`\alpha > 0`.
    beta1, beta2 : float
        Decays of the two running means, in [0, 1).
    epsilon : float
        Keeps the division finite.

    Returns
    -------
    tuple
        ``(w, m, v)``.

    Notes
    -----
    The same as PyTorch and optax. Keras adds its epsilon (1e-7) to :math:`\sqrt{v}` instead of
    :math:`\sqrt{\hat v}`. Kingma & Ba (2015), Algorithm 1.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return w - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def adamw(
    w: Any,
    g: Any,
    m: Any,
    v: Any,
    t: float,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.01,
) -> Any:
    r"""Adam with weight decay that does not pass through the second moment.

    .. math:: w \gets w - \alpha \left( \hat m / (\sqrt{\hat v} + \epsilon) + \lambda w \right)

    with :math:`\hat m` and :math:`\hat v` as in :func:`adam`.

    Parameters
    ----------
    w, g, m, v : array or float
        Weights, gradient, first and second moment.
    t : float
        Number of this step, from 1.
    learning_rate : float
        The step size :math:`\alpha > 0`.
    beta1, beta2 : float
        Decays of the two running means, in [0, 1).
    epsilon : float
        Keeps the division finite.
    weight_decay : float
        :math:`\lambda \ge 0`.

    Returns
    -------
    tuple
        ``(w, m, v)``.

    Notes
    -----
    The decay is scaled by the learning rate, as in PyTorch (default 0.01), Keras (0.004) and optax
    (1e-4); the paper's decay is our :math:`\alpha\lambda`. Loshchilov & Hutter (2019), Algorithm 2.
    """
    adam_w, m, v = adam(w, g, m, v, t, learning_rate, beta1, beta2, epsilon)
    return adam_w - learning_rate * weight_decay * w, m, v
