"""Each expression of a motif is parsed once, and everything reads the same one."""

import pytest

import circuitsim as cs
from circuitsim.motif import expressions
from circuitsim.motif.expressions import expressions_of
from circuitsim.plan import build_plans
from circuitsim.rules import functions as f
from circuitsim.rules import parse, vocabulary
from circuitsim.rules.vocabulary import local
from tests.motif.circuits import two_streams


def remembering() -> cs.Motif:
    """Two inputs, a dendrite, states of neurons and of synapses, a signal, three phases."""
    motif = cs.Motif("remembering")
    motif.add(
        cs.Population("x", 3),
        cs.Population("z", 2),
        cs.Population(
            "y", 2, activation="tanh(drive - theta)", trace="activity / (1 + theta)", state={"theta": "activity**2"}
        ),
        cs.Signal("reward"),
        cs.Phase("all"),
        cs.Phase("one", soma=["W"]),
        cs.Phase("other", soma={"U": 2.0}, plastic=["W", "U"]),
    )
    rule = cs.Rule("eta * e * reward * (hetero - dendrite_post + I_U)", eta=0.1)
    motif.connect("x", "y", name="W", rule=rule, state={"e": "0.5 * e + pre * dendrite_post"})
    motif.connect("z", "y", name="U", rule=cs.Rule("pre * post"))
    motif.connect("z", "y", name="F")
    return motif


@pytest.fixture
def parsed(monkeypatch) -> list[str]:
    """The owners of all expressions that were parsed."""
    owners = []

    def counted(text, names, functions=f.RULE_FUNCTIONS, owner="rule"):
        owners.append(owner)
        return parse(text, names, functions, owner)

    monkeypatch.setattr(expressions, "parse", counted)
    monkeypatch.setattr(vocabulary, "parse", counted)
    return owners


ALL = {
    *(f"population {name!r}: {what}" for name in "xyz" for what in ("activation", "trace")),
    *("population 'y': state 'theta'", "projection 'W': rule", "projection 'W': state 'e'", "projection 'U': rule"),
}


def test_to_validate_and_to_plan_parses_nothing_twice(parsed):
    motif = remembering()
    motif.validate()
    assert (set(parsed), len(parsed)) == (ALL, len(ALL))
    build_plans(motif)
    motif.validate()
    expressions_of(motif)
    assert len(parsed) == len(ALL)


def test_to_compile_parses_nothing_twice(parsed):
    cs.compile(remembering(), device="cpu")
    assert len(parsed) == len(ALL)


def test_what_is_added_is_parsed_and_what_was_asked_before_is_forgotten(parsed):
    motif = remembering()
    before = expressions_of(motif)
    assert expressions_of(motif) is before
    motif.connect("x", "y", name="G", rule=cs.Rule("I_W * pre"))
    assert expressions_of(motif).rule["G"] == local("I_W") * local("pre")
    assert "G" not in before.rule
    assert len(parsed) == 2 * len(ALL) + 1


def test_the_expressions_are_over_the_names_of_the_language():
    expressions = expressions_of(remembering())
    drive, theta, activity, e, pre, post = map(local, ("drive", "theta", "activity", "e", "pre", "post"))
    assert expressions.activation == {"x": drive, "z": drive, "y": f.tanh(drive - theta)}
    assert expressions.trace == {"x": activity, "z": activity, "y": activity / (1 + theta)}
    assert expressions.neuron_state == {("y", "theta"): activity**2}
    assert expressions.synapse_state == {("W", "e"): 0.5 * e + pre * local("dendrite_post")}
    sums = local("hetero") - local("dendrite_post") + local("I_U")
    assert expressions.rule == {"W": local("eta") * e * local("reward") * sums, "U": pre * post}


def test_a_fault_is_raised_as_it_is_reported():
    motif = two_streams().replace("W0", rule=cs.Rule("nonsense * pre")).replace("up1", activation="drive +")
    for _ in range(2):  # what cannot be read is kept too
        with pytest.raises(cs.RuleError, match="population 'up1': activation: cannot read 'drive [+]'"):
            expressions_of(motif)
        with pytest.raises(cs.MotifError) as caught:
            motif.validate()
        assert [fault.split(":")[0] for fault in caught.value.faults] == ["population 'up1'", "projection 'W0'"]
