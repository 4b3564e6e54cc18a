"""Whatever can be declared takes the same steps in Brian2."""

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, given, settings

from circuitsim.export import export_brian2
from tests.export.sameness import assert_same_cycle, assert_same_step, assert_same_weights, compiled
from tests.strategies import batches, motifs

pytest.importorskip("brian2")

pytestmark = pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")


@settings(max_examples=12, phases=[Phase.generate])  # shrinking would take minutes
@given(st.data())
def test_any_motif_does_what_it_declares(data):
    motif = data.draw(motifs(replicas=2))
    circuit = compiled(motif, replicas=2, seed=data.draw(st.integers(0, 99)))
    replica = data.draw(st.integers(0, 1))
    net = export_brian2(circuit, replica=replica)
    assert_same_weights(net, circuit, 0.0, replica)
    assert_same_step(net, circuit, *data.draw(batches(motif)), replica=replica)
    assert_same_cycle(net, circuit, 1e-12, replica)
