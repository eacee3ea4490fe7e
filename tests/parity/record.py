"""Store what PyTorch and optax do, for a reader who has neither: fo_lib/data/peers.npz. Run by hand, where both are.

usage: python tests/parity/record.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import optax
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from fo_lib.conventions import TABLE, cases, first_step, live
from fo_lib.conventions.peers import KEPT, RECORDED, STEPS, Case, workload

DTYPES = ("float32", "float64")


def torch_live(case: Case, dtype: str, weights: Any = None, gradients: Any = None) -> np.ndarray:
    """The rows of :func:`fo_lib.conventions.live`, from PyTorch."""
    if weights is None:
        weights, gradients = workload(case.convention.method, dtype)
    variables = [torch.tensor(w, requires_grad=True) for w in weights]
    optimizer = getattr(torch.optim, case.convention.call)(variables, **case.arguments)
    rows = []
    for step, rate in zip(gradients, case.rates, strict=False):
        if case.drops:
            optimizer.param_groups[0]["lr"] = rate
        for variable, g in zip(variables, step, strict=True):
            variable.grad = torch.tensor(g)
        optimizer.step()
        rows.append(np.concatenate([v.detach().numpy().ravel() for v in variables]))
    return np.stack([rows[t - 1] for t in KEPT if t <= len(rows)])


def torch_first_step(case: Case) -> float:
    step = torch_live(case, "float64", [np.zeros(1)], [[np.full(1, 1e-8)]])
    return -float(step[0, 0]) / case.convention.hyper["learning_rate"]


def embedding_gradients(steps: int = 20) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Weights (6, 4), and gradients as (rows, values) in which a row occurs twice and two rows never."""
    rng = np.random.default_rng(1)
    return rng.standard_normal((6, 4)), [
        (np.array([1, rng.choice([2, 3, 4]), 1]), rng.standard_normal((3, 4))) for _ in range(steps)
    ]


def torch_sparse(name: str, **arguments: Any) -> np.ndarray:
    """Weights after the last step of one of PyTorch's optimizers that take sparse gradients."""
    w, gradients = embedding_gradients()
    variable = torch.tensor(w, requires_grad=True)
    optimizer = getattr(torch.optim, name)([variable], **arguments)
    for rows, values in gradients:
        with torch.sparse.check_sparse_tensor_invariants(True):  # else Adagrad warns
            variable.grad = torch.sparse_coo_tensor(rows[None], values, w.shape)
            optimizer.step()
    return variable.detach().numpy()


SPARSE: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1},
    "Adagrad": {"lr": 0.1},
    "SparseAdam": {"lr": 0.1},
}


def everything() -> dict[str, np.ndarray]:
    """What the file holds, run now."""
    torch.set_num_threads(1)
    arrays: dict[str, np.ndarray] = {}
    for c in TABLE:
        if c.library == "Keras":
            continue
        run = torch_live if c.library == "PyTorch" else live
        for case in cases(c).values():
            arrays |= {f"{c.library}/{c.method}/{case.name}/{dtype}": run(case, dtype) for dtype in DTYPES}
        if c.method != "muon":
            step = torch_first_step(cases(c)["defaults"]) if c.library == "PyTorch" else first_step(c)
            arrays[f"{c.library}/{c.method}/first step"] = np.array(step)
    return arrays | {f"PyTorch/{name}/sparse": torch_sparse(name, **a) for name, a in SPARSE.items()}


def main() -> None:
    versions = {"PyTorch": torch.__version__, "optax": optax.__version__}
    about = json.dumps({"versions": versions, "steps": STEPS, "kept": KEPT, "seed": 0})
    np.savez_compressed(RECORDED, about=np.array(about), **everything())


if __name__ == "__main__":
    main()
