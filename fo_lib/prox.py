r"""The slot ``prox`` of :func:`~fo_lib.loop.minimize`: functions that are known by their proximal operator.

.. math::
    \mathrm{prox}_{\alpha h}(w) = \arg\min_u \; h(u) + \frac{1}{2\alpha} \|u - w\|^2 .

Where :math:`h` is zero on a set and infinite outside, that is the projection: see :mod:`fo_lib.sets`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks, sets
from .layout import Layout
from .problem import Problem, flat

__all__ = ["Prox", "conjugate", "elastic_net", "gradient_mapping", "group_lasso", "l1", "nuclear_norm", "squared_l2"]

Array = NDArray[np.floating[Any]]
Operator = Callable[[Array, float], Array]


@dataclass(frozen=True)
class Prox:
    r"""A convex function :math:`h` of one array; called as ``h(w, learning_rate)`` it is its proximal operator.

    Parameters
    ----------
    value : function
        ``value(w)``, a float.
    operator : function
        ``operator(w, learning_rate)``, a new array of the shape of ``w``.
    name : str
        What messages call it.
    """

    value: Callable[[Array], float]
    operator: Operator
    name: str

    def __call__(self, w: Array, learning_rate: float) -> Array:
        rate = checks.number("learning_rate", learning_rate, above=0.0)
        return self.operator(checks.one_array(self.name, w), rate)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


def l1(weight: float | ArrayLike) -> Prox:
    r"""The L1 norm, :math:`\lambda \|w\|_1`; its operator is the soft threshold.

    .. math:: \mathrm{prox}(w)_i = w_i - \min(\max(w_i, -\alpha\lambda_i), \alpha\lambda_i)

    Parameters
    ----------
    weight : float or array
        :math:`\lambda \ge 0`: a number, or one for each weight (0 for an intercept).

    Returns
    -------
    Prox

    Raises
    ------
    TypeError, ValueError
        If ``weight`` is not a number, or numbers, of at least 0.
    """
    each = checks.array("weight", weight).astype(np.float64)
    if (each < 0).any():
        raise ValueError(f"weight must be >= 0 in every entry, got {each.min():g}")

    shape = each.shape

    def for_each(w: Array) -> NDArray[np.float64]:
        given = np.shape(w)
        if shape not in ((), given):
            raise ValueError(f"w must have the shape of weight, {shape}, got {given}")
        return each

    def operator(w: Array, learning_rate: float) -> Array:
        threshold = (learning_rate * for_each(w)).astype(w.dtype)
        return w - np.clip(w, -threshold, threshold)

    return Prox(lambda w: float(np.sum(for_each(w) * np.abs(w))), operator, "l1")


def squared_l2(weight: float) -> Prox:
    r"""The squared L2 norm, :math:`\frac\lambda2 \|w\|^2`.

    .. math:: \mathrm{prox}(w) = \frac{w}{1 + \alpha\lambda}

    Parameters
    ----------
    weight : float
        :math:`\lambda \ge 0`.

    Returns
    -------
    Prox

    Raises
    ------
    TypeError, ValueError
        If ``weight`` is not a number of at least 0.
    """
    weight = checks.number("weight", weight, at_least=0.0)
    return Prox(lambda w: weight / 2 * float(np.sum(w * w)), lambda w, rate: w / (1 + rate * weight), "squared_l2")


def elastic_net(l1_weight: float, l2_weight: float) -> Prox:
    r"""The elastic net, :math:`\lambda_1 \|w\|_1 + \frac{\lambda_2}2 \|w\|^2`.

    .. math:: \mathrm{prox}(w) = \frac{w - \min(\max(w, -\alpha\lambda_1), \alpha\lambda_1)}{1 + \alpha\lambda_2}

    Parameters
    ----------
    l1_weight, l2_weight : float
        :math:`\lambda_1, \lambda_2 \ge 0`.

    Returns
    -------
    Prox

    Raises
    ------
    TypeError, ValueError
        If a weight is not a number of at least 0.

    Notes
    -----
    Zou & Hastie (2005). First the threshold, then the shrinkage: in this order the two compose.
    """
    l1_weight = checks.number("l1_weight", l1_weight, at_least=0.0)
    l2_weight = checks.number("l2_weight", l2_weight, at_least=0.0)
    first, second = l1(l1_weight), squared_l2(l2_weight)
    return Prox(
        lambda w: first.value(w) + second.value(w),
        lambda w, rate: second(first(w, rate), rate),
        "elastic_net",
    )


def group_lasso(weight: float, groups: ArrayLike) -> Prox:
    r"""The group lasso, :math:`\lambda \sum_G \sqrt{|G|}\, \|w_G\|_2`: whole groups of weights become zero together.

    .. math:: \mathrm{prox}(w)_G = \max\left(0, 1 - \frac{\alpha\lambda\sqrt{|G|}}{\|w_G\|}\right) w_G

    Parameters
    ----------
    weight : float
        :math:`\lambda > 0`.
    groups : array of int
        Of the shape of the weights. For each weight the number of its group: 0, 1, 2, ..., none left out.

    Returns
    -------
    Prox

    Raises
    ------
    TypeError, ValueError
        If ``weight`` is not positive, or ``groups`` does not number groups.

    Notes
    -----
    Yuan & Lin (2006).
    """
    weight = checks.number("weight", weight, above=0.0)
    shape = checks.array("groups", groups).shape
    group = checks.labels("groups", np.ravel(groups), n=np.size(groups)).astype(np.intp)  # what bincount takes
    if (last := int(group.max())) >= group.size:
        raise ValueError(f"groups must number the groups 0, 1, 2, ..., none left out: {group.size} weights, got {last}")
    sizes = np.bincount(group)
    if (sizes == 0).any():
        raise ValueError(f"groups must number the groups 0, 1, 2, ..., but none is {int(np.argmin(sizes))}")
    scale = weight * np.sqrt(sizes)

    def lengths(w: Array) -> NDArray[np.float64]:
        if w.shape != shape:
            raise ValueError(f"w must have the shape of groups, {shape}, got {w.shape}")
        return np.sqrt(np.bincount(group, np.ravel(w).astype(np.float64) ** 2))

    def operator(w: Array, learning_rate: float) -> Array:
        threshold = np.maximum(learning_rate * scale, np.finfo(np.float64).tiny)
        kept = 1 - threshold / np.maximum(lengths(w), threshold)
        return np.asarray(w * kept[group].reshape(shape).astype(w.dtype))

    return Prox(lambda w: float(scale @ lengths(w)), operator, "group_lasso")


def nuclear_norm(weight: float) -> Prox:
    r"""The nuclear norm of a matrix, :math:`\lambda \sum_i \sigma_i(W)`: its singular values meet the soft threshold.

    .. math:: W = U \,\mathrm{diag}(\sigma)\, V^\top, \qquad
        \mathrm{prox}(W) = U \,\mathrm{diag}(\max(\sigma - \alpha\lambda, 0))\, V^\top

    Parameters
    ----------
    weight : float
        :math:`\lambda \ge 0`.

    Returns
    -------
    Prox
        Of matrices. A call costs a singular value decomposition.

    Raises
    ------
    TypeError, ValueError
        If ``weight`` is not a number of at least 0.

    Notes
    -----
    Cai, Candès & Shen (2010), Theorem 2.1.
    """
    threshold = l1(checks.number("weight", weight, at_least=0.0))

    def operator(w: Array, learning_rate: float) -> Array:
        u, s, v = np.linalg.svd(checks.matrix("nuclear_norm", w), full_matrices=False)
        return np.asarray((u * threshold(s, learning_rate)) @ v)

    return Prox(lambda w: threshold.value(np.linalg.svd(w, compute_uv=False)), operator, "nuclear_norm")


def conjugate(operator: Operator) -> Operator:
    r"""The proximal operator of the conjugate function :math:`h^*(v) = \sup_u v^\top u - h(u)`, by Moreau's identity.

    .. math:: \mathrm{prox}_{\alpha h^*}(v) = v - \alpha\, \mathrm{prox}_{h / \alpha}(v / \alpha)

    Parameters
    ----------
    operator : function
        The operator of :math:`h`: a :class:`Prox`, a set, or any ``operator(w, learning_rate)``.

    Returns
    -------
    function
        ``operator(v, learning_rate)``.

    Raises
    ------
    TypeError
        If ``operator`` is not a function.

    Notes
    -----
    Moreau (1965); in this form Parikh & Boyd (2014), section 2.5.
    """
    checks.function("operator", operator)

    def dual(v: Array, learning_rate: float) -> Array:
        rate = checks.number("learning_rate", learning_rate, above=0.0)
        return v - rate * operator(v / rate, 1 / rate)

    return dual


def gradient_mapping(operator: Operator, w: Array, g: Array, learning_rate: float) -> Array:
    r"""What stands in for the gradient of :math:`f + h`: zero exactly at a minimizer of a convex :math:`f + h`.

    .. math:: G_\alpha(w) = \frac{w - \mathrm{prox}_{\alpha h}(w - \alpha \nabla f(w))}{\alpha}

    Parameters
    ----------
    operator : function
        The operator of :math:`h`.
    w, g : array
        A point, and the gradient of :math:`f` there.
    learning_rate : float
        :math:`\alpha > 0`.

    Returns
    -------
    array
        Of the shape of ``w``; equal to ``g`` to rounding where :math:`h` is zero.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, ``g`` not of the shape of ``w``, or the rate not positive.
    """
    checks.function("operator", operator)
    rate = checks.number("learning_rate", learning_rate, above=0.0)
    w, g = checks.one_array("w", w), checks.one_array("g", g)
    if w.shape != g.shape:
        raise ValueError(f"g must have the shape of w, {w.shape}, got {g.shape}")
    return np.asarray((w - operator(w - rate * g, rate)) / rate)


MAKERS = (
    conjugate, elastic_net, group_lasso, l1, nuclear_norm, squared_l2,
    sets.box, sets.l1_ball, sets.l2_ball, sets.nuclear_ball, sets.psd_cone, sets.simplex,
)  # fmt: skip


def flat_with_prox(problem: Problem, prox: Operator | None, layout: Layout) -> tuple[Problem, Operator | None]:
    """A problem as a function of one flat vector, its value with that of ``prox``; and ``prox`` on flat vectors.

    Weights of float64 stay so where those of the layout are of float32. What has diverged goes no further than to
    here, since some operators would raise.
    """
    smooth = flat(problem, layout)
    if prox is None:
        return smooth, None
    checks.function("prox", prox)
    checks.made("prox", prox, MAKERS)
    more = getattr(prox, "value", lambda w: 0.0)

    def value(w: Array) -> float:
        return smooth.value(w) + float(more(layout.unflatten(w))) if np.isfinite(w).all() else np.nan

    def operator(w: Array, rate: float) -> Array:
        return layout.flatten(prox(layout.unflatten(w), rate), "prox(w)", w.dtype) if np.isfinite(w).all() else w

    return replace(smooth, value=value), operator
