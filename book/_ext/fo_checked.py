"""The line under a theorem that links the test which checks it.

    {checked-by}`tests/theorems/test_gradient_descent.py::test_rate`

The test must exist, or the build fails; so it does for a `prf:theorem` without such a line, unless its class
is `cited` (a theorem quoted, not tested).
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

LOGGER = logging.getLogger(__name__)


@cache
def test_lines(path: Path) -> dict[str, int]:
    """Line numbers of the test functions of a file, methods as `Class::method`."""
    lines = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for member in members:
            if isinstance(member, ast.FunctionDef) and member.name.startswith("test_"):
                lines[prefix + member.name] = member.lineno
    return lines


def source_url(app_config: Any, file: str, line: int) -> str:
    """Where the repository shows a line of a file."""
    theme = app_config.html_theme_options
    return f"{theme['repository_url']}/blob/{theme['repository_branch']}/{file}#L{line}"


class CheckedBy(SphinxRole):
    """Link the test, after making sure that it exists."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        file, _, name = self.text.partition("::")
        path = Path(self.env.srcdir) / file
        line = test_lines(path).get(name) if path.is_file() else None
        if line is None:
            message = f"checked-by names no test: {self.text}"
            return [], [self.inliner.reporter.error(message, line=self.lineno)]
        url = source_url(self.config, file, line)
        link = nodes.reference("", "", nodes.literal("", name), refuri=url, internal=False)
        return [nodes.inline("", "Checked by ", link, classes=["fo-checked"])], []


def require_checks(app: Sphinx, doctree: nodes.document) -> None:
    """Warn of theorems that no test stands behind."""
    for node in doctree.findall(nodes.Element):
        if node.get("realtype") != "theorem" or "cited" in node["classes"]:
            continue
        if not any("fo-checked" in part["classes"] for part in node.findall(nodes.inline)):
            label = node.get("label", "")
            LOGGER.warning("theorem %s has no {checked-by} line", label, location=node, type="fo", subtype="checked")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_role("checked-by", CheckedBy())
    app.connect("doctree-read", require_checks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
