"""All replicas of a circuit, and what can be done to them between steps: the state that a circuit has to keep."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tests.oracle.circuit import Oracle
from tests.oracle.noise import keyed_noise

Values = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]  # weights, states of neurons and of synapses
MAX_WEIGHT = 1e4  # the default of `fit`


class Refused(Exception):
    """The circuit must refuse this, too."""


class Diverged(Exception):
    """The circuit must raise SimulationDiverged."""


class Condition:
    """The replicas of a circuit as arrays, with pins, frozen projections, rates and counts.

    Args:
        oracles: one for each replica, as compiled.
        seed: the circuit's seed.
        vary: as given to `compile`.
    """

    def __init__(self, oracles: list[Oracle], seed: int, vary: dict[str, list[float]]) -> None:
        self.oracles, self.seed, self.motif = oracles, seed, oracles[0].motif
        self.pinned: set[int] = set()
        self.lesioned: dict[str, set[int]] = {p.name: set() for p in self.motif.populations}
        self.n_steps, self.n_epochs, self.eta_scale = 0, 0, 1.0
        for r, oracle in enumerate(oracles):
            oracle.rates |= {path: values[r] for path, values in vary.items()}

    @property
    def learning(self) -> list[int]:
        """The replicas that are not pinned."""
        return [r for r in range(len(self.oracles)) if r not in self.pinned]

    def step(self, x: np.ndarray, target: np.ndarray, scale: float = 1.0) -> None:
        """One step of every replica that is not pinned."""
        for r in self.learning:
            noise = keyed_noise(self.motif, self.seed + r, self.n_steps, len(x))
            self.oracles[r].step(x, target, self.eta_scale * scale, noise=noise)
        self.n_steps += 1

    def set_weights(self, name: str, weights: np.ndarray) -> None:
        """Other weights ``[replica, post, pre]``.

        Raises:
            Refused: a pinned replica would change, or a weight lies where there is no synapse.
        """
        for r, (oracle, values) in enumerate(zip(self.oracles, weights, strict=True)):
            if (values[~oracle.masks[name]] != 0).any() or (
                r in self.pinned and not np.allclose(values, oracle.weights[name], rtol=1e-6)
            ):
                raise Refused(name)
        for r in self.learning:
            self.oracles[r].set_weights(name, weights[r])

    def freeze(self, name: str) -> None:
        """Stop its plasticity in all replicas."""
        for oracle in self.oracles:
            oracle.freeze(name)

    def thaw(self, name: str) -> None:
        """Let it change again."""
        for oracle in self.oracles:
            oracle.thaw(name)

    @property
    def frozen(self) -> set[str]:
        """The frozen projections."""
        return self.oracles[0].frozen

    def prune(self, name: str, threshold: float) -> list[int]:
        """Remove weak synapses for ever, in pinned replicas too. Returns how many of each replica."""
        before = [oracle.masks[name].sum() for oracle in self.oracles]
        for oracle in self.oracles:
            oracle.prune(name, threshold)
        return [int(n - oracle.masks[name].sum()) for n, oracle in zip(before, self.oracles, strict=True)]

    def lesion(self, population: str, neuron: int) -> list[int]:
        """Remove all synapses of a neuron for ever. Returns how many of each replica."""
        self.lesioned[population].add(neuron)
        own, removed = [p for p in self.motif.projections if p.tied_to is None], []
        for oracle in self.oracles:
            removed.append(0)
            for p in own:
                kept = oracle.masks[p.name] & self._reach(p)
                removed[-1] += int(oracle.masks[p.name].sum() - kept.sum())
                oracle.masks[p.name] = kept
                oracle.set_weights(p.name, np.where(kept, oracle.weights[p.name], 0.0))
        return removed

    def _reach(self, p: Any) -> np.ndarray:
        """The pairs of neurons ``[post, pre]`` of which none is lesioned."""
        found = np.ones(self.oracles[0].masks[p.name].shape, dtype=bool)
        found[sorted(self.lesioned[p.post])] = False
        found[:, sorted(self.lesioned[p.pre])] = False
        return found

    def grow(self, name: str, masks: np.ndarray, weights: np.ndarray) -> None:
        """New synapses where the circuit has drawn them, with its weights, all ``[replica, post, pre]``."""
        p = next(p for p in self.motif.projections if p.name == name)
        for r, (oracle, mask, drawn) in enumerate(zip(self.oracles, masks, weights, strict=True)):
            new = mask & ~oracle.masks[name]
            assert not (oracle.masks[name] & ~mask).any() and not (new & ~self._reach(p)).any()
            assert r not in self.pinned or not new.any()
            oracle.masks[name] = mask.copy()
            oracle.set_weights(name, np.where(new, drawn, oracle.weights[name]))
            for state, declared in p.state.items():
                values = oracle.synapse_states[name]
                values[state] = np.where(new, declared.start, values[state])

    def snapshot(self) -> list[Values]:
        """Copies of the weights and states of all replicas, 0 where there is no synapse."""
        for oracle in self.oracles:
            for name, states in oracle.synapse_states.items():
                states |= {state: np.where(oracle.masks[name], values, 0.0) for state, values in states.items()}
        return [copy.deepcopy((o.weights, o.neuron_states, o.synapse_states)) for o in self.oracles]

    def pin(self, replica: int, snapshot: list[Values] | None) -> None:
        """Weights and states of a snapshot, without the synapses that have been pruned since."""
        if snapshot is not None:
            oracle = self.oracles[replica]
            weights, oracle.neuron_states, oracle.synapse_states = copy.deepcopy(snapshot[replica])
            for p in self.motif.projections:
                if p.tied_to is None:
                    oracle.set_weights(p.name, np.where(oracle.masks[p.name], weights[p.name], 0.0))
        self.pinned.add(replica)

    def release(self, replica: int, rates: dict[str, float]) -> None:
        """Let it learn again, at other rates.

        Raises:
            Refused: it is not pinned.
        """
        if replica not in self.pinned:
            raise Refused(replica)
        self.pinned.remove(replica)
        self.oracles[replica].rates |= rates

    def fit(self, x: np.ndarray, target: np.ndarray, batch_size: int, schedule: Any, between: Any) -> None:
        """One epoch of `fit` with data seed 0.

        Args:
            x, target: all samples.
            batch_size: the samples of a step.
            schedule: a function of progress, or None.
            between: a function that a probe calls after every step.
        Raises:
            Diverged: every replica is pinned at the end.
        """
        good = self.snapshot()
        key = np.random.SeedSequence(0, spawn_key=(self.n_epochs,))
        order = np.random.default_rng(key).permutation(len(x))
        n_batches = -(-len(x) // batch_size)
        for k in range(n_batches):
            chosen = order[k * batch_size : (k + 1) * batch_size]
            self.step(x[chosen], target[chosen], 1.0 if schedule is None else schedule(k / n_batches))
            if self.n_steps % 50 == 0:
                good = self._check(good)
            between()
        self._check(good)
        self.n_epochs += 1

    def _check(self, good: list[Values]) -> list[Values]:
        """Pin the replicas that ran away to the last good state; the state is good after that."""
        lost = [r for r in self.learning if self._largest(r) > MAX_WEIGHT]
        for r in lost:
            self.pin(r, good)
        if lost and not self.learning:
            raise Diverged
        return self.snapshot()

    def _largest(self, replica: int) -> float:
        weights = self.oracles[replica].weights
        own = [weights[p.name] for p in self.motif.projections if p.tied_to is None]
        return max(float(np.nan_to_num(np.abs(w), nan=np.inf).max(initial=0.0)) for w in own)

    @property
    def is_bounded(self) -> bool:
        """Whether rounding errors stay small."""
        return max(map(self._largest, range(len(self.oracles)))) < 1e3
