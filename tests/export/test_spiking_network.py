"""The exported spiking network is the one that was declared."""

import os
import subprocess
import sys

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.export import (
    LIF,
    Delay,
    IntegrateAndFire,
    Poisson,
    SaturationWarning,
    SignedIntegrateAndFire,
    Spiking,
    SpikingNetwork,
    Stream,
    Trial,
)
from motifs import paper_sal, sal
from tests.export import spiking_reference
from tests.export.sameness import difference

pytest.importorskip("brian2")

NAMES = ("W0", "W1", "Wt1", "V1", "Vt1")
SHORT = Spiking(trial=Trial(ascending_ms=20, descending_ms=20, silence_ms=10), dt_ms=1.0)


def circuit(seed: int = 1, **options) -> cs.Circuit:
    options = {"eta": 0.5, "gamma": 0.02, "gain_V": 1.0, "gain_W": 2.0, **options}
    return cs.compile(
        paper_sal([5, 4, 3], **{"trace": None, "loss": "mse", **options}), seed=seed, device="cpu", dtype="float64"
    )


def samples(n: int = 4):
    rng = np.random.default_rng(0)
    return rng.random((n, 5)), rng.integers(0, 3, n)


def export(c: cs.Circuit, **options) -> SpikingNetwork:
    return cs.export_brian2(c, mode="spiking", **{"target": "numpy", "n_trials": 2, "spiking": SHORT, **options})


def test_it_does_what_its_equations_say_in_numpy():
    c = circuit()
    net = export(c, spiking=Spiking(), n_trials=3)
    weights = [net.weights(name) for name in NAMES]
    before = [w.copy() for w in weights]
    eta = [float(c.parameters(name)["eta"]) for name in NAMES]
    gamma = [float(c.parameters(name)["gamma"]) for name in NAMES]
    x, y = samples(3)
    order = np.random.default_rng([0, 0]).permutation(3)
    net.fit((x, y), samples=3, progress=False)
    spiking_reference.run(weights, spiking_reference.paper(eta, gamma), x[order], np.eye(3)[y[order]])
    for name, expected, start in zip(NAMES, weights, before, strict=True):
        assert np.abs(expected - start).max() > 1e-4
        assert difference(net.weights(name), expected, name) < 1e-9


def one_layer(trace: str | None = None, gain: float = 1.0, weight: float = 0.3) -> SpikingNetwork:
    motif = cs.Motif("one layer")
    motif.add(cs.Population("x", 5, trace=trace), cs.Population("y", 3), cs.Population("e", 3, "descending"))
    motif.add(cs.Objective("y", "e", "mse"), cs.Phase("only", soma={"W": gain}))
    motif.connect("x", "y", name="W", init=cs.Constant(weight), rule=cs.Rule("eta * I_E * pre", eta=0.5))
    motif.connect(
        "e", "y", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity(), plastic=False
    )
    return export(cs.compile(motif, device="cpu", dtype="float64"))


def taught(net: SpikingNetwork, weight: float = 0.3) -> np.ndarray:
    x, y = samples(1)
    net.fit((x, y), samples=1, progress=False)
    assert np.abs(net.weights("W") - weight).max() > 1e-3
    return net.weights("W") - weight


@pytest.mark.parametrize("gain", [2.0, -1.0])
def test_the_gain_of_a_phase_multiplies_what_spikes_deliver(gain):
    net, stronger = one_layer(gain=gain), one_layer(weight=0.3 * gain)
    x, _ = samples(1)
    np.testing.assert_allclose(net.predict(x), stronger.predict(x), rtol=1e-12)
    np.testing.assert_allclose(net.predict(x), gain * one_layer().predict(x), rtol=1e-12)
    np.testing.assert_allclose(taught(net), taught(stronger, 0.3 * gain), rtol=1e-9)


@pytest.mark.parametrize("factor", [3.0, -1.0])
def test_a_number_in_a_trace_multiplies_what_rules_see(factor):
    np.testing.assert_allclose(taught(one_layer(f"{factor} * activity")), factor * taught(one_layer()), rtol=1e-9)


def test_v_and_vt_of_a_pair_change_alike_even_where_neurons_saturate():
    net = export(circuit(gamma=0.0, eta_V=1.0, gain_W=60.0))
    before = [net.weights(name) for name in ("V1", "Vt1")]
    x, y = samples()
    with pytest.warns(SaturationWarning, match="'up1'"):
        net.fit((x, y), samples=4, progress=False)
    of_V, of_Vt = (net.weights(name) - start for name, start in zip(("V1", "Vt1"), before, strict=True))
    assert np.isfinite(of_V).all() and np.abs(of_V).max() > 1e-3
    np.testing.assert_allclose(of_V, of_Vt.T, rtol=0, atol=1e-12 * np.abs(of_V).max())


def normalised(**options) -> cs.Circuit:
    options = {"eta": 8.0, "few": 3.0, "gamma": 0.5, "tau": 20.0, "gain_V": 1.0, "cap": 0.7, "gain": 2.0, **options}
    return cs.compile(sal([5, 4, 3], loss="mse", **options), seed=1, device="cpu", dtype="float64")


def means_of(net: SpikingNetwork) -> dict[str, float]:
    groups = net.blueprint.neurons.values()
    return {f"{n.name}.{k}": float(n.variables[k].item()) for n in groups for k in n.lasting}


def test_means_average_over_neurons_and_the_last_trials_also_those_of_the_segment_before():
    net = export(normalised(), spiking=Spiking(mean_trials=3), n_trials=3)
    weights = [net.weights(name) for name in NAMES]
    before = [w.copy() for w in weights]
    rules = spiking_reference.normalised(8.0, 0.5, 20.0, 2.0, 0.7, 3.0, (5, 4, 3))
    x, y = samples(6)
    order = np.random.default_rng([0, 0]).permutation(6)
    net.fit((x, y), samples=6, progress=False)
    M = None
    for rows in (order[:3], order[3:]):
        _, M = spiking_reference.run(weights, rules, x[rows], np.eye(3)[y[rows]], M, mean_trials=3)
    for name, expected, start in zip(NAMES, weights, before, strict=True):
        assert np.abs(expected - start).max() > 1e-3
        assert difference(net.weights(name), expected, name) < 1e-9
    found, after = means_of(net), dict(zip(("e", "b", "x0", "D", "x1"), means_of(net).values(), strict=True))
    assert list(found) == [
        "down2_mean.mean_0",
        "down1_mean.mean_0",
        "up0_mean.mean_0",
        "up1_mean.mean_0",
        "up1_mean.mean_1",
    ]
    assert after == pytest.approx(M, rel=1e-9) and max(M.values()) < 0.9
    net.predict(x)
    assert means_of(net) == found


@pytest.mark.slow  # compiles every piece of code by itself: minutes, the first time
def test_cython_does_what_numpy_does():
    x, y = samples(2)
    numpy, cython = (export(circuit(), target=target) for target in ("numpy", "cython"))
    before = {name: numpy.weights(name) for name in NAMES}
    for net in (numpy, cython):
        net.fit((x, y), samples=2, progress=False)
    for name in NAMES:
        assert np.abs(numpy.weights(name) - before[name]).max() > 1e-4
        assert difference(cython.weights(name), numpy.weights(name), name) < 1e-12


def test_outputs_are_read_without_plasticity():
    c = circuit()
    net = export(c, spiking=Spiking(), n_trials=2)
    x, _ = samples(3)
    weights = [net.weights(name) for name in NAMES]
    rules = spiking_reference.paper([0] * 5, [0] * 5)
    parts = (x[:2], x[[2, 2]])  # a segment begins at rest
    expected = np.concatenate([spiking_reference.run(weights, rules, part, np.zeros((2, 3)))[0] for part in parts])
    found = net.predict(x)
    assert np.abs(expected).max() > 0.1
    assert difference(found, expected[:3], "outputs") < 1e-9
    assert all(np.array_equal(net.weights(name), w) for name, w in zip(NAMES, weights, strict=True))


def test_the_script_runs_without_circuitsim_and_gives_the_same(tmp_path):
    c = circuit()
    spiking = Spiking(coding="on_off", delays={"V1": Delay(1, 6)}, trial=SHORT.trial)
    net = export(c, spiking=spiking, n_trials=4)
    x, y = samples(4)
    path = net.export_script(tmp_path / "handed_on.py", x, y)
    assert "circuitsim" not in path.read_text().replace("Written by circuitsim", "")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    order = np.random.default_rng([0, 0]).permutation(4)
    net.fit((x[np.argsort(order)], y[np.argsort(order)]), samples=4, progress=False)  # shown in the order of x
    with np.load(tmp_path / "handed_on_results.npz") as results:
        for name in NAMES:
            assert np.isfinite(results[f"w_{name}"]).all()
            assert np.array_equal(results[f"w_{name}"], net.blueprint.wires[name].variables["w"]), name


def test_a_closed_gate_lets_nothing_pass_in_a_script_either(tmp_path):
    """Before the first spike the trace is 0, and is divided by."""
    rule = cs.Rule(
        "eta * (slope_post * (pre > 0.01) * I_V1 / pre * where(pre, 0.01, 1 / pre) - gamma * w)", eta=1.0, gamma=0.1
    )
    motif = paper_sal([5, 4, 3], trace=None, loss="mse", gain_V=1.0).replace("W0", rule=rule)
    net = export(cs.compile(motif, seed=1, device="cpu", dtype="float64"), n_trials=4)
    x, y = samples(4)
    before = net.weights("W0")
    path = net.export_script(tmp_path / "gates.py", x, y)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    order = np.random.default_rng([0, 0]).permutation(4)
    net.fit((x[np.argsort(order)], y[np.argsort(order)]), samples=4, progress=False)
    assert np.isfinite(net.weights("W0")).all() and np.abs(net.weights("W0") - before).max() > 1e-4
    with np.load(tmp_path / "gates_results.npz") as results:
        assert np.array_equal(results["w_W0"], net.blueprint.wires["W0"].variables["w"])


def test_a_parameter_may_have_any_name():
    changes = {}
    for names in (("eta", "rate"), ("t", "delay_ms"), ("η", "lastspike")):
        rule = cs.Rule(f"{names[0]} * I_V1 * pre - {names[1]} * w", **{names[0]: 0.5, names[1]: 0.02})
        motif = paper_sal([5, 4, 3], trace=None, loss="mse", gain_V=1.0).replace("W0", rule=rule)
        net = export(cs.compile(motif, seed=1, device="cpu", dtype="float64"))
        net.set_parameter(f"W0.{names[0]}", 0.4)
        before = net.weights("W0")
        net.fit(samples(2), samples=2, progress=False)
        changes[names] = net.weights("W0") - before
    first, *others = changes.values()
    assert np.abs(first).max() > 1e-3
    assert all(np.array_equal(first, other) for other in others)


def test_numbers_of_numpy_write_the_same_code():
    def written(kind, whole):
        lif = LIF(tau_ms=kind(20), bias=kind(0.5), gain=kind(2), refractory_ms=kind(2))
        trial = Trial(kind(20), kind(30), kind(10), lag_ms=kind(25), max_lag_ms=kind(40), jitter_ms=kind(3))
        spiking = Spiking(
            Stream(kind(50), kind(5), rectified=lif), Stream(kind(10), spikes_per_unit=kind(2)), coding="on_off",
            inputs=IntegrateAndFire(kind(1), floor=kind(-1)), trial=trial, delays={"V1": Delay(kind(1), kind(2))},
            rate_hz=kind(100), dt_ms=kind(1), rule_every_ms=kind(2), fired_above=kind(0.25),
        )  # fmt: skip
        net = export(circuit(), spiking=spiking, n_trials=whole(2))
        return str(net), net.blueprint.digest()

    expected = written(float, int)
    assert "np." not in expected[0]
    assert written(np.float64, np.int64) == written(np.float32, np.int32) == expected


SEVERAL_MEANS = """
import circuitsim as cs

trace = "activity / sqrt(mean(activity**2)) - mean(activity) + activity * mean(abs(activity))"
motif = cs.Motif("m")
motif.add(cs.Population("x", 3, trace=trace), cs.Population("y", 2), cs.Population("e", 2, "descending"))
motif.add(cs.Objective("y", "e", "mse"))
motif.connect("x", "y", name="W", rule=cs.Rule("eta * post * pre", eta=0.1))
circuit = cs.compile(motif, device="cpu", dtype="float64")
print(cs.export_brian2(circuit, mode="spiking", target="numpy").blueprint.digest())
"""


def test_every_process_makes_the_same_network():
    """Python orders sets differently in each. Otherwise a run could not be resumed in another process."""
    digests = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SEVERAL_MEANS], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in "024"
    }  # fmt: skip
    assert len(digests) == 1


@pytest.mark.parametrize("make", [circuit, normalised])
def test_a_run_that_is_resumed_is_the_same_run(make, tmp_path):
    x, y = samples(4)
    whole, first, second = (export(make()) for _ in range(3))
    history = whole.fit((x, y), samples=6, progress=False)
    file = tmp_path / "run"

    def stop(net, done, history):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first.fit((x, y), samples=6, progress=False, checkpoint=file, probe=stop)
    with pytest.raises(cs.ParameterError, match="resume=True"):
        second.fit((x, y), samples=6, progress=False, checkpoint=file)
    again = second.fit((x, y), samples=6, progress=False, checkpoint=file, resume=True)
    assert all(np.array_equal(whole.weights(name), second.weights(name)) for name in NAMES)
    assert means_of(whole) == means_of(second)
    assert again.rows == history.rows and again.records.keys() == history.records.keys() == {"weights"}
    for (step, weights), (same, expected) in zip(again.records["weights"], history.records["weights"], strict=True):
        assert step == same and weights.keys() == expected.keys()
        assert all(np.array_equal(weights[name], expected[name]) for name in NAMES)
    assert [step for step, _ in again.records["weights"]] == [0, 2, 4, 6]


def test_a_checkpoint_of_another_run_or_kind_is_refused(tmp_path):
    (x, y), file = samples(4), tmp_path / "run"
    export(circuit()).fit((x, y), samples=np.int64(2), seed=np.int64(0), progress=False, checkpoint=file)
    sound = file.read_bytes()
    for content, n, message in (
        (sound, 4, "belongs to a run with other samples"),
        (sound.replace(b"run 3", b"run 1"), 2, "format is 'circuitsim spiking run 1', but this version reads"),
        (sound.replace(b"now/W0", b"now/W9"), 2, "no checkpoint of a spiking run .*now/W0"),
        (sound[:-8], 2, "no checkpoint of a spiking run"),
        (b"hello", 2, "no checkpoint of a spiking run"),
    ):
        file.write_bytes(content)
        net = export(circuit())
        before = net.weights("W0")
        with pytest.raises(cs.ArchiveError, match=message):
            net.fit((x, y), samples=n, progress=False, checkpoint=file, resume=True)
        assert np.array_equal(net.weights("W0"), before)


def test_a_resumed_run_notices_other_data_schedules_and_fixed_weights(tmp_path):
    (x, y), file = samples(4), tmp_path / "run"
    export(circuit()).fit((x, y), samples=2, progress=False, checkpoint=file)
    written, fixed = file.read_bytes(), circuit()
    fixed.set_weights("V2", 2 * fixed.weights("V2"))
    for given, data, options, message in (
        (circuit(), (x / 2, y), {}, "other data;"),
        (circuit(), (x, y[::-1].copy()), {}, "other data;"),
        (circuit(), (x, y), {"schedule": lambda progress: 1 - progress}, "other schedule;"),
        (fixed, (x, y), {}, "other fixed weights;"),
        (circuit(seed=2), (x, y), {}, "other circuit's seed;"),
    ):
        with pytest.raises(cs.ArchiveError, match=message):
            export(given).fit(data, samples=2, progress=False, checkpoint=file, resume=True, **options)
    with pytest.raises(cs.ParameterError, match="resume=True needs the checkpoint"):
        export(circuit()).fit((x, y), samples=2, progress=False, resume=True)
    with pytest.raises(cs.ParameterError, match="resume must be True or False .got 'no'."):
        export(circuit()).fit((x, y), samples=2, progress=False, resume="no")
    with pytest.raises(cs.ParameterError, match="learns must be True or False .got 'no'."):
        export(circuit()).watch(x, y, learns="no")
    assert file.read_bytes() == written
    export(circuit()).fit((x, y), samples=2, progress=False, checkpoint=file, resume=True)


def test_a_second_run_on_a_checkpoint_is_refused_while_the_first_lives(tmp_path):
    data, refused = samples(4), []

    def second(net, done, history):
        with pytest.raises(cs.ArchiveError, match="is in use by another run"):
            export(circuit()).fit(data, samples=2, progress=False, checkpoint=tmp_path / "run", resume=True)
        refused.append(done)

    export(circuit()).fit(data, samples=2, progress=False, checkpoint=tmp_path / "run", probe=second)
    assert refused == [0, 2]


def test_a_schedule_is_only_asked_for_progress_below_1_and_must_reach_a_rate():
    seen = []
    export(circuit()).fit(samples(4), samples=3, progress=False, schedule=lambda p: seen.append(p) or (1 - p) ** 0.5)
    assert max(seen) < 1 and {0, 1 / 3, 2 / 3} <= set(seen)
    still = circuit()
    still.freeze(*(p.name for p in still.motif.projections if p.is_plastic))
    with pytest.raises(cs.ParameterError, match="schedule multiplies parameters called eta, but no projection of"):
        export(still).fit(samples(4), samples=2, progress=False, schedule=lambda p: 1.0)
    with pytest.raises(cs.ParameterError, match="fit: probe must be a function of .network, trials done, history."):
        export(circuit()).fit(samples(4), samples=2, progress=False, probe=3)


def test_classes_out_of_range_are_told_as_a_circuit_tells_them():
    x, _ = samples(4)
    with pytest.raises(cs.DataError, match=r"target of 'up2': classes must be in 0 .. 2 \(got 1 .. 3\): .* subtract 1"):
        export(circuit()).fit((x, np.array([1, 2, 3, 1])), samples=2, progress=False)
    with pytest.raises(cs.DataError, match="target of 'up2': 1 of 4 entries is masked"):
        export(circuit()).fit((x, np.ma.array([0, 1, 2, 1], mask=[0, 0, 0, 1])), samples=2, progress=False)
    with pytest.raises(cs.DataError, match="input 'up0': 1 of .* entries is masked"):
        export(circuit()).predict(np.ma.masked_equal(x, x[0, 0]))


def test_weights_come_back_at_chosen_times_into_a_history_and_a_circuit():
    net = export(circuit())
    x, y = samples(4)
    history = net.fit((x, y), samples=4, progress=False)
    kept = history.records["weights"]
    assert [done for done, _ in kept] == [0, 2, 4]
    back, then = cs.circuit_from_brian2(net), cs.circuit_from_brian2(net, kept[1][1])
    for name in NAMES:
        assert np.array_equal(back.weights(name)[0].numpy(), net.weights(name))
        assert np.array_equal(then.weights(name)[0].numpy(), kept[1][1][name])
        assert not np.array_equal(kept[1][1][name], kept[2][1][name])
    with pytest.raises(cs.DataError, match=r"target of 'up2'.*needs \[batch, 3\].*one-hot: numpy.eye\(3\)\[target\]"):
        cs.alignment(back, x, y)
    table = cs.alignment(back, x, np.eye(3)[y])
    assert np.isfinite(table[table.quantity == "mirror_cosine"].value).all()


@pytest.mark.parametrize("mode", ["rate", "spiking"])
def test_synapses_that_were_pruned_do_not_come_back(mode):
    c = circuit()
    c.prune("W0", 0.5)
    net = cs.export_brian2(c, mode=mode, target="numpy")
    back = cs.circuit_from_brian2(net)
    assert 0 < int(c.mask("W0").sum()) < 20 and np.array_equal(net.exists("W0"), c.mask("W0")[0])
    assert np.array_equal(back.mask("W0"), c.mask("W0"))
    x, y = samples(4)
    for circuit_ in (back, c):
        circuit_.step(x, np.eye(3)[y])
    for name in NAMES:
        assert difference(back.weights(name)[0].numpy(), c.weights(name)[0].numpy(), name) < 1e-12
    assert not (back.weights("W0")[0].numpy()[~net.exists("W0")]).any()


def test_weights_and_parameters_that_do_not_fit_are_refused():
    motif = paper_sal([5, 4, 3], trace=None, loss="mse")
    motif = motif.replace("W0", bounds=(0.0, 1.0), init=cs.Uniform(0.0, 1.0), connectivity=cs.Edges([0, 1], [2, 0]))
    net = export(cs.compile(motif, device="cpu", dtype="float64"))
    before, good = net.weights("W0"), np.where(net.exists("W0"), 0.25, 0.0)
    for weights, message in (
        (good + 1, r"given where there is no synapse: 18 of 20 entries, the first \(1\) at .*\[0, 0, 0\]"),
        (good * 5, r"outside the bounds \(0.0, 1.0\): 2 of 20 entries, the first \(1.25\) at .*\[0, 0, 1\]"),
        (good * np.nan, r"20 of 20 entries are not finite .* the first \(nan\)"),
        (good.T, r"shape \(5, 4\), needs .* or \(4, 5\)"),
        ("heavy", "must be an array of numbers"),
        (good.astype(str), "weights must be an array of numbers, but 20 of 20 entries are not"),
        (np.ma.masked_equal(good, 0.25), r"2 of 20 entries are not finite"),
    ):
        with pytest.raises(cs.ParameterError, match=message):
            net.set_weights("W0", weights)
        assert np.array_equal(net.weights("W0"), before)
    net.set_weights("W0", good)
    assert np.array_equal(net.weights("W0"), good)
    for path, value, message in (
        ("W0.eta", "fast", "must be a finite number"), ("W0.eta", np.nan, "must be a finite number"),
        ("W0.etta", 0.1, r"no parameter 'W0.etta' .*known: W0.eta, W0.gamma"), ("W9.eta", 0.1, "no parameter 'W9.eta'"),
    ):  # fmt: skip
        with pytest.raises(cs.ParameterError, match=message):
            net.set_parameter(path, value)
    with pytest.raises(cs.ParameterError, match="'W9'"):
        net.set_weights("W9", good)


def test_a_pair_of_on_and_off_neurons_has_no_negative_spikes():
    net = export(circuit(), spiking=Spiking(coding="on_off", trial=SHORT.trial))
    spikes = net.watch(*samples(2)).spikes
    counts = spikes.groupby(["population", "event"]).size()
    assert counts["down2", "spike"] > 0 and counts["down2", "off"] > 0 and ("up1", "off") not in counts
    assert spikes.time_ms.between(0, 2 * 50).all()


def test_trials_are_recorded():
    net = export(circuit())
    net.record(v=["up1"], neurons=[2, 0])
    net.record(w=["W1"], every_ms=10)
    weights = net.weights("W1")
    recording = net.watch(*samples(2), learns=False)
    spikes, v = recording.spikes, recording.table("up1", "v")
    assert v.columns.tolist() == [2, 0] and v.index[0] == 0 and len(v) == 2 * 50 and v.max().max() < 1
    for neuron in v:
        times = spikes.time_ms[(spikes.population == "up1") & (spikes.neuron == neuron)]
        assert len(times) and (v.loc[times, neuron] == 0).all()  # at the end of the step, after the reset
    w = recording.table("W1", "w")
    assert w.index.tolist() == list(range(0, 100, 10))
    assert all((w[post, pre] == weights[post, pre]).all() for post, pre in w)
    rates = recording.rates(every_ms=20, populations=["up0", "up1"])
    assert rates.index.tolist() == [0, 20, 40, 60, 80]
    for k, start in enumerate(rates.index):
        within = spikes[(spikes.population == "up0") & (spikes.time_ms >= start) & (spikes.time_ms < start + 20)]
        assert rates["up0"].iloc[k] == pytest.approx(1e3 * len(within) / (20 * recording.sizes["up0"]))
    assert rates["up0"].sum() > 0
    for arguments, message in (({"every_ms": 101}, "longer than the run of 100 ms"), ({"every_ms": 0}, "positive")):
        with pytest.raises(cs.ParameterError, match=message):
            recording.rates(**arguments)
    with pytest.raises(cs.ParameterError, match="'up9' sends no spikes"):
        recording.rates(populations=["up9"])


def test_progress_is_reported_within_a_segment():
    net, told = export(circuit()), []
    b, played = net._once(net._samples(*samples(2)), True, 0)
    net._player.play(b, played, 0, told.append)
    assert told[0] == 0 and told[-1] == 1 and told == sorted(told)


@pytest.mark.slow  # compiles for a minute
def test_a_program_is_built_once_and_does_the_same(tmp_path, monkeypatch):
    x, y = samples(4)
    here = export(circuit())
    here.fit((x, y), samples=4, progress=False)
    for seed in (0, 1):
        there, told = export(circuit(), target="cpp_standalone", directory=tmp_path / "program"), []
        play = there._player.play
        monkeypatch.setattr(there._player, "play", lambda *args: play(*args[:3], told.append))  # noqa: B023
        there.fit((x, y), samples=4, progress=False)
        assert told[0] == min(told) == 0 and told[-1] == max(told) == 1 and len(set(told)) > 25  # in each segment
        for name in NAMES:
            assert difference(there.weights(name), here.weights(name), name) < 1e-9, seed
    assert not list((tmp_path / "program").glob("*/run_*"))
    note = next((tmp_path / "program").glob("*/circuitsim.json"))
    assert "defaultclock" not in note.with_name("main.cpp").read_text().split("network.add")[-1]  # finer than dt
    note.write_text(note.read_text().replace(note.parent.name, "0" * 16))
    with pytest.raises(cs.ParameterError, match="holds another network"):
        there.predict(x)


def test_a_negative_input_needs_neurons_that_can_say_so():
    with pytest.raises(cs.DataError, match="population 'up0': its neurons cannot fire at a negative rate"):
        export(circuit()).predict(-samples(2)[0])
    found = export(circuit(), spiking=Spiking(inputs=SignedIntegrateAndFire(1.0), trial=SHORT.trial)).predict(
        -samples(2)[0]
    )
    assert np.isfinite(found).all() and np.abs(found).max() > 0


def test_random_spikes_come_from_the_seed():
    spiking = Spiking(inputs=Poisson(), trial=SHORT.trial, dt_ms=1.0)
    net = export(circuit(), spiking=spiking)
    x, _ = samples(2)
    first, same, other = (net.predict(x, seed=seed) for seed in (0, 0, 1))
    assert np.isfinite(first).all() and np.array_equal(first, same) and not np.array_equal(first, other)


def test_a_converted_circuit_says_what_the_rates_said():
    """With linear neurons, and volleys long enough to count spikes in, the mean drive is that of the rate circuit."""
    c = circuit(gain_W=1.0, trace="activity / sqrt(mean(activity**2) + 1e-6)")  # which no spiking rule could read
    linear = IntegrateAndFire(floor=float("-inf"))
    spiking = Spiking(
        ascending=Stream(50.0, rectified=linear), inputs=linear, rate_hz=200.0, dt_ms=1.0,
        trial=Trial(ascending_ms=400, silence_ms=20, rests=True),
    )  # fmt: skip
    net = export(c, spiking=spiking, plastic=False)
    assert set(net.blueprint.neurons) == {"up0", "up1", "up2"} and not any(
        w.learns for w in net.blueprint.wires.values()
    )
    x, _ = samples(2)
    expected = c.predict(x)[0].numpy()
    assert np.abs(expected).max() > 0.2
    assert np.abs(net.predict(x) - expected).max() < 0.1 * np.abs(expected).max()


def test_samples_that_do_not_fit_are_refused():
    x, y = samples(3)
    net = export(circuit())
    for act, error, message in (
        (lambda: net.accuracy(x, np.eye(3)), None, ""),
        (lambda: net.accuracy(x, y[:2]), cs.DataError, "target of 'up2'"),
        (lambda: net.accuracy(x, np.full((3, 3), 0.5)), cs.DataError, "needs a target of classes"),
        (
            lambda: net.accuracy(x, ["a", "b", "c"]),
            cs.DataError,
            "target of 'up2' has dtype <U1; convert it to numbers",
        ),
        (lambda: net.predict(5), cs.DataError, r"x must be an array \[sample, input\] \(got int\)"),
        (lambda: net.fit(x, samples=2), cs.DataError, r"a pair \(x, target\) \(got ndarray\)"),
        (lambda: net.fit((x, y), samples=2.5), cs.ParameterError, "samples must be a whole number"),
        (lambda: net.fit((x, y), samples=True), cs.ParameterError, "samples must be a whole number"),
        (lambda: net.fit((x, y), samples=2, seed=-1), cs.ParameterError, "seed must be a whole number"),
        (lambda: net.fit((x, y), samples=2, schedule="cosine"), cs.ParameterError, "schedule must be a function"),
        (lambda: net.fit((x, y), samples=2, schedule=lambda p: np.nan), cs.ParameterError, "progress 0 must be a"),
        (lambda: net.fit((x, y), samples=2, checkpoint=3), cs.ParameterError, "checkpoint must be a path"),
        (lambda: net.predict(x, seed="a"), cs.ParameterError, "seed must be a whole number"),
        (lambda: net.watch(x, y, seed=0.5), cs.ParameterError, "seed must be a whole number"),
        (lambda: net.export_script("/dev/null/x.py", x, y), cs.ArchiveError, "/dev/null"),
        (lambda: export(circuit(), spiking=3), cs.ParameterError, "spiking must be a Spiking"),
        (
            lambda: export(circuit(), target="cpp_standalone", directory=3),
            cs.ParameterError,
            "directory must be a path",
        ),
        (lambda: net.fit((x, y + 1), samples=2), cs.DataError, r"classes must be in 0 .. 2 \(got 1 .. 3\)"),
    ):
        if error is None:
            assert 0 <= act() <= 1
            continue
        with pytest.raises(error, match=message):
            act()


def test_a_trace_that_no_dendrite_sees_may_be_any_function_of_the_activity():
    def learned(trace, onto, out):
        motif = cs.Motif("hebb")
        motif.add(cs.Population("x", 5), cs.Population("y", 4, activation="relu", trace=trace))
        motif.add(cs.Population("z", 3), cs.Population("e", 3, "descending"), cs.Objective("z", "e", "mse"))
        motif.connect("x", "y", name="W", rule=f"0.5 * {onto} * pre", init=cs.Gaussian(2.0))
        motif.connect("y", "z", name="U", rule=f"0.5 * {out}")
        net = export(cs.compile(motif, seed=1, device="cpu", dtype="float64"))
        before = {name: net.weights(name) for name in ("W", "U")}
        net.fit(samples(2), samples=2, progress=False)
        return {name: net.weights(name) - before[name] for name in before}

    declared, expected = learned("tanh(activity)", "post", "pre"), learned(None, "tanh(post)", "tanh(pre)")
    for name in ("W", "U"):
        assert np.abs(expected[name]).max() > 1e-3
        assert difference(declared[name], expected[name], name) < 1e-12
