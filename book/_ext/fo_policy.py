"""Give each page a content-security policy: it loads from its own site alone, and runs the scripts it was built with.

Scripts in the page itself are allowed by their hash; formulas carry their styles in attributes, so styles are allowed
in the page. What a cell runs is loaded by a worker, which has no part in the page's policy.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

AFTER_SLIMMING = 950
OWN_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.S)
HANDLER = re.compile(r'<[a-z][^>]*?\son[a-z]+="([^"]*)"')


def handlers(page: str) -> set[str]:
    """What the attributes of a page (`onclick=...`) run."""
    return {unescape(text) for text in HANDLER.findall(page)}


def policy(page: str, allowed: set[str]) -> str:
    """What a page may load and run; `allowed` are the handlers of all pages, since the search parses the others."""
    texts = {*OWN_SCRIPT.findall(page), *allowed}
    digests = sorted(base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(["'self'", "'unsafe-hashes'", *(f"'sha256-{digest}'" for digest in digests)]),
        "worker-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def protect(app: Sphinx, exception: Exception | None) -> None:
    """Write the policy into the head of every page, before anything that it speaks of."""
    if exception or app.builder.name != "html":
        return
    paths = [path for path in Path(app.outdir).rglob("*.html") if "_static" not in path.parts]
    pages = {path: path.read_text(encoding="utf-8") for path in paths}
    allowed = set().union(*map(handlers, pages.values()))
    for path, page in pages.items():
        meta = f'\n    <meta http-equiv="Content-Security-Policy" content="{policy(page, allowed)}">'
        page = re.sub(r"<meta charset[^>]*>", lambda first, meta=meta: first[0] + meta, page, count=1)
        path.write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", protect, priority=AFTER_SLIMMING)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
