"""A row of the ledger of published results: the figure in print, ours, the test that compares them, and its date.

    {published}`lessard2016`

The ledger is book/reference/stored/published.json (make ledger). Each row stands on the page, or the build fails.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from fo_checked import source_url, test_lines

LOGGER = logging.getLogger(__name__)
LEDGER = "book/reference/stored/published.json"
PAGE = "book/reference/reproduced_results"
RELATIONS = {"=": "", "≤": "at most ", "≥": "at least "}


def rows(source: str) -> dict[str, Any]:
    return json.loads((Path(source) / LEDGER).read_text(encoding="utf-8"))


def words(row: dict[str, Any]) -> str:
    """What a row says: both figures, and how far they may be apart."""
    within = f" (tolerance {row['tolerance']:g})" if row["tolerance"] else ""
    verdict = "" if row["holds"] else ", which does not hold"
    printed = f"Published: {RELATIONS[row['relation']]}{row['claimed']:.6g}{verdict}. Here: {row['ours']:.6g}{within}."
    return f"{row['what']} {printed} {row['date']}."


class PublishedRole(SphinxRole):
    """Show a row of the ledger."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        row = rows(self.env.srcdir).get(self.text)
        if row is None:
            return [], [self.inliner.reporter.error(f"no published result {self.text}", line=self.lineno)]
        self.env.metadata[self.env.docname].setdefault("fo_published", []).append(self.text)
        file, _, name = row["test"].partition("::")
        line = test_lines(Path(self.env.srcdir) / file)[name.partition("[")[0]]
        url = source_url(self.config, file, line)
        link = nodes.reference("", "", nodes.literal("", name), refuri=url, internal=False)
        return [nodes.Text(words(row) + " "), nodes.inline("", "Checked by ", link, classes=["fo-checked"])], []


def require_all(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of rows of the ledger that the page of reproduced results does not show."""
    if PAGE in env.found_docs and (missing := set(rows(app.srcdir)) - set(env.metadata[PAGE].get("fo_published", []))):
        LOGGER.warning("published results that no row shows: %s", ", ".join(sorted(missing)), location=PAGE)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_role("published", PublishedRole())
    app.connect("env-updated", require_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
