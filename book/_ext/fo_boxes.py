"""Proofs and solutions behind a click, as native <details>: they work by keyboard, without script and in print.

```{prf:proof}              a proof in the open
:::{prf:proof} of {prf:ref}`thm-x`
:class: dropdown            ... or closed at first (colons: a fence of backticks takes none in its first line)
```{solution} exercise-x
:class: dropdown            a solution that asks for a click
"""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator
from sphinx_exercise.nodes import is_exercise_node, solution_node

# sphinx-proof and sphinx-exercise give every box's content the same id, which no page may have twice.
REPEATED_IDS = {"proof-content", "exercise-content", "solution-content", "proof"}


class details(nodes.General, nodes.Element):
    """A box that opens; its first child is a `summary`."""


class summary(nodes.TextElement):
    """What a closed box shows."""


class proof_box(nodes.General, nodes.Element):
    """A proof in the open; its first child is a `summary`."""


def visit_details(self: HTML5Translator, node: details) -> None:
    self.body.append(self.starttag(node, "details", CLASS="fo-details"))


def depart_details(self: HTML5Translator, node: details) -> None:
    self.body.append("</div></details>\n")


def visit_proof_box(self: HTML5Translator, node: proof_box) -> None:
    self.body.append(self.starttag(node, "div", CLASS="fo-open"))


def depart_proof_box(self: HTML5Translator, node: proof_box) -> None:
    self.body.append("</div></div>\n")


def visit_summary(self: HTML5Translator, node: summary) -> None:
    self.body.append("<summary>" if isinstance(node.parent, details) else '<p class="fo-lead">')


def depart_summary(self: HTML5Translator, node: summary) -> None:
    end = "</summary>" if isinstance(node.parent, details) else "</p>"
    self.body.append(f'{end}<div class="fo-inside">\n')


class Proof(SphinxDirective):
    """`prf:proof` with an optional argument ("of Theorem 1"), open or, with class `dropdown`, closed."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {"class": directives.class_option, "label": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        classes = list(self.options.get("class", []))
        box: nodes.Element = details() if "dropdown" in classes else proof_box()
        box["classes"] = ["fo-proof", *(name for name in classes if name != "dropdown")]
        lead = summary("", "Proof")
        if self.arguments:
            words, problems = self.state.inline_text(f" {self.arguments[0]}", self.lineno)
            lead += [*words, *problems]
        box += lead
        self.state.nested_parse(self.content, self.content_offset, box)
        self.set_source_info(box)
        return [box]


def finish_boxes(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Close solutions, unlink the words that one clicks to open a box, and drop ids that repeat."""
    close_solutions(doctree)
    bare_titles(doctree)
    for box in doctree.findall(details):
        for link in list(box.children[0].findall(nodes.reference)):
            link.replace_self(link.children)
    for node in doctree.findall(nodes.Element):
        if not REPEATED_IDS.isdisjoint(node.get("ids", [])):
            node["ids"] = [name for name in node["ids"] if name not in REPEATED_IDS]


def bare_titles(doctree: nodes.document) -> None:
    """Drop the parentheses around the name of an exercise: a theorem's name has none."""
    for node in doctree.findall(is_exercise_node):
        for text in [part for part in node.children[0] if isinstance(part, nodes.Text) and part in (" (", ")")]:
            text.parent.replace(text, nodes.Text(" " if text == " (" else ""))


def close_solutions(doctree: nodes.document) -> None:
    """Turn solutions of class `dropdown` into <details>."""
    for node in list(doctree.findall(solution_node)):
        if "dropdown" not in node["classes"]:
            continue
        title, *content = node.children
        box = details(ids=node["ids"], classes=["fo-solution"])
        box += summary("", title.astext())
        box += content
        node.replace_self(box)


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("sphinx_proof")
    app.setup_extension("sphinx_exercise")
    app.add_node(details, html=(visit_details, depart_details))
    app.add_node(proof_box, html=(visit_proof_box, depart_proof_box))
    app.add_node(summary, html=(visit_summary, depart_summary))
    app.add_directive_to_domain("prf", "proof", Proof, override=True)
    app.connect("doctree-resolved", finish_boxes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
