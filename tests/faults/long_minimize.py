"""A run of `minimize` that saves itself as often as it can: what `test_kills.py` kills."""

import sys

import numpy as np

import fo_lib.run_files
from fo_lib import averages, gradients, minimize, problems, rules

STEPS = 60_000


def run(folder=None):
    """Adam on SAGA's gradients, averaged: the rule, the gradient and the mean each remember something."""
    rng = np.random.default_rng(0)
    problem = problems.logistic(rng.standard_normal((50, 4)), rng.integers(2, size=50), l2=0.01)
    options = {"gradient": gradients.saga(), "average": averages.uniform(), "every": 100, "iterates": True}
    return minimize(problem, rules.adam, learning_rate=1e-3, steps=STEPS, folder=folder, **options)


class Told(fo_lib.run_files.RunFiles):
    """Say after which step each checkpoint was written."""

    def save(self, ending, t, rate, **_options):
        super().save(ending, t, rate, now=True)
        print(t, flush=True)


if __name__ == "__main__":
    fo_lib.loop.RunFiles = Told
    run(sys.argv[1])
