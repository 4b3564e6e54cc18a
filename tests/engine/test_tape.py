"""A step that is played from its tape is, bit for bit, the step that was run."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from circuitsim.engine.numbers import computed, parameter
from circuitsim.engine.sweep import Sweep
from circuitsim.engine.tape import Recorder, Tape
from motifs import bcm, sal, weight_mirror
from tests.engine.test_steady_step import LAYERS, MOTIFS


def batches(motif: cs.Motif, n: int) -> list[tuple[np.ndarray, np.ndarray | None]]:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(n):
        target = rng.integers(0, 3, 8)
        if motif.objectives and motif.objectives[0].loss != "cross_entropy":
            target = np.eye(3)[target]
        found.append((rng.standard_normal((8, 6)), target if motif.objectives else None))
    return found


def odd() -> cs.Motif:
    """A rule that is evaluated sample by sample, a state, a maximum, a number that a schedule changes in a decision."""
    motif = cs.Motif("odd")
    motif.add(
        cs.Population("x", 6), cs.Population("y", 3, activation="relu", state={"a": cs.State("0.9 * a + activity")})
    )
    rule = cs.Rule(
        "eta * (tanh(post * pre) - where(eta > 0.04, 0.1, 0.3) * w * max_in(abs(w)) + 0.01 * a_post)", eta=0.5
    )
    motif.connect("x", "y", name="W", rule=rule)
    return motif


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("motif", [*MOTIFS, weight_mirror(LAYERS), bcm([6, 3]), odd()], ids=lambda m: m.name)
@pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")
def test_steps_from_a_tape_are_those_of_a_circuit_that_has_none(motif, replicas):
    vary = None if replicas == 1 or motif.name in ("bcm", "odd") else {"W0.eta": [0.01, 0.02, 0.005]}
    played, run = (cs.compile(motif, replicas=replicas, device="cpu", vary=vary) for _ in range(2))
    for k, (x, target) in enumerate(batches(motif, 8)):
        for circuit in (played, run):
            circuit.eta_scale = 0.1 if k < 5 else 0.5 / k  # a schedule
        run.freeze()  # lowers the plan anew: nothing that was recorded is left
        losses = [circuit.step(x, target).losses for circuit in (played, run)]
        for name, loss in losses[0].items():
            assert torch.isfinite(loss).all() and torch.equal(loss, losses[1][name])
        for p in motif.projections:
            assert torch.isfinite(played.weights(p.name).to_dense()).all()
            assert torch.equal(played.weights(p.name).to_dense(), run.weights(p.name).to_dense())
        for p in motif.populations:
            assert torch.equal(played.activity(p.name), run.activity(p.name))


def test_a_steady_circuit_plays(monkeypatch):
    circuit = cs.compile(sal(LAYERS), device="cpu")
    x, target = batches(circuit.motif, 1)[0]
    for _ in range(2):
        circuit.step(x, target)
    monkeypatch.setattr(Sweep, "run", lambda *args: pytest.fail("the third step must come from the tape"))
    before = circuit.weights("W0")
    circuit.step(x, target)
    assert not torch.equal(circuit.weights("W0"), before)


def test_the_same_view_is_made_once():
    given, out = torch.arange(6.0).reshape(2, 3), torch.empty(3, 2)
    with Recorder([given]) as recorder:
        torch.mul(given.transpose(0, 1), 2.0, out=out)
        torch.add(out, given.transpose(0, 1), out=out)
        torch.add(out, given.transpose(1, 0).reshape(3, 2), out=out)
    names = [call.function.__name__ for call in recorder.calls]
    assert names == ["transpose", "mul", "add", "transpose", "reshape", "add"]  # asked for in another way
    other = torch.tensor([[1.0, -1.0, 2.0], [0.0, 5.0, 3.0]])
    Tape(recorder, {}).play([other], {})
    assert torch.equal(out, 4 * other.T)


def test_synapses_pruned_after_the_recording_stay_absent():
    circuit = cs.compile(sal(LAYERS), device="cpu")
    for k, (x, target) in enumerate(batches(circuit.motif, 8)):
        circuit.step(x, target)
        if k == 3:
            assert circuit.prune("W0", threshold=0.2).item() > 0
            absent = ~circuit.mask("W0")
    assert circuit.weights("W0")[absent].abs().max() == 0


def test_numbers_compute_themselves_again():
    eta, gamma = parameter("W.eta", 0.5), parameter("W.gamma", 0.1)
    keep = computed(lambda a, b: 1 - a * b, (eta, gamma)) / 2
    assert keep == pytest.approx(0.475)
    assert keep.again({"W.eta": 1.0, "W.gamma": 0.2}) == pytest.approx(0.4)
    assert not hasattr(computed(max, (1.0, 2.0)), "again")


def test_views_and_new_tensors_of_what_is_given_are_made_anew():
    buffer, x = torch.zeros(2, 3), torch.ones(3, 2)
    with Recorder([x]) as recorder:
        torch.mul(x.T, 2.0, out=buffer)
        total = x.sum()
        buffer[0] = 7.0
    tape = Tape(recorder, {"total": total, "buffer": buffer})
    found = tape.play([torch.full((3, 2), 5.0)], {})
    assert found["total"] == 30
    assert torch.equal(buffer, torch.tensor([[7.0] * 3, [10.0] * 3])) and found["buffer"] is buffer


def test_what_cannot_be_played_is_noticed():
    x = torch.ones(3)
    for make, message in (
        (lambda: torch.as_tensor(np.ones(3)), "out of something that is not one"),
        (lambda: torch.cat([x, x]), "in a list"),
        (lambda: torch.max(x, 0), "several tensors"),
    ):
        with Recorder([x]) as recorder:
            make()
        assert message in recorder.problem
