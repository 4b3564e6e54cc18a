"""Which layer and lane each population takes."""

import circuitsim as cs
from circuitsim.plots.motif_layout import is_bias, places
from tests.motif.circuits import loop_over_phases
from tests.plots.figures import several_inputs


def test_an_input_that_is_needed_late_stands_late():
    where = places(several_inputs())
    assert where["context"].layer == where["PFC"].layer - 1 > where["image"].layer == 0
    assert where["aux"].layer == where["err_aux"].layer and where["out"].layer == where["err"].layer


def test_a_chain_stays_in_its_lane_beside_further_inputs():
    motif = cs.Motif("noisy")
    motif.add(*(cs.Population(name, 2) for name in ("x", "h", "y", "noise1", "noise2")))
    for pre, post in (("noise1", "h"), ("x", "h"), ("noise2", "y"), ("h", "y")):
        motif.connect(pre, post, name=f"{pre}_{post}")
    assert {name: (place.layer, place.lane) for name, place in places(motif).items()} == {
        "x": (0, 0), "noise1": (0, 1), "h": (1, 0), "noise2": (1, 1), "y": (2, 0),
    }  # fmt: skip


def test_phases_that_close_a_loop_together_are_placed_by_the_sweep_of_the_first():
    where = {name: place.layer for name, place in places(loop_over_phases()).items()}
    assert where == {"x": 0, "h": 1, "y": 2, "e": 2, "d": 1}


def test_an_ascending_loop_over_phases_is_broken_where_the_later_phase_closes_it():
    motif = cs.Motif("there and back")
    motif.add(*(cs.Population(name, 2) for name in "bax"))
    motif.add(cs.Phase("there", soma=["in_", "ab"]), cs.Phase("back", soma=["ba"]))
    motif.connect("b", "a", name="ba")
    motif.connect("x", "a", name="in_")
    motif.connect("a", "b", name="ab")
    assert {name: place.layer for name, place in places(motif).items()} == {"x": 0, "a": 1, "b": 2}


def test_a_bias_unit_is_one_constant_neuron_that_drives_something():
    motif = cs.Motif("m")
    motif.add(cs.Population("x", 2), cs.Population("y", 2), cs.Bias("b"), cs.Bias("idle"))
    motif.add(cs.Population("wide", 3, activation="one"))
    for name, pre in (("W", "x"), ("Wb", "b"), ("Ww", "wide")):
        motif.connect(pre, "y", name=name)
    assert [p.name for p in motif.populations if is_bias(motif, p)] == ["b"]
