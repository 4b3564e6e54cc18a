"""Activations and traces as expressions; slopes against finite differences."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.motif.expressions import parse_activation, parse_trace, rule_vocabulary
from circuitsim.motif.population import NAMED, activation_expression
from circuitsim.rules.vocabulary import local
from tests.motif.circuits import two_streams
from tests.oracle import NAMED as CLOSED_FORMS
from tests.oracle import OF_DUAL, Dual, evaluate
from tests.rules.values import value_of
from tests.strategies import ACTIVATIONS, GATED

GATES = {"activity_g": np.array([0.3, -0.7, 1.1, 0.2]), "slope_g": np.array([1.0, 0.0, 0.4, 0.9])}
DRIVE = np.array([-1.71, -0.083, 0.291, 2.3])


def activity_and_slope(activation: str, drive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    expression = parse_activation(cs.Motif(), cs.Population("a", 4, activation=activation))
    names = GATES | {"drive": drive}
    values = [value_of(e, names) for e in (expression, expression.diff(local("drive")))]
    return tuple(np.broadcast_to(value, drive.shape) for value in values)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, *(text.format("g") for text in GATED), "one", "0.7"])
def test_a_slope_is_the_derivative_of_the_activity(activation):
    activity, slope = activity_and_slope(activation, DRIVE)
    step = 1e-6
    above, below = (activity_and_slope(activation, DRIVE + s)[0] for s in (step, -step))
    assert np.isfinite(activity).all() and np.isfinite(slope).all()
    np.testing.assert_allclose(slope, (above - below) / (2 * step), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("activation", NAMED)
def test_a_named_activation_is_its_closed_form(activation):
    drive = np.append(DRIVE[:-1], 0.0)
    for got, closed in zip(activity_and_slope(activation, drive), CLOSED_FORMS[activation], strict=True):
        np.testing.assert_allclose(got, closed(drive), rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("drive", [-0.53, 0.0, 0.31, 0.71, -0.25])
@pytest.mark.parametrize("activation", [*ACTIVATIONS, "clip(0.25, -drive, 1)", "clip(2, 0, drive)"])
def test_slopes_at_a_kink_are_those_of_forward_differentiation(activation, drive):
    drive = np.array([drive])
    _, slope = activity_and_slope(activation, drive)
    if activation in CLOSED_FORMS:
        expected = CLOSED_FORMS[activation][1](drive)
    else:
        expected = evaluate(activation, {"drive": Dual(drive, np.ones(1))}, OF_DUAL).slope
    np.testing.assert_allclose(slope, expected, rtol=1e-13, atol=1e-15)


def test_relu_at_zero_has_slope_zero():
    assert activity_and_slope("relu", np.zeros(1))[1] == 0.0


def test_gated_by_is_the_drive_times_the_slope_of_the_gate():
    assert activation_expression(cs.GatedBy("up1")) == "drive * slope_up1"


def test_a_trace_is_the_activity_unless_declared():
    assert parse_trace(cs.Motif(), cs.Population("a", 1)) == local("activity")
    assert parse_trace(cs.Motif(), cs.Population("a", 1, trace="2 * drive")) == 2 * local("drive")


def test_a_rule_knows_what_arrives_at_its_postsynaptic_population():
    motif = two_streams()
    vocabulary = rule_vocabulary(motif, motif.projection("V1"))
    assert (vocabulary.soma, vocabulary.dendrite) == (("W0",), ("V1",))
    assert set(vocabulary.names) == {
        *("pre", "activity_pre", "drive_pre", "slope_pre", "post", "activity_post", "drive_post", "slope_post"),
        *("w", "batch_size", "dendrite_post", "hetero", "spike_pre", "spike_post"),
        *("I_W0", "I_V1", "eta", "gamma"),
    }
