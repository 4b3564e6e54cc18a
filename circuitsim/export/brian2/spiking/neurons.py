r"""Lower populations to spiking neurons, with membranes, synaptic currents and the traces that plasticity reads.

    dI/dt   = -I / tau_synapse        soma current; a spike of weight w adds w / (k r tau_synapse)
    dx/dt   = -x / tau_trace          spike trace, `pre` and `post` in rules; a spike adds 1 / (k r tau_trace)
    dJ/dt   = (I - J) / tau_trace     low-passed drive, `drive_post`; f(J) is `post` of a readout, which has no spikes
    dI_P/dt = -I_P / tau_trace(pre)   low-passed current of projection P, if a rule reads it
    dq/dt   = -q / tau                a declared state; a spike adds what is declared

On average, I, J, x and I_P equal the values that the rate circuit computes.
"""

from __future__ import annotations

from circuitsim.errors import CircuitError
from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.language import at_once, of_neuron, text
from circuitsim.export.brian2.parts import Neurons
from circuitsim.export.brian2.reductions import ERRORS, add_softmax
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.spiking.cells import Cell, GradedReadout, SpikeTrain, SpikingCell
from circuitsim.export.brian2.spiking.lowering import Lowering
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.reads import gate_of
from circuitsim.motif import Objective
from circuitsim.plan import Plan, PopulationPlan
from circuitsim.plan.quantities import neuron, signal
from circuitsim.rules import functions as f


def cell_of(plan: Plan, p: PopulationPlan, spiking: Spiking) -> Cell:
    """The neuron model of a population: the declared one, or else the default for its activation and role. A
    CircuitError says how to choose one if none represents its activation."""
    drive = neuron("drive", p.name)
    others = p.activity.free_symbols - {drive}
    is_gated = bool(others) and gate_of(plan, p) is not None
    default: Cell | None = None
    if p.name in plan.outputs:
        default = GradedReadout()
    elif p.source == "input" or p.activity.is_Number:
        default = spiking.inputs
    elif p.activity == drive or is_gated:
        default = spiking.signed(p.stream)
    elif p.activity == f.relu(drive):
        default = spiking.stream(p.stream).rectified
    cell = spiking.cells.get(p.name, default)
    if cell is None or (others and not is_gated):  # a model would not see what else the activation reads
        raise CircuitError(
            f"population {p.name!r}: no neuron model represents the activation {p.activity}; declare it 'relu' or "
            f"'linear', or choose one: Spiking(cells={{{p.name!r}: LIF()}})"
        )
    if isinstance(cell, GradedReadout) != (p.name in plan.outputs):
        raise CircuitError(f"population {p.name!r}: use GradedReadout for outputs, and only for outputs")
    return cell


def lower_population(c: Lowering, p: PopulationPlan) -> list[str]:
    """Add the neurons of a population, and return what they do at the beginning of each trial."""
    spiking, stream, cell = c.spiking, c.stream(p.name), c.cells[p.name]
    neurons = Neurons(p.name, p.size, spikes={s.event: s.condition for s in cell.spikes})
    neurons.variables |= cell.rest
    c.b.add(neurons)
    drive, at_trial = _drive(c, neurons, p)
    if isinstance(cell, GradedReadout):
        c.b.readouts.append(p.name)
        neurons.add(cell.integral(drive, spiking.course.ascending_ms))
    if isinstance(cell, SpikingCell):
        neurons.refractory_ms = cell.refractory
        given = f"train_{p.name}(told*second, i)"
        neurons.add(*cell.membrane(given if isinstance(cell, SpikeTrain) else drive, spiking.rate_hz))
    if p.soma:
        neurons.decay("I", stream.tau_synapse_ms)
    if p.name in c.reads.drives:
        neurons.add(f"dJ/dt = ({drive} - J)/({stream.tau_trace_ms!r}*ms) : 1")
    traces: dict[str, list[str]] = {spike.event: [] for spike in cell.spikes}
    if p.name in c.reads.traces and isinstance(cell, SpikingCell):
        neurons.decay("x", stream.tau_trace_ms)
        step = spike_weight(cell, spiking, stream.tau_trace_ms)
        traces = {s.event: [f"x += {_times(s.sign.format(v='v'), step)}"] for s in cell.spikes}
    for q in c.replica.plan.projections.values():
        if q.post == p.name and q.name in c.reads.currents:
            neurons.decay(f"I_{q.name}", c.stream(q.pre).tau_trace_ms)
    if p.jumps:
        traces["spike"] += _jumps(neurons, c.replica, p, cell)
    # traces come before the reset, because they may read the sign of the membrane
    neurons.on_spike = {s.event: [*traces[s.event], *([s.reset] if s.reset else [])] for s in cell.spikes}
    if c.rests:
        # first the refractory period, because Brian2 does not write to the membranes of neurons that are in theirs
        at_trial += ["lastspike = -1e4*second", "not_refractory = True"] if neurons.refractory_ms else []
        rest = dict.fromkeys(neurons.differential, 0.0) | cell.rest | _starts(c.replica, p)
        at_trial += [f"{name} = {value!r}" for name, value in rest.items()]
    elif isinstance(cell, GradedReadout):
        at_trial.append("F = 0")
    return at_trial


def _starts(replica: Replica, p: PopulationPlan) -> dict[str, float]:
    """The states that change at spikes, with their values at rest."""
    declared = replica.motif.population(p.name).state
    return {of_neuron(name): float(declared[name].start) for name in p.jumps}


def _jumps(neurons: Neurons, replica: Replica, p: PopulationPlan, cell: Cell) -> list[str]:
    """Add the states that change at the neurons' own spikes, and return the changes, which are made together."""
    check_events(f"population {p.name!r}: its states change at spikes", p.name, cell)
    declared = replica.motif.population(p.name).state
    names = {neuron(name, p.name): of_neuron(name) for name in declared}
    names |= {signal(s.name): f"signal_{s.name}(t)" for s in replica.motif.signals}
    neurons.variables |= _starts(replica, p)
    for name, jump in p.jumps.items():
        own, tau_ms = of_neuron(name), declared[name].tau_ms
        if tau_ms is None:
            neurons.add(f"{own} : 1")
        else:
            neurons.decay(own, float(tau_ms))
        if unknown := sorted(map(str, jump.free_symbols - names.keys())):
            raise CircuitError(
                f"population {p.name!r}: state {name!r} reads {unknown[0]} at spikes, which a spiking neuron does not "
                "have; it can read states of the neuron and signals"
            )
    return at_once([(of_neuron(k), "+=", text(jump, names)) for k, jump in p.jumps.items()])


def check_events(what: str, population: str, cell: Cell) -> None:
    """Raise a CircuitError if the spikes of a population are not events of one kind."""
    if [spike.sign for spike in cell.spikes] != ["1"]:
        raise CircuitError(
            f"{what}, but a {type(cell).__name__} of {population!r} sends spikes of both signs, or none; declare the "
            f"population 'relu', or choose a model: Spiking(cells={{{population!r}: LIF()}})"
        )


def spike_weight(cell: SpikingCell, spiking: Spiking, tau_ms: float) -> float:
    """1 / (k r tau), the increment per spike of a variable that decays with tau, so that its mean is the activity."""
    return 1.0 / (cell.weight * spiking.rate_hz * tau_ms * 1e-3)


def _times(sign: str, step: float) -> str:
    return repr(step) if sign == "1" else f"-{step!r}" if sign == "-1" else f"{sign}*{step!r}"


def _drive(c: Lowering, neurons: Neurons, p: PopulationPlan) -> tuple[str, list[str]]:
    """What drives the neurons, and what they do for it at the beginning of each trial."""
    plan = c.replica.plan
    gate = "" if c.spiking.trial is None else "ascends(t)*" if p.stream == "ascending" else "descends(t)*"
    match p.source:
        case "input":
            return f"{gate}input_{p.name}(t, i)", []
        case "nothing":
            return f"{gate}{float(p.activity)!r}", []
        case "error":
            return _error(c.b, neurons, next(o for o in plan.objectives if o.error == p.name))
    gating = gate_of(plan, p)
    if gating is None:
        return "I", []
    neurons.link(f"x_{gating}", gating, "x")
    above = c.spiking.fired_above
    if c.spiking.trial is not None:
        above *= c.delays.left_of_gate(gating, p.name)
    return f"I*int(x_{gating} > {above!r})", []


def _error(b: Blueprint, neurons: Neurons, objective: Objective) -> tuple[str, list[str]]:
    """Minus the gradient of the loss during the descending volley, for this sample or, if shuffled, for the previous
    one."""
    neurons.link("output", objective.output, "F")
    target = f"target_{objective.output}(t, i)"
    if objective.loss == "cross_entropy":
        add_softmax(b, f"{neurons.name}_softmax", objective, "normaliser_post", "F")
        neurons.variables["normaliser"] = float(neurons.size)
    error = ERRORS[objective.loss]
    if not objective.shuffled:
        return f"descends(t)*({error.replace('target', target)})", []
    neurons.declare("target")
    neurons.declare("late")
    return "descends(t)*late", [f"late = {error}", f"target = {target}"]
