"""The programs on the front pages run as printed, and print what stands below them."""

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = re.compile(r"```(?:\{code-block\} )?python\n(.*?)```\n+```text\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "book/index.md"])
def test_the_example_prints_what_the_page_says(page):
    (example,) = EXAMPLE.findall((ROOT / page).read_text(encoding="utf-8"))
    code, expected = example
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code, {})
    assert out.getvalue() == expected
