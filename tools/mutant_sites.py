"""Where a file can be mutated, and into what: the operators of cosmic-ray, without what is no slip of a programmer."""

from __future__ import annotations

import ast
import functools
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider

__all__ = ["Mutant", "Site", "mutant_of", "ranked", "sites"]

Position = tuple[int, int]
Span = tuple[Position, Position]

# Replacements that nobody writes by mistake, and that any test kills: x << y for x * y. `is` for == may mean the same.
_UNLIKELY = re.compile(r"_(?!Bit)\w+_(Bit\w+|Mod|LShift|RShift)$|_BitXor$|_(UAdd|Invert)$|_(?!Is)\w+_Is(Not)?$")
_OPERATORS = OperatorProvider()


@dataclass(frozen=True)
class Site:
    """A place in a file, and an operator that changes it."""

    file: Path
    operator: str
    occurrence: int  # the how manieth place of this operator in the file
    row: int
    line: str
    rank: str  # by which it is drawn


@dataclass(frozen=True)
class Mutant:
    """A file with one change."""

    site: Site
    line: str  # what changed, on one line
    becomes: str
    code: str

    def __str__(self) -> str:
        return f"{self.site.file}:{self.site.row}\n  - {self.line}\n  + {self.becomes}"


def _protected(source: str) -> list[Span]:
    """Spans that are no behaviour: annotations, the texts of messages, what only a type checker reads."""
    lines = source.splitlines()

    def place(row: int, column: int) -> Position:
        return row, len(lines[row - 1].encode()[:column].decode())

    found: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef():
                found.append(node.returns)
            case ast.arg() | ast.AnnAssign():
                found.append(node.annotation)
            case ast.JoinedStr():
                found.append(node)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                found.append(node)
    spans = [node for node in found if isinstance(node, ast.expr | ast.stmt)]
    return [(place(n.lineno, n.col_offset), place(n.end_lineno or 0, n.end_col_offset or 0)) for n in spans]


def _is_mark(node: Any) -> bool:
    """Tell whether this is the mark of what is given by name only: an asterisk that multiplies nothing."""
    return node.type == "operator" and node.parent is not None and node.parent.type in {"parameters", "lambdef"}


def _operators() -> Iterator[str]:
    for name in _OPERATORS:
        if not _UNLIKELY.search(name) and not _OPERATORS[name].arguments():
            yield name


def sites(file: Path, seed: str) -> list[Site]:
    """Return every site of a file. The rank of one depends on its line and the seed, not on the rest of the file."""
    source = file.read_text(encoding="utf-8")
    lines, protected = source.splitlines(), _protected(source)
    nodes = list(ast_nodes(get_ast(source)))
    found: list[Site] = []
    for name in _operators():
        operator = _OPERATORS[name]()
        places = [(node, *position) for node in nodes for position in operator.mutation_positions(node)]
        positions = [(begin, end) for _, begin, end in places]
        for occurrence, (node, begin, end) in enumerate(places):
            if not _is_mark(node) and not any(first <= begin and end <= last for first, last in protected):
                line, again = lines[begin[0] - 1].strip(), occurrence - positions.index((begin, end))
                text = f"{seed}|{file}|{line}|{begin[1]}|{name}|{again}"
                rank = hashlib.sha256(text.encode()).hexdigest()
                found.append(Site(file, name, occurrence, begin[0], line, rank))
    return found


@functools.cache
def _original(file: Path) -> tuple[str, str]:
    source = file.read_text(encoding="utf-8")
    return source, ast.dump(ast.parse(source))


def mutant_of(site: Site) -> Mutant | None:
    """Return what a site becomes, or None where that is no program or the same one."""
    source, meaning = _original(site.file)
    code = mutate_code(source, _OPERATORS[site.operator](), site.occurrence)
    try:
        if code is None or ast.dump(ast.parse(code)) == meaning:
            return None
    except SyntaxError:
        return None
    old, new = source.splitlines(), code.splitlines()
    first = next(k for k, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1])
    end = next(k for k in range(1, len(old)) if old[-k] != new[-k]) - 1
    line, becomes = (" ".join(" ".join(text[first : len(text) - end]).split()) for text in (old, new))
    return Mutant(site, line, becomes, code)


def ranked(files: list[Path], seed: str) -> Iterator[Mutant]:
    """Yield the mutants of some files in the order in which they are drawn."""
    for site in sorted((site for file in files for site in sites(file, seed)), key=lambda site: site.rank):
        mutant = mutant_of(site)
        if mutant is not None:
            yield mutant
