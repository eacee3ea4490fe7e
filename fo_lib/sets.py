"""Convex sets, for the slot ``prox`` of :func:`~fo_lib.loop.minimize` and for Frank and Wolfe's method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks
from .transforms import clip_norm

__all__ = ["Set", "box", "l1_ball", "l2_ball", "nuclear_ball", "psd_cone", "simplex"]

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Set:
    """A closed convex set; called as ``C(w, learning_rate)`` it projects, whatever the learning rate is.

    Parameters
    ----------
    project : function
        ``project(w)``: the nearest point of the set.
    corner : function or None
        ``corner(g)``: a point of the set where ``g @ w`` is least; None where the set is not bounded.
    name : str
        What messages call it.
    """

    project: Callable[[Array], Array]
    corner: Callable[[Array], Array] | None
    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "project", self._of_floats(self.project))
        if self.corner is not None:
            object.__setattr__(self, "corner", self._of_floats(self.corner))

    def _of_floats(self, function: Callable[[Array], Array]) -> Callable[[Array], Array]:
        return lambda w: function(checks.one_array(self.name, w))

    def __call__(self, w: Array, _learning_rate: float) -> Array:
        return self.project(w)

    def value(self, w: Array) -> float:
        """0 in the set, infinity outside.

        A point is outside if it is farther from its projection than the square root of the dtype's precision, relative
        to the larger of its length and 1.
        """
        w = checks.one_array(self.name, w)
        if not np.isfinite(w).all():
            return np.inf
        scale = max(1.0, float(np.abs(w).max()))  # no square overflows
        apart, length = (float(np.linalg.norm(a.astype(np.float64) / scale)) for a in (w - self.project(w), w))
        return 0.0 if apart <= np.sqrt(np.finfo(w.dtype).eps) * max(1 / scale, length) else np.inf

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


def box(lower: float | ArrayLike, upper: float | ArrayLike) -> Set:
    r"""All points with :math:`l_i \le w_i \le u_i`.

    .. math:: P(w)_i = \min(\max(w_i, l_i), u_i)

    Parameters
    ----------
    lower, upper : float or array
        Numbers, or one for each weight; infinite where there is no limit.

    Returns
    -------
    Set

    Raises
    ------
    TypeError, ValueError
        If a limit is not a number, or is NaN, their shapes differ, or ``lower`` is somewhere above ``upper``.
    """
    low, high = (_limit(*pair) for pair in (("lower", lower), ("upper", upper)))
    if low.ndim and high.ndim and low.shape != high.shape:
        raise ValueError(f"lower and upper must have one shape, got {low.shape} and {high.shape}")
    if not (low <= high).all():
        raise ValueError(f"lower must be <= upper in every entry, got {lower!r} and {upper!r}")
    if (low == np.inf).any() or (high == -np.inf).any():
        raise ValueError(f"lower must be below infinity and upper above minus infinity, got {lower!r} and {upper!r}")

    def limits(w: Array) -> tuple[Array, Array]:
        if any(limit.ndim > 0 and limit.shape != w.shape for limit in (low, high)):
            raise ValueError(f"w must have the shape of the limits, {low.shape} and {high.shape}, got {w.shape}")
        return low.astype(w.dtype), high.astype(w.dtype)

    bounded = bool(np.isfinite(low).all() and np.isfinite(high).all())
    return Set(lambda w: np.clip(w, *limits(w)), (lambda g: np.where(g > 0, *limits(g))) if bounded else None, "box")


def _limit(name: str, value: float | ArrayLike) -> NDArray[np.float64]:
    return checks.array(name, value, finite=False).astype(np.float64)


def simplex(total: float = 1.0) -> Set:
    r"""The simplex: vectors with :math:`w_i \ge 0` and :math:`\sum_i w_i = s`.

    .. math:: P(w)_i = \max(w_i - \theta, 0), \qquad \theta \text{ such that } \sum_i P(w)_i = s

    Parameters
    ----------
    total : float
        :math:`s > 0`.

    Returns
    -------
    Set

    Raises
    ------
    TypeError, ValueError
        If ``total`` is not a positive number.

    Notes
    -----
    By sorting: Held, Wolfe & Crowder (1974).
    """
    total = checks.number("total", total, above=0.0)
    return Set(lambda w: _onto_simplex(w, total), lambda g: _unit(g, int(np.argmin(g)), total), "simplex")


def _onto_simplex(w: Array, total: float) -> Array:
    shifted = _vector(w).astype(np.float64) - w.max()  # which moves no projection, and keeps the sums small
    largest = -np.sort(-shifted)
    excess = (np.cumsum(largest) - total) / np.arange(1, w.size + 1)
    theta = excess[np.count_nonzero(largest > excess) - 1]
    return np.asarray(np.maximum(shifted - theta, 0), w.dtype)


def _vector(w: Array) -> Array:
    if w.ndim != 1:
        raise ValueError(f"w must be a vector, got shape {w.shape}")
    return w


def _unit(like: Array, index: int, value: float) -> Array:
    corner = np.zeros_like(_vector(like))
    corner[index] = value
    return corner


def l1_ball(radius: float) -> Set:
    r"""Vectors with :math:`\|w\|_1 \le r`.

    .. math:: P(w) = \mathrm{sign}(w) \, P_\text{simplex}(|w|) \quad \text{outside}

    Parameters
    ----------
    radius : float
        :math:`r > 0`.

    Returns
    -------
    Set

    Raises
    ------
    TypeError, ValueError
        If ``radius`` is not a positive number.

    Notes
    -----
    Duchi, Shalev-Shwartz, Singer & Chandra (2008), section 4.
    """
    radius = checks.number("radius", radius, above=0.0)

    def project(w: Array) -> Array:
        size = np.abs(_vector(w))
        return (
            w.copy() if size.sum(dtype=np.float64) <= radius else np.asarray(np.sign(w) * _onto_simplex(size, radius))
        )

    def corner(g: Array) -> Array:
        largest = int(np.argmax(np.abs(_vector(g))))
        return _unit(g, largest, -radius if g[largest] > 0 else radius)

    return Set(project, corner, "l1_ball")


def l2_ball(radius: float) -> Set:
    r"""Arrays with :math:`\|w\|_2 \le r`, the norm being taken over all entries.

    .. math:: P(w) = w \min\left(1, \frac{r}{\|w\|}\right)

    Parameters
    ----------
    radius : float
        :math:`r > 0`.

    Returns
    -------
    Set

    Raises
    ------
    TypeError, ValueError
        If ``radius`` is not a positive number.
    """
    radius = checks.number("radius", radius, above=0.0)

    def corner(g: Array) -> Array:
        direction = _scaled(g)
        return np.asarray(-radius * direction / max(float(np.linalg.norm(direction)), 1.0))

    return Set(clip_norm(radius), corner, "l2_ball")


def psd_cone() -> Set:
    r"""Symmetric matrices without negative eigenvalues.

    .. math:: \tfrac12 (W + W^\top) = Q \,\mathrm{diag}(\lambda)\, Q^\top, \qquad
        P(W) = Q \,\mathrm{diag}(\max(\lambda, 0))\, Q^\top

    Returns
    -------
    Set
        Not bounded: it has no ``corner``. A projection costs an eigendecomposition.
    """

    def project(w: Array) -> Array:
        eigenvalues, q = np.linalg.eigh((checks.matrix("psd_cone", w) + w.T) / 2)
        return np.asarray((q * np.maximum(eigenvalues, 0)) @ q.T)

    return Set(project, None, "psd_cone")


def nuclear_ball(radius: float) -> Set:
    r"""Matrices whose singular values sum to at most :math:`r`.

    .. math:: W = U \,\mathrm{diag}(\sigma)\, V^\top, \qquad
        P(W) = U \,\mathrm{diag}(P_\text{l1}(\sigma))\, V^\top, \qquad \text{corner}(G) = -r\, u_1 v_1^\top

    Parameters
    ----------
    radius : float
        :math:`r > 0`.

    Returns
    -------
    Set
        A projection costs all singular values, a corner the leading pair of singular vectors (SciPy's ``svds``).

    Raises
    ------
    TypeError, ValueError
        If ``radius`` is not a positive number.
    """
    values = l1_ball(radius)

    def project(w: Array) -> Array:
        u, s, v = np.linalg.svd(checks.matrix("nuclear_ball", w), full_matrices=False)
        return np.asarray((u * values.project(s)) @ v)

    return Set(project, lambda g: -float(radius) * _leading(_scaled(checks.matrix("nuclear_ball", g))), "nuclear_ball")


def _scaled(g: Array) -> Array:
    """The same direction with a largest entry of 1, so that no square overflows or is lost; or zero."""
    largest = np.abs(g).max()
    return np.asarray(g / largest) if largest > 0 else g


def _leading(g: Array) -> Array:
    """The outer product of the leading singular vectors."""
    from scipy.sparse.linalg import svds

    if min(g.shape) < 3 or not g.any():
        u, _, v = np.linalg.svd(g, full_matrices=False)
        return np.outer(u[:, 0], v[0])
    first = np.random.default_rng(0).standard_normal(min(g.shape))
    u, _, v = svds(g, k=1, v0=first.astype(g.dtype))
    return np.outer(u[:, 0], v[0])
