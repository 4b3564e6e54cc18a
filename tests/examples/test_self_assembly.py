"""The main example, run as a user runs it, on few epochs."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import circuitsim as cs
from circuitsim.studies.view import write_page

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    command = [sys.executable, str(ROOT / "examples" / "self_assembly.py"), "--epochs", "12", "--replicas", "3",
               "--out", str(out)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, cwd=out)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_the_table_has_the_six_rows_and_sensible_numbers(run_folder):
    out, printed = run_folder
    table = pd.read_csv(out / "table.csv")
    rows = list(table.circuit)
    assert rows == [
        "SAL (gated)", "SAL (ungated)", "SGD", "Kolen-Pollack", "control: feedback frozen at random",
        "control: shuffled error",
    ]  # fmt: skip
    mean = {row.circuit: float(row["test accuracy, %"].split()[0]) for _, row in table.iterrows()}
    assert min(mean["SAL (gated)"], mean["SGD"], mean["Kolen-Pollack"]) > 85
    assert mean["control: shuffled error"] < 60
    assert "SAL (gated)" in printed and "wrote" in printed


def test_self_assembly_rises_above_both_controls(run_folder):
    out, _ = run_folder
    history = pd.read_csv(out / "history.csv")
    cosine = history[(history.metric == "gradient_cosine") & (history.site == "W0")]
    assert np.isfinite(cosine.value).all()
    last = cosine[cosine.epoch == cosine.epoch.max()].groupby("circuit").value.mean()
    first = cosine[cosine.epoch == 0].groupby("circuit").value.mean()
    assert abs(first["SAL (gated)"]) < 0.25 < last["SAL (gated)"]
    assert last["SAL (gated)"] > last["control: shuffled error"] + 0.2
    assert last["SGD"] == pytest.approx(1, abs=1e-4)


def test_files_are_there_and_the_circuit_can_be_loaded(run_folder):
    out, _ = run_folder
    for name in ("self_assembly.png", "self_assembly.svg", "weights.png", "motif.png", "report.md", "weights.npz"):
        assert (out / name).stat().st_size > 500
    with Image.open(out / "self_assembly.gif") as movie:
        assert movie.n_frames == 13
    page = write_page(out).read_text(encoding="utf-8")
    assert "control: shuffled error" in page and len(page) < 4e6
    configuration = json.loads((out / "configuration.json").read_text())
    assert configuration["options"]["dataset"] == "digits" and configuration["versions"]["circuitsim"] == cs.__version__
    circuit = cs.load_circuit(out / "circuit.safetensors", device="cpu")
    accuracy = cs.evaluate(circuit, cs.load_dataset("digits"))["accuracy"]
    history = pd.read_csv(out / "history.csv")
    kept = history[(history.circuit == "SAL (gated)") & (history.split == "test") & (history.metric == "accuracy")]
    np.testing.assert_allclose(accuracy, kept.value, rtol=1e-6)


def test_help_explains_the_options():
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "self_assembly.py"), "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for option in ("--dataset", "--epochs", "--replicas", "--device", "--seed", "--out"):
        assert option in done.stdout
