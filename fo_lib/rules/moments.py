"""Adam and its family."""

from typing import Any

import numpy as np

__all__ = ["adam", "adamw"]


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
