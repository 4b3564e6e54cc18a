"""Factoring: the same numbers, by fewer products."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings

from circuitsim.rules import Axis, RuleVocabulary, SlowTerm, Sum, Term, axes_of, factor
from circuitsim.rules.vocabulary import local
from tests.oracle import ELEMENTWISE, evaluate, reductions
from tests.rules.values import change_of
from tests.strategies import SEEDS, expressions

POST_NAMES = ("post", "drive_post", "slope_post", "dendrite_post", "hetero", "I_W", "I_V", "I_U")
PARAMETERS = {"eta": Axis.NONE, "gamma": Axis.NONE, "theta": Axis.NONE, "K": Axis.SYNAPSE}
VOCABULARY = RuleVocabulary("V", "up", soma=("W",), dendrite=("V", "U"), parameters=PARAMETERS)


def factored(text: str) -> Sum:
    """The normal form of a rule."""
    return factor(VOCABULARY.parse(text), VOCABULARY.axes)


def state(seed: int, n_samples: int = 3, shape: tuple[int, int] = (4, 3)) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Arrays that broadcast to ``[sample, post, pre]`` for every name, some exactly 0, and a mask."""
    random = np.random.default_rng(seed)
    n_post, n_pre = shape
    mask = random.random(shape) < 0.7
    names = {name: random.normal(size=(n_samples, n_post, 1)) for name in POST_NAMES}
    names["pre"] = random.normal(size=(n_samples, 1, n_pre))
    for name in ("pre", "post", "slope_post"):
        names[name] = np.maximum(names[name], 0.0)
    names["w"] = np.where(mask, random.normal(size=(1, *shape)), 0.0)
    names["K"] = random.normal(size=(1, *shape))
    names |= {name: np.float64(random.normal()) for name in ("eta", "gamma", "theta")}
    names["dendrite_post"] = names["I_U"]
    names["hetero"] = names["I_U"] + names["I_W"]
    return names, mask


def direct(text: str, names: dict[str, np.ndarray], mask: np.ndarray) -> np.ndarray:
    """The batch mean of the rule as it is written, one sample after the other."""
    functions = ELEMENTWISE | reductions(mask)
    n_samples = len(names["pre"])
    total = np.zeros(mask.shape)
    for b in range(n_samples):
        one = {name: value[min(b, len(value) - 1)] if np.ndim(value) else value for name, value in names.items()}
        total += np.broadcast_to(evaluate(text, one, functions), mask.shape)
    return np.where(mask, total / n_samples, 0.0)


def assert_same_meaning(text: str, seed: int) -> None:
    names, mask = state(seed)
    expected = direct(text, names, mask)
    rule = factored(text)
    assert_well_sorted(rule)
    got = change_of(rule, names, mask)
    assert np.isfinite(expected).all() and np.isfinite(got).all()
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10 * scale, err_msg=text)


def assert_well_sorted(rule: Sum) -> None:
    """Every factor stands where its axes put it; only what depends on the sample is averaged."""
    for term in (term for term in rule.terms if isinstance(term, Term)):
        assert axes_of(term.coefficient, rule.axes) == Axis.NONE, str(rule)
        assert Axis.SAMPLE not in axes_of(term.weight, rule.axes), str(rule)
        for part, other_end in ((term.post, Axis.PRE), (term.pre, Axis.POST)):
            axes = axes_of(part, rule.axes)
            assert part == 1 or (Axis.SAMPLE in axes and other_end not in axes), str(rule)


@settings(max_examples=250)
@given(expressions(POST_NAMES, tuple(PARAMETERS)), SEEDS)
def test_factoring_never_changes_the_meaning(text, seed):
    assert_same_meaning(text, seed)


KNOWN = {
    "eta * (slope_post * I_V * pre - gamma * w)": 1,
    "eta * (post * pre - gamma * w)": 1,
    "eta * post * pre - gamma * w": 1,
    "eta * (post * pre - post**2 * w)": 1,  # Oja: the second term needs a mean, not a product
    "eta * post * (post - theta) * pre": 1,  # BCM
    "eta * hetero * pre": 1,
    "eta * (hetero + dendrite_post - gamma * I_W) * pre": 1,
    "eta * post * (pre - 0.3) - gamma * post * theta": 1,
    "eta * K * post * pre": 1,
    "eta * (post * pre * (w > 0) + post * pre * K)": 1,
    "eta * (relu(I_V) * tanh(pre) + exp(post) * sqrt(pre))": 2,
    "eta * (post * pre - gamma * w * (1 + sum_in(w**2)))": 1,
    "eta * (post - sum_in(w * pre)) * pre": 1,  # a delta rule
    "eta * where(post > theta, pre, -gamma * pre)": 1,
    "-gamma * w": 0,
    "eta * post": 0,
    "eta * pre - gamma * pre * K + 0.5 * theta * pre": 0,
    "eta * pre - gamma * pre + 0.5 * pre": 0,
    "eta * post - relu(gamma) * post": 0,
    "0": 0,
}


@pytest.mark.parametrize(("text", "n_products"), KNOWN.items())
def test_a_known_rule_takes_no_more_products_than_it_must(text, n_products):
    rule = factored(text)
    assert not rule.is_slow, str(rule)
    products = {(term.post, term.pre) for term in rule.terms if term.post != 1 and term.pre != 1}
    assert len(products) == n_products, str(rule)


@pytest.mark.parametrize("text", KNOWN)
def test_a_known_rule_keeps_its_meaning(text):
    for seed in range(3):
        assert_same_meaning(text, seed)


def test_the_two_dendritic_projections_of_a_loop_share_one_product():
    def product(projection: str) -> tuple[sympy.Expr, sympy.Expr]:
        vocabulary = RuleVocabulary(projection, "p", (), (projection,), {"eta": Axis.NONE, "gamma": Axis.NONE})
        rule = factor(vocabulary.parse("eta * (post * pre - gamma * w)"), vocabulary.axes)
        (term,) = (term for term in rule.terms if term.has_data)
        return term.post, term.pre

    assert product("V1") == product("Vt1") == (local("post"), local("pre"))


def test_a_term_keeps_rates_weights_and_activities_apart():
    rule = factored("eta * (slope_post * I_V * pre - gamma * w)")
    data, decay = sorted(rule.terms, key=lambda term: not term.has_data)
    assert data == Term(local("eta"), post=local("slope_post") * local("I_V"), pre=local("pre"))
    assert decay == Term(-local("eta") * local("gamma"), weight=local("w"))


@pytest.mark.parametrize(
    "text",
    [
        "tanh(post * pre)",
        "abs(post - pre)",
        "relu(w * pre - theta)",
        "exp(-(post - pre) ** 2)",
        "post > pre",
        "where(post > pre, w, 0)",
        "clip(post * pre, 0, 1)",
        "maximum(post, pre)",
        "(post + pre) ** 0.5",
        "post / (theta + pre + post)",
        "w ** pre",
        "max_in(w * pre)",
        "sum_out(abs(post - w))",
        "eta * post * pre + tanh(post * pre)",
    ],
)
def test_a_rule_that_mixes_both_ends_is_slow_and_says_so(text):
    rule = factored(text)
    assert rule.is_slow
    parts = [*rule.terms, *(part for reduction in rule.reductions for part in reduction.body)]
    assert any(isinstance(part, SlowTerm) and "slow" in str(part) for part in parts)
    names, mask = state(0)
    names |= {name: np.abs(names[name]) for name in ("post", "pre", "w")}  # for the powers
    names["theta"] = np.float64(0.3)
    expected = direct(text, names, mask)
    assert np.isfinite(expected).all() and np.abs(expected).max() > 0
    np.testing.assert_allclose(change_of(rule, names, mask), expected, rtol=1e-10, atol=1e-12)


def test_only_the_part_that_mixes_is_slow():
    fast, slow = factored("eta * post * pre + tanh(post * pre)").terms
    assert isinstance(fast, Term) and isinstance(slow, SlowTerm)
    assert (fast.post, fast.pre) == (local("post"), local("pre"))


@pytest.mark.parametrize(
    "text", ["max_in(w)", "sum_in(w)", "sum_in(w * pre)", "sum_out(post * w**2)", "max_out(abs(K))"]
)
def test_reductions_that_factor_are_not_slow(text):
    assert not factored(text).is_slow


def test_equal_reductions_are_computed_once():
    rule = factored("w * sum_in(w**2) - post * sum_in(w**2) * pre + sum_out(w**2)")
    assert [reduction.kind for reduction in rule.reductions] == ["sum_in", "sum_out"]


def test_nested_reductions_come_innermost_first():
    rule = factored("max_in(sum_out(w) * w)")
    assert [reduction.kind for reduction in rule.reductions] == ["sum_out", "max_in"]
    assert_same_meaning("max_in(sum_out(w) * w)", 0)


@pytest.mark.parametrize("kind", ["sum_in", "sum_out", "max_in", "max_out"])
@pytest.mark.parametrize("body", ["1", "w", "pre", "post", "pre * post", "-abs(w) - 1", "K * (post - pre) ** 2"])
def test_a_reduction_runs_over_present_synapses_alone(kind, body):
    for seed in range(3):
        assert_same_meaning(f"{kind}({body})", seed)


def test_a_singular_branch_is_not_taken_where_its_condition_is_false():
    text = "where(post > 0, 1 / post, pre) * where(pre > 0, post, 1 / w)"
    names, mask = state(4)
    names["post"][0, 0] = 0.0
    mask[0, 0], names["w"][:, 0, 0] = True, 0.5
    expected = direct(text, names, mask)
    got = change_of(factored(text), names, mask)
    assert np.isfinite(expected).all() and np.isfinite(got).all()
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_a_small_difference_is_not_lost_to_expansion():
    text = "post * pre / (w - K) ** 2"
    names, mask = state(1)
    names["K"] = names["w"] + 1e-6 * (1 + np.abs(names["K"]))
    expected = direct(text, names, mask)
    assert np.isfinite(expected).all() and np.abs(expected).max() > 1e9
    np.testing.assert_allclose(change_of(factored(text), names, mask), expected, rtol=1e-10)


def test_a_rule_that_would_expand_into_hundreds_of_terms_is_not_expanded():
    rule = factored("(w + pre + post + K) ** 16")
    assert rule.is_slow and len(rule.terms) == 1


def test_the_normal_form_reads_like_the_rule():
    assert str(factored("eta * (post * pre - gamma * w)")) in {
        "eta * E[post*pre] + -eta*gamma * w",
        "-eta*gamma * w + eta * E[post*pre]",
    }
    assert str(factored("0")) == "0"


@pytest.mark.parametrize(
    "text",
    ["eta * (pre * w - (theta + pre) * w)", "0.7 * (post * w - (1 + post) * w)", "post * pre - (1 + pre) * post"],
)
def test_quantities_that_cancel_leave_a_number(text):
    names, mask = state(3)
    rule = factored(text)
    expected = np.broadcast_to(evaluate(text, names, ELEMENTWISE), (3, 4, 3)).mean(0) * mask
    np.testing.assert_allclose(change_of(rule, names, mask) * mask, expected, rtol=1e-12, atol=1e-14)
    assert all(isinstance(part, Term) and "pre" not in map(str, part.pre.free_symbols) for part in rule.terms)
