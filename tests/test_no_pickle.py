"""No file that is read can run code: no pickle, nowhere in the library, the tools, the chapters and the benchmarks."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ["fo_lib", "tools", "book", "benchmarks"]
FORBIDDEN = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
OPTIONS = re.compile(r"\A(---\n.*?\n---\n|(:[\w-]+:[^\n]*\n)+)", re.S)  # of a cell: no Python
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.M | re.S)


def unsafe(source):
    """What in a source could load a pickle."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            names = []
        found += [name for name in names if FORBIDDEN & set(name.split("."))]
        if isinstance(node, ast.Call):
            found += [word for word in map(_argument, node.keywords) if word]
            called = ast.unparse(node.func)
            if called == "torch.load" or called.endswith(("enable_unsafe_deserialization", "read_pickle")):
                found.append(called)
            if called in ("np.load", "numpy.load") and len(node.args) > 2:
                found.append(f"{called} with allow_pickle by position")
    return found


def _argument(keyword):
    """``allow_pickle`` other than False, ``safe_mode`` other than True; ``**`` could hide them, but hides none here."""
    wanted = {"allow_pickle": False, "safe_mode": True}.get(keyword.arg)
    if wanted is None or (isinstance(keyword.value, ast.Constant) and keyword.value.value is wanted):
        return ""
    return f"{keyword.arg}={ast.unparse(keyword.value)}"


def sources():
    yield "conftest.py", (ROOT / "conftest.py").read_text(encoding="utf-8")
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "book").rglob("*.md")):
        for cell in CELL.findall(path.read_text(encoding="utf-8")):
            yield str(path.relative_to(ROOT)), OPTIONS.sub("", cell)


def test_no_source_loads_a_pickle():
    seen, found = 0, []
    for name, source in sources():
        found += [f"{name}: {what}" for what in unsafe(source)]
        seen += 1
    assert found == []
    assert seen > 1000  # files and cells


@pytest.mark.parametrize(
    "line",
    [
        "import pickle", "import joblib.memory", "from pickle import loads", "from sklearn.externals import joblib",
        "np.load(file, allow_pickle=True)", "np.load(file, None, True)", "np.load(file, allow_pickle=flag)",
        "keras.models.load_model(path, safe_mode=False)", "keras.config.enable_unsafe_deserialization()",
        "torch.load(path)", "pd.read_pickle(path)",
    ],
)  # fmt: skip
def test_each_way_to_load_one_would_be_found(line):
    assert unsafe(line)


@pytest.mark.parametrize(
    "line", ["np.load(file)", "np.load(file, allow_pickle=False)", "load_model(path, safe_mode=True)"]
)
def test_what_loads_none_is_not_found(line):
    assert not unsafe(line)
