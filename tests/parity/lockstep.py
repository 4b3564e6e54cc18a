"""A circuit and an oracle for each of its replicas, side by side: the same run, the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

import circuitsim as cs
from tests.oracle import Oracle, Result, keyed_noise
from tests.strategies.runs import Operation, Step

Numbers = dict[str, np.ndarray]  # "activity x" and so on, first axis replica


def dense(tensor: Any) -> np.ndarray:
    """A copy as an array."""
    return tensor.to_dense().cpu().double().numpy()


class Start:
    """Weights and masks of a circuit as they are now, by projection, ``[replica, post, pre]``.

    Args:
        circuit: as compiled.
    """

    def __init__(self, circuit: cs.Circuit) -> None:
        self.motif, self.seed, self.n_replicas = circuit.motif, circuit.seed, circuit.n_replicas
        names = [p.name for p in self.motif.projections]
        self.weights = {name: dense(circuit.weights(name)) for name in names}
        self.masks = {name: dense(circuit.mask(name)) != 0 for name in names}

    def oracle(self, replica: int, nudge: float = 0.0, seed: int = 0) -> Oracle:
        """One replica; `nudge` is the largest relative error of its weights and of all products, which `seed` draws."""
        random, weights = np.random.default_rng(seed), {name: w[replica] for name, w in self.weights.items()}
        if nudge:
            weights = {name: w * (1 + nudge * random.uniform(-1, 1, w.shape)) for name, w in weights.items()}
        masks = {name: mask[replica] for name, mask in self.masks.items()}
        return Oracle(self.motif, weights, masks, replica, nudge, seed)


class Opinions:
    """What the oracles say of a run.

    Args:
        start: where it starts.
        nudge, seed: small errors of weights and products, to see how well conditioned the run is.
    """

    def __init__(self, start: Start, nudge: float = 0.0, seed: int = 0) -> None:
        self.motif, self.seed, self.n_steps = start.motif, start.seed, 0
        self.oracles = [start.oracle(r, nudge, seed) for r in range(start.n_replicas)]

    def operate(self, operation: Operation) -> tuple[Any, ...]:
        """Do it; returns what the same method of a circuit takes."""
        name, random = operation.projection, np.random.default_rng(operation.seed)
        match operation.kind:
            case "freeze" | "thaw":
                for oracle in self.oracles:
                    getattr(oracle, operation.kind)(name)
                return (name,)
            case "prune":
                for oracle in self.oracles:
                    oracle.prune(name, operation.threshold)
                return name, operation.threshold
        low, high = self.motif.projection(name).bounds or (None, None)
        values = random.normal(size=(len(self.oracles), *self.oracles[0].masks[name].shape), scale=0.4)
        values = np.clip(values, -np.inf if low is None else low, np.inf if high is None else high)
        values = np.where([oracle.masks[name] for oracle in self.oracles], values, 0.0)
        for oracle, weights in zip(self.oracles, values, strict=True):
            oracle.set_weights(name, weights)
        return name, values

    def step(self, step: Step) -> list[Result]:
        """One step of each replica."""
        found = []
        for r, oracle in enumerate(self.oracles):
            x, targets, signals = step.of(r)
            noise = keyed_noise(self.motif, self.seed + r, self.n_steps, step.n_samples, step.n_times)
            found.append(oracle.step(x, targets, step.eta_scale, signals, noise))
        self.n_steps += 1
        return found

    def predict(self, step: Step, population: str, every_time: bool = False) -> tuple[np.ndarray, bool]:
        """The activity where it is judged, ``[replica, batch, neuron]`` or at every time; whether it reads an error."""
        given = [step.of(r) for r in range(len(self.oracles))]
        pairs = zip(self.oracles, given, strict=True)
        found = [oracle.predict(x, population, y, every_time) for oracle, (x, y, _) in pairs]
        return np.stack([activity for activity, _ in found]), found[0][1]

    def numbers(self, results: list[Result]) -> Numbers:
        """All that can be read after a step."""
        each: list[Numbers] = []
        for oracle, result in zip(self.oracles, results, strict=True):
            found = {f"activity {name}": value for name, value in result.activity.items()}
            found |= {f"drive {name}": value for name, value in result.drive.items()}
            found |= {f"current {name}": value for name, value in result.current.items()}
            found |= {f"weights {name}": value for name, value in oracle.weights.items()}
            found |= {f"loss of {name}": np.array(value) for name, value in result.losses.items()}
            found |= {"loss": np.array(result.loss)} if result.losses else {}
            for owner, states in (*oracle.neuron_states.items(), *oracle.synapse_states.items()):
                for name, value in states.items():
                    if self.is_clear(owner, name):
                        found[f"state {owner} {name}"] = self._at_synapses(oracle, owner, name, value)
            for (kind, owner, name), value in result.sampled.items():
                if self.is_clear(owner, name):
                    present = oracle.masks[owner] if kind == "synapse" else True
                    found[f"state {owner} {name}"] = np.where(present, value, 0.0)
            each.append(found)
        return {name: np.stack([found[name] for found in each]) for name in each[0]}

    def is_clear(self, owner: str, name: str) -> bool:
        """Whether one owner alone has that name and that state."""
        return sum(q.name == owner and name in q.state for q in (*self.motif.populations, *self.motif.projections)) == 1

    @staticmethod
    def _at_synapses(oracle: Oracle, owner: str, name: str, value: np.ndarray) -> np.ndarray:
        """Of a projection's state, what is at its synapses; what is elsewhere is nobody's."""
        mine = name in oracle.synapse_states.get(owner, ())
        return np.where(oracle.masks[owner], value, 0.0) if mine else value

    @property
    def are_bounded(self) -> bool:
        """Whether no weight and no state has run away, and rounding with it."""
        every = [[o.weights, *o.neuron_states.values(), *o.synapse_states.values()] for o in self.oracles]
        return all(
            np.abs(values).max(initial=0.0) < 1e3 for parts in every for part in parts for values in part.values()
        )


def numbers_of(circuit: cs.Circuit, result: Any, like: Numbers, opinions: Opinions, everything: bool) -> Numbers:
    """What a circuit says of the same quantities; unless `everything` was asked for, of those that its step made."""
    found = {}
    for key in like:
        kind, _, name = key.partition(" ")
        match kind:
            case "activity" | "drive" | "current":
                try:
                    found[key] = dense(getattr(circuit, kind)(name))
                except cs.ParameterError as error:
                    if everything or "keep=" not in str(error):
                        raise
            case "weights":
                found[key] = dense(circuit.weights(name))
            case "loss":
                found[key] = dense(result.losses[name.removeprefix("of ")] if name else result.loss)
            case "state":
                owner, state = name.split(" ")
                values = dense(circuit.state(owner, state))
                masks = [o.masks[owner] for o in opinions.oracles if state in o.synapse_states.get(owner, ())]
                found[key] = np.where(masks, values, 0.0) if masks else values
    return found


def difference(got: np.ndarray, expected: np.ndarray) -> float:
    """The largest, relative to the largest number expected (or to a thousandth, if all are smaller)."""
    return float(np.abs(got - expected).max(initial=0.0) / max(1e-3, np.abs(expected).max(initial=0.0)))


def apply(circuit: cs.Circuit | None, operation: Operation, arguments: tuple[Any, ...]) -> None:
    """Do to a circuit what was done to the oracles."""
    if circuit is not None:
        getattr(circuit, operation.kind)(*arguments)
