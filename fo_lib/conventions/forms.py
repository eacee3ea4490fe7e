"""Forms of the rules that other libraries have. The docstring of each is its formula, in LaTeX."""

from typing import Any

import numpy as np

from .. import matrix_rules, rules

__all__ = [
    "adagrad_inside",
    "adam_hat",
    "adamax_inside",
    "adamw_hat",
    "amsgrad_after",
    "amsgrad_before",
    "amsgrad_hat",
    "muon_corrected",
    "muon_rms",
    "muon_rows",
    "nadam_constant",
    "rate_outside",
    "rate_outside_nesterov",
    "rmsprop_inside",
]


def rate_outside(w: Any, g: Any, v: Any, learning_rate: float = 0.01, momentum: float = 0.9) -> Any:
    r"""v \gets \beta v + g,\quad w \gets w - \alpha v"""
    v = momentum * v + g
    return w - learning_rate * v, v


def rate_outside_nesterov(w: Any, g: Any, v: Any, learning_rate: float = 0.01, momentum: float = 0.9) -> Any:
    r"""v \gets \beta v + g,\quad w \gets w - \alpha (g + \beta v)"""
    v = momentum * v + g
    return w - learning_rate * (g + momentum * v), v


def adagrad_inside(w: Any, g: Any, s: Any, learning_rate: float = 0.001, epsilon: float = 1e-7) -> Any:
    r"""w \gets w - \alpha g / \sqrt{s + \epsilon},\quad s_0 = 0.1"""
    s = s + g * g
    return w - learning_rate * g / np.sqrt(s + epsilon), s


def rmsprop_inside(
    w: Any, g: Any, v: Any, learning_rate: float = 0.001, rho: float = 0.9, epsilon: float = 1e-7
) -> Any:
    r"""w \gets w - \alpha g / \sqrt{v + \epsilon}"""
    v = rho * v + (1 - rho) * g * g
    return w - learning_rate * g / np.sqrt(v + epsilon), v


def adam_hat(
    w: Any, g: Any, m: Any, v: Any, t: float,
    learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-7,
) -> Any:  # fmt: skip
    r"""w \gets w - \alpha \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \, \frac{m}{\sqrt{v} + \epsilon}"""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    return w - learning_rate * (1 - beta2**t) ** 0.5 / (1 - beta1**t) * m / (np.sqrt(v) + epsilon), m, v


def adamw_hat(
    w: Any, g: Any, m: Any, v: Any, t: float, learning_rate: float = 0.001,
    beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-7, weight_decay: float = 0.004,
) -> Any:  # fmt: skip
    r"""w \gets w - \alpha \lambda w,\quad \text{then its Adam}"""
    return adam_hat(w - learning_rate * weight_decay * w, g, m, v, t, learning_rate, beta1, beta2, epsilon)


def adamax_inside(
    w: Any, g: Any, m: Any, u: Any, t: float,
    learning_rate: float = 0.002, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8,
) -> Any:  # fmt: skip
    r"""u \gets \max(\beta_2 u, \lvert g \rvert + \epsilon),\quad
    w \gets w - \frac{\alpha}{1 - \beta_1^t} \frac{m}{u}"""
    m = beta1 * m + (1 - beta1) * g
    u = np.maximum(beta2 * u, np.abs(g) + epsilon)
    return w - learning_rate / (1 - beta1**t) * m / u, m, u


def amsgrad_hat(
    w: Any, g: Any, m: Any, v: Any, s: Any, t: float,
    learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-7,
) -> Any:  # fmt: skip
    r"""w \gets w - \alpha \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \, \frac{m}{\sqrt{s} + \epsilon}"""
    rate = learning_rate * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
    return rules.amsgrad(w, g, m, v, s, rate, beta1, beta2, epsilon)


def amsgrad_after(
    w: Any, g: Any, m: Any, v: Any, s: Any, t: float,
    learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8,
) -> Any:  # fmt: skip
    r"""w \gets w - \frac{\alpha}{1 - \beta_1^t} \, m \Big/ \left(\sqrt{\frac{s}{1 - \beta_2^t}} + \epsilon\right)"""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    s = np.maximum(s, v)
    return w - learning_rate * m / (1 - beta1**t) / (np.sqrt(s / (1 - beta2**t)) + epsilon), m, v, s


def amsgrad_before(
    w: Any, g: Any, m: Any, v: Any, s: Any, t: float,
    learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8,
) -> Any:  # fmt: skip
    r"""s \gets \max\left(s, \tfrac{v}{1 - \beta_2^t}\right),\quad
    w \gets w - \frac{\alpha}{1 - \beta_1^t} \frac{m}{\sqrt{s} + \epsilon}"""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    s = np.maximum(s, v / (1 - beta2**t))
    return w - learning_rate * m / (1 - beta1**t) / (np.sqrt(s) + epsilon), m, v, s


def nadam_constant(
    w: Any, g: Any, m: Any, v: Any, t: float,
    learning_rate: float = 0.002, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8,
) -> Any:  # fmt: skip
    r"""\mu_t = \beta_1"""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    ahead = beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t)
    return w - learning_rate * ahead / (np.sqrt(v / (1 - beta2**t)) + epsilon), m, v


def muon_rms(
    w: Any, g: Any, v: Any, learning_rate: float = 0.001, momentum: float = 0.95, weight_decay: float = 0.004
) -> Any:
    r"""\alpha \to 0.2 \sqrt{\max(m, n)} \, \alpha,\quad w \gets w - \alpha \lambda w \text{ before it}"""
    rate = learning_rate * 0.2 * max(w.shape) ** 0.5
    moved, v = matrix_rules.muon(w, g, v, rate, momentum)
    return moved - learning_rate * weight_decay * w, v


def muon_rows(
    w: Any, g: Any, v: Any, learning_rate: float = 0.001, momentum: float = 0.95, weight_decay: float = 0.1
) -> Any:
    r"""\alpha \to \sqrt{\max(1, m / n)} \, \alpha,\quad w \gets w - \alpha \lambda w \text{ before it},\quad
    \text{iteration in bfloat16}"""
    rate = learning_rate * max(1, w.shape[0] / w.shape[1]) ** 0.5
    moved, v = matrix_rules.muon(w, g, v, rate, momentum)
    return moved - learning_rate * weight_decay * w, v


def muon_corrected(w: Any, g: Any, v: Any, t: float, learning_rate: float = 0.02, momentum: float = 0.95) -> Any:
    r"""\alpha \to \sqrt{\max(1, n / m)} \, \alpha,\quad
    \mathrm{orthogonalize}\left(\frac{g}{1 - \beta^t} + \frac{\beta v}{1 - \beta^{t + 1}}\right)"""
    v = momentum * v + g
    rate = learning_rate * max(1, w.shape[1] / w.shape[0]) ** 0.5
    return w - rate * matrix_rules.orthogonalize(g / (1 - momentum**t) + momentum * v / (1 - momentum ** (t + 1))), v
