"""What a motif holds: named lists of declared values, which the functions of this room read."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar, overload

from circuitsim.errors import MotifError
from circuitsim.motif.identifiers import normalized
from circuitsim.motif.objective import Objective
from circuitsim.motif.phase import CYCLE, Phase
from circuitsim.motif.population import Population
from circuitsim.motif.projection import Projection, check_options
from circuitsim.motif.signal import Signal

Declared = Population | Projection | Objective | Signal | Phase
KINDS: dict[str, type[Any]] = {  # in the order in which `to_json` writes them
    "populations": Population,
    "projections": Projection,
    "objectives": Objective,
    "signals": Signal,
    "phases": Phase,
}
P = ParamSpec("P")
T = TypeVar("T")
OneDeclared = TypeVar("OneDeclared", Population, Projection, Objective, Signal, Phase)


class Declarations:
    """Populations, projections, objectives, signals and phases, in order of declaration."""

    def __init__(self, name: str = "motif") -> None:
        self.name = name
        self._declared: dict[str, list[Any]] = {kind: [] for kind in KINDS}
        self._memo: dict[Any, Any] = {}  # see `memoized`

    @property
    def populations(self) -> tuple[Population, ...]:
        return tuple(self._declared["populations"])

    @property
    def projections(self) -> tuple[Projection, ...]:
        return tuple(self._declared["projections"])

    @property
    def objectives(self) -> tuple[Objective, ...]:
        return tuple(self._declared["objectives"])

    @property
    def signals(self) -> tuple[Signal, ...]:
        return tuple(self._declared["signals"])

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of a step, in order; there is at least one."""
        return tuple(self._declared["phases"]) or (CYCLE,)

    @property
    def values(self) -> tuple[Declared, ...]:
        """All declared values, grouped by kind."""
        return tuple(value for values in self._declared.values() for value in values)

    @overload
    def add(self, value: OneDeclared, /) -> OneDeclared: ...  # type: ignore[overload-overlap]  # one value is not a tuple

    @overload
    def add(self, *values: Declared) -> tuple[Any, ...]: ...

    def add(self, *values: Any) -> Any:
        """Add populations, objectives, signals, phases or projections (for the latter, `connect` reads better).

        Args:
            values: the declared values, in any order; only `validate` checks them.
        Returns:
            The value that was added, or a tuple if there are several.
        Raises:
            MotifError: a value is of another type.
        """
        self._memo.clear()
        for value in values:
            kind = next((kind for kind, of in KINDS.items() if isinstance(value, of)), None)
            if kind is None:
                known = ", ".join(of.__name__ for of in KINDS.values())
                raise MotifError(f"motif {self.name!r}: add takes one of {known} (got {value!r})")
            self._declared[kind].append(value)
        return values[0] if len(values) == 1 else values

    def connect(self, pre: str | Population, post: str | Population, *, name: str, **options: Any) -> Projection:
        """Add a projection.

        Args:
            pre, post: the presynaptic and postsynaptic populations, or their names.
            options: the other arguments of `Projection`: compartment, rule, init, connectivity, plastic, tied_to,
                bounds, state, parameters, delay, label, rewiring.
        Raises:
            MotifError: an option is unknown, or there are parameters, but the rule is not a string.
        """
        check_options(f"projection {name!r}", options)
        return self.add(Projection(name, pre, post, **options))

    def population(self, name: str) -> Population:
        """Return the population with the given name; a `MotifError` lists those that there are."""
        return self._named(population_of(self), "population", name)

    def projection(self, name: str) -> Projection:
        """Return the projection with the given name; a `MotifError` lists those that there are."""
        return self._named(projection_of(self), "projection", name)

    def _named(self, known: dict[str, Any], kind: str, name: str) -> Any:
        if isinstance(name, str) and (found := known.get(normalized(name))) is not None:
            return found
        raise MotifError(f"motif {self.name!r} has no {kind} {name!r} (known: {', '.join(known) or 'none'})")

    def __getstate__(self) -> dict[str, Any]:
        """Copy the lists, so that a copied or unpickled motif does not share them."""
        return vars(self) | {"_declared": {kind: list(values) for kind, values in self._declared.items()}, "_memo": {}}

    def __eq__(self, other: object) -> bool:
        """Compare names and declarations, but not their order, which a graph does not keep."""
        if not isinstance(other, Declarations):
            return False
        return self.name == other.name and Counter(self.values) == Counter(other.values)

    __hash__ = None  # type: ignore[assignment]  # a motif is mutable

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(values)} {kind}" for kind, values in self._declared.items() if values)
        return f"{type(self).__name__}({self.name!r}: {counts})"


def memoized(function: Callable[P, T]) -> Callable[P, T]:
    """Cache the result of a function of a motif, and of values declared in it, on the motif; `add` clears the cache."""

    @functools.wraps(function)
    def cached(*args: P.args, **kwargs: P.kwargs) -> T:
        motif: Any = args[0]  # see `Declarations`
        # by identity, since two values may wrongly share a name; they are kept alive, so that ids stay unique
        of = *args[1:], *kwargs.values()
        key = function, *(part if isinstance(part, str) else id(part) for part in of)
        if key not in motif._memo:
            motif._memo[key] = of, function(*args, **kwargs)
        return motif._memo[key][1]

    return cached


@memoized
def population_of(motif: Declarations) -> dict[str, Population]:
    """Map each name to its population, or to the first one where a name is (wrongly) declared twice."""
    return _by_name(motif.populations)


@memoized
def projection_of(motif: Declarations) -> dict[str, Projection]:
    """Map each name to its projection, in the manner of `population_of`."""
    return _by_name(motif.projections)


def _by_name(values: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for value in values:
        if isinstance(value.name, str):
            found.setdefault(value.name, value)
    return found
