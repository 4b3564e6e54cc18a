"""The same steps in a C++ program."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.export import export_brian2
from motifs import paper_sal
from tests.export.sameness import assert_same_cycle, assert_same_weights, compiled, difference

pytest.importorskip("brian2")


@pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")
@pytest.mark.slow  # compiles for a minute
def test_a_standalone_program_takes_the_same_steps(tmp_path):
    motif = paper_sal([6, 5, 3], [8], shuffled=True, regularizer="homeostatic", gamma=0.05, bias=True)
    jumps = (
        "0.02 * (clip(sign(post), -0.51, 0.83) + where(w > 0, minimum(pre, 1 / w), clip(0.3, pre, -pre)))"
        " + 0.01 * (pre > post) ** 2 / (1 + (w < 0)) * abs(w) ** tanh(post) - 0.01 * relu(w) * exp(-abs(pre)) * sqrt(2)"
    )
    motif = motif.replace("V1", rule=cs.Rule(jumps), connectivity=cs.Random(0.6), bounds=(-0.3, None))
    motif = motif.replace("Vt1", connectivity=cs.ReciprocalOf("V1"))
    motif.connect(
        "down1", "up1", name="tied", compartment="dendrite", tied_to=cs.Derived("Vt1", transpose=True, scale=0.5)
    )
    gated = cs.Rule(
        "eta * ((pre > 0) * post / pre + (pre > 0) * where(pre, 1, 1 / pre) * sum_out(w / pre) - w)", eta=0.01
    )
    motif.connect("up0", "down1", name="gated", compartment="dendrite", rule=gated)
    circuit = compiled(motif)
    net = export_brian2(circuit, target="cpp_standalone", directory=tmp_path)
    with pytest.raises(cs.ParameterError, match="has no Brian2 network"):
        _ = net.network
    rng = np.random.default_rng(0)
    batches = [(rng.standard_normal((4, 6)), rng.integers(0, 3, 4)) for _ in range(20)]
    for x, _ in batches:
        x[:, 0] = 0.0
    losses = np.concatenate([net.run(part, record=True) for part in (batches[:10], batches[10:])])
    assert difference(losses, [circuit.step(*b, keep="all").loss.item() for b in batches], "losses") <= 1e-10
    assert_same_cycle(net, circuit, 1e-10)
    assert_same_weights(net, circuit, 1e-10)
    assert len(list(tmp_path.glob("*/main"))) == 1  # the second run has found the program of the first
