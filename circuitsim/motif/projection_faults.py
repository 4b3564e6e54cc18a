"""Validation of one projection."""

from __future__ import annotations

import functools
from typing import Any, get_args

import numpy as np

from circuitsim.motif import connectivity as c
from circuitsim.motif import init as i
from circuitsim.motif.arrays import counted_are, fault_of, is_frame
from circuitsim.motif.checks import Faults, is_finite, is_interval, is_number, is_whole, parse_faults
from circuitsim.motif.checks import shape as shape_of
from circuitsim.motif.declarations import Declarations, population_of, projection_of
from circuitsim.motif.declared_weights import (
    Bounds,
    bounds_of,
    ends_of,
    is_random,
    outside_fault,
    pattern_of,
    sign_faults,
    stray_fault,
)
from circuitsim.motif.expressions import parse_rule, parse_synapse_state
from circuitsim.motif.identifiers import identifier_fault
from circuitsim.motif.neuron_names import matrix_of, name_faults
from circuitsim.motif.population_faults import label_faults, states_are_sound
from circuitsim.motif.projection import COMPARTMENTS, Derived, Projection, Rewiring
from circuitsim.motif.rule import Rule
from circuitsim.motif.space import distance_faults, local_faults, probability_faults

_KINDS: dict[str, Any] = {
    "rule": Rule | None,
    "init": i.Init | None,
    "connectivity": c.Connectivity,
    "plastic": bool,
    "tied_to": Derived | None,
    "bounds": tuple | None,
    "rewiring": Rewiring | None,
}


def projection_fields(p: Projection) -> Faults:
    owner = f"projection {p.name!r}"
    for field, kinds in _KINDS.items():
        if not isinstance(getattr(p, field), kinds):
            expected = " or ".join(kind.__name__.replace("NoneType", "None") for kind in get_args(kinds) or (kinds,))
            yield f"{owner}: {field} must be {expected} (got {getattr(p, field)!r})"
    if p.compartment not in COMPARTMENTS:
        yield f"{owner}: compartment must be one of {COMPARTMENTS} (got {p.compartment!r})"
    if not (is_whole(p.delay) and p.delay >= 0):
        yield f"{owner}: delay must be a whole number of iterations, 0 or more (got {p.delay!r})"
    elif p.delay and p.compartment != "soma":
        yield f"{owner}: only a projection onto the soma can have a delay (got {p.delay} and {p.compartment!r})"
    if p.tied_to is not None and (p.init is not None or p.rule is not None or p.connectivity != c.All()):
        yield f"{owner}: its weights are tied to others, so it takes no init, rule or connectivity of its own"
    if isinstance(p.bounds, tuple) and not is_interval(p.bounds):
        yield f"{owner}: bounds must be (low, high), finite with low < high, or None for no bound (got {p.bounds!r})"
    elif isinstance(p.bounds, tuple) and not _may_lie_within(p.start, p.bounds, p.connectivity):
        yield f"{owner}: no weight that its init draws lies within the bounds {p.bounds} (got {p.start!r})"
    if isinstance(p.tied_to, Derived) and p.bounds is not None:
        yield f"{owner}: its weights are tied to others, so it takes no bounds; give them to {p.tied_to.projection!r}"
    yield from label_faults(owner, p.label)
    if isinstance(p.rewiring, Rewiring):
        yield from _rewiring(owner, p, p.rewiring)
    if p.tied_to is not None and p.state:
        yield f"{owner}: its weights are tied to others, so its synapses have no state of their own"
    yield from states_are_sound(owner, p.state)


def _may_lie_within(init: i.Init, bounds: Bounds, connectivity: c.Connectivity) -> bool:
    """Return whether some of the weights that are drawn can lie within the bounds, to which all are clipped."""
    low, high = -np.inf, np.inf
    match init:
        case i.Uniform() if is_interval((init.low, init.high)) and not getattr(connectivity, "repeated", None):
            low, high = init.low, init.high
        case i.Gaussian(sign="positive"):
            low = 0.0
        case i.Gaussian(sign="negative"):
            high = 0.0
    return (bounds[1] is None or low < bounds[1]) and (bounds[0] is None or high > bounds[0])


def _rewiring(owner: str, p: Projection, rewiring: Rewiring) -> Faults:
    if not p.is_plastic:
        yield f"{owner}: only a plastic projection with a rule can be rewired; its weights would say nothing"
    if not (is_whole(rewiring.every_steps) and rewiring.every_steps >= 1):
        yield f"{owner}: Rewiring every_steps must be a whole number, 1 or more (got {rewiring.every_steps!r})"
    if not (is_number(rewiring.share) and 0 < rewiring.share <= 1):
        yield f"{owner}: Rewiring share must be in (0, 1] (got {rewiring.share!r})"


def projection_meaning(motif: Declarations, p: Projection, sound: set[str]) -> Faults:
    if not {p.pre, p.post} <= sound:
        return
    yield from _connectivity(motif, p)
    yield from _derived(motif, p, sound)
    if not (names := list(name_faults(motif, p))):
        yield from init_faults(motif, p)
    yield from names
    if _has_sound_weights(motif, p):
        yield from sign_faults(motif, p)
    yield from _parameters(motif, p)
    if p.rule is not None or p.state:
        yield from _ambiguous_names(motif, p)
    if p.rule is not None:
        yield from parse_faults(lambda: parse_rule(motif, p))
    for name in p.state:
        yield from parse_faults(functools.partial(parse_synapse_state, motif, p, name))


def _ambiguous_names(motif: Declarations, p: Projection) -> Faults:
    """Yield the names, such as ``theta_post``, that would stand for two things in the projection's expressions."""
    owners = [(f"{name}_pre", f"state {name!r} of population {p.pre!r}") for name in motif.population(p.pre).state]
    owners += [(f"{name}_post", f"state {name!r} of population {p.post!r}") for name in motif.population(p.post).state]
    owners += [(name, f"state {name!r} of its synapses") for name in p.state]
    owners += [(signal.name, f"signal {signal.name!r}") for signal in motif.signals]
    first: dict[str, str] = {}
    for name, owner in owners:
        if (other := first.setdefault(name, owner)) != owner:
            yield f"projection {p.name!r}: {name!r} in its expressions would be {other} and {owner}; rename one"


def _connectivity(motif: Declarations, p: Projection) -> Faults:
    owner, shape = f"projection {p.name!r}", shape_of(motif, p)
    match p.connectivity:
        case c.Random(probability=np.ndarray() as probability):
            if probability.shape != shape:
                yield f"{owner}: Random probability has shape {probability.shape}, needs [post, pre] = {shape}"
            else:
                yield from probability_faults(owner, "Random", probability)
        case c.DistanceDependent() as dependence:
            yield from distance_faults(owner, p, dependence, motif.population(p.post), motif.population(p.pre))
        case c.Local() as fields:
            yield from local_faults(owner, fields, motif.population(p.post), motif.population(p.pre))
        case c.Random(probability=probability):
            if not is_number(probability) or not 0 < probability <= 1:
                yield f"{owner}: probability must be in (0, 1] (got {probability!r})"
        case c.OneToOne() if shape[0] != shape[1]:
            yield f"{owner}: OneToOne needs populations of equal size (got post {shape[0]}, pre {shape[1]})"
        case c.Mask() as mask:
            yield from _matrix(owner, mask, shape)
        case c.Edges() as edges:
            yield from _edges(owner, shape, edges)
        case c.ReciprocalOf() as reciprocal:
            yield from _turned(motif, p, reciprocal)


def _matrix(owner: str, value: c.NamedMatrix, shape: tuple[int, int]) -> Faults:
    what, found = type(value).__name__, value.array.shape
    if found[-2:] != shape or len(found) not in (2, 3):
        yield f"{owner}: {what} has shape {found}, needs [post, pre] = {shape}"
    elif fault := fault_of(what, value.array, value.post_names, value.pre_names):
        yield f"{owner}: {fault}"


def _edges(owner: str, shape: tuple[int, int], edges: c.Edges) -> Faults:
    pre, post = edges.pre, edges.post
    if edges.repeated not in (None, "sum"):
        yield f"{owner}: Edges repeated must be None or 'sum' (got {edges.repeated!r})"
    if pre.ndim != 1 or pre.shape != post.shape:
        yield f"{owner}: Edges needs pre and post of equal length (got shapes {pre.shape} and {post.shape})"
        return
    sound = True
    for end, index, size in (("pre", pre, shape[1]), ("post", post, shape[0])):
        whole = np.isfinite(index) & (index == np.floor(index))
        wrong = ~(whole & (index >= 0) & (index < size))
        if wrong.any():
            sound, k = False, int(np.argmax(wrong))
            yield (
                f"{owner}: Edges {end} must hold indices of neurons, whole numbers in 0 .. {size - 1}, but "
                f"{counted_are(wrong)} not: the first is {index[k]:g}, of synapse {k}"
            )
    if sound and edges.repeated is None:
        yield from _repeated(owner, edges, shape[1])


def _repeated(owner: str, edges: c.Edges, n_pre: int) -> Faults:
    pairs, times = np.unique(edges.numbers(n_pre), return_counts=True)
    if (times > 1).any():
        post, pre = divmod(int(pairs[times > 1][0]), n_pre)
        n = int(np.count_nonzero(times > 1))
        yield (
            f"{owner}: Edges lists {n} pair{'s' if n > 1 else ''} of neurons more than once, the first is pre {pre} -> "
            f"post {post}, {int(times[times > 1][0])} times; Edges(..., repeated='sum') adds their weights up, and a "
            "second projection keeps them apart"
        )


def _turned(motif: Declarations, p: Projection, value: c.ReciprocalOf | i.TransposeOf) -> Faults:
    """Yield the faults of what is taken over from another projection, transposed."""
    owner, name = f"projection {p.name!r}: {type(value).__name__}({value.projection!r})", value.projection
    other = projection_of(motif).get(name)
    is_mask = isinstance(value, c.ReciprocalOf)
    field, what = ("connectivity", "a connectivity") if is_mask else ("init", "initial weights")
    if other is None:
        yield f"{owner} names an unknown projection (known: {', '.join(q.name for q in motif.projections)})"
    elif other.tied_to is not None or isinstance(getattr(other, field), type(value)):
        yield f"{owner}: {name} must have {what} of its own"
    elif {other.pre, other.post} <= set(population_of(motif)) and shape_of(motif, other)[::-1] != shape_of(motif, p):
        turned = shape_of(motif, other)[::-1]
        yield f"{owner}, whose transposed shape [post, pre] is {turned}; needs {shape_of(motif, p)}"


def _derived(motif: Declarations, p: Projection, sound: set[str]) -> Faults:
    if p.tied_to is None:
        return
    owner = f"projection {p.name!r}: tied to {p.tied_to.projection!r}"
    source = projection_of(motif).get(p.tied_to.projection)
    if source is None:
        yield f"{owner}, which is unknown (known: {', '.join(q.name for q in motif.projections)})"
        return
    if isinstance(source.tied_to, Derived):
        yield f"{owner}, which is itself derived; tie both to {source.tied_to.projection!r}"
    if not {source.pre, source.post} <= sound:
        return
    shape = shape_of(motif, source)
    given = shape[::-1] if p.tied_to.transpose else shape
    if given != shape_of(motif, p):
        turned = " transposed" if p.tied_to.transpose else ""
        yield f"{owner}{turned}, whose shape [post, pre] is {given}; needs {shape_of(motif, p)}"
    if not is_number(p.tied_to.scale):
        yield f"{owner}: scale must be a finite number (got {p.tied_to.scale!r})"


def init_faults(motif: Declarations, p: Projection) -> Faults:
    """Yield the faults of the initial weights."""
    owner, shape = f"projection {p.name!r}", shape_of(motif, p)
    match p.init:
        case i.Gaussian(gain=gain, scaling=scaling, sign=sign):
            if not is_number(gain):
                yield f"{owner}: Gaussian gain must be a finite number (got {gain!r})"
            if scaling not in ("fan_in", "fan_out"):
                yield f"{owner}: Gaussian scaling must be 'fan_in' or 'fan_out' (got {scaling!r})"
            if sign not in (None, "positive", "negative"):
                yield f"{owner}: Gaussian sign must be None, 'positive' or 'negative' (got {sign!r})"
        case i.Constant(value=value):
            if not is_number(value):
                yield f"{owner}: Constant value must be a finite number (got {value!r})"
            elif fault := outside_fault("Constant lies", _added_up(motif, p, value), _bounds(motif, p)):
                yield f"{owner}: {fault}"
        case i.Uniform(low=low, high=high) if not (is_number(low) and is_number(high) and low < high):
            yield f"{owner}: Uniform needs finite low < high (got {low!r}, {high!r})"
        case i.Identity() if shape[0] != shape[1]:
            yield f"{owner}: Identity needs populations of equal size (got post {shape[0]}, pre {shape[1]})"
        case i.Identity() if _is_settled(motif, p):
            ends = ends_of(motif, p)
            for weight in (0.0, 1.0) if ends is None else np.unique(ends[0] == ends[1]):
                if fault := outside_fault("Identity lies", weight, _bounds(motif, p)):
                    yield f"{owner}: {fault}"
        case i.Given() as given:
            yield from _given(motif, p, given, shape)
        case i.TransposeOf() as transpose:
            yield from _turned(motif, p, transpose)


def _given(motif: Declarations, p: Projection, given: i.Given, shape: tuple[int, int]) -> Faults:
    owner, edges = f"projection {p.name!r}", p.connectivity
    if given.array.ndim == 1 and isinstance(edges, c.Edges):
        found = [_of_list(motif, p, given.array, edges)]
    elif wrong := list(_matrix(owner, given, shape)):
        yield from wrong
        return
    elif not _is_settled(motif, p):
        return  # the fault is reported where it is declared
    elif is_random(motif, p):
        found = [
            "Given weights belong to known synapses, but these are drawn at random; declare them with Mask, or use "
            "circuit.set_weights(name, weights * circuit.mask(name))"
        ]
    else:
        weights, present = matrix_of(motif, p, given), pattern_of(motif, p)
        n = {len(array) for array in (weights, present) if array is not None and array.ndim == 3}
        if len(n) == 2:
            yield f"{owner}: Given holds {len(weights)} replicas, but its Mask {max(n - {len(weights)})}"
            return
        found = [outside_fault("Given lies", weights, _bounds(motif, p), present)]
        found += [] if present is None else [stray_fault("Given holds weights", weights, present)]
    yield from (f"{owner}: {fault}" for fault in found if fault is not None)


def _is_settled(motif: Declarations, p: Projection) -> bool:
    """Return whether a projection's connectivity, and that of the projection it is reciprocal to, has no fault."""
    if any(_connectivity(motif, p)) or any(name_faults(motif, p)):
        return False
    return not isinstance(p.connectivity, c.ReciprocalOf) or _is_settled(
        motif, motif.projection(p.connectivity.projection)
    )


def _of_list(motif: Declarations, p: Projection, weights: np.ndarray, edges: c.Edges) -> str | None:
    if weights.shape != edges.pre.shape:
        return f"Given has {weights.size} weights, but Edges lists {edges.pre.size} synapses"
    return fault_of("Given", weights) or outside_fault("Given lies", _added_up(motif, p, weights), _bounds(motif, p))


def _added_up(motif: Declarations, p: Projection, weights: np.ndarray | float) -> np.ndarray | float:
    """Return the weights of the listed synapses, with those of one pair added up if the projection does so."""
    edges = p.connectivity
    if not isinstance(edges, c.Edges) or edges.repeated is None or not _is_settled(motif, p):
        return weights
    pairs, pair = np.unique(edges.numbers(shape_of(motif, p)[1]), return_inverse=True)
    return np.bincount(pair, np.broadcast_to(weights, pair.shape), minlength=len(pairs))


def _bounds(motif: Declarations, p: Projection) -> Bounds | None:
    return bounds_of(motif, p) if p.bounds is None or is_interval(p.bounds) else None


def _has_sound_weights(motif: Declarations, p: Projection) -> bool:
    """Return whether bounds, initial weights and tie of a projection, and of what it is tied to, have no fault."""
    if p.bounds is not None and not is_interval(p.bounds):
        return False
    if p.tied_to is None:
        return isinstance(p.init, i.Init | None) and not any(init_faults(motif, p))
    source = projection_of(motif).get(p.tied_to.projection)
    if source is None or source.tied_to is not None or not {source.pre, source.post} <= set(population_of(motif)):
        return False
    return is_number(p.tied_to.scale) and _has_sound_weights(motif, source)


def _parameters(motif: Declarations, p: Projection) -> Faults:
    for name, value in p.rule.parameters.items() if p.rule is not None else ():
        owner = f"projection {p.name!r}: rule parameter {name!r}"
        if fault := identifier_fault(name):
            yield f"{owner}: {fault}"
        if is_frame(value):
            yield f"{owner} is a data frame with names; use frame.to_numpy(), in the order of the neurons"
        elif not (isinstance(value, float | np.ndarray) and np.asarray(value).dtype == float and is_finite(value)):
            yield f"{owner} must be finite numbers (got {value!r})"
        elif len(shape := np.shape(value)) > 2 or (len(shape) == 2 and shape != shape_of(motif, p)):
            yield f"{owner} has shape {shape}; needs a number, [replica], or [post, pre] = {shape_of(motif, p)}"
