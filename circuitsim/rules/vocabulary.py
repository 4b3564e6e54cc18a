"""The names that a rule may use, what they stand for, and what they depend on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
    """

    projection: str
    post: str
    soma: tuple[str, ...]
    dendrite: tuple[str, ...]
    parameters: Mapping[str, Axis]

    @property
    def axes(self) -> dict[sympy.Symbol, Axis]:
        """What each symbol depends on."""
        on_post = Axis.SAMPLE | Axis.POST
        axes = {local(name): on_post for name in POST_NAMES}
        axes |= {local(f"I_{name}"): on_post for name in self.soma + self.dendrite}
        axes |= {local("pre"): Axis.SAMPLE | Axis.PRE, local("w"): Axis.SYNAPSE}
        return axes | {local(name): kind for name, kind in self.parameters.items()}

    @property
    def names(self) -> dict[str, sympy.Expr]:
        """What each name stands for; the two sums of currents are spelled out."""
        names: dict[str, sympy.Expr] = {symbol.name: symbol for symbol in self.axes}
        names["dendrite_post"] = self._sum(self.dendrite)
        names["hetero"] = self._sum(self.soma + self.dendrite)
        return names

    def _sum(self, projections: Iterable[str]) -> sympy.Expr:
        return sympy.Add(*(local(f"I_{name}") for name in projections if name != self.projection))

    def parse(self, text: str) -> sympy.Expr:
        """Read the rule.

        Raises:
            RuleError: see `circuitsim.rules.parse`; a current that does not reach the population is named so.
        """
        owner = f"projection {self.projection!r}: rule"
        if clash := list(filter(RESERVED.fullmatch, self.parameters)):
            raise RuleError(f"{owner}: parameter {clash[0]!r} has the name of a built-in quantity; rename it")
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
