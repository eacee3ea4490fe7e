"""A quiz question whose every option is explained.

    ```{quiz}
    You double the learning rate. What happens?
    - [x] It diverges :: Yes: the limit is $2/L$.
    - [ ] It is twice as fast :: Only below the limit.
    ```

A click shows the explanation of an option. Without script, and in print, all are shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

OPTION = re.compile(r"- \[(?P<mark>[ x])\] (?P<text>.*)")


class quiz_part(nodes.General, nodes.Element):
    """One element of a quiz; `tag` is its HTML element."""


def visit_part(self: HTML5Translator, node: quiz_part) -> None:
    attributes = {name: node[name] for name in ("role", "aria-label") if name in node}
    self.body.append(self.starttag(node, node["tag"], **attributes))


def depart_part(self: HTML5Translator, node: quiz_part) -> None:
    self.body.append(f"</{node['tag']}>\n")


@dataclass
class Option:
    text: str
    explanation: str
    right: bool


def split_question(lines: list[str]) -> tuple[str, list[Option]]:
    """Split a directive's content into the question and its options, or say what is wrong with it."""
    question, found = [], []
    for line in lines:
        if match := OPTION.fullmatch(line.strip()):
            found.append([match["mark"], match["text"]])
        elif found and line.strip():
            found[-1][1] += " " + line.strip()
        else:
            question.append(line)
    options = []
    for mark, text in found:
        words, separator, explanation = text.partition(" :: ")
        if not separator or not explanation.strip():
            raise ValueError(f"no explanation after ' :: ' in the option {text!r}")
        options.append(Option(words.strip(), explanation.strip(), mark == "x"))
    if not "".join(question).strip():
        raise ValueError("no question")
    if len(options) < 2 or not any(option.right for option in options):
        raise ValueError("a quiz needs two options or more, and a right one")
    return "\n".join(question), options


class Quiz(SphinxDirective):
    """Directive `quiz`."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        try:
            question, options = split_question(list(self.content))
        except ValueError as problem:
            raise self.error(f"quiz: {problem}") from None
        box = quiz_part(tag="div", classes=["fo-quiz"], role="group")
        box["aria-label"] = "Quiz question"
        box += self.part("div", "fo-question", question)
        choices = quiz_part(tag="ul", classes=["fo-options"])
        box += choices
        for option in options:
            item = quiz_part(tag="li", classes=["fo-option", "fo-right" if option.right else "fo-wrong"])
            item += self.part("div", "fo-text", option.text)
            item += self.part("div", "fo-why", option.explanation)
            choices += item
        return [box]

    def part(self, tag: str, name: str, text: str) -> quiz_part:
        node = quiz_part(tag=tag, classes=[name])
        source = StringList(text.splitlines(), self.state_machine.document.current_source or "")
        self.state.nested_parse(source, self.content_offset, node)
        return node


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(quiz_part, html=(visit_part, depart_part))
    app.add_directive("quiz", Quiz)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
