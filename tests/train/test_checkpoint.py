"""A run that dies goes on from its checkpoint as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import sal, weight_mirror

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


@pytest.mark.parametrize("make", [sal, weight_mirror])
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


def test_a_checkpoint_is_not_overwritten_or_taken_for_another_run(data, tmp_path):
    path = tmp_path / "run.safetensors"
    cs.fit(cs.compile(sal(LAYERS), device="cpu"), data, checkpoint=path, **OPTIONS)
    content = path.read_bytes()
    with pytest.raises(cs.ParameterError, match="exists: pass resume=True"):
        cs.fit(cs.compile(sal(LAYERS), device="cpu"), data, checkpoint=path, **OPTIONS)
    for circuit, options, message in (
        (cs.compile(sal(LAYERS), seed=1, device="cpu"), {}, "seed is 0 there and 1 here"),
        (cs.compile(sal(LAYERS, eta=0.1), device="cpu"), {}, "motif is "),
        (cs.compile(sal(LAYERS), device="cpu"), {"data_seed": 4}, "data_seed is 3 there and 4 here"),
    ):
        before = circuit.weights("W0")
        with pytest.raises(cs.ArchiveError, match=message):
            cs.fit(circuit, data, checkpoint=path, resume=True, **{**OPTIONS, **options})
        assert torch.equal(circuit.weights("W0"), before)
    assert path.read_bytes() == content
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(cs.ArchiveError, match="truncated"):
        cs.fit(cs.compile(sal(LAYERS), device="cpu"), data, checkpoint=path, resume=True, **OPTIONS)


SCRIPT = """
import sys, circuitsim as cs
from motifs import sal
data = cs.load_dataset("teacher", n_features=12, n_outputs=4, n_samples=600)
circuit = cs.compile(sal([12, 10, 4]), replicas=2, device="cpu")
print("go", flush=True)
cs.fit(circuit, data, epochs=400, batch_size=50, checkpoint=sys.argv[1], resume=True, progress=False, evaluate_every=0)
"""


def kill_at_random_moments(path, n_kills: int) -> list[int]:
    """Start the same command over and over, kill it with SIGKILL, and look at what it left each time."""
    rng, steps = np.random.default_rng(0), []
    for _ in range(n_kills):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "go\n"
        time.sleep(rng.uniform(0.05, 0.6))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        if path.exists():
            circuit = cs.load_circuit(path, device="cpu")
            assert circuit.n_steps % 9 == 0  # whole epochs of 420 / 50 batches
            steps.append(circuit.n_steps)
    return steps


def test_kill_9_leaves_the_last_good_state_and_the_run_goes_on(tmp_path):
    steps = kill_at_random_moments(tmp_path / "run.safetensors", 3)
    assert steps and steps == sorted(steps)
    leftovers = [p for p in tmp_path.iterdir() if not p.name.endswith(".part")]
    assert leftovers == [tmp_path / "run.safetensors"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_kills(tmp_path):
    steps = kill_at_random_moments(tmp_path / "run.safetensors", 200)
    print(f"200 kills: {len(steps)} found a checkpoint, all whole, the last after {steps[-1]} steps")
    assert len(steps) > 150 and steps == sorted(steps)
