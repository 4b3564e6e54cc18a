"""The atlas: circuits learn, controls have nothing but what they should, and the table compares the two."""

import numpy as np
import pytest

import atlas as study
import circuitsim as cs
from support.algorithms import ALGORITHMS, ATLAS, FEEDBACK
from tests.examples.run import assert_written, numbers, run


class Part(study.Atlas):
    circuits = ("backprop", "predictive_coding", "phaseless_alignment", "pepita", "bcm")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return run(Part, tmp_path_factory.mktemp("atlas"))


def test_each_circuit_stands_beside_its_control(found):
    table = found.table().set_index("circuit")
    assert list(table.index) == [ALGORITHMS[name].label for name in Part.circuits]
    assert list(table["switched off"]) == [ATLAS[name] for name in Part.circuits]
    own, control = numbers(table, "test accuracy"), numbers(table, "control")
    assert (own > 70).all() and (own > control)[["SGD", "predictive coding", "PEPITA", "BCM"]].all()
    cosine = numbers(table, "cosine with the gradient")
    assert cosine["SGD"] > 0.99 and cosine["predictive coding"] > 0.8 > cosine["PEPITA"] > 0
    difference = table["difference"].str.split().str[0].astype(float)
    np.testing.assert_allclose(difference, own - control, atol=0.011)
    assert_written(found.setup.out, "atlas.png")


def test_the_notes_count_those_that_beat_their_control_by_two_standard_deviations(found):
    accuracy = {label: [100 * v for v in r.final("accuracy", "test")] for label, r in found.results.items()}
    better = 0
    for label in found.labels:
        own, control = np.array(accuracy[label]), np.array(accuracy[f"{label}, control"])
        better += own.mean() - control.mean() > 2 * np.hypot(own.std(ddof=1), control.std(ddof=1))
    assert f"{better} of 5 circuits are better" in found.notes()


@pytest.mark.parametrize("name", ATLAS)
def test_in_a_control_only_what_is_not_switched_off_learns(name):
    own, control = (ALGORITHMS[k].make([6, 5, 4, 3], loss="cross_entropy") for k in (name, f"{name}_off"))
    learn = {p.name for p in control.projections if p.is_plastic}
    before = {p.name for p in own.projections if p.is_plastic}
    assert learn < before and control.name == f"{name}_off"
    circuit = cs.compile(control, dtype="float64", device="cpu")
    start = {p.name: circuit.weights(p.name) for p in control.projections}
    rng = np.random.default_rng(0)
    circuit.step(rng.standard_normal((8, 6)), rng.integers(0, 3, 8))
    changed = {p for p in before if not np.array_equal(circuit.weights(p), start[p])}
    if ATLAS[name] == FEEDBACK:
        assert learn == changed == {"W0", "W1", "W2"}
    else:
        assert changed <= learn and all(p.startswith("Out") or p == "W2" for p in learn)
