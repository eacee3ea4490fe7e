"""What every test shares: the notebooks' environment, one hypothesis profile, and what the run could not test."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import nbval.plugin
import pytest

from tools import browser, figures, pyodide

ROOT = Path(__file__).parent

# Kernels that check notebooks inherit this environment, whoever starts pytest.
for line in (ROOT / "tools" / "notebook.env").read_text(encoding="utf-8").splitlines():
    name, separator, value = line.partition("=")
    if separator and not name.startswith("#"):
        os.environ.setdefault(name, value)

# Examples are the same in every run, and slow machines do not fail: a found case belongs in a test of its own.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


# With --cov, nbval would measure coverage inside kernels, and hangs. The library's own tests cover it.
nbval.plugin.setup_coverage = nbval.plugin.teardown_coverage = lambda *arguments: None

# The last digits of a figure depend on the processor.
nbval.plugin.IPyNbCell.compare_outputs = figures.compare_as_seen(nbval.plugin.IPyNbCell.compare_outputs)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end of a run what was not tested, so that a skip is not overlooked."""
    skipped = "\n".join(str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    missing = [words for words in (browser.MISSING, pyodide.MISSING) if words.splitlines()[0] in skipped]
    if missing:
        terminalreporter.section("not tested", yellow=True)
        terminalreporter.write_line("\n".join(missing))
