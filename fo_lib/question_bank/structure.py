"""Questions on functions with structure: kinks, parts known by their prox, and constraints."""

from __future__ import annotations

import math

from ._question import Template, one_of

__all__ = ["QUESTIONS"]


def _thresholded(w: float, g: float, rate: float, weight: float) -> float:
    """A gradient step, then the soft threshold."""
    stepped = w - rate * g
    return math.copysign(max(abs(stepped) - rate * weight, 0.0), stepped)


def _first_of_simplex(**named: float) -> float:
    """The first entry of the projection: the threshold is the largest of those that k entries would make."""
    entries = sorted(named.values(), reverse=True)
    theta = max((sum(entries[:k]) - 1) / k for k in range(1, len(entries) + 1))
    return max(named["a"] - theta, 0.0)


QUESTIONS = (
    Template(
        "subgradients/steps",
        "A convex function has subgradients of norm at most {G}, and a minimizer at distance {R} from the start. After"
        " how many subgradients does the bound G R / sqrt(k) on the best gap first promise at most {gap:g}?",
        one_of(G=(1, 2, 3, 5), R=(1, 2, 4, 10), gap=(0.1, 0.05, 0.02, 0.01)),
        lambda G, R, gap: round((G * R / gap) ** 2),
        "Solve G R / sqrt(k) = gap for k.",
        "Half the gap takes four times as many.",
        whole=True,
    ),
    Template(
        "subgradients/rate",
        "Subgradients of norm at most {G}. With which constant learning rate does the bound on the best gap tend to"
        " {gap:g} as the number of steps grows?",
        one_of(G=(1, 2, 3, 5, 10), gap=(0.1, 0.05, 0.02, 0.01, 0.001)),
        lambda G, gap: 2 * gap / G**2,
        "What is left of the bound is G^2 times the learning rate, halved.",
        "A tenth of the floor, a tenth of the rate; and ten times as many steps to get there.",
    ),
    Template(
        "proximal/steps",
        "f is convex and {L}-smooth, h convex, and a minimizer of f + h at distance {R} from the start. After how many"
        " steps of the proximal gradient method at 1 / L does the bound L R^2 / (4 k) on the gap first promise at most"
        " {gap:g}?",
        one_of(L=(1, 2, 8, 12), R=(1, 3, 10), gap=(0.1, 0.03, 0.01, 0.001)),
        lambda L, R, gap: math.ceil(L * R**2 / (4 * gap) - 1e-9),
        "Solve L R^2 / (4 k) <= gap, and round up.",
        "The kink of h costs next to nothing: a smooth f alone has 4 k + 2 in the place of 4 k.",
        whole=True,
    ),
    Template(
        "proximal/step",
        "A weight is {w}, the slope of the smooth part there {g}, the learning rate {rate}, and the penalty"
        " {weight} |w|. Where does one step of the proximal gradient method lead?",
        one_of(w=(1.0, -0.5, 2.0, 0.2), g=(3.0, -2.0, 1.0, -4.0), rate=(0.1, 0.25, 0.5), weight=(0.5, 1.0, 2.0)),
        _thresholded,
        "A gradient step first. Then move towards zero by learning rate times penalty, and not beyond it.",
        "The gradient never sees the penalty, and the threshold never sees the data.",
    ),
    Template(
        "constraints/steps",
        "f is {L}-smooth over a set of diameter {D}. After how many steps of Frank and Wolfe's method does the bound"
        " 2 L D^2 / (k + 2) on the gap first promise at most {gap:g}?",
        one_of(L=(1, 3, 5, 8), D=(1, 2, 4, 10), gap=(0.1, 0.03, 0.01, 0.001)),
        lambda L, D, gap: math.ceil(2 * L * D**2 / gap - 2 - 1e-6),
        "Solve 2 L D^2 / (k + 2) <= gap, and round up.",
        "A tenth of the gap takes ten times the steps, and none of them a projection.",
        whole=True,
    ),
    Template(
        "constraints/simplex",
        "Project ({a}, {b}, {c}) onto the simplex, where entries are not negative and add up to 1. What is the first"
        " entry of the projection?",
        one_of(a=(0.9, 1.1, 0.8, 0.7), b=(0.6, 0.5, 0.2, -0.4), c=(-0.5, 0.1, 0.4, -1.0)),
        _first_of_simplex,
        "Subtract one number from all entries, and set what becomes negative to zero. The sum tells the number.",
        "Where all three stay, each gives a third of what the sum has too much.",
    ),
    Template(
        "mirror-descent/rounds",
        "{d} experts with losses in [{low}, {high}]. After how many rounds, known in advance, does the bound of"
        " exponentiated gradient, at its best rate, first promise a regret of at most {gap:g} a round?",
        one_of(d=(10, 100, 1000, 10_000), low=(0, -1), high=(1, 2, 3), gap=(0.1, 0.05, 0.02, 0.01)),
        lambda d, low, high, gap: math.ceil((high - low) ** 2 * math.log(d) / (2 * gap**2)),
        "Only the width of the interval counts: half of it, times sqrt(2 T ln d), divided by T.",
        "Ten times as many experts cost little; half the regret a round costs four times the rounds.",
        whole=True,
    ),
    Template(
        "mirror-descent/step",
        "Two weights, {share} and the rest. The gradient is ({g1}, {g2}). What is the first weight after a step of"
        " exponentiated gradient with the learning rate {rate}?",
        one_of(share=(0.2, 0.5, 0.9), g1=(1.0, -2.0, 3.0), g2=(0.0, -1.0, 2.0), rate=(0.1, 0.5, 1.0)),
        lambda share, g1, g2, rate: 1 / (1 + (1 - share) / share * math.exp(rate * (g1 - g2))),
        "The odds, share to rest, are multiplied by exp(-rate (g1 - g2)).",
        "A constant added to both entries of the gradient would change nothing.",
    ),
    Template(
        "coordinate-and-dual/steps",
        "A function is {mu}-strongly convex, with curvatures {L1}, {L2} and {L3} along its three coordinates. After how"
        " many steps of random coordinate descent, with probabilities in proportion to the curvatures, is the bound of"
        " the expected gap at most {share:g} of the first?",
        one_of(mu=(0.1, 0.2, 0.5, 1.0), L1=(1, 2, 3), L2=(4, 6, 10), L3=(5, 20, 30), share=(0.1, 0.01, 0.001)),
        lambda mu, L1, L2, L3, share: math.ceil(math.log(share) / math.log(1 - mu / (L1 + L2 + L3)) - 1e-9),
        "A step multiplies the bound by one minus mu over the sum of the curvatures.",
        "Three of these steps cost about one gradient.",
        whole=True,
    ),
    Template(
        "coordinate-and-dual/pull",
        "Squared loss and {n} samples. A sample has the squared length {square}, the label {y} and the dual variable"
        " {a}; the weights predict {p} for it; the penalty is {penalty} |w|^2 / 2. To which value does dual coordinate"
        " ascent move its dual variable?",
        one_of(
            n=(10, 50, 200),
            square=(1, 4, 10),
            y=(1.0, -2.0, 5.0),
            a=(0.0, 0.5, -1.0),
            p=(0.2, -0.7, 3.0),
            penalty=(0.01, 0.1, 1.0),
        ),
        lambda n, square, y, a, p, penalty: a + (y - p - a) / (1 + square / (penalty * n)),
        "Move by what the residual is short of the dual variable, over one plus squared length / (penalty times n).",
        "The less the sample moves the weights, the nearer it gets to its own residual.",
    ),
    Template(
        "splitting/edge",
        "On the game s x z with s = {s}, both players have the learning rate a and move in turn, with extrapolation by"
        " theta = {theta}. Below which a do they converge?",
        one_of(s=(0.5, 1, 2, 5, 10), theta=(0.1, 0.25, 0.5, 1.0)),
        lambda s, theta: 2 / (s * math.sqrt(1 + 2 * theta)),
        "(1 + 2 theta) times the square of a s must stay below 4.",
        "The larger theta, the lower this limit; for small rates a larger theta damps more.",
    ),
    Template(
        "splitting/penalty",
        "Every worker's function is {mu}-strongly convex and {L}-smooth. By which factor per round does consensus ADMM"
        " with the penalty {penalty} shrink its distance, by the bound?",
        one_of(mu=(0.01, 0.1, 0.5, 1.0), L=(2, 5, 10, 20), penalty=(0.1, 0.3, 1.0, 3.0)),
        lambda mu, L, penalty: max(L / (L + penalty), penalty / (penalty + mu)),
        "One part of the error is kept by L / (L + rho), another by rho / (rho + mu). The slower one decides.",
        "The two are equal at the root of mu times L.",
    ),
)
