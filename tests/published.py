"""Published figures, each with a function that finds it anew: the ledger of reproduced results.

usage: python -m tests.published      (make ledger: write what the page of reproduced results shows)
"""

from __future__ import annotations

import datetime
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fo_lib import gradients, minimize, problems, rates, rules
from fo_lib.learning_rates import exact

LEDGER = Path(__file__).resolve().parent.parent / "book" / "reference" / "stored" / "published.json"


class Published(NamedTuple):
    """A figure as published, how ours compares if it holds, whether it does, and how to find ours."""

    claimed: float
    relation: str  # of ours to the published one: "=", "≤" or "≥"
    tolerance: float  # relative
    holds: bool
    find: Callable[[], float]

    def agrees(self, ours: float) -> bool:
        """Whether a figure is as published, within the tolerance."""
        low, high = sorted((1 + sign * self.tolerance) * self.claimed for sign in (-1, 1))
        return bool((self.relation == "≤" or ours >= low) and (self.relation == "≥" or ours <= high))


RESULTS: dict[str, Published] = {}


def published(
    claimed: float, relation: str = "=", tolerance: float = 0.0, holds: bool = True
) -> Callable[[Callable[[], float]], Callable[[], float]]:
    """Enter a function under its name."""

    def enter(find: Callable[[], float]) -> Callable[[], float]:
        RESULTS[find.__name__] = Published(claimed, relation, tolerance, holds, find)
        return find

    return enter


@published(1 / 402, tolerance=1e-9)
def drori2014() -> float:
    """Gap after 100 steps of gradient descent on the worst function, L = 1, distance 1."""
    kink = 1 / 201

    def value(w: np.ndarray) -> float:
        return float(w[0] ** 2 / 2 if abs(w[0]) <= kink else kink * abs(w[0]) - kink**2 / 2)

    bowl = problems.from_functions(value, lambda w: np.clip(w, -kink, kink), [1.0])
    return float(minimize(bowl, learning_rate=1.0, steps=100).value[-1])


@published(1 / 32, relation="≥")
def karimi2016() -> float:
    """Largest constant of the Polyak-Łojasiewicz inequality for x² + 3 sin² x."""
    x = np.linspace(0.001, 10, 100_000)
    return float(np.min((2 * x + 3 * np.sin(2 * x)) ** 2 / (2 * (x**2 + 3 * np.sin(x) ** 2))))


@published((99 / 101) ** 2, tolerance=1e-9)
def akaike1959() -> float:
    """Factor per step of exact line search in the worst zigzag, condition number 100."""
    trace = minimize(problems.quadratic([1, 100], start=[1, 0.01]), learning_rate=exact(), steps=20)
    return float(trace.value[-1] / trace.value[-2])


def second_moment(c: float, steps: int) -> float:
    """E w^2 after steps of SGD with the rate c / k on w² / 2, noise of variance one, exactly."""
    moment = 1.0
    for k in range(1, steps + 1):
        moment = (1 - c / k) ** 2 * moment + (c / k) ** 2
    return moment


@published(4 / 3, tolerance=1e-3)
def chung1954() -> float:
    """Steps times mean square for the rates 2 / k: c² / (2c − 1)."""
    return 100_000 * second_moment(2.0, 100_000)


@published(-0.5, tolerance=0.02)
def chung1954_slow() -> float:
    """Power of k in the mean square for the rates 1 / (4k): −2c."""
    return float(np.log10(second_moment(0.25, 100_000) / second_moment(0.25, 10_000)))


@published(1.0, tolerance=1e-9)
def strohmer2009() -> float:
    """Expected squared error after a projection of Kaczmarz, over the published factor, along its worst direction."""
    A = np.random.default_rng(0).standard_normal((12, 3))
    _, s, V = np.linalg.svd(A)
    norms = np.sum(A**2, axis=1)
    after = [np.sum((V[-1] - (row @ V[-1]) / norm * row) ** 2) for row, norm in zip(A, norms, strict=True)]
    factor = rates.kaczmarz(1, smallest_singular_value=s[-1], frobenius_norm=float(np.sqrt(norms.sum())))
    return float(norms / norms.sum() @ after / factor)


@published(2.0, relation="≥")
def mishchenko2020() -> float:
    """Power of the rate in the floor of reshuffled passes, equal curvatures; independent draws have 1."""
    floors = [rates.reshuffling_floor(rate, n=20, curvature=1.0, variance=1.0) for rate in (2e-5, 1e-5)]
    return float(np.log2(floors[0] / floors[1]))


@published(1.0, tolerance=1e-3)
def polyak1992() -> float:
    """Steps times mean square of the averaged iterate, over the least possible, at a constant rate: 2,000 steps."""
    now = cross = total = 0.0  # E w², E w s and E s²; s is the sum of the iterates
    for _ in range(2000):
        now, shrunk = 0.25 * (now + 1), 0.5 * cross
        cross, total = shrunk + now, total + 2 * shrunk + now
    return total / 2000


def ridge() -> problems.FiniteSum:
    """Fifteen samples, each 1/2-strongly convex."""
    rng = np.random.default_rng(0)
    return problems.least_squares(rng.standard_normal((15, 3)), rng.standard_normal(15), l2=0.5)


@published(0.5, relation="≤")
def johnson2013() -> float:
    """Factor of a stage of SVRG in the expected gap, learning rate 0.1 / L, 50 L / μ steps: ten seeds."""
    problem = ridge()
    inner = math.ceil(50 * problem.L_max / problem.mu)
    options = {"gradient": gradients.svrg(inner), "learning_rate": 0.1 / problem.L_max, "steps": inner - 1}
    options["start"] = problem.minimizer + 1e-4  # where the noise of single samples would drive it away
    gaps = np.array([minimize(problem, seed=seed, **options).value - problem.minimum for seed in range(10)])
    return float(np.mean(gaps / gaps[:, :1]))  # the new anchor is drawn from all iterates


@published(1 - 1 / 60, relation="≤")
def defazio2014() -> float:
    """Factor per step of SAGA in the expected squared distance, learning rate 1 / (3L), n = 15: ten seeds."""
    problem = ridge()
    options = {"gradient": gradients.saga(), "learning_rate": 1 / (3 * problem.L_max), "steps": 1000, "every": 1000}
    ends = [minimize(problem, seed=seed, **options).w - problem.minimizer for seed in range(10)]
    return float(np.mean(np.square(ends).sum(1)) / np.sum((problem.start - problem.minimizer) ** 2)) ** (1 / 1000)


@published(9 / 11, tolerance=1e-6)
def polyak1964() -> float:
    """Largest decay per step over all curvatures in [1, 100] with Polyak's tuning."""
    curvature, beta = np.linspace(1, 100, 1001), (9 / 11) ** 2
    return float(np.max(rates.heavy_ball_decay(4 / 121 * curvature, momentum=beta)))


@published(2592 / 1225, tolerance=1e-12)
def lessard2016() -> float:
    """Farthest point of the cycle that the heavy ball ends in, started at 3.3."""
    w, v, path = 3.3, 0.0, []
    for _ in range(600):
        slope = 25 * w if w < 1 else w + 24 if w < 2 else 25 * w - 24
        w, v = rules.momentum(w, slope, v, 1 / 9, 4 / 9)
        path.append(w)
    return max(path[-3:])


@published(2 * np.sqrt(0.81), tolerance=0.02, holds=False)
def goh2017() -> float:
    """Decay per step of the heavy ball with complex roots, momentum 0.81; published as twice its square root."""
    line = problems.quadratic([1.0], start=[1.0])
    error = np.abs(minimize(line, rules.momentum, learning_rate=0.5, momentum=0.81, steps=420).value) ** 0.5
    return float((error[400:].max() / error[:20].max()) ** (1 / 400))


@published(1.0, relation="≥")
def nesterov2018() -> float:
    """The least gap in the span of 50 gradients of the worst function, over the lower bound for such methods."""
    worst, k = problems.nesterov_worst_case(50), 50
    zero = worst.grad(np.zeros(worst.start.size))
    hessian = np.array([worst.grad(e) - zero for e in np.eye(zero.size)[:k]])[:, :k]
    w = np.zeros(zero.size)
    w[:k] = np.linalg.solve(hessian, -zero[:k])
    low = rates.first_order_lower(k, L=1.0, R=float(np.linalg.norm(worst.minimizer)))
    return float((worst.value(w) - worst.minimum) / low)


@published(4 / 3, tolerance=0.01)
def reddi2018() -> float:
    """Regret per round of Adam on [-1, 1] with slopes 4, -1, -1, 4, ..., against the best point, -1."""
    w, v, total, beta2 = 1.0, 0.0, 0.0, 1 / 17
    for t in range(1, 30_001):
        slope = 4.0 if t % 3 == 1 else -1.0
        total += slope * (w + 1)
        v = beta2 * v + (1 - beta2) * slope**2  # the paper's Adam: no momentum, no correction
        w = float(np.clip(w - 0.5 / np.sqrt(t) * slope / np.sqrt(v), -1, 1))
    return total / 30_000


@published(0.1 / np.sqrt(0.001), relation="≤", holds=False)
def kingma2015() -> float:
    """A step of Adam under growing gradients, in learning rates; published as at most (1 − β₁) / √(1 − β₂)."""
    w, m, v = 0.0, 0.0, 0.0
    for t in range(1, 3001):
        before = w
        w, m, v = rules.adam(w, (0.9 / 0.999) ** (3000.0 - t), m, v, t, learning_rate=1.0, epsilon=0.0)
    return abs(w - before)


@published(0.0, tolerance=0.0)
def wilson2017() -> float:
    """Share of unseen negative samples, all alike, that Adagrad gets right; the solution of least norm gets all."""
    positive, negative = 12, 8
    y = np.repeat([1.0, -1.0], [positive, negative])
    X = np.zeros((20, 3 + 5 * 20))
    X[:, 0], X[:, 1:3] = y, 1.0
    for i, label in enumerate(y):
        own = 3 + 5 * i
        X[i, own : own + (1 if label > 0 else 5)] = 1.0
    fit = problems.least_squares(X, y)
    w = minimize(fit, rules.adagrad, learning_rate=0.05, steps=2000, every=2000).w
    least = np.linalg.pinv(X) @ y
    assert -least[0] + least[1] + least[2] < 0 < least[:3].sum()
    return float(-w[0] + w[1] + w[2] < 0)


@published(1.0, tolerance=1e-9)
def mccandlish2018() -> float:
    """(S / least − 1) (E / least − 1), S steps and E samples, by the paper's formula for batches of 1 to 400."""
    sizes, noise = np.arange(1, 401), 37.0
    steps = 1 / rates.batch_efficiency(sizes, noise_scale=noise)
    products = (steps - 1) * (sizes * steps / noise - 1)
    return float(products[np.argmax(np.abs(products - 1))])


@published(0.95, relation="≥")
def sixty_trials() -> float:
    """Chance that one of 60 random trials is among the best twentieth."""
    return float(rates.random_hit(60, share=0.05))


def entry(key: str, result: Published) -> dict[str, object]:
    """What the ledger says of a result, but for our figure and the date."""
    words = (result.find.__doc__ or "").strip()
    settings = {"claimed": float(result.claimed), "relation": result.relation, "tolerance": result.tolerance}
    return {
        **settings,
        "holds": result.holds,
        "what": words,
        "test": f"tests/test_published.py::test_as_published[{key}]",
    }


def main() -> None:
    today = datetime.date.today().isoformat()
    rows = {key: {**entry(key, result), "ours": result.find(), "date": today} for key, result in RESULTS.items()}
    LEDGER.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(rows)} published figures are in {LEDGER.name}\n")


if __name__ == "__main__":
    main()
