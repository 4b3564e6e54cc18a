"""What is played to a network of rates, with one row per tick: the inputs, targets, signals and noise of each batch,
validated as the circuit validates them, and which pass through the batch it is.

Brian2 sees one sample per tick, but a trace may take a mean over the whole batch, and a shuffled error belongs to the
previous sample. A batch is therefore presented several times, and each pass reads what the pass before it summed up or
stored. The weights do not change between passes, so a quantity that reads only final values is final from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy
import torch

from circuitsim.engine import Circuit
from circuitsim.engine.batch_shard import BatchShard
from circuitsim.engine.draws import draw_noise
from circuitsim.engine.input_binder import InputBinder
from circuitsim.engine.losses import LOSSES
from circuitsim.errors import DataError
from circuitsim.export.brian2.replica import Cycle
from circuitsim.export.brian2.results import Arrays
from circuitsim.plan import Plan, PopulationPlan
from circuitsim.plan.quantities import current, neuron, of, signal
from circuitsim.rules import functions as f

TICK_MS = 1.0  # the duration of a sample, which is arbitrary in a circuit of rates
SIGNALS = {  # what every run has: the last three for each phase
    "share": "1 / batch size",
    "opens": "1 where a pass through the batch begins, else 0",
    "starts": "1 where the first pass begins, else 0",
    "learns": "1 in the last pass, which sums up the changes, else 0",
    "ends": "1 at the end of the last pass, where changes are made, else 0",
}

Tensors = Mapping[str, torch.Tensor]  # keyed by population; the leading axis of replicas has length 1


class Feeding:
    """Makes batches for one replica of a circuit.

    Args:
        circuit: the circuit, whose seed and step number determine the noise.
        replica: the replica's index.
        cycles: the phases of a step, which may have noise.
    """

    def __init__(self, circuit: Circuit, replica: int, cycles: Sequence[Cycle] = ()) -> None:
        self.motif, self.cycles = circuit.motif, cycles
        self.seed, self.step = circuit.seeds[replica], circuit.n_steps
        self._binder = InputBinder(circuit.motif, circuit.plans, 1, torch.device("cpu"), torch.float64)

    def batches(self, given: Iterable[tuple[Any, ...]]) -> list[tuple[Arrays, Tensors]]:
        """Make the batches of the next steps, from `step` on, each with its targets in the form that losses take.

        The arrays of a batch have one row per sample, and are keyed by ``input_<population>``, ``target_<population>``,
        ``signal_<signal>`` and ``noise_<population>`` (``noise_<population>_<phase>`` with several phases). What is
        given for each step, (x, target) or (x, target, signals), is validated.
        """
        return [self._batch(self.step + k, *values) for k, values in enumerate(given)]

    def inputs(self, x: Any) -> dict[str, np.ndarray]:
        """The arrays of inputs ``[batch, neuron]``, which are validated."""
        return _arrays(self._binder.inputs(x))

    def _batch(self, step: int, x: Any, target: Any = None, signals: Any = None) -> tuple[Arrays, Tensors]:
        inputs = self._binder.inputs(x)
        n_samples = next(iter(inputs.values())).shape[1]
        targets = self._binder.targets(target, inputs) if self.motif.objectives else {}
        arrays = _arrays(inputs)
        for name, target in targets.items():
            values, size = target[0].numpy(), self.motif.population(name).size
            arrays[f"target_{name}"] = np.eye(size)[values] if values.ndim == 1 else values  # classes become one-hot
        arrays |= self._signals(signals, n_samples) | self._noise(step, n_samples)
        return arrays, targets

    def _signals(self, signals: Mapping[str, Any] | None, n_samples: int) -> dict[str, np.ndarray]:
        given = self._binder.check_signals(signals, n_samples)
        if functions := [name for name, value in given.items() if callable(value)]:
            raise DataError(f"signal {functions[0]!r}: Brian2 cannot call a function of the circuit; give numbers")
        values = {name: self._binder.signal(name, value, BatchShard(n_samples)) for name, value in given.items()}
        return {f"signal_{name}": value[0, :, 0].numpy() for name, value in values.items()}

    def _noise(self, step: int, n_samples: int) -> dict[str, np.ndarray]:
        """The same noise as in the circuit, where it is determined by seed, phase, step and population."""
        found: dict[str, np.ndarray] = {}
        for cycle in self.cycles:
            for p in (p for p in cycle.plan.populations.values() if p.noise):
                drawn = draw_noise(p.name, p.size, cycle.phase, step, [self.seed], n_samples)
                found[f"noise_{p.name}{cycle.suffix}"] = drawn[0]
        return found

    def loss(self, outputs: Mapping[str, np.ndarray], targets: Tensors) -> float:
        """The batch mean of the loss, of which the network itself computes only the gradient.

        Args:
            outputs: for each error population, the activity that its objective evaluates, ``[batch, neuron]``.
            targets: targets from `batches`.
        """
        total = 0.0
        for o in self.motif.objectives:
            output = torch.as_tensor(outputs[o.error]).unsqueeze(0)
            total += float(LOSSES[o.loss].of(output, targets[o.output]).mean())
        return total


def _arrays(inputs: Tensors) -> dict[str, np.ndarray]:
    return {f"input_{name}": value[0].numpy() for name, value in inputs.items()}


def scheduled(batches: Sequence[Arrays], n_passes: Mapping[str, int]) -> tuple[Arrays, list[slice]]:
    """Repeat every batch as often as all phases together need it.

    Args:
        batches: for each step, arrays with one row per sample, keyed by their names in the network.
        n_passes: the number of passes of each phase, keyed by the phase's suffix.
    Returns:
        Arrays with one row per tick, and the ticks of each batch's last pass.
    """
    rows: dict[str, list[np.ndarray]] = {}
    samples, end = [], 0
    for batch in batches:
        n_samples = len(next(iter(batch.values())))
        for name, values in signals(n_samples, n_passes).items():
            rows.setdefault(name, []).append(values)
        for name, values in batch.items():
            rows.setdefault(name, []).extend([values] * sum(n_passes.values()))
        end += n_samples * sum(n_passes.values())
        samples.append(slice(end - n_samples, end))
    return {name: np.concatenate(parts).astype(float) for name, parts in rows.items()}, samples


def signals(n_samples: int, n_passes: Mapping[str, int]) -> dict[str, np.ndarray]:
    """The `SIGNALS` of one batch, ``[tick]``; those of a phase end with its suffix."""
    tick = np.arange(n_samples * sum(n_passes.values()))
    found = {"share": np.full(len(tick), 1.0 / n_samples), "opens": tick % n_samples == 0}
    end = 0
    for suffix, n in n_passes.items():
        start, end = end, end + n * n_samples
        found[f"starts{suffix}"] = tick == start
        found[f"learns{suffix}"] = (end - n_samples <= tick) & (tick < end)
        found[f"ends{suffix}"] = tick == end - 1
    return found


def n_passes(plan: Plan) -> int:
    """The length of the longest chain of batch means and shuffled errors in which each reads the one before, plus 1."""
    first: dict[sympy.Symbol, int] = {}  # the first pass in which each quantity is final; others always are
    for p in (p for p in plan.populations.values() if p.source != "kept"):  # kept values are final from the start
        drive, activity, slope = (neuron(kind, p.name) for kind in ("drive", "activity", "slope"))
        first[drive] = _drive(plan, p, first)
        first[activity] = _expression(p.activity, first)
        first[slope] = _expression(p.slope, first)
        first[neuron("trace", p.name)] = _expression(p.trace, first)
    for q in plan.projections.values():
        p = plan.populations[q.pre]
        first[current(q.name)] = first.get(neuron("activity", p.name) if q.compartment == "soma" else p.seen, 0)
    for name, expression in plan.computed.items():
        first[signal(name)] = _expression(expression, first)
    rest = [_expression(update, first) for p in plan.populations.values() for update in p.states.values()]
    for rule in (r for q in plan.projections.values() for r in (q.rule, *q.states.values()) if r is not None):
        for mean in rule.reductions:  # innermost first
            inside = max((_rule_symbol(s, first) for part in mean.body for s in part.symbols), default=0)
            first[mean.symbol] = inside + (mean.kind == "mean")
        rest += [_rule_symbol(symbol, first) for symbol in rule.symbols]
    return 1 + max([0, *first.values(), *rest])


def _rule_symbol(symbol: sympy.Symbol, first: dict[sympy.Symbol, int]) -> int:
    """The first pass in which a quantity is final that a rule reads at one end of a synapse."""
    return first.get(symbol, first.get(sympy.Symbol(of(symbol), real=True), 0))


def _drive(plan: Plan, p: PopulationPlan, first: dict[sympy.Symbol, int]) -> int:
    waits = [first.get(neuron("activity", plan.projections[name].pre), 0) for name in p.soma]
    waits += [first.get(neuron("activity", o.output), 0) + o.shuffled for o in plan.objectives if o.error == p.name]
    return max(waits, default=0)


def _expression(e: sympy.Expr, first: dict[sympy.Symbol, int]) -> int:
    if e.is_Symbol:
        return first.get(e, 0)
    return max((_expression(a, first) for a in e.args), default=0) + isinstance(e, f.mean)
