"""Adam and its family."""

from typing import Any

import numpy as np

__all__ = ["adam", "adamax", "adamw", "amsgrad", "nadam"]


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
    :math:`\sqrt{\hat v}`, which is this rule with ``epsilon=lambda t: 1e-7 / (1 - beta2**t)**0.5``. Kingma & Ba
    (2015), Algorithm 1.
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


def adamax(
    w: Any,
    g: Any,
    m: Any,
    u: Any,
    t: float,
    learning_rate: float = 0.002,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> Any:
    r"""AdaMax: Adam with a fading maximum of the gradient in place of the root mean square.

    .. math::
        m \gets \beta_1 m + (1 - \beta_1) g, \qquad u \gets \max(\beta_2 u, |g|), \qquad
        w \gets w - \frac{\alpha}{1 - \beta_1^t} \, \frac{m}{u + \epsilon}

    Parameters
    ----------
    w, g, m, u : array or float
        Weights, gradient, running mean of the gradient, fading maximum of its size.
    t : float
        Number of this step, from 1.
    learning_rate : float
        The step size :math:`\alpha > 0`.
    beta1, beta2 : float
        Decays of mean and maximum, in [0, 1).
    epsilon : float
        Keeps the division finite where every gradient was zero; the paper has none.

    Returns
    -------
    tuple
        ``(w, m, u)``.

    Notes
    -----
    The same as Keras (``learning_rate=0.001``, ``epsilon=1e-7``). PyTorch and optax add epsilon to :math:`|g|` inside
    the maximum instead. Kingma & Ba (2015), Algorithm 2.
    """
    m = beta1 * m + (1 - beta1) * g
    u = np.maximum(beta2 * u, np.abs(g))
    return w - learning_rate / (1 - beta1**t) * m / (u + epsilon), m, u


def amsgrad(
    w: Any,
    g: Any,
    m: Any,
    v: Any,
    s: Any,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> Any:
    r"""AMSGrad: the second moment may grow and never shrink, so that no weight's learning rate rises again.

    .. math::
        m &\gets \beta_1 m + (1 - \beta_1) g, & v &\gets \beta_2 v + (1 - \beta_2) g^2, \\
        s &\gets \max(s, v), & w &\gets w - \alpha \, m / (\sqrt{s} + \epsilon).

    Parameters
    ----------
    w, g, m, v, s : array or float
        Weights, gradient, first and second moment, largest second moment so far.
    learning_rate : float
        The step size :math:`\alpha > 0`.
    beta1, beta2 : float
        Decays of the two running means, in [0, 1).
    epsilon : float
        Keeps the division finite; the paper has none.

    Returns
    -------
    tuple
        ``(w, m, v, s)``.

    Notes
    -----
    As in the paper, without bias correction. Keras corrects after the maximum, which is this rule with the rate
    :math:`\alpha \sqrt{1 - \beta_2^t} / (1 - \beta_1^t)`; PyTorch as well, with
    :math:`\epsilon \sqrt{1 - \beta_2^t}` in place of :math:`\epsilon`. optax corrects before the maximum, which is
    another method, unless told not to. Reddi, Kale & Kumar (2018), Algorithm 2.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    s = np.maximum(s, v)
    return w - learning_rate * m / (np.sqrt(s) + epsilon), m, v, s


def nadam(
    w: Any,
    g: Any,
    m: Any,
    v: Any,
    c: Any,
    t: float,
    learning_rate: float = 0.002,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    momentum_decay: float = 0.004,
) -> Any:
    r"""Nadam: Adam with Nesterov's momentum and a momentum that warms up.

    .. math::
        \mu_t &= \beta_1 (1 - \tfrac12 \, 0.96^{\psi t}), \qquad c_t = 1 - \mu_1 \cdots \mu_t, \\
        m &\gets \beta_1 m + (1 - \beta_1) g, \qquad v \gets \beta_2 v + (1 - \beta_2) g^2, \\
        w &\gets w - \alpha \left( \frac{\mu_{t+1} m}{c_{t+1}} + \frac{(1 - \mu_t) g}{c_t} \right)
        \Big/ \left( \sqrt{\frac{v}{1 - \beta_2^t}} + \epsilon \right).

    Parameters
    ----------
    w, g, m, v, c : array or float
        Weights, gradient, first and second moment, :math:`c_t` (the same number for every weight).
    t : float
        Number of this step, from 1.
    learning_rate : float
        The step size :math:`\alpha > 0`.
    beta1, beta2 : float
        Decays of the two running means, in [0, 1).
    epsilon : float
        Keeps the division finite.
    momentum_decay : float
        :math:`\psi \ge 0`: how fast the momentum :math:`\mu_t` approaches :math:`\beta_1`.

    Returns
    -------
    tuple
        ``(w, m, v, c)``.

    Notes
    -----
    The same as PyTorch. Keras has ``momentum_decay=1``, and no argument for it; optax has none
    (:math:`\mu_t = \beta_1`, the limit of a large ``momentum_decay``). Dozat (2016), Algorithm 2 and section 3.
    """
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    c = 1 - (1 - c) * mu
    c_next = 1 - (1 - c) * mu_next
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    v_hat = v / (1 - beta2**t)
    ahead = mu_next / c_next * m + (1 - mu) / c * g
    return w - learning_rate * ahead / (np.sqrt(v_hat) + epsilon), m, v, c
