"""Membranes over time: what is drawn is what was recorded."""

import numpy as np
import pandas as pd
import pytest

import circuitsim as cs
from circuitsim.export import Recording
from circuitsim.plots import membranes
from tests.plots.figures import named

TIMES = pd.Index([0.0, 1.0, 2.0], name="time_ms")
V = pd.DataFrame({3: [0.0, 0.5, 0.9], 1: [0.2, 0.0, 0.1]}, index=TIMES)
SPIKES = pd.DataFrame({
    "time_ms": [1.0, 2.0, 2.0], "population": ["up1", "up1", "up0"], "neuron": [1, 1, 3],
    "event": ["spike", "off", "spike"],
})  # fmt: skip
RECORDING = Recording(SPIKES, {("up1", "v"): V}, {"up0": 4, "up1": 4}, 3.0)


def test_each_neuron_has_a_panel_with_its_values_and_spikes():
    figure = membranes(RECORDING, "up1", trial_ms=2.0, windows_ms={"ascends": [(0.0, 1.0)]})
    assert len(figure.axes) == 2
    for neuron in V:
        line = named(figure, f"v:{neuron}")
        assert line.get_xdata().tolist() == TIMES.tolist() and line.get_ydata().tolist() == V[neuron].tolist()
    ticks = {k: [s[0, 0] for s in named(figure, f"{k}").get_segments()] for k in ("spike:1", "off:1", "spike:3")}
    assert ticks == {"spike:1": [1.0], "off:1": [2.0], "spike:3": []}
    low = min(s[:, 1].min() for s in named(figure, "spike:1").get_segments())
    assert low > np.max(V.to_numpy())  # above every line


def test_some_neurons_may_be_chosen_and_others_are_not_there():
    assert len(membranes(RECORDING, "up1", neurons=[1]).axes) == 1
    with pytest.raises(cs.ParameterError, match=r"neuron 2 of 'up1' was not recorded \(recorded: 3, 1\)"):
        membranes(RECORDING, "up1", neurons=[2])
    with pytest.raises(cs.ParameterError, match=r"'v' of 'up0' was not recorded \(recorded: v of up1\)"):
        membranes(RECORDING, "up0")
