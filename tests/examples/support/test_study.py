"""An experiment's circuits learn the same on workers as here, those that have learned are kept, runaways are told."""

import dataclasses
import inspect
import json
import os
import re
import runpy
import signal
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import circuitsim as cs
from motifs import backprop, paper_sal
from support import Condition, Study, hidden_sites
from support.command import as_markdown
from support.trainer import train, train_all
from winner_take_all import largest_shares

EXAMPLES = Path(__file__).parents[3] / "examples"
EXPERIMENTS = [
    path.stem for path in EXAMPLES.glob("*.py") if path.stem not in ("tune", "robustness", "stdp")
]  # commands


class Two(Study):
    """Two circuits."""

    title = "Two"
    dataset = "teacher"

    def motifs(self):
        return {"SAL (a)": paper_sal(self.setup.layers), "SGD": backprop(self.setup.layers)}

    def probes(self):
        return {**self.setup.alignment(["gradient_cosine"]), "shares": cs.Probe(largest_shares)}

    def rows(self, label, result):
        yield result.assembly("test")


def two(out, **options):
    return Two.on(epochs=2, seeds=2, out=out, device="cpu", progress=False, **options)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_file_holds_one_experiment_that_names_its_source_and_says_how_to_run_it(name):
    module = runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="imported")
    (study,) = (
        v for v in module.values() if isinstance(v, type) and issubclass(v, Study) and not inspect.isabstract(v)
    )
    assert study.__name__.lower() == name.replace("_", "")
    assert "Source: " in study.__doc__ and f"python examples/{name}.py --quick" in module["__doc__"]


def test_quick_means_few_epochs_and_at_most_two_seeds_unless_the_options_say_more():
    def sizes(**options):
        setup = Two.on(**options).setup
        return setup.epochs, setup.seeds

    assert sizes(quick=True) == (20, 2) and sizes(quick=True, seeds=1, epochs=7) == (7, 1)
    assert sizes() == (40, 5) and sizes(dataset="fashion_mnist", quick=True) == (1, 2)
    assert two(Path("runs")).setup.layers[1:-1] == [32, 32]


@pytest.mark.parametrize("dataset", ["digits", "fashion_mnist"])
def test_spiking_circuits_learn_as_many_trials_on_every_data_set(dataset):
    pytest.importorskip("brian2")
    from spiking_feedback import SpikingFeedback

    assert SpikingFeedback.on(dataset).n_samples == 12_000
    assert SpikingFeedback.on(dataset, epochs=3).n_samples == 3000


def test_a_table_in_markdown_keeps_bars_and_line_breaks_in_their_cells():
    table = pd.DataFrame({"|V|": ["1\n2", 3.0]})
    assert as_markdown(table) == "| \\|V\\| |\n| --- |\n| 1<br>2 |\n| 3.0 |\n"


def test_hidden_sites_leave_out_the_output_and_all_other_pathways():
    assert hidden_sites(paper_sal([5, 4, 3, 2])) == hidden_sites(backprop([5, 4, 3, 2])) == ["W0", "W1"]
    assert hidden_sites(paper_sal([5, 4, 3, 2], bias=True)) == ["W0", "W1"]


def test_replicas_that_ran_away_are_counted_and_have_no_values(tmp_path):
    setup = two(tmp_path).setup
    some = cs.compile(paper_sal(setup.layers), replicas=2, device="cpu")
    result = train("SAL", Condition(paper_sal(setup.layers, eta=1000.0), setup.alignment()), setup)
    assert result.ran_away == "2 of 2" and np.isnan(result.final("accuracy", "test")).all()
    assert np.isnan(result.over_sites("gradient_cosine")).all()
    result.history = cs.History(runaways=[{"replica": 1}])
    result.history.add(step=1, epoch=1.0, split="test", metric="accuracy", values=[0.5, 0.75])
    assert result.ran_away == "1 of 2" and result.circuit.n_replicas == some.n_replicas
    np.testing.assert_array_equal(result.final("accuracy", "test"), [0.5, np.nan])
    assert np.isnan(result.final("accuracy", "validation")).all()  # was not measured


def dies_once(folder):
    """A probe that kills the process that calls it, the first time after a step."""

    def measure(circuit):
        mark = Path(folder) / "died"
        if circuit.n_steps and not mark.exists():
            mark.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)

    return cs.Probe(measure)


def test_circuits_trained_on_workers_are_those_trained_here_and_one_that_is_killed_costs_an_epoch(tmp_path):
    here = two(tmp_path / "here").run()
    setup = two(tmp_path, scheduler="local").setup
    conditions = here.conditions()
    deadly = {**conditions["SGD"].probes, "deadly": dies_once(tmp_path)}
    found = train_all({**conditions, "SGD": dataclasses.replace(conditions["SGD"], probes=deadly)}, setup)
    assert int((tmp_path / "died").read_text()) != os.getpid()
    assert list(found) == ["SAL (a)", "SGD"]
    for label, result in found.items():
        expected = here.results[label]
        assert result.history.rows == expected.history.rows
        for name, weights in result.after.items():
            assert np.isfinite(weights).all()
            np.testing.assert_array_equal(weights, expected.after[name])
            np.testing.assert_array_equal(result.before[name], expected.before[name])
    assert np.isfinite(found["SAL (a)"].final("largest_share_V", "probe")).all()

    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "trained").iterdir()}
    assert set(kept) == {"teacher_SAL_a_.safetensors", "teacher_SGD.safetensors"}
    again = two(tmp_path, resume=True)  # reads them
    for label, result in again.train().items():
        np.testing.assert_array_equal(result.after["W0"], here.results[label].after["W0"])
        assert result.history.rows == here.results[label].history.rows
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "trained").iterdir()} == kept
    with pytest.raises(cs.ArchiveError, match="epochs is 2 in the checkpoint, but 3 in this run"):
        train_all(again.conditions(), dataclasses.replace(again.setup, epochs=3))


def test_without_dask_or_without_a_scheduler_the_error_says_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(cs.ParameterError, match="no Dask scheduler answers at 'nonsense://here'"):
        two(tmp_path, scheduler="nonsense://here").run()
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(cs.ParameterError, match=r"pip install 'circuitsim\[dask\]'"):
        two(tmp_path, scheduler="local").run()


def test_a_run_folder_that_cannot_be_written_is_told_before_the_experiment_begins(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(Two, "train", lambda self: pytest.fail("it began"))
    with pytest.raises(cs.ArchiveError, match="cannot be written"):
        two(tmp_path / "file" / "run").run()


def test_the_command_writes_its_run_folder_where_it_is_run_and_errors_are_messages(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    script = str(EXAMPLES / "learning_rates.py")
    for arguments, code in ((["--quick", "--epochs", "1", "--seeds", "1"], 0), (["--dataset", "digitss"], 1)):
        monkeypatch.setattr(sys, "argv", [script, *arguments])
        with pytest.raises(SystemExit) as left:  # typer leaves so, also when all went well
            runpy.run_path(script, run_name="__main__")
        assert (left.value.code or 0) == code
    folder = tmp_path / "runs" / "learning_rates_digits"
    table = pd.read_csv(folder / "table.csv")
    assert len(table) == 9 and set(table.circuit) == {"SAL", "SAL (paper)", "SGD"}
    configuration = json.loads((folder / "configuration.json").read_text())
    assert configuration["options"]["epochs"] == 1 and configuration["versions"]["circuitsim"] == cs.__version__
    printed = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "wrote" in printed and "did you mean 'digits'" in printed


def test_the_experiment_of_the_documentation_runs(tmp_path):
    page = (EXAMPLES.parent / "docs" / "reference" / "examples.rst").read_text()
    code = textwrap.dedent(page.split(".. code-block:: python\n")[1])
    depth: dict = {"__name__": "depth"}
    exec(code, depth)
    options = {"epochs": 1, "quick": True, "out": tmp_path, "device": "cpu", "progress": False}
    found = depth["Depth"](Two.on(**options).setup).run()
    assert list(found.table().circuit) == ["1 hidden layers", "2 hidden layers", "3 hidden layers"]
