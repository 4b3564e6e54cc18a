"""Faults of one projection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from circuitsim.motif import connectivity as c
from circuitsim.motif import init as i
from circuitsim.motif.checks import Faults, is_finite, is_interval, is_number, read
from circuitsim.motif.checks import shape as shape_of
from circuitsim.motif.population_faults import states_are_sound
from circuitsim.motif.projection import TARGETS, Derived, Projection
from circuitsim.motif.rule import Rule
from circuitsim.motif.vocabularies import parse_rule, parse_synapse_state

if TYPE_CHECKING:
    from circuitsim.motif.motif import Motif


_KINDS: dict[str, Any] = {
    "rule": Rule | None,
    "init": i.Init | None,
    "connectivity": c.Connectivity,
    "plastic": bool,
    "weight": Derived | None,
    "bounds": tuple | None,
}


def projection_fields(p: Projection) -> Faults:
    owner = f"projection {p.name!r}"
    for field, kinds in _KINDS.items():
        if not isinstance(getattr(p, field), kinds):
            yield f"{owner}: {field} cannot be {getattr(p, field)!r}"
    if p.target not in TARGETS:
        yield f"{owner}: target must be one of {TARGETS} (got {p.target!r})"
    if p.weight is not None and (p.init is not None or p.rule is not None or p.connectivity != c.All()):
        yield f"{owner}: its weight is derived, so it takes no init, rule or connectivity of its own"
    if isinstance(p.bounds, tuple) and not is_interval(p.bounds):
        yield f"{owner}: bounds must be (low, high) with low < high (got {p.bounds!r})"
    if p.weight is not None and p.state:
        yield f"{owner}: its weight is derived, so its synapses have no state of their own"
    yield from states_are_sound(owner, p.state)


def projection_meaning(motif: Motif, p: Projection, sound: set[str]) -> Faults:
    if {p.pre, p.post} <= sound:
        yield from _connectivity(motif, p)
        yield from _derived(motif, p, sound)
        yield from _init(motif, p)
        yield from _parameters(motif, p)
    known = {population.name for population in motif.populations}
    if {p.pre, p.post} <= known:
        yield from projection_rules(motif, p)


def projection_rules(motif: Motif, p: Projection) -> Faults:
    """What its rule and the updates of its states name that is not there, in a motif as it is wired in a phase."""
    if p.rule is not None:
        yield from read(lambda projection: parse_rule(motif, projection), p)
    for name in p.state:
        yield from read(lambda state: parse_synapse_state(motif, p, state), name)


def _connectivity(motif: Motif, p: Projection) -> Faults:
    owner, shape = f"projection {p.name!r}", shape_of(motif, p)
    match p.connectivity:
        case c.Random(probability=probability):
            if not is_number(probability) or not 0 < probability <= 1:
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
    if isinstance(source.weight, Derived):
        yield f"{owner}, which is itself derived; tie both to {source.weight.projection!r}"
    if not {source.pre, source.post} <= sound:
        return
    shape = shape_of(motif, source)
    given = shape[::-1] if p.weight.transpose else shape
    if given != shape_of(motif, p):
        turned = " transposed" if p.weight.transpose else ""
        yield f"{owner}{turned}, whose shape [post, pre] is {given}; needs {shape_of(motif, p)}"
    if not is_number(p.weight.scale):
        yield f"{owner}: scale must be a finite number (got {p.weight.scale!r})"


def _init(motif: Motif, p: Projection) -> Faults:
    owner, shape = f"projection {p.name!r}", shape_of(motif, p)
    match p.init:
        case i.Gaussian(gain=gain, scaling=scaling):
            if not is_number(gain):
                yield f"{owner}: Gaussian gain must be a finite number (got {gain!r})"
            if scaling not in ("fan_in", "fan_out"):
                yield f"{owner}: Gaussian scaling must be 'fan_in' or 'fan_out' (got {scaling!r})"
        case i.Constant(value=value) if not is_number(value):
            yield f"{owner}: Constant value must be a finite number (got {value!r})"
        case i.Uniform(low=low, high=high) if not (is_number(low) and is_number(high) and low < high):
            yield f"{owner}: Uniform needs finite low < high (got {low!r}, {high!r})"
        case i.Identity() if shape[0] != shape[1]:
            yield f"{owner}: Identity needs populations of equal size (got post {shape[0]}, pre {shape[1]})"
        case i.Given(array=array):
            if array.ndim not in (2, 3) or array.shape[-2:] != shape:
                yield f"{owner}: Given has shape {array.shape}, needs [post, pre] = {shape}"
            elif not np.isfinite(array).all():
                yield f"{owner}: Given holds {np.sum(~np.isfinite(array))} values that are not finite"


def _parameters(motif: Motif, p: Projection) -> Faults:
    for name, value in p.rule.parameters.items() if p.rule is not None else ():
        owner = f"projection {p.name!r}: rule parameter {name!r}"
        if isinstance(value, str) or not is_finite(value):
            yield f"{owner} must be finite numbers (got {value!r})"
        elif len(shape := np.shape(value)) > 2 or (len(shape) == 2 and shape != shape_of(motif, p)):
            yield f"{owner} has shape {shape}; needs a number, [replica], or [post, pre] = {shape_of(motif, p)}"
