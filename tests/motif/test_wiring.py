"""How a motif is wired in each phase."""

import pytest

import circuitsim as cs
from circuitsim.motif.wiring import wirings
from circuitsim.rules.vocabulary import local
from tests.motif.circuits import fault, loop_over_phases, two_streams


def phased() -> cs.Motif:
    motif = cs.Motif("phased")
    motif.add(
        cs.Population("x", 3),
        cs.Population("x2", 3),
        cs.Bias("bias"),
        cs.Population("y", 2),
        cs.Population("e", 2, stream="descending"),
        cs.Population("d", 2, stream="descending"),
        cs.Objective("y", "e"),
        cs.Phase("declared"),
        cs.Phase("down", soma={"V": 0.5, "D": 2.0}, plastic=["W"], inputs=["x2"], noise={"y": 1.0}, errors=False),
        cs.Phase("turned", soma=["V", "T"], plastic=[], noise={"d": 0.1}, errors=False),
    )
    motif.connect("x", "y", name="W", rule=cs.Rule("pre * post"))
    motif.connect("x2", "y", name="W2", rule=cs.Rule("pre * post"))
    motif.connect("bias", "y", name="b")
    motif.connect("e", "d", name="D")
    motif.connect("e", "y", name="V", compartment="dendrite")
    motif.connect("d", "x", name="T", compartment="dendrite")
    return motif


def test_a_phase_turns_keeps_and_drops_projections():
    declared, down, turned = wirings(phased())
    targets = [{name: p.compartment for name, p in w.projections.items()} for w in (declared, down, turned)]
    assert targets == [
        {"W": "soma", "W2": "soma", "b": "soma", "D": "soma", "V": "dendrite", "T": "dendrite"},
        {"W": "dendrite", "D": "soma", "V": "soma", "T": "dendrite"},
        {"V": "soma", "T": "soma"},
    ]
    assert down.projections["D"] is phased().projection("D") or down.projections["D"] == phased().projection("D")
    assert down.phase.gain("D") == 2.0


def test_what_arrives_is_listed_in_the_order_of_declaration():
    declared, down, _ = wirings(phased())
    assert declared.soma_onto == {"x": (), "x2": (), "bias": (), "y": ("W", "W2", "b"), "e": (), "d": ("D",)}
    assert declared.dendrite_onto == {"x": ("T",), "x2": (), "bias": (), "y": ("V",), "e": (), "d": ()}
    assert (down.soma_onto["y"], down.dendrite_onto["y"]) == (("V",), ("W",))
    assert down.onto("y") == ("V", "W")


def test_where_each_drive_comes_from():
    sources = [w.source for w in wirings(phased())]
    assert sources == [  # x is driven in the last phase, so it is no input in any
        {"x": "kept", "x2": "input", "bias": "nothing", "y": "soma", "e": "error", "d": "soma"},
        {"x": "kept", "x2": "input", "bias": "nothing", "y": "soma", "e": "kept", "d": "soma"},
        {"x": "soma", "x2": "input", "bias": "nothing", "y": "soma", "e": "kept", "d": "nothing"},
    ]
    shut = phased()
    shut.add(cs.Phase("shut", soma=[], inputs=[], noise={"y": 1.0}))
    assert wirings(shut)[3].source == {
        **{"x": "kept", "x2": "kept", "bias": "nothing", "y": "nothing", "e": "error", "d": "kept"}
    }


def test_the_sums_of_currents_are_those_of_the_phase():
    declared, down, turned = wirings(phased())
    current = {name: local(f"I_{name}") for name in ("W", "W2", "b", "V")}
    dendrite, hetero = local("dendrite_post"), local("hetero")
    assert declared.sums("W") == {dendrite: current["V"], hetero: current["W2"] + current["b"] + current["V"]}
    assert declared.sums("V") == {dendrite: 0, hetero: current["W"] + current["W2"] + current["b"]}
    assert down.sums("V") == {dendrite: current["W"], hetero: current["W"]}
    assert turned.sums("V") == {dendrite: 0, hetero: 0}


def test_the_order_is_that_of_the_phase():
    motif = two_streams()
    motif.add(cs.Phase("up", soma=["W0", "W1"]), cs.Phase("down", soma=["Wt1", "V1"], errors=False))
    up, down = wirings(motif)
    assert up.order == ("up0", "up1", "up2", "down2", "down1")
    assert down.order == ("up0", "up2", "down2", "down1", "up1")
    assert wirings(motif) is wirings(motif)


def test_a_cycle_is_a_fault_of_its_phase():
    motif = phased()
    motif.add(cs.Phase("loop", soma=["W", "D", "T"]))
    assert [w.cycle for w in wirings(motif)[:3]] == [None] * 3
    loop = wirings(motif)[3]
    assert (loop.order, loop.cycle) == ((), "x -[W]-> y -[cross_entropy]-> e -[D]-> d -[T]-> x")
    with pytest.raises(cs.MotifError, match=r"phase 'loop': soma projections, .* form a cycle, .*: x -"):
        motif.validate()


def test_phases_may_close_a_loop_together():
    motif = loop_over_phases()
    motif.validate()
    assert [w.order for w in wirings(motif)] == [("x", "h", "y", "e", "d"), ("x", "y", "e", "d", "h")]
    motif.add(cs.Phase("at_once", soma=["W", "U", "D", "F"], errors=False))
    assert [w.cycle for w in wirings(motif)] == [None] * 3
    motif.add(cs.Phase("around", soma=["W", "U", "D", "F"]))
    assert fault(motif) == (
        "motif 'loop', phase 'around': soma projections, gates and objectives form a cycle, "
        "which only a projection with delay=1 can close: h -[U]-> y -[cross_entropy]-> e -[D]-> d -[F]-> h"
    )


def test_a_sum_of_no_currents_may_not_be_divided_by_in_a_phase():
    motif = two_streams().replace("V1", rule=cs.Rule("pre / hetero"), plastic=True)
    motif.validate()
    motif.add(cs.Phase("with"), cs.Phase("without", soma=["W1"], plastic=["V1"]))
    with pytest.raises(cs.MotifError) as caught:
        motif.validate()
    assert str(caught.value) == (
        "phase 'without': projection 'V1': rule divides by hetero, which is 0 because no other current reaches 'up1'"
    )


def test_a_current_is_checked_against_each_phase():
    motif = two_streams().replace("V1", rule=cs.Rule("pre * I_W0"))
    motif.add(cs.Phase("with"), cs.Phase("without", soma=["W1"], plastic=["V1"]))
    with pytest.raises(cs.MotifError) as caught:
        motif.validate()
    assert str(caught.value) == (
        "phase 'without': projection 'V1': rule names I_W0, which does not reach population 'up1' (known: I_V1) "
        "at column 7"
    )
