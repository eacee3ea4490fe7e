"""Results that take longer than a chapter may: stored beside it, with the code that made them as the key."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import checks

__all__ = ["result"]


def result(name: str, function: Callable[..., Any], /, **arguments: Any) -> Any:
    """Return what ``function(**arguments)`` returned when it was last run, if neither has changed since.

    The result is read from ``stored/<name>.json`` in the working folder, which is the chapter's. It is made anew, and
    stored, where the environment variable ``FO_FULL`` is ``1`` (``make notebooks-full``).

    Parameters
    ----------
    name : str
        Of the file.
    function : function
        Its source text, with the arguments, is the key; what it calls is not. It returns what JSON can hold.
    **arguments
        What JSON can hold.

    Returns
    -------
    object
        As JSON gives it back: lists for tuples, strings for keys; numbers to the last bit.

    Raises
    ------
    TypeError
        If ``function`` is none, or arguments or result are not JSON.
    FileNotFoundError, ValueError
        If nothing is stored, or what is stored was made by other code or other arguments.
    """
    checks.function("function", function)
    path = Path("stored") / f"{name}.json"
    source = textwrap.dedent(inspect.getsource(function)).strip()
    key = hashlib.sha256(json.dumps([source, arguments], sort_keys=True).encode()).hexdigest()
    if os.environ.get("FO_FULL") == "1":
        made = json.dumps(function(**arguments))
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(f'{{"key": "{key}",\n "result": {made}}}\n', encoding="utf-8")
        partial.replace(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: set FO_FULL=1 to make it (make notebooks-full)")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        made_by, found = content["key"], content["result"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} must be a whole file of result, got a damaged one: {error}") from error
    if made_by != key:
        raise ValueError(f"{path} was made by other code or arguments: set FO_FULL=1 to make it anew")
    return found
