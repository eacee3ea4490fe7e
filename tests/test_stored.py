"""Stored results are used only with the code and the arguments that made them."""

import pytest

from fo_lib import stored


def squares(n, power=2):
    return {"values": [k**power / 3 for k in range(n)]}


def cubes(n):
    return [k**3 for k in range(n)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FO_FULL", raising=False)
    return tmp_path


def make(monkeypatch, *arguments, **named):
    monkeypatch.setenv("FO_FULL", "1")
    made = stored.result(*arguments, **named)
    monkeypatch.delenv("FO_FULL")
    return made


def test_what_was_made_is_read_to_the_last_bit(monkeypatch):
    made = make(monkeypatch, "x", squares, n=3)
    assert made == squares(3)
    assert stored.result("x", squares, n=3) == squares(3)


def test_it_is_made_only_where_asked_for(monkeypatch, folder):
    with pytest.raises(FileNotFoundError, match=r"x\.json is not there: set FO_FULL=1"):
        stored.result("x", squares, n=3)
    make(monkeypatch, "x", squares, n=3)
    file = folder / "stored" / "x.json"
    file.write_text(file.read_text().replace("0.0", "7.0"))
    assert stored.result("x", squares, n=3)["values"][0] == 7  # read, not computed


@pytest.mark.parametrize("change", [{"n": 4}, {"n": 3, "power": 2}, {"n": 3, "function": cubes}])
def test_other_code_or_arguments_are_refused(monkeypatch, change):
    make(monkeypatch, "x", squares, n=3)
    function = change.pop("function", squares)
    with pytest.raises(ValueError, match=r"x\.json was made by other code or arguments"):
        stored.result("x", function, **change)


@pytest.mark.parametrize("content", ["", '{"key": "x"', "[1]", '{"key": "x"}'])
def test_a_damaged_file_is_refused(folder, content):
    (folder / "stored").mkdir()
    (folder / "stored" / "x.json").write_text(content)
    with pytest.raises(ValueError, match=r"x\.json must be a whole file of result, got a damaged one"):
        stored.result("x", squares, n=3)


def test_what_json_cannot_hold_is_refused(monkeypatch):
    with pytest.raises(TypeError, match="function must be a function, got 3"):
        stored.result("x", 3)
    with pytest.raises(TypeError, match="not JSON serializable"):
        stored.result("x", squares, n=object())
