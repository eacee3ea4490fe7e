"""Repairs to the pages that Jupyter Book 1 and Sphinx 7.4 make."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

LAST = 999  # after every other extension


def drop_scripts(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Drop thebe, which needs a server, and inline scripts that Sphinx 7.4 emits twice.

    The second `const THEBE_JS_URL` would be a SyntaxError on every page.
    """
    seen: set[str] = set()
    kept = []
    for script in context.get("script_files", []):
        body = (getattr(script, "attributes", None) or {}).get("body")
        thebe = "sphinx-thebe" in str(script.filename) or "THEBE_JS_URL" in (body or "")
        if not thebe and body not in seen:
            kept.append(script)
        if body:
            seen.add(body)
    context["script_files"] = kept
    context["css_files"] = [css for css in context.get("css_files", []) if "sphinx-thebe" not in str(css)]


def repair_body(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Replace a role that ARIA has deprecated, and drop a label that differs from the words one sees."""
    body = context.get("body") or ""
    body = body.replace('role="doc-biblioentry"', 'role="listitem"')
    context["body"] = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")


def share_html_handlers(app: Sphinx) -> None:
    """Let the one-page build use every extension's HTML.

    sphinx-exercise registers its nodes for `singlehtml` alone, which hides all other handlers there.
    """
    handlers = app.registry.translation_handlers
    if "singlehtml" in handlers:
        handlers["singlehtml"] = {**handlers["html"], **handlers["singlehtml"]}


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", share_html_handlers)
    app.connect("html-page-context", repair_body)
    app.connect("html-page-context", drop_scripts, priority=LAST)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
