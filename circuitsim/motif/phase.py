"""Phases divide a step into several cycles, each with its own wiring."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from circuitsim.errors import MotifError
from circuitsim.motif.identifiers import names_in, normalized, normalized_keys
from circuitsim.motif.value import Frozen, Value

APPLY = ("phase", "iteration", "step")
TIME = "time"  # a `repeat` of as many iterations as the inputs have time steps


@dataclass(frozen=True, eq=False, init=False)
class Phase(Value):
    """One cycle of a step. A motif that declares no phase has a single one, with everything wired as declared.

    Phases run in the order of declaration, and the changes of each are applied at its end. A population that nothing
    drives in a phase keeps its activity from the previous phase (0 at the start of a step). A somatic projection that
    is missing from `soma` does not drive its population in this phase; if its rule or its states act in the phase, it
    delivers its current, with its delay, to the dendrite instead. (One whose weights are tied has no rule, and so
    delivers nothing.) A dendritic projection that is listed in `soma` drives the soma in this phase.

    Args:
        name: an identifier, unique among the phases.
        soma: the names of the projections that drive the soma. A mapping also gives each a gain. None stands for
            all projections whose compartment is "soma".
        plastic: the names of the projections and populations whose weights and states change; None stands for all
            that are declared plastic.
        inputs: the names of the populations that receive their input, or their target; None stands for all.
        noise: maps populations to the standard deviation of Gaussian noise that is added to their activity.
        errors: whether objectives drive their error populations.
        repeat: how many times the cycle of the phase runs before anything changes. Each iteration begins with the
            activities that the one before left; an activation reads the population's own one as `previous`. With
            "time", inputs are sequences ``[batch, time, input]``, and iteration t reads ``x[:, t]``.
        apply: when weights and states change: "phase" at the end of the phase, by the activities of its last iteration;
            "iteration" at the end of each iteration; "step" as "phase", but all changes of weights are computed with
            the weights from the start of the step, and made together at its end.
    Raises:
        MotifError: names are not a list, noise is not a mapping, or two names are the same in NFKC.
    """

    name: str
    soma: Mapping[str, float] | None
    plastic: tuple[str, ...] | None
    inputs: tuple[str, ...] | None
    noise: Mapping[str, float]
    errors: bool
    repeat: int | str
    apply: str

    def __init__(
        self,
        name: str,
        soma: Sequence[str] | Mapping[str, float] | None = None,
        plastic: Sequence[str] | None = None,
        inputs: Sequence[str] | None = None,
        noise: Mapping[str, float] | None = None,
        errors: bool = True,
        repeat: int | str = 1,
        apply: str = "phase",
    ) -> None:
        owner = f"phase {name!r}"
        if not isinstance(noise, Mapping | None):
            raise MotifError(f'{owner}: noise must map populations to numbers, such as {{"up1": 0.1}} (got {noise!r})')
        if soma is not None and not isinstance(soma, Mapping):
            soma = dict.fromkeys(names_in(soma, owner, "soma"), 1.0)
        gains = None if soma is None else Frozen(normalized_keys(soma, f"{owner}: projections"))
        listed = {"plastic": plastic, "inputs": inputs}
        self._set(**{field: None if v is None else names_in(v, owner, field) for field, v in listed.items()})
        noise = Frozen(normalized_keys(noise or {}, f"{owner}: populations"))
        self._set(name=normalized(name), soma=gains, noise=noise, errors=errors, repeat=repeat, apply=apply)

    def gain(self, projection: str) -> float:
        """Return the factor that multiplies the soma current of a projection.

        Args:
            projection: the projection's name.
        Returns:
            The declared gain, or 1 where none is declared.
        """
        return 1.0 if self.soma is None else float(self.soma.get(projection, 1.0))

    def changes(self, name: str) -> bool:
        """Return whether weights or states may change in this phase.

        Args:
            name: the name of a projection or population.
        Returns:
            True if `plastic` contains the name or is None.
        """
        return self.plastic is None or name in self._plastic_names

    @functools.cached_property
    def _plastic_names(self) -> frozenset[str]:
        return frozenset(name for name in self.plastic or () if isinstance(name, str))


CYCLE = Phase("cycle")
