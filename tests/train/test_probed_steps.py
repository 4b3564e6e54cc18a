"""What a probe may read of the step before it: everything, whatever the step could do without."""

import os
import signal

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import paper_sal

LAYERS = [300, 200, 150, 10]  # wide and a narrow error: a step on large batches leaves most currents out
READ = {"current": ("Vt1", "V1", "Wt1"), "activity": ("down1", "up1"), "drive": ("down1",)}


def make() -> cs.Circuit:
    return cs.compile(paper_sal(LAYERS), device="cpu", seed=2)


def data() -> cs.Dataset:
    rng = np.random.default_rng(0)
    return cs.Dataset.from_arrays(rng.standard_normal((1500, 300)), rng.integers(0, 10, 1500))


def look(circuit: cs.Circuit) -> dict[str, torch.Tensor]:
    """All that is read, as it is; nothing at the start."""
    if circuit.n_steps == 0:
        return {}
    return {f"{kind} {name}": getattr(circuit, kind)(name) for kind, names in READ.items() for name in names}


def by_hand(keep: str | tuple[str, ...]) -> tuple[cs.Circuit, list[dict[str, torch.Tensor]]]:
    circuit, seen = make(), []
    for epoch in range(2):
        for x, target in cs.minibatches(data().train, 500, seed=0, epoch=epoch):
            circuit.step(x, target, keep=keep)
            seen.append(look(circuit) if keep else {})
    return circuit, seen


def test_a_step_leaves_out_what_is_read_here():
    program = by_hand(())[0]._runner.last.program
    assert {"I_Vt1", "I_V1", "down1.activity"} & set(program.images), "the tests below would show nothing"


@pytest.mark.parametrize("every", [1, 2, None])
def test_a_probe_reads_what_a_run_by_hand_reads(every):
    circuit, (twin, expected) = make(), by_hand("all")
    probe = cs.Probe(look) if every is None else cs.Probe(look, every_steps=every)
    history = cs.fit(circuit, data(), epochs=2, batch_size=500, progress=False, probes={"look": probe})
    looked = [3, 6] if every is None else list(range(every, 7, every))
    assert set(history.records) == set(expected[0])
    for name, found in history.records.items():
        assert [step for step, _ in found] == looked
        for step, value in found:
            assert value.abs().max() > 0 and torch.equal(value, expected[step - 1][name]), (name, step)
    assert torch.equal(circuit.weights("W0"), twin.weights("W0"))


def test_probes_do_not_change_what_is_learnt():
    looked_at, plain = make(), make()
    for circuit, probes in ((looked_at, {"look": cs.Probe(look, every_steps=1)}), (plain, None)):
        cs.fit(circuit, data(), epochs=2, batch_size=500, progress=False, probes=probes)
    for p in plain.motif.projections:
        assert torch.equal(looked_at.weights(p.name), plain.weights(p.name)), p.name


def test_what_is_kept_does_not_change_the_step():
    (one, _), (two, _), (three, _) = by_hand(()), by_hand("all"), by_hand(("V1", "down1"))
    for p in one.motif.projections:
        assert torch.equal(one.weights(p.name), two.weights(p.name)), p.name
        assert torch.equal(one.weights(p.name), three.weights(p.name)), p.name


@pytest.mark.parametrize("in_batches", [True, False])
def test_after_ctrl_c_the_last_probe_can_read_all_as_well(in_batches):
    circuit = make()
    split = data().train
    given = [(split.x[k : k + 500], split.target[k : k + 500]) for k in (0, 500, 1000)] if in_batches else data()

    def schedule(progress: float) -> float:
        if circuit.n_steps == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return 1.0

    history = cs.fit(
        circuit, given, epochs=50, batch_size=500, progress=False, probes={"look": look}, schedule=schedule
    )
    assert history.interrupted and circuit.n_steps <= 6
    (last, value) = history.records["current Vt1"][-1]
    assert last == circuit.n_steps and torch.isfinite(value).all()


def test_a_probe_of_steps_puts_off_the_end_after_ctrl_c_by_the_step_that_it_reads():
    circuit = make()

    def schedule(progress: float) -> float:
        if circuit.n_steps == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return 1.0

    probe = cs.Probe(look, every_steps=1000)
    history = cs.fit(
        circuit, data(), epochs=50, batch_size=500, progress=False, probes={"look": probe}, schedule=schedule
    )
    assert history.interrupted and circuit.n_steps == 3
    assert [step for step, _ in history.records["current Vt1"]] == [3]
