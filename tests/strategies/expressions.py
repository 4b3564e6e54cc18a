"""Expressions of the language: what rules, activations and traces are made of."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import hypothesis.strategies as st

SIZES = st.integers(1, 5)
SEEDS = st.integers(0, 2**16)

PARAMETERS = ("eta", "gamma", "theta")


@functools.cache
def whole(high: int) -> st.SearchStrategy[int]:
    """Whole numbers from 0 to `high`; made once, since most of the time of a draw goes into making its strategy."""
    return st.integers(0, high)


def pick(draw: Any, values: Sequence[Any]) -> Any:
    """One of the values."""
    return values[draw(whole(len(values) - 1))] if len(values) > 1 else values[0]


@st.composite
def expressions(
    draw: Any, post_names: tuple[str, ...], parameters: tuple[str, ...], depth: int = 3, more: tuple[str, ...] = ()
) -> str:
    """An expression of the rule language whose value is finite wherever its names are.

    Args:
        post_names: names that belong to the postsynaptic neuron, currents among them.
        parameters: names of parameters.
        depth: how deeply it may nest.
        more: forms beside those that come in any case.
    """
    leaves = ("pre", "w", *post_names, *parameters)
    kinds = (*_KINDS, *more)
    words = {"leaf": leaves, "other": leaves, "end": ("pre", "post")}

    def grow(level: int) -> str:
        if level == 0 or draw(whole(5)) == 0:
            return pick(draw, (*leaves, *leaves, "2", "0.5", "-1.25", "3e-1", "0"))
        kind = pick(draw, kinds)
        parts = [grow(level - 1) if f"{{{k}}}" in kind else "" for k in range(3)]
        return kind.format(*parts, **{word: pick(draw, names) for word, names in words.items() if word in kind})

    return grow(depth)


# Products and sums come several times, being what rules are mostly made of. Comparisons and `sign`, which jump,
# look at a single quantity and away from the values where rounding could decide.
_KINDS = [
    *["{0} * {1} * ({2})", "({0}) * ({1})", "{0} + {1}", "{0} - ({1})", "({0} + {1}) * {2}"] * 3,
    "-({0})",
    "+({0})",
    "({0}) ** 2",
    "({0} - ({1})) ** 3",
    "({0}) / (0.7 + ({1}) ** 2)",
    "(0.4 + abs({0})) ** -2",
    "(0.3 + abs({0})) ** 0.5",
    "(0.3 + abs({0})) ** tanh({1})",
    "({leaf} > 0)",
    "({leaf} > 0.0371)",
    "({leaf} >= 0.0173) * ({0})",
    "({leaf} < -0.0219)",
    "(({0}) * ({leaf} <= 0.0131))",
    "({leaf} == 0)",
    "({leaf} != 0) * ({0})",
    "where({leaf} > 0.0471, {0}, {1})",
    "where({leaf}, {0}, {1})",
    "where(({leaf} > 0) * ({other} > -0.0833), {0}, {1})",
    "abs({0})",
    "sign({leaf})",
    "sign({leaf} - 0.0117)",
    "relu({0})",
    "tanh({0})",
    "exp(-abs({0}))",
    "exp(tanh({0}) * tanh({1}))",
    "sqrt(abs({0}) + 0.2)",
    "minimum({0}, {1})",
    "maximum({0}, {1})",
    "clip({0}, -0.51, 0.83)",
    "clip({0}, -abs({1}), abs({2}))",
    "sum_in({0})",
    "sum_out({0})",
    "max_in({0})",
    "max_out({0})",
    "sum_in({0} * {1})",
    "sum_out(({0}) ** 2)",
]

# Products with a gate that is closed wherever another factor is not finite, and branches that only where they are not
# taken divide by zero, overflow, or have no real value.
GATED_PRODUCTS = (
    "({end} > 0.1137) * ({0}) / {end}",
    "({0}) * ({end} < -0.1137) / {end} ** 2",
    "({end} != 0) * (abs({end}) >= 0.0513) * ({0}) / {end}",
    "({0}) * sqrt({end}) * ({end} > 0.0291)",
    "-({end} > 0.1137) ** 2 / {end}",
    "where({end} > 0.1137, ({0}) / {end}, {1})",
    "where({end} < 0.0523, {0}, exp(-900 * {end}))",
    "where({end} > 0.0291, sqrt({end}), {0})",
    "where(abs({end}) > 0.0291, {end} ** -3 * 0.001, {0})",
)

# Means over the batch and the neurons of one end, which do not depend on the synapse.
MEANS = (
    "mean({end}) * ({0})",
    "({0}) / sqrt(mean({end} ** 2) + 0.3)",
    "mean(({end} > 0.0291) * {end} ** 2) * ({0})",
    "minimum({0}, 2 * mean(abs({end})))",
    "({0}) * sqrt(mean(sum_in(w ** 2)) + 0.1)",
    "mean(tanh({end}) - mean({end})) + {0}",
)

ACTIVATIONS = [
    "linear",
    "relu",
    "tanh",
    "sigmoid",
    "relu(drive) - 0.1 * relu(-drive)",
    "drive / (1 + abs(drive))",
    "sqrt(drive**2 + 1.5) - 1",
    "where(drive > 0.0137, drive, 0.05 * drive)",
    "clip(drive, -0.53, 0.71)",
    "clip(0.3, -drive, 0.5 + abs(drive))",
    "minimum(drive, 0.31)",
    "maximum(drive, -0.17 * drive)",
    "exp(-drive**2) * drive",
    "drive * (drive >= 0.0219)",
    "tanh(drive) ** 3 + sign(drive) * 0.2 * drive",
    "(0.5 + drive**2) ** 0.7 - 2 ** -1",
]
# Over the population. Two neurons that tie may be ranked either way by rounding, so what reads a rank must not show
# which of them comes first.
LATERAL = [
    "relu(drive - 0.3 * sum(drive))",
    "drive / (0.4 + norm(drive))",
    "softmax(drive)",
    "tanh(drive) * softmax(-2 * drive + 0.3)",
    "drive - 0.5 * max(drive)",
    "drive - 0.2 * sum(drive * (rank(drive) < 2))",
    "drive * max(softmax(drive)) + 0.1 * sum(0.3)",
    "tanh(drive + norm(tanh(drive) + 0.2)) + 0.1 * sum(rank(drive))",
]
GATED = [
    "drive * activity_{0}",
    "tanh(drive + 0.3 * slope_{0})",
    "drive * (activity_{0} > 0.0119)",
    "relu(drive) * slope_{0} + 0.1 * activity_{0}",
]
LATERAL_GATED = ["drive - 0.2 * sum(activity_{0})", "softmax(drive + activity_{0}) * norm(slope_{0})"]
CONSTANT = ["one", "0.73", "0.2 + activity_{0}"]
TRACES = [
    "activity / sqrt(mean(activity**2) + 0.05)",
    "tanh(activity) - 0.9 * mean(activity)",
    "activity * slope + 0.1 * drive",
    "activity - 0.5 * mean(abs(drive) * slope)",
    "activity / (0.3 + norm(activity)) - 0.2 * mean(max(drive))",
    "activity * softmax(activity - mean(sum(drive))) + 0.1 * sum(slope)",
]
