"""Stand-ins for what a browser does not have, so that a chapter's imports run and only what cannot run says so."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from fo_browser import cells

DATA = Path(__file__).with_name("data")  # written by the build: what scikit-learn bundles


class NotInBrowser(RuntimeError):
    """Code needs a package that a browser does not have."""


class Absent(ModuleType):
    """A module, or something in it, that can be named but not used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Absent(f"{self.__name__}.{name}")

    def __call__(self, *_: Any, **__: Any) -> None:
        if ".logging." in self.__name__:
            return  # how much a package tells can be set without it
        package = cells.absent(self.__name__)
        raise NotInBrowser(
            f"this cell needs {package}, which does not run in a browser; the links to Colab and Binder at the top of"
            " the page do"
        )

    def __instancecheck__(self, _: Any) -> bool:
        return False

    def __mro_entries__(self, _: tuple[Any, ...]) -> tuple[type, ...]:
        return ()  # a class derived from it can be defined


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Find the absent modules, and those data of scikit-learn that come without it."""

    def find_spec(self, fullname: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        """Whether this finder makes a module."""
        if cells.absent(fullname) or fullname in {"sklearn", "sklearn.datasets"}:
            return importlib.util.spec_from_loader(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return Absent(spec.name) if cells.absent(spec.name) else ModuleType(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == "sklearn.datasets":
            for name in ("load_breast_cancer", "load_diabetes", "load_digits"):
                setattr(module, name, bundled(name))


class Bunch(SimpleNamespace):
    """What scikit-learn's loaders return, as far as the library reads it."""

    def get(self, name: str, default: Any) -> Any:
        return getattr(self, name, default)


def bundled(load: str) -> Any:
    """One of scikit-learn's loaders, reading what the build has written."""

    def loader(scaled: bool = True) -> Bunch:
        import numpy as np

        suffix = "" if scaled else "_raw"
        with (DATA / f"{load}{suffix}.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Bunch(**arrays)

    return loader


def install(packages: Sequence[str]) -> None:
    """Put the stand-ins in place: before other finders, or, with scikit-learn at hand, after them."""
    finder = Finder()
    if "scikit-learn" in packages:
        sys.meta_path.append(finder)
    else:
        sys.meta_path.insert(0, finder)
