"""Every figure of the book, in one style that survives dark mode, grey print and colour blindness.

Functions return a :class:`Figure`, which a notebook shows as SVG, the same bytes in every run: text stays text, the
background is transparent, and everything that is not a curve has one ink colour.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from . import checks
from ._plot_style import BOUND, BOUND_DASHES, COLORS, INK, MOST_POINTS, NAMED, STYLE
from ._plot_style import DASHES as DASHES
from .loop import Trace
from .problem import Problem

__all__ = ["Figure", "StyledAxes", "convergence", "figure", "images", "paths", "style"]


def style() -> Any:
    """Return a context in which matplotlib draws in the book's style."""
    return mpl.rc_context(STYLE)


class StyledAxes(Axes):
    """Axes on which a reader's own calls draw in the book's style, too: matplotlib reads most of it when called."""

    def plot(self, *args: Any, **kwargs: Any) -> Any:
        """Draw curves; arguments are those of matplotlib."""
        with style():
            return super().plot(*args, **kwargs)

    def legend(self, *args: Any, **kwargs: Any) -> Any:
        """Draw a legend; arguments are those of matplotlib."""
        with style():
            return super().legend(*args, **kwargs)

    def text(self, *args: Any, **kwargs: Any) -> Any:
        """Write text; arguments are those of matplotlib."""
        with style():
            return super().text(*args, **kwargs)

    def annotate(self, *args: Any, **kwargs: Any) -> Any:
        """Write text beside a point; arguments are those of matplotlib."""
        with style():
            return super().annotate(*args, **kwargs)

    def named_points(self, x: ArrayLike, y: ArrayLike, names: Sequence[str], **kwargs: Any) -> None:
        """Draw points that show their names when they are pointed at; more arguments are those of ``plot``."""
        look = {"color": COLORS[0], "marker": "o", "linestyle": "none", **kwargs}
        for x_i, y_i, name in zip(np.asarray(x), np.asarray(y), names, strict=True):
            self.plot([x_i], [y_i], gid=f"{NAMED}{name}", **look)


class Figure(matplotlib.figure.Figure):
    """A matplotlib figure that shows itself in a notebook, as SVG or, where ``raster`` is set, as PNG.

    A raster figure is for what need not be the same to the last bit on another processor (trained networks, chaotic
    runs) or is too dense for SVG.
    """

    raster = False

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        with style():
            if self.raster:
                return {"image/png": self._bytes("png"), "text/plain": repr(self)}
            return {"image/svg+xml": _portable(self._bytes("svg").decode()), "text/plain": repr(self)}

    def _bytes(self, form: str) -> bytes:
        out = io.BytesIO()
        metadata = {"Date": None} if form == "svg" else {"Software": None}
        self.savefig(out, format=form, metadata=metadata, bbox_inches="tight", dpi=160)
        return out.getvalue()

    def __repr__(self) -> str:
        return f"<Figure with {len(self.axes)} axes>"


def _portable(svg: str) -> str:
    """Make an SVG the same where only the last bits of its numbers differ: another processor, another BLAS.

    Coordinates keep two decimals (of a point), and ids, which matplotlib hashes from the numbers, are counted instead.
    """
    svg = re.sub(rf'<g id="{NAMED}([^"]*)">', r"<g><title>\1</title>", svg)
    coordinates = re.compile(r'( (?:d|x|y|points|transform|viewBox|width|height)=")([^"]*)')
    svg = coordinates.sub(lambda found: found[1] + re.sub(r"(\.\d\d)\d+", r"\1", found[2]), svg)
    # a curve that ends where it began is "closed" or not by the last bit of its ends
    svg = re.sub(r'( d="M (\S+ \S+)\s[^"z]*L \2)\s+z\s*"', r'\1 \n"', svg)
    names = {name: f"i{n}" for n, name in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg)))}
    return re.sub(r'(\bid="|url\(#|href="#)([^")]+)', lambda found: found[1] + names.get(found[2], found[2]), svg)


def figure(
    columns: int = 1, *, width: float = 6.6, height: float = 3.2, raster: bool = False, **subplots: Any
) -> tuple[Figure, Any]:
    """Make an empty figure in the book's style.

    Parameters
    ----------
    columns : int
        Axes side by side.
    width, height : float
        In inches, of the whole figure.
    raster : bool
        Show it as PNG (see :class:`Figure`), on a white ground.
    **subplots
        Passed to matplotlib's ``Figure.subplots``, such as ``sharey=True``.

    Returns
    -------
    Figure, Axes or array of Axes
        As from ``matplotlib.pyplot.subplots``.
    """
    columns = checks.count("columns", columns, at_most=100)
    width, height = checks.number("width", width, above=0.0), checks.number("height", height, above=0.0)
    with style():
        fig = Figure(figsize=(width, height), layout="constrained")
        fig.raster = raster
        if raster:
            fig.set_facecolor("white")
        return fig, fig.subplots(1, columns, subplot_kw={"axes_class": StyledAxes}, **subplots)


def convergence(
    traces: Mapping[str, Trace | ArrayLike],
    *,
    minimum: float = 0.0,
    bounds: Mapping[str, Callable[[NDArray[Any]], ArrayLike]] | None = None,
    xlabel: str = "step $k$",
    ylabel: str | None = None,
    floor: float = 1e-16,
    log_x: bool = False,
    ax: Axes | None = None,
) -> Figure:
    r"""Draw how far above the minimum each run is at each step, and the bounds that theory gives.

    Parameters
    ----------
    traces : dict
        Label to a :class:`~fo_lib.loop.Trace`, or to a plain array of the quantity itself, one entry for each step.
    minimum : float
        Subtracted from the values of traces.
    bounds : dict, optional
        Label to a function of the array of steps.
    xlabel, ylabel : str
        Labels of the axes; by default of the gap :math:`f(w_k) - f^\star`.
    floor : float
        Smaller values are not drawn: below it there is only rounding.
    log_x : bool
        Use a logarithmic axis for the steps as well.
    ax : Axes, optional
        Draw here, in a figure made by :func:`figure`.

    Returns
    -------
    Figure
    """
    checks.instance("traces", traces, Mapping)
    if bounds is not None:
        checks.instance("bounds", bounds, Mapping)
    minimum, floor = checks.number("minimum", minimum), checks.number("floor", floor)
    ax = figure()[1] if ax is None else ax
    last = 1
    with style():
        for label, trace in traces.items():
            step, gap = _curve(trace, minimum)
            last = max(last, int(step[-1]))
            shown = _thin(len(step), log_x)
            ax.plot(step[shown], np.where(gap > floor, gap, np.nan)[shown], label=label)
        k = np.arange(1 if log_x else 0, last + 1)[_thin(last + 1 - log_x, log_x)]
        for number, (label, bound) in enumerate((bounds or {}).items()):
            checks.function(f"bounds[{label!r}]", bound)
            y = np.asarray(bound(k)) + np.zeros(len(k))
            look = {**BOUND, "linestyle": BOUND_DASHES[number % len(BOUND_DASHES)]}
            ax.plot(k, np.where(y > floor, y, np.nan), label=label, **look)
        ax.set(yscale="log", xlabel=xlabel, ylabel=r"gap $f(w_k) - f^\star$" if ylabel is None else ylabel)
        if log_x:
            ax.set_xscale("log")
        ax.legend()
    return _figure_of(ax)


def _figure_of(ax: Axes) -> Figure:
    if not isinstance(ax.figure, Figure):
        raise TypeError(f"ax must be made by plots.figure, got axes of {ax.figure!r}")
    return ax.figure


def _curve(trace: Trace | ArrayLike, minimum: float) -> tuple[NDArray[Any], NDArray[Any]]:
    if isinstance(trace, Trace):
        return trace.step, trace.value - minimum
    values = checks.array("traces", trace, ndim=1, finite=False).astype(float)
    return np.arange(len(values)), values


def _thin(n: int, log_x: bool) -> NDArray[np.int64]:
    """Indices of at most MOST_POINTS of n points, evenly spaced on the axis, ends included."""
    if n <= MOST_POINTS:
        return np.arange(n)
    spaced = np.geomspace(1, n, MOST_POINTS) - 1 if log_x else np.linspace(0, n - 1, MOST_POINTS)
    return np.unique(np.round(spaced).astype(np.int64))


def paths(
    problem: Problem,
    traces: Mapping[str, Trace],
    *,
    x: tuple[float, float],
    y: tuple[float, float],
    levels: int | Sequence[float] = 12,
    labels: tuple[str, str] = ("$w_1$", "$w_2$"),
    ax: Axes | None = None,
) -> Figure:
    """Draw the paths of runs over the level sets of a problem of two weights.

    Parameters
    ----------
    problem : Problem
        Of two weights.
    traces : dict
        Label to a trace recorded with ``iterates=True``.
    x, y : tuple of float
        Range of the axes.
    levels : int or sequence of float
        The level sets: how many (evenly spaced in the root of the gap), or their values.
    labels : tuple of str
        Names of the two weights.
    ax : Axes, optional
        Draw here, in a figure made by :func:`figure`.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a trace has no iterates of two weights.
    """
    checks.instance("problem", problem, Problem)
    checks.instance("traces", traces, Mapping)
    for name, pair in (("x", x), ("y", y)):
        checks.array(name, pair, shape=(2,))
    ax = figure(height=3.6)[1] if ax is None else ax
    grid = np.meshgrid(np.linspace(*x, 91), np.linspace(*y, 91))
    z = np.array([[problem.value(np.array(p)) for p in zip(*row, strict=True)] for row in zip(*grid, strict=True)])
    low = z.min() if problem.minimum is None else problem.minimum
    if isinstance(levels, int):
        levels = (low + np.linspace(0, np.sqrt(z.max() - low), levels + 1)[1:-1] ** 2).tolist()
    with style():
        ax.contour(*grid, z, levels=levels, colors="#8c8c8c", linewidths=0.7, alpha=0.8)
        for label, trace in traces.items():
            checks.instance(f"traces[{label!r}]", trace, Trace)
            if trace.iterates is None or trace.iterates.shape[1] != 2:
                raise ValueError(f"traces[{label!r}] must be recorded with iterates=True on a problem of two weights")
            ax.plot(*trace.iterates.T, marker="o", markersize=3, linewidth=1.2, label=label)
        if problem.minimizer is not None:
            ax.plot(*problem.minimizer, marker="*", markersize=11, color=INK, linestyle="")
        ax.set(xlim=x, ylim=y, xlabel=labels[0], ylabel=labels[1])
        ax.grid(False)
        if traces:
            ax.legend()
    return _figure_of(ax)


def images(pictures: Sequence[ArrayLike], titles: Sequence[str], *, height: float = 1.5) -> Figure:
    """Show small grey pictures in a row, each with a title.

    Parameters
    ----------
    pictures : sequence of arrays of shape (height, width)
        Grey values; each is scaled to its own range.
    titles : sequence of str
        One for each.
    height : float
        Of the figure, in inches.

    Returns
    -------
    Figure
        As PNG.

    Raises
    ------
    ValueError
        If there are not as many titles as pictures.
    """
    pictures, titles = checks.several("pictures", pictures), checks.several("titles", titles)
    if not pictures or len(titles) != len(pictures):
        raise ValueError(f"titles must be as many as the pictures, {len(pictures)}, at least one, got {len(titles)}")
    fig, axes = figure(len(pictures), height=height, raster=True, squeeze=False)
    for i, picture in enumerate(pictures):
        if checks.array(f"pictures[{i}]", picture, finite=False).ndim not in (2, 3):
            raise ValueError(f"pictures[{i}] must have two dimensions, got shape {np.shape(picture)}")
    for ax, picture, title in zip(axes[0], pictures, titles, strict=True):
        ax.imshow(np.asarray(picture), cmap="gray_r", interpolation="nearest")
        ax.set_title(title, loc="center", fontsize=9)
        ax.set_axis_off()
    return fig
