"""The main example, run as a user runs it, on few epochs."""

import contextlib
import io
import json
import runpy
import sys
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import circuitsim as cs
import self_assembly as study
from circuitsim.plots.view import write_page
from motifs import paper_sal
from self_assembly import FROZEN, SHUFFLED


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    command, printed = ["self_assembly.py", "--epochs", "12", "--seeds", "3", "--out", str(out)], io.StringIO()
    with (
        contextlib.chdir(out), contextlib.redirect_stdout(printed), mock.patch.object(sys, "argv", command),
        pytest.raises(SystemExit) as left,  # typer leaves so, also when all went well
    ):  # fmt: skip
        runpy.run_path(study.__file__, run_name="__main__")
    assert left.value.code in (0, None), printed.getvalue()
    return out, printed.getvalue()


def test_the_table_has_all_rows_and_only_assembly_overcomes_the_excitatory_start(run_folder):
    out, printed = run_folder
    table = pd.read_csv(out / "table.csv")
    rows = ["SAL", FROZEN, SHUFFLED, "Kolen-Pollack", "SGD"]
    deep = [f"{row}, 8 layers" for row in ("SAL", FROZEN, "SGD")]
    assert list(table.circuit) == [*rows, "SAL, form of the paper", "frozen, but signed random", *deep]
    mean = {row.circuit: float(row["test accuracy, %"].split()[0]) for _, row in table.iterrows()}
    assert min(mean["SAL"], mean["SGD"], mean["Kolen-Pollack"], mean["frozen, but signed random"]) > 80
    assert mean[FROZEN] < 65 and mean[SHUFFLED] < 30
    assert "SAL" in printed and "wrote" in printed


def test_the_notes_tell_how_frozen_feedback_with_random_signs_learns(run_folder):
    out, _ = run_folder
    history = pd.read_csv(out / "history.csv")
    test = history[(history.split == "test") & (history.metric == "accuracy")].set_index("circuit").value
    difference = 100 * (test["frozen, but signed random"].mean() - test["SAL"].mean())
    notes = (out / "report.md").read_text()
    (line,) = (line for line in notes.splitlines() if "feedback with random signs" in line)
    assert float(line.split("(")[1].split()[0]) == pytest.approx(difference, abs=0.006)
    (line,) = (line for line in notes.splitlines() if line.startswith("- 2 hidden layers"))
    assert float(line.split(": ")[2].split()[0]) == pytest.approx(
        100 * (test["SAL"].mean() - test[FROZEN].mean()), abs=0.06
    )


def test_self_assembly_rises_above_both_controls(run_folder):
    out, _ = run_folder
    history = pd.read_csv(out / "history.csv")
    cosine = history[(history.metric == "gradient_cosine") & (history.site == "W1")]
    assert np.isfinite(cosine.value).all()
    last = cosine[cosine.epoch == cosine.epoch.max()].groupby("circuit").value.mean()
    assert last["SAL"] > 0.5 and last["SAL"] > last[SHUFFLED] + 0.2
    assert last["SGD"] == pytest.approx(1, abs=1e-4)


def test_files_are_there_and_the_circuit_can_be_loaded(run_folder):
    out, _ = run_folder
    for name in ("self_assembly.png", "eight_layers.svg", "weights.png", "motif.png", "report.md", "weights.npz"):
        assert (out / name).stat().st_size > 500
    with Image.open(out / "self_assembly.gif") as movie:
        assert movie.n_frames == 13
    page = write_page(out).read_text(encoding="utf-8")
    assert SHUFFLED in page and len(page) < 4e6
    configuration = json.loads((out / "configuration.json").read_text())
    assert configuration["options"]["dataset"] == "digits" and configuration["versions"]["circuitsim"] == cs.__version__
    circuit = cs.load_circuit(out / "circuit.safetensors", device="cpu")
    accuracy = cs.evaluate(circuit, cs.load_dataset("digits"))["accuracy"]
    history = pd.read_csv(out / "history.csv")
    kept = history[(history.circuit == "SAL") & (history.split == "test") & (history.metric == "accuracy")]
    np.testing.assert_allclose(accuracy, kept.value, rtol=1e-6)


def test_help_says_what_is_measured_and_explains_the_options(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["self_assembly.py", "--help"])
    with pytest.raises(SystemExit):
        study.SelfAssembly.main()
    printed = capsys.readouterr().out
    assert "arXiv 2412.20018" in printed
    for option in ("--dataset", "--epochs", "--seeds", "--quick", "--device", "--out", "--scheduler", "--resume"):
        assert option in printed


def test_the_movie_of_a_run_shows_both_identities(tmp_path, monkeypatch):
    data = cs.load_dataset("teacher")
    circuit = cs.compile(paper_sal([data.n_features, 8, 6, data.n_outputs]), device="cpu")
    probe, batch = cs.WeightProbe(), data.validation.take(torch.arange(50))
    align = cs.Probe(lambda c: cs.alignment(c, batch.x, batch.target))
    history = cs.fit(circuit, data, epochs=2, probes={"weights": probe, "alignment": align}, progress=False)
    given = {}
    monkeypatch.setattr(study.plots, "animation", lambda *args, **options: given.update(options, pairs=args[0]))
    study.write_movie(circuit.motif, probe.kept, history, tmp_path / "a.gif")
    assert list(given["pairs"]) == [
        ("V1", "Vt1ᵀ"), ("V2", "Vt2ᵀ"), ("W1 Vt1ᵀ", "V2 Wt1ᵀ"), ("W2 Vt2ᵀ", "V3 Wt2ᵀ"),
    ]  # fmt: skip
    w = {p.name: circuit.weights(p.name)[0].to_dense().double().numpy() for p in circuit.motif.projections}
    left, right = given["pairs"]["W1 Vt1ᵀ", "V2 Wt1ᵀ"]
    np.testing.assert_allclose(left[-1], w["W1"] @ w["Vt1"].T)
    np.testing.assert_allclose(right[-1], w["V2"] @ w["Wt1"].T)
    assert set(given["signals"]) == {"W0", "W1"}
    epochs, values = given["signals"]["W0"]
    assert list(epochs) == [0, 1, 2] and np.isfinite(values).all()
    assert values[-1] == pytest.approx(history.final("gradient_cosine", "probe", "W0").mean())
