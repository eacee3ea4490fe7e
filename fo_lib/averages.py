r"""The slot ``average`` of :func:`~fo_lib.loop.minimize`: which mean of the iterates a run reports.

An average is a function ``average(t)`` of the step number that returns a weight :math:`c_t \in (0, 1]`. The mean is

.. math:: \bar w_t = \bar w_{t-1} + c_t (w_t - \bar w_{t-1}).

The steps themselves do not see it.
"""

from __future__ import annotations

from collections.abc import Callable

from . import checks

__all__ = ["exponential", "polynomial", "uniform"]

Average = Callable[[int], float]


def uniform(first: int = 1) -> Average:
    r"""Average all iterates from one step on, with equal weights.

    .. math:: \bar w_t = \frac{1}{t - t_0 + 1} \sum_{i = t_0}^t w_i

    Parameters
    ----------
    first : int
        :math:`t_0 \ge 1`: earlier iterates do not count. Before it the mean is the iterate itself.

    Returns
    -------
    function
        An average.

    Raises
    ------
    TypeError, ValueError
        If ``first`` is not a whole number from 1 on.

    Notes
    -----
    Ruppert (1988); Polyak & Juditsky (1992).
    """
    first = checks.count("first", first)
    return lambda t: 1 / max(t - first + 1, 1)


def polynomial(power: float) -> Average:
    r"""Average all iterates with weights that grow like :math:`t^p`: the start fades without a date for it.

    .. math:: c_t = \frac{p + 1}{p + t}

    Parameters
    ----------
    power : float
        :math:`p \ge 0`; 0 is :func:`uniform`, 1 weighs iterate :math:`i` by :math:`i`.

    Returns
    -------
    function
        An average.

    Raises
    ------
    TypeError, ValueError
        If ``power`` is not a number from 0 on.

    Notes
    -----
    Shamir & Zhang (2013), eq. 4; for :math:`p = 1` Lacoste-Julien, Schmidt & Bach (2012).
    """
    power = checks.number("power", power, at_least=0.0)
    return lambda t: (power + 1) / (power + t)


def exponential(decay: float) -> Average:
    r"""Average over about the last :math:`1 / (1 - \gamma)` iterates, older ones fading geometrically.

    .. math:: \bar w_t = \frac{\sum_{i=1}^t \gamma^{t-i} w_i}{\sum_{i=1}^t \gamma^{t-i}}, \qquad
        c_t = \frac{1 - \gamma}{1 - \gamma^t}

    Parameters
    ----------
    decay : float
        :math:`\gamma \in (0, 1)`.

    Returns
    -------
    function
        An average. Unlike Keras's ``use_ema`` it does not count the start.

    Raises
    ------
    TypeError, ValueError
        If ``decay`` is not a number between 0 and 1.
    """
    decay = checks.number("decay", decay, above=0.0, below=1.0)
    return lambda t: (1 - decay) / (1 - decay**t)
