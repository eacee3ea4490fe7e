r"""Bounds of the theorems, one function each, as functions of the number of steps.

``k`` is a number of steps or an array of them; :math:`R = \|w_0 - w^\star\|` is the distance at the start and ``gap``
is :math:`f(w_0) - f^\star`. Arguments outside a theorem's assumptions raise an error.
"""

from .accelerated import (
    first_order_lower,
    heavy_ball,
    heavy_ball_decay,
    heavy_ball_variance,
    nesterov_convex,
    nesterov_decay,
    nesterov_quadratic,
    nesterov_strongly_convex,
    nesterov_variance,
)
from .adaptive import (
    adagrad_regret,
    adam_largest_step,
    decay_equilibrium,
    online_gradient_descent_regret,
    scale_invariant_norm,
    softmax_row_progress,
    sparse_adam_speed,
)
from .constraints import frank_wolfe, frank_wolfe_lower
from .coordinate import (
    consensus,
    coordinate_descent,
    coordinate_descent_convex,
    dual_coordinate_ascent,
    saddle_point_gap,
)
from .descent import (
    armijo,
    exact_line_search,
    gradient_descent_convex,
    gradient_descent_convex_textbook,
    gradient_descent_nonconvex,
    gradient_descent_pl,
    gradient_descent_strongly_convex,
    polyak_step,
)
from .landscapes import langevin_escape_rate, plateau_steps, saddle_growth
from .messages import delay_best, delay_limit, feedback_error, gradients_elsewhere, local_drift, local_drift_alike
from .mirror import experts_regret, mirror_descent_regret, mixture_em, relative_smoothness
from .numerics import clipped_descent, compensated_summation, naive_summation, relaxed_smoothness, stall_point
from .proximal import proximal_gradient, proximal_gradient_slope, proximal_gradient_strongly_convex
from .second_order import newton_basin, newton_error, self_concordant_decrease
from .stochastic import (
    kaczmarz,
    mini_batch_variance,
    reshuffling_floor,
    sgd_additive_noise,
    sgd_finite_sum,
    sgd_inverse_rate,
    sgd_stationary_variance,
)
from .subgradients import (
    polyak_sharp,
    subgradient_best,
    subgradient_steps,
    subgradient_strongly_convex,
    subgradient_strongly_convex_uniform,
)
from .tuning import (
    batch_efficiency,
    expected_best,
    grid_hit,
    noisy_quadratic,
    random_hit,
    two_batch_estimates,
    wrong_winner,
)
from .variance_reduction import polyak_ruppert, saga, svrg_stage

__all__ = [
    "adagrad_regret",
    "adam_largest_step",
    "armijo",
    "batch_efficiency",
    "clipped_descent",
    "compensated_summation",
    "consensus",
    "coordinate_descent",
    "coordinate_descent_convex",
    "decay_equilibrium",
    "delay_best",
    "delay_limit",
    "dual_coordinate_ascent",
    "exact_line_search",
    "expected_best",
    "experts_regret",
    "feedback_error",
    "first_order_lower",
    "frank_wolfe",
    "frank_wolfe_lower",
    "gradient_descent_convex",
    "gradient_descent_convex_textbook",
    "gradient_descent_nonconvex",
    "gradient_descent_pl",
    "gradient_descent_strongly_convex",
    "gradients_elsewhere",
    "grid_hit",
    "heavy_ball",
    "heavy_ball_decay",
    "heavy_ball_variance",
    "kaczmarz",
    "langevin_escape_rate",
    "local_drift",
    "local_drift_alike",
    "mini_batch_variance",
    "mirror_descent_regret",
    "mixture_em",
    "naive_summation",
    "nesterov_convex",
    "nesterov_decay",
    "nesterov_quadratic",
    "nesterov_strongly_convex",
    "nesterov_variance",
    "newton_basin",
    "newton_error",
    "noisy_quadratic",
    "online_gradient_descent_regret",
    "plateau_steps",
    "polyak_ruppert",
    "polyak_sharp",
    "polyak_step",
    "proximal_gradient",
    "proximal_gradient_slope",
    "proximal_gradient_strongly_convex",
    "random_hit",
    "relative_smoothness",
    "relaxed_smoothness",
    "reshuffling_floor",
    "saddle_growth",
    "saddle_point_gap",
    "saga",
    "scale_invariant_norm",
    "self_concordant_decrease",
    "sgd_additive_noise",
    "sgd_finite_sum",
    "sgd_inverse_rate",
    "sgd_stationary_variance",
    "softmax_row_progress",
    "sparse_adam_speed",
    "stall_point",
    "subgradient_best",
    "subgradient_steps",
    "subgradient_strongly_convex",
    "subgradient_strongly_convex_uniform",
    "svrg_stage",
    "two_batch_estimates",
    "wrong_winner",
]
