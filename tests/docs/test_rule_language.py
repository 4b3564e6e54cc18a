"""docs/rule_language.md names all that the language knows, and its error messages are those that appear."""

import re
from pathlib import Path

import pytest

import circuitsim as cs
from circuitsim.motif.expressions import NEURON_NAMES
from circuitsim.motif.population import NAMED
from circuitsim.rules.functions import RULE_FUNCTIONS, TRACE_FUNCTIONS
from circuitsim.rules.parser import _BINARY, _COMPARE, MAX_DEPTH, MAX_EXPONENT, MAX_LENGTH
from circuitsim.rules.vocabulary import POST_NAMES

PAGE = (Path(__file__).parents[2] / "docs" / "rule_language.md").read_text()
FUNCTIONS = {**RULE_FUNCTIONS, **TRACE_FUNCTIONS}
# What an activation is called; "one" is a bias unit's, and not for declarations.
ACTIVATIONS = [f'"{name}"' for name in NAMED if name != "one"]


def code() -> set[str]:
    """All words in code, and names of functions before their parenthesis."""
    spans = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.S))
    return {word for span in spans for word in re.findall(r'"\w+"|\w+', span)}


@pytest.mark.parametrize("name", [*FUNCTIONS, *POST_NAMES, *NEURON_NAMES, *ACTIVATIONS, "pre", "w", "hetero",
                                  "dendrite_post", "I_"])  # fmt: skip
def test_every_name_is_on_the_page(name):
    assert name in code()


def test_every_name_of_a_rule_is_on_the_page():
    """Those of a projection that has one of each kind."""
    motif = cs.Motif()
    state = {"theta": "theta"}
    motif.add(cs.Population("a", 2, state=state), cs.Population("b", 2, state=state), cs.Signal("reward"))
    motif.connect("a", "b", name="P", rule=cs.Rule("eta * nonsense", eta=1.0), state={"e": "e"})
    with pytest.raises(cs.MotifError, match=r"unknown name 'nonsense' \(known: (.*)\)") as error:
        motif.validate()
    known = re.search(r"known: (.*?)\)", str(error.value))[1].split(", ")
    assert len(known) == 20
    assert {"I_" if name == "I_P" else name for name in known} - code() == set()


def test_the_grammar_has_every_operator():
    symbols = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "Gt": ">", "GtE": ">=", "Lt": "<", "LtE": "<=",
               "Eq": "==", "NotEq": "!="}  # fmt: skip
    grammar = re.search(r"```text\n(.*?)```", PAGE, re.S)[1]
    quoted = set(re.findall(r'"([^"]+)"', grammar)) - set("(),")
    assert quoted == {symbols[operator.__name__] for operator in (*_BINARY, *_COMPARE)} | {"**"}


def test_the_limits_are_those_of_the_parser():
    text = " ".join(PAGE.split())
    assert f"at most {MAX_LENGTH} characters and {MAX_DEPTH} levels" in text
    assert f"exponents up to {MAX_EXPONENT} are multiplied out" in text


@pytest.mark.parametrize(
    ("post", "rule", "name"),
    [("y", "eta * (slop_post * pre)", "W0"), ("up1", "I_W3 * pre", "V1")],
    ids=["name", "current"],
)
def test_messages_read_as_on_the_page(post, rule, name):
    motif = cs.Motif()
    motif.add(cs.Population("x", 2), cs.Population(post, 2))
    motif.connect("x", post, name="W0", rule=cs.Rule(rule, eta=0.1) if name == "W0" else None)
    if name == "V1":
        motif.connect("x", post, name="V1", compartment="dendrite", rule=cs.Rule(rule))
    with pytest.raises(cs.MotifError) as error:
        motif.validate()
    shown = next(line.strip() for line in PAGE.splitlines() if line.startswith(f"    projection {name!r}"))
    start, end = shown.split(" (known: ")[0], shown.rsplit(") ", 1)[1]
    assert str(error.value).startswith(start) and str(error.value).endswith(end)
