"""One replica of a motif: its weights and states, and what a step does to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tests.oracle.language import ELEMENTWISE, evaluate, over_neurons, reductions
from tests.oracle.losses import LOSSES
from tests.oracle.slopes import NAMED, OF_DUAL, Dual, dual
from tests.oracle.wiring import (
    changes,
    compartments,
    gates,
    has_previous,
    input_names,
    judged_in,
    late_gates,
    predicted_in,
    role,
    target_of,
)  # fmt: skip

KINDS = ("activity", "drive", "slope", "trace")  # of quantities of populations


@dataclass
class Result:
    """One step, as its last phase leaves it: of populations ``[batch, neuron]``, currents ``[batch, post]``.

    Args:
        change: of what the step changed, by projection ``[post, pre]``, before bounds; summed over phases.
        losses: by phase.
        loss: each objective where it is judged, summed; 0 where none is.
        told: the populations whose activity depends on a target.
        judged: the loss of each objective where it is judged, by error population.
        sampled: states per sample, ``[batch, neuron]`` or ``[batch, post, pre]``, by kind of owner, owner and name.
        at_times: the losses of each objective at the time steps of its target so far, by phase and error.
        trail: all activities at the end of each iteration.
    """

    activity: dict[str, np.ndarray] = field(default_factory=dict)
    drive: dict[str, np.ndarray] = field(default_factory=dict)
    slope: dict[str, np.ndarray] = field(default_factory=dict)
    trace: dict[str, np.ndarray] = field(default_factory=dict)
    current: dict[str, np.ndarray] = field(default_factory=dict)
    change: dict[str, np.ndarray] = field(default_factory=dict)
    losses: dict[str, float] = field(default_factory=dict)
    loss: float = 0.0
    told: set[str] = field(default_factory=set)
    judged: dict[str, float] = field(default_factory=dict)
    sampled: dict[tuple[str, str, str], np.ndarray] = field(default_factory=dict)
    at_times: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    trail: list[dict[str, np.ndarray]] = field(default_factory=list)


@dataclass
class Batch:
    """What is given for a step; sequences have an axis of time after that of samples."""

    inputs: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    signals: dict[str, Any]
    noise: dict[tuple[str, int, str], np.ndarray]
    eta_scale: float = 1.0

    @property
    def n_samples(self) -> int:
        return len(next(iter(self.inputs.values())))

    @property
    def n_times(self) -> int:
        return next((x.shape[1] for x in self.inputs.values() if x.ndim == 3), 1)

    def repeat(self, phase: Any) -> int:
        return self.n_times if phase.repeat == "time" else phase.repeat

    def input(self, name: str, k: int) -> np.ndarray:
        x = self.inputs[name]
        return x[:, k] if x.ndim == 3 else x

    def is_timed(self, o: Any) -> bool:
        return self.targets[o.output].ndim == (2 if o.loss == "cross_entropy" else 3)

    def target(self, o: Any, k: int) -> np.ndarray:
        return self.targets[o.output][:, k] if self.is_timed(o) else self.targets[o.output]


class Oracle:
    """One replica of a motif.

    Args:
        motif: the declaration.
        weights: starting weights by projection, shape ``[post, pre]``; those of derived projections are recomputed.
        masks: present synapses by projection, shape ``[post, pre]``; without them, the declared ones (needed
            where connectivity is random).
        replica: which entry of per-replica parameters to use.
        nudge, seed: relative error of every product and batch mean, and its draw; to see what rounding can do. Seed 0
            draws nothing: it makes products, means, slopes and weights that are 0 but for such an error exactly 0, and
            weights that are below float32's range.
    """

    def __init__(
        self,
        motif: Any,
        weights: dict[str, np.ndarray],
        masks: dict[str, np.ndarray] | None = None,
        replica: int = 0,
        nudge: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.nudge, self.random = nudge, np.random.default_rng(seed) if seed else None
        self.motif, self.replica = motif, replica
        self.populations = {p.name: p for p in motif.populations}
        self.projections = {p.name: p for p in motif.projections}
        self.masks = {name: declared_mask(motif, name) for name in self.projections} | (masks or {})
        self.frozen: set[str] = set()
        self.rates: dict[str, float] = {}  # by path, such as "W0.eta", in place of those declared
        self.roles = {f.name: {p.name: role(motif, f, p) for p in motif.populations} for f in motif.phases}
        self.judged = [(o, judged_in(motif, o)) for o in motif.objectives]
        self.weights = {
            name: np.where(self.masks[name], weights[name], 0.0).astype(float)
            for name, p in self.projections.items()
            if p.tied_to is None
        }
        self.neuron_states = {
            p.name: {name: np.full(p.size, float(s.start)) for name, s in p.state.items() if not s.per_sample}
            for p in motif.populations
        }
        self.synapse_states = {
            p.name: {
                name: np.full(self.masks[p.name].shape, float(s.start))
                for name, s in p.state.items()
                if not s.per_sample
            }
            for p in motif.projections
        }
        self._derive()

    # -- what a user does

    def step(
        self, x: Any, target: Any = None, eta_scale: float = 1.0, signals: Any = None, noise: Any = None
    ) -> Result:
        """The phases of a step, in order, each with its changes at its end.

        Args:
            x, target: as for a circuit, without a replica axis.
            eta_scale: multiplies every `eta` of every rule.
            signals: by name, ``[batch]``, or a function of the result so far.
            noise: standard normal numbers ``[batch, neuron]`` by (phase, iteration, population).
        """
        return self._run(self._batch(x, target, eta_scale, signals, noise), learn=True)

    def cycle(self, x: Any, target: Any = None, signals: Any = None, noise: Any = None) -> Result:
        """The same without any change."""
        return self._run(self._batch(x, target, 1.0, signals, noise), learn=False)

    def predict(self, x: Any, population: str, target: Any, every_time: bool = False) -> tuple[np.ndarray, bool]:
        """The activity of a population where it is judged, without noise and changes; whether it reads an error. With
        `every_time`, that in all iterations of the phase, ``[batch, time, neuron]``.
        """
        batch = self._batch(x, target, 1.0, None, {})
        result = self._run(batch, learn=False, until=predicted_in(self.motif, population))
        steps = [activity[population] for activity in result.trail[-batch.n_times :]]
        return np.stack(steps, 1) if every_time else steps[-1], population in result.told

    def freeze(self, name: str) -> None:
        """Weights and states of a projection stay as they are."""
        self.frozen.add(name)

    def thaw(self, name: str) -> None:
        """They change again."""
        self.frozen.discard(name)

    def prune(self, name: str, threshold: float) -> None:
        """Synapses with ``|w| < threshold`` are removed for ever."""
        self.masks[name] = self.masks[name] & (np.abs(self.weights[name]) >= threshold)
        self.set_weights(name, np.where(self.masks[name], self.weights[name], 0.0))

    def set_weights(self, name: str, weights: np.ndarray) -> None:
        """Other weights, 0 where there is no synapse."""
        self.weights[name] = np.array(weights, dtype=float)
        self._derive()

    # -- a step

    def _batch(self, x: Any, target: Any, eta_scale: float, signals: Any, noise: Any) -> Batch:
        inputs = x if isinstance(x, dict) else dict.fromkeys(self.input_names(), x)
        targets = target if isinstance(target, dict) else {o.output: target for o in self.motif.objectives}
        return Batch(
            {name: np.asarray(values, dtype=float) for name, values in inputs.items()},
            {name: np.asarray(values) for name, values in targets.items()},
            dict(signals or {}), dict(noise or {}), eta_scale,
        )  # fmt: skip

    def input_names(self) -> list[str]:
        """The populations whose drive is given."""
        return input_names(self.motif)

    def _run(self, batch: Batch, learn: bool, until: str | None = None) -> Result:
        result, self._deferred = Result(), {}
        past: list[Result] = []  # each iteration as it began
        for phase in self.motif.phases:
            for k in range(batch.repeat(phase)):
                past.append(replace(result, **{kind: dict(getattr(result, kind)) for kind in (*KINDS, "sampled")}))
                self._iterate(phase, k, batch, result, past, learn)
                result.trail.append(dict(result.activity))
            if phase.name == until:
                break
        self._change(self._deferred)
        result.loss = sum(result.judged.values())
        return result

    def _iterate(self, phase: Any, k: int, batch: Batch, result: Result, past: list[Result], learn: bool) -> None:
        wired = compartments(self.motif, phase)
        self._sweep(phase, k, wired, batch, result, past)
        for name, compartment in wired.items():
            if compartment == "dendrite":
                seen = self._seen(self.projections[name], result, past, batch)
                result.current[name] = self._delivered(name, seen.trace)
        if phase.errors and self.motif.objectives:
            self._judge(phase, k, batch, result)
        self._remember(phase, wired, batch, result, past, learn)
        if learn and (phase.apply == "iteration" or k + 1 == batch.repeat(phase)):
            self._learn(phase, wired, batch, result, past)

    # -- activity

    def _sweep(
        self, phase: Any, k: int, wired: dict[str, str], batch: Batch, result: Result, past: list[Result]
    ) -> None:
        """Every population after those that its drive and its activation read, unless these come an iteration later."""
        done: set[str] = set()
        late = late_gates(self.motif, phase)

        def visit(name: str) -> None:
            if name in done:
                return
            done.add(name)
            p, source = self.populations[name], self.roles[phase.name][name]
            if source == "kept":
                for kind in (result.activity, result.drive, result.slope, result.trace):
                    kind.setdefault(name, np.zeros((batch.n_samples, p.size)))
                return
            read = [*self._drivers(name, source, wired), *(gate for gate in gates(p) if (gate, name) not in late)]
            for other in read:
                visit(other)
            earlier = [q.pre for q in self._soma_onto(name, wired) if q.delay]
            earlier += [name] if has_previous(p) else []
            told = source in ("error", "target") or result.told.intersection([*read, *earlier, *gates(p)])
            result.told = result.told | {name} if told else result.told - {name}
            result.drive[name] = self._drive(phase, k, name, source, wired, batch, result, past)
            activity, slope = self._activate(p, result)
            rounds = self.nudge and self.random is None  # as 1 - tanh(drive)**2 does in saturation
            result.slope[name] = np.where(np.abs(slope) <= self.nudge, 0.0, slope) if rounds else slope
            if name in phase.noise and (phase.name, k, name) in batch.noise:
                activity = activity + phase.noise[name] * batch.noise[phase.name, k, name]
            result.activity[name] = activity
            result.trace[name] = self._trace(p, result)

        for name in self.populations:
            visit(name)

    def _drivers(self, name: str, source: str, wired: dict[str, str]) -> list[str]:
        if source == "error":
            return [o.output for o in self.motif.objectives if o.error == name]
        return [p.pre for p in self._soma_onto(name, wired) if not p.delay] if source == "soma" else []

    def _soma_onto(self, name: str, wired: dict[str, str]) -> list[Any]:
        return [p for p in self.motif.projections if p.post == name and wired.get(p.name) == "soma"]

    def _drive(
        self, phase: Any, k: int, name: str, source: str, wired: dict[str, str], batch: Batch, result: Result,
        past: list[Result],
    ) -> np.ndarray:  # fmt: skip
        if source == "input":
            return batch.input(name, k)
        total = np.zeros((batch.n_samples, self.populations[name].size))
        if source == "target":
            objective = target_of(self.motif, self.populations[name])
            target = batch.target(objective, k)
            return np.eye(total.shape[1])[target] if objective.loss == "cross_entropy" else target.astype(float)
        if source == "error":
            objective = next(o for o in self.motif.objectives if o.error == name)
            pairs = zip(result.activity[objective.output], batch.target(objective, k), strict=True)
            total = np.stack([LOSSES[objective.loss](y, t)[1] for y, t in pairs])
            return np.roll(total, 1, axis=0) if objective.shuffled else total
        for p in self._soma_onto(name, wired) if source == "soma" else ():
            result.current[p.name] = self._delivered(p.name, self._seen(p, result, past, batch).activity)
            gain = 1.0 if phase.soma is None else phase.soma[p.name]
            total = total + gain * result.current[p.name]
        return total

    def _seen(self, p: Any, result: Result, past: list[Result], batch: Batch) -> Result:
        """The result as a projection finds its presynaptic population: as it is, or as an earlier iteration left it."""
        if not p.delay:
            return result
        nothing = np.zeros((batch.n_samples, self.populations[p.pre].size))
        left = past[-p.delay] if p.delay <= len(past) else Result()
        return replace(left, **{kind: {p.pre: getattr(left, kind).get(p.pre, nothing)} for kind in KINDS})

    def _delivered(self, name: str, seen: dict[str, np.ndarray]) -> np.ndarray:
        w, vectors = self.weights[name], seen[self.projections[name].pre]
        return self._off(np.stack([w @ sample for sample in vectors]), np.abs(vectors) @ np.abs(w).T)

    def _off(self, found: np.ndarray, size: np.ndarray) -> np.ndarray:
        """A sum that is off by what rounding can do, where `size` is the sum of the sizes of its terms."""
        if not self.nudge:
            return found
        if self.random is None:
            return np.where(np.abs(found) <= self.nudge * size, 0.0, found)
        return found + self.nudge * size * self.random.uniform(-1, 1, found.shape)

    def _activate(self, p: Any, result: Result) -> tuple[np.ndarray, np.ndarray]:
        activation, drive = p.activation, result.drive[p.name]
        if not isinstance(activation, str):
            gate = result.slope.get(activation.population, np.zeros_like(drive))
            return drive * gate, gate
        if activation in NAMED:
            activity, slope = NAMED[activation]
            return activity(drive), slope(drive)
        names: dict[str, Any] = {"drive": Dual(drive, np.ones_like(drive)), **self.neuron_states[p.name]}
        names |= self._sampled("neuron", p, result, drive.shape)
        names["previous"] = result.activity.get(p.name, np.zeros_like(drive))
        for gate in gates(p):
            nothing = np.zeros_like(drive)
            names[f"activity_{gate}"] = result.activity.get(gate, nothing)
            names[f"slope_{gate}"] = result.slope.get(gate, nothing)
        out = dual(evaluate(activation, names, OF_DUAL | over_neurons(drive.shape)))
        return np.broadcast_to(out.value, drive.shape), np.broadcast_to(out.slope, drive.shape)

    def _trace(self, p: Any, result: Result) -> np.ndarray:
        return result.activity[p.name] if p.trace is None else self._of_neurons(p, p.trace, {}, result)

    def _of_neurons(self, p: Any, text: str, others: dict[str, Any], result: Result) -> np.ndarray:
        """An expression in quantities and states of a population, ``[batch, neuron]``."""
        shape = result.activity[p.name].shape
        names = {kind: getattr(result, kind)[p.name] for kind in ("activity", "drive", "slope")}

        def mean(values: Any) -> np.float64:
            return np.broadcast_to(values, shape).mean()

        names |= self.neuron_states[p.name] | self._sampled("neuron", p, result, shape)
        found = evaluate(text, names | others, ELEMENTWISE | over_neurons(shape) | {"mean": mean})
        return np.broadcast_to(found, shape)

    def _sampled(self, kind: str, owner: Any, result: Result, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """The states per sample of a population or of a projection."""
        return {
            name: result.sampled.get((kind, owner.name, name), np.full(shape, float(s.start)))
            for name, s in owner.state.items()
            if s.per_sample
        }

    def _judge(self, phase: Any, k: int, batch: Batch, result: Result) -> None:
        total = 0.0
        for o, judged in self.judged:
            pairs = zip(result.activity[o.output], batch.target(o, k), strict=True)
            loss = float(np.mean([LOSSES[o.loss](y, t)[0] for y, t in pairs]))
            if batch.is_timed(o):
                so_far = result.at_times.setdefault((phase.name, o.error), [])
                so_far.append(loss)
                loss = float(np.mean(so_far))
            total += loss
            if judged == phase.name:
                result.judged[o.error] = loss
        result.losses[phase.name] = total

    # -- states per sample

    def _remember(
        self, phase: Any, wired: dict[str, str], batch: Batch, result: Result, past: list[Result], learn: bool
    ) -> None:
        """All states per sample are updated together, in every iteration; no activity needs those of synapses."""
        signals, found = self._signals(batch, result), {}
        for p in self.motif.populations:
            if changes(phase, p.name) and self.roles[phase.name][p.name] != "kept":
                told = {name: value[:, None] for name, value in signals.items()}
                for name, s in p.state.items():
                    if s.per_sample:
                        values = self._of_neurons(p, s.update, told | dict(s.parameters), result)
                        found["neuron", p.name, name] = np.array(values)
        for p in self.motif.projections if learn else ():
            if p.name in wired and p.name not in self.frozen and changes(phase, p.name):
                names = self._names(p, wired, signals, result, self._seen(p, result, past, batch))
                names |= {f"in_{other.name}": np.float64(other is phase) for other in self.motif.phases}
                for name, s in p.state.items():
                    if s.per_sample:
                        values = self._each(p, s.update, names | dict(s.parameters), batch)
                        found["synapse", p.name, name] = np.array(values)
        result.sampled |= found

    # -- plasticity

    def _learn(self, phase: Any, wired: dict[str, str], batch: Batch, result: Result, past: list[Result]) -> None:
        """All changes of a phase: computed from the state before it, then made together."""
        signals = self._signals(batch, result)
        changed, neuron_states, synapse_states = {}, {}, {}
        for p in self.motif.populations:
            if changes(phase, p.name) and self.roles[phase.name][p.name] != "kept":
                neuron_states[p.name] = self._neuron_states(p, signals, result)
        for p in self.motif.projections:
            if p.name not in wired or p.name in self.frozen or not changes(phase, p.name):
                continue
            names = self._names(p, wired, signals, result, self._seen(p, result, past, batch))
            names |= {f"in_{other.name}": np.float64(other is phase) for other in self.motif.phases}
            synapse_states[p.name] = {
                name: self._each(p, s.update, names | dict(s.parameters), batch).mean(axis=0)
                for name, s in p.state.items()
                if not s.per_sample
            }
            if p.tied_to is None and p.plastic and p.rule is not None:
                change = self._each(p, p.rule.expression, names | self._parameters(p, batch.eta_scale), batch)
                change = self._off(change.mean(axis=0), np.abs(change).mean(axis=0))
                change = np.where(self.masks[p.name], change, 0.0)
                result.change[p.name] = result.change.get(p.name, 0.0) + change
                kept = self._deferred if phase.apply == "step" else changed
                kept[p.name] = kept.get(p.name, 0.0) + change
        self.neuron_states |= neuron_states
        self.synapse_states |= synapse_states
        self._change(changed)

    def _change(self, changes: dict[str, np.ndarray]) -> None:
        """Add changes to weights."""
        for name, change in changes.items():
            old = self.weights[name]
            w = _clipped(old + change, self.projections[name].bounds)
            if self.nudge and self.random is None:
                w = np.where(np.abs(w) <= 1e-30 + self.nudge * (np.abs(old) + np.abs(change)), 0.0, w)
            self.weights[name] = np.where(self.masks[name], w, 0.0)
        self._derive()

    def _signals(self, batch: Batch, result: Result) -> dict[str, np.ndarray]:
        """One number for each sample, by signal."""
        signals = {
            name: np.asarray(value(result) if callable(value) else value, dtype=float)
            for name, value in batch.signals.items()
        }
        for declared in self.motif.signals:
            if declared.expression is not None:
                signals[declared.name] = np.full(batch.n_samples, self._computed(declared.expression, result))
        return signals

    def _computed(self, text: str, result: Result) -> float:
        """A signal that is computed from quantities of populations."""
        quantities = [(kind, getattr(result, kind)) for kind in ("activity", "drive", "slope")]
        names = {f"{kind}_{p}": value for kind, values in quantities for p, value in values.items()}
        return float(evaluate(text, names, {**ELEMENTWISE, "mean": np.mean}))

    def _neuron_states(self, p: Any, signals: dict[str, np.ndarray], result: Result) -> dict[str, np.ndarray]:
        told = {name: value[:, None] for name, value in signals.items()}
        return {
            name: self._of_neurons(p, s.update, told | dict(s.parameters), result).mean(axis=0)
            for name, s in p.state.items()
            if not s.per_sample
        }

    def _each(self, p: Any, text: str, names: dict[str, Any], batch: Batch) -> np.ndarray:
        """An expression at the synapses of a projection, ``[batch, post, pre]``."""
        mask = self.masks[p.name]
        values = evaluate(text, names, ELEMENTWISE | reductions(mask) | {"mean": np.mean})
        return np.broadcast_to(values, (batch.n_samples, *mask.shape))

    def _names(
        self, p: Any, wired: dict[str, str], signals: dict[str, np.ndarray], result: Result, seen: Result
    ) -> dict[str, np.ndarray]:
        """What a rule can read, ``[batch, post, pre]`` or 1 in place of any of them; `seen` is the presynaptic side."""
        names = {
            "pre": seen.trace[p.pre][:, None, :],
            "post": result.trace[p.post][:, :, None],
            "w": self.weights[p.name][None],
            "batch_size": np.float64(len(result.activity[p.pre])),
        }
        for kind in ("activity", "drive", "slope"):
            names[f"{kind}_pre"] = getattr(seen, kind)[p.pre][:, None, :]
            names[f"{kind}_post"] = getattr(result, kind)[p.post][:, :, None]
        dendrite = hetero = np.zeros_like(names["post"])
        for q in self.motif.projections:
            if q.post == p.post and q.name in wired:
                current = result.current[q.name][:, :, None]
                names[f"I_{q.name}"] = current
                if q.name != p.name:
                    hetero = hetero + current
                    dendrite = dendrite + current if wired[q.name] == "dendrite" else dendrite
        names |= {"dendrite_post": dendrite, "hetero": hetero}
        names |= {f"{name}_pre": value[None, None, :] for name, value in self.neuron_states[p.pre].items()}
        names |= {f"{name}_post": value[None, :, None] for name, value in self.neuron_states[p.post].items()}
        names |= {name: value[None] for name, value in self.synapse_states[p.name].items()}
        pre, post = self.populations[p.pre], self.populations[p.post]
        n = len(result.activity[p.post])
        of_pre = self._sampled("neuron", pre, seen, (n, pre.size))
        of_post = self._sampled("neuron", post, result, (n, post.size))
        names |= {f"{name}_pre": value[:, None, :] for name, value in of_pre.items()}
        names |= {f"{name}_post": value[:, :, None] for name, value in of_post.items()}
        names |= self._sampled("synapse", p, result, (n, *self.masks[p.name].shape))
        return names | {name: value[:, None, None] for name, value in signals.items()}

    def _parameters(self, p: Any, eta_scale: float) -> dict[str, Any]:
        values = {}
        for name, value in p.rule.parameters.items():
            value = np.asarray(self.rates.get(f"{p.name}.{name}", value), dtype=float)
            value = value[self.replica] if value.ndim == 1 else value
            values[name] = value * eta_scale if name == "eta" else value
        return values

    def _derive(self) -> None:
        """What is tied to another projection follows it, its synapses too."""
        for name, p in self.projections.items():
            if p.tied_to is not None:
                source, mask = self.weights[p.tied_to.projection], self.masks[p.tied_to.projection]
                source = np.sign(source) if p.tied_to.sign else source
                self.weights[name] = p.tied_to.scale * (source.T if p.tied_to.transpose else source)
                self.masks[name] = mask.T if p.tied_to.transpose else mask


def _clipped(weights: np.ndarray, bounds: Any) -> np.ndarray:
    low, high = bounds or (None, None)
    weights = weights if low is None else np.maximum(weights, low)
    return weights if high is None else np.minimum(weights, high)


def declared_mask(motif: Any, name: str) -> np.ndarray | None:
    """Shape ``[post, pre]``; None where it is drawn at random."""
    p = next(q for q in motif.projections if q.name == name)
    sizes = {population.name: population.size for population in motif.populations}
    shape = sizes[p.post], sizes[p.pre]
    if p.tied_to is not None:
        mask = declared_mask(motif, p.tied_to.projection)
        return mask.T if mask is not None and p.tied_to.transpose else mask
    match type(p.connectivity).__name__:
        case "All":
            return np.ones(shape, dtype=bool)
        case "OneToOne":
            return np.eye(*shape, dtype=bool)
        case "Mask":
            return p.connectivity.array != 0
        case "Edges":
            mask = np.zeros(shape, dtype=bool)
            for i, j in zip(p.connectivity.post, p.connectivity.pre, strict=True):
                mask[int(i), int(j)] = True
            return mask
        case "ReciprocalOf":
            mask = declared_mask(motif, p.connectivity.projection)
            return None if mask is None else mask.T
    return None
