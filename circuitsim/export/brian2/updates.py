"""Updates of variables at the end of a batch, all computed from the values before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.language import total

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class Update:
    """The new value of a variable: the batch mean of `sample`, plus `rest`, clipped to `bounds`."""

    variable: str
    sample: str  # an expression that depends on the sample, or ""
    rest: Sequence[str] = ()  # expressions that do not depend on the sample
    bounds: Bounds | None = None


def run_updates(t: Blueprint, owner: str, updates: Sequence[Update], suffix: str) -> None:
    """Add the updates of one group, or of one projection's synapses, which have an effect only in the last pass of the
    phase with this suffix.

    Each expression is first assigned to a new name, because Brian2 rewrites assignments to existing variables with
    SymPy.
    """
    learns, ends = f"learns{suffix}(t)", f"ends{suffix}(t)"
    sums = {u.variable: f"{u.variable}_sum{suffix}" for u in updates}  # over samples
    for name in sums.values():
        t.parts[owner].declare(name)
    sampled = {u.variable: u.sample for u in updates if u.sample}
    code = [f"asked_{k} = where({learns}, share(t)*({sample}), 0.0)" for k, sample in sampled.items()]
    code += [f"{sums[k]} += asked_{k}" for k in sampled]
    for u in updates:
        new = total([*([sums[u.variable]] if u.sample else []), *u.rest]) or "0.0"
        code.append(f"new_{u.variable} = {clipped(new, u.bounds)}")
    code += [f"{k} = where({ends}, new_{k}, {k})" for k in sums]
    t.run(owner, *code, *(f"{sums[k]} = where({ends}, 0.0, {sums[k]})" for k in sampled))


def clipped(value: str, bounds: Bounds | None) -> str:
    """The expression of a value within bounds, if there are any."""
    low, high = ("" if bound is None else repr(float(bound)) for bound in bounds or (None, None))
    return f"clip({value}, {low or '-inf'}, {high or 'inf'})" if low or high else value


def at_once(changes: Sequence[tuple[str, str, str]]) -> list[str]:
    """The statements of changes, all computed from the values before them.

    Args:
        changes: (variable, "=" or "+=", expression).
    """
    for k, (variable, _, _) in enumerate(changes):
        if any(re.search(rf"\b{variable}\b", expression) for _, _, expression in changes[k + 1 :]):
            before = [f"value_{variable} = {expression}" for variable, _, expression in changes]
            return before + [f"{variable} {operator} value_{variable}" for variable, operator, _ in changes]
    return [f"{variable} {operator} {expression}" for variable, operator, expression in changes]
