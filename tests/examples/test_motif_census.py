"""The motif census of assembled circuits, and its controls."""

import numpy as np
import pytest

import circuitsim as cs
import motif_census as study
from motifs import paper_sal
from support.algorithms import FROZEN, SHUFFLED
from tests.examples.run import assert_written, numbers, run


def test_pruning_keeps_the_largest_synapses():
    circuit = cs.compile(paper_sal([6, 8, 8, 4]), replicas=2, device="cpu")
    before = circuit.weights("W1").abs()
    study.prune_to(circuit, "W1", 0.25)
    mask = circuit.mask("W1")
    assert mask.float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert before[mask].min() >= before[~mask].max()


def test_a_planted_square_is_found_in_the_circuit():
    """Among half of each population all weights but one a row are large; elsewhere there are only four squares."""
    circuit = cs.compile(paper_sal([6, 8, 8, 4]), device="cpu")
    rng = np.random.default_rng(0)
    for name in ("W1", "V2", "Vt1", "Wt1"):
        weights = 0.01 * rng.random((8, 8))
        weights[:4, :4] += 1.0 - np.eye(4)
        weights[4:, 4:] += np.eye(4)
        circuit.set_weights(name, weights)
    found = study.counted(circuit, n_random=20)
    square, (census,) = next((square, counts) for square, counts in found.items() if square.W == "W1")
    off = 1 - np.eye(4)
    assert census.observed == ((off.T @ off) ** 2).sum() + 4  # the four ones on the diagonal make one square each
    assert census.z > 3
    assert study.coherent(circuit, square) == [1.0]  # all weights are positive


def test_assembled_and_controls_are_counted_and_written(tmp_path):
    census = run(study.MotifCensus, tmp_path)
    table = census.table()
    assert list(table.circuit.unique()) == [study.ASSEMBLED, study.START, FROZEN, SHUFFLED]
    assert table.square.nunique() == 2

    def number(column):
        return numbers(table.set_index(["circuit", "square"]), column)

    inner = "W1 V2 Vt1 Wt1"
    # with a quarter of 32^4 possible synapses each, independent ones would make 32^4 / 4^4 quadruples
    assert number("random")[study.START, inner] == pytest.approx(32**4 / 4**4, rel=0.15)
    assert number("observed / random")[study.START, inner] == pytest.approx(1, abs=0.1)
    assert abs(number("z")[study.START, inner]) < 4
    coherent = number("sign-coherent, %")
    assert coherent[study.ASSEMBLED, inner] > coherent[study.START, inner] + 5
    assert "over-representation" in census.notes() and f"{study.ASSEMBLED} " in census.notes()
    assert_written(tmp_path, "census.png", "census.svg")
    (figure,) = census.figures().values()
    dots = [line for line in figure.axes[0].get_lines() if line.get_gid() == f"observed:{study.ASSEMBLED}"]
    (counts,) = (c for square, c in census.counts[study.ASSEMBLED].censuses.items() if square.W == "W1")
    assert dots[0].get_xdata().tolist() == [c.ratio for c in counts]
    assert [axes.get_title(loc="left") for axes in figure.axes] == [*table.square.unique(), "bi-fans, whole graph"]
