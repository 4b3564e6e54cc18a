"""The experiment: cells that are finished are kept, interrupted ones go on, and other constants are run again."""

import json
from dataclasses import replace

import numpy as np
import pytest

import circuitsim as cs
import motifs
import robustness as study
from circuitsim.plots import HeatColumn, heat_table
from support.grid import CONTROLS, FIRST_SEED, whole_grid
from support.trainer import checkpoint_of

TINY = [
    replace(cell, hidden=(8,), epochs=1, seeds=2)
    for cell in whole_grid()
    if cell.dataset == "digits" and cell.condition == "base"
]
SAL, SGD, FROZEN = (f"digits/base/{circuit}" for circuit in ("SAL", "SGD", "frozen"))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    place = study.Place(tmp_path_factory.mktemp("grid"), device="cpu", n_trials=2)
    return study.run(TINY, place), place


def test_a_finished_cell_is_what_the_circuit_does_alone_on_fresh_seeds(done):
    found, place = done
    assert list(found) == [SAL, SGD, FROZEN]
    circuit = cs.compile(motifs.sal([64, 8, 10]), replicas=2, seed=FIRST_SEED, device="cpu")
    history = cs.fit(circuit, cs.load_dataset("digits"), epochs=1, batch_size=64, progress=False)
    np.testing.assert_allclose(found[SAL]["test"], history.final("accuracy", "test"), atol=1e-5)
    assert found[SAL]["steps"] == 20 and found[SAL]["ran away"] == []
    assert 0.2 < min(found[SGD]["test"]) <= 1
    for name, control in ((SGD, CONTROLS["SGD"]), (FROZEN, CONTROLS["frozen"])):
        assert {key: (low, high) for key, (low, high) in control.space.items()}.keys() == found[name]["settings"].keys()
        assert all(low <= found[name]["settings"][key] <= high for key, (low, high) in control.space.items())
    assert all(abs(cosine) <= 1 for cosine in found[FROZEN]["gradient_cosine"]["W0"])
    np.testing.assert_allclose(found[SGD]["gradient_cosine"]["W0"], 1, atol=1e-4)
    assert {path.name for path in place.out.iterdir()} >= {"grid.png", "grid.svg", "table.csv", "tuned.json"}
    assert list((place.out / "trained").iterdir()) == []


@pytest.fixture
def no_page(monkeypatch):
    """Draws something small in place of the page."""
    monkeypatch.setattr(study, "page", lambda grid, found: heat_table([{"": [{}]}], [HeatColumn("", 1.0)]))


def test_finished_cells_are_kept_torn_lines_skipped_and_other_constants_or_more_seeds_run_again(
    done, monkeypatch, no_page
):
    found, place = done
    lines = place.out / study.CELLS
    lines.write_text(lines.read_text() + '{"cell": "digits/base/SAL", "see')
    learned = []
    monkeypatch.setattr(study, "learn", lambda cell, place: learned.append(cell.name))
    assert place.finished(TINY) == found
    study.run(TINY, place)
    assert learned == []
    study.run([replace(cell, seeds=3) for cell in TINY], place, "SGD$")
    assert learned == [SGD]
    other = [replace(cell, eta=2.0) if cell.circuit == "SAL" else cell for cell in TINY]
    assert set(place.finished(other)) == {SGD, FROZEN}
    learned.clear()
    study.run(other, place, budget=-1.0)
    assert learned == []
    study._append(lines, {"cell": "next"})
    assert lines.read_text().splitlines()[-2:] == ['{"cell": "digits/base/SAL", "see', '{"cell": "next"}']


def test_a_cell_that_was_interrupted_goes_on_from_its_checkpoint_and_leaves_none(tmp_path, monkeypatch, no_page):
    place, (cell, *_) = study.Place(tmp_path, device="cpu"), (replace(cell, epochs=2) for cell in TINY)
    train = study.train

    def interrupted(label, condition, setup):
        result = train(label, replace(condition, epochs=setup.epochs), setup)
        result.history.interrupted = True
        return result

    monkeypatch.setattr(study, "train", interrupted)
    assert study.run([cell], place) == {}
    (saved,) = (tmp_path / "trained").iterdir()
    begun = []
    monkeypatch.setattr(
        study, "train", lambda label, *rest: begun.append(checkpoint_of(label, rest[1])) or train(label, *rest)
    )
    assert set(study.run([cell], place)) == {SAL}
    assert begun == [saved] and not saved.exists()


def test_a_circuit_that_ends_far_below_its_own_best_has_collapsed():
    circuit = cs.compile(motifs.sal([64, 8, 10]), replicas=3, device="cpu")
    history = cs.History(runaways=[{"replica": 2}])
    for epoch, values in enumerate(([0.5, 0.9, 0.9], [0.8, 0.7, 0.1])):
        history.add(step=epoch, epoch=float(epoch), split="validation", metric="accuracy", values=values)
    assert study._collapsed(study.Result(circuit, {}, history)) == [1]


def test_a_data_set_without_files_is_left_out(tmp_path, monkeypatch, capsys, no_page):
    monkeypatch.delenv("CIRCUITSIM_DATA", raising=False)
    grid = [replace(cell, epochs=1) for cell in whole_grid()]
    assert study.run(grid, study.Place(tmp_path, tmp_path, "cpu"), "^cifar10_jpeg/base") == {}
    printed = " ".join(capsys.readouterr().out.split())
    assert "cifar10_jpeg is left out" in printed and printed.count("left out:") == 1


def test_the_command_runs_two_tiny_cells(tmp_path):
    study.main(quick=True, out=tmp_path, device="cpu", seeds=1)
    rows = [json.loads(line) for line in (tmp_path / study.CELLS).read_text().splitlines()]
    assert [found["cell"] for found in rows] == [SAL, SGD] and all(len(found["test"]) == 1 for found in rows)
