"""Processes that share batches do what one process does with the whole batch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import circuitsim as cs
from tests.train.shared_runs import MOTIFS, dataset, learn, learn_own_targets, make

N_PROCESSES = 2
pytestmark = pytest.mark.filterwarnings("ignore::circuitsim.SlowRuleWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What two gloo processes left, started as the documentation says."""
    path = tmp_path_factory.mktemp("shared")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={N_PROCESSES}"]
    done = subprocess.run(
        [*torchrun, "-m", "tests.train.shared_runs", str(path)], capture_output=True, text=True, timeout=240,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return path


def left_by(folder, name: str, rank: int) -> tuple[cs.Circuit, pd.DataFrame]:
    circuit = cs.load_circuit(folder / f"{name}.{rank}.safetensors", device="cpu")
    return circuit, cs.History.load(folder / f"{name}.{rank}.csv").to_pandas()


def assert_same(one: cs.Circuit, two: cs.Circuit, tolerance: float) -> None:
    assert one.n_steps == two.n_steps
    for name, values in one.store.own.items():  # states too
        assert torch.isfinite(values).all()
        torch.testing.assert_close(values, two.store.own[name], rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", MOTIFS)
def test_the_trajectory_is_that_of_one_process_with_the_same_global_batch(folder, name):
    start, expected = make(name), make(name)
    history = learn(expected).to_pandas()
    assert any(not torch.equal(start.weights(p.name), expected.weights(p.name)) for p in start.motif.projections)
    for rank in range(N_PROCESSES):
        circuit, table = left_by(folder, name, rank)
        assert_same(expected, circuit, 1e-10)
        assert np.isfinite(table.value).all()
        pd.testing.assert_frame_equal(table, history, rtol=0, atol=1e-8, check_dtype=False)
    assert {"online", "train", "validation", "probe"} <= set(table.split)


def test_every_replica_may_have_targets_and_signals_of_its_own(folder):
    start, expected = make("rewarded"), make("rewarded")
    learn_own_targets(expected)
    assert not torch.equal(start.weights("W0"), expected.weights("W0"))
    for rank in range(N_PROCESSES):
        assert_same(expected, left_by(folder, "own targets", rank)[0], 1e-10)


def test_all_processes_end_with_the_same_weights_bit_for_bit(folder):
    for name in (*MOTIFS, "runaway"):
        assert_same(*(left_by(folder, name, rank)[0] for rank in range(N_PROCESSES)), 0.0)


def test_a_shared_run_resumes_and_its_checkpoint_is_one_file(folder):
    expected = make("sal")
    history = learn(expected).to_pandas()
    for rank in range(N_PROCESSES):
        circuit, table = left_by(folder, "resumed", rank)
        assert_same(expected, circuit, 1e-10)
        pd.testing.assert_frame_equal(table, history, rtol=0, atol=1e-8, check_dtype=False)
    assert not list(folder.glob("*.part"))


def test_processes_that_differ_are_told_so_and_may_run_apart(folder):
    for rank in range(N_PROCESSES):
        message = (folder / f"differ.{rank}.txt").read_text()
        assert "2 processes run together, but differ" in message and "distributed=False" in message
        expected = cs.compile(MOTIFS["sal"](), seed=rank, device="cpu", dtype="float64")
        learn(expected)
        assert_same(expected, left_by(folder, "apart", rank)[0], 0.0)


def test_shares_cover_the_batch_once_whatever_its_size():
    from circuitsim.engine.batch_shard import BatchShard

    for n_samples in (0, 1, 2, 7, 64):
        for n in (1, 2, 3, 8):
            parts = [range(n_samples)[BatchShard(n_samples, rank, n).own] for rank in range(n)]
            assert [k for part in parts for k in part] == list(range(n_samples))
            assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_data_has_an_uneven_last_batch():
    assert len(dataset().train) % 28 == 1
