"""Schedules for the slot ``learning_rate``: functions of the step number ``t = 1, 2, ...``.

They are public in :mod:`fo_lib.learning_rates`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from . import checks

__all__ = ["as_schedule", "cosine", "inverse", "inverse_sqrt", "one_cycle", "step_decay"]

Schedule = Callable[[int], float]


def inverse(first: float, decay: float, power: float = 1.0) -> Schedule:
    r"""Schedule :math:`\alpha_t = \alpha_1 / (1 + \gamma (t - 1))^p`.

    Parameters
    ----------
    first : float
        :math:`\alpha_1 > 0`.
    decay : float
        :math:`\gamma \ge 0`.
    power : float
        :math:`p \ge 0`.

    Returns
    -------
    function
        Of the step number.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number or outside its range.
    """
    first = checks.number("first", first, above=0.0)
    decay = checks.number("decay", decay, at_least=0.0)
    power = checks.number("power", power, at_least=0.0)

    def schedule(t: int) -> float:
        try:
            rate: float = first / (1 + decay * (t - 1)) ** power  # or an array, for an array of steps
        except OverflowError:
            return 0.0
        return rate

    return schedule


def step_decay(first: float, factor: float, every: int) -> Schedule:
    r"""Schedule :math:`\alpha_t = \alpha_1 q^{\lfloor (t - 1) / T \rfloor}`: multiplied by a factor at intervals.

    Parameters
    ----------
    first : float
        :math:`\alpha_1 > 0`.
    factor : float
        :math:`q \in (0, 1]`.
    every : int
        :math:`T`, in steps.

    Returns
    -------
    function
        Of the step number.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number or outside its range.
    """
    first = checks.number("first", first, above=0.0)
    factor = checks.number("factor", factor, above=0.0, at_most=1.0)
    every = checks.count("every", every)
    return lambda t: first * factor ** ((t - 1) // every)


def cosine(highest: float, steps: int, warmup: int = 0) -> Schedule:
    r"""Schedule: a linear rise over ``warmup`` steps, then half a cosine down to zero at step ``steps + 1``.

    .. math::
        \alpha_t = \alpha \frac{t}{T_w} \; (t \le T_w), \qquad
        \alpha_t = \frac\alpha2 \left(1 + \cos\left(\pi \frac{t - 1 - T_w}{T - T_w}\right)\right) \; (t > T_w)

    Parameters
    ----------
    highest : float
        :math:`\alpha > 0`.
    steps : int
        :math:`T`: the length of the run. A step beyond it is an error, not a silent zero.
    warmup : int
        :math:`T_w`, less than ``steps``.

    Returns
    -------
    function
        Of the step number; it refuses one outside 1 to ``steps`` (ValueError).

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number or outside its range.

    Notes
    -----
    Loshchilov & Hutter (2017), eq. 5, with one cycle.
    """
    highest = checks.number("highest", highest, above=0.0)
    steps = checks.count("steps", steps)
    warmup = checks.count("warmup", warmup, at_least=0, at_most=steps - 1, why="steps - 1")

    def schedule(t: int) -> float:
        _within(t, steps)
        if t <= warmup:
            return highest * t / warmup
        return 0.5 * highest * (1 + math.cos(math.pi * (t - 1 - warmup) / (steps - warmup)))

    return schedule


def one_cycle(
    highest: float, steps: int, *, rise: float = 0.3, start: float = 1 / 25, end: float = 1 / 250_000
) -> Schedule:
    r"""Schedule: half a cosine up to the highest rate, then half a cosine down to almost nothing.

    .. math::
        \alpha_t = c\left(\frac{t - 1}{rT - 1};\, q_0\alpha, \alpha\right) \; (t \le rT), \qquad
        \alpha_t = c\left(\frac{t - rT}{(1 - r)T};\, \alpha, q_1\alpha\right) \; (t > rT),

    with :math:`c(u; a, b) = b + \frac{a - b}2 (1 + \cos \pi u)`, which goes from a to b.

    Parameters
    ----------
    highest : float
        :math:`\alpha > 0`.
    steps : int
        :math:`T`: the length of the run.
    rise : float
        :math:`r`, the share of the run in which the rate rises, with :math:`1 < rT < T`.
    start, end : float
        :math:`q_0` and :math:`q_1`, the first and the last rate as shares of the highest, in (0, 1].

    Returns
    -------
    function
        Of the step number.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number or outside its range.

    Notes
    -----
    Smith & Topin (2019), there with straight lines. The defaults are those of PyTorch's ``OneCycleLR``, which also
    lets momentum go the opposite way, unless ``cycle_momentum=False``. ``optax.cosine_onecycle_schedule`` has the
    same shares but its highest rate one step later; Keras has none.
    """
    highest = checks.number("highest", highest, above=0.0)
    steps = checks.count("steps", steps, at_least=2)
    rise = checks.number("rise", rise, above=1 / steps, below=1.0)
    start = checks.number("start", start, above=0.0, at_most=1.0)
    end = checks.number("end", end, above=0.0, at_most=1.0)
    top = rise * steps

    def schedule(t: int) -> float:
        _within(t, steps)
        u, a, b = ((t - 1) / (top - 1), start, 1.0) if t <= top else ((t - top) / (steps - top), 1.0, end)
        return highest * (b + 0.5 * (a - b) * (1 + math.cos(math.pi * u)))

    return schedule


def inverse_sqrt(highest: float, warmup: int = 1) -> Schedule:
    r"""Schedule: a linear rise over ``warmup`` steps, then a fall with the inverse root of the step.

    .. math:: \alpha_t = \alpha \min\left(\frac{t}{T_w}, \sqrt{\frac{T_w}{t}}\right)

    Parameters
    ----------
    highest : float
        :math:`\alpha > 0`, reached at step :math:`T_w`.
    warmup : int
        :math:`T_w \ge 1`. It sets the time scale of the fall, too: the rate is halved at :math:`4 T_w`.

    Returns
    -------
    function
        Of the step number. There is no last step: a run may go on.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number or outside its range.

    Notes
    -----
    Vaswani et al. (2017), eq. 3, who take :math:`T_w = 4000` and :math:`\alpha = (d T_w)^{-1/2}` for a model of width
    d. Neither Keras, nor PyTorch, nor optax has it under a name; :func:`inverse` with ``power=0.5`` is the fall alone.
    """
    highest = checks.number("highest", highest, above=0.0)
    warmup = checks.count("warmup", warmup)
    return lambda t: highest * min(t / warmup, math.sqrt(warmup / t))


MAKERS = (cosine, inverse, inverse_sqrt, one_cycle, step_decay)


def as_schedule(name: str, value: object, **limits: float) -> Schedule:
    """A number, or a function of the step number, as a function whose results are checked (TypeError, ValueError)."""
    if callable(value):
        checks.made(name, value, MAKERS)
        return lambda t: checks.number(f"{name}({t})", value(t), **limits)
    constant = checks.number(name, value, **limits)
    return lambda t: constant


def _within(t: int, steps: int) -> None:
    if not 1 <= t <= steps:
        raise ValueError(f"t must be a step from 1 to {steps}, for which the schedule was made, got {t}")
