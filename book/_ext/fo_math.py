"""Formulas: a TeX error is a build warning with its page (so the strict build fails), never red ink on a page.

The configuration value `fo_macros` holds the book's TeX macros, which sphinxcontrib-katex cannot pass to
its prerenderer.
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinxcontrib import katex

LOGGER = logging.getLogger(__name__)
SHORT = 40  # characters of TeX; a longer formula may be broken at its relations
CLOSING = re.compile(r"[-,.;:)\]?!’”]+")
PATIENCE = 60.0  # seconds; five are too few for node to start on a busy machine
render_with_server = katex.render_latex


def align_lines(latex: str, options: dict[str, Any]) -> str:
    """Align a displayed formula of several lines at its &, as Sphinx does for LaTeX and MathJax."""
    several = "\\\\" in latex and "\\begin{" not in latex
    return rf"\begin{{aligned}}{latex}\end{{aligned}}" if several and options.get("displayMode") else latex


def render(app: Sphinx, latex: str, options: dict[str, Any] | None = None) -> str:
    """Render one formula, or warn where it stands and show its source."""
    # KaTeX adds what \\gdef defines to the macros it was given: give each formula its own copy.
    settings = {**(options or {}), "throwOnError": True, "macros": dict(app.config.fo_macros)}
    try:
        return str(render_with_server(align_lines(latex, settings), settings))
    except katex.KaTeXError as error:
        page = getattr(app.builder, "current_docname", None)
        LOGGER.warning("%s in the formula: %s", error, latex, location=page, type="fo", subtype="math")
        return "<code>formula with an error</code>"


def keep_punctuation(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Keep a short formula, and the comma after it, on one line."""
    for formula in [node for node in doctree.findall(nodes.math) if len(node.astext()) <= SHORT]:
        formula["classes"].append("fo-together")
        text = formula.next_node(descend=False, siblings=True)
        mark = CLOSING.match(text) if isinstance(text, nodes.Text) else None
        if mark is None:
            continue
        parent = formula.parent
        # by identity: docutils compares texts as strings, and a paragraph may hold several full stops
        place = next(k for k, child in enumerate(parent.children) if child is text)
        parent[place] = nodes.Text(text[mark.end() :])
        together = nodes.inline("", "", classes=["fo-together"])
        formula.replace_self(together)
        together += [formula, nodes.Text(mark[0])]


def start_server(rundir: Path, timeout: float) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start node and connect to it, trying until it listens.

    The extension's own version connects as soon as the socket's file is there, which can be too early.
    """
    path = rundir / "katex.sock"
    command = katex.KaTeXServer.build_command(socket=path)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=rundir)
    end = time.monotonic() + timeout
    while time.monotonic() < end and process.poll() is None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(path))
            return process, connection
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            time.sleep(0.01)
    process.kill()
    raise katex.KaTeXServer.timeout_error(timeout)


def install(app: Sphinx) -> None:
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = PATIENCE
    katex.KaTeXServer.start_server_process = start_server
    katex.render_latex = partial(render, app)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("fo_macros", {}, "html", [dict])
    app.connect("builder-inited", install)
    app.connect("doctree-resolved", keep_punctuation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
