"""Faults of single populations, projections and their states, whatever the motif that they are in."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np

from circuitsim.motif.arrays import counted_are
from circuitsim.motif.checks import Faults, is_interval, is_number, is_whole, must
from circuitsim.motif.connectivity import All, Connectivity
from circuitsim.motif.expressions import NEURON_NAMES, PREVIOUS, SPIKE
from circuitsim.motif.identifiers import identifier_fault
from circuitsim.motif.init import Gaussian, Init, Uniform
from circuitsim.motif.population import SIGNS, STREAMS, GatedBy, Population, is_shape
from circuitsim.motif.projection import COMPARTMENTS, Derived, Projection, Rewiring
from circuitsim.motif.rule import Rule
from circuitsim.motif.state import State
from circuitsim.motif.synapses import Bounds
from circuitsim.rules.vocabulary import SPIKES

SOURCE = re.compile(r"target(:\w+)?")
SURROGATES = re.compile("[\ud800-\udfff]")  # halves of characters, which no file can hold
KINDS: dict[str, Any] = {
    "rule": Rule | None,
    "init": Init | None,
    "connectivity": Connectivity,
    "plastic": bool,
    "tied_to": Derived | None,
    "bounds": tuple | None,
    "rewiring": Rewiring | None,
}
KINDS_IN_WORDS = {
    field: " or ".join(kind.__name__.replace("NoneType", "None") for kind in get_args(kinds) or (kinds,))
    for field, kinds in KINDS.items()
}


def population_fields(p: Population) -> Faults:
    owner = f"population {p.name!r}: "
    shapes = "(length,), (height, width) or (channels, height, width)"
    is_source = isinstance(p.source, str) and SOURCE.fullmatch(p.source) is not None
    table = {
        "size": (is_whole(p.size, 1), "a positive integer"),
        "stream": (p.stream in STREAMS, f"one of {STREAMS}"),
        "sign": (p.sign is None or p.sign in SIGNS, f"one of {SIGNS} or None"),
        "activation": (isinstance(p.activation, str | GatedBy), "a name, an expression or GatedBy"),
        "trace": (isinstance(p.trace, str | None), "an expression or None"),
        "source": (p.source is None or is_source, "'target', 'target:<output>' or None"),
        "label": _label(p.label),
        "shape": (p.shape is None or is_shape(p.shape), shapes),
    }
    yield from must(owner, p, table)
    if p.shape is not None and is_shape(p.shape) and math.prod(p.shape) != p.size:
        yield f"{owner}shape {p.shape} has {math.prod(p.shape)} places, but size is {p.size!r}; leave out the size"
    if p.positions is not None and (p.positions.ndim != 2 or len(p.positions) != p.size):
        yield f"{owner}positions have shape {p.positions.shape}, need [neuron, dimension] with {p.size} neurons"
    elif p.positions is not None and not np.isfinite(p.positions).all():
        yield f"{owner}positions must be finite numbers, but {counted_are(~np.isfinite(p.positions))} not"
    yield from _states(owner, p.state, (SPIKE,))
    for name in filter((*NEURON_NAMES, PREVIOUS, SPIKE).__contains__, p.state):
        yield f"{owner}state {name!r} has the name of a quantity of every neuron; rename it"


def projection_fields(p: Projection) -> Faults:
    owner = f"projection {p.name!r}: "
    yield from must(owner, p, {k: (isinstance(getattr(p, k), KINDS[k]), what) for k, what in KINDS_IN_WORDS.items()})
    table = {
        "compartment": (p.compartment in COMPARTMENTS, f"one of {COMPARTMENTS}"),
        "delay": (is_whole(p.delay, 0), "a whole number of iterations, 0 or more"),
    }
    yield from must(owner, p, table)
    if is_whole(p.delay, 1) and p.compartment != "soma":
        yield f"{owner}only a projection onto the soma can have a delay (got {p.delay} and {p.compartment!r})"
    if p.tied_to is not None and (p.init is not None or p.rule is not None or p.connectivity != All()):
        yield f"{owner}its weights are tied to others, so it takes no init, rule or connectivity of its own"
    if isinstance(p.bounds, tuple) and not is_interval(p.bounds):
        yield f"{owner}bounds must be (low, high), finite with low < high, or None for no bound (got {p.bounds!r})"
    elif isinstance(p.bounds, tuple) and not _may_lie_within(p.start, p.bounds, p.connectivity):
        yield f"{owner}no weight that its init draws lies within the bounds {p.bounds} (got {p.start!r})"
    if isinstance(p.tied_to, Derived) and p.bounds is not None:
        yield f"{owner}its weights are tied to others, so it takes no bounds; give them to {p.tied_to.projection!r}"
    yield from must(owner, p, {"label": _label(p.label)})
    if isinstance(p.rewiring, Rewiring):
        every, share = p.rewiring.every_steps, p.rewiring.share
        table = {
            "every_steps": (is_whole(every, 1), "a whole number, 1 or more"),
            "share": (is_number(share) and 0 < share <= 1, "in (0, 1]"),
        }
        if not p.is_plastic:
            yield f"{owner}only a plastic projection with a rule can be rewired; its weights would say nothing"
        yield from must(f"{owner}Rewiring ", p.rewiring, table)
    if p.tied_to is not None and p.state:
        yield f"{owner}its weights are tied to others, so its synapses have no state of their own"
    yield from _states(owner, p.state, SPIKES)


def _label(label: object) -> tuple[bool, str]:
    if isinstance(label, str):
        return not SURROGATES.search(label), "a text that can be written in UTF-8"
    return label is None, "a text or None"


def _may_lie_within(init: Init, bounds: Bounds, connectivity: Connectivity) -> bool:
    """Return whether some of the weights that are drawn can lie within the bounds, to which all are clipped."""
    low, high = -np.inf, np.inf
    match init:
        case Uniform() if is_interval((init.low, init.high)) and not getattr(connectivity, "repeated", None):
            low, high = init.low, init.high
        case Gaussian(sign="positive"):
            low = 0.0
        case Gaussian(sign="negative"):
            high = 0.0
    return (bounds[1] is None or low < bounds[1]) and (bounds[0] is None or high > bounds[0])


def _states(owner: str, states: Mapping[str, State], spikes: Sequence[str]) -> Faults:
    """Yield the faults in the names, initial values and parameters of states, and in the spikes that they name."""
    for name, state in states.items():
        if fault := identifier_fault(name):
            yield f"{owner}state {name!r}: {fault}"
        if not isinstance(state.per_sample, bool):
            yield f"{owner}state {name!r}: per_sample must be True or False (got {state.per_sample!r})"
        elif fault := _kind_fault(state, spikes):
            yield f"{owner}state {name!r} {fault}"
        elif not is_number(state.start):
            yield f"{owner}state {name!r}: start must be a finite number (got {state.start!r})"
        else:
            for parameter, value in state.parameters.items():
                if fault := identifier_fault(parameter):
                    yield f"{owner}state {name!r}: parameter {parameter!r}: {fault}"
                if not is_number(value):
                    yield f"{owner}state {name!r}: parameter {parameter!r} must be a finite number (got {value!r})"


def _kind_fault(state: State, spikes: Sequence[str]) -> str | None:
    """Return what is wrong with the update of a state, or with what is added to it at spikes."""
    if state.update is not None:
        at_spikes = [
            f"{name}={value!r}" for name in ("tau_ms", "on", "add") if (value := getattr(state, name)) is not None
        ]
        return f"has an update, made at each step, so it takes no {at_spikes[0]} for spikes" if at_spikes else None
    if state.per_sample:
        return "is per sample, which takes an update at each step"
    if state.add is None:
        return 'needs an update, or the spike on which it changes, as in State(tau_ms=20, on="' + f'{spikes[0]}")'
    if state.tau_ms is not None and not (is_number(state.tau_ms) and state.tau_ms > 0):
        return f"needs a positive number of ms for tau_ms, or None for no decay (got {state.tau_ms!r})"
    if state.on is not None and state.on not in spikes:
        return f"can change on {' or '.join(spikes)} (got on={state.on!r})"
    if not (isinstance(state.add, str) or is_number(state.add)):
        return f"needs a number or an expression for add (got {state.add!r})"
    return None
