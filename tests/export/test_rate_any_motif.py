"""Whatever can be declared takes the same steps in Brian2."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import Phase, given, settings

import circuitsim as cs
from circuitsim.export import export_brian2
from tests.export.sameness import assert_same_cycle, assert_same_step, assert_same_weights, compiled, difference
from tests.export.strategies import runs, whole_motifs
from tests.strategies import batches, motifs

pytest.importorskip("brian2")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of slow rules, and of states that signals multiply


@settings(max_examples=5, phases=[Phase.generate])  # shrinking would take minutes
@given(st.data())
def test_any_motif_does_what_it_declares(data):
    motif = data.draw(motifs(replicas=2))
    circuit = compiled(motif, replicas=2, seed=data.draw(st.integers(0, 99)))
    replica = data.draw(st.integers(0, 1))
    net = export_brian2(circuit, replica=replica)
    assert_same_weights(net, circuit, 0.0, replica)
    assert_same_step(net, circuit, *data.draw(batches(motif)), replica=replica)
    assert_same_cycle(net, circuit, 1e-12, replica)


def check(data: st.DataObject) -> None:
    """A few steps of one motif: losses, cycles, weights and states."""
    motif = data.draw(whole_motifs())
    circuit = compiled(motif, replicas=2, seed=data.draw(st.integers(0, 99)))
    replica = data.draw(st.integers(0, 1))
    net = export_brian2(circuit, replica=replica)
    for x, target, signals in data.draw(runs(motif)):
        expected = circuit.step(x, target, signals, keep="all").loss
        if not all(_is_bounded(circuit.weights(p.name)) for p in motif.projections):
            return
        loss = net.step(x, target, signals)
        assert (loss is None) == (expected is None)
        assert loss is None or difference(loss, expected[replica], "loss") <= 1e-9
        for name, got, value in _quantities(net, circuit):
            found = difference(got, value[replica], name)
            assert found <= 1e-9, f"{name}: {found:.1e}"


def _of_cycle(circuit, kind, name, shape):
    """What nothing drives, and nothing reads, a circuit does not make: it is 0."""
    try:
        return getattr(circuit, kind)(name)
    except cs.ParameterError as error:
        assert "no phase gives" in str(error)
        return torch.zeros(circuit.n_replicas, *shape)


def _is_bounded(weights: torch.Tensor) -> bool:
    return bool((weights.to_dense().abs() < 1e3).all())


def _quantities(net, circuit):
    for p in circuit.motif.populations:
        for kind in ("activity", "drive"):
            got = getattr(net, kind)(p.name)
            yield f"{kind} of {p.name}", got, _of_cycle(circuit, kind, p.name, got.shape)
    for q in circuit.motif.projections:
        yield f"weights of {q.name}", net.weights(q.name), circuit.weights(q.name)
        if any(q.name in plan.projections for plan in circuit.plans):
            yield f"current of {q.name}", net.current(q.name), circuit.current(q.name)
    for owner in (*circuit.motif.populations, *circuit.motif.projections):
        for name in owner.state:
            yield f"state {name} of {owner.name}", net.state(owner.name, name), circuit.state(owner.name, name)


@settings(max_examples=4, phases=[Phase.generate])
@given(st.data())
def test_any_phases_states_signals_and_gates_do_what_they_declare(data):
    check(data)


@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
@settings(max_examples=300, phases=[Phase.generate])
@given(st.data())
def test_three_hundred_motifs_do_what_they_declare(data):
    check(data)
