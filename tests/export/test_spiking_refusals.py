"""What spikes cannot say is refused, with the object and the reason; so are times that do not fit."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.export import LIF, Delay, Spiking, Stream, Trial
from motifs import backprop, bcm, paper_sal, reward_modulated, weight_mirror, winner_take_all

pytest.importorskip("brian2")


def refusal(motif: cs.Motif, **options) -> str:
    with pytest.raises(cs.CircuitError) as caught:
        cs.export_brian2(cs.compile(motif, device="cpu"), mode="spiking", target="numpy", **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("motif", "message"),
    [
        (
            paper_sal([4, 3, 2], trace="activity * softmax(drive)"),
            "population 'up0': its trace takes softmax(up0.drive)",
        ),
        (paper_sal([4, 3, 2], trace="tanh(activity)"), "population 'up1': dendrites see its trace tanh(up1.activity)"),
        (paper_sal([4, 3, 2], trace=None, activation="tanh"), "population 'up1': no neuron model represents"),
        (backprop([4, 3, 3, 2]), "its weight is tied to 'W1', which changes"),
        (bcm([4, 3]), "states"),
        (reward_modulated([4, 3, 2]), "noise"),
        (weight_mirror([4, 3, 3, 2]), "phases"),
        (winner_take_all([4, 3, 2]), ""),
    ],
)
@pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")
def test_motifs(motif, message):
    assert message in refusal(motif)


def test_an_activation_that_reads_all_neurons_of_a_population():
    motif = paper_sal([4, 3, 2], trace=None, activation="softmax(drive)")
    message = refusal(motif, spiking=Spiking(cells={"up1": LIF()}))
    assert "population 'up1': its activation takes softmax(up1.drive) over all of its neurons" in message


@pytest.mark.parametrize(("post", "delay", "refused"), [("late", 1, True), ("up1", 2, True), ("up1", 1, False)])
def test_delays_that_count_iterations_unless_they_close_a_loop(post, delay, refused):
    motif = paper_sal([4, 3, 2], trace=None)
    motif.add(cs.Population("side", 2, activation="relu"), cs.Population("late", 2, activation="relu"))
    motif.connect("up1", "side", name="to"), motif.connect("side", post, name="on", delay=delay)
    if not refused:
        assert cs.export_brian2(cs.compile(motif, device="cpu"), mode="spiking", target="numpy").weights("on").any()
        return
    assert f"projection 'on' has a delay of {delay} iterations, which spikes do not have" in refusal(motif)


def test_synapses_that_come_and_go():
    motif = paper_sal([4, 3, 2], trace=None).replace("V1", rewiring=cs.Rewiring(every_steps=50, share=0.1))
    assert "projection 'V1' is rewired every 50 steps" in refusal(motif)


@pytest.mark.parametrize("reduction", ["max_in(w)", "max_out(w)"])
def test_the_largest_of_synapses(reduction):
    motif = paper_sal([4, 3, 2], trace=None).replace("V1", rule=cs.Rule(f"0.1 * (post * pre - {reduction} * w)"))
    assert f"projection 'V1': its rule uses {reduction.partition('(')[0]}, but" in refusal(motif)


@pytest.mark.parametrize(
    ("projection", "name", "quantity"),
    [
        ("W0", "drive_pre", "up0.drive@pre"),
        ("Vt1", "slope_pre", "up1.drive@pre"),
    ],
)
def test_a_quantity_without_a_trace(projection, name, quantity):
    motif = paper_sal([4, 3, 2], trace=None).replace(projection, rule=cs.Rule(f"0.1 * post * {name}"))
    assert f"projection {projection!r}: its rule reads {quantity}, of which there is no trace" in refusal(motif)


def test_a_mean_of_what_a_pool_does_not_see():
    motif = paper_sal([4, 3, 2], trace=None).replace("W1", rule=cs.Rule("0.1 * (I_V2 * pre - mean(activity_post) * w)"))
    assert "population 'up2': a pool that averages up2.activity over its neurons does not see up2.activity" in refusal(
        motif
    )
    motif = paper_sal([4, 3, 2], trace=None)
    motif.add(cs.Signal("size", "mean(activity_up1 * drive_down1)"))
    motif = motif.replace("W1", rule=cs.Rule("0.1 * size * I_V2 * pre"))
    assert "population 'down1': a pool that averages down1.drive*up1.activity over" in refusal(motif)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trace": "activity / mean(activity)"}, "population 'x': its trace takes a mean"),
        ({"rule": "0.1 * spike_post * mean(pre)"}, "projection 'W': its rule takes a mean"),
    ],
)
def test_a_mean_without_trials(options, message):
    motif = cs.Motif("means")
    motif.add(cs.Population("x", 3, trace=options.get("trace")), cs.Population("y", 2, activation="relu"))
    motif.connect("x", "y", name="W", rule=options.get("rule", "0.1 * pre * post"))
    with pytest.raises(cs.CircuitError, match=f"{message}, which is one over trials, and trial=None has none"):
        cs.export_brian2(motif, mode="spiking", target="numpy", spiking=Spiking(trial=None))


def test_the_sign_of_a_delayed_spike_would_be_lost():
    message = refusal(paper_sal([4, 3, 2], trace=None), spiking=Spiking(delays={"V1": Delay(1, 2)}))
    assert "projection 'V1'" in message and "coding='on_off'" in message


def test_a_name_that_brian2_cannot_have():
    motif = paper_sal([4, 3, 2], trace=None)
    motif.connect("down1", "up1", name="V_post", compartment="dendrite", rule=cs.Rule("0.1 * I_V_post * pre"))
    assert "'up1': Brian2 cannot have a variable 'I_V_post' there: Brian2 reserves" in refusal(motif)


def test_names_that_are_not_there():
    message = refusal(paper_sal([4, 3, 2], trace=None), spiking=Spiking(cells={"up9": LIF()}))
    assert "'up9', which does not exist" in message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LIF(tau_ms=0), "LIF: tau_ms must be a positive number"),
        (lambda: Stream(-1.0), "tau_trace_ms must be a positive number"),
        (lambda: Delay(3, 2), r"Delay: high_ms must be a number, 3 or more \(got 2\)"),
        (lambda: Delay("5"), "Delay: low_ms must be a number, 0 or more"),
        (lambda: Spiking(delays={"W0": 5.0}), r"delays\['W0'\] must be a Delay"),
        (lambda: Spiking(cells={"up1": LIF}), r"cells\['up1'\] must be a Cell"),
        (lambda: Spiking(inputs="poisson"), "inputs must be a SpikingCell"),
        (lambda: Spiking(trial=140), "trial must be a Trial"),
        (lambda: Spiking(rate_hz="fast"), "rate_hz must be a positive number"),
        (lambda: Spiking(fired_above=float("nan")), "fired_above must be a finite number"),
        (lambda: Stream("long"), "tau_trace_ms must be a positive number"),
        (lambda: Stream(50.0, rectified="LIF"), "rectified must be a SpikingCell"),
        (lambda: Spiking(coding="rates"), "coding must be one of"),
        (lambda: Spiking(dt_ms=0.3), "multiple of 0.3"),
        (lambda: LIF(refractory_ms=-1), "LIF: refractory_ms must be a number, 0 or more"),
        (lambda: LIF(gain=True), "LIF: gain must be a number, -inf or more"),
        (lambda: LIF(bias=float("nan")), "LIF: bias must be"),
        (lambda: Delay(True), "Delay: low_ms"),
        (lambda: Delay(1, float("inf")), "Delay: high_ms"),
        (lambda: Trial(ascending_ms=None), r"Trial: ascending_ms must be a positive number \(got None\)"),
        (lambda: Trial(descending_ms=0), "Trial: descending_ms must be a positive number"),
        (lambda: Trial(jitter_ms=-1), "Trial: jitter_ms must be a number, 0 or more"),
        (lambda: Trial(silence_ms=1.5), "Trial: silence_ms must be a multiple of 1 ms"),
        (lambda: Trial(lag_ms="late"), "Trial: lag_ms must be a finite number"),
        (lambda: Trial(max_lag_ms=-5, lag_ms=0), "Trial: max_lag_ms must be a number, 0 or more"),
        (lambda: Trial(rests="no"), "Trial: rests must be True or False"),
        (lambda: Trial(lag_ms=-20), "give max_lag_ms"),
        (lambda: Trial(lag_ms=200, max_lag_ms=100), "within max_lag_ms"),
    ],
)
def test_values_out_of_range(make, message):
    with pytest.raises(cs.ParameterError, match=message):
        make()


def test_windows_follow_the_lag_and_the_length_does_not():
    for lag in (-30.0, 0.0, 20.0):
        trial = Trial(20, 10, 40, lag_ms=lag, max_lag_ms=30)
        windows = trial.windows(2, np.random.default_rng(0))
        n = round(trial.length_ms)
        assert n == 90 + 40 + 40 and all(len(w) == 2 * n for w in windows.values())
        assert np.flatnonzero(windows["ascends"][20:n])[0] + 20 == trial.onset_ms == 90
        assert np.flatnonzero(windows["descends"])[0] == 90 + lag
        assert windows["descends"].sum() == 2 * 10 and windows["reads"].sum() == 2 * 20
