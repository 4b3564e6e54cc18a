"""The command line: draw, train, resume, refuse."""

import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import circuitsim as cs
from circuitsim.cli import _last_values, app, console, main
from motifs import paper_sal
from tests.motif.circuits import loop_over_phases

runner = CliRunner()


def run(*arguments: object) -> str:
    result = runner.invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_show_draws_a_motif_by_name_or_from_json_and_prints_its_program(tmp_path):
    printed = run("show", "kolen_pollack", "--layers", "6,5,3", "--out", tmp_path / "a.png")
    assert "Wt1:w += Wt1:eta * " in printed and (tmp_path / "a.png").stat().st_size > 5000
    (tmp_path / "m.json").write_text(paper_sal([6, 5, 3]).to_json())
    assert "program of 'paper_sal'" in run("show", tmp_path / "m.json", "--out", tmp_path / "b.svg")
    assert (tmp_path / "b.svg").read_text().startswith("<?xml")


def test_show_draws_a_motif_on_spikes_which_has_no_program(tmp_path):
    printed = run("show", "stdp", "--layers", "6,2", "--out", tmp_path / "a.png")
    assert "there is no step of rates" in " ".join(printed.split()) and (tmp_path / "a.png").stat().st_size > 5000


def test_show_draws_phases_that_close_a_loop_together(tmp_path):
    (tmp_path / "loop.json").write_text(loop_over_phases().to_json())
    printed = run("show", tmp_path / "loop.json", "--out", tmp_path / "loop.png")
    assert "program of 'loop'" in printed and "phase 'settle'" in printed
    assert (tmp_path / "loop.png").stat().st_size > 5000


def test_train_leaves_a_circuit_a_history_and_a_checkpoint_that_resumes(tmp_path):
    arguments = ["train", "sal", "--dataset", "teacher", "--epochs", 2, "--replicas", 2, "--out", tmp_path]
    run(*arguments)
    circuit = cs.load_circuit(tmp_path / "circuit.safetensors", device="cpu")
    history = pd.read_csv(tmp_path / "history.csv")
    assert circuit.n_replicas == 2 and np.isfinite(history.value).all()
    kept = cs.WeightHistory.load(tmp_path / "weights.npz")
    assert kept.epochs == [0, 1, 2]
    np.testing.assert_array_equal(kept.weights["W0"][-1], circuit.weights("W0")[0].numpy())
    assert set(history.metric) >= {"gradient_cosine", "mirror_cosine", "loss"}
    (tmp_path / "history.csv").unlink()
    shown = run(*arguments, "--resume")
    assert cs.WeightHistory.load(tmp_path / "weights.npz").epochs == [0, 1, 2]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "history.csv"), history)
    assert re.search(r"test\s*│ accuracy", shown)
    assert cs.load_circuit(tmp_path / "circuit.safetensors", device="cpu").n_steps == circuit.n_steps


def test_training_without_an_objective_says_that_nothing_was_evaluated(tmp_path):
    shown = run("train", "oja", "--dataset", "teacher", "--epochs", 1, "--out", tmp_path)
    assert "the motif has no objective, so there is no loss" in " ".join(shown.split()) and "│" not in shown


def test_what_is_not_there_is_refused_with_what_is():
    for arguments, message in (
        (["show", "sall"], "known: apical_sal"),
        (["show", "sal", "--layers", "6,five"], "such as 64,32,10"),
        (["show", "frozen_feedback"], "known: apical_sal"),
    ):
        result = runner.invoke(app, arguments)
        assert result.exit_code == 2
        assert message in re.sub(r"[\s│]+", " ", result.output)


def test_an_error_of_the_package_is_a_message_and_not_a_traceback(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["circuitsim", "train", "sal", "--dataset", "digitss"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "did you mean 'digits'" in capsys.readouterr().err


def test_brackets_are_shown_as_they_are(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["circuitsim", "train", "sal", "--dataset", "digits[red]"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err.startswith("error: there is no data set 'digits[red]' (known: ")
    history = cs.History()
    history.add(step=1, epoch=1.0, split="test", metric="loss[up2]", values=[0.25])
    console.print(_last_values(history, "two [objectives]"))
    shown = capsys.readouterr().out
    assert "two [objectives]" in shown and "│ loss[up2] │ 0.2500" in shown


def test_help_lists_the_commands():
    printed = run("--help")
    assert all(name in printed for name in ("show", "train", "view"))
