"""The slots of the loop, and the loop: rules, gradients, rates, transforms, operators, sets, averages."""

import numpy as np

from fo_lib import averages, gradients, minimize, problems, prox, rules

from .calls import call, not_called

X = np.array([[1.0, 2.0], [0.5, -1.0], [-1.0, 0.5], [2.0, 1.0], [0.0, -2.0], [1.0, 1.0]])
Y = np.array([1.0, -1.0, 1.0, 1.0, -1.0, -1.0])
W = np.array([2.0, -1.0])
G = np.array([0.5, 0.25])
M = np.array([[1.0, 2.0], [0.0, -1.0], [2.0, 1.0]])
BOWL = problems.quadratic([1.0, 4.0])
RIDGE = problems.least_squares(X, Y, l2=0.25)
RUN = {"learning_rate": 0.125, "steps": 3}


def square(w):
    """The squared norm of an array, or of a list of arrays."""
    parts = w if isinstance(w, list) else [w]
    with np.errstate(over="ignore"):
        return sum(np.sum(np.asarray(a) ** 2) for a in parts)


def twice(w):
    with np.errstate(over="ignore"):
        return [2 * a for a in w] if isinstance(w, list) else 2 * w


def with_gradient(oracle):
    return minimize(RIDGE, gradient=oracle, **RUN)


def with_rate(rate):
    return minimize(BOWL, learning_rate=rate, steps=3)


def with_transform(transform):
    return minimize(BOWL, transform=transform, **RUN)


def with_average(average):
    return minimize(BOWL, average=average, **RUN)


def applied(operator):
    """An operator or a set, on vectors, or on a matrix."""
    w = M[:2] if operator.name in ("psd_cone", "nuclear_ball", "nuclear_norm") else W
    found = [operator(w, 0.5)]
    corner = getattr(operator, "corner", None)
    return found if corner is None else [*found, corner(w)]


not_called(
    "rules",
    "a formula and nothing else, which Stepper and minimize check the arguments of",
    "adadelta", "adagrad", "adam", "adamax", "adamw", "amsgrad", "gradient_descent", "lion", "momentum", "nadam",
    "nesterov", "rmsprop", "sign_descent",
)  # fmt: skip
not_called("matrix_rules", "a formula and nothing else", "muon", "shampoo", "orthogonalize")
not_called("finite_sums", "a formula, which is compiled", "huber_loss", "log_loss", "squared_loss")
not_called("linear_models", "a formula, which is compiled", "hinge_loss", "log_loss", "squared_loss")
not_called("sampling", "public in gradients", "in_blocks", "in_order", "mini_batch", "reshuffled", "shuffled_once")
ORDER = "the signature of an order, which mini_batch and the others check what they give to"
not_called("gradients", "the signature of an oracle, which minimize checks what it gives to", "full")
not_called("gradients", ORDER, "in_order", "reshuffled", "shuffled_once", "with_replacement")

call("gradients", "in_blocks", lambda order: with_gradient(gradients.mini_batch(2, order)))(size=2)
call("gradients", "mini_batch", with_gradient)(size=2, order=gradients.reshuffled)
call("gradients", "noisy", with_gradient)(scale=0.5)
call("gradients", "saga", with_gradient)(order=gradients.in_order)
call("gradients", "svrg", with_gradient)(inner=2, order=gradients.in_order)
call("gradients", "check_gradient")(value=square, grad=twice, w=W, tolerance=1e-6)
call("staleness", "stale", with_gradient)(delay=2, gradient=gradients.full, random=True)

call(
    "learning_rates",
    "armijo",
    with_rate,
    also=("learning_rate",),
    leave={"shrink": "near 1 as slow as it is asked to be"},
)(first=0.5, shrink=0.5, grow=2.0, decrease=0.25)
call("learning_rates", "barzilai_borwein", with_rate, also=("learning_rate",))(first=0.125)
call("learning_rates", "cosine", with_rate, also=("learning_rate",))(highest=0.125, steps=9, warmup=2)
call("learning_rates", "exact", with_rate, also=("learning_rate",))()
call("learning_rates", "inverse", with_rate, also=("learning_rate",))(first=0.125, decay=0.5, power=0.5)
call("learning_rates", "inverse_sqrt", with_rate, also=("learning_rate",))(highest=0.125, warmup=2)
call("learning_rates", "one_cycle", with_rate, also=("learning_rate",))(
    highest=0.125, steps=8, rise=0.25, start=0.125, end=0.125
)
call("learning_rates", "polyak", with_rate, also=("learning_rate",))(minimum=0.0)
call("learning_rates", "step_decay", with_rate, also=("learning_rate",))(first=0.125, factor=0.5, every=2)
not_called("learning_rates", "holds what it is given", "LineSearch")

call("transforms", "clip_norm", with_transform)(limit=0.5)
call("transforms", "clip_value", with_transform)(limit=0.5)
call("averages", "exponential", with_average)(decay=0.5)
call("averages", "polynomial", with_average)(power=2.0)
call("averages", "uniform", with_average)(first=2)

call("prox", "conjugate", lambda operator: operator(W, 0.5))(operator=prox.l1(1.0))
call("prox", "elastic_net", applied, also=("w",))(l1_weight=0.5, l2_weight=0.5)
call("prox", "gradient_mapping", spreads="a run sees where it diverges")(
    operator=prox.l1(0.5), w=W, g=G, learning_rate=0.5
)
call("prox", "group_lasso", applied, also=("w",))(weight=0.5, groups=np.array([0, 1]))
call("prox", "l1", applied, also=("w",))(weight=np.array([0.5, 0.25]))
call("prox", "nuclear_norm", applied, also=("w",))(weight=0.5)
call("prox", "squared_l2", applied, also=("w",))(weight=0.5)
call("sets", "box", applied, also=("w",), infinite="a limit may be infinite")(lower=np.array([-1.0, 0.0]), upper=1.0)
call("sets", "l1_ball", applied, also=("w",))(radius=1.0)
call("sets", "l2_ball", applied, also=("w",))(radius=1.0)
call("sets", "nuclear_ball", applied, also=("w",))(radius=1.0)
call("sets", "psd_cone", applied, also=("w",))()
call("sets", "simplex", applied, also=("w",))(total=2.0)
not_called("sets", "holds what it is given", "Set")
not_called("prox", "holds what it is given", "Prox")

call("loop", "minimize", long=("steps",))(
    problem=BOWL, rule=rules.momentum, learning_rate=0.125, gradient=gradients.full, transform=None, prox=prox.l1(0.5),
    average=averages.uniform(), start=W, steps=3, tolerance=0.0, every=2, iterates=True, seed=0, progress=False,
    compiled=False, momentum=0.5,
)  # fmt: skip
not_called("loop", "what a run returns", "Trace")


def one_step(stepper):
    w = W.copy()
    stepper(w, G)
    return w


call("engine", "Stepper", one_step)(rule=rules.momentum, fused=False, learning_rate=0.125, momentum=0.5)
call("engine", "hyperparameter", also=("momentum",), leave={"name": "a name"})(
    rule=rules.momentum, name="momentum", value=0.5
)
call("engine", "signature", lambda s: list(s.hyper.values()))(rule=rules.adam)
call("engine", "fuse", lambda sweep: 1.0)(rule=rules.gradient_descent, dtype=np.float64)
not_called("engine", "what signature returns", "Signature")
not_called("engine", "writes source text; for the compiled loops", "memory_loop")

call("layout", "Layout", lambda layout: layout.size, also=("start",))(weights=[W, M], name="weights")
