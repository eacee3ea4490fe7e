"""The benchmarks' arithmetic, and that no measure is missing from the run or from the page. Nothing is timed here."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as runner
from benchmarks import measure

ROOT = Path(__file__).resolve().parent.parent
SPEC = importlib.util.spec_from_file_location("benchmark_page", ROOT / "book" / "reference" / "benchmark_page.py")
page = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(page)


# Ratios and rows


def test_a_ratio_is_theirs_over_ours_round_by_round():
    assert measure.ratio([2.0, 9.0, 4.0], [1.0, 3.0, 8.0]) == [0.5, 2.0, 3.0]
    with pytest.raises(ValueError, match="longer"):
        measure.ratio([1.0], [1.0, 2.0])


def test_a_bar_is_met_by_the_median():
    def verdict(found: list[float] | None, bar: float | None) -> bool | None:
        line = measure.row("what", "peer", found, bar)
        assert page.met(line) is measure.met(line)
        return measure.met(line)

    assert verdict([0.5, 1.0, 2.0], 1.0) is True
    assert verdict([0.5, 0.99, 2.0], 1.0) is False
    assert verdict([0.5, 0.99, 2.0], None) is None
    assert verdict(None, 1.0) is None


def test_runs_take_turns_and_the_median_of_the_turns_counts():
    order: list[str] = []
    times = {"a": iter([0.0, 1.0, 100.0, 3.0, 5.0, 5.0, 5.0]), "b": iter([0.0, 2.0, 2.0, 2.0, 7.0, 8.0, 9.0])}

    def clock(run: Any, repeats: int) -> float:
        order.append(f"{run()}{repeats}")
        return next(times[run()])

    taken = measure.in_turns({"a": lambda: "a", "b": lambda: "b"}, 2, turns=3, repeats=4, warm_up=1, clock=clock)
    assert taken == {"a": [3.0, 5.0], "b": [2.0, 8.0]}
    assert order == ["a1", "b1", *["b4", "a4", "a4", "b4", "b4", "a4"] * 2]
    assert measure.in_turns({"a": lambda: "a"}, 1, warm_up=0, clock=lambda run, repeats: 1 / repeats) == {"a": [1.0]}


@pytest.mark.parametrize(("seconds", "words"), [(61.234, "61.2 s"), (1, "1 s"), (0.0512, "51.2 ms"), (3e-7, "0.3 µs")])
def test_a_time_in_words(seconds, words):
    assert measure.duration(seconds) == words


def test_the_clock_counts_calls(monkeypatch):
    now = iter([10.0, 16.0])
    monkeypatch.setattr(measure.time, "perf_counter", lambda: next(now))
    calls: list[int] = []
    assert measure.seconds(lambda: calls.append(1), 3) == 2.0
    assert calls == [1, 1, 1]


@pytest.mark.parametrize(
    ("found", "bar", "words"),
    [
        ([1.0, 2.0, 3.0], 1.5, ["2 (1 to 3)", "bar 1.5", " met"]),
        ([1.0, 2.0, 3.0], 2.5, ["bar 2.5", "NOT MET"]),
        (None, 1.0, ["not measured: a note"]),
    ],
)
def test_a_row_as_text(found, bar, words):
    text = measure.say(measure.row("what", "peer", found, bar, "a note"))
    assert all(word in text for word in ["what", "peer", "a note", *words])


def test_what_is_stored_says_where_and_when(tmp_path):
    rows = [measure.row("what", "peer", [1.0, 2.0, 3.0], None)]
    measure.write(tmp_path / "new" / "x.json", measure.content("step", rows, 1.25))
    found = measure.read(tmp_path / "new" / "x.json")
    assert found["rows"] == rows
    assert found["measure"] == "step"
    assert found["machine"]["packages"]["numpy"]
    assert found["machine"]["processor"]
    assert found["machine"]["cores"] >= 1
    assert len(found["date"]) == 10
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.json"]


def test_one_alone_is_printed(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["step", "4"])
    measure.main(lambda rounds: [measure.row("what", "peer", [rounds] * 3, None)], 9)
    assert "4 (4 to 4)" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["step"])
    measure.main(lambda rounds: [measure.row("what", "peer", [rounds] * 3, None)], 9)
    assert "9 (9 to 9)" in capsys.readouterr().out


# Every measure is run, and is on the page


def test_every_file_is_a_measure_that_is_run():
    files = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - set(runner.PARTS)
    assert files == set(runner.MEASURES)


@pytest.mark.parametrize("name", runner.MEASURES)
def test_every_file_says_how_to_run_it(name):
    text = (ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
    assert f"usage: python -m benchmarks.{name}" in text
    for part in ("\nROUNDS", "\ndef measure(rounds: int)", 'if __name__ == "__main__":'):
        assert part in text


def test_every_measure_is_on_the_page_with_its_data():
    assert set(runner.MEASURES) == set(page.MEASURES)
    source = (ROOT / "book" / "reference" / "benchmarks.md").read_text(encoding="utf-8")
    for name in page.MEASURES:
        assert f'"{name}"' in source, f"the page shows no table of {name}"
    for name, entry in runner.MEASURES.items():
        assert page.MEASURES[name] == entry.title
        assert (measure.stored(name)).is_file(), f"run python -m benchmarks {name}"
        assert page.rows(name), f"{name} stored no rows"


def test_a_stored_file_belongs_to_a_measure():
    assert {path.stem for path in measure.STORED.glob("benchmark-*.json")} <= {f"benchmark-{n}" for n in page.MEASURES}


# What goes wrong becomes a row


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A runner whose measure is another program."""
    monkeypatch.setattr(measure, "STORED", tmp_path)

    def use(code: str) -> None:
        program = tmp_path / "program"
        program.write_text(f"#!{sys.executable}\n{code}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setattr(runner.sys, "executable", str(program))

    return use


@pytest.mark.parametrize(
    ("code", "minutes", "words"),
    [
        ("raise SystemExit('No module named torch')", 1, "failed: No module named torch"),
        ("import os; os._exit(3)", 1, "failed: exit status 3"),
        ("import time; time.sleep(60)", 0.005, "took more than 0.005 minutes"),
    ],
    ids=["error", "silent", "slow"],
)
def test_a_measure_that_fails_becomes_a_row_that_says_so(broken, code, minutes, words):
    broken(code)
    (line,) = runner.run("step", minutes)
    assert (line["ratio"], line["note"]) == (None, words)
    found = measure.read(measure.stored("step"))
    assert found["rows"] == [line]
    assert f"not measured: {words}" in measure.say(line)


def test_a_measure_that_works_is_stored(broken):
    rows = [measure.row("what", "peer", [1.0, 2.0, 3.0], 1.0)]
    text = json.dumps(measure.content("step", rows, 1.0))
    broken(f"import pathlib, sys\npathlib.Path(sys.argv[-1]).write_text('''{text}''')")
    assert runner.run("step") == rows
    found = measure.read(measure.stored("step"))
    assert (found["rows"], found["title"], found["threads"]) == (rows, runner.MEASURES["step"].title, 1)


def test_an_unknown_measure_is_refused():
    with pytest.raises(SystemExit, match=r"no such measure: stepp\. There are: step, "):
        runner.main(["stepp"])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system does not bind processes to cores")
def test_a_process_gets_as_many_threads_as_its_measure_has():
    names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
    assert [runner.environment(2)[name] for name in names] == ["2", "2", "2"]
    code = "from benchmarks import measure as m; import os; m.hold(1); print(len(os.sched_getaffinity(0)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "1\n"


# The page


def show(monkeypatch, rows: list[dict[str, Any]] | None) -> None:
    monkeypatch.setitem(page.FOUND, "step", None if rows is None else {"rows": rows})


def test_the_page_says_what_is_met_and_what_is_missing(monkeypatch):
    rows = [
        measure.row("Adam, 1e3", "torch", [1.0, 2.0, 4.0], 1.0, "a note"),
        measure.row("Adam, 1e7", "torch", [0.1, 0.5, 1.5], 1.0),
        measure.row("Adam, 1e8", "torch", [0.1, 0.6, 0.9], 1.0),
        measure.row("Adam, 1e7", "scale", [0.1, 0.123456, 1.5], None),
        measure.row("Adam, 1e9", "torch", None, 1.0, "failed: no memory"),
    ]
    show(monkeypatch, rows)
    text = page.table("step").data.splitlines()
    assert text[2:] == [
        "Adam, 1e3 | torch | 2 (1 to 4) | 1 | met | a note",
        "Adam, 1e7 | torch | 0.5 (0.1 to 1.5) | 1 | **not met** (but in the best round) |  ",
        "Adam, 1e8 | torch | 0.6 (0.1 to 0.9) | 1 | **not met** |  ",
        "Adam, 1e7 | scale | 0.123 (0.1 to 1.5) |   |   |  ",
        "Adam, 1e9 | torch | not measured |   |   | failed: no memory",
    ]
    line = page.summary().data.splitlines()[2]
    assert (
        line
        == "One step of a rule | 1 of 3 (1 more in the best round, 1 not measured) | Adam, 1e7, torch: 0.5 where 1 is the bar"
    )
    assert page.medians("step", "1e7", "torch") == [0.5]
    with pytest.raises(KeyError, match="no measured row with '1e6'"):
        page.medians("step", "1e6")


def test_the_page_says_where_there_is_no_data(monkeypatch):
    show(monkeypatch, None)
    assert "no data yet" in page.table("step").data
    assert page.summary().data.splitlines()[2] == "One step of a rule | – | no data yet"
    show(monkeypatch, [measure.row("x", "y", [1.0, 1.0, 1.0], None)])
    assert page.summary().data.splitlines()[2].endswith("| – | measured, without a bar")


def test_a_figure_has_a_dot_for_each_measured_row_filled_where_its_bar_is_met(monkeypatch):
    rows = [
        measure.row("Adam, 1e3 parameters", "torch", [1.0, 2.0, 4.0], 1.0),
        measure.row("Adam, 1e7 parameters", "torch", [0.1, 0.5, 1.5], 1.0),
        measure.row("Adam, 1e9 parameters", "torch", None, 1.0, "failed"),
    ]
    show(monkeypatch, [*rows[:1], {**rows[1], "peer": "optax"}])
    (ax,) = page.ratios("step").axes
    assert [label.get_text()[-9:] for label in ax.get_yticklabels()] == ["s – optax", "s – torch"]
    show(monkeypatch, rows)
    (ax,) = page.ratios("step").axes
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [(dot.get_xdata()[0], dot.get_markerfacecolor() != "none") for dot in dots] == [(0.5, False), (2.0, True)]
    assert [label.get_text() for label in ax.get_yticklabels()] == [f"Adam, {n} parameters" for n in ("1e7", "1e3")]
    (panel,) = page.by_size("step").axes
    assert [list(map(float, line.get_xdata())) for line in panel.lines[:1]] == [[1e3, 1e7]]
    assert list(panel.lines[0].get_ydata()) == [2.0, 0.5]


def test_the_page_names_each_machine_once(monkeypatch):
    def found(cores: int, date: str) -> dict[str, Any]:
        where = {
            "processor": "P",
            "cores": cores,
            "gigabytes": 8,
            "system": "Linux 6",
            "python": "3.11",
            "packages": {"numpy": "2"},
        }
        return {"machine": where, "date": date, "rows": []}

    three = {"a": found(2, "2026-01-02"), "b": found(2, "2026-01-01"), "c": found(4, "2026-01-03"), "d": None}
    monkeypatch.setattr(page, "FOUND", three)
    assert page.machines().data.split("\n\n") == [
        "P, 2 cores, 8 GB, Linux 6, Python 3.11; numpy 2. Measured from 2026-01-01 to 2026-01-02.",
        "P, 4 cores, 8 GB, Linux 6, Python 3.11; numpy 2. Measured on 2026-01-03.",
    ]
