"""What a chapter's notebook must be. Each function takes a notebook and yields what is wrong with it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

MAX_LINES = 15
MAX_COLUMNS = 88  # what a desktop page shows without scrolling
MIN_ALT = 15  # characters: "a plot" describes nothing
IMAGES = {"image/svg+xml", "image/png", "image/jpeg"}
SKIPS = {"nbval-skip", "nbval-ignore-output"}

Notebook = Any  # nbformat has no types


def code_cells(notebook: Notebook) -> Iterator[tuple[int, Any]]:
    """Code cells with their number among the code cells, from 1."""
    yield from enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1)


def differences(source: Notebook, notebook: Notebook) -> Iterator[str]:
    """Where a notebook is not what its MyST source says."""
    pairs = [[(cell.cell_type, cell.source, cell.metadata) for cell in book.cells] for book in (source, notebook)]
    if len(pairs[0]) != len(pairs[1]):
        yield f"{len(pairs[0])} cells in the source, {len(pairs[1])} in the notebook"
    for number, (wanted, found) in enumerate(zip(*pairs, strict=False), start=1):
        if wanted != found:
            yield f"cell {number} differs from the source: {found[1][:60]!r}"


def execution_faults(notebook: Notebook) -> Iterator[str]:
    """Cells that were not run, not in order, or not cleanly."""
    for number, cell in code_cells(notebook):
        if cell.execution_count != number:
            yield f"code cell {number} was not run in order (count {cell.execution_count}): outputs stripped?"
        for output in cell.outputs:
            if output.get("name") == "stderr":
                yield f"code cell {number} writes to stderr: {output.text[:80]!r}"
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
                yield f"code cell {number} raises {output.ename}"


def figure_faults(notebook: Notebook) -> Iterator[str]:
    """Figures without alt text, caption or label."""
    for number, cell in code_cells(notebook):
        if not any(IMAGES & set(output.get("data", {})) for output in cell.outputs):
            continue
        options = cell.metadata.get("mystnb", {})
        if len(options.get("image", {}).get("alt", "")) < MIN_ALT:
            yield f"the figure of code cell {number} has no alt text, or too short a one"
        for part in ("caption", "name"):
            if not options.get("figure", {}).get(part):
                yield f"the figure of code cell {number} has no {part}"


def cell_faults(notebook: Notebook) -> Iterator[str]:
    """Cells that break the rules for what a reader sees."""
    for number, cell in code_cells(notebook):
        lines = cell.source.splitlines()
        if len(lines) > MAX_LINES:
            yield f"code cell {number} has {len(lines)} lines, more than {MAX_LINES}"
        if widest := [line for line in lines if len(line) > MAX_COLUMNS]:
            yield f"code cell {number} is wider than {MAX_COLUMNS} columns: {widest[0][:60]!r}"
        if SKIPS & set(cell.metadata.get("tags", [])) or "NBVAL" in cell.source:
            yield f"code cell {number} escapes the comparison of outputs"
        if any(re.match(r"\s*[%!]", line) for line in lines):
            yield f"code cell {number} uses a % or ! command"
        elif "raises-exception" not in cell.metadata.get("tags", []) or is_python(cell.source):
            yield from (f"code cell {number} {fault}" for fault in code_faults(cell.source, number == 1))


def is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def code_faults(source: str, first: bool) -> Iterator[str]:
    """Late imports, plotting options in view, and random numbers without a seed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom) and not first:
            yield "imports; imports stand in the first code cell"
        if isinstance(node, ast.Attribute | ast.Name) and name_of(node) == "rcParams":
            yield "sets rcParams; figures take their style from the library"
        if isinstance(node, ast.Call) and name_of(node.func) == "default_rng" and not (node.args or node.keywords):
            yield "calls default_rng() without a seed"
        if isinstance(node, ast.Attribute) and is_hidden_generator(node):
            yield f"uses the hidden generator numpy.random.{node.attr}"


def name_of(node: ast.AST) -> str:
    """The last part of a dotted name."""
    return getattr(node, "attr", getattr(node, "id", ""))


def is_hidden_generator(node: ast.Attribute) -> bool:
    """Whether a name is one of numpy.random's functions with a global state, such as np.random.randn."""
    module = node.value
    numpys = isinstance(module, ast.Attribute) and name_of(module.value) in {"np", "numpy"}
    return numpys and name_of(module) == "random" and node.attr.islower() and node.attr != "default_rng"
