"""Which populations are inputs, which are driven, which carry an error."""

import pytest
from hypothesis import given, settings

import circuitsim as cs
from circuitsim.motif.expressions import reads_drive
from circuitsim.motif.wiring import driven_populations, error_populations, inputs_of
from tests.motif.circuits import two_streams
from tests.oracle import Oracle
from tests.strategies import motifs


def roles(motif: cs.Motif, role) -> list[str]:
    return [p.name for p in motif.populations if p.name in role(motif)]


def test_the_roles_of_a_two_stream_circuit():
    motif = two_streams()
    motif.add(cs.Bias("bias"))
    assert roles(motif, inputs_of) == ["up0"]
    assert roles(motif, driven_populations) == ["up1", "up2", "down1"]
    assert roles(motif, error_populations) == ["down2"]


@settings(max_examples=40)
@given(motifs())
def test_the_oracle_finds_the_same_inputs(motif):
    oracle = Oracle.__new__(Oracle)
    oracle.motif = motif
    assert roles(motif, inputs_of) == oracle.input_names()


@pytest.mark.parametrize(
    ("activation", "expected"), [("relu", True), ("one", False), ("0.5", False), ("nonsense(", True)]
)
def test_a_population_that_does_not_read_its_drive_is_no_input(activation, expected):
    motif = cs.Motif()
    motif.add(cs.Population("x", 1, activation=activation))
    assert reads_drive(motif, motif.population("x")) is expected
