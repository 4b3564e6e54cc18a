"""The motif census of assembled circuits, and its controls."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.studies import motif_census as study
from circuitsim.studies.experiment import Options, write_report
from motifs import sal


def test_pruning_keeps_the_largest_synapses():
    circuit = cs.compile(sal([6, 8, 8, 4]), replicas=2, device="cpu")
    before = circuit.weights("W1").abs()
    study.prune_to(circuit, "W1", 0.25)
    mask = circuit.mask("W1")
    assert mask.float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert before[mask].min() >= before[~mask].max()


def test_a_planted_square_is_found_in_the_circuit():
    """All weights of one half of each population are large: squares within that half, and none elsewhere."""
    circuit = cs.compile(sal([6, 8, 8, 4]), device="cpu")
    rng = np.random.default_rng(0)
    for name in ("W1", "V2", "Vt1", "Wt1"):
        weights = 0.01 * rng.random((8, 8))
        weights[:4, :4] += 1.0
        circuit.set_weights(name, weights)
    found = study.counted(circuit, n_random=5)
    (census,) = next(counts for square, counts in found.items() if square.W == "W1")
    assert census.observed == 4**4
    assert np.isnan(census.z)  # a full block is the only graph of its degrees
    square = next(square for square in found if square.W == "W1")
    assert study.coherent(circuit, square) == [1.0]  # all weights are positive


def test_assembled_and_controls_are_counted_and_written(tmp_path):
    options = Options(quick=True, progress=False, device="cpu", out=tmp_path)
    report = study.motif_census(options)
    write_report(report, tmp_path, options)
    table = report.table
    assert list(table.circuit.unique()) == list(study.ROWS) and table.square.nunique() == 2

    def number(column):
        return table.set_index(["circuit", "square"])[column].str.split().str[0].astype(float)

    inner = "W1 V2 Vt1 Wt1"
    # with a quarter of 32^4 possible synapses each, independent ones would make 32^4 / 4^4 quadruples
    assert number("random")[study.START, inner] == pytest.approx(32**4 / 4**4, rel=0.15)
    assert number("observed / random")[study.START, inner] == pytest.approx(1, abs=0.1)
    assert abs(number("z")[study.START, inner]) < 4
    coherent = number("sign-coherent, %")
    assert coherent[study.ASSEMBLED, inner] > coherent[study.START, inner] + 5
    assert "over-representation" in report.notes and f"{study.ASSEMBLED} " in report.notes
    for name in ("table.csv", "report.md", "history.csv"):
        assert (tmp_path / name).stat().st_size > 100
