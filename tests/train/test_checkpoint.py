"""A run that dies goes on from its checkpoint as if nothing had happened."""

import dataclasses
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch

import circuitsim as cs
from circuitsim.engine.archive import save_circuit
from circuitsim.files import locked
from circuitsim.train.checkpoint import Checkpoint
from motifs import paper_sal, weight_mirror

LAYERS = [12, 10, 4]
OPTIONS = {"epochs": 6, "batch_size": 50, "schedule": "cosine", "data_seed": 3, "progress": False}


@pytest.fixture(scope="module")
def data() -> cs.Dataset:
    return cs.load_dataset("teacher", n_features=12, n_outputs=4, n_samples=600)


class PowerCut(Exception):
    """Stands for whatever ends a process."""


def cut_at(step: int):
    def look(circuit: cs.Circuit) -> None:
        if circuit.n_steps == step:
            raise PowerCut

    return {"cut": cs.Probe(look, every_steps=1)}


@pytest.mark.parametrize("make", [paper_sal, weight_mirror])
@pytest.mark.parametrize("step", [3, 25, 49])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(data, tmp_path, make, step):
    whole = cs.compile(make(LAYERS), replicas=2, device="cpu")
    expected = cs.fit(whole, data, **OPTIONS)
    path = tmp_path / "run.safetensors"
    with pytest.raises(PowerCut):
        cs.fit(
            cs.compile(make(LAYERS), replicas=2, device="cpu"), data, checkpoint=path, probes=cut_at(step), **OPTIONS
        )
    resumed = cs.compile(make(LAYERS), replicas=2, device="cpu")
    history = cs.fit(resumed, data, checkpoint=path, resume=True, **OPTIONS)
    for p in whole.motif.projections:
        assert torch.isfinite(whole.weights(p.name)).all()
        assert torch.equal(whole.weights(p.name), resumed.weights(p.name))
    assert history.to_pandas().equals(expected.to_pandas())
    assert resumed.n_steps == whole.n_steps
    again = cs.fit(resumed, data, checkpoint=path, resume=True, **OPTIONS)  # done already: nothing happens
    assert resumed.n_steps == whole.n_steps and again.to_pandas().equals(expected.to_pandas())


@pytest.mark.parametrize("step", [40, 80])
def test_a_replica_that_runs_away_returns_to_the_checkpoint_and_is_reported_by_every_later_run(tmp_path, step):
    """It grows by a quarter in each step: it has 1.25**35 after an epoch, and is found after 50 steps."""
    motif = cs.Motif("growth")
    motif.add(cs.Population("x", 1), cs.Population("y", 1))
    motif.connect("x", "y", name="W", init=cs.Constant(1.0), rule=cs.Rule("eta * w", eta=[0.0, 0.25]))
    batches, options = [(np.ones((1, 1)), None)] * 35, {"epochs": 3, "progress": False}
    path = tmp_path / "run.safetensors"
    with pytest.raises(PowerCut):
        cs.fit(cs.compile(motif, replicas=2, device="cpu"), batches, checkpoint=path, probes=cut_at(step), **options)
    circuit = cs.compile(motif, replicas=2, device="cpu")
    (report,) = cs.fit(circuit, batches, checkpoint=path, resume=True, **options).runaways
    assert (report["replica"], report["step"]) == (1, 50)
    np.testing.assert_allclose(circuit.weights("W").flatten(), [1.0, 1.25**35], rtol=1e-6)


def test_probes_of_steps_go_on_in_step_after_resuming(data, tmp_path):
    called, options = [], {"epochs": 3, "batch_size": 50, "progress": False}
    count = {"count": cs.Probe(lambda circuit: called.append(circuit.n_steps), every_steps=4)}
    path = tmp_path / "run.safetensors"
    with pytest.raises(PowerCut):
        cs.fit(cs.compile(paper_sal(LAYERS), device="cpu"), data, checkpoint=path, probes=cut_at(11), **options)
    circuit = cs.compile(paper_sal(LAYERS), device="cpu")
    cs.fit(circuit, data, checkpoint=path, resume=True, probes=count, **options)
    assert called == [12, 16, 20, 24, 27]  # from the second epoch of nine steps on, and at the end


@pytest.mark.parametrize("wrong", [{"epoch": -1}, {"rows": [[1, 2]]}, {"runaways": [3]}, {"settings": None}])
def test_notes_that_are_none_of_a_run_are_refused(tmp_path, wrong):
    circuit, path = cs.compile(paper_sal(LAYERS), device="cpu"), tmp_path / "run.safetensors"
    save_circuit(circuit, path, {"epoch": 0, "settings": {}, "rows": [], "runaways": []} | wrong)
    history = cs.History()
    with pytest.raises(cs.ArchiveError, match=r"run\.safetensors: not a checkpoint of a run"):
        Checkpoint(path, resume=True, settings={}).restore(circuit, history)
    assert history.rows == [] and circuit.n_epochs == 0


def test_a_checkpoint_is_not_overwritten_or_taken_for_another_run(data, tmp_path):
    path = tmp_path / "run.safetensors"
    cs.fit(cs.compile(paper_sal(LAYERS), device="cpu"), data, checkpoint=path, **OPTIONS)
    content = path.read_bytes()
    with pytest.raises(cs.ParameterError, match="resume=True needs the checkpoint"):
        cs.fit(cs.compile(paper_sal(LAYERS), device="cpu"), data, resume=True, **OPTIONS)
    with pytest.raises(cs.ParameterError, match="exists: pass resume=True"):
        cs.fit(cs.compile(paper_sal(LAYERS), device="cpu"), data, checkpoint=path, **OPTIONS)
    for circuit, options, message in (
        (cs.compile(paper_sal(LAYERS), seed=1, device="cpu"), {}, "seed is 0 in the checkpoint, but 1 in this run"),
        (cs.compile(paper_sal(LAYERS, eta=0.1), device="cpu"), {}, r"motif is \.\.\..*'eta': .* but .*'eta': 0.1"),
        (
            cs.compile(paper_sal(LAYERS), device="cpu"),
            {"data_seed": 4},
            "data_seed is 3 in the checkpoint, but 4 in this run",
        ),
    ):
        before = circuit.weights("W0")
        with pytest.raises(cs.ArchiveError, match=message):
            cs.fit(circuit, data, checkpoint=path, resume=True, **{**OPTIONS, **options})
        assert torch.equal(circuit.weights("W0"), before)
    assert path.read_bytes() == content
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(cs.ArchiveError, match="truncated"):
        cs.fit(cs.compile(paper_sal(LAYERS), device="cpu"), data, checkpoint=path, resume=True, **OPTIONS)


def half(progress: float) -> float:
    return 0.5


def other_labels(data: cs.Dataset, split: str) -> cs.Dataset:
    """The same data with one other label."""
    target = data.splits[split].target.clone()
    target[3] = (target[3] + 1) % 4
    return dataclasses.replace(data, **{split: dataclasses.replace(data.splits[split], target=target)})


def fewer(data: cs.Dataset) -> cs.Dataset:
    return dataclasses.replace(data, train=data.train.take(torch.arange(400)))


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda d: other_labels(d, "train"), {}, "the train data is '420 samples, sha256 .*, but '420 samples, sha256"),
        (lambda d: other_labels(d, "validation"), {}, "the validation data is"),
        (fewer, {}, "the train data is '420 samples, .* but '400 samples"),
        (lambda d: d, {"schedule": None}, "schedule is .* in the checkpoint, but .1.0, 1.0"),
        (lambda d: d, {"schedule": half}, "schedule is .* in the checkpoint, but .0.5, 0.5"),
        (lambda d: d, {"batch_size": 60}, "batch_size is 50 in the checkpoint, but 60 in this run"),
        (lambda d: d, {"epochs": 7}, "epochs is 6 in the checkpoint, but 7 in this run"),
        (lambda d: d.train, {}, "the validation data is '90 samples, .* but None in this run"),
        (
            lambda d: [(d.train.x[k : k + 50], d.train.target[k : k + 50]) for k in range(0, 400, 50)], {},
            "the train data is '420 samples, .* but None in this run|the data is None in the checkpoint",
        ),
    ],
)  # fmt: skip
def test_another_run_is_refused_by_what_differs_and_changes_nothing(checkpoint, data, change, options, message):
    circuit = cs.compile(paper_sal(LAYERS), device="cpu")
    before = circuit.weights("W0")
    with pytest.raises(cs.ArchiveError, match=message):
        cs.fit(circuit, change(data), checkpoint=checkpoint, resume=True, **{**OPTIONS, **options})
    assert torch.equal(circuit.weights("W0"), before) and circuit.n_steps == 0


@pytest.fixture(scope="module")
def checkpoint(data, tmp_path_factory):
    """That of a finished run."""
    path = tmp_path_factory.mktemp("run") / "run.safetensors"
    cs.fit(cs.compile(paper_sal(LAYERS), device="cpu"), data, checkpoint=path, **OPTIONS)
    return path


def test_the_same_schedule_may_be_given_in_another_way(checkpoint, data):
    def cosine(progress: float) -> float:
        return 0.5 * (1 + np.cos(np.pi * progress))

    circuit = cs.compile(paper_sal(LAYERS), device="cpu")
    cs.fit(circuit, data, checkpoint=checkpoint, resume=True, **{**OPTIONS, "schedule": cosine})
    assert circuit.n_steps == 54 and circuit.n_epochs == 6


def test_batches_in_a_list_are_known_by_their_numbers(data, tmp_path):
    split, path = data.train, tmp_path / "run.safetensors"
    batches = [(split.x[k : k + 70], split.target[k : k + 70]) for k in range(0, 420, 70)]
    cs.fit(cs.compile(paper_sal(LAYERS), device="cpu"), batches, checkpoint=path, progress=False)
    resumed = cs.compile(paper_sal(LAYERS), device="cpu")
    cs.fit(resumed, [(x.clone(), y.clone()) for x, y in batches], checkpoint=path, resume=True, progress=False)
    assert resumed.n_steps == 6
    with pytest.raises(cs.ArchiveError, match="the data is '6 batches, sha256"):
        cs.fit(resumed, batches[::-1], checkpoint=path, resume=True, progress=False)


@pytest.mark.parametrize("kind", [pd.DataFrame, torch.Tensor.bfloat16, torch.Tensor.numpy, torch.Tensor.tolist])
def test_a_batch_of_any_kind_is_known_by_every_entry(data, tmp_path, kind):
    x, y = data.train.x.bfloat16().float(), data.train.target
    other = x.clone()
    other[200, 6] += 1.0
    circuit, path = cs.compile(paper_sal(LAYERS), device="cpu"), tmp_path / "run.safetensors"
    cs.fit(circuit, [(kind(x), y)], checkpoint=path, progress=False)
    cs.fit(circuit, [(kind(x), y)], checkpoint=path, resume=True, progress=False)
    assert circuit.n_steps == 1
    with pytest.raises(cs.ArchiveError, match="the data is '1 batches, sha256"):
        cs.fit(circuit, [(kind(other), y)], checkpoint=path, resume=True, progress=False)


@pytest.mark.parametrize("cut", [1, 30])
def test_a_resumed_circuit_has_the_whole_state_of_the_run_whatever_was_done_to_it(data, tmp_path, cut):
    def begin() -> cs.Circuit:
        circuit = cs.compile(paper_sal(LAYERS), replicas=3, device="cpu", dtype="float64")
        circuit.prune("V1", 0.02)
        circuit.freeze("Wt1")
        circuit.pin_replica(2)
        circuit.release_replica(2, {"W0.eta": 0.03})
        circuit.pin_replica(1)
        circuit.eta_scale = 0.5
        return circuit

    whole, path = begin(), tmp_path / "run.safetensors"
    cs.fit(whole, data, **OPTIONS)
    with pytest.raises(PowerCut):
        cs.fit(begin(), data, checkpoint=path, probes=cut_at(cut), **OPTIONS)
    plain = cs.compile(paper_sal(LAYERS), replicas=3, device="cpu", dtype="float64")
    spoilt = cs.compile(paper_sal(LAYERS), replicas=3, device="cpu", dtype="float64")
    spoilt.prune("W0", 0.3)
    spoilt.prune("V1", 0.1)
    spoilt.freeze("W0", "V1")
    spoilt.pin_replica(0)
    spoilt.eta_scale = 7.0
    content = path.read_bytes()
    for resumed in (plain, spoilt):
        path.write_bytes(content)
        cs.fit(resumed, data, checkpoint=path, resume=True, **OPTIONS)
        assert resumed.condition() == whole.condition() and resumed.pinned == (1,) and resumed.frozen == {"Wt1"}
        for p in whole.motif.projections:
            assert torch.equal(resumed.weights(p.name), whole.weights(p.name)), p.name
            assert torch.equal(resumed.mask(p.name), whole.mask(p.name)), p.name


def test_a_second_run_on_the_same_path_is_refused_while_the_first_lives(data, tmp_path):
    path, link = tmp_path / "run.safetensors", tmp_path / "link.safetensors"
    link.symlink_to(path)
    part = tmp_path / f".{path.name}.half.part"

    def start_another(circuit: cs.Circuit) -> None:
        part.write_text("half written")
        for name in (path, os.path.relpath(path), link):
            for resume in (True, False) if name != link else (True,):
                other = cs.compile(paper_sal(LAYERS), device="cpu")
                with pytest.raises(cs.CircuitError, match="in use by another run|exists"):
                    cs.fit(other, data, checkpoint=name, resume=resume, **OPTIONS)
                assert other.n_steps == 0
        assert part.read_text() == "half written"

    probes = {"another": cs.Probe(start_another, every_epochs=3)}
    circuit, twin = cs.compile(paper_sal(LAYERS), device="cpu"), cs.compile(paper_sal(LAYERS), device="cpu")
    cs.fit(circuit, data, checkpoint=path, probes=probes, **OPTIONS)
    cs.fit(twin, data, **OPTIONS)
    assert torch.equal(circuit.weights("W0"), twin.weights("W0"))
    part.unlink()
    assert sorted(tmp_path.iterdir()) == [link, path]
    cs.fit(twin, data, checkpoint=path, resume=True, **OPTIONS)  # and afterwards the path is free


def test_a_run_that_fails_frees_its_path(data, tmp_path):
    path = tmp_path / "run.safetensors"
    with pytest.raises(PowerCut):
        cs.fit(cs.compile(paper_sal(LAYERS), device="cpu"), data, checkpoint=path, probes=cut_at(3), **OPTIONS)
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / f".{path.name}.half.part").write_bytes(b"left by a run that was killed")
    cs.fit(cs.compile(paper_sal(LAYERS), device="cpu"), data, checkpoint=path, resume=True, **OPTIONS)
    assert list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_that_another_run_has_written_before_the_path_was_free_is_not_overwritten(tmp_path):
    path = tmp_path / "run.safetensors"
    checkpoint = Checkpoint(path, resume=False, settings={})
    path.write_bytes(b"of another run")
    with pytest.raises(cs.ParameterError, match="exists: pass resume=True"), checkpoint.in_use():
        pass
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == b"of another run"


def test_a_worker_that_outlives_its_killed_parent_does_not_keep_the_path(tmp_path):
    path = tmp_path / "run.safetensors"
    script = (
        "import os, time; from pathlib import Path; from circuitsim.files import locked\n"
        f"with locked(Path({str(path)!r})):\n"
        "    if os.fork() == 0:\n        print('forked', flush=True); time.sleep(30); os._exit(0)\n"
        "    time.sleep(30)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "forked\n"
        with pytest.raises(cs.ArchiveError, match="in use by another run"), locked(path):
            pass
        process.kill()
        process.wait()
        with locked(path):
            assert (tmp_path / f".{path.name}.lock").exists()
    finally:
        os.killpg(process.pid, signal.SIGKILL)


def train(path, ready) -> None:
    """What is killed: the same command over and over."""
    data = cs.load_dataset("teacher", n_features=12, n_outputs=4, n_samples=600)
    circuit = cs.compile(paper_sal(LAYERS), replicas=2, device="cpu")
    ready.set()
    cs.fit(
        circuit, data, epochs=400, batch_size=50, checkpoint=path, resume=True, progress=False, evaluate_every=0
    )  # fmt: skip


def kill_at_random_moments(path, n_kills: int) -> list[int]:
    """Start the same run over and over, kill it with SIGKILL, and look at what it left each time."""
    rng, steps, processes = np.random.default_rng(0), [], multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])  # imports once
    for _ in range(n_kills):
        ready = processes.Event()
        process = processes.Process(target=train, args=(path, ready))
        process.start()
        assert ready.wait(60)
        time.sleep(rng.uniform(0.05, 0.6))
        process.kill()
        process.join()
        if path.exists():
            circuit = cs.load_circuit(path, device="cpu")
            assert circuit.n_steps % 9 == 0  # whole epochs of 420 / 50 batches
            steps.append(circuit.n_steps)
    return steps


def test_kill_9_leaves_the_last_good_state_and_the_run_goes_on(tmp_path):
    steps = kill_at_random_moments(tmp_path / "run.safetensors", 3)
    assert steps and steps == sorted(steps)
    leftovers = [p for p in tmp_path.iterdir() if not p.name.startswith(".")]
    assert leftovers == [tmp_path / "run.safetensors"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_kills(tmp_path):
    steps = kill_at_random_moments(tmp_path / "run.safetensors", 200)
    print(f"200 kills: {len(steps)} found a checkpoint, all whole, the last after {steps[-1]} steps")
    assert len(steps) > 150 and steps == sorted(steps)
