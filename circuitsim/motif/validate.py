"""Every fault of a declaration, in one pass. Each check is a generator of messages that name the object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from circuitsim.errors import RuleError
from circuitsim.motif import connectivity as c
from circuitsim.motif import init as i
from circuitsim.motif.activation import GatedBy
from circuitsim.motif.objective import LOSSES, Objective
from circuitsim.motif.population import STREAMS, Population
from circuitsim.motif.projection import TARGETS, Derived, Projection
from circuitsim.motif.roles import is_driven, is_error, is_input, reads_drive
from circuitsim.motif.rule import Rule
from circuitsim.motif.sweep_order import find_cycle, gates_of
from circuitsim.motif.vocabularies import parse_activation, parse_trace, rule_vocabulary

if TYPE_CHECKING:
    from circuitsim.motif.motif import Motif

Faults = Iterator[str]


def faults(motif: Motif) -> list[str]:
    """All faults of the motif; empty if it is sound. What refers to a faulty object is not checked against it."""
    found = list(_references(motif))
    if found:
        return found  # nothing can be looked up by a name that is not a string
    found = [*_name_faults("population", motif.populations), *_name_faults("projection", motif.projections)]
    if not motif.populations:
        found.append(f"motif {motif.name!r} has no population; add one with motif.add(Population(name, size))")
    sound: set[str] = set()
    for population in motif.populations:
        wrong = list(_population_fields(population))
        found += wrong
        if not wrong:
            sound.add(population.name)
    found += _endpoints(motif)
    for population in motif.populations:
        if population.name in sound:
            found += _population_meaning(motif, population, sound)
    for projection in motif.projections:
        wrong = list(_projection_fields(projection))
        found += wrong or _projection_meaning(motif, projection, sound)
    found += _objectives(motif, sound)
    found += _whole(motif)
    return found


def _references(motif: Motif) -> Faults:
    for kind, values, names in (
        ("population", motif.populations, ("name",)),
        ("projection", motif.projections, ("name", "pre", "post")),
        ("objective", motif.objectives, ("output", "error", "loss")),
    ):
        for value in values:
            for field in names:
                if not isinstance(getattr(value, field), str):
                    yield f"{kind}: {field} must be a string (got {getattr(value, field)!r})"


def _whole(motif: Motif) -> Faults:
    cycle = find_cycle(motif)
    if cycle:
        yield f"motif {motif.name!r}: soma projections, gates and objectives form a cycle: {cycle}"
    if motif.populations and not any(is_input(motif, p) for p in motif.populations):
        yield f"motif {motif.name!r} has no input: an ascending population with no soma projection onto it"


def _name_faults(kind: str, values: tuple[Any, ...]) -> Faults:
    for name, count in Counter(value.name for value in values).items():
        if count > 1:
            yield f"{kind} {name!r}: duplicate name, declared {count} times"
    for value in values:
        if not value.name.isidentifier():
            yield f"{kind} {value.name!r}: a name must be an identifier (letters, digits, _), since rules use it"


def _population_fields(p: Population) -> Faults:
    owner = f"population {p.name!r}"
    if not _is_whole(p.size) or p.size < 1:
        yield f"{owner}: size must be a positive integer (got {p.size!r})"
    if p.stream not in STREAMS:
        yield f"{owner}: stream must be one of {STREAMS} (got {p.stream!r})"
    if not isinstance(p.activation, str | GatedBy):
        yield f"{owner}: activation must be a name, an expression or GatedBy (got {p.activation!r})"
    if not isinstance(p.trace, str | None):
        yield f"{owner}: trace must be an expression or None (got {p.trace!r})"


def _projection_fields(p: Projection) -> Faults:
    owner = f"projection {p.name!r}"
    for field, kinds in _KINDS.items():
        if not isinstance(getattr(p, field), kinds):
            yield f"{owner}: {field} cannot be {getattr(p, field)!r}"
    if p.target not in TARGETS:
        yield f"{owner}: target must be one of {TARGETS} (got {p.target!r})"
    if p.weight is not None and (p.init is not None or p.rule is not None or p.connectivity != c.All()):
        yield f"{owner}: its weight is derived, so it takes no init, rule or connectivity of its own"
    if isinstance(p.bounds, tuple) and not _is_interval(p.bounds):
        yield f"{owner}: bounds must be (low, high) with low < high (got {p.bounds!r})"


_KINDS: dict[str, Any] = {
    "rule": Rule | None,
    "init": i.Init | None,
    "connectivity": c.Connectivity,
    "plastic": bool,
    "weight": Derived | None,
    "bounds": tuple | None,
}


def _endpoints(motif: Motif) -> Faults:
    known = [p.name for p in motif.populations]
    ends = [(f"projection {p.name!r}", end, getattr(p, end)) for p in motif.projections for end in ("pre", "post")]
    ends += [(_title(o), end, getattr(o, end)) for o in motif.objectives for end in ("output", "error")]
    ends += [(f"population {p.name!r}", "gate", gate) for p in motif.populations for gate in gates_of(p)]
    for owner, end, name in ends:
        if name not in known:
            yield f"{owner}: {end} names unknown population {name!r} (known: {', '.join(map(str, known))})"


# -- what refers to something else


def _population_meaning(motif: Motif, population: Population, sound: set[str]) -> Faults:
    yield from _read(parse_activation, population)
    yield from _read(parse_trace, population)
    yield from _gates(motif, population, sound)
    yield from _drive(motif, population)


def _projection_meaning(motif: Motif, p: Projection, sound: set[str]) -> Faults:
    if {p.pre, p.post} <= sound:
        yield from _connectivity(motif, p)
        yield from _derived(motif, p, sound)
        yield from _init(motif, p)
        yield from _parameters(motif, p)
    if p.rule is not None:
        yield from _read(lambda text: rule_vocabulary(motif, p).parse(text), p.rule.expression)


def _gates(motif: Motif, population: Population, sound: set[str]) -> Faults:
    for gate in sound.intersection(gates_of(population)):
        if motif.population(gate).size != population.size:
            yield (
                f"population {population.name!r} of size {population.size}: gated by {gate!r} of size "
                f"{motif.population(gate).size}; the sizes must be equal"
            )


def _connectivity(motif: Motif, p: Projection) -> Faults:
    owner, shape = f"projection {p.name!r}", _shape(motif, p)
    match p.connectivity:
        case c.Random(probability=probability):
            if not _is_number(probability) or not 0 < probability <= 1:
                yield f"{owner}: probability must be in (0, 1] (got {probability!r})"
        case c.OneToOne() if shape[0] != shape[1]:
            yield f"{owner}: OneToOne needs populations of equal size (got post {shape[0]}, pre {shape[1]})"
        case c.Mask(array=array) if array.shape != shape:
            yield f"{owner}: Mask has shape {array.shape}, needs [post, pre] = {shape}"
        case c.Edges(pre=pre, post=post):
            yield from _edges(owner, shape, pre, post)
        case c.ReciprocalOf(projection=name):
            yield from _reciprocal(motif, p, name)


def _edges(owner: str, shape: tuple[int, int], pre: np.ndarray, post: np.ndarray) -> Faults:
    if pre.ndim != 1 or pre.shape != post.shape:
        yield f"{owner}: Edges needs pre and post of equal length (got shapes {pre.shape} and {post.shape})"
        return
    for end, index, size in (("pre", pre, shape[1]), ("post", post, shape[0])):
        if not (np.isfinite(index).all() and (index == np.floor(index)).all()):
            yield f"{owner}: Edges {end} indices must be whole numbers"
        elif index.size and (index.min() < 0 or index.max() >= size):
            yield f"{owner}: Edges {end} indices run from {index.min():g} to {index.max():g}; size is {size}"


def _reciprocal(motif: Motif, p: Projection, name: str) -> Faults:
    owner = f"projection {p.name!r}: ReciprocalOf({name!r})"
    other = next((q for q in motif.projections if q.name == name), None)
    if other is None:
        yield f"{owner} names an unknown projection (known: {', '.join(q.name for q in motif.projections)})"
    elif (other.pre, other.post) != (p.post, p.pre):
        yield f"{owner} needs a projection {p.post} -> {p.pre}, but {name} runs {other.pre} -> {other.post}"
    elif isinstance(other.connectivity, c.ReciprocalOf) or other.weight is not None:
        yield f"{owner}: {name} must have a connectivity of its own"


def _derived(motif: Motif, p: Projection, sound: set[str]) -> Faults:
    if p.weight is None:
        return
    owner = f"projection {p.name!r}: tied to {p.weight.projection!r}"
    source = next((q for q in motif.projections if q.name == p.weight.projection), None)
    if source is None:
        yield f"{owner}, which is unknown (known: {', '.join(q.name for q in motif.projections)})"
        return
    if source.weight is not None:
        yield f"{owner}, which is itself derived; tie both to {source.weight.projection!r}"
    if not {source.pre, source.post} <= sound:
        return
    shape = _shape(motif, source)
    given = shape[::-1] if p.weight.transpose else shape
    if given != _shape(motif, p):
        turned = " transposed" if p.weight.transpose else ""
        yield f"{owner}{turned}, whose shape [post, pre] is {given}; needs {_shape(motif, p)}"
    if not _is_number(p.weight.scale):
        yield f"{owner}: scale must be a finite number (got {p.weight.scale!r})"


def _init(motif: Motif, p: Projection) -> Faults:
    owner, shape = f"projection {p.name!r}", _shape(motif, p)
    match p.init:
        case i.Gaussian(gain=gain, scaling=scaling):
            if not _is_number(gain):
                yield f"{owner}: Gaussian gain must be a finite number (got {gain!r})"
            if scaling not in ("fan_in", "fan_out"):
                yield f"{owner}: Gaussian scaling must be 'fan_in' or 'fan_out' (got {scaling!r})"
        case i.Constant(value=value) if not _is_number(value):
            yield f"{owner}: Constant value must be a finite number (got {value!r})"
        case i.Uniform(low=low, high=high) if not (_is_number(low) and _is_number(high) and low < high):
            yield f"{owner}: Uniform needs finite low < high (got {low!r}, {high!r})"
        case i.Identity() if shape[0] != shape[1]:
            yield f"{owner}: Identity needs populations of equal size (got post {shape[0]}, pre {shape[1]})"
        case i.Given(array=array):
            if array.ndim not in (2, 3) or array.shape[-2:] != shape:
                yield f"{owner}: Given has shape {array.shape}, needs [post, pre] = {shape}"
            elif not np.isfinite(array).all():
                yield f"{owner}: Given holds {np.sum(~np.isfinite(array))} values that are not finite"


def _drive(motif: Motif, p: Population) -> Faults:
    driven, error = is_driven(motif, p), is_error(motif, p)
    if p.stream == "descending" and reads_drive(p) and not (driven or error):
        yield (
            f"population {p.name!r}: nothing drives it; a descending population needs a soma projection onto it "
            "or an Objective whose error it is"
        )
    if driven and error:
        yield f"population {p.name!r}: an error population is driven by its objective alone; remove the soma projection"


def _parameters(motif: Motif, p: Projection) -> Faults:
    for name, value in p.rule.parameters.items() if p.rule is not None else ():
        owner = f"projection {p.name!r}: rule parameter {name!r}"
        if isinstance(value, str) or not _is_finite(value):
            yield f"{owner} must be finite numbers (got {value!r})"
        elif len(shape := np.shape(value)) > 2 or (len(shape) == 2 and shape != _shape(motif, p)):
            yield f"{owner} has shape {shape}; needs a number, [replica], or [post, pre] = {_shape(motif, p)}"


def _objectives(motif: Motif, sound: set[str]) -> Faults:
    for error, count in Counter(o.error for o in motif.objectives).items():
        if count > 1:
            yield f"population {error!r} is the error of {count} objectives; give each its own"
    for o in motif.objectives:
        if o.loss not in LOSSES:
            yield f"{_title(o)}: loss must be one of {LOSSES} (got {o.loss!r})"
        if {o.output, o.error} <= sound:
            yield from _objective_sizes(motif, o)


def _objective_sizes(motif: Motif, o: Objective) -> Faults:
    output, error = motif.population(o.output), motif.population(o.error)
    if output.size != error.size:
        yield f"{_title(o)}: output size {output.size} is not error size {error.size}"
    if o.loss == "cross_entropy" and output.size < 2:
        yield f"{_title(o)}: cross_entropy needs at least 2 outputs (got {output.size})"
    if error.stream != "descending":
        yield f"{_title(o)}: error population must be of the descending stream (got {error.stream!r})"


# -- helpers


def _read(parser: Callable[[Any], Any], value: Any) -> Faults:
    try:
        parser(value)
    except RuleError as error:
        yield str(error)


def _title(objective: Objective) -> str:
    return f"objective {objective.output!r} -> {objective.error!r}"


def _shape(motif: Motif, p: Projection) -> tuple[int, int]:
    return motif.population(p.post).size, motif.population(p.pre).size


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))


def _is_finite(value: Any) -> bool:
    try:
        return bool(np.isfinite(np.asarray(value, dtype=float)).all())
    except (TypeError, ValueError):
        return False


def _is_interval(bounds: tuple[Any, ...]) -> bool:
    if len(bounds) != 2 or not all(b is None or _is_number(b) for b in bounds):
        return False
    low, high = bounds
    return low is None or high is None or low < high
