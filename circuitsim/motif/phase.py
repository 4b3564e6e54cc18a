"""Phases: a step may run several cycles, each with its own wiring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from circuitsim.motif.value import Value

if TYPE_CHECKING:
    from circuitsim.motif.motif import Motif


@dataclass(frozen=True, eq=False, init=False)
class Phase(Value):
    """One cycle of a step. Without any, a motif has one phase with everything as declared.

    Phases run in the order of declaration, and the changes of each are applied at its end. A population that nothing
    drives in a phase keeps what the phase before left (0 at the start of a step). A projection that is declared as
    "soma" and is not in `soma` does not drive in the phase (one that changes in it delivers to the dendrite); a
    dendritic one that is in `soma` drives somata in it.

    Args:
        name: an identifier, unique among the phases.
        soma: names of the projections that drive somata; None: those declared so. A mapping gives each a gain.
        plastic: names of the projections and populations whose weights and states change; None: all declared so.
        inputs: names of the input populations that get their input; None: all.
        noise: population -> standard deviation of Gaussian noise added to its activity.
        errors: whether objectives drive their error populations.
    """

    name: str
    soma: Mapping[str, float] | None
    plastic: tuple[str, ...] | None
    inputs: tuple[str, ...] | None
    noise: Mapping[str, float]
    errors: bool

    def __init__(
        self,
        name: str,
        soma: Sequence[str] | Mapping[str, float] | None = None,
        plastic: Sequence[str] | None = None,
        inputs: Sequence[str] | None = None,
        noise: Mapping[str, float] | None = None,
        errors: bool = True,
    ) -> None:
        gains = soma if soma is None or isinstance(soma, Mapping) else dict.fromkeys(soma, 1.0)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "soma", None if gains is None else MappingProxyType(dict(gains)))
        object.__setattr__(self, "plastic", None if plastic is None else tuple(plastic))
        object.__setattr__(self, "inputs", None if inputs is None else tuple(inputs))
        object.__setattr__(self, "noise", MappingProxyType(dict(noise or {})))
        object.__setattr__(self, "errors", errors)

    def gain(self, projection: str) -> float:
        """What the soma current of a projection is multiplied by.

        Args:
            projection: its name.
        Returns:
            The declared gain; 1 where none is declared.
        """
        return 1.0 if self.soma is None else float(self.soma.get(projection, 1.0))

    def changes(self, name: str) -> bool:
        """Whether weights or states of that name may change.

        Args:
            name: of a projection or population.
        Returns:
            True where the phase names it, or names none.
        """
        return self.plastic is None or name in self.plastic


CYCLE = Phase("cycle")


def in_phase(motif: Motif, phase: Phase) -> Motif:
    """The motif as it is wired in one phase."""
    if phase.soma is None:
        return motif
    view = type(motif)(motif.name)
    view.add(*motif.populations, *motif.objectives, *motif.signals)
    for p in motif.projections:
        if p.name in phase.soma:
            view.add(p.retargeted("soma"))
        elif p.target == "dendrite":
            view.add(p)
        elif p.is_plastic and phase.changes(p.name):
            view.add(p.retargeted("dendrite"))
    return view
