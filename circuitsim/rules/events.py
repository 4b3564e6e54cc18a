"""Spikes in expressions: what is added when a neuron spikes, and what changes at all times."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from circuitsim.errors import RuleError


def at_spikes(
    expression: sympy.Expr, spikes: Sequence[sympy.Symbol], owner: str
) -> tuple[sympy.Expr, dict[sympy.Symbol, sympy.Expr]]:
    """Split ``rest + spike * jump + ...``, where every spike is 1 at its instant and 0 at all others.

    Args:
        expression: an expression from `parse`.
        spikes: the symbols of the spikes that it may read.
        owner: the holder of the expression, which begins error messages.
    Returns:
        What does not depend on spikes, and what is added at each spike that the expression reads.
    Raises:
        RuleError: a spike is within a function, a divisor or a power, or multiplies another one.
    Example:
        >>> import sympy
        >>> from circuitsim.rules.events import at_spikes
        >>> spike_pre, spike_post, w = sympy.symbols("spike_pre spike_post w", real=True)
        >>> at_spikes(spike_pre * (1 - w) - w, [spike_pre, spike_post], "rule")
        (-w, {spike_pre: 1 - w})
    """
    read = [spike for spike in spikes if spike in expression.free_symbols]
    within = set().union(*(f.free_symbols for f in expression.atoms(sympy.Function)))
    jumps = {spike: expression.diff(spike) for spike in read if spike not in within}
    for spike in read:
        if spike in within or not jumps[spike].free_symbols.isdisjoint(spikes):
            raise RuleError(
                f"{owner}: {spike} must be a factor of whole terms, as in {spike} * (...), because it is 1 at an "
                "instant only; it cannot be within a function or a power, nor multiply another spike"
            )
    return expression.xreplace(dict.fromkeys(read, sympy.Integer(0))), jumps
