"""Tables that describe a circuit in a paper, following the template of Nordlie, Gewaltig & Plesser (2009)."""

from __future__ import annotations

import dataclasses
import string
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import sympy

from circuitsim.motif.connectivity import Connectivity, DistanceDependent, Edges, Local, Mask, Random, ReciprocalOf
from circuitsim.motif.declarations import Declarations
from circuitsim.motif.expressions import Expressions, expressions_of, has_spikes
from circuitsim.motif.formula import Cell, Formula, Table, latex_of, name_in_math
from circuitsim.motif.init import Constant, Gaussian, Given, Init, TransposeOf, Uniform
from circuitsim.motif.phase import TIME, Phase
from circuitsim.motif.population import GatedBy, Population, activation_expression
from circuitsim.motif.projection import Derived, Projection, Rewiring
from circuitsim.motif.state import State
from circuitsim.motif.synapses import Bounds, bounds_of, signed
from circuitsim.motif.wiring import inputs_of, labels_of

Row = tuple[Cell, ...]

NOTATION = (
    r"$a_j$, $a_i$: activity of the presynaptic and the postsynaptic neuron (or its trace, where one is given); "
    r"$w_{ij}$: weight from neuron $j$ to neuron $i$; $d_i$: summed soma current; "
    r"$\varphi'_i$: slope of the activation; $I_i^{\mathrm{P}}$: current of projection P; "
    r"$D_i$, $H_i$: summed currents of the other projections onto the dendrite, and onto both compartments; "
    r"$[\,\cdot\,]$: 1 where it holds, else 0; $\langle\,\cdot\,\rangle$: mean over batch and population; "
    r"$S_j$, $S_i$: spikes of the presynaptic and the postsynaptic neuron, each a delta function."
)
WHEN = {"phase": "", "iteration": ", after each iteration", "step": ", at the end of the step"}  # a phase applies
LOSSES = {
    "cross_entropy": Formula("-log softmax(y)[target]", r"-\log\,\mathrm{softmax}(y)_{\mathrm{target}}"),
    "mse": Formula("|y - target|^2 / 2", r"\left|y - \mathrm{target}\right|^2 / 2"),
    "bce": Formula(
        "sum(log(1 + exp(y)) - target * y)", r"\sum_k \log\left(1 + \exp y_k\right) - \mathrm{target}_k y_k"
    ),
}


def tables_of(motif: Declarations) -> list[Table]:
    """Return the tables that apply to a valid motif."""
    known = expressions_of(motif)
    spikes = has_spikes(motif)
    change = "Change of a weight" if spikes else "Change in a step"
    losses = [(o.output, [LOSSES[o.loss]]) for o in motif.objectives]
    tables = [
        Table("Model summary", {"Aspect": 0.2, "Description": 0.7}, _summary(motif, spikes)),
        Table("Populations", {"Name": 0.25, "Stream": 0.2, "Neurons": 0.15, "Activation": 0.25}, _populations(motif)),
        Table(
            "Connectivity",
            {"Name": 0.1, "Source": 0.1, "Target": 0.1, "Compartment": 0.14, "Pattern": 0.18, "Initial weights": 0.18},
            [_connection(motif, p) for p in motif.projections],
        ),
        Table(
            "Neuron and synapse model",
            {"Of": 0.2, "Equation": 0.45, "Parameters": 0.2},
            _equations(motif, known, spikes),
            NOTATION,
        ),
        Table("Plasticity", {"Projections": 0.2, change: 0.45, "Parameters": 0.2}, _plasticity(motif, known, spikes)),
        Table("Input", {"Name": 0.2, "Description": 0.7}, _input(motif, spikes)),
        Table("Phases of a step", {"Name": 0.15, "Drive": 0.3, "Change": 0.2, "Noise and errors": 0.2}, _phases(motif)),
        Table("Measurements", {"Of": 0.2, "Description": 0.7}, losses),
    ]
    kept = [table for table in tables if table.rows]
    return [
        dataclasses.replace(table, title=f"{letter}: {table.title}")
        for letter, table in zip(string.ascii_uppercase, kept, strict=False)
    ]


# -- contents of the tables


def _summary(motif: Declarations, spikes: bool) -> list[Row]:
    streams = ", ".join(f"{n} {stream}" for stream, n in Counter(p.stream for p in motif.populations).items())
    n_neurons, n_plastic = sum(p.size for p in motif.populations), sum(p.is_plastic for p in motif.projections)
    places = [
        f"{p.name}: map of {' x '.join(map(str, p.shape or ()))}"
        if p.positions is None
        else f"{p.name}: positions in {count(p.positions.shape[1], 'dimension')}"
        for p in motif.populations
        if p.coordinates is not None
    ]
    patterns = dict.fromkeys(pattern(p.connectivity, named=False) for p in motif.projections)
    if spikes:
        model = "Spiking neurons, with the equations of the network that cs.export_brian2 makes"
        synapse = (
            "A presynaptic spike adds to a current, onto the soma (drives the neuron) or the dendrite (read by rules)"
        )
        learning = "terms with spike_pre or spike_post (S in equations) act at spikes, others all the time"
    else:
        model = "Rate neurons: the activity is a function of the summed soma currents, once a cycle"
        synapse = (
            "Current = weight times activity, onto the soma (drives activity) or the dendrite (read by plasticity)"
        )
        learning = "every weight changes by the batch mean of its rule, evaluated in the state before the step"
    return [
        ("Populations", f"{count(len(motif.populations), 'population')} ({streams}), {count(n_neurons, 'neuron')}"),
        ("Topology", ", ".join(places) or "None"),
        ("Connectivity", f"{count(len(motif.projections), 'projection')}: {', '.join(patterns) or 'none'}"),
        ("Neuron model", model),
        ("Synapse model", synapse),
        ("Plasticity", f"{count(n_plastic, 'plastic projection')}; {learning}" if n_plastic else "None"),
        ("Input", ", ".join(p.name for p in motif.populations if p.name in inputs_of(motif)) or "None"),
        (
            "Measurements",
            ", ".join(f"loss at {o.output}" for o in motif.objectives)
            or ("Spikes" if spikes else "Activities") + " and weights",
        ),
    ]


def _populations(motif: Declarations) -> list[Row]:
    rows: list[Row] = []
    for p in motif.populations:
        activation = "always 1" if p.activation == "one" else p.activation
        if isinstance(activation, GatedBy):
            activation = f"linear, gated by the slope of {activation.population}"
        neurons = str(p.size) if p.shape is None else f"{p.size} ({' x '.join(map(str, p.shape))})"
        rows.append((title(p), p.stream if p.sign is None else f"{p.stream}, {p.sign}", neurons, activation))
    return rows


def _connection(motif: Declarations, p: Projection) -> Row:
    weights = tied(p.tied_to) if p.tied_to is not None else start(signed(motif, p, p.start))
    compartment = f"{p.compartment}, {p.delay} iterations late" if p.delay else p.compartment
    return title(p), p.pre, p.post, compartment, pattern(p.connectivity), weights + bounds(bounds_of(motif, p))


def _equations(motif: Declarations, known: Expressions, spikes: bool) -> list[Row]:
    """The equations of neurons, of the states of synapses, and of the signals that the circuit computes."""
    own = {p.name: frozenset(p.state) for p in motif.populations}
    rows: list[Row] = []
    neurons: list[tuple[str, Row]] = []
    if not spikes:
        current = Formula("I = sum(w * pre)", r"I_i = \sum_j w_{ij} a_j")
        drive = Formula("drive = sum of the I onto the soma", r"d_i = \sum_{\mathrm{soma}} I_i")
        rows += [("every projection", current, ""), ("every population that is not an input", drive, "")]
        for p in motif.populations:
            latex = f"a_i = {latex_of(known.activation[p.name], own[p.name])}"
            neurons.append((p.name, (Formula(f"activity = {activation_expression(p.activation)}", latex), "")))
    for p in motif.populations:
        if p.trace is not None:
            latex = rf"\mathrm{{trace}}_i = {latex_of(known.trace[p.name], own[p.name])}"
            neurons.append((p.name, (Formula(f"trace = {p.trace}", latex), "")))
    for p in motif.populations:
        for name, state in p.state.items():
            neurons.append((p.name, _update(name, state, known.neuron_state[p.name, name], own[p.name], frozenset())))
    synapses = [
        (q.name, _update(name, state, known.synapse_state[q.name, name], own[q.pre] | own[q.post], frozenset(q.state)))
        for q in motif.projections
        for name, state in q.state.items()
    ]
    rows += _grouped(neurons) + _grouped(synapses)
    for s in motif.signals:
        if not s.is_given:
            latex = f"{name_in_math(s.name)} = {latex_of(known.signal[s.name])}"
            rows.append(("every rule", Formula(f"{s.name} = {s.expression}", latex), ""))
    return rows


def _plasticity(motif: Declarations, known: Expressions, spikes: bool) -> list[Row]:
    change = ("dw/dt", r"\frac{d w_{ij}}{d t}") if spikes else ("dw", r"\Delta w_{ij}")

    def rule(p: Projection) -> Row:
        assert p.rule is not None
        states = frozenset(motif.population(p.pre).state) | frozenset(motif.population(p.post).state)
        latex = latex_of(known.rule[p.name], states, frozenset(p.state))
        return Formula(f"{change[0]} = {p.rule.expression}", f"{change[1]} = {latex}"), _parameters(p.rule.parameters)

    rows = _grouped((p.name, rule(p)) for p in motif.projections if p.is_plastic)
    rows += _grouped((p.name, (rewired(p.rewiring), "")) for p in motif.projections if p.rewiring is not None)
    fixed = [p.name for p in motif.projections if not p.is_plastic and p.tied_to is None]
    ties = [f"{p.name} = {tied(p.tied_to)}" for p in motif.projections if p.tied_to is not None]
    rows += [(", ".join(fixed), "fixed", "")] if fixed else []
    return rows + ([(", ".join(ties), "tied", "")] if ties else [])


def _input(motif: Declarations, spikes: bool) -> list[Row]:
    driven = "driven by {} rates or spike trains" if spikes else "driven by a vector of {} numbers per sample"
    rows: list[Row] = [(p.name, driven.format(p.size)) for p in motif.populations if p.name in inputs_of(motif)]
    rows += [(name, f"driven by the target of {o.output}") for name, o in labels_of(motif).items()]
    shuffled = " of the neighbouring sample (a control)"
    rows += [
        (o.error, f"driven by minus the gradient of the loss at {o.output}{shuffled if o.shuffled else ''}")
        for o in motif.objectives
    ]
    given = "a number that may change over time" if spikes else "one number per sample"
    return rows + [(s.name, f"{given}, which every rule may read") for s in motif.signals if s.is_given]


def _phases(motif: Declarations) -> list[Row]:
    if len(motif.phases) == 1 and motif.phases[0] == Phase(motif.phases[0].name):
        return []
    rows: list[Row] = []
    for phase in motif.phases:
        gains = None if phase.soma is None else [f"{g:g} times {n}" if g != 1 else n for n, g in phase.soma.items()]
        drives = "all somatic projections" if gains is None else ", ".join(gains) or "nothing"
        if phase.repeat == TIME:
            drives += "; an iteration for each time step"
        elif phase.repeat != 1:
            drives += f"; {phase.repeat} iterations"
        names = phase.plastic
        changing = "all plastic projections and states" if names is None else ", ".join(names) or "nothing"
        disturbance = [f"noise of standard deviation {sd:g} on {name}" for name, sd in phase.noise.items()]
        disturbance += ["errors" if phase.errors else "no errors"]
        rows.append((phase.name, drives, changing + WHEN[phase.apply], ", ".join(disturbance)))
    return rows


# -- formatting


def _update(name: str, state: State, new: sympy.Expr, states: frozenset[str], synaptic: frozenset[str]) -> Row:
    index = "ij" if name in synaptic else "i"
    symbol = rf"{name_in_math(name)}_{{{index}}}"
    given = {**state.parameters, "start": state.start} if state.start else dict(state.parameters)
    if not state.is_traced:
        latex = rf"{symbol} \leftarrow {latex_of(new, states, synaptic)}"
        latex += r"\ \text{(per sample)}" if state.per_sample else ""
        text = f"{name} <- {state.update}" + (" (per sample)" if state.per_sample else "")
        return Formula(text, latex), _parameters(given)
    decay = slope = ""
    parameters = _parameters(given)
    if state.tau_ms is not None:
        tau = rf"\tau_{{{name_in_math(name)}}}"  # not that of a parameter `tau`
        decay, slope = f"-{name} / tau_ms + ", rf"-\frac{{{symbol}}}{{{tau}}} + "
        value = rf"{latex_number(state.tau_ms)}\,\mathrm{{ms}}"
        parameters = (*parameters, Formula(f"tau_ms = {number(state.tau_ms)}", f"{tau} = {value}"))
    latex = rf"\frac{{d {symbol}}}{{d t}} = {slope}\left({latex_of(new, states, synaptic)}\right)"
    return Formula(f"d{name}/dt = {decay}({state.expression})", latex), parameters


def _grouped(rows: Iterable[tuple[str, Row]]) -> list[Row]:
    """Merge equal rows into one that lists all owners, ordered by first appearance."""
    owners: dict[Any, list[str]] = {}
    for owner, row in rows:
        owners.setdefault(row, []).append(owner)
    return [(", ".join(names), *row) for row, names in owners.items()]


def _parameters(parameters: Mapping[str, Any]) -> tuple[Formula, ...]:
    return tuple(
        Formula(f"{name} = {number(value)}", rf"{name_in_math(name)} = {latex_number(value)}")
        for name, value in parameters.items()
    )


# -- values in words


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
    if not isinstance(value, np.ndarray):
        return f"{value:g}"
    each = "replica" if value.ndim == 1 else "synapse"
    return f"{value.min():g} to {value.max():g}, one for each {each}"


def latex_number(value: Any) -> str:
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
    when = "every step" if rewiring.every_steps == 1 else f"every {rewiring.every_steps} steps"
    return f"{when}, the weakest {rewiring.share:.3g} of the synapses go, and as many grow at random"


def tied(tie: Derived) -> str:
    source = f"sign({tie.projection})" if tie.sign else tie.projection
    turned = f"{source} transposed" if tie.transpose else source
    return turned if tie.scale == 1 else f"{tie.scale:g} times {turned}"


def count(n: int, what: str) -> str:
    """Return a count with its noun, such as ``1 neuron`` or ``2 neurons``."""
    return f"{n} {what}{'' if n == 1 else 's'}"
