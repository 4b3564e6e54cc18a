"""Rules on spikes do what the same network does when it is written by hand in Brian2, and what was published."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.export import (
    LIF,
    ContinuousNetwork,
    Delay,
    Poisson,
    SaturationWarning,
    SignedIntegrateAndFire,
    SpikeTrain,
    Spiking,
    Trial,
)
from motifs import inhibitory_stdp, paper_sal, reward_stdp, stdp, triplet_stdp

brian2 = pytest.importorskip("brian2")

N_PRE, N_POST, MS = 6, 3, 400.0
GIVEN = {"input": SpikeTrain(), "output": SpikeTrain()}


def export(motif: cs.Motif, **options) -> ContinuousNetwork:
    return cs.export_brian2(motif, mode="spiking", spiking=Spiking(trial=None, **{"cells": GIVEN, **options}), seed=3)


def trains(n: int, rate_hz: float, seed: int, late: float = 0.0, ms: float = MS) -> list[np.ndarray]:
    """Random spikes on the grid of 1 ms, or half a millisecond late, so that two populations never spike at once."""
    rng = np.random.default_rng(seed)
    return [np.flatnonzero(rng.random(int(ms)) < rate_hz / 1e3) + late for _ in range(n)]


def by_hand(model, on_pre, on_post, pre, post, w, ms=MS, before="", namespace=None, every=None):
    """Weights [post, pre] after a run of synapses with these equations between two spike generators."""
    brian2.prefs.codegen.target = "numpy"
    clock = brian2.defaultclock
    clock.dt = 0.5 * brian2.ms
    sources = [
        brian2.SpikeGeneratorGroup(
            len(given), np.repeat(np.arange(len(given)), [len(t) for t in given]), np.concatenate(given) * brian2.ms
        )
        for given in (pre, post)
    ]
    synapses = brian2.Synapses(*sources, model, on_pre=on_pre, on_post=on_post, method="exact", namespace=namespace)
    synapses.connect()
    synapses.w = w.T.ravel()
    objects = [*sources, synapses]
    if every is not None:
        objects.append(synapses.run_regularly(every, dt=2 * brian2.ms, when="end"))
    brian2.Network(*objects).run(ms * brian2.ms)
    return np.array(synapses.w).reshape(w.shape[::-1]).T


def assert_learns_as(net, expected, start, name="W"):
    found = net.weights(name)
    assert np.isfinite(found).all() and np.abs(expected - start).max() > 1e-6
    assert np.abs(found - expected).max() < 1e-12


# -- against Brian2 written by hand


def test_pair_stdp_is_the_textbook_rule():
    """With a trace for each synapse, as in Brian2's own example, and not for each neuron."""
    net = export(stdp([N_PRE, N_POST], A_plus=0.1, A_minus=0.15, tau_minus_ms=30.0, w_max=1.0))
    start, pre, post = net.weights("W"), trains(N_PRE, 60, 1), trains(N_POST, 60, 2, 0.5)
    net.run(MS, {"input": pre, "output": post})
    expected = by_hand(
        "w : 1\ndApre/dt = -Apre/(20*ms) : 1 (event-driven)\ndApost/dt = -Apost/(30*ms) : 1 (event-driven)",
        "Apre += 0.1; w = clip(w + Apost, 0, 1)",
        "Apost -= 0.15; w = clip(w + Apre, 0, 1)",
        pre, post, start,
    )  # fmt: skip
    assert_learns_as(net, expected, start)
    assert (expected == 0).any() or (expected == 1).any()  # the bounds count


def test_triplet_stdp_is_its_equations():
    net = export(triplet_stdp([N_PRE, N_POST], w_max=0.6, A2_plus=1e-3))
    start, pre, post = net.weights("W"), trains(N_PRE, 60, 3), trains(N_POST, 60, 4, 0.5)
    net.run(MS, {"input": pre, "output": post})
    traces = {"r1": 16.8, "r2": 101.0, "o1": 33.7, "o2": 125.0}
    expected = by_hand(
        "w : 1\n" + "\n".join(f"d{k}/dt = -{k}/({tau}*ms) : 1 (event-driven)" for k, tau in traces.items()),
        "w = clip(w - o1*(7e-3 + 2.3e-4*r2), 0, 0.6); r1 += 1; r2 += 1",
        "w = clip(w + r1*(1e-3 + 6.2e-3*o2), 0, 0.6); o1 += 1; o2 += 1",
        pre, post, start,
    )  # fmt: skip
    assert_learns_as(net, expected, start)


def test_inhibitory_stdp_is_its_equations():
    motif = inhibitory_stdp([2, N_POST], n_inhibitory=N_PRE, eta=0.01, target_hz=30.0)
    net = export(motif, cells=dict.fromkeys(("excitatory", "inhibitory", "output"), SpikeTrain()))
    start, pre, post = net.weights("W"), trains(N_PRE, 60, 5), trains(N_POST, 30, 6, 0.5)
    net.run(MS, {"excitatory": [[], []], "inhibitory": pre, "output": post})
    expected = -by_hand(
        "w : 1\ndx/dt = -x/(20*ms) : 1 (event-driven)\ndy/dt = -y/(20*ms) : 1 (event-driven)",
        "w = clip(w + 0.01*(y - 2*30*0.02), 0, inf); x += 1",
        "w = clip(w + 0.01*x, 0, inf); y += 1",
        pre, post, -start,
    )  # fmt: skip
    assert_learns_as(net, expected, start)
    assert (expected == 0).any()


def test_reward_modulated_stdp_is_its_equations():
    net = export(reward_stdp([N_PRE, N_POST]))
    start, pre, post = net.weights("W"), trains(N_PRE, 60, 7), trains(N_POST, 60, 8, 0.5)
    dopamine = np.exp(-np.maximum(np.arange(MS) - 100, 0) / 200) * (np.arange(MS) >= 100)
    net.run(MS, {"input": pre, "output": post}, signals={"dopamine": dopamine})
    played = brian2.TimedArray(dopamine, dt=1 * brian2.ms)
    traces = {"e": 1000.0, "x": 20.0, "y": 20.0}
    expected = by_hand(
        "w : 1\n" + "\n".join(f"d{k}_/dt = -{k}_/({tau}*ms) : 1 (clock-driven)" for k, tau in traces.items()),
        "e_ -= 0.15*y_; x_ += 1",
        "e_ += 0.1*x_; y_ += 1",
        pre, post, start, namespace={"d": played}, every="w = clip(w + 0.002*d(t)*e_, 0, 1)",
    )  # fmt: skip
    assert_learns_as(net, expected, start)


def test_a_spike_delivers_the_weight_from_before_its_own_change():
    """With membranes, currents and a delay; traces at the synapse follow the delayed spike."""
    motif = cs.Motif("delayed")
    motif.add(cs.Population("input", N_PRE), cs.Population("output", N_POST, activation="relu"))
    traces = {"a": cs.State(tau_ms=20, on="spike_pre"), "b": cs.State(tau_ms=30, on="spike_post", add="1 - 0.5 * b")}
    rule = cs.Rule("rate * (spike_post * a - spike_pre * b)", rate=0.05)
    init = cs.Uniform(0.2, 1.0)
    motif.connect("input", "output", name="W", init=init, bounds=(0, 1.2), state=traces, rule=rule)
    cells = {"input": SpikeTrain(), "output": LIF(bias=0.5)}
    net = export(motif, cells=cells, delays={"W": Delay(4.0)})
    net.record(v=["output"], neurons=[1])
    start, pre = net.weights("W"), trains(N_PRE, 80, 9)
    recording = net.run(MS, {"input": pre})

    brian2.prefs.codegen.target = "numpy"
    brian2.defaultclock.dt = 0.5 * brian2.ms
    source = brian2.SpikeGeneratorGroup(
        N_PRE, np.repeat(np.arange(N_PRE), [len(t) for t in pre]), np.concatenate(pre) * brian2.ms
    )
    neurons = brian2.NeuronGroup(
        N_POST, "dv/dt = (0.5 + 2.1*I - v)/(20*ms) : 1 (unless refractory)\ndI/dt = -I/(5*ms) : 1",
        threshold="v >= 1", reset="v = 0", refractory=2 * brian2.ms, method="exponential_euler",
    )  # fmt: skip
    neurons.v = 0.5
    synapses = brian2.Synapses(
        source, neurons,
        "w : 1\nda/dt = -a/(20*ms) : 1 (event-driven)\ndb/dt = -b/(30*ms) : 1 (event-driven)",
        on_pre="I_post += 2*w; w = clip(w - 0.05*b, 0, 1.2); a += 1",
        on_post="w = clip(w + 0.05*a, 0, 1.2); b += 1 - 0.5*b", delay=4 * brian2.ms,
    )  # fmt: skip
    synapses.connect()
    synapses.w = start.T.ravel()
    spikes, v = brian2.SpikeMonitor(neurons), brian2.StateMonitor(neurons, "v", record=[1], when="end")
    brian2.Network(source, neurons, synapses, spikes, v).run(MS * brian2.ms)

    fired = recording.spikes[recording.spikes.population == "output"]
    assert len(fired) > 20
    assert np.array_equal(np.sort(fired.time_ms.to_numpy()), np.sort(spikes.t / brian2.ms))
    assert np.abs(recording.table("output", "v")[1].to_numpy() - v.v[0]).max() < 1e-12
    assert_learns_as(net, np.array(synapses.w).reshape(N_PRE, N_POST).T, start)


def test_sums_over_synapses_are_those_of_the_time_step():
    motif = cs.Motif("heterosynaptic")
    motif.add(cs.Population("input", 2, state={"x": cs.State(tau_ms=20, on="spike")}), cs.Population("output", 2))
    start = np.array([[0.5, 0.3], [0.2, 0.7]])
    rule = "spike_post * (x_pre - 0.1 * sum_in(w)) - 0.2 * spike_pre * sum_out(w)"
    motif.connect("input", "output", name="W", init=cs.Given(start), rule=rule)
    net = export(motif)
    net.run(100, {"input": [[10.0], []], "output": [[], [30.0]]})
    expected = start.copy()
    expected[:, 0] -= 0.2 * start[:, 0].sum()
    expected[1] += np.array([np.exp(-1.0), 0.0]) - 0.1 * expected[1].sum()
    assert np.abs(net.weights("W") - expected).max() < 1e-12


# -- against what was published


def test_the_window_of_pair_stdp():
    lags = np.array([-60.0, -20.0, -0.5, 0.5, 10.0, 50.0])  # of the k-th output behind the k-th input
    net = export(
        stdp([len(lags)] * 2, A_plus=0.01, A_minus=0.012, tau_plus_ms=15.0, tau_minus_ms=25.0, w_max=1.0)
    )  # fmt: skip
    before = net.weights("W")
    net.run(200, {"input": [[100.0]] * len(lags), "output": [[100.0 + lag] for lag in lags]})
    window = np.where(lags > 0, 0.01 * np.exp(-lags / 15), -0.012 * np.exp(lags / 25))
    assert np.diag(net.weights("W") - before) == pytest.approx(window, rel=1e-9)


@pytest.mark.slow
def test_weights_become_bimodal_under_poisson_input():
    """Song, Miller & Abbott (2000), figure 2: from uniform to two peaks at the bounds."""
    net = export(
        stdp([200, 1], A_plus=0.01, A_minus=0.0105, w_max=0.2),
        cells={"output": LIF(bias=0.0, gain=1.0, refractory_ms=0.0)}, inputs=Poisson(), dt_ms=1.0,
    )  # fmt: skip
    before = net.weights("W")
    for seed in range(5):
        net.run(20_000, {"input": 10.0}, seed=seed)
    shares = [
        np.array([(w < 0.02).mean(), ((w > 0.06) & (w < 0.14)).mean(), (w > 0.18).mean()])
        for w in (before, net.weights("W"))
    ]
    assert np.abs(shares[0] - [0.1, 0.4, 0.1]).max() < 0.1
    assert shares[1][0] > 0.3 and shares[1][1] < 0.25 and shares[1][2] > 0.15


def test_simultaneous_spikes_read_the_traces_of_neurons_from_before():
    net = export(stdp([1, 1], A_plus=0.1, A_minus=0.1, w_max=1.0))
    before = net.weights("W")
    net.run(100, {"input": [[50.0]], "output": [[50.0]]})
    assert np.array_equal(net.weights("W"), before)


def test_simultaneous_spikes_at_a_synapse_are_presynaptic_first():
    """The states of the synapse have changed when the postsynaptic spike reads them."""
    motif = cs.Motif("at_the_synapse")
    motif.add(cs.Population("input", 1), cs.Population("output", 1))
    states = {"a": cs.State(tau_ms=20, on="spike_pre"), "b": cs.State(tau_ms=20, on="spike_post")}
    motif.connect(
        "input", "output", name="W", init=cs.Constant(0.0), state=states, rule="0.1 * (spike_post * a - spike_pre * b)"
    )
    net = export(motif)
    net.run(100, {"input": [[50.0]], "output": [[50.0]]})
    assert net.weights("W").item() == pytest.approx(0.1, rel=1e-12)


def pairings(rates_hz, lag, n=60):
    """The change of the weight by n pairs at each frequency, one synapse for each."""
    net = export(triplet_stdp([len(rates_hz)] * 2, init=cs.Constant(10.0)), dt_ms=1.0)  # all spikes are on its grid
    pre = [100.0 + np.arange(n) * np.rint(1e3 / hz) for hz in rates_hz]
    net.run(100.0 + n * 1e3 / min(rates_hz) + 100.0, {"input": pre, "output": [times + lag for times in pre]})
    return np.diag(net.weights("W")) - 10.0


def test_pairs_potentiate_only_if_they_are_frequent():
    """Sjostrom et al. (2001), as fitted by Pfister & Gerstner (2006): see the closed form of a train of pairs."""
    rates, n = [2.0, 10.0, 20.0, 40.0, 50.0], 60
    found = {lag: pairings(rates, lag, n) for lag in (10.0, -10.0)}

    def closed(period, lag):
        def traces(tau, delay):  # of the k spikes before the k-th one, and those `delay` ago
            return np.array([np.exp(-(np.arange(k) * period + delay) / tau).sum() for k in range(n + 1)])

        k = np.arange(n)
        behind = lag if lag > 0 else period + lag  # from the last presynaptic spike to a postsynaptic one
        n_pre = k + 1 if lag > 0 else k
        r1 = traces(16.8, behind)[n_pre]
        o1 = traces(33.7, period - behind)[k if lag > 0 else k + 1]
        o2, r2 = traces(125.0, period)[k], traces(101.0, period)[k]
        return (r1 * (5e-10 + 6.2e-3 * o2) - o1 * (7e-3 + 2.3e-4 * r2)).sum()

    for lag, changes in found.items():
        assert changes == pytest.approx([closed(np.rint(1e3 / hz), lag) for hz in rates], rel=1e-9)
    assert abs(found[10.0][0]) < 0.02 and found[-10.0][0] < -0.2  # rare pairs: nothing, and depression
    assert found[10.0][-1] > 0.5 and found[-10.0][-1] > 0.2  # frequent ones: potentiation in either order
    assert (np.diff(found[10.0]) > 0).all()


@pytest.mark.parametrize("w_exc", [0.15, 0.3])
def test_inhibition_comes_to_balance_excitation(w_exc):
    """The neuron fires at the rate that the rule aims at, whatever drives it."""
    motif = inhibitory_stdp([60, 1], n_inhibitory=40, eta=0.02, target_hz=20.0, w_exc=w_exc)
    cells = {"excitatory": Poisson(), "inhibitory": Poisson(), "output": LIF()}
    net = export(motif, cells=cells, dt_ms=1.0)

    def rate_hz(seconds, seed):
        spikes = net.run(1e3 * seconds, {"excitatory": 10.0, "inhibitory": 20.0}, seed=seed).spikes
        return (spikes.population == "output").sum() / seconds

    net.set_parameter("W.eta", 0.0)
    assert rate_hz(1, seed=0) > 60  # without inhibition
    net.set_parameter("W.eta", 0.02)
    rate_hz(3, seed=1)
    assert rate_hz(5, seed=2) == pytest.approx(20.0, abs=3.0)


def test_a_distal_reward_reaches_the_synapse_that_caused_it():
    """Only the pairing before the reward is credited, by exp(-delay / tau_e)."""
    changes = []
    for delay in (200, 700, 1200):
        net = export(reward_stdp([2, 1], w_max=100.0))
        dopamine = np.zeros(2000)
        dopamine[100 + delay : 110 + delay] = 1.0
        net.run(2000, {"input": [[100.0], [1900.0]], "output": [[105.0, 1905.0]]}, signals={"dopamine": dopamine})
        changes.append((net.weights("W") - 50.0)[0])
    (paired, not_paired) = np.array(changes).T
    assert paired[0] > 0 and paired[1:] / paired[:-1] == pytest.approx(np.exp(-0.5), rel=1e-9)
    assert (not_paired == 0).all()


# -- the network as a tool


def test_the_script_runs_without_circuitsim_and_gives_the_same(tmp_path):
    def made():
        net = export(reward_stdp([N_PRE, N_POST]), cells={"input": Poisson(), "output": LIF()})
        net.record(v=["output"], e=["W"], every_ms=20)
        return net

    run = {"inputs": {"input": np.full(N_PRE, 80.0)}, "signals": {"dopamine": np.linspace(0, 1, 200)}, "seed": 5}
    net = made()
    recording = net.run(MS, **run)
    path = made().export_script(tmp_path / "reward.py", MS, **run)
    assert "circuitsim" not in path.read_text().replace("Written by circuitsim", "")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "reward_results.npz") as results:
        assert np.array_equal(results["w_W"], net.blueprint.wires["W"].variables["w"])
        assert np.array_equal(results["output_v_record"], recording.table("output", "v"))
        assert np.array_equal(results["W_own_e_syn_record"], recording.table("W", "e"))
        fired = recording.spikes[recording.spikes.population == "input"]
        assert len(fired) > 100 and np.array_equal(results["spike_input"][0], fired.time_ms)
    assert recording.table("W", "e").abs().to_numpy().max() > 0.01
    assert recording.table("W", "e").columns[1] == (1, 0)  # (post, pre)


def test_runs_continue_with_the_weights_and_can_be_repeated():
    inputs = {"input": trains(N_PRE, 60, 1), "output": trains(N_POST, 60, 2, 0.5)}
    net, again = (export(stdp([N_PRE, N_POST], w_max=1.0)) for _ in range(2))
    start = np.full((N_POST, N_PRE), 0.5)
    net.set_weights("W", start)
    net.run(MS, inputs)
    once = net.weights("W") - start
    net.run(MS, inputs)
    assert np.abs(net.weights("W") - start - 2 * once).max() < 1e-12 < np.abs(once).max()  # no bound is reached
    again.set_weights("W", start)
    again.set_parameter("W.A_plus", 0.0)
    again.set_parameter("W.A_minus", 0.0)
    again.run(MS, inputs)
    assert np.array_equal(again.weights("W"), start)


def test_rules_on_spikes_learn_in_trials_too():
    """In a trial that is there to fill a segment nothing is learned, and a trial that rests begins without traces."""
    rule = cs.Rule("eta * (spike_post * x_pre * (1 + e) - spike_pre * x_post)", eta=0.3)
    trace, both = cs.State(tau_ms=20, on="spike"), cs.State(tau_ms=50, add="0.5 * spike_pre + spike_post", start=0.25)
    motif = paper_sal([5, 4, 3], trace=None, loss="mse", gain_W=2.0)
    motif = motif.replace("up0", state={"x": trace}).replace("up1", state={"x": trace})
    motif = motif.replace("W0", rule=rule, state={"e": both})
    trial = Trial(ascending_ms=20, descending_ms=20, silence_ms=10, rests=True)
    x, y = np.random.default_rng(0).random((2, 5)), np.array([0, 2])
    changes = []
    for n_trials, samples, data in ((1, 1, 1), (3, 1, 1), (1, 2, 2), (2, 2, 2)):
        spiking = Spiking(trial=trial, dt_ms=1.0)
        net = cs.export_brian2(motif, mode="spiking", spiking=spiking, n_trials=n_trials, target="numpy", seed=1)
        before = net.weights("W0")
        net.fit((x[:data], y[:data]), samples=samples, progress=False)
        changes.append(net.weights("W0") - before)
        assert np.array_equal(cs.circuit_from_brian2(net).weights("W0")[0].numpy(), net.weights("W0"))
    one, filled, apart, together = changes
    assert np.isfinite(one).all() and np.abs(one).max() > 1e-3
    assert np.array_equal(filled, one)
    assert np.abs(together - apart).max() < 1e-12 < np.abs(apart - one).max()


def test_a_motif_and_its_circuit_export_the_same_network():
    motif = paper_sal([5, 4, 3], trace=None, loss="mse")
    nets = [
        cs.export_brian2(cs.compile(motif, seed=2, device="cpu", dtype="float64"), mode="spiking", target="numpy"),
        cs.export_brian2(motif, mode="spiking", target="numpy", seed=2),
    ]
    assert nets[0].blueprint.digest() == nets[1].blueprint.digest()
    assert all(np.array_equal(nets[0].weights(p.name), nets[1].weights(p.name)) for p in motif.projections)


# -- what is refused


def motif_with(rule="spike_pre", state=None, of_input=None) -> cs.Motif:
    motif = cs.Motif("m")
    motif.add(cs.Population("input", 1, state=of_input or {}), cs.Population("output", 1, activation="relu"))
    motif.connect("input", "output", name="W", rule=rule, state=state or {})
    return motif


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rule": "spike_pre * spike_post"}, "spike_pre must be a factor of whole terms"),
        ({"rule": "relu(spike_post) * pre"}, "spike_post must be a factor of whole terms"),
        ({"rule": "pre / spike_post"}, "spike_post must be a factor of whole terms"),
        ({"state": {"e": cs.State("e + spike_pre")}}, "an update is made at each step and reads no spike_pre"),
        ({"state": {"e": cs.State(tau_ms=5.0, add="spike_pre + 1")}}, "1 is added at no spike"),
        ({"state": {"e": cs.State(tau_ms=0.0, on="spike_pre")}}, "needs a positive number of ms for tau_ms"),
        ({"state": {"e": cs.State(tau_ms=5.0, on="spike")}}, "can change on spike_pre or spike_post (got on='spike')"),
        ({"state": {"e": cs.State("e", on="spike_pre")}}, "so it takes no on='spike_pre'"),
        ({"state": {"e": cs.State()}}, "needs an update, or the spike on which it changes"),
        ({"of_input": {"x": cs.State(tau_ms=5.0, on="spike_pre")}}, "can change on spike (got on='spike_pre')"),
        ({"of_input": {"spike": cs.State("0")}}, "state 'spike' has the name of a quantity of every neuron"),
    ],
)
def test_a_declaration_that_means_nothing(given, message):
    with pytest.raises(cs.MotifError) as caught:
        motif_with(**given).validate()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("motif", "options", "message"),
    [
        (motif_with(), {"cells": {"input": SignedIntegrateAndFire()}}, "sends spikes of both signs"),
        (motif_with("spike_pre * drive_pre"), {}, "of which there is no trace"),
        (motif_with("spike_pre * I_W"), {}, "its rule reads I_W, to which the same spike adds"),
        (motif_with(of_input={"x": cs.State(on="spike", add="drive")}), {}, "reads input.drive at spikes"),
        (motif_with(of_input={"x": "x + 1"}), {}, "let them change at spikes"),
        (paper_sal([4, 3, 2], trace=None), {}, "the objective of 'up2' compares the output of a trial"),
        (motif_with(), {"trial": Trial(), "cells": GIVEN}, "has a SpikeTrain, whose times are given to a run without"),
    ],
)
def test_a_network_that_cannot_be(motif, options, message):
    options = {"trial": None, **options}
    with pytest.raises(cs.CircuitError) as caught:
        cs.export_brian2(motif, mode="spiking", target="numpy", spiking=Spiking(**options))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (cs.ParameterError, (-1.0,), "duration_ms must be a positive number"),
        (cs.ParameterError, (3.0,), "duration_ms must be a multiple of 2 ms (got 3)"),
        (cs.DataError, (10.0, {"input": [[]]}), "population 'output' is missing in inputs"),
        (
            cs.DataError,
            (10.0, {"input": [[]], "output": [[]], "y": 1}),
            "inputs name 'y', no population that takes any",
        ),
        (cs.DataError, (10.0, {"input": [[], []], "output": [[]]}), "each of its 1 neurons (got 2)"),
        (cs.DataError, (10.0, {"input": [[-1.0]], "output": [[]]}), "spike times must be numbers of ms, 0 or more"),
        (cs.DataError, (10.0, {"input": [["1 ms"]], "output": [[]]}), "spike times must be an array of numbers"),
        (
            cs.DataError,
            (10.0, {"input": [np.ma.array([1.0, 2.0], mask=[False, True])], "output": [[]]}),
            "spike times must be numbers of ms, 0 or more",
        ),
        (cs.DataError, (10.0, {"input": [[1.0, 1.1]], "output": [[]]}), "two spikes in the time step at 1.1 ms"),
        (cs.DataError, (10.0, {"input": [[3.0, 12.0]], "output": [[]]}), "a spike at 12 ms comes after the end"),
        (cs.DataError, (10.0, {"input": [[9.9]], "output": [[]]}), "whose last time step begins at 9.5 ms"),
        (
            cs.DataError,
            (10.0, {"input": [1.0], "output": [[]]}),
            "neuron 0: spike times must be a list of ms (got 1.0)",
        ),
    ],
)
def test_a_run_that_cannot_be(error, arguments, message):
    net = export(motif_with())
    with pytest.raises(error) as caught:
        net.run(*arguments)
    assert message in str(caught.value)


def test_rates_that_neurons_cannot_follow_and_rows_after_the_end():
    motif = cs.Motif("rates")
    motif.add(cs.Population("x", 2), cs.Population("y", 1, activation="relu"))
    motif.connect("x", "y", name="W")
    net = cs.export_brian2(motif, mode="spiking", spiking=Spiking(trial=None, inputs=Poisson(), dt_ms=1.0))
    with pytest.warns(
        SaturationWarning, match=r"population 'x' is given up to 1500 Hz, .* fire at most 1000 Hz"
    ) as caught:
        net.run(10, {"x": 1500.0})
    assert caught[0].filename == __file__
    with pytest.raises(
        cs.DataError, match=r"rates of population 'x' have 40 rows of every_ms, but the run has only 10"
    ):
        net.run(10, {"x": np.full((40, 2), 30.0)})
    with warnings.catch_warnings():
        warnings.simplefilter("error", SaturationWarning)
        net.run(10, {"x": np.full((10, 2), 1000.0)})


def test_what_is_not_there_is_not_recorded():
    net = export(motif_with())
    for wrong, message in (
        ({"v": "z"}, "no population or projection 'z' (known: input, output, W)"),
        ({"u": ["output"]}, "'output' has no variable 'u' (known: "),
        ({"I": "output", "neurons": [1]}, "neuron of population 'output' must be in 0 .. 0 (got 1)"),
        ({"I": "output", "neurons": [0.0]}, "neuron of population 'output' must be in 0 .. 0 (got 0.0)"),
        ({"I": "output", "every_ms": 0.7}, "every_ms must be a multiple of 0.5 ms"),
    ):
        with pytest.raises(cs.ParameterError) as caught:
            net.record(**wrong)
        assert message in str(caught.value)
    recording = net.run(10.0, {"input": [[]], "output": [[]]})
    with pytest.raises(cs.ParameterError, match="was not recorded"):
        recording.table("output", "I")


def test_rates_over_time_are_those_of_the_spikes():
    motif = cs.Motif("inputs")
    motif.add(cs.Population("input", 2), cs.Population("output", 1, activation="relu"))
    motif.connect("input", "output", name="W")
    net = export(motif, cells={})
    rates = np.zeros((1000, 2))
    rates[500:, 1] = 40.0
    spikes = net.run(1000, {"input": rates}).spikes
    of = spikes[spikes.population == "input"]
    assert 19 <= len(of) <= 20 and (of.neuron == 1).all() and of.time_ms.min() >= 500


def test_what_projections_are_called_does_not_change_what_spikes_do():
    """V delivers to the current that W reads, in the same time step: before W reads it if V is declared first."""

    def learned(v: str, w: str, order: int) -> float:
        m = cs.Motif("order")
        m.add(cs.Population("x", 1), cs.Population("z", 1), cs.Population("y", 1, activation="relu"))
        for name in (v, w)[::order]:
            if name == v:
                m.connect("z", "y", name=v, compartment="dendrite", init=cs.Constant(1.0))
            else:
                m.connect("x", "y", name=w, init=cs.Constant(0.5), rule=f"0.1 * spike_pre * I_{v}")
        net = export(m, cells={name: SpikeTrain() for name in "xyz"})
        net.run(50, {"x": [[10.0]], "y": [[]], "z": [[10.0]]})
        return float(net.weights(w)[0, 0])

    assert learned("V", "W", 1) == learned("b", "a", 1) == 0.5 + 0.1 * 1 / (100.0 * 0.05)  # rate_hz * tau_trace
    assert learned("V", "W", -1) == learned("b", "a", -1) == 0.5


@pytest.mark.slow  # compiles for a minute
def test_a_program_without_trials_records_the_same(tmp_path):
    motif = reward_stdp([3, 2])
    found, options = [], {"cells": {"input": SpikeTrain()}, "dt_ms": 0.5}
    spiking = Spiking(trial=None, **options)
    for target in ({"target": "numpy"}, {"target": "cpp_standalone", "directory": tmp_path}):
        net = cs.export_brian2(motif, mode="spiking", spiking=spiking, **target)
        net.record(v=["output"], neurons=[1])
        net.record(w=["W"], e=["W"], every_ms=5)
        trains = [[10.0, 40.0], [20.0, 25.0, 30.0, 35.0], []]
        for _ in range(2):  # goes on with the weights of the first
            recording = net.run(100, {"input": trains}, signals={"dopamine": np.linspace(0, 1, 100)})
        found.append((recording, net.weights("W")))
    (here, weights), (there, same) = found
    assert len(here.spikes) > 10 and np.ptp(weights) > 0
    np.testing.assert_allclose(same, weights, rtol=1e-12)
    for column in ("population", "neuron", "event"):
        assert (there.spikes[column] == here.spikes[column]).all()
    np.testing.assert_allclose(there.spikes.time_ms, here.spikes.time_ms, atol=1e-9)
    for key, table in here.tables.items():
        np.testing.assert_allclose(there.tables[key].index, table.index, atol=1e-9)
        np.testing.assert_allclose(there.tables[key], table, rtol=1e-9, atol=1e-12)
        assert there.tables[key].columns.equals(table.columns)


@pytest.mark.parametrize("name", ["beta", "gamma", "zeta", "alpha", "x"])
def test_a_state_of_synapses_may_have_the_name_of_a_function_of_sympy(name):
    motif = cs.Motif("named")
    motif.add(cs.Population("x", 1), cs.Population("y", 1))
    state = {name: cs.State(tau_ms=20, on="spike_pre")}
    motif.connect("x", "y", name="W", init=cs.Constant(0), rule=f"spike_post * {name}", state=state)
    spiking = Spiking(trial=None, cells={"x": SpikeTrain(), "y": SpikeTrain()})
    net = cs.export_brian2(motif, mode="spiking", spiking=spiking, target="numpy")
    net.run(50, {"x": [[10.0]], "y": [[30.0]]})
    np.testing.assert_allclose(net.weights("W"), np.exp(-1.0), rtol=1e-9)
    with pytest.raises(cs.ParameterError, match=f"has no variable 'z' .known: w, {name}."):
        net.record(z=["W"])
