"""Files of earlier versions (formats "circuitsim circuit 2" and 4) load, and go on as those versions did."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import circuitsim as cs
from tests.engine.old_files import make

FOLDER = Path(make.__file__).parent
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def assert_near(found, expected, tolerance: float) -> None:
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=0, atol=tolerance, err_msg=name)
        assert np.count_nonzero(values), name


@pytest.mark.parametrize(("name", "tolerance"), [("rich", 2e-6), ("rich_4", 2e-6), ("sparse", 1e-14)])
def test_an_old_circuit_has_all_that_it_had_and_goes_on_as_it_would_have(name, tolerance):
    circuit, expected = cs.load_circuit(FOLDER / f"{name}.safetensors", device="cpu"), EXPECTED[name]
    found = make.described(circuit)
    assert_near(found["now"], expected["now"], 1e-14)
    assert {k: found[k] for k in ("n_synapses", "n_steps", "held", "frozen")} == {
        k: expected[k] for k in ("n_synapses", "n_steps", "held", "frozen")
    }
    assert_near(found["later"], expected["later"], tolerance)


@pytest.mark.parametrize(("name", "state", "pinned"), [("rich", "W0.e", "held"), ("rich_4", "W0:e", "pinned")])
def test_numbers_in_an_old_file_are_those_of_the_circuit_one_by_one(name, state, pinned):
    tensors = load_file(FOLDER / f"{name}.safetensors")
    circuit = cs.load_circuit(FOLDER / f"{name}.safetensors", device="cpu")
    for name in ("W0", "W1", "V1", "Wt1"):
        assert torch.equal(circuit.weights(name), tensors[f"weights/{name}"])
    assert torch.equal(circuit.state("W0", "e"), tensors[f"weights/{state}"])
    assert circuit.pinned == (2,) and circuit.eta_scale == 1.0
    assert torch.equal(circuit.state("up1", "theta"), tensors["weights/up1.theta"].squeeze(1))
    assert torch.equal(circuit.mask("W1"), tensors["mask/W1"])
    assert torch.equal(circuit.weights("W1")[2], tensors[f"{pinned}/2/W1"])


def test_an_old_circuit_whose_declaration_is_refused_today_loads_with_its_weights():
    tensors = load_file(FOLDER / "silent.safetensors")
    circuit = cs.load_circuit(FOLDER / "silent.safetensors", device="cpu")
    for name in ("repeated", "stray", "blank", "random"):
        assert torch.equal(circuit.weights(name), tensors[f"weights/{name}"])
    assert (tensors["weights/outside"] == -1).all() and (circuit.weights("outside") == 0).all()  # the bounds hold now
    assert [int(circuit.mask(name)[0].sum()) for name in ("repeated", "stray", "blank")] == [3, 11, 11]
    with pytest.raises(cs.MotifError) as caught:
        make.silent()
    assert {fault.split("'")[1] for fault in caught.value.faults} == {p.name for p in circuit.motif.projections}


@pytest.mark.parametrize("name", ["run", "run_4"])
def test_an_old_run_goes_on_from_its_checkpoint(tmp_path, name):
    path = tmp_path / "run.safetensors"
    shutil.copy(FOLDER / f"{name}.safetensors", path)
    circuit = make.beginning()
    history = make.learn(circuit, checkpoint=path, resume=True)
    assert (circuit.n_steps, circuit.n_epochs) == (18, 6)
    assert_near(make.numbers(circuit), EXPECTED[name]["later"], 1e-13)
    expected = EXPECTED[name]["rows"]
    assert [list(row[:-1]) for row in history.rows] == [row[:-1] for row in expected]
    np.testing.assert_allclose([row[-1] for row in history.rows], [row[-1] for row in expected], rtol=1e-12)


def test_an_old_circuit_is_saved_in_the_format_of_today(tmp_path):
    circuit = cs.load_circuit(FOLDER / "rich.safetensors", device="cpu")
    circuit.save(tmp_path / "new.safetensors")
    assert {"weights/W0:e", "weights/up1.theta", "weights/S:s"} <= load_file(tmp_path / "new.safetensors").keys()
    again = cs.load_circuit(tmp_path / "new.safetensors", device="cpu")
    assert make.described(again) == make.described(circuit)
