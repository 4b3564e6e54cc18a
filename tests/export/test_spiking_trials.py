"""A trial is about its own sample: what is under way when it ends does not act in the next one."""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.export import LIF, Delay, OnOffPair, Spiking, SpikingNetwork, Stream, Trial
from circuitsim.export.brian2.spiking.cells import Spike
from motifs import paper_sal
from tests.export.sameness import difference

pytest.importorskip("brian2")

NAMES = ("W0", "W1", "Wt1", "V1", "Vt1")
VOLLEYS = {"ascending_ms": 50, "descending_ms": 30}
X, Y = np.random.default_rng(0).random((2, 5)), np.array([0, 2])


@dataclass(frozen=True)
class Tiring(LIF):
    """A neuron whose resting value belongs to a parameter, not to an equation."""

    @property
    def rest(self):
        return {**super().rest, "limit": 1.0}

    @property
    def spikes(self):
        return (Spike("spike", "v >= limit", "v = 0; limit += 0.5", "1"),)

    def membrane(self, drive, rate_hz):
        return [*super().membrane(drive, rate_hz), "limit : 1"]


def export(n_trials: int, spiking: Spiking, target: str = "numpy", **options) -> SpikingNetwork:
    options = {"eta": 0.5, "gamma": 0.02, "gain_V": 1.0, "gain_W": 2.0, "trace": None, "loss": "mse", **options}
    circuit = cs.compile(paper_sal([5, 4, 3], **options), seed=1, device="cpu", dtype="float64")
    return cs.export_brian2(circuit, mode="spiking", target=target, n_trials=n_trials, spiking=spiking)


def play(net: SpikingNetwork, y=Y, learns=(0, 1)) -> dict[str, np.ndarray]:
    """The output of the last trial, and the changes of all weights, of trials that learn where `learns` is 1."""
    n = net.blueprint.n_trials
    shown = net._samples(X[-n:], y[-n:])
    before = {name: net.weights(name) for name in NAMES}
    output = net._segment(shown, np.arange(n), np.array(learns[-n:], dtype=float), np.ones(n), [0, 0])["up2"][-1]
    return {"output": output, **{name: net.weights(name) - before[name] for name in NAMES}}


ON_OFF = {"coding": "on_off"}
MODELS = {
    "regular": {},
    "delays": {**ON_OFF, "delays": {"W0": Delay(20), "V1": Delay(3, 9), "Wt1": Delay(12.5, 13.5)}},
    "a refractory period": {"ascending": Stream(50.0, rectified=LIF(refractory_ms=70.0))},
    "a parameter that changes": {"cells": {"up1": Tiring()}},
    "coarse steps": {**ON_OFF, "delays": {"W0": Delay(20)}, "dt_ms": 1.0},
    "a preview": {**ON_OFF, "delays": {"W0": Delay(20)}, "trial": {"max_lag_ms": 10, "lag_ms": -10}},
}


@pytest.mark.parametrize("model", MODELS)
def test_where_neurons_rest_a_trial_does_not_depend_on_the_one_before(model):
    options = dict(MODELS[model])
    trial = Trial(**VOLLEYS, silence_ms=0, rests=True, **options.pop("trial", {}))
    spiking = Spiking(trial=trial, **options)
    alone, second = play(export(1, spiking)), play(export(2, spiking))
    for name in ("output", *NAMES):
        assert np.abs(alone[name]).max() > 1e-4, name
        assert difference(second[name], alone[name], name) < 1e-12


def test_a_pool_does_not_see_the_trial_before_where_neurons_rest():
    """Each trial in a segment of its own begins with empty sums."""
    trial = Trial(**VOLLEYS, silence_ms=0, rests=True)
    found = []
    for n_trials in (1, 2):
        motif = paper_sal([5, 4, 3], eta=0.5, gain_V=1.0, loss="mse").replace(
            "W0", rule="eta * pre * post / (0.1 + mean(post**2))", parameters={"eta": 0.1}
        )
        net = cs.export_brian2(
            cs.compile(motif, seed=1, device="cpu", dtype="float64"), mode="spiking", target="numpy",
            n_trials=n_trials, spiking=Spiking(trial=trial, mean_trials=2),
        )  # fmt: skip
        before = net.weights("W0")
        net.fit((X, np.eye(3)[Y]), samples=2, progress=False)
        found.append(net.weights("W0") - before)
    assert np.abs(found[0]).max() > 1e-3
    np.testing.assert_array_equal(found[0], found[1])


def test_a_script_drops_the_spikes_of_the_trial_before_too(tmp_path):
    trial = Trial(**VOLLEYS, silence_ms=0, rests=True)
    net = export(2, Spiking(trial=trial, **MODELS["delays"]))
    path = net.export_script(tmp_path / "trials.py", X, Y)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    play(net, learns=(1, 1))
    with np.load(tmp_path / "trials_results.npz") as results:
        for name in NAMES:
            assert np.isfinite(results[f"w_{name}"]).all()
            assert np.array_equal(results[f"w_{name}"], net.blueprint.wires[name].variables["w"]), name


@pytest.mark.slow  # compiles for a minute
def test_a_program_does_so_too(tmp_path):
    model = {**MODELS["delays"], **MODELS["a refractory period"]}
    spiking = Spiking(trial=Trial(**VOLLEYS, silence_ms=0, rests=True), **model)
    here, there = play(export(2, spiking)), play(export(2, spiking, "cpp_standalone"))
    for name in ("output", *NAMES):
        assert difference(there[name], here[name], name) < 1e-9


def test_a_shuffled_error_is_that_of_the_trial_before_also_where_neurons_rest():
    for rests in (False, True):
        spiking = Spiking(trial=Trial(**VOLLEYS, silence_ms=0, rests=rests))
        first, other, again = (play(export(2, spiking, shuffled=True), y=np.array(y)) for y in ([0, 2], [1, 2], [0, 1]))
        assert np.abs(first["W1"] - other["W1"]).max() > 1e-2
        assert np.array_equal(first["W1"], again["W1"])  # the target of the last trial is for the one after it


def everywhere(ms: float, **options) -> Spiking:
    """Pairs of neurons with one delay in all projections."""
    return Spiking(coding="on_off", delays=dict.fromkeys((*NAMES, "V2"), Delay(ms)), **options)


def test_windows_wait_for_the_spikes_under_way():
    trial = export(1, everywhere(20, trial=Trial(**VOLLEYS, silence_ms=10))).spiking.course
    assert (trial.ascending_delay_ms, trial.descending_delay_ms) == (40, 40)  # W0, W1; Wt1, V1
    assert trial.lag == trial.read_ms == 90 and trial.length_ms == 90 + 30 + 40 + 10
    windows = {name: np.flatnonzero(on) for name, on in trial.windows(1, np.random.default_rng(0)).items()}
    assert {name: (on[0], on[-1] + 1) for name, on in windows.items()} == {
        "ascends": (0, 50), "reads": (0, 90), "descends": (90, 120)
    }  # fmt: skip
    one = {"W0": Delay(2.5, 7), "Vt1": Delay(0, 6)}  # 13 ms, to the next plasticity step
    assert export(1, Spiking(coding="on_off", delays=one)).spiking.course.ascending_delay_ms == 14
    with pytest.raises(cs.ParameterError, match=r"lag_ms=50, .* before the output, .* is known \(90 ms\)"):
        export(1, everywhere(20, trial=Trial(lag_ms=50)))


@pytest.mark.parametrize("options", [{}, {"descending": "jacobian"}])
def test_a_trial_teaches_the_same_with_delays(options):
    """But for what changes within the trial, which small rates keep small."""
    trial, options = Trial(**VOLLEYS, silence_ms=100), {"eta": 1e-6, "gamma": 0.0, **options}
    straight, late = (play(export(1, everywhere(ms, trial=trial), **options), learns=(1,)) for ms in (0, 20))
    assert np.array_equal(late.pop("output"), straight.pop("output"))
    for name in NAMES:
        largest = np.abs(straight[name]).max()
        assert largest > 1e-8, name
        np.testing.assert_allclose(late[name], straight[name], rtol=0, atol=0.01 * largest, err_msg=name)


def test_a_trial_with_a_loop_of_populations_can_be_exported():
    motif = paper_sal([5, 4, 3], trace=None, loss="mse")
    motif.add(cs.Population("inhibitory", 2, activation="relu"))
    motif.connect("up1", "inhibitory", name="to"), motif.connect("inhibitory", "up1", name="back", delay=1)
    circuit = cs.compile(motif, device="cpu", dtype="float64")
    net = cs.export_brian2(
        circuit, mode="spiking", target="numpy", n_trials=1, spiking=Spiking(coding="on_off", delays={"to": Delay(6)})
    )  # fmt: skip
    assert net.spiking.course.ascending_delay_ms == 6 and np.isfinite(net.predict(X)).all()


def test_delays_of_what_is_not_exported_do_not_matter():
    spiking = Spiking(coding="on_off", trial=Trial(silence_ms=0), delays={"V1": Delay(20)})
    motif = paper_sal([5, 4, 3], trace=None, loss="mse")
    net = cs.export_brian2(
        cs.compile(motif, device="cpu"), mode="spiking", target="numpy", n_trials=1, spiking=spiking, plastic=False
    )  # fmt: skip
    assert net.spiking.course.descending_delay_ms == 0


def test_one_number_is_the_delay_of_every_synapse():
    net = export(1, Spiking(coding="on_off", delays={"W0": Delay(5)}))
    assert (net.blueprint.wires["W0"].delays_ms == 5.0).all()
    assert Delay(5) == Delay(5.0) and (Delay(5).shortest, Delay(5).longest) == (5, 5)
    spread = export(1, Spiking(coding="on_off", delays={"W0": Delay(5, 7)})).blueprint.wires["W0"].delays_ms
    assert spread.min() >= 5 and spread.max() <= 7 and len(np.unique(spread)) > 2


def test_what_is_compiled_in_cannot_be_set():
    net = export(1, Spiking(trial=Trial(silence_ms=20), cells={"down1": OnOffPair()}, delays={"V1": Delay(20)}))
    before = net.spiking
    for changes, message in (
        ({"silence_ms": 30}, "length_ms from 140.0 to 150.0"),
        ({"ascending_ms": 40, "descending_ms": 60}, "ascending_ms from 50.0 to 40"),
        ({"descending_ms": 40, "silence_ms": 30}, "descending_ms from 50.0 to 40"),
        ({"rests": True}, "rests from False to True"),
        ({"descending_delay_ms": 10, "silence_ms": 30}, "descending_delay_ms from 20.0 to 10"),
        ({"lag": 20}, "Trial has no field 'lag'"),
    ):
        with pytest.raises(cs.ParameterError, match=message):
            net.set_trial(**changes)
        assert net.spiking == before
    net.set_trial(lag_ms=60, silence_ms=10)
    assert net.spiking.trial.lag == 60


def taught(rule: str, signals=None, **given) -> dict[str, np.ndarray]:
    """The changes of W1 in two trials, where its rule is as given."""
    motif = paper_sal([5, 4, 3], eta=1e-3, gain_W=2.0, gain_V=1.0, trace=None, loss="mse")
    motif.add(*(cs.Signal(name) for name in signals or ()))
    motif = motif.replace("W1", rule=cs.Rule(rule, eta=1e-3))
    circuit = cs.compile(motif, seed=1, device="cpu", dtype="float64")
    trial = Trial(**VOLLEYS, silence_ms=20, rests=True)
    net = cs.export_brian2(circuit, mode="spiking", target="numpy", n_trials=2, spiking=Spiking(trial=trial))
    before = net.weights("W1")
    shown = net._samples(X, Y, signals)
    net._segment(shown, np.arange(2), np.ones(2), np.ones(2), [0, 0])
    return net.weights("W1") - before


def test_a_signal_is_that_of_the_sample_and_of_the_time_in_its_trial():
    plain = taught("eta * I_V2 * pre")
    assert np.abs(plain).max() > 1e-6
    rule = "eta * reward * I_V2 * pre"
    np.testing.assert_allclose(taught(rule, {"reward": np.ones(2)}), plain, rtol=1e-9)
    first, second = (taught(rule, {"reward": one}) for one in ([2.0, 0.0], [0.0, 2.0]))
    assert np.abs(first).max() > 1e-6 and np.abs(second - first).max() > 1e-6
    np.testing.assert_allclose(first + second, 2 * plain, rtol=0, atol=0.01 * np.abs(plain).max())  # but for learning
    over_time = np.zeros((2, 100))
    over_time[:, :70] = 1.0
    early, late = (taught(rule, {"reward": part}) for part in (over_time, 1.0 - over_time))
    assert min(np.abs(early).max(), np.abs(late).max()) > 1e-7
    np.testing.assert_allclose(early + late, plain, rtol=0, atol=0.01 * np.abs(plain).max())


def test_signals_are_played_by_fit_and_by_scripts_and_do_not_matter_to_predictions(tmp_path):
    motif = paper_sal([5, 4, 3], trace=None, loss="mse")
    motif.add(cs.Signal("reward"))
    motif = motif.replace("W1", rule=cs.Rule("eta * reward * I_V2 * pre", eta=0.1))
    circuit = cs.compile(motif, seed=1, device="cpu", dtype="float64")
    net = cs.export_brian2(circuit, mode="spiking", target="numpy", n_trials=2)
    before = net.weights("W1")
    assert np.isfinite(net.predict(X)).all()
    net.fit((X, Y), samples=2, signals={"reward": [0.0, 0.0]}, progress=False)
    assert np.array_equal(net.weights("W1"), before)
    path = net.export_script(tmp_path / "reward.py", X, Y, signals={"reward": [1.0, -1.0]})
    assert "reward" in path.read_text()
    net.fit((X, Y), samples=2, signals={"reward": [1.0, -1.0]}, progress=False)
    assert np.abs(net.weights("W1") - before).max() > 1e-4
    for given, message in (
        ({}, r"given for \[\], needed for \['reward'\]"),
        ({"rewards": [1, 1]}, r"given for \['rewards'\], needed for \['reward'\]"),
        ({"reward": [1, 1, 1]}, r"shape \[3\], needs \[2\], .* or \[2, 140\]"),
        ({"reward": [1, np.inf]}, "not finite"),
    ):
        with pytest.raises(cs.DataError, match=message):
            net.fit((X, Y), samples=2, signals=given, progress=False)
