"""Declarations can be copied and sent to other processes."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest

import circuitsim as cs
import motifs as published
from circuitsim.motif.value import Frozen
from tests.motif.circuits import two_streams


def everything() -> cs.Motif:
    """A motif in which every kind of declared value occurs."""
    motif = two_streams().replace("up1", state={"theta": cs.State("theta / tau", start=1.0, tau=2.0)})
    motif = motif.replace("W0", rule=cs.Rule("eta * K * pre", eta=[0.1, 0.2], K=np.ones((3, 4))), state={"e": "pre"})
    motif = motif.replace("up2", activation=cs.GatedBy("gate"), trace="2 * activity")
    motif = motif.replace("W1", connectivity=cs.Edges([0, 1], [0, 1]), bounds=(0.0, None), init=cs.Uniform(0, 1))
    motif.add(cs.Population("gate", 2), cs.Bias("bias"), cs.Signal("reward"))
    motif.connect("bias", "up1", name="b", init=cs.Given(np.ones((3, 1))), connectivity=cs.Mask(np.ones((3, 1))))
    motif.connect("down1", "up1", name="D", compartment="dendrite", tied_to=cs.Derived("Vt1", transpose=True))
    motif.add(cs.Phase("first"), cs.Phase("second", soma={"W0": 0.5}, plastic=["W0"], inputs=[], noise={"up1": 0.1}))
    return motif


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {k}": lambda x, k=k: pickle.loads(pickle.dumps(x, k)) for k in range(2, pickle.HIGHEST_PROTOCOL + 1)},
}


@pytest.mark.parametrize("how", COPIES)
def test_copies_of_every_declared_value_are_equal(how):
    for value in everything().values:
        copied = COPIES[how](value)
        assert copied == value
        assert hash(copied) == hash(value)
        assert repr(copied) == repr(value)


@pytest.mark.parametrize("how", COPIES)
def test_a_copied_motif_is_equal_and_grows_alone(how):
    motif = everything()
    motif.validate()  # which fills its memory
    copied = COPIES[how](motif)
    assert copied == motif
    assert copied.to_json() == motif.to_json()
    copied.add(cs.Population("x", 1))
    copied.validate()
    assert len(motif.populations) == len(copied.populations) - 1
    with pytest.raises(cs.MotifError):
        motif.population("x")


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_cannot_be_changed_either(how):
    motif = COPIES[how](everything())
    arrays = [
        motif.projection("W0").rule.parameters["eta"],
        motif.projection("W0").rule.parameters["K"],
        motif.projection("W1").connectivity.pre,
        motif.projection("b").connectivity.array,
        motif.projection("b").init.array,
    ]
    assert not any(array.flags.writeable for array in arrays)
    for mapping in (
        motif.projection("W0").rule.parameters,
        motif.projection("W0").state,
        motif.population("up1").state,
        motif.population("up1").state["theta"].parameters,
        motif.phases[1].soma,
        motif.phases[1].noise,
    ):
        with pytest.raises(TypeError, match="does not support item assignment"):
            mapping["eta"] = 1.0


CONTROLS = ("frozen_feedback", "shuffled_error")  # these take a motif


@pytest.mark.parametrize("name", [name for name in published.__all__ if name != "two_stream"])
def test_published_motifs_survive(name):
    motif = getattr(published, name)(published.paper_sal([4, 3, 2]) if name in CONTROLS else [4, 3, 2])
    assert copy.deepcopy(motif) == pickle.loads(pickle.dumps(motif)) == motif


def described(motif: cs.Motif) -> tuple[cs.Motif, str]:
    motif.validate()
    return motif, motif.to_json()


def test_a_spawned_process_gets_the_motif_and_gives_it_back():
    motif = everything()
    motif.validate()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(described, (motif,)) == (motif, motif.to_json())


def test_a_frozen_mapping_is_like_the_dict_that_it_was_made_from():
    source = {"a": 1.0, "b": 2.0}
    frozen = Frozen(source)
    source["a"] = 3.0
    assert (frozen, dict(frozen), str(frozen)) == ({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.0}, "{'a': 1.0, 'b': 2.0}")
    assert (len(frozen), list(frozen), "b" in frozen, frozen.get("c")) == (2, ["a", "b"], True, None)
    assert frozen | {"b": 0.0} == {"a": 1.0, "b": 0.0}
    assert {"b": 0.0, "c": 1.0} | frozen == {"a": 1.0, "b": 2.0, "c": 1.0}
