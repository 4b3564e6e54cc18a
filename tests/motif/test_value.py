"""Declared values: frozen, compared by content."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings

import circuitsim as cs
from circuitsim.motif.value import Value, plain, restore
from tests.strategies import motifs

VALUES = [
    cs.Population("up1", size=3, activation=cs.GatedBy("up0"), trace="tanh(activity)"),
    cs.Population("map", shape=(2, 3), positions=np.zeros((6, 3))),
    cs.Bias("bias"),
    cs.Projection("W0", "up0", "up1", bounds=(None, 1.0), tied_to=cs.Derived("W1", transpose=True)),
    cs.Objective("up1", "down1", loss="bce", shuffled=True),
    cs.Rule("eta * (post * pre - K * w)", eta=[0.1, 0.2], K=np.ones((2, 3))),
    cs.Gaussian(gain=2.0, scaling="fan_out"),
    cs.Identity(),
    cs.Constant(0.5),
    cs.Uniform(-1.0, 1.0),
    cs.Given([[1.0, 2.0]]),
    cs.TransposeOf("W1"),
    cs.All(),
    cs.Random(0.5),
    cs.Random(np.full((2, 3), 0.5)),
    cs.DistanceDependent("exp(-d)"),
    cs.Local(radius=2, stride=3),
    cs.ReciprocalOf("V1"),
    cs.Rewiring(every_steps=10, share=0.1),
    cs.OneToOne(),
    cs.Edges(pre=[0, 1], post=[1, 1]),
    cs.Mask([[True, False]]),
    cs.Mask([[[1, 0]], [[0, 1]]]),
    cs.Signal("reward"),
    cs.State("theta + (activity**2 - theta) / tau", start=1.0, tau=50),
    cs.Phase("mirror", soma={"W0": 1.0, "V1": 0.1}, plastic=["Wt1"], inputs=[], noise={"up1": 0.5}, errors=False),
]


def test_every_kind_of_value_is_looked_at_here():
    assert {type(value).__name__ for value in VALUES} | {"Derived", "GatedBy"} == set(Value.kinds)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_is_frozen(value):
    for field in dataclasses.fields(value):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field.name, None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.something_new = 1


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_copy_by_way_of_plain_data_is_equal_and_hashes_alike(value):
    copy = restore(plain(value), "test")
    assert copy is not value and copy == value and hash(copy) == hash(value)


def test_values_of_different_content_or_kind_differ():
    assert len(set(VALUES)) == len(VALUES)
    assert cs.Given([[1.0]]) != cs.Given([[1.0, 0.0]])
    assert cs.Given([[1.0]]) != cs.Mask([[1.0]])
    assert cs.Rule("w", eta=1.0) != cs.Rule("w", eta=2.0)
    assert cs.Rule("w", eta=1.0) != cs.Rule("w", gamma=1.0)
    assert cs.Constant(1.0) != 1.0


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (cs.Constant(1), cs.Constant(1.0)),
        (cs.Rule("w", a=1, b=2), cs.Rule("w", b=2, a=1)),
        (cs.Rule("w", eta=[1, 2]), cs.Rule("w", eta=np.array([1.0, 2.0]))),
        (cs.Projection("W", "a", "b", bounds=[0, 1]), cs.Projection("W", "a", "b", bounds=(0.0, 1.0))),
        (cs.Population("a", size=np.int64(3)), cs.Population("a", size=3)),
    ],
)
def test_ways_to_write_the_same_are_equal_and_hash_alike(a, b):
    assert a == b and hash(a) == hash(b)


@pytest.mark.parametrize(
    ("build", "read"),
    [
        (lambda array: cs.Given(array), lambda value: value.array),
        (lambda array: cs.Mask(array), lambda value: value.array),
        (lambda array: cs.Edges(pre=array[0], post=array[1]), lambda value: value.pre),
        (lambda array: cs.Rule("K * w", K=array), lambda value: value.parameters["K"]),
    ],
)
def test_an_array_is_copied_and_locked(build, read):
    array = np.ones((2, 3))
    value = build(array)
    array[:] = 7.0
    assert (read(value) == 1.0).all()
    with pytest.raises(ValueError, match="read-only"):
        read(value)[0] = 7.0


def test_the_parameters_of_a_rule_cannot_be_changed():
    with pytest.raises(TypeError, match="does not support item assignment"):
        cs.Rule("w", eta=1.0).parameters["eta"] = 2.0


@settings(max_examples=10)
@given(motifs(replicas=2))
def test_the_values_of_any_motif_survive_plain_data(motif):
    for value in (*motif.populations, *motif.projections, *motif.objectives):
        assert restore(plain(value), "test") == value


def test_edges_make_the_mask_they_list():
    mask = cs.Edges(pre=[0, 2, 2], post=[1, 0, 0]).mask(n_post=2, n_pre=3)
    assert mask.tolist() == [[False, False, True], [True, False, False]]
