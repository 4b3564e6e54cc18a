"""Updates of variables at the end of a batch, all computed from the values before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from circuitsim.export.brian2.language import total

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class Update:
    """The new value of a variable: the batch mean of `sample`, plus `rest`, clipped to `bounds`.

    Args:
        variable: the variable that changes.
        sum: the variable that sums over samples.
        sample: an expression that depends on the sample, or "".
        rest: expressions that do not depend on the sample.
        bounds: lower and upper bounds of the new value.
    """

    variable: str
    sum: str
    sample: str
    rest: Sequence[str]
    bounds: Bounds = (None, None)

    def new(self) -> str:
        """The expression of the new value."""
        return clipped(total([*([self.sum] if self.sample else []), *self.rest]) or "0.0", self.bounds)


def clipped(value: str, bounds: Bounds) -> str:
    """The expression of a value within bounds."""
    low, high = ("" if bound is None else repr(float(bound)) for bound in bounds)
    return f"clip({value}, {low or '-inf'}, {high or 'inf'})" if low or high else value


def statements(updates: Sequence[Update], suffix: str) -> list[str]:
    """The statements of updates, which have an effect only in the last pass of a phase.

    Each expression is first assigned to a new name, because Brian2 rewrites assignments to existing variables with
    SymPy.

    Args:
        updates: the updates of one group, or of one projection's synapses.
        suffix: the phase's suffix.
    """
    learns, ends = f"learns{suffix}(t)", f"ends{suffix}(t)"
    sampled = [u for u in updates if u.sample]
    code = [f"asked_{u.variable} = where({learns}, share(t)*({u.sample}), 0.0)" for u in sampled]
    code += [f"{u.sum} += asked_{u.variable}" for u in sampled]
    code += [f"new_{u.variable} = {u.new()}" for u in updates]
    code += [f"{u.variable} = where({ends}, new_{u.variable}, {u.variable})" for u in updates]
    return code + [f"{u.sum} = where({ends}, 0.0, {u.sum})" for u in sampled]


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
