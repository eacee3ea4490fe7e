"""Show a function of the library as it stands, without its docstring, which the API page has.

```{source} fo_lib/rules/descent.py::gradient_descent
```
"""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from fo_checked import source_url


def definition(path: Path, name: str) -> tuple[str, int] | None:
    """The source of a function or a method ("Class.method") without its docstring, and the line where it starts."""
    text = path.read_text(encoding="utf-8")
    node: ast.AST = ast.parse(text)
    for part in name.split("."):
        inside = [n for n in getattr(node, "body", []) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        node = next((n for n in inside if n.name == part), ast.Module([], []))
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return None
    lines = text.splitlines()
    first = node.body[0]
    drop = range(first.lineno - 1, first.end_lineno or 0) if ast.get_docstring(node) is not None else range(0)
    kept = [lines[i] for i in range(node.lineno - 1, node.end_lineno or 0) if i not in drop]
    return textwrap.dedent("\n".join(kept)), node.lineno


class Source(SphinxDirective):
    """A captioned code block with the function's own text, linked to the repository."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        file, _, name = self.arguments[0].partition("::")
        path = Path(self.env.srcdir) / file
        found = definition(path, name) if path.is_file() else None
        if found is None:
            raise self.error(f"source names no function: {self.arguments[0]}")
        self.env.note_dependency(str(path))
        code, line = found
        block = nodes.literal_block(code, code, language="python")
        link = nodes.reference(
            "", "", nodes.literal("", file), refuri=source_url(self.config, file, line), internal=False
        )
        caption = nodes.caption("", "", nodes.literal("", name), nodes.Text(" in "), link)
        return [nodes.container("", caption, block, literal_block=True, classes=["literal-block-wrapper", "fo-source"])]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("source", Source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
