"""A comparison is 1 or 0, so its powers are itself: it stays a factor of the products that it stands in."""

import pytest
import sympy

from circuitsim.rules import Axis, factor, parse
from circuitsim.rules import functions as f
from circuitsim.rules.vocabulary import local

NAMES = {name: local(name) for name in ("pre", "post", "eta", "w")}
AXES = {
    local("pre"): Axis.SAMPLE | Axis.PRE,
    local("post"): Axis.SAMPLE | Axis.POST,
    local("eta"): Axis.NONE,
    local("w"): Axis.SYNAPSE,
}


@pytest.mark.parametrize("comparison", ["pre > 0", "pre >= 0", "pre < 0", "pre <= 0", "pre == 0", "pre != 0"])
@pytest.mark.parametrize("exponent", ["1", "2", "16", "17", "400", "2.0"])
def test_a_whole_power_of_a_comparison_is_the_comparison(comparison, exponent):
    gate = parse(comparison, NAMES)
    assert isinstance(gate, f.COMPARISONS)
    assert parse(f"({comparison})**{exponent}", NAMES) == gate
    assert parse(f"({comparison}) * post * ({comparison})", NAMES) == gate * local("post")
    assert parse(f"(({comparison}) * (post > 0))**{exponent}", NAMES) == gate * f.greater(local("post"), 0)


@pytest.mark.parametrize("exponent", [2, 17])
def test_a_gate_stays_a_factor_of_the_power_of_a_product(exponent):
    gate = f.greater(local("pre"), 0)
    power = parse(f"((pre > 0) * post)**{exponent} / pre", NAMES)
    assert gate in sympy.Mul.make_args(power)
    assert not any(factor.is_Pow and factor.base == gate for factor in sympy.Mul.make_args(power))


@pytest.mark.parametrize("exponent", ["-1", "0.5", "w", "-2"])
def test_other_powers_of_a_comparison_stay_powers(exponent):
    assert not isinstance(parse(f"(pre > 0)**{exponent}", NAMES), f.COMPARISONS)


def test_to_expand_and_to_factor_keeps_a_gate():
    gate, post = f.greater(local("pre"), 0), local("post")
    squared = parse("(post + (pre > 0))**2", NAMES)
    assert sympy.expand(squared) == post**2 + 2 * post * gate + gate
    assert str(factor(parse("eta * ((pre > 0) * post + w * (pre > 0))**2", NAMES), AXES)) == (
        "eta * E[post**2*greater(pre, 0)] + 2*eta * w * E[post*greater(pre, 0)] + eta * w**2 * E[greater(pre, 0)]"
    )
