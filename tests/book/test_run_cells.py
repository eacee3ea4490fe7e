"""Which cells run in a browser, what each needs, and how one is run: what the build and the browser share."""

from __future__ import annotations

import io
import logging
import sys
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from fo_lib import datasets
from tests.book.small_book import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))

import fo_run
from fo_browser import cells, session, stand_ins

IMPORTS = "import keras\nimport numpy as np\nfrom fo_lib import rules"


def plan(*sources: str) -> list[int]:
    return cells.plan([cells.analyse(source) for source in sources], len(sources) - 1)


def test_a_cell_is_blocked_by_what_it_uses_and_by_what_it_needs() -> None:
    sources = [IMPORTS, "a = np.ones(2)", "model = keras.Model()", "model.fit(a)", "a + 1", "model = 3", "model + 1"]
    assert cells.blocked(sources) == {2: "Keras", 3: "Keras"}


def test_a_function_is_blocked_by_what_its_body_uses() -> None:
    assert cells.blocked([IMPORTS, "def f(x):\n    return keras.ops.sum(x)", "f(1)"]) == {1: "Keras", 2: "Keras"}


def test_names_of_its_own_do_not_block_a_function() -> None:
    assert cells.blocked([IMPORTS, "def f(keras):\n    return keras + 1\n[keras for keras in 'ab']"]) == {}


@pytest.mark.parametrize(
    ("statement", "use", "reason"),
    [
        ("import fo_lib.keras as k", "k.optimizer()", "Keras"),
        ("from fo_lib import keras as k", "k.optimizer()", "Keras"),
        ("from fo_lib.diagnosis import CAUSES, Watch", "Watch(1, 2)", "Keras"),
        ("from fo_lib.diagnosis import CAUSES, Watch", "CAUSES", None),
        ("from tensorflow.data import Dataset", "Dataset()", "TensorFlow"),
        ("import optuna", "optuna.create_study()", "Optuna"),
    ],
)
def test_every_way_to_import_an_absent_package(statement: str, use: str, reason: str | None) -> None:
    assert cells.blocked([statement, use]).get(1) == reason


def test_a_cell_needs_the_last_that_bound_each_name() -> None:
    assert plan("import numpy as np", "a = 1", "b = 2", "a = np.pi", "a") == [0, 3, 4]


def test_a_cell_needs_those_that_may_have_changed_what_it_reads() -> None:
    assert plan("rng = make(1)", "x = rng.normal()", "y = 5", "rng.normal()") == [0, 1, 3]


def test_using_a_module_or_a_function_does_not_change_it() -> None:
    sources = ["import numpy as np\ndef f(x):\n    return np.sqrt(x)", "f(1)\nnp.ones(2)", "f(2)"]
    assert plan(*sources) == [0, 2]


OWN = [
    "a = 2\na + 1",
    "for a in range(3):\n    b = a\n    print(b, a)",
    "[a for a in range(3)]",
    "f = lambda a: a",
    "def f(x):\n    a = x\n    return a",
    "with open('x') as a:\n    a.read()",
    "class C:\n    def f(self, a):\n        return a",
    "import a\na.b",
    "a, b = 1, 2\na",
]
READ = [
    "a = a + 1",
    "a += 1",
    "for b in range(3):\n    print(a)\n    a = 2",
    "for b in a:\n    pass",
    "[b for b in range(3) if b in a]",
    "lambda b, a=a: b",
    "def f(x):\n    return x + a",
    "def f(x=a):\n    return x",
    "if a:\n    pass",
    "while not a:\n    pass",
    "with a:\n    pass",
    "with a as c, c.d:\n    pass",
    "a[0] = 1",
    "a.b = 1",
    "f'{a}'",
]


@pytest.mark.parametrize("source", OWN)
def test_a_name_that_a_cell_binds_itself_is_not_needed(source: str) -> None:
    assert plan("a = 1", source) == [1]


def test_what_a_function_binds_stays_in_it() -> None:
    assert plan("a = 1", "def f():\n    a = 2\n[a for a in 'ab']", "a") == [0, 2]


@pytest.mark.parametrize("source", READ)
def test_a_name_that_a_cell_reads_is_needed(source: str) -> None:
    assert plan("a = 1", source) == [0, 1]


def test_a_cell_with_an_error_in_it_can_be_planned() -> None:
    assert plan("a = 1", "a +") == [1]


def test_packages_are_those_that_cells_import() -> None:
    assert cells.packages([IMPORTS]) == ["numpy", "matplotlib"]
    sources = ["from sklearn.svm import SVC", "import scipy.sparse"]
    assert cells.packages(sources) == ["numpy", "matplotlib", "scipy", "scikit-learn"]


def test_an_unknown_module_is_found() -> None:
    assert cells.unknown([IMPORTS, "import os, descent"]) == ["descent"]


@pytest.mark.parametrize(
    ("sources", "reason"),
    [
        ([IMPORTS, "np.ones(2)", "np.ones(3)"], None),
        ([IMPORTS, "keras.Model()", "np.ones(3)"], None),
        ([IMPORTS, "keras.Model()", "keras.Layer()"], "needs Keras, which a browser does not have"),
        (["import descent"], "needs descent, which a browser does not have"),
    ],
)
def test_a_chapter_has_buttons_if_half_of_its_cells_run(sources: list[str], reason: str | None) -> None:
    assert fo_run.obstacle("book/a", sources) == reason


def test_what_is_left_out_exists() -> None:
    assert [name for name in fo_run.LEFT_OUT if not (ROOT / f"{name}.md").is_file()] == []


@pytest.mark.parametrize("name", fo_run.UNFIT)
def test_a_cell_that_does_not_run_has_no_button_nor_has_what_needs_it(name: str) -> None:
    sources = fo_run.sources_of(ROOT / f"{name}.ipynb")
    for line, reason in fo_run.UNFIT[name].items():
        number = next(n for n, source in enumerate(sources) if source.startswith(line))
        analysed = [cells.analyse(source) for source in sources]
        needing = [n for n in range(number, len(sources)) if number in cells.plan(analysed, n)]
        assert {fo_run.blocked(name, sources).get(n) for n in needing} == {reason}


def test_a_line_that_a_chapter_has_no_more_is_found(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        logging.getLogger("sphinx"), "propagate", True
    )  # Sphinx's own handlers are there in a build only
    fo_run.blocked("book/pitfalls/landscapes", ["a = 1"])
    assert "are not there" in caplog.text


def test_the_archive_has_the_library_and_is_the_same_in_each_build() -> None:
    names = {name for name, _ in fo_run.contents()}
    assert {"fo_lib/rules/descent.py", "fo_browser/session.py", "fo_browser/data/load_digits.npz"} <= names
    first = fo_run.archive()
    fo_run.archive.cache_clear()
    assert fo_run.archive() == first
    assert {file.date_time[0] for file in zipfile.ZipFile(io.BytesIO(first[1])).infolist()} == {1980}  # not today


# One cell


@pytest.fixture(autouse=True)
def fresh_session() -> Iterator[None]:
    session.names.clear()
    session.done.clear()
    yield
    session.names.clear()
    session.done.clear()


def outputs(source: str, number: int = 0) -> list[tuple[str, str]]:
    got: list[tuple[str, str]] = []
    session.run(number, source, lambda kind, content: got.append((kind, content)))
    return got


def test_a_cell_prints_and_shows_its_last_expression() -> None:
    assert outputs("print('a')\nx = 2\nx + 1") == [("text", "a\n"), ("text", "3\n")]
    assert outputs("x;") == []
    assert outputs("None") == []


def test_an_error_shows_the_lines_of_cells_only() -> None:
    outputs("def f(x):\n    return 1 / x", 0)
    [(kind, text)] = outputs("\nf(0)", 1)
    assert kind == "error"
    assert [line.strip() for line in text.splitlines() if "line" in line] == [
        "Cell 2, line 2, in <module>",
        "Cell 1, line 2, in f",
    ]
    assert text.endswith("ZeroDivisionError: division by zero\n")
    assert "return 1 / x" in text


def test_an_error_deep_in_a_library_shows_the_line_of_the_cell() -> None:
    [(_, text)] = outputs("import json\njson.loads('{')")
    assert "Cell 1, line 2" in text
    assert "decoder.py" not in text


def test_a_syntax_error_shows_its_line() -> None:
    [(_, text)] = outputs("x = 1\ny = = 2")
    assert "Cell 1, line 2" in text
    assert "SyntaxError" in text


def test_a_cell_that_prints_without_end_is_cut() -> None:
    got = outputs(f"for _ in range(30):\n    print('x' * {session.MOST_TEXT // 20})")
    assert sum(len(text) for _, text in got) < session.MOST_TEXT + 100
    assert got[-1][1].endswith("the rest is not shown\n")


def test_only_what_has_not_run_as_it_stands_is_run_first() -> None:
    sources = ["a = 1", "b = a + 1", "b"]
    assert session.to_do(sources, 2) == [0, 1, 2]
    for number, source in enumerate(sources):
        outputs(source, number)
    assert session.to_do(sources, 2) == [2]
    assert session.to_do(["a = 5", *sources[1:]], 2) == [0, 1, 2]
    outputs("raise ValueError", 1)
    assert session.to_do(sources, 2) == [1, 2]


# Stand-ins


@pytest.fixture
def browser_like(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a browser: the stand-ins come first, and no absent package has been imported."""
    archive = zipfile.ZipFile(io.BytesIO(fo_run.archive()[1]))
    monkeypatch.setattr(stand_ins, "DATA", zipfile.Path(archive, "fo_browser/data/"))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    for name in [name for name in sys.modules if cells.absent(name) or name.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    before = set(sys.modules)
    stand_ins.install([])
    yield
    for name in set(sys.modules) - before:
        sys.modules.pop(name)


def test_absent_packages_can_be_imported_but_not_used(browser_like: None) -> None:
    assert outputs("import keras\nimport tensorflow.data as d\nfrom fo_lib.diagnosis import Watch") == []
    assert outputs("import optuna\noptuna.logging.set_verbosity(optuna.logging.ERROR)") == []
    [(_, text)] = outputs("d.Dataset.range(3)")
    assert "NotInBrowser: this cell needs TensorFlow, which does not run in a browser" in text
    assert outputs("class Mine(keras.layers.Layer):\n    pass\nisinstance(1, keras.Model)")[-1] == ("text", "False\n")


LOADERS: list[Callable[[], datasets.Dataset]] = [
    datasets.breast_cancer,
    datasets.diabetes,
    lambda: datasets.diabetes(scaled=True),
    datasets.digits,
]


@pytest.mark.parametrize("load", LOADERS)
def test_the_tables_of_scikit_learn_come_without_it(load: Any, request: pytest.FixtureRequest) -> None:
    original = load()
    request.getfixturevalue("browser_like")
    ours = load()
    assert sys.modules["sklearn.datasets"].load_digits.__module__ == "fo_browser.stand_ins"
    assert ours[2:] == original[2:]
    for name in ("X", "y"):
        assert np.array_equal(getattr(ours, name), getattr(original, name))
        assert getattr(ours, name).dtype == getattr(original, name).dtype
