"""Reading expressions: what is accepted, what is refused, and what the refusal says."""

import builtins
import os
import re
import sys

import pytest
import sympy
from hypothesis import given, settings

from circuitsim.errors import CircuitError, RuleError
from circuitsim.rules import Axis, RuleVocabulary, parse
from circuitsim.rules import functions as f
from circuitsim.rules.parser import MAX_LENGTH
from circuitsim.rules.vocabulary import local
from tests.strategies import MALFORMED, expressions, malformed_rules

NAMES = {name: local(name) for name in ("pre", "post", "w", "eta", "γ")}
pre, post, w, eta = (NAMES[name] for name in ("pre", "post", "w", "eta"))
VOCABULARY = RuleVocabulary(
    "V1", "up1", soma=("W0",), dendrite=("V1",), parameters={"eta": Axis.NONE, "K": Axis.SYNAPSE}
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("eta * (post * pre - w)", eta * (post * pre - w)),
        ("  pre\t", pre),
        ("(pre +\n post)", pre + post),
        ("-w + +pre", pre - w),
        ("w**2 / 4", w**2 / 4),
        ("w ** -1", 1 / w),
        ("w ** 17", f.power(w, sympy.Integer(17))),
        ("w ** 0.5", f.power(w, sympy.Float(0.5))),
        ("2 ** w", f.power(sympy.Integer(2), w)),
        ("2 ** 3 * w", 8.0 * w),
        ("abs(-2) ** 2 * w", f.absolute(sympy.Integer(-2)) ** 2 * w),
        ("1e-3 * w", sympy.Float(1e-3) * w),
        ("pre > w", f.greater(pre, w)),
        ("pre >= w", f.greater_equal(pre, w)),
        ("pre < w", f.greater(w, pre)),
        ("pre <= w", f.greater_equal(w, pre)),
        ("pre == w", f.equal(pre, w)),
        ("pre != w", f.not_equal(pre, w)),
        ("where(pre > 0, abs(w), sign(w))", f.where(f.greater(pre, 0), f.absolute(w), f.sign(w))),
        ("clip(w, 0, 1) + minimum(w, pre)", f.clip(w, 0, 1) + f.minimum(w, pre)),
        ("max_in(sum_out(w))", f.max_in(f.sum_out(w))),
        ("w  # decay", w),
    ],
)
def test_an_expression_is_read_as_written(text, expected):
    assert parse(text, NAMES) == expected


def test_exponentials_stay_apart_so_that_a_rule_still_factors():
    assert parse("exp(pre) * exp(post)", NAMES).args != (f.exp(pre + post),)
    assert parse("exp(pre) * exp(post)", NAMES) == f.exp(pre) * f.exp(post)


@settings(max_examples=60)
@given(expressions(("post", "drive_post", "slope_post", "hetero", "dendrite_post", "I_W0"), ("eta", "K")))
def test_whatever_the_grammar_makes_is_read(text):
    expression = VOCABULARY.parse(text)
    assert expression.free_symbols <= set(VOCABULARY.axes)


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: ascii(text[:30]))
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_what_is_not_a_rule_is_refused_by_name(text):
    with pytest.raises(RuleError) as caught:
        VOCABULARY.parse(text)
    assert str(caught.value).startswith("projection 'V1': rule")
    assert isinstance(caught.value, CircuitError) and isinstance(caught.value, ValueError)


@settings(max_examples=60)
@given(malformed_rules())
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_every_malformed_text_is_refused(text):
    with pytest.raises(RuleError):
        VOCABULARY.parse(text)


@pytest.mark.parametrize("value", [None, 3, 1.5, b"w", ["w"], w])
def test_only_a_string_is_an_expression(value):
    with pytest.raises(RuleError, match=re.escape(f"rule: an expression must be a string (got {value!r})")):
        parse(value, NAMES)


def test_a_rule_as_long_as_the_limit_is_read_and_a_longer_one_is_not():
    longest = "w" + " " * (MAX_LENGTH - 2) + "#"
    assert parse(longest, NAMES) == w
    with pytest.raises(RuleError, match=f"expression has {MAX_LENGTH + 1} characters; the limit is {MAX_LENGTH}"):
        parse(longest + "#", NAMES)


# -- columns and hints


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("nobody", 1),
        ("w + nobody", 5),
        ("   w + nobody", 8),
        ("γ * nobody", 5),
        ("(w +\n nobody)", 7),
        ("  (γ +\n γ * nobody)", 13),
        ("w * pre.real", 5),
        ("w + tanh(w, w)", 5),
        ("w +* pre", 4),
        ("  w +* pre", 6),
        ("(w +\n  * pre)", 8),
        ("w / (pre - pre)", 1),
    ],
)
def test_an_error_says_at_which_character_it_is(text, column):
    with pytest.raises(RuleError, match=f"at column {column}$") as caught:
        parse(text, NAMES)
    assert caught.value.column == column


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    known = (
        "I_V1, I_W0, K, activity_post, activity_pre, batch_size, dendrite_post, drive_post, drive_pre, eta, hetero, "
        "post, pre, slope_post, slope_pre, spike_post, spike_pre, w"
    )
    message = (
        f"projection 'V1': rule: unknown name 'slope_pots'; did you mean 'slope_post'? (known: {known}) at column 7"
    )
    with pytest.raises(RuleError, match=f"^{re.escape(message)}$") as caught:
        VOCABULARY.parse("eta * slope_pots")
    assert (caught.value.name, caught.value.column) == ("slope_pots", 7)


def test_a_name_like_no_other_gets_no_hint():
    with pytest.raises(RuleError, match=re.escape("unknown name 'zzz' (known: ")):
        VOCABULARY.parse("zzz")


def test_an_unknown_function_lists_the_known_ones_and_the_nearest():
    with pytest.raises(
        RuleError, match=re.escape("unknown function 'thanh'; did you mean 'tanh'? (known: abs, clip, ")
    ):
        VOCABULARY.parse("thanh(w)")


def test_a_current_that_does_not_arrive_is_named_with_those_that_do():
    message = "projection 'V1': rule names I_W3, which does not reach population 'up1' (known: I_W0, I_V1) at column 1"
    with pytest.raises(RuleError, match=f"^{re.escape(message)}$") as caught:
        VOCABULARY.parse("I_W3 * pre")
    assert caught.value.name == "I_W3"


@pytest.mark.parametrize(
    "name", ["pre", "post", "w", "drive_post", "slope_post", "hetero", "dendrite_post", "I_x", "sum_in_0", "max_out_12"]
)
def test_a_parameter_may_not_take_the_name_of_a_quantity(name):
    vocabulary = RuleVocabulary("V1", "up1", (), (), {name: Axis.NONE})
    with pytest.raises(RuleError, match=f"projection 'V1': rule: parameter '{name}' has the name of a built-in"):
        vocabulary.parse("0.1 * pre")


@pytest.mark.parametrize("name", ["pre_gain", "wmax", "tau_post", "summit", "exp"])
def test_a_parameter_may_have_a_similar_name(name):
    vocabulary = RuleVocabulary("V1", "up1", (), (), {name: Axis.NONE})
    assert vocabulary.parse(f"{name} * pre") == local(name) * pre


# -- nothing is run


@pytest.fixture
def no_evaluation(monkeypatch):
    """From here on nothing may turn text into running code; building a syntax tree is all that is left."""
    compile_text = builtins.compile

    def only_trees(source, filename, mode, flags=0, *args, **kwargs):
        if not flags & 0x400:  # ast.PyCF_ONLY_AST
            raise AssertionError(f"compile was called on {source!r}")
        return compile_text(source, filename, mode, flags, *args, **kwargs)

    def refuse(*args, **kwargs):
        raise AssertionError(f"something was run: {args!r}")

    monkeypatch.setattr(builtins, "compile", only_trees)
    for owner, name in ((builtins, "eval"), (builtins, "exec"), (os, "system"), (builtins, "open")):
        monkeypatch.setattr(owner, name, refuse)


def test_the_guard_sees_an_evaluation(no_evaluation):
    with pytest.raises(AssertionError, match="something was run"):
        sympy.sympify("1 + 1")


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_no_text_is_ever_run(no_evaluation):
    for text in MALFORMED:
        with pytest.raises(RuleError):
            VOCABULARY.parse(text)
    for text in (
        "eta * (post * pre - K * w)",
        "where(w > 0, exp(tanh(pre)), sum_in(abs(w) ** 0.5))",
        "hetero * 2 ** w",
    ):
        assert VOCABULARY.parse(text).free_symbols


@pytest.mark.parametrize("text", ["__import__('os').system('x')", "__import__('antigravity')", "exec('w')"])
def test_python_code_is_refused_and_imports_nothing(text):
    before = set(sys.modules)
    with pytest.raises(RuleError, match=r"rule language|unknown function"):
        VOCABULARY.parse(text)
    assert set(sys.modules) == before
