"""The names that a rule may use, what they stand for, and what they depend on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import sympy

from circuitsim.errors import RuleError
from circuitsim.rules.axes import Axis
from circuitsim.rules.parse import parse

POST_NAMES = ("post", "drive_post", "slope_post")
RESERVED = re.compile(rf"(pre|w|dendrite_post|hetero|{'|'.join(POST_NAMES)}|I_.*|(sum|max)_(in|out)(_\d+)?)")


def local(name: str) -> sympy.Symbol:
    """The symbol of a name inside one rule."""
    return sympy.Symbol(name, real=True)


@dataclass(frozen=True)
class RuleVocabulary:
    """The names known to the rule of one projection.

    Args:
        projection: its name.
        post: name of its postsynaptic population.
        soma, dendrite: names of all projections onto that population, itself included, by compartment.
        parameters: what each named parameter depends on (nothing, or the synapse).
        remembered: states of both neurons (``theta_pre``, ``theta_post``) and of the synapse, and signals: what each
            depends on.
    """

    projection: str
    post: str
    soma: tuple[str, ...]
    dendrite: tuple[str, ...]
    parameters: Mapping[str, Axis]
    remembered: Mapping[str, Axis] = field(default_factory=dict)

    @property
    def axes(self) -> dict[sympy.Symbol, Axis]:
        """What each symbol depends on."""
        on_post = Axis.SAMPLE | Axis.POST
        axes = {local(name): on_post for name in POST_NAMES}
        axes |= {local(f"I_{name}"): on_post for name in self.soma + self.dendrite}
        axes |= {local("pre"): Axis.SAMPLE | Axis.PRE, local("w"): Axis.SYNAPSE}
        return axes | {local(name): kind for name, kind in {**self.remembered, **self.parameters}.items()}

    @property
    def names(self) -> dict[str, sympy.Expr]:
        """What each name stands for; the two sums of currents are spelled out."""
        names: dict[str, sympy.Expr] = {symbol.name: symbol for symbol in self.axes}
        names["dendrite_post"] = self._sum(self.dendrite)
        names["hetero"] = self._sum(self.soma + self.dendrite)
        return names

    def _sum(self, projections: Iterable[str]) -> sympy.Expr:
        return sympy.Add(*(local(f"I_{name}") for name in projections if name != self.projection))

    def parse(self, text: str, what: str = "rule") -> sympy.Expr:
        """Read the rule, or the update of a state.

        Args:
            text: the expression.
            what: which of them it is, for messages.
        Returns:
            The expression, over the symbols of `axes`.
        Raises:
            RuleError: see `circuitsim.rules.parse`; a current that does not reach the population is named so.
        """
        owner = f"projection {self.projection!r}: {what}"
        if clash := list(filter(RESERVED.fullmatch, self.parameters)):
            raise RuleError(f"{owner}: parameter {clash[0]!r} has the name of a built-in quantity; rename it")
        if clash := list(filter(RESERVED.fullmatch, self.remembered)):
            raise RuleError(f"{owner}: state or signal {clash[0]!r} has the name of a built-in quantity; rename it")
        if clash := sorted(set(self.parameters) & set(self.remembered)):
            raise RuleError(f"{owner}: {clash[0]!r} is a parameter and a state or signal; rename one")
        try:
            return parse(text, self.names, owner=owner)
        except RuleError as error:
            if error.name is None or not error.name.startswith("I_"):
                raise
            known = ", ".join(f"I_{name}" for name in self.soma + self.dendrite) or "none"
            raise RuleError(
                f"{owner} names {error.name}, which does not reach population {self.post!r} (known: {known}) "
                f"at column {error.column}",
                error.column,
                error.name,
            ) from None
