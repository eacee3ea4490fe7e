"""Train a network round by round: :func:`train` watches, keeps the best, saves, and resumes bit for bit.

What a round does is the caller's: one compiled epoch, a hundred batches, one call of ``fit``. Only NumPy is needed; the
variables can be those of Keras or TensorFlow, or anything with ``numpy()`` and ``assign(value)``.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import checks

__all__ = ["Run", "batch_order", "restore", "train"]

Arrays = list[NDArray[Any]]
# What reading a changed archive raises: of its sums, names, lengths and flags, and of places before its beginning.
DAMAGE = (zipfile.BadZipFile, KeyError, ValueError, EOFError, RuntimeError, zlib.error, OSError)


def batch_order(n: int, batch_size: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """The batches of an epoch: a new permutation for each, a function of seed and epoch alone.

    Parameters
    ----------
    n, batch_size : int
        Samples, and how many of them make a batch, at most n. What is left over at the end is dropped.
    seed, epoch : int
        From 0.

    Returns
    -------
    array
        (n // batch_size, batch_size) int64: row i holds the indices of batch i.
    """
    n = checks.count("n", n)
    batch_size = checks.count("batch_size", batch_size, at_most=n, why="the number of samples")
    rng = np.random.default_rng([checks.count("seed", seed, at_least=0), checks.count("epoch", epoch, at_least=0)])
    batches = n // batch_size
    return rng.permutation(n)[: batches * batch_size].reshape(batches, batch_size)


class Run(NamedTuple):
    """What :func:`train` did.

    Attributes
    ----------
    records : dict of arrays
        One entry a round: ``loss``, and ``validation_loss`` and ``batch_loss`` (rounds, batches) where there are any.
        What :func:`~fo_lib.diagnosis.diagnose` reads.
    reason : str
        ``"rounds"``, ``"patience"`` or ``"diverged"``.
    message : str
        The same in words.
    best : list of arrays
        The variables after the round with the lowest validation loss (without validation: loss), for :func:`restore`.
    best_round : int
        That round, from 1; 0 if there was none.
    """

    records: dict[str, NDArray[np.float64]]
    reason: str
    message: str
    best: Arrays
    best_round: int

    @property
    def diverged(self) -> bool:
        """Whether a loss or a weight left the finite numbers."""
        return self.reason == "diverged"


def restore(variables: Sequence[Any], arrays: Sequence[ArrayLike]) -> None:
    """Assign arrays, such as ``run.best``, to the variables they came from.

    Raises
    ------
    ValueError
        If their number, a shape or a dtype differs.
    """
    variables, arrays = checks.several("variables", variables), checks.several("arrays", arrays)
    wanted, given = [_value(v) for v in variables], [np.asarray(a) for a in arrays]
    if _shapes(given) != _shapes(wanted):
        raise ValueError(f"arrays must be {_shapes(wanted)}, got {_shapes(given)}")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def train(
    advance: Callable[[int], ArrayLike],
    variables: Iterable[Any],
    *,
    rounds: int,
    validate: Callable[[], float] | None = None,
    patience: int | None = None,
    arrays: Mapping[str, ArrayLike] | None = None,
    folder: str | os.PathLike[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: bool = False,
) -> Run:
    """Call ``advance(1)``, ``advance(2)``, ... and look after what happens.

    Parameters
    ----------
    advance : function
        ``advance(k)`` does round k and returns its loss: a number, or the losses of its batches (1-D, as many in each
        round). All that is random in it must be a function of k, as :func:`batch_order` is: only then is a resumed run
        the same run.
    variables : iterable
        **All** that training changes: ``[*model.variables, *optimizer.variables]``, after
        ``optimizer.build(model.trainable_variables)``. Before it a Keras optimizer has no state yet, and a resumed run
        would begin with an empty one.
    rounds : int
        How many, those before an interruption included.
    validate : function, optional
        ``validate()`` returns what is to be small, such as the loss on data set aside; called after each round.
    patience : int, optional
        Stop when this many rounds brought no better validation loss.
    arrays : mapping of arrays, optional
        Data by name, refused if not finite: a NaN in one pixel can hide behind a finite loss.
    folder : path, optional
        Write ``last.npz`` after each round and ``best.npz`` after each better one: each is replaced when it is whole,
        so that a crash or a full disk leaves the last good one. If ``last.npz`` is there, go on from it.
    settings : mapping, optional
        What the run depends on besides (learning rate, seed, data, ...), as JSON can hold it. Saved, and compared
        before a run is resumed.
    progress : bool
        Show a bar (needs tqdm; quiet where the output is not a terminal).

    Returns
    -------
    Run
        Also of a run that diverged: it ends in the round whose loss, or whose weights, are not finite. A run that is
        finite but ends with a higher loss than that of its first round says so in its message.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind; if ``arrays`` hold NaN; if ``last.npz`` is damaged, or of other variables
        or other settings.
    OSError
        If ``folder`` cannot be written to: at once, or when the disk is full. The last whole files are untouched.
    """
    checks.function("advance", advance)
    rounds = checks.count("rounds", rounds, at_least=0)
    if validate is not None:
        checks.function("validate", validate)
    if patience is not None:
        patience = checks.count("patience", patience)
        checks.function("validate, with patience,", validate)
    for name, value in (("arrays", arrays), ("settings", settings)):
        if value is not None:
            checks.instance(name, value, Mapping)
    variables = variables if hasattr(variables, "__next__") else checks.several("variables", variables)
    for name, a in (arrays or {}).items():
        checks.array(name, a)
    where = None if folder is None else checks.path("folder", folder)
    state = _State(list(variables), validate, where, dict(settings or {}))
    state.resume()
    for k in _track(len(state.losses) + 1, rounds, progress):
        if state.broken or state.stale(patience):
            break
        state.add(advance(k))
    return state.finish(patience)


def _value(variable: Any) -> NDArray[Any]:
    if not hasattr(variable, "numpy") or not hasattr(variable, "assign"):
        raise TypeError(f"variables must have numpy() and assign(value), as those of TensorFlow, got {variable!r}")
    return np.asarray(variable.numpy())


def _track(first: int, last: int, progress: bool) -> Iterable[int]:
    if not progress:
        return range(first, last + 1)
    from tqdm.auto import tqdm

    bar: Iterable[int] = tqdm(range(first, last + 1), initial=first - 1, total=last, disable=None)
    return bar


@dataclass
class _State:
    """A run under way, and its files."""

    variables: list[Any]
    validate: Callable[[], float] | None
    folder: Path | None
    settings: dict[str, Any]
    losses: list[list[float]] = field(default_factory=list)  # of the batches of each round
    scores: list[float] = field(default_factory=list)  # what is compared: the validation loss, if there is one
    best: Arrays = field(default_factory=list)
    best_round: int = 0
    broken: str = ""

    def add(self, losses: ArrayLike) -> None:
        """Record a round."""
        if losses is None:
            raise TypeError("advance must return the loss of its round, got None")
        batches = np.atleast_1d(np.asarray(losses, np.float64))
        if batches.ndim > 1 or batches.size == 0:
            raise ValueError(f"advance must return a loss, or a 1-D array of losses, got shape {batches.shape}")
        self.losses.append(batches.tolist())
        values = [_value(v) for v in self.variables]
        self.scores.append(float(batches.mean()) if self.validate is None else float(self.validate()))
        self.broken = _broken(batches, self.scores[-1], values)
        if self.broken:
            return
        better = self.best_round == 0 or self.scores[-1] < self.scores[self.best_round - 1]
        if better:
            self.best, self.best_round = [a.copy() for a in values], len(self.losses)
        if self.folder is not None:
            self._save("last.npz", values)
            if better:
                self._save("best.npz", values)

    def stale(self, patience: int | None) -> bool:
        """Whether the last rounds brought nothing better."""
        return patience is not None and len(self.losses) - self.best_round >= patience

    def finish(self, patience: int | None) -> Run:
        """What there is to tell."""
        made = len(self.losses)
        records = {"loss": np.array([np.mean(row) for row in self.losses])}
        if self.validate is not None:
            records["validation_loss"] = np.array(self.scores)
        if len({len(row) for row in self.losses}) == 1 and len(self.losses[0]) > 1:
            records["batch_loss"] = np.array(self.losses)
        reason, message = "rounds", f"made {made} rounds"
        if self.broken:
            reason, message = "diverged", f"diverged in round {made}: {self.broken}"
        elif self.stale(patience):
            reason = "patience"
            message += f", the last {made - self.best_round} of them without a better validation loss"
        if made and not self.broken and records["loss"][-1] > records["loss"][0]:
            message += f", but the loss rose from {records['loss'][0]:.3g} to {records['loss'][-1]:.3g}"
        return Run(records, reason, message, self.best, self.best_round)

    def resume(self) -> None:
        """Go on from the files, if there are any; make sure that there can be."""
        try:
            settings = json.loads(json.dumps(self.settings))
        except TypeError as error:
            raise TypeError(f"settings must be what JSON can hold, got {self.settings!r}: {error}") from None
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.folder):  # a folder that takes no file is an error before the first round
            pass
        if not (self.folder / "last.npz").exists():
            return
        meta, values = self._load("last.npz")
        if meta["settings"] != settings:
            raise ValueError(f"settings must be those of {self.folder}, {meta['settings']}, got {self.settings}")
        restore(self.variables, values)
        self.losses, self.scores, self.best_round = meta["losses"], meta["scores"], meta["best_round"]
        if self.best_round == len(self.losses):  # best.npz may not have been written any more
            self.best = values
            self._save("best.npz", values)
        else:
            self.best = self._load("best.npz")[1]

    def _save(self, name: str, values: Arrays) -> None:
        assert self.folder is not None
        meta: dict[str, Any] = {"shapes": _shapes(values), "settings": self.settings, "losses": self.losses}
        meta.update(scores=self.scores, best_round=self.best_round)
        stored: dict[str, Any] = {f"v{i:05d}": np.frombuffer(a.tobytes(), np.uint8) for i, a in enumerate(values)}
        partial = self.folder / f"{name}.partial"
        try:
            with partial.open("wb") as file:
                np.savez(file, meta=np.array(json.dumps(meta)), **stored)  # bytes: no pickle, and bfloat16 too
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.folder / name)
        finally:
            partial.unlink(missing_ok=True)

    def _load(self, name: str) -> tuple[dict[str, Any], Arrays]:
        assert self.folder is not None
        path = self.folder / name
        with path.open("rb") as opened:
            try:
                with np.load(opened, allow_pickle=False) as file:
                    meta = json.loads(str(file["meta"]))
                    stored = [file[f"v{i:05d}"] for i in range(len(meta["shapes"]))]
            except DAMAGE as error:
                raise ValueError(f"{path} must be a whole file of train, got a damaged one: {error}") from error
        now = [_value(v) for v in self.variables]
        if meta["shapes"] != _shapes(now):
            raise ValueError(f"variables must be those of {path}, {meta['shapes']}, got {_shapes(now)}")
        return meta, [np.frombuffer(a, w.dtype).reshape(w.shape) for a, w in zip(stored, now, strict=True)]


def _shapes(values: Arrays) -> list[str]:
    return [f"{a.dtype.name} {a.shape}" for a in values]


def _broken(batches: NDArray[np.float64], score: float, values: Arrays) -> str:
    """What is not finite, in words."""
    bad = sum(not np.isfinite(a.astype(np.float64)).all() for a in values if a.dtype.kind not in "iubUSO")
    if bad:
        return f"{bad} of {len(values)} variables are no longer finite"
    if not np.isfinite(batches).all():
        return f"the loss of batch {int(np.argmin(np.isfinite(batches)))} is {batches[~np.isfinite(batches)][0]}"
    return "" if np.isfinite(score) else f"the validation loss is {score}"
