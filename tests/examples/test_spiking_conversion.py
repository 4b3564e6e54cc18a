"""A circuit of large activities gets rates that its neurons can reach."""

import pytest
import torch

import circuitsim as cs
from spiking_conversion import spiking_for

pytest.importorskip("brian2")


def scaled(factor: float) -> cs.Circuit:
    """`factor` times the input in the hidden layer, and the input itself again at the output."""
    motif = cs.Motif("scaled")
    motif.add(cs.Population("up0", 1), cs.Population("up1", 1, activation="relu"), cs.Population("up2", 1))
    motif.add(cs.Population("down2", 1, stream="descending"), cs.Objective("up2", "down2", "mse"))
    motif.connect("up0", "up1", name="W0", init=cs.Constant(factor), plastic=False)
    motif.connect("up1", "up2", name="W1", init=cs.Constant(1 / factor), plastic=False)
    return cs.compile(motif, device="cpu")


@pytest.mark.parametrize(("factor", "slower"), [(1.0, 1.0), (7.5, 1.0), (30.0, 4.0)])
def test_rates_fall_and_trials_grow_with_the_largest_activity(factor, slower):
    spiking = spiking_for(scaled(factor), torch.full((10, 1), 2.0))
    assert spiking.rate_hz == pytest.approx(100.0 / slower, rel=1e-6)
    assert spiking.trial.ascending_ms == pytest.approx(200.0 * slower, abs=5.0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_activities_beyond_a_spike_in_each_step_are_still_told_apart():
    """60 and 120 units: at 100 Hz a unit both would be a spike in each time step of 0.5 ms, 20 units."""
    circuit, x = scaled(60.0), torch.tensor([[1.0], [2.0]])
    options = {"spiking": spiking_for(circuit, x), "plastic": False, "n_trials": 2, "target": "numpy"}
    net = cs.export_brian2(circuit, mode="spiking", **options)
    outputs = torch.as_tensor(net.predict(x)).flatten().double()
    assert torch.isfinite(outputs).all()
    assert outputs.tolist() == pytest.approx([1.0, 2.0], rel=0.08)
