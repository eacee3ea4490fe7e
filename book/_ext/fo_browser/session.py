"""Run cells as a notebook does, and hand what they print and show to the page."""

from __future__ import annotations

import ast
import base64
import importlib
import io
import itertools
import linecache
import logging
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from fo_browser import cells, stand_ins, svg

Emit = Callable[[str, str], Any]  # kind ("text", "svg", "png", "error") and content
MOST_TEXT = 100_000  # characters that one cell may print: a page cannot show more
ALT = "Figure drawn in your browser by the code above"
names: dict[str, Any] = {"__name__": "__main__"}  # what the cells have bound
done: dict[int, str] = {}  # the text of each cell when it was last run to its end
figures = itertools.count(1)


class Printer(io.TextIOBase):
    """A stream that hands on whole lines."""

    def __init__(self, emit: Emit) -> None:
        self.emit, self.line, self.room = emit, "", MOST_TEXT

    def write(self, text: str) -> int:
        self.line += text
        if "\n" in text:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self.line and self.room > 0:
            cut = "" if len(self.line) <= self.room else "\n… the rest is not shown\n"
            self.emit("text", self.line[: self.room] + cut)
            self.room -= len(self.line)
        self.line = ""


def prepare(packages: Sequence[str]) -> None:
    """Put the stand-ins in place, and import what takes long while the page still says "Starting"."""
    stand_ins.install(packages)
    logging.disable(logging.WARNING)  # matplotlib tells that it looks for fonts
    plots = importlib.import_module("fo_lib.plots")
    logging.disable(logging.NOTSET)
    sys.modules["matplotlib"].rcParams.update(plots.STYLE)  # for figures that a reader makes with pyplot
    warnings.filterwarnings("ignore", "Figure.* is non-interactive")  # plt.show(): figures are shown at a cell's end


def to_do(sources: Sequence[str], target: int) -> list[int]:
    """The cells to run, in order: the target, and before it what it needs and has not been run as it stands."""
    run: list[int] = []
    analysed = [cells.analyse(source) for source in sources]
    for k in cells.plan(analysed, target):
        if k == target or done.get(k) != sources[k] or not cells.needs(analysed, k).isdisjoint(run):
            run.append(k)
    return run


def run(number: int, source: str, emit: Emit) -> bool:
    """Run one cell, numbered from 0; return whether it ran to its end."""
    done.pop(number, None)
    name = f"<cell {number + 1}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    printer = Printer(emit)
    with redirect_stdout(printer), redirect_stderr(printer):
        try:
            show(evaluate(source, name), emit, printer)
            show_open_figures(emit, printer)
        except BaseException as error:  # SystemExit, too, is the cell's own affair
            printer.flush()
            emit("error", describe(error))
            return False
        finally:
            printer.flush()
    done[number] = source
    return True


def evaluate(source: str, name: str) -> Any:
    """Execute a cell, and return its last expression's value."""
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    silent = last is None or source.rstrip().endswith(";")
    value = eval(compile(ast.Expression(last.value), name, "eval"), names) if last else None
    return None if silent else value


def show(value: Any, emit: Emit, printer: Printer) -> None:
    """Show a value: as a figure, if it is one, else as text."""
    if value is None:
        return
    printer.flush()
    bundle = value._repr_mimebundle_() if hasattr(value, "_repr_mimebundle_") else {}
    if picture := bundle.get("image/svg+xml"):
        emit_svg(picture, emit)
    elif picture := bundle.get("image/png"):
        emit("png", base64.b64encode(picture).decode())
    else:
        printer.write(f"{value!r}\n")


def emit_svg(picture: str, emit: Emit) -> None:
    emit("svg", svg.inline_svg(picture, ALT, f"run{next(figures)}-"))


def show_open_figures(emit: Emit, printer: Printer) -> None:
    """Show the figures that a reader made with pyplot, as a notebook does at a cell's end."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        printer.flush()
        for number in pyplot.get_fignums():
            out = io.StringIO()
            pyplot.figure(number).savefig(out, format="svg", bbox_inches="tight")
            emit_svg(out.getvalue(), emit)
        pyplot.close("all")


def describe(error: BaseException) -> str:
    """The traceback, of the cells' own lines only."""
    report = traceback.TracebackException.from_exception(error)
    report.stack = traceback.StackSummary.from_list([f for f in report.stack if f.filename.startswith("<cell ")])
    report.__cause__ = report.__context__ = None
    return re.sub(r'File "<cell (\d+)>"', r"Cell \1", "".join(report.format()))
