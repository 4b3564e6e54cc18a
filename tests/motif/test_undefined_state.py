"""A state whose parameters make its update undefined is told when the motif is checked."""

import pytest

import circuitsim as cs


@pytest.mark.parametrize("update", ["theta / tau", "theta + (1 - theta) * tau ** -2"])
@pytest.mark.parametrize("owner", ["population 'y'", "projection 'W'"])
def test_division_by_a_parameter_of_zero_is_a_fault(update, owner):
    def motif(tau: float) -> cs.Motif:
        state = {"theta": cs.State(update, start=1.0, tau=tau)}
        mine, others = (state, {}) if owner.startswith("population") else ({}, state)
        found = cs.Motif()
        found.add(cs.Population("x", 2), cs.Population("y", 2, state=mine))
        found.connect("x", "y", name="W", state=others)
        return found

    motif(2.0).validate()
    with pytest.raises(cs.MotifError, match=f"{owner}: state 'theta': its update is not finite with"):
        motif(0.0).validate()
