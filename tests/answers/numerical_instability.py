"""Answers to the exercises on numerical instability: right ones, and slips with the hint that each should meet."""

import numpy as np


def log_sum_exp(z):
    z = np.asarray(z, float)
    shift = z.max() if np.isfinite(z.max()) else 0.0
    with np.errstate(divide="ignore"):
        return shift + np.log(np.exp(z - shift).sum())


def naive(z):
    return np.log(np.exp(z).sum())


def shifted_by_zero_at_least(z):
    shift = max(z.max(), 0.0)
    return shift + np.log(np.exp(z - shift).sum())


def without_case_of_all_masked(z):
    return z.max() + np.log(np.exp(z - z.max()).sum())


def forgets_the_mask(z):
    return log_sum_exp(np.where(np.isinf(z), 0.0, z))


def clip(gradients, limit):
    norm = np.sqrt(sum(np.sum(np.square(g, dtype=float)) for g in gradients))
    factor = limit / max(norm, limit)
    return [(g.astype(float) * factor).astype(g.dtype) for g in gradients]


def each_for_itself(gradients, limit):
    return [clip([g], limit)[0] for g in gradients]


def always(gradients, limit):
    norm = np.sqrt(sum(np.sum(np.square(g, dtype=float)) for g in gradients))
    return [g * (limit / norm) for g in gradients]


def divides_by_the_norm(gradients, limit):
    norm = np.sqrt(sum(np.sum(np.square(g, dtype=float)) for g in gradients))
    return gradients if norm > 0 and norm < limit else [g * (limit / norm) for g in gradients]


def widens(gradients, limit):
    return [g.astype(float) for g in clip(gradients, limit)]


def overflows(gradients, limit):
    norm = np.sqrt(sum(np.sum(g * g) for g in gradients))
    return [(g * (limit / max(norm, limit))).astype(g.dtype) for g in gradients]


RIGHT = {
    "numerical-instability-1": 2.0**-3,
    "numerical-instability-2": log_sum_exp,
    "numerical-instability-3": clip,
    "numerical-instability-4": -0.5,
}

WRONG = [
    ("numerical-instability-1", 0.0625, "round the logarithm up"),
    ("numerical-instability-1", 0.25, "significant bits"),
    ("numerical-instability-1", 0.0003 * 2**8, "formula for S"),
    ("numerical-instability-2", 3.0, "should be a function"),
    ("numerical-instability-2", np.sum, "not the log of the sum"),
    ("numerical-instability-2", naive, "near 1000"),
    ("numerical-instability-2", shifted_by_zero_at_least, "near -1000"),
    ("numerical-instability-2", forgets_the_mask, "should count nothing"),
    ("numerical-instability-2", without_case_of_all_masked, "what is -inf minus -inf"),
    ("numerical-instability-3", 1.0, "should be a function"),
    ("numerical-instability-3", lambda gradients, limit: gradients[:1], "as many arrays"),
    ("numerical-instability-3", each_for_itself, "for itself"),
    ("numerical-instability-3", lambda gradients, limit: gradients, "norms 0.6 and 0.8"),
    ("numerical-instability-3", lambda *a: [-g for g in clip(*a)], "keep their direction"),
    ("numerical-instability-3", always, "shorter than the limit"),
    ("numerical-instability-3", divides_by_the_norm, "zeros should stay zero"),
    ("numerical-instability-3", widens, "keep its dtype"),
    ("numerical-instability-3", overflows, "in which dtype"),
    ("numerical-instability-4", 0.0, "That is the mean"),
    ("numerical-instability-4", -1.0, "That is the median"),
    ("numerical-instability-4", 0.5, "0.2 times -2"),
]
