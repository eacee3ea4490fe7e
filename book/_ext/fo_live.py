"""Figures with sliders, computed in the browser by the scripts in `book/assets/js/live`.

    ```{live} step-size
    :name: fig-gd-live
    :alt: What the picture shows at its first settings
    The caption.
    ```

At build, node draws the figure at its first settings with the same scripts: that is what readers without script, and
paper, show. A page loads the scripts of its own figures only.
"""

from __future__ import annotations

import html
import subprocess
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

SCRIPTS = Path(__file__).resolve().parent.parent / "assets" / "js" / "live"
DRAW = Path(__file__).with_suffix(".js")
SHARED = ["mathematics.js", "drawing.js", "markup.js"]


class live(nodes.General, nodes.Element):
    """A live figure; `markup` is its HTML, `figure` its name."""


def visit_live(self: HTML5Translator, node: live) -> None:
    self.body.append(node["markup"])


def depart_live(self: HTML5Translator, node: live) -> None:
    """Nothing is left to write."""


def figure_names() -> list[str]:
    return sorted(path.stem for path in (SCRIPTS / "figures").glob("*.js"))


def draw(name: str, alt: str) -> str:
    """The markup of a figure at its first settings; RuntimeError with node's message if its scripts fail."""
    command = ["node", str(DRAW), str(SCRIPTS), name, html.escape(alt)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"the scripts of the live figure {name} fail: {result.stderr.strip()}")
    return result.stdout


class Live(SphinxDirective):
    """Directive `live`: a numbered figure with a caption."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"name": directives.unchanged_required, "alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if name not in figure_names():
            raise self.error(f"live: no figure {name!r}; there are {', '.join(figure_names())}")
        if missing := [option for option in ("name", "alt") if option not in self.options]:
            raise self.error(f"live: the figure {name!r} has no :{missing[0]}:")
        self.assert_has_content()
        for script in (*SHARED, f"figures/{name}.js"):
            self.env.note_dependency(str(SCRIPTS / script))
        box = nodes.figure("", live(figure=name, markup=draw(name, self.options["alt"])), classes=["fo-live-figure"])
        words, problems = self.state.inline_text("\n".join(self.content), self.lineno)
        box += nodes.caption("", "", *words)
        self.set_source_info(box)
        self.add_name(box)
        return [box, *problems]


def load_scripts(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give a page the scripts of its figures, and no other page any."""
    names = list(dict.fromkeys(node["figure"] for node in doctree.findall(live))) if doctree else []
    if not names:
        return
    app.add_css_file("css/live.css")
    for script in (*SHARED, *(f"figures/{name}.js" for name in names), "element.js"):
        app.add_js_file(f"js/live/{script}", defer="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(live, html=(visit_live, depart_live))
    app.add_directive("live", Live)
    app.connect("html-page-context", load_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
