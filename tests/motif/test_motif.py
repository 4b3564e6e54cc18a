"""Declaring a motif, and writing it down."""

import json

import numpy as np
import pytest
from hypothesis import given, settings

import circuitsim as cs
from tests.motif.circuits import two_streams
from tests.strategies import motifs


def test_a_motif_keeps_its_declarations_in_order():
    motif = two_streams()
    motif.validate()
    assert [p.name for p in motif.populations] == ["up0", "up1", "up2", "down2", "down1"]
    assert [p.name for p in motif.projections] == ["W0", "W1", "Wt1", "V1", "Vt1", "V2"]
    assert motif.objectives == (cs.Objective("up2", "down2", "cross_entropy"),)
    assert repr(motif) == "Motif('two_streams': 5 populations, 6 projections, 1 objectives)"


def test_connect_is_add_with_a_projection():
    a, b = cs.Motif("m"), cs.Motif("m")
    a.connect("x", "y", name="W", compartment="dendrite", plastic=False)
    b.add(cs.Projection("W", "x", "y", compartment="dendrite", plastic=False))
    assert a == b


def test_add_and_connect_return_what_they_added_and_take_populations_for_names():
    motif, plain = cs.Motif("m"), cs.Motif("m")
    up, down = motif.add(cs.Population("up", 3), cs.Population("down", 2))
    bias = motif.add(cs.Bias("bias"))
    W = motif.connect(up, down, name="W", rule="eta * post * pre", parameters={"eta": 0.1})
    b = motif.connect(bias, "down", name="b")
    assert motif.add() == () and motif.projections == (W, b) and (W.pre, b.post) == ("up", "down")
    plain.add(*motif.populations, cs.Projection("W", "up", "down", rule=cs.Rule("eta * post * pre", eta=0.1)))
    plain.connect("bias", "down", name="b")
    assert motif == plain and cs.Motif.from_json(motif.to_json()) == plain
    faster = motif.replace("W", rule="eta * post * pre", parameters={"eta": 0.2}).projection("W")
    assert faster.rule.parameters == {"eta": 0.2} and motif.replace("W", rule="post * pre").projection("W").is_plastic


@pytest.mark.parametrize("rule", [None, cs.Rule("eta * pre", eta=0.1)])
def test_parameters_without_a_rule_as_a_string_are_refused(rule):
    with pytest.raises(cs.MotifError, match="projection 'W': parameters belong to a rule that is given as a string"):
        cs.Motif("m").connect("x", "y", name="W", rule=rule, parameters={"eta": 0.1})


def test_only_declared_values_can_be_added():
    with pytest.raises(cs.MotifError, match=r"motif 'm': add takes one of Population, .* .got 'up0'."):
        cs.Motif("m").add("up0")


def test_a_part_is_found_by_its_name():
    motif = two_streams()
    assert motif.population("up1").size == 3
    assert motif.projection("V1").compartment == "dendrite"
    with pytest.raises(cs.MotifError, match=r"motif 'two_streams' has no population 'V1' .known: up0, up1, up2, "):
        motif.population("V1")
    with pytest.raises(cs.MotifError, match=r"motif 'two_streams' has no projection 'up1' .known: W0, W1, "):
        motif.projection("up1")
    with pytest.raises(cs.MotifError, match=r"motif 'empty' has no population 'a' .known: none."):
        cs.Motif("empty").population("a")


def test_replace_changes_one_part_of_a_copy():
    motif = two_streams()
    frozen = motif.replace("V1", plastic=False)
    assert not frozen.projection("V1").is_plastic and motif.projection("V1").is_plastic
    assert frozen != motif and frozen.replace("V1", plastic=True) == motif
    with pytest.raises(cs.MotifError, match="no population or projection 'V9'"):
        motif.replace("V9", plastic=False)


def test_replace_tells_a_projection_from_a_population_of_its_name():
    motif = cs.Motif("alike")
    motif.add(cs.Population("x", 3), cs.Population("a", 2))
    motif.connect("x", "a", name="a")
    assert motif.replace("a", plastic=False) == motif.replace(motif.projection("a"), plastic=False)
    assert motif.replace("a", plastic=False).projection("a").plastic is False
    assert motif.replace("a", size=4).population("a").size == 4 and motif.replace("a", size=4).projection(
        "a"
    ) == motif.projection("a")
    labelled = motif.replace(motif.population("a"), label="A")
    assert (labelled.population("a").label, labelled.projection("a").label) == ("A", motif.projection("a").label)
    with pytest.raises(
        cs.MotifError, match=r"'a' is a population and a projection, which both have label.*motif.projection"
    ):
        motif.replace("a", label="A")
    with pytest.raises(cs.MotifError, match="no population or projection"):
        motif.replace(cs.Population("a", 2), label="A")


def test_renamed_changes_the_name_alone():
    motif = two_streams()
    assert motif.renamed("other").name == "other"
    assert motif.renamed("other") != motif
    assert motif.renamed("other").renamed("two_streams") == motif


def test_equality_looks_at_content_and_not_at_order():
    motif, turned = two_streams(), cs.Motif("two_streams")
    turned.add(*reversed(motif.objectives), *reversed(motif.projections), *reversed(motif.populations))
    assert turned == motif
    turned.add(motif.populations[0])
    assert turned != motif
    assert motif != "two_streams"


@settings(max_examples=30)
@given(motifs(replicas=2))
def test_any_motif_survives_json(motif):
    text = motif.to_json()
    copy = cs.Motif.from_json(text)
    assert copy == motif and copy.to_json() == text
    assert [p.name for p in copy.projections] == [p.name for p in motif.projections]
    copy.validate()


def test_json_holds_numbers_exactly():
    motif = two_streams().replace("Wt1", init=cs.Given(np.random.default_rng(0).normal(size=(5, 2)) * 1e-300))
    copy = cs.Motif.from_json(motif.to_json())
    assert np.array_equal(copy.projection("Wt1").init.array, motif.projection("Wt1").init.array)


def test_a_parameter_may_be_called_type():
    motif = two_streams().replace("W1", rule=cs.Rule("type * pre", type=0.5))
    motif.validate()
    assert cs.Motif.from_json(motif.to_json()) == motif


def document(**entries):
    return json.dumps({"name": "m", **entries})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "motif: not JSON"),
        ("{", "motif: not JSON"),
        ("[" * 100_000, "motif: not JSON"),
        ("[]", "JSON must hold an object with a name"),
        ("{}", "JSON must hold an object with a name"),
        (json.dumps({"name": 3}), "JSON must hold an object with a name"),
        (document(populations=3), "motif 'm': populations must be a list .got int."),
        (document(populations=[3]), "motif 'm': add takes one of Population, .* .got 3."),
        (
            document(populations=[{"type": "Popular"}]),
            "motif 'm': populations.0.: unknown type 'Popular' .known: All, ",
        ),
        (document(populations=[{"type": 3}]), "motif 'm': add takes "),
        (document(populations=[{"type": "Value"}]), "unknown type 'Value'"),
        (document(populations=[{"type": "Population"}]), "populations.0.: Population cannot be built from .*name"),
        (document(populations=[{"type": "Population", "name": "a", "size": 1, "os": 1}]), "Population cannot be built"),
        (document(phase=[]), "motif 'm': JSON has the unknown key 'phase' .known: name, populations, "),
        (document(projections=[{"type": "Rule"}]), "projections.0.: Rule cannot be built from"),
        (document(projections=[{"type": "Rule", "expression": "w", "parameters": [1]}]), "Rule cannot be built from"),
        (document(projections=[{"type": "Given", "array": [[1], [1, 2]]}]), "Given cannot be built from"),
        (document(projections=[{"type": "Given", "array": "abc"}]), "Given cannot be built from"),
        (
            '{"name": "m", "projections": [' + '{"type": "Constant", "value": ' * 900 + "1" + "}" * 900 + "]}",
            "motif 'm': projections are nested too deeply|not JSON",
        ),
    ],
    ids=lambda text: text[:40],
)
def test_json_that_is_no_motif_is_refused(text, message):
    with pytest.raises(cs.MotifError, match=message):
        cs.Motif.from_json(text)


def test_a_declaration_from_json_is_still_to_be_validated():
    text = two_streams().to_json().replace("eta * I_V2 * pre", "__import__('os').system('x')")
    with pytest.raises(cs.MotifError, match=r"projection 'W1': rule: Call .* is not part of the rule language"):
        cs.Motif.from_json(text).validate()
