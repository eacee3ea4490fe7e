"""What the page of benchmarks shows of the stored results: tables, figures, and single numbers for its claims."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from IPython.display import Markdown

from fo_lib import plots

Row = dict[str, Any]
HERE = Path(__file__).resolve().parent
# Every measure of the folder benchmarks, in the order of the page, with what it is about.
MEASURES = {
    "step": "One step of a rule",
    "step_threads": "One step on two threads",
    "keras_step": "A step of fit in Keras",
    "loop": "Steps a second of the loop",
    "one_sample": "One-sample SGD for linear models",
    "variance_reduction": "SAGA and SVRG for linear models",
    "word_vectors": "Word vectors",
    "lasso": "Lasso",
    "import_time": "Import and first call",
    "memory": "Memory of an epoch",
    "compiled_epoch": "An epoch as one graph",
    "book": "Building the book",
    "page_speed": "Loading a chapter",
    "live_figures": "Following a slider",
}


def load(name: str, folder: Path = HERE / "stored") -> dict[str, Any] | None:
    """What is stored of a measure, or None."""
    path = folder / f"benchmark-{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


FOUND = {name: load(name) for name in MEASURES}


def rows(name: str) -> list[Row]:
    """The rows of a measure; a single one that says so where there are none."""
    found = FOUND[name]
    if found is None:
        return [{"what": MEASURES[name], "peer": "", "ratio": None, "bar": None, "note": "no data yet"}]
    return found["rows"]


def met(row: Row) -> bool | None:
    """Whether the median is at least the bar; None without bar or measurement."""
    return None if row["ratio"] is None or row["bar"] is None else row["ratio"][1] >= row["bar"]


def verdict(row: Row) -> str:
    """What a row says of its bar, in words; where the range holds the bar, noise may have decided."""
    if met(row) is None:
        return ""
    low, _, high = row["ratio"]
    if met(row):
        return "met" if low >= row["bar"] else "met (not in every round)"
    return "**not met**" + (" (but in the best round)" if high >= row["bar"] else "")


def medians(name: str, what: str = "", peer: str = "") -> np.ndarray:
    """The medians of the rows in whose first two columns the words stand; of none, an error."""
    chosen = [row for row in rows(name) if what in row["what"] and peer in row["peer"] and row["ratio"]]
    if not chosen:
        raise KeyError(f"{name} has no measured row with {what!r} and {peer!r}")
    return np.array([row["ratio"][1] for row in chosen])


def _number(value: float) -> str:
    """Three digits at most, without an exponent."""
    return np.format_float_positional(value, precision=3, unique=False, fractional=False, trim="-")


def _table(head: str, lines: Iterable[str]) -> Markdown:
    columns = head.count("|") + 1
    return Markdown("\n".join([head, "|".join(["---"] * columns), *lines]))


def _line(row: Row) -> str:
    if row["ratio"] is None:
        ratio, bar = "not measured", ""
    else:
        low, median, high = map(_number, row["ratio"])
        ratio, bar = f"{median} ({low} to {high})", "" if row["bar"] is None else _number(row["bar"])
    return " | ".join([row["what"], row["peer"] or " ", ratio, bar or " ", verdict(row) or " ", row["note"] or " "])


def table(*names: str) -> Markdown:
    """Every row of some measures."""
    head = "What | Against | Ratio, with range | Bar | Verdict | Note"
    return _table(head, [_line(row) for name in names for row in rows(name)])


def _summary_line(name: str) -> str:
    judged = [row for row in rows(name) if met(row) is not None]
    missing = [row for row in rows(name) if row["ratio"] is None]
    if not judged:
        note = f"{missing[0]['note']}" if missing else "measured, without a bar"
        return f"{MEASURES[name]} | – | {note}"
    worst = min(judged, key=lambda row: row["ratio"][1] / row["bar"])
    said = [verdict(row) for row in judged]
    more = {"more in the best round": sum("(but" in word for word in said), "not measured": len(missing)}
    words = ", ".join(f"{n} {what}" for what, n in more.items() if n)
    count = f"{sum(word.startswith('met') for word in said)} of {len(judged)}" + (f" ({words})" if words else "")
    least = f"{worst['what']}, {worst['peer']}: {_number(worst['ratio'][1])} where {_number(worst['bar'])} is the bar"
    return f"{MEASURES[name]} | {count} | {least}"


def summary() -> Markdown:
    """One line for each measure: bars met, and the row that is lowest above or below its bar."""
    return _table("Measure | Bars met | Lowest", map(_summary_line, MEASURES))


def machines() -> Markdown:
    """Where, when and with which versions the stored results were made; more than one, if they differ."""
    seen: dict[str, list[str]] = {}
    for found in filter(None, FOUND.values()):
        m = found["machine"]
        versions = ", ".join(f"{name} {version}" for name, version in m["packages"].items())
        where = f"{m['processor']}, {m['cores']} cores, {m['gigabytes']} GB, {m['system']}, Python {m['python']}"
        seen.setdefault(f"{where}; {versions}", []).append(found["date"])
    return Markdown("\n\n".join(f"{where}. Measured {_span(dates)}." for where, dates in seen.items()))


def _span(dates: list[str]) -> str:
    first, last = min(dates), max(dates)
    return f"on {first}" if first == last else f"from {first} to {last}"


def ratios(*names: str, where: Callable[[Row], bool] = lambda row: True) -> plots.Figure:
    """Each row as a dot with its range on a logarithmic axis; a tick is its bar, a hollow dot is below it."""
    shown = [row for name in names for row in rows(name) if row["ratio"] and where(row)]
    fig, ax = plots.figure(height=0.9 + 0.27 * max(len(shown), 2))
    for y, row in enumerate(reversed(shown)):
        low, median, high = row["ratio"]
        color, below = plots.COLORS[0], met(row) is False
        ax.plot([low, high], [y, y], color=color, linestyle="-", linewidth=1.4)
        ax.plot([median], [y], color=color, marker="o", markersize=6, markerfacecolor="none" if below else color)
        if row["bar"] is not None:
            ax.plot([row["bar"]], [y], color=plots.INK, marker="|", markersize=11, linestyle="none")
    ax.set(xscale="log", xlabel="reference over ours", ylim=(-0.7, max(len(shown), 1) - 0.3))
    several = len({row["peer"] for row in shown}) > 1
    names = [f"{row['what']} – {row['peer']}" if several else row["what"] for row in reversed(shown)]
    ax.set_yticks(range(len(shown)), names, fontsize=8.5)
    ax.grid(axis="y", visible=False)
    _plain_ticks(ax)
    return fig


def _plain_ticks(ax: Any) -> None:
    low, high = ax.get_xlim()
    digits = (1, 2, 5) if high > 4 * low else (1, 1.2, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)
    ticks = [d * 10.0**k for k in range(-4, 5) for d in digits if low <= d * 10.0**k <= high]
    ticks = ticks if len(ticks) <= 9 else [t for t in ticks if f"{t:.0e}"[0] == "1"]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()


def by_size(name: str = "step") -> plots.Figure:
    """For each rule, the ratio to every reference against the number of parameters."""
    measured = [row for row in rows(name) if row["ratio"]]
    kinds = list(dict.fromkeys(row["what"].split(",")[0] for row in measured))
    fig, axes = plots.figure(max(len(kinds), 1), width=6.6, height=3.2, sharey=True, squeeze=False)
    for ax, kind in zip(axes[0], kinds, strict=False):
        mine = [row for row in measured if row["what"].startswith(f"{kind},")]
        for number, peer in enumerate(dict.fromkeys(row["peer"] for row in mine)):
            found = {float(row["what"].split()[1]): row["ratio"] for row in mine if row["peer"] == peer}
            x, (low, median, high) = list(found), np.array(list(found.values())).T
            look = {"color": plots.COLORS[number], "linestyle": plots.DASHES[number]}
            ax.plot(x, median, marker="o", markersize=4, label=peer, **look)
            ax.vlines(x, low, high, color=look["color"], linewidth=1.2)
        ax.axhline(1, color=plots.INK, linewidth=0.8)
        ax.set(xscale="log", yscale="log", xlabel="parameters", title=kind)
    axes[0][0].set_ylabel("reference over ours")
    axes[0][-1].legend(fontsize=7.5)
    return fig
