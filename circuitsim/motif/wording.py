"""Descriptions of declared values in words, for the tables of a paper."""

from __future__ import annotations

from typing import Any

import numpy as np

from circuitsim.motif.connectivity import Connectivity, DistanceDependent, Edges, Local, Mask, Random, ReciprocalOf
from circuitsim.motif.init import Constant, Gaussian, Given, Init, TransposeOf, Uniform
from circuitsim.motif.population import Population
from circuitsim.motif.projection import Derived, Projection, Rewiring
from circuitsim.motif.synapses import Bounds


def title(value: Population | Projection) -> str:
    """Return the label with the name, which rules and other tables use, in parentheses; or the name alone."""
    return value.name if value.label is None else f"{value.label} ({value.name})"


def bounds(interval: Bounds | None) -> str:
    """Describe the interval to which weights are clipped; empty if there is none."""
    if interval is None:
        return ""
    low, high = interval
    return f"; kept in [{'-inf' if low is None else f'{low:g}'}, {'inf' if high is None else f'{high:g}'}]"


def number(value: Any) -> str:
    """Describe a parameter of a rule as text."""
    if not isinstance(value, np.ndarray):
        return f"{value:g}"
    each = "replica" if value.ndim == 1 else "synapse"
    return f"{value.min():g} to {value.max():g}, one for each {each}"


def latex_number(value: Any) -> str:
    """Describe a parameter of a rule in LaTeX."""
    if not isinstance(value, np.ndarray):
        mantissa, _, exponent = f"{value:g}".partition("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
    each = "replica" if value.ndim == 1 else "synapse"
    ends = rf"{latex_number(value.min())} \ldots {latex_number(value.max())}"
    return rf"{ends}\ \mathrm{{(one\ for\ each\ {each})}}"


def pattern(connectivity: Connectivity, named: bool = True) -> str:
    """Describe a connectivity pattern; `named` adds its numbers and names."""
    match connectivity:
        case Random(probability=np.ndarray() as p):
            return f"random, p = {p.min():g} to {p.max():g}, one for each pair" if named else "random"
        case DistanceDependent(probability=p):
            return f"random, p = {p} at distance d" if named else "random"
        case Local(radius=radius, stride=stride):
            return f"local, radius {radius:g}, stride {stride:g}" if named else "local"
        case Random(probability=p):
            return f"random, p = {p:g}" if named else "random"
        case ReciprocalOf(projection=other):
            return f"reciprocal of {other}" if named else "reciprocal"
        case Edges(pre=pre, post=post):
            n = len(set(zip(post.tolist(), pre.tolist(), strict=True)))
            return f"listed, {count(n, 'synapse')}" if named else "listed"
        case Mask(array=array) if array.ndim == 3:
            return f"listed for each of {len(array)} replicas" if named else "listed"
        case Mask(array=array):
            return f"listed, {count(int(np.count_nonzero(array)), 'synapse')}" if named else "listed"
    return {"All": "all to all", "OneToOne": "one to one"}[type(connectivity).__name__]


def start(init: Init) -> str:
    """Describe the distribution of the initial weights."""
    match init:
        case Gaussian(gain=gain, scaling=scaling, sign=sign):
            kind = "normal, mean 0, standard deviation" if sign is None else f"half-normal, {sign}, scale"
            return f"{kind} {abs(gain):g} / sqrt({scaling.replace('_', '-')})"
        case Uniform(low=low, high=high):
            return f"uniform in [{low:g}, {high:g})"
        case Constant(value=value):
            return f"{value:g}"
        case Given():
            return "given"
        case TransposeOf(projection=other):
            return f"{other} transposed"
    return "identity"


def rewired(rewiring: Rewiring) -> str:
    """Describe how synapses are replaced."""
    when = "every step" if rewiring.every_steps == 1 else f"every {rewiring.every_steps} steps"
    return f"{when}, the weakest {rewiring.share:.3g} of the synapses go, and as many grow at random"


def tied(tie: Derived) -> str:
    """Describe the weights that tied weights are equal to."""
    source = f"sign({tie.projection})" if tie.sign else tie.projection
    turned = f"{source} transposed" if tie.transpose else source
    return turned if tie.scale == 1 else f"{tie.scale:g} times {turned}"


def count(n: int, what: str) -> str:
    """Return a count with its noun, such as ``1 neuron`` or ``2 neurons``."""
    return f"{n} {what}{'' if n == 1 else 's'}"
