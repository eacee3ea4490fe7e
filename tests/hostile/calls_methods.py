"""Problems, and the methods with a loop of their own."""

import numpy as np

from fo_lib import accelerated, compression, minimize, mirror, newton, prox, sets
from fo_lib.finite_sums import squared_loss
from fo_lib.gradients import in_order

from .calls import call, not_called
from .calls_slots import BOWL, RIDGE, G, M, W, X, Y, square, twice

RULE = {"long": ("steps",)}
H = np.array([[2.0, 0.5], [0.5, 1.0]])
HOLDS = "holds what it is given; from_functions and the loops check"


def looked_at(problem):
    """A few steps, and the constants."""
    return [minimize(problem, learning_rate=2.0**-20, steps=3), problem.L, problem.mu]


call("problems", "huber", looked_at, also=("start",))(X=X, y=Y, threshold=0.5, l2=0.25)
call("problems", "least_squares", looked_at, also=("start",))(X=X, y=Y, l2=0.25)
call("problems", "logistic", looked_at, also=("start",))(X=X, y=Y, l2=0.25)
call("problems", "softmax_regression", looked_at, also=("start",), long=("classes",))(
    X=X, y=np.array([0, 1, 2, 0, 1, 2]), classes=3, l2=0.25
)
call("problems", "nesterov_worst_case", looked_at, also=("start",), long=("k",))(k=2, L=4.0)
call("problems", "quadratic", looked_at, also=("start",))(spectrum=np.array([1.0, 4.0]), minimizer=W, start=G, seed=0)
call("problems", "rosenbrock", looked_at, also=("start",))()
call("problems", "solve", lambda p: [p.minimizer, p.minimum], long=("steps",))(problem=RIDGE, tolerance=1e-9, steps=20)
call(
    "problems",
    "from_functions",
    looked_at,
    also=("start",),
    leave={"data": "what the functions need", "name": "any object has a name"},
)(value=square, grad=twice, start=W, data=(), name="bowl", L=2.0, mu=1.0)
not_called("problems", HOLDS, "FiniteSum", "Kernel", "Problem")

call("accelerated", "accelerate", **RULE)(
    problem=BOWL, learning_rate=0.125, momentum=0.5, prox=prox.l1(0.5), restart=accelerated.restart_by_value, start=W,
    steps=3, tolerance=0.0, every=2, iterates=True,
)  # fmt: skip
not_called("accelerated", "a schedule, which accelerate checks what it gives to", "growing_momentum")
not_called("accelerated", "called by accelerate, which checks", "restart_by_gradient", "restart_by_value")

call("projection_free", "frank_wolfe", **RULE)(
    problem=BOWL, over=sets.simplex(), learning_rate=lambda t: 2 / (t + 1), away=False, start=np.array([0.5, 0.5]),
    steps=3, tolerance=0.0, every=2, iterates=True,
)  # fmt: skip
not_called("projection_free", "a schedule, which frank_wolfe checks what it gives to", "shrinking_step")

call("mirror", "mirror_descent", **RULE)(
    problem=BOWL, mirror=mirror.entropy(), learning_rate=0.125, average=lambda t: 1 / t, start=np.array([0.5, 0.5]),
    steps=3, tolerance=0.0, every=2, iterates=True,
)  # fmt: skip


def by_mirror(made):
    theta = made.to_dual(np.array([0.25, 0.75]))
    return [theta, made.to_primal(theta), made.divergence(np.array([0.5, 0.5]), np.array([0.25, 0.75]))]


call("mirror", "entropy", by_mirror)()
call("mirror", "euclidean", by_mirror)(over=sets.simplex())
call("mirror", "p_norm", by_mirror)(p=1.5)
not_called("mirror", "holds what it is given", "Mirror")

SLOT = "the signature of a slot of newton_method, which checks what it gives to it"
call("newton", "newton_method", **RULE)(
    problem=RIDGE, direction=newton.newton_direction, length=newton.backtracking, start=W, steps=3, tolerance=0.0,
    iterates=True,
)  # fmt: skip
not_called("newton", SLOT, "backtracking", "full_step", "self_concordant", "newton_direction", "saddle_free_direction")
not_called("newton", "an error", "NoStep")
call("newton", "trust_region_step")(g=G, H=H, radius=0.25)
call("newton", "two_loop")(g=G, pairs=[(W, W)])

call("primal_dual", "chambolle_pock", also=("learning_rate",), **RULE)(
    f=prox.squared_l2(1.0), g=prox.l1(0.5), K=M, norm=4.0, primal_rate=0.125, dual_rate=0.125,
    dual_value=lambda y: -float(y @ y), average=True, start=W, dual_start=np.zeros(3), steps=3, tolerance=0.0, every=2,
    iterates=True,
)  # fmt: skip
call("primal_dual", "consensus_admm", also=("learning_rate",), **RULE)(
    operators=[prox.squared_l2(1.0), prox.l1(0.5)], value=square, start=W, penalty=1.0,
    prox=prox.l1(0.25), steps=3, tolerance=0.0, every=2, iterates=True,
)  # fmt: skip

LINEAR = {
    "X": X, "y": Y, "learning_rate": 0.125, "loss": squared_loss, "l2": 0.25, "epochs": 2, "order": in_order, "start": W,
    "tolerance": 0.0, "every": 1, "seed": 0, "compiled": False,
}  # fmt: skip
LOSS = {
    "long": ("epochs",),
    "leave": {"compiled": "compiling takes seconds: tests of linear_models and coordinate do it"},
}
call("linear_models", "sgd", **LOSS)(average=2, **LINEAR)
call("linear_models", "saga", **LOSS)(**LINEAR)
call("linear_models", "svrg", **LOSS)(inner=2, **LINEAR)

LASSO = {"X": X, "y": Y, "l2": 0.25, "intercept": True}
SWEEPS = {"tolerance": 1e-3, "epochs": 5, "every": 2, "working_set": True, "compiled": False}
call("coordinate", "lasso", **LOSS)(l1=0.25, start=W, **LASSO, **SWEEPS)
call("coordinate", "path", **LOSS)(l1=np.array([0.5, 0.25]), **LASSO, **SWEEPS)
call("coordinate", "duality_gap")(w=W, l1=0.25, **LASSO)
call("coordinate", "largest_l1")(X=X, y=Y, intercept=True)

HALVES = [np.array([0, 2, 4]), np.array([1, 3, 5])]


def with_workers(oracle):
    return minimize(RIDGE, gradient=oracle, learning_rate=0.125, steps=3)


call("local_steps", "local_sgd", with_workers, long=("local",))(workers=HALVES, local=2, rate=0.125, size=2, active=1)
call("team", "mean_of", looked_at, also=("start",))(parts=[BOWL, RIDGE])
call("team", "shuffled_split", long=("n", "workers"))(n=6, workers=2, seed=0)
call("team", "sorted_split")(labels=Y, workers=2)
not_called("team", "machinery of the oracles with workers, which check", "Team")


def sent(compressor):
    rng = np.random.default_rng(0)
    limits = [f(4) for f in (compressor.contraction, compressor.variance) if f is not None]
    return [compressor.apply(np.array([1.0, -2.0, 0.5, 0.25]), rng), compressor.bits(4), *limits]


for name, arguments in {
    "dense": {}, "plain_sign": {}, "quantize": {"levels": 4}, "random_k": {"k": 2, "rescale": True}, "scaled_sign": {},
    "top_k": {"k": 2},
}.items():  # fmt: skip
    call("compression", name, sent)(**arguments)
call("compression", "compressed", with_workers)(workers=HALVES, compressor=compression.dense(), size=2, feedback=True)
not_called("compression", "holds what it is given", "Compressor")
call("sampling", "batches", lambda batch: batch(1), long=("n",))(n=6, size=2, order=in_order, seed=0)
