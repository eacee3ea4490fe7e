"""What the cells of a chapter need: of each other, and of packages that a browser does not have."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

# What Pyodide does not have, by the module's name, and what a page calls it.
ABSENT = {
    "IPython": "IPython",
    "fo_lib._skip_gram_tensorflow": "TensorFlow",
    "fo_lib.conventions": "TensorFlow",
    "fo_lib.diagnosis.Watch": "Keras",
    "fo_lib.diagnosis.watch": "Keras",
    "fo_lib.distributed": "processes",
    "fo_lib.keras": "Keras",
    "fo_lib.linear_models": "Numba",
    "fo_lib.stored": "stored results of long runs",
    "fo_lib.sweeps": "Optuna",
    "fo_lib.workers": "processes",
    "gensim": "gensim",
    "keras": "Keras",
    "lzma": "lzma",
    "ml_dtypes": "ml_dtypes",
    "optuna": "Optuna",
    "sentencepiece": "SentencePiece",
    "sweep_two_models": "TensorFlow",
    "tensorflow": "TensorFlow",
}
# What it has, by the module's name, and what Pyodide calls it. The library itself needs NumPy and, to draw, matplotlib.
PRESENT = {"scipy": "scipy", "sklearn": "scikit-learn", "threadpoolctl": "threadpoolctl"}
ALWAYS = ["numpy", "matplotlib"]

SCOPES = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Cell:
    """The names that a cell reads and binds. `fixed` are those bound once and for all: imports, functions, classes."""

    modules: dict[str, str] = field(default_factory=dict)  # name bound by an import -> module
    imported: set[str] = field(default_factory=set)  # modules named by import statements
    reads: set[str] = field(default_factory=set)  # before the cell binds them itself
    touches: set[str] = field(default_factory=set)  # read or bound
    binds: set[str] = field(default_factory=set)
    fixed: set[str] = field(default_factory=set)


def absent(module: str) -> str | None:
    """What a page calls a module that a browser does not have."""
    parts = module.split(".")
    return next((ABSENT[name] for n in range(len(parts), 0, -1) if (name := ".".join(parts[:n])) in ABSENT), None)


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that import statements bind, each with its module, or with module and name in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name.split(".")[0], alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def same_scope(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes within a node, without what stands inside functions, classes and comprehensions there."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, SCOPES):
            yield from same_scope(child)


def bound(node: ast.AST) -> set[str]:
    """The names that a node binds in the scope in which it stands (for a scope: within it)."""
    names: set[str] = set()
    for part in same_scope(node):
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
            names.add(part.id)
        elif isinstance(part, ast.arg):
            names.add(part.arg)
        elif isinstance(part, ast.FunctionDef | ast.ClassDef):
            names.add(part.name)
        elif isinstance(part, ast.Import | ast.ImportFrom):
            names.update(name for name, _ in imports(part))
    return names


def reads(node: ast.AST, own: frozenset[str] = frozenset()) -> set[str]:
    """The names that a node reads and that are not its own: a function's arguments, what a comprehension runs over."""
    if isinstance(node, ast.Name):
        return {node.id} - own if isinstance(node.ctx, ast.Load) else set()
    if isinstance(node, ast.arguments):  # defaults are read outside of the function
        return set()
    outside: list[ast.AST] = []
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        outside = [default for default in (*node.args.defaults, *node.args.kw_defaults) if default]
    inside = own | bound(node) if isinstance(node, SCOPES) else own
    found = [reads(part, own) for part in outside] + [reads(part, inside) for part in ast.iter_child_nodes(node)]
    return set().union(*found)


def steps(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a cell in the order in which they run; loops and branches are taken apart."""
    for statement in body:
        parts: list[ast.stmt] = []
        if isinstance(statement, ast.For):
            parts = [ast.Assign([statement.target], statement.iter), *statement.body, *statement.orelse]
        elif isinstance(statement, ast.While | ast.If):
            parts = [ast.Expr(statement.test), *statement.body, *statement.orelse]
        elif isinstance(statement, ast.With):
            targets = [item.optional_vars or ast.Name("_", ast.Store()) for item in statement.items]
            heads = zip(targets, statement.items, strict=True)
            parts = [*(ast.Assign([name], item.context_expr) for name, item in heads), *statement.body]
        if parts:
            yield from steps(parts)
        else:
            yield statement


def analyse(source: str) -> Cell:
    """Read one cell. A cell that is not Python reads and binds nothing: running it will say what is wrong."""
    cell = Cell()
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return cell
    for step in steps(tree.body):
        needed, new = reads(step), bound(ast.Module([step], []))
        cell.reads |= needed - cell.binds
        cell.touches |= needed | new
        cell.binds |= new
        if isinstance(step, ast.AugAssign) and isinstance(step.target, ast.Name):
            cell.reads |= {step.target.id} - (cell.binds - new)
        if isinstance(step, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
            cell.fixed |= new
    for name, module in imports(tree):
        cell.modules[name] = module
        cell.imported.add(module)
    return cell


def blocked(sources: Sequence[str], known: Mapping[int, str] | None = None) -> dict[int, str]:
    """The cells that cannot run in a browser, with the reason: an absent package, used there or in what they need.

    `known` holds cells that cannot run for other reasons; what needs them cannot, either.
    """
    reasons = dict(known or {})
    tainted: dict[str, str] = {}
    for number, cell in enumerate(map(analyse, sources)):
        reason = next((tainted[name] for name in sorted(cell.reads) if name in tainted), None)
        if reason:
            reasons.setdefault(number, reason)
        for name in cell.binds:
            tainted.pop(name, None)
            if reason := reasons.get(number) or absent(cell.modules.get(name, "")):
                tainted[name] = reason
    return reasons


def unknown(sources: Sequence[str]) -> list[str]:
    """Modules that cells import and that are neither in the browser nor known to be absent there: a file, say."""
    modules = {module for source in sources for module in analyse(source).imported if not absent(module)}
    known = {"fo_lib", *ALWAYS, *PRESENT, *sys.stdlib_module_names}
    return sorted({module.split(".")[0] for module in modules} - known)


def packages(sources: Sequence[str]) -> list[str]:
    """The packages, by Pyodide's names, that the cells import."""
    modules = {module.split(".")[0] for source in sources for module in analyse(source).imported}
    return [*ALWAYS, *(name for module, name in PRESENT.items() if module in modules)]


def needs(cells: Sequence[Cell], number: int) -> set[int]:
    """The cells that make what one cell reads.

    A name comes from the last cell before that binds it; and since cells change the arrays, figures and generators
    that they touch, every cell after that one which touches it comes, too. (Not for modules and functions.)
    """
    found: set[int] = set()
    for name in cells[number].reads:
        before = [k for k in range(number) if name in cells[k].binds]
        if before and name in cells[before[-1]].fixed:
            found.add(before[-1])
        elif before:
            found.update(k for k in range(before[-1], number) if name in cells[k].touches)
    return found


def plan(cells: Sequence[Cell], target: int) -> list[int]:
    """The cells that make what `target` needs, and what those need, in order; `target` is the last."""
    needed, waiting = {target}, [target]
    while waiting:
        new = needs(cells, waiting.pop()) - needed
        needed |= new
        waiting += new
    return sorted(needed)
