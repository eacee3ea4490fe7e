"""Colours, dashes and sizes of the book's figures."""

from __future__ import annotations

from typing import Any

from cycler import cycler

INK = "#0b0b0b"
COLORS = ["#1f77d0", "#d1572a", "#2a9d6f", "#9a5fc7", "#b8860b", "#7f7f7f"]
DASHES: list[Any] = ["-", (0, (6, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)), (0, (3, 1.5)), (0, (8, 2, 1, 2, 1, 2))]

# Any, since matplotlib's stub wants every key as a literal.
STYLE: Any = {
    "svg.hashsalt": "fo",
    "svg.fonttype": "none",
    "path.simplify": False,  # what it drops can turn on the last bit
    "font.size": 10.5,
    "mathtext.fontset": "dejavusans",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#8c8c8c",
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 1.8,
    "axes.prop_cycle": cycler(color=COLORS, linestyle=DASHES),
}
NAMED = "named "  # begins the id of a point whose name is to be shown
MOST_POINTS = 240  # of a curve: more than a page can show
BOUND_DASHES: list[Any] = [(0, (2, 2)), (0, (7, 2, 1, 2)), (0, (1, 3))]
BOUND: dict[str, Any] = {"color": INK, "linestyle": BOUND_DASHES[0], "linewidth": 1.1}
