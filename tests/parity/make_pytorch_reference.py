"""Store what PyTorch's optimizers do, for tests/parity/test_pytorch.py. Run by hand, where torch is installed.

usage: python tests/parity/make_pytorch_reference.py

PyTorch is not among the project's requirements: its default wheel brings gigabytes. This script needs
torch and numpy only; it writes pytorch_reference.npz beside itself: under "optimizer/dtype/variable" the
weights after each step, and under "about" a JSON text with torch's version and every optimizer's settings.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from trajectories import STEPS, weights_and_gradients

OUTPUT = Path(__file__).with_name("pytorch_reference.npz")

# name: class, arguments (those left out are PyTorch's defaults, and are stored too)
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"lr": 0.01}),
    "momentum": ("SGD", {"lr": 0.01, "momentum": 0.9}),
    "momentum, rate / 10 after half": ("SGD", {"lr": 0.01, "momentum": 0.9}),
    "nesterov": ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    "adagrad": ("Adagrad", {"lr": 0.01, "eps": 1e-10}),
    "rmsprop": ("RMSprop", {"lr": 0.001, "alpha": 0.9, "eps": 1e-8}),
    "adam": ("Adam", {"lr": 0.001, "eps": 1e-8}),
    "adamw": ("AdamW", {"lr": 0.001, "eps": 1e-8, "weight_decay": 0.01}),
    "SGD()": ("SGD", {}),
    "Adagrad()": ("Adagrad", {}),
    "RMSprop()": ("RMSprop", {}),
    "Adam()": ("Adam", {}),
    "AdamW()": ("AdamW", {}),
}


def trajectories(name: str, dtype: str) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Weights after each step, an array (steps, *shape) a variable, and the optimizer's full settings."""
    class_name, arguments = OPTIMIZERS[name]
    weights, gradients = weights_and_gradients(dtype)
    variables = [torch.tensor(w, requires_grad=True) for w in weights]
    optimizer = getattr(torch.optim, class_name)(variables, **arguments)
    paths: list[list[np.ndarray]] = [[] for _ in variables]
    for t in range(STEPS):
        if "rate / 10" in name and t == STEPS // 2:
            optimizer.param_groups[0]["lr"] /= 10
        for variable, gradient in zip(variables, gradients[t], strict=True):
            variable.grad = torch.tensor(gradient)
        optimizer.step()
        for path, variable in zip(paths, variables, strict=True):
            path.append(variable.detach().numpy().copy())
    return [np.stack(path) for path in paths], {"class": class_name, **optimizer.defaults}


def main() -> None:
    torch.set_num_threads(1)
    arrays: dict[str, np.ndarray] = {}
    settings = {}
    for name in OPTIMIZERS:
        for dtype in ("float32", "float64"):
            paths, settings[name] = trajectories(name, dtype)
            arrays |= {f"{name}/{dtype}/{i}": path for i, path in enumerate(paths)}
    about = json.dumps({"torch": torch.__version__, "settings": settings}, indent=1)
    np.savez(OUTPUT, about=np.array(about), **arrays)


if __name__ == "__main__":
    main()
