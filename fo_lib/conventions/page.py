"""The table as Markdown: nothing here is typed in, every formula and number comes from what the tests run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from .table import METHODS, TABLE, Convention

__all__ = ["formula", "markdown"]


def formula(rule: Callable[..., Any]) -> str:
    """Return the first formula of a rule's docstring, in LaTeX."""
    text = inspect.getdoc(rule) or ""
    _, found, rest = text.partition(".. math::")
    if not found:
        return " ".join(text.split())
    inline, _, block = rest.partition("\n")
    body = " ".join((inline.strip() or block.strip("\n").split("\n\n")[0]).split())
    if "&" not in body:  # a row for each part: narrow screens
        body = r" \\ ".join(f"&{part}" for part in body.split(r"\qquad "))
    return rf"\begin{{aligned}} {body} \end{{aligned}}"


def markdown(method: str) -> str:
    """Return the table of one method: its formula in the book, then a row for each library."""
    rows = [c for c in TABLE if c.method == method]
    lines = [f"**`{method}`**", "", f"$$ {formula(METHODS[method])} $$", ""]
    if not rows:
        return "\n".join([*lines, "None of the three has it."])
    lines += ["| library | form | defaults | our steps |", "|---|---|---|---|"]
    for c in rows:
        form = "as above" if c.rule is METHODS[method] else _inline(formula(c.rule))
        lines.append(f"| {c.library} `{_call(c)}` | {form} | {_defaults(c)} | {_agree(c)} |")
    notes = [f"{c.library}: {c.note}." for c in rows if c.note]
    missing = [x for x in ("Keras", "PyTorch", "optax") if x not in {c.library for c in rows}]
    notes += [f"Not in {' and '.join(missing)}."] if missing else []
    return "\n".join([*lines, "", " ".join(notes)]).rstrip()


def _inline(latex: str) -> str:
    """Each part in braces, so that no line breaks inside it."""
    return ", ".join(f"${{{part}}}$" for part in latex.split(r",\quad "))


def _call(c: Convention) -> str:
    chosen = {c.names[n]: c.hyper[n] for n in c.required if n != "learning_rate"}
    return f"{c.call}({_assign({**c.chosen, **chosen})})"


def _assign(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}{_text(value)}" for name, value in values.items())


def _text(value: Any) -> str:
    if isinstance(value, str):  # an expression: may break at its spaces
        return f" = {value}"
    return f"={value:g}" if isinstance(value, float) else f"={value}"


def _defaults(c: Convention) -> str:
    rate = ["`learning_rate` has none"] if "learning_rate" in c.required else []
    given = c.arguments({n: v for n, v in c.hyper.items() if n not in c.required})
    return ", ".join([*rate, _codes({n: v for n, v in given.items() if n not in c.chosen})]).strip(", ")


def _codes(values: Mapping[str, Any]) -> str:
    return ", ".join(f"`{_assign({name: value})}`" for name, value in values.items())


def _agree(c: Convention) -> str:
    said = []
    if c.same == "never":
        said.append("never")
    elif c.rule is METHODS[c.method] and not c.ours:
        said.append("yes")
    else:
        if c.agree:
            said.append(f"with {_codes(c.agree)}")
        if c.ours:
            said.append(f"{'and ours' if c.agree else 'ours'} with {_codes(c.ours)}")
        if c.same == "constant":
            said.append("at a constant learning rate")
    return " ".join(said)
