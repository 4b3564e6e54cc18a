"""Whatever is done to a circuit, in whatever order: its state is that of arrays to which the same was done.

Fifty sequences by default; twenty thousand behind the slow marker.
"""

from __future__ import annotations

import copy
import pickle
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import circuitsim as cs
from tests.oracle import Condition, Diverged, Refused
from tests.parity.lockstep import Start, dense, difference

FEW, MANY, LENGTH = 50, 20_000, 10
N_IN, N_OUT, BATCH = 4, 2, 3
TOLERANCE = {"float64": 1e-9, "float32": 2e-4}
OWN, PLASTIC = ["W", "U", "E", "V"], ["W", "U", "V"]
RATES = {"W.eta": 0.1, "V.rate": 0.1}
SEEDS, REPLICAS = st.integers(0, 2**16), st.integers(0, 2)


def motif(kind: str) -> cs.Motif:
    """States of neurons and of synapses, a tied projection, few synapses, rates called eta and not."""
    wide = kind == "listed"
    n_hidden, n_back = (30, 36) if wide else (3, 3)
    found = cs.Motif(kind)
    found.add(
        cs.Population("x", N_IN),
        cs.Population("y", n_hidden, activation="tanh", state={"theta": "theta + (activity**2 - theta) / 5"}),
        cs.Population("z", N_OUT), cs.Population("e", N_OUT, stream="descending"),
        cs.Population("b", n_back, stream="descending"), cs.Objective("z", "e", "mse"),
    )  # fmt: skip
    rule = cs.Rule("eta * (slope_post * I_V * pre - 0.1 * w) - 0.01 * theta_post * w", eta=0.1)
    found.connect("x", "y", name="W", connectivity=cs.Random(0.7), rule=rule)
    rule = cs.Rule("eta * (I_E * pre - 0.1 * trace)", eta=0.1)
    found.connect("y", "z", name="U", rule=rule, state={"trace": cs.State("0.5 * trace + post * pre")})
    found.connect("e", "z", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity())
    if wide:
        found.connect("e", "b", name="T", init=cs.Uniform(-1, 1), plastic=False)
    else:
        found.connect("e", "b", name="T", tied_to=cs.Derived("U", transpose=True, scale=0.5))
    found.connect(
        "b", "y", name="V", compartment="dendrite", connectivity=cs.Random(0.04) if wide else cs.All(),
        rule=cs.Rule("rate * (post * pre + 0.1 * s) - 0.05 * w", rate=0.1), state={"s": cs.State("0.5 * s + pre")},
    )  # fmt: skip
    if kind == "phases":
        found.add(cs.Phase("mirror", noise={"y": 0.3}, plastic=["V"], errors=False), cs.Phase("learn"))
    return found


MOTIFS = {kind: motif(kind) for kind in ("dense", "listed", "phases")}


def batch(seed: int, n: int = BATCH) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.standard_normal((n, N_IN)), random.standard_normal((n, N_OUT))


def halving(progress: float) -> float:
    return 1.0 - progress / 2


class Sequences(RuleBasedStateMachine):
    """A circuit, and arrays that are told the same."""

    @initialize(
        kind=st.sampled_from(sorted(MOTIFS)), dtype=st.sampled_from(["float64", "float64", "float32"]),
        replicas=st.integers(1, 3), seed=st.integers(0, 50), varied=st.booleans(),
    )  # fmt: skip
    def compile(self, kind: str, dtype: str, replicas: int, seed: int, varied: bool) -> None:
        vary = {path: [rate * (r + 1) for r in range(replicas)] for path, rate in RATES.items()} if varied else {}
        self.options = {"replicas": replicas, "seed": seed, "dtype": dtype, "device": "cpu", "vary": vary}
        self.circuit = cs.compile(MOTIFS[kind], **self.options)
        start = Start(self.circuit)
        self.expected = Condition([start.oracle(r) for r in range(replicas)], seed, vary)
        self.snapshots: list[tuple[Any, Any]] = []
        self.tolerance = TOLERANCE[dtype]

    def replica(self, number: int) -> int:
        return number % self.circuit.n_replicas

    # -- what changes weights

    @rule(seed=SEEDS, size=st.sampled_from([BATCH, 1]))
    def step(self, seed: int, size: int) -> None:
        self.circuit.step(*batch(seed, size))
        self.expected.step(*batch(seed, size))

    @rule(name=st.sampled_from([*OWN, "T"]), seed=SEEDS, only=st.none() | REPLICAS, stray=st.booleans())
    def set_weights(self, name: str, seed: int, only: int | None, stray: bool) -> None:
        """Of all replicas or of one; perhaps also where there is no synapse."""
        now = dense(self.circuit.weights(name))
        mask = dense(self.circuit.mask(name)) != 0
        new = np.random.default_rng(seed).normal(size=now.shape, scale=0.4) * (1 if stray else mask)
        chosen = [only is None or r == self.replica(only) for r in range(len(now))]
        new = np.where(np.reshape(chosen, (-1, 1, 1)), new, now)
        try:
            if MOTIFS[self.circuit.motif.name].projection(name).tied_to is not None:
                raise Refused(name)
            self.expected.set_weights(name, new)
        except Refused:
            with pytest.raises(cs.ParameterError, match="is tied to|no synapse|are pinned"):
                self.circuit.set_weights(name, new)
        else:
            self.circuit.set_weights(name, new)

    @rule(name=st.sampled_from(OWN), threshold=st.sampled_from([0.0, 0.05, 0.2]))
    def prune(self, name: str, threshold: float) -> None:
        assert self.circuit.prune(name, threshold).tolist() == self.expected.prune(name, threshold)

    @rule(name=st.sampled_from(OWN), probability=st.sampled_from([0.02, 0.3, 1.0]), only=st.none() | REPLICAS)
    def grow(self, name: str, probability: float, only: int | None) -> None:
        replica = None if only is None else self.replica(only)
        if replica in self.expected.pinned:
            with pytest.raises(cs.ParameterError, match="is pinned"):
                self.circuit.grow(name, probability=probability, replica=replica)
            return
        before = dense(self.circuit.mask(name)).sum((1, 2))
        grown = self.circuit.grow(name, probability=probability, replica=replica)
        masks = dense(self.circuit.mask(name)) != 0
        assert grown.tolist() == (masks.sum((1, 2)) - before).tolist()
        self.expected.grow(name, masks, dense(self.circuit.weights(name)))

    @rule(population=st.sampled_from(["x", "y", "z"]), neuron=st.integers(0, N_OUT - 1))
    def lesion(self, population: str, neuron: int) -> None:
        assert self.circuit.lesion(population, neuron).tolist() == self.expected.lesion(population, neuron)

    @rule(scale=st.sampled_from([1.0, 0.5, 0.0, 1.5]))
    def scale_eta(self, scale: float) -> None:
        self.circuit.eta_scale = self.expected.eta_scale = scale

    @rule(name=st.sampled_from(PLASTIC))
    def freeze(self, name: str) -> None:
        self.circuit.freeze(name)
        self.expected.freeze(name)

    @rule(name=st.sampled_from(PLASTIC))
    def thaw(self, name: str) -> None:
        self.circuit.thaw(name)
        self.expected.thaw(name)

    # -- pins

    @rule()
    def take_snapshot(self) -> None:
        self.snapshots.append((self.circuit.snapshot(), self.expected.snapshot()))

    @rule(number=REPLICAS, which=st.none() | st.integers(0, 3))
    def pin(self, number: int, which: int | None) -> None:
        known = [(None, None), *self.snapshots]
        theirs, ours = known[0 if which is None else which % len(known)]
        self.circuit.pin_replica(self.replica(number), theirs)
        self.expected.pin(self.replica(number), ours)

    @rule(number=REPLICAS, rates=st.dictionaries(st.sampled_from(["W.eta", "U.eta", "V.rate"]), st.floats(0, 0.2)))
    def release(self, number: int, rates: dict[str, float]) -> None:
        try:
            self.expected.release(self.replica(number), rates)
        except Refused:
            with pytest.raises(cs.ParameterError, match="is not pinned"):
                self.circuit.release_replica(self.replica(number), rates)
        else:
            self.circuit.release_replica(self.replica(number), rates)

    # -- files and copies

    @rule()
    def save_and_load(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.circuit.save(f"{folder}/c")
            self.circuit = cs.load_circuit(f"{folder}/c", device="cpu")

    @rule(how=st.sampled_from([copy.deepcopy, lambda circuit: pickle.loads(pickle.dumps(circuit))]))
    def copy(self, how: Any) -> None:
        self.circuit = how(self.circuit)

    # -- runs

    @rule(
        seed=SEEDS, schedule=st.sampled_from([None, halving]), pruned=st.none() | st.sampled_from(PLASTIC),
        resumed=st.booleans(), spoil=st.booleans(),
    )  # fmt: skip
    def fit(self, seed: int, schedule: Any, pruned: str | None, resumed: bool, spoil: bool) -> None:
        """One epoch, in which a probe may prune; perhaps continued in a circuit to which other things were done."""
        learning = set(PLASTIC) - self.expected.frozen
        if not self.expected.learning or (schedule is not None and not learning & {"W", "U"}):
            with pytest.raises(cs.ParameterError, match="is pinned|calls? eta|called eta"):
                self.learn(self.circuit, seed, schedule, None)
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run" if resumed else None
            self.learn(self.circuit, seed, schedule, pruned, checkpoint=path)
            self.expected.fit(*batch(seed, 5), BATCH, schedule, lambda: pruned and self.expected.prune(pruned, 0.02))
            if resumed:
                self.circuit = cs.compile(self.circuit.motif, **self.options)
                if spoil:
                    self.circuit.prune("W", 0.3)
                    self.circuit.freeze("V")
                    self.circuit.pin_replica(0)
                    self.circuit.eta_scale = 0.3
                self.learn(self.circuit, seed, schedule, pruned, checkpoint=path, resume=True)

    @staticmethod
    def learn(circuit: cs.Circuit, seed: int, schedule: Any, pruned: str | None, **options: Any) -> cs.History:
        def look(c: cs.Circuit) -> None:
            if pruned is not None and c.n_steps > start:
                c.prune(pruned, 0.02)

        start, probes = circuit.n_steps, {"look": cs.Probe(look, every_steps=1)}
        return cs.fit(
            circuit, batch(seed, 5), batch_size=BATCH, schedule=schedule, probes=probes, progress=False, **options
        )  # fmt: skip

    @precondition(lambda self: self.expected.learning)
    @rule(number=REPLICAS, seed=SEEDS, pruned=st.none() | st.sampled_from(PLASTIC))
    def run_away(self, number: int, seed: int, pruned: str | None) -> None:
        """One replica learns at such a rate that it runs away, is pinned where it was, and goes on at another rate."""
        r, fast, slow = self.replica(number), {"V.rate": -1e6}, {"V.rate": 0.1}
        self.circuit.thaw("V")
        self.expected.thaw("V")
        for rates in (fast, slow):
            self.circuit.pin_replica(r)
            self.expected.pin(r, None)
            self.circuit.release_replica(r, rates)
            self.expected.release(r, rates)
            if rates is slow:
                return
            try:
                self.expected.fit(
                    *batch(seed, 5), BATCH, None, lambda: pruned and self.expected.prune(pruned, 0.02)
                )  # fmt: skip
            except Diverged:
                with pytest.raises(cs.SimulationDiverged):
                    self.learn(self.circuit, seed, None, pruned)
            else:
                history = self.learn(self.circuit, seed, None, pruned)
                lost = {report["replica"] for report in history.runaways}
                assert lost <= {r} and lost <= self.expected.pinned
                assert set(history.to_pandas().query("runaway").replica) == lost

    # -- what must hold

    @invariant()
    def the_state_is_the_same(self) -> None:
        circuit, expected = self.circuit, self.expected
        assert set(circuit.pinned) == expected.pinned and circuit.frozen == expected.frozen
        assert (circuit.n_steps, circuit.n_epochs) == (expected.n_steps, expected.n_epochs)
        assert circuit.eta_scale == expected.eta_scale
        for p in circuit.motif.projections:
            masks = np.stack([oracle.masks[p.name] for oracle in expected.oracles])
            weights = dense(circuit.weights(p.name))
            assert np.array_equal(dense(circuit.mask(p.name)) != 0, masks), p.name
            assert np.isfinite(weights).all() and not weights[~masks].any(), p.name
            self.assert_close(weights, [oracle.weights[p.name] for oracle in expected.oracles], p.name)
            for name in p.state:
                states = [oracle.synapse_states[p.name][name] for oracle in expected.oracles]
                found = dense(circuit.state(p.name, name))
                assert not found[~masks].any(), name
                self.assert_close(found, np.where(masks, states, 0.0), f"{p.name}.{name}")
        thetas = [oracle.neuron_states["y"]["theta"] for oracle in expected.oracles]
        self.assert_close(dense(circuit.state("y", "theta")), thetas, "theta")
        x, y = batch(0)
        outputs = [oracle.predict(x, "z", y)[0] for oracle in expected.oracles]
        self.assert_close(dense(circuit.predict(x)), outputs, "z")

    def assert_close(self, found: np.ndarray, expected: Any, name: str) -> None:
        assert difference(found, np.asarray(expected)) < self.tolerance, name


def test_any_sequence_keeps_the_state():
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(Sequences, settings=sequences(FEW))


@pytest.mark.slow
@pytest.mark.timeout(6 * 3600)
def test_twenty_thousand_sequences_keep_the_state():
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(Sequences, settings=sequences(MANY))


def sequences(n: int) -> settings:
    return settings(
        max_examples=n, stateful_step_count=LENGTH, deadline=None, suppress_health_check=list(HealthCheck)
    )  # fmt: skip
