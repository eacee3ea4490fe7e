"""Run buttons: which chapters' cells can run in the reader's browser, and what they load there.

A page gets, under each cell, an empty bar that `js/run.js` fills with buttons, and the site an archive with the
library, `fo_browser` and small data. Python itself comes from the address in `fo_pyodide`, or, where the environment
variable PYODIDE is set (`make book PYODIDE=...`), from the site: `tools/build_book.py` then copies it there.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from fo_browser import cells

LOGGER = logging.getLogger(__name__)
HIDDEN = {"remove-cell", "remove-input", "remove_cell", "remove_input"}
LEAST_SHARE = 0.5  # of a chapter's cells: with fewer that run, buttons would promise too much
XZ = "reads a text packed by xz, which Python in a browser cannot open"
LEFT_OUT = {
    "book/applications/word_embeddings": "takes more time and memory than a browser has",
    "book/applications/your_own_problem": XZ,
}
STORED = ("book/reference/benchmarks",)  # pages that show what was measured elsewhere: nothing to run
LONG = "takes many minutes in a browser"  # more than five: there is no fast linear algebra
# Cells, by their first line, that do not run for other reasons than a package that they import.
UNFIT = {
    "book/structure/mirror_descent": {'text = " ".join(datasets.glosses().lines[::20]).lower()': XZ},
    "book/pitfalls/landscapes": {"widths, solved = (6, 8, 12, 24), {}": LONG},
    "book/pitfalls/numerical_instability": {
        "def careful(w, g, c, learning_rate=0.1):": "needs Numba, which a browser does not have"
    },
    "book/pitfalls/second_order": {"dimensions = np.array([10, 50, 200, 700, 2000])": LONG},
}
# Files of fo_lib/data that are loaded only for a chapter whose cells name what reads them.
DATA = {"fashion_mnist_subset.npz": ("fashion_mnist", "upper_body")}
TABLES: dict[str, dict[str, Any]] = {
    "load_breast_cancer": {},
    "load_diabetes": {},
    "load_diabetes_raw": {"scaled": False},
    "load_digits": {},
}
FIELDS = ("data", "target", "feature_names", "target_names")


def sources_of(path: Path) -> list[str]:
    """The code cells of a notebook that a page shows."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    shown = [
        cell
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and HIDDEN.isdisjoint(cell["metadata"].get("tags", []))
    ]
    return ["".join(cell["source"]) for cell in shown]


def blocked(docname: str, sources: Sequence[str]) -> dict[int, str]:
    """The cells of a chapter that get no button, with the reason, in words that follow "This cell"."""
    first = [source.partition("\n")[0] for source in sources]
    unfit = UNFIT.get(docname, {})
    if missing := set(unfit) - set(first):
        LOGGER.warning("cells of UNFIT in fo_run.py are not there: %s", missing, location=docname)
    known = {first.index(line): reason for line, reason in unfit.items() if line in first}
    reasons = cells.blocked(sources, known)
    return {
        n: why if why in known.values() else f"needs {why}, which a browser does not have" for n, why in reasons.items()
    }


def obstacle(docname: str, sources: Sequence[str]) -> str | None:
    """What keeps a chapter's code from running in a browser, in words that follow "This code"."""
    if docname in LEFT_OUT:
        return LEFT_OUT[docname]
    if unknown := cells.unknown(sources):
        return f"needs {' and '.join(unknown)}, which a browser does not have"
    reasons = list(blocked(docname, sources).values())
    if len(reasons) > (1 - LEAST_SHARE) * len(sources):
        return max(sorted(set(reasons)), key=reasons.count)
    return None


def data_files(sources: Sequence[str]) -> list[str]:
    """The files of fo_lib/data that cells read."""
    text = "\n".join(sources)
    return [name for name, words in DATA.items() if any(word in text for word in words)]


def notebook_of(app: Sphinx, docname: str) -> Path | None:
    path = Path(app.env.doc2path(docname))
    return path if path.suffix == ".ipynb" else None


def add_bars(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put a bar under each cell of a chapter that can run, or say above the first cell where it can."""
    path = notebook_of(app, docname)
    inputs = [node for node in doctree.findall(nodes.container) if "cell_input" in node["classes"]]
    if path is None or not inputs or docname in STORED or app.builder.name != "html":
        return
    sources = sources_of(path)
    if reason := obstacle(docname, sources):
        cell = inputs[0].parent
        cell.parent.insert(cell.parent.index(cell), elsewhere(app, docname, reason))
        return
    if len(sources) != len(inputs):
        LOGGER.warning("%d cells on the page, %d in the notebook", len(inputs), len(sources), location=docname)
    reasons = blocked(docname, sources)
    for number, node in enumerate(inputs):
        why = f' data-why="{reasons[number]}"' if number in reasons else ""
        node += nodes.raw("", f'<div class="fo-run"{why}></div>', format="html")


def elsewhere(app: Sphinx, docname: str, reason: str) -> nodes.paragraph:
    """The line that leads to where a chapter's code does run."""
    theme = app.config.html_theme_options
    repository = f"{theme['repository_url']}/blob/{theme['repository_branch']}".replace("https://github.com", "github")
    colab = f"{theme['launch_buttons']['colab_url']}/{repository}/{docname}.ipynb"
    link = nodes.reference("", "in Colab", refuri=colab, internal=False)
    text = f"This code {reason}: run it "
    return nodes.paragraph("", "", nodes.Text(text), link, nodes.Text("."), classes=["fo-elsewhere"])


def add_script(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load the buttons' script on the pages that have bars, and tell it what Python will need there."""
    if 'class="fo-run"' not in (context.get("body") or ""):
        return
    path = notebook_of(app, pagename)
    assert path is not None
    sources = sources_of(path)
    options = {
        "data-pyodide": "../pyodide/" if os.environ.get("PYODIDE") else app.config.fo_pyodide,
        "data-packages": " ".join(cells.packages(sources)),
        "data-archive": archive()[0],
        "data-data": " ".join(data_files(sources)),
    }
    app.add_css_file("css/run.css")
    app.add_js_file("js/run.js", defer="defer", **options)


@cache
def archive() -> tuple[str, bytes]:
    """The name and the bytes of the archive: the same sources give the same of both."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in contents():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            file.writestr(info, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    worker = Path(__file__).parent.parent / "assets" / "js" / "run_worker.js"
    digest = hashlib.sha256(out.getvalue() + worker.read_bytes()).hexdigest()
    return f"fo_lib.{digest[:8]}.zip", out.getvalue()


def library() -> Path:
    return Path(importlib.import_module("fo_lib").__file__ or "").parent


def contents() -> Iterator[tuple[str, bytes]]:
    """The files of the archive: two packages, and the tables that scikit-learn bundles, so that it is not needed."""
    for folder in (library(), Path(cells.__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            yield str(path.relative_to(folder.parent).as_posix()), path.read_bytes()
    import numpy as np
    from sklearn import datasets

    for name, options in TABLES.items():
        table = getattr(datasets, name.removesuffix("_raw"))(**options)
        out = io.BytesIO()
        np.savez_compressed(out, **{field: np.asarray(table[field]) for field in FIELDS if field in table})
        yield f"fo_browser/data/{name}.npz", out.getvalue()


def write_files(app: Sphinx, exception: Exception | None) -> None:
    """Write the archive and the data beside it, if a page uses them."""
    if exception or app.builder.name != "html" or not archive.cache_info().currsize:
        return
    folder = Path(app.outdir) / "_static" / "run"
    folder.mkdir(parents=True, exist_ok=True)
    name, content = archive()
    (folder / name).write_bytes(content)
    for data in DATA:
        (folder / data).write_bytes((library() / "data" / data).read_bytes())


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("fo_pyodide", "", "html", [str])
    app.connect("doctree-resolved", add_bars)
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
