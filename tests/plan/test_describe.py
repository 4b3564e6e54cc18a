"""A printed plan says what a step does."""

from circuitsim.plan import build_plan
from motifs import sal


def test_the_plan_of_sal_reads_as_its_equations():
    text = str(build_plan(sal([4, 3, 2], trace=None)))
    for line in (
        "ascending  up1[3]: drive = W0 up0; activity = relu(drive); slope = greater(drive, 0)",
        "descending down2[2]: drive = -d cross_entropy / d up2; activity = drive",
        "I[V1] = V1 trace[down1]    3 x 3",
        "M3 = E[activity[up1] (x) activity[down1]]    product 3 x 3, for V1, Vt1 (transposed)",
        "W0 += W0.eta*M0 + -W0.eta*W0.gamma*w",
    ):
        assert line in text


def test_a_term_that_does_not_factor_is_said_to_be_slow():
    motif = sal([4, 3, 2], trace=None)
    rule = motif.projection("V1").rule
    slow = motif.replace("V1", rule=type(rule)("eta * minimum(pre, post)", eta=0.1))
    assert "slow" not in str(build_plan(motif)) and "slow" in str(build_plan(slow))
