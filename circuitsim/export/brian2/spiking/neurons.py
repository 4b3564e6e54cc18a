r"""Lower populations to spiking neurons, with membranes, synaptic currents and the traces that plasticity reads.

    dI/dt   = -I / tau_synapse        soma current; a spike of weight w adds w / (k r tau_synapse)
    dJ/dt   = (I - J) / tau_trace     low-passed drive; f(J) is `post` in rules
    dx/dt   = -x / tau_trace          spike trace, `pre` in rules; a spike adds 1 / (k r tau_trace)
    dI_P/dt = -I_P / tau_trace(pre)   low-passed current of projection P, if a rule reads it
    dq/dt   = -q / tau                a declared state; a spike adds what is declared

On average, I, J, x and I_P equal the values that the rate circuit computes.
"""

from __future__ import annotations

import re

import numpy as np

from circuitsim.errors import CircuitError
from circuitsim.export.brian2.language import text
from circuitsim.export.brian2.populations import ERRORS
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.spelling import of_neuron
from circuitsim.export.brian2.spiking.blueprint import Blueprint, Neurons, Wires
from circuitsim.export.brian2.spiking.cells import Cell, GradedReadout, SpikeTrain, SpikingCell
from circuitsim.export.brian2.spiking.delays import Memory
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.reads import Reads
from circuitsim.export.brian2.spiking.slopes import gate_of
from circuitsim.export.brian2.updates import at_once
from circuitsim.motif import Objective
from circuitsim.plan import Plan, PopulationPlan
from circuitsim.plan.quantities import neuron, signal
from circuitsim.rules import functions as f


def form_of(plan: Plan, p: PopulationPlan) -> str | None:
    """A population's activation: "linear", "relu", "gated" (linear, gated by another population), "one" for a constant,
    or None for any other."""
    drive = neuron("drive", p.name)
    if p.activity == drive:
        return "linear"
    if p.activity == f.relu(drive):
        return "relu"
    if p.activity.is_Number:
        return "one"
    return "gated" if gate_of(plan, p) is not None else None


def cell_of(plan: Plan, p: PopulationPlan, spiking: Spiking) -> Cell:
    """The neuron model of a population: the declared one, or else the default for its activation and role.

    Raises:
        CircuitError: no model represents its activation; the message says how to choose one.
    """
    form = form_of(plan, p)
    default: Cell | None = {
        "linear": spiking.signed(p.stream),
        "gated": spiking.signed(p.stream),
        "relu": spiking.stream(p.stream).rectified,
        "one": spiking.inputs,
        None: None,
    }[form]
    if p.name in plan.outputs:
        default = GradedReadout()
    elif p.source == "input":
        default = spiking.inputs
    cell = spiking.cells.get(p.name, default)
    if form is None and p.activity.free_symbols - {neuron("drive", p.name)}:
        cell = None  # a model would not see what else the activation reads
    if cell is None:
        raise CircuitError(
            f"population {p.name!r}: no neuron model represents the activation {p.activity}; declare it 'relu' or "
            f"'linear', or choose one: Spiking(cells={{{p.name!r}: LIF()}})"
        )
    if isinstance(cell, GradedReadout) != (p.name in plan.outputs):
        raise CircuitError(f"population {p.name!r}: use GradedReadout for outputs, and only for outputs")
    return cell


def lower_population(b: Blueprint, replica: Replica, p: PopulationPlan, cell: Cell, reads: Reads) -> None:
    """Add the neurons of a population."""
    plan, spiking, stream = replica.plan, b.spiking, b.spiking.stream(p.stream)
    neurons = Neurons(p.name, p.size, [], cell.spikes, rest=cell.rest, signed=cell.signed)
    b.add(neurons)
    drive = _drive(b, neurons, plan, p)
    if isinstance(cell, GradedReadout):
        b.readouts.append(p.name)
        neurons.equations.append(cell.integral(drive, spiking.course.ascending_ms))
    if isinstance(cell, SpikingCell):
        neurons.refractory_ms = cell.refractory
        given = f"{train_name(p.name)}(told*second, i)"
        neurons.equations += cell.membrane(given if isinstance(cell, SpikeTrain) else drive, spiking.rate_hz)
    if p.soma:
        neurons.equations.append(f"dI/dt = -I/({stream.tau_synapse_ms!r}*ms) : 1")
    if p.name in reads.drives:
        neurons.equations.append(f"dJ/dt = ({drive} - J)/({stream.tau_trace_ms!r}*ms) : 1")
    if p.name in reads.traces and isinstance(cell, SpikingCell):
        neurons.equations.append(f"dx/dt = -x/({stream.tau_trace_ms!r}*ms) : 1")
        step = spike_weight(cell, spiking, stream.tau_trace_ms)
        neurons.traces = {s.event: f"x += {_times(s.sign.format(v='v'), step)}" for s in cell.spikes}
    for q in plan.projections.values():
        if q.post == p.name and q.name in reads.currents:
            tau = spiking.stream(plan.populations[q.pre].stream).tau_trace_ms
            neurons.equations.append(f"dI_{q.name}/dt = -I_{q.name}/({tau!r}*ms) : 1")
    _traces(neurons, replica, p, cell)
    if spiking.trial is not None and spiking.trial.rests:
        known = [line.split("/")[0][1:] for line in neurons.equations if re.match(r"d\w+/dt", line)]
        rest = dict.fromkeys(known, 0.0) | neurons.rest
        # first the refractory period, because Brian2 does not write to the membranes of neurons that are in theirs
        neurons.at_trial += ["lastspike = -1e4*second", "not_refractory = True"] if neurons.refractory_ms else []
        neurons.at_trial += [f"{name} = {value!r}" for name, value in rest.items()]
    elif isinstance(cell, GradedReadout):
        neurons.at_trial.append("F = 0")


def _traces(neurons: Neurons, replica: Replica, p: PopulationPlan, cell: Cell) -> None:
    """Add the states that change at the neurons' own spikes. They change together, before the reset."""
    declared = replica.motif.population(p.name).state
    names = {neuron(name, p.name): of_neuron(name) for name in declared}
    names |= {signal(s.name): f"{signal_name(s.name)}(t)" for s in replica.motif.signals}
    for name in p.jumps:
        tau = declared[name].tau_ms
        decay = "{0} : 1" if tau is None else f"d{{0}}/dt = -{{0}}/({float(tau)!r}*ms) : 1"
        neurons.equations.append(decay.format(of_neuron(name)))
        neurons.rest[of_neuron(name)] = float(declared[name].start)
        if unknown := sorted(map(str, p.jumps[name].free_symbols - names.keys())):
            raise CircuitError(
                f"population {p.name!r}: state {name!r} reads {unknown[0]} at spikes, which a spiking neuron does not "
                "have; it can read states of the neuron and signals"
            )
    if p.jumps:
        check_events(f"population {p.name!r}: its states change at spikes", p.name, cell)
        changes = at_once([(of_neuron(k), "+=", text(jump, names)) for k, jump in p.jumps.items()])
        neurons.traces["spike"] = "; ".join(filter(None, [neurons.traces.get("spike"), *changes]))


def check_events(what: str, population: str, cell: Cell) -> None:
    """Check that the spikes of a population are events of one kind.

    Raises:
        CircuitError: they are not.
    """
    if [spike.sign for spike in cell.spikes] != ["1"]:
        raise CircuitError(
            f"{what}, but a {type(cell).__name__} of {population!r} sends spikes of both signs, or none; declare the "
            f"population 'relu', or choose a model: Spiking(cells={{{population!r}: LIF()}})"
        )


def train_name(population: str) -> str:
    """The array of a population's given spike times ``[spike, neuron]``, in ms, which ends with infinity."""
    return f"train_{population}"


def signal_name(signal: str) -> str:
    """The array of a signal, played over time."""
    return f"signal_{signal}"


def spike_weight(cell: SpikingCell, spiking: Spiking, tau_ms: float) -> float:
    """1 / (k r tau), the increment per spike of a variable that decays with tau, so that its mean is the activity."""
    return 1.0 / (cell.weight * spiking.rate_hz * tau_ms * 1e-3)


def _times(sign: str, step: float) -> str:
    return repr(step) if sign == "1" else f"-{step!r}" if sign == "-1" else f"{sign}*{step!r}"


def _drive(b: Blueprint, neurons: Neurons, plan: Plan, p: PopulationPlan) -> str:
    gate = "" if b.spiking.trial is None else "ascends(t)*" if p.stream == "ascending" else "descends(t)*"
    match p.source:
        case "input":
            b.widths[f"input_{p.name}"] = p.size
            return f"{gate}input_{p.name}(t, i)"
        case "nothing":
            return f"{gate}{float(p.activity)!r}"
        case "error":
            return _error(b, neurons, next(o for o in plan.objectives if o.error == p.name))
    gating = gate_of(plan, p)
    if gating is None:
        return "I"
    neurons.links[f"x_{gating}"] = (gating, "x")
    neurons.equations.append(f"x_{gating} : 1 (linked)")
    above = b.spiking.fired_above
    if b.spiking.trial is not None:
        above *= Memory(plan, b.spiking).of_gate(gating, p.name)
    return f"I*int(x_{gating} > {above!r})"


def _error(b: Blueprint, neurons: Neurons, objective: Objective) -> str:
    """Minus the gradient of the loss during the descending volley, for this sample or, if shuffled, for the previous
    one."""
    b.widths[f"target_{objective.output}"] = neurons.size
    neurons.links["output"] = (objective.output, "F")
    neurons.equations.append("output : 1 (linked)")
    target = f"target_{objective.output}(t, i)"
    if objective.loss == "cross_entropy":
        neurons.equations.append("normaliser : 1")
        pre, post = np.divmod(np.arange(neurons.size**2), neurons.size)
        softmax = Wires(f"{neurons.name}_softmax", objective.output, neurons.name, pre, post)
        softmax.sums["normaliser_post"] = "exp(F_pre - output_post)"
        b.add(softmax)
        neurons.rest["normaliser"] = float(neurons.size)
    error = ERRORS[objective.loss]
    if not objective.shuffled:
        return f"descends(t)*({error.replace('target', target)})"
    neurons.equations += ["target : 1", "late : 1"]
    neurons.at_trial += [f"late = {error}", f"target = {target}"]
    return "descends(t)*late"
