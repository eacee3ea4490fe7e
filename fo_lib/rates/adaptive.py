"""Adaptive methods: regret, the largest step of Adam, and where weight decay comes to rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fo_lib import checks

from ._arguments import Array, bound, count_steps, not_negative, of_one_shape

__all__ = [
    "adagrad_regret",
    "adam_largest_step",
    "decay_equilibrium",
    "online_gradient_descent_regret",
    "scale_invariant_norm",
    "softmax_row_progress",
    "sparse_adam_speed",
]


def _gradients(gradients: ArrayLike) -> np.ndarray:
    return checks.array("gradients", gradients, ndim=2)


@bound
def adagrad_regret(gradients: ArrayLike, *, width: float, learning_rate: float | None = None) -> float:
    r"""Bound of Adagrad's regret on a box: :math:`(\frac{D^2}{2\alpha} + \alpha) \sum_i \|g_{1:T,i}\|`.

    For convex losses on a box of side ``width`` :math:`D`, with projection and ``epsilon=0``. ``gradients`` is the
    array of shape (T, d) of those used. By default :math:`\alpha = D / \sqrt 2`, which gives
    :math:`\sqrt 2 D \sum_i \|g_{1:T,i}\|`. Duchi, Hazan & Singer (2011), Theorem 5, diagonal case.
    """
    norms = np.linalg.norm(_gradients(gradients), axis=0)
    D = checks.number("width", width, above=0.0)
    rate = D / np.sqrt(2) if learning_rate is None else checks.number("learning_rate", learning_rate, above=0.0)
    return float((D**2 / (2 * rate) + rate) * norms.sum())


@bound
def online_gradient_descent_regret(gradients: ArrayLike, *, diameter: float) -> float:
    r"""Bound :math:`D_2 \sqrt{\sum_t \|g_t\|^2}` of online gradient descent's regret at the best constant rate.

    For convex losses on a convex set of ``diameter`` :math:`D_2`; the best rate,
    :math:`D_2 / \sqrt{\sum_t \|g_t\|^2}`, is known in hindsight only. Zinkevich (2003), Theorem 1, with a constant
    rate.
    """
    D = checks.number("diameter", diameter, above=0.0)
    return float(D * np.linalg.norm(_gradients(gradients)))


@bound
def adam_largest_step(t: ArrayLike, *, beta1: float = 0.9, beta2: float = 0.999) -> Array:
    r"""Largest step of Adam, in learning rates, that any gradients can bring about at step t, from 1 on.

    .. math::
        \frac{1 - \beta_1}{1 - \beta_1^t} \sqrt{\frac{1 - \beta_2^t}{1 - \beta_2} \cdot \frac{1 - r^t}{1 - r}}, \qquad
        r = \frac{\beta_1^2}{\beta_2} < 1

    Attained by the gradients :math:`g_i \propto (\beta_1/\beta_2)^{t-i}`; 7.27 for the usual decays and many steps,
    where Kingma & Ba (2015), section 2.1, state :math:`(1-\beta_1)/\sqrt{1-\beta_2} = 3.16`.
    """
    beta1 = checks.number("beta1", beta1, at_least=0.0, below=1.0)
    beta2 = checks.number("beta2", beta2, above=beta1**2, below=1.0)
    steps, r = count_steps(t, first=1, name="t"), beta1**2 / beta2
    spread = (1 - beta2**steps) / (1 - beta2) * (1 - r**steps) / (1 - r)
    largest: Array = (1 - beta1) / (1 - beta1**steps) * np.sqrt(spread)
    return largest


@bound
def decay_equilibrium(learning_rate: float, *, weight_decay: float) -> float:
    r"""Root mean square :math:`\sqrt{\frac{\alpha}{\lambda (2 - \alpha\lambda)}}` of weights under noise and decay.

    Exact for :math:`w \gets (1 - \alpha\lambda) w - \alpha u` with uncorrelated :math:`u` of mean 0 and variance 1, as
    sign descent and Adam (with :math:`\beta_1 = 0` and a long second memory) make of pure noise.
    """
    rate = checks.number("learning_rate", learning_rate, above=0.0)
    decay = checks.number("weight_decay", weight_decay, above=0.0, below=2 / rate)
    return float(np.sqrt(rate / (decay * (2 - rate * decay))))


@bound
def scale_invariant_norm(learning_rate: float, *, weight_decay: float, gradient: float) -> float:
    r"""Norm :math:`\bigl( \frac{\alpha G^2}{\lambda (2 - \alpha\lambda)} \bigr)^{1/4}` where decay and growth balance.

    Exact for gradient descent with decay on weights that see a normalization layer: gradients orthogonal to ``w``, of
    norm ``gradient`` / :math:`\|w\|`. van Laarhoven (2017), with the exact constant.
    """
    G = checks.number("gradient", gradient, above=0.0)
    return float(np.sqrt(G * decay_equilibrium(learning_rate, weight_decay=weight_decay)))


@bound
def softmax_row_progress(share: ArrayLike, *, total_rate: float, gradient_norm: ArrayLike) -> Array:
    r"""Most that gradient descent can lower the loss of a row of logits: :math:`p S \|g_0\|^2`.

    For a softmax row with the ``share`` :math:`p` of the data and the loss :math:`p f`; ``gradient_norm`` is that of
    :math:`\nabla f` at the start, and S the sum of the learning rates, none of which exceeds :math:`4 / p`. Attained
    as :math:`p S \to 0`.
    """
    p, g = not_negative("share", share), not_negative("gradient_norm", gradient_norm)
    of_one_shape(share=p, gradient_norm=g)
    S = checks.number("total_rate", total_rate, at_least=0.0)
    progress: Array = p * S * g**2
    return progress


@bound
def sparse_adam_speed(every: ArrayLike, *, beta1: float = 0.9, beta2: float = 0.999) -> Array:
    r"""Mean step of Adam, in learning rates, for a gradient that is zero but for every n-th step.

    .. math::
        \frac1n \cdot \frac{1 - \beta_1}{1 - \beta_1^n} \cdot \frac{1 - r^n}{1 - r} \cdot
        \sqrt{\frac{1 - \beta_2^n}{1 - \beta_2}}, \qquad r = \frac{\beta_1}{\sqrt{\beta_2}} < 1

    Exact after many steps, for any size of the gradient, with ``epsilon=0``: 1 for n = 1, about
    :math:`n^{-1/2}` while n is small against :math:`1/(1-\beta_2)`, and then like 1/n, as for gradient descent.
    """
    beta1 = checks.number("beta1", beta1, at_least=0.0, below=1.0)
    beta2 = checks.number("beta2", beta2, above=beta1**2, below=1.0)
    n, r = count_steps(every, first=1, name="every"), beta1 / np.sqrt(beta2)
    mean = (1 - beta1) / (1 - beta1**n) * (1 - r**n) / (1 - r)
    speed: Array = mean * np.sqrt((1 - beta2**n) / (1 - beta2)) / n
    return speed
