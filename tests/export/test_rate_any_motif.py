"""Whatever can be declared takes the same steps in Brian2."""

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, given, settings

from circuitsim.export import export_brian2
from tests.export.sameness import assert_same_cycle, assert_same_step, assert_same_weights, compiled, difference
from tests.strategies import batches, motifs, phases

pytest.importorskip("brian2")

pytestmark = pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")


@settings(max_examples=8, phases=[Phase.generate])  # shrinking would take minutes
@given(st.data())
def test_any_motif_does_what_it_declares(data):
    motif = data.draw(motifs(replicas=2))
    circuit = compiled(motif, replicas=2, seed=data.draw(st.integers(0, 99)))
    replica = data.draw(st.integers(0, 1))
    net = export_brian2(circuit, replica=replica)
    assert_same_weights(net, circuit, 0.0, replica)
    assert_same_step(net, circuit, *data.draw(batches(motif)), replica=replica)
    assert_same_cycle(net, circuit, 1e-12, replica)


@settings(max_examples=5, phases=[Phase.generate])
@given(st.data())
def test_any_phases_do_what_they_declare(data):
    motif = data.draw(motifs())
    motif.add(*data.draw(phases(motif)))
    circuit = compiled(motif, seed=data.draw(st.integers(0, 99)))
    net = export_brian2(circuit)
    for _ in range(2):
        x, target = data.draw(batches(motif))
        loss, expected = net.step(x, target), circuit.step(x, target).loss
        assert (loss is None) == (expected is None)
        assert loss is None or difference(loss, expected[0], "loss") <= 1e-11
        assert_same_weights(net, circuit, 1e-11)
        for p in motif.populations:
            assert difference(net.activity(p.name), circuit.activity(p.name)[0], p.name) <= 1e-11
