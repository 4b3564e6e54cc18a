"""The names that a rule may use, with their symbols and axes, and what spikes do in an expression."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from circuitsim.errors import RuleError
from circuitsim.rules.axes import Axis, axes_of
from circuitsim.rules.functions import mean
from circuitsim.rules.parser import parse

PRE_NAMES = ("pre", "activity_pre", "drive_pre", "slope_pre", "spike_pre")
POST_NAMES = ("post", "activity_post", "drive_post", "slope_post", "spike_post")
SPIKES = ("spike_pre", "spike_post")  # 1 at a spike; only spiking networks have them
BATCH_SIZE = "batch_size"  # the number of samples of a step
SUMS = ("dendrite_post", "hetero")  # sums of currents, which depend on the wiring
RESERVED = re.compile(
    rf"(w|{BATCH_SIZE}|{'|'.join(PRE_NAMES + POST_NAMES + SUMS)}|I_.*|((sum|max)_(in|out)|mean)(_\d+)?)"
)


@functools.cache
def local(name: str) -> sympy.Symbol:
    """Return the symbol for a name inside one rule."""
    return sympy.Symbol(name, real=True)


def sums_of_currents(projection: str, soma: Sequence[str], dendrite: Sequence[str]) -> dict[sympy.Symbol, sympy.Expr]:
    """Return the sums of the currents of other projections that `dendrite_post` and `hetero` stand for in a rule.

    `soma` and `dendrite` are all projections onto each compartment of its postsynaptic population.
    """

    def total(names: Sequence[str]) -> sympy.Expr:
        return sympy.Add(*(local(f"I_{name}") for name in names if name != projection))

    return {local("dendrite_post"): total(dendrite), local("hetero"): total((*soma, *dendrite))}


@dataclass(frozen=True)
class RuleVocabulary:
    """The names that the rule of one projection may use.

    Args:
        projection: the name of the projection.
        post: the name of its postsynaptic population.
        soma, dendrite: the names of all projections onto each compartment of that population, including this one.
        parameters: the axes of each parameter (none, or the synapse).
        remembered: the axes of the states of both neurons (``theta_pre``, ``theta_post``), the states of the
            synapse, and the signals.
    """

    projection: str
    post: str
    soma: tuple[str, ...]
    dendrite: tuple[str, ...]
    parameters: Mapping[str, Axis]
    remembered: Mapping[str, Axis] = field(default_factory=dict)

    @property
    def axes(self) -> dict[sympy.Symbol, Axis]:
        """The axes of each symbol."""
        on_post = Axis.SAMPLE | Axis.POST
        axes = {local(name): on_post for name in POST_NAMES + SUMS}
        axes |= {local(f"I_{name}"): on_post for name in self.soma + self.dendrite}
        axes |= {local(name): Axis.SAMPLE | Axis.PRE for name in PRE_NAMES}
        axes |= {local("w"): Axis.SYNAPSE, local(BATCH_SIZE): Axis.NONE}
        return axes | {local(name): kind for name, kind in {**self.remembered, **self.parameters}.items()}

    @property
    def names(self) -> dict[str, sympy.Expr]:
        """The symbol for each name."""
        return {symbol.name: symbol for symbol in self.axes}

    def parse(self, text: str, what: str = "rule") -> sympy.Expr:
        """Parse the rule, or the update of a state.

        Args:
            text: the expression.
            what: "rule", or the name of the state, for error messages.
        Returns:
            The expression, in the symbols of `axes`.
        Raises:
            RuleError: as in `circuitsim.rules.parse`, or a name is taken, or a current does not reach the
                population.
        """
        owner = f"projection {self.projection!r}: {what}"
        if clash := list(filter(RESERVED.fullmatch, self.parameters)):
            raise RuleError(f"{owner}: parameter {clash[0]!r} has the name of a built-in quantity; rename it")
        if clash := list(filter(RESERVED.fullmatch, self.remembered)):
            raise RuleError(f"{owner}: state or signal {clash[0]!r} has the name of a built-in quantity; rename it")
        if clash := sorted(set(self.parameters) & set(self.remembered)):
            raise RuleError(f"{owner}: {clash[0]!r} is a parameter and a state or signal; rename one")
        try:
            expression = parse(text, self.names, owner=owner)
        except RuleError as error:
            if error.name is None:
                raise
            if not error.name.startswith("I_"):
                hint = f"; if it is a parameter, give it a value, as in Rule(..., {error.name}=0.1)"
                found = str(error) if "did you mean" in str(error) else f"{error}{hint}"
                raise RuleError(found, error.column, error.name) from None
            known = ", ".join(f"I_{name}" for name in self.soma + self.dendrite) or "none"
            raise RuleError(
                f"{owner} names {error.name}, which does not reach population {self.post!r} (known: {known}) "
                f"at column {error.column}",
                error.column,
                error.name,
            ) from None
        for found in expression.atoms(mean):
            (body,) = found.args
            if Axis.SYNAPSE in axes_of(body, self.axes):
                raise RuleError(
                    f"{owner}: mean({body}) depends on both ends of a synapse; mean(...) takes quantities of the "
                    f"presynaptic neurons, or of the postsynaptic neurons"
                )
        return expression


def at_spikes(
    expression: sympy.Expr, spikes: Sequence[sympy.Symbol], owner: str
) -> tuple[sympy.Expr, dict[sympy.Symbol, sympy.Expr]]:
    """Split ``rest + spike * jump + ...``, where every spike is 1 at its instant and 0 at all others, into the rest and
    the jump at each spike that the expression reads.

    Raises:
        RuleError: a spike is within a function, a divisor or a power, or multiplies another one.
    Example:
        >>> import sympy
        >>> from circuitsim.rules.vocabulary import at_spikes
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
