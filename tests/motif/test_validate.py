"""Every fault of a declaration is named with its object, and all of them at once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

import circuitsim as cs
from circuitsim.motif.population import NAMED
from tests.motif.circuits import changed, fault, faults, two_streams
from tests.strategies import MALFORMED, motifs


@settings(max_examples=40)
@given(motifs(replicas=2))
def test_motifs_drawn_at_random_are_sound(motif):
    motif.validate()


def test_a_sound_motif_has_no_fault():
    assert two_streams().validate() is None


# -- names


def test_an_unknown_population_is_named_with_the_known_ones():
    assert fault(changed("V2", pre="down9")) == (
        "projection 'V2': pre names unknown population 'down9' (known: up0, up1, up2, down2, down1)"
    )


def test_an_objective_that_names_an_unknown_population_says_so():
    motif = two_streams()
    motif.add(cs.Objective("up9", "down9"))
    output, error = faults(motif)
    assert output.startswith("objective 'up9' -> 'down9': output names unknown population 'up9' (known: up0, ")
    assert error.startswith("objective 'up9' -> 'down9': error names unknown population 'down9' (known: up0, ")


def test_a_gate_that_is_unknown_is_named():
    assert fault(changed("down1", activation=cs.GatedBy("up7"))).startswith(
        "population 'down1': gate names unknown population 'up7' (known: up0, "
    )


def test_duplicate_names_are_counted():
    motif = two_streams()
    motif.add(cs.Population("up1", size=3, activation="relu"))
    motif.connect("up0", "up1", name="W1")
    motif.connect("up0", "up1", name="W1")
    assert "population 'up1': duplicate name, declared 2 times" in faults(motif)
    assert "projection 'W1': duplicate name, declared 3 times" in faults(motif)


def test_a_population_and_a_projection_may_share_a_name():
    motif = two_streams()
    motif.connect("up0", "up1", name="up1")
    motif.validate()


@pytest.mark.parametrize("name", ["", "W 0", "0W", "W-0", "W.0", "W\n"])
def test_a_name_must_be_an_identifier(name):
    motif = two_streams()
    motif.connect("up0", "up1", name=name)
    assert fault(motif).startswith(f"projection {name!r}: a name must be an identifier")


@pytest.mark.parametrize("name", [None, 3, ["W"], cs.All()])
def test_a_name_must_be_a_string(name):
    motif = two_streams()
    motif.add(cs.Population(name, size=1))
    assert fault(motif) == f"population: name must be a string (got {name!r})"


@pytest.mark.parametrize("name", [None, 3, ["W"], {}])
@pytest.mark.parametrize("value", [cs.Derived, cs.ReciprocalOf, cs.TransposeOf, cs.GatedBy])
def test_what_refers_to_another_names_it(value, name):
    motif = two_streams()
    if value is cs.GatedBy:
        motif.add(cs.Population("gated", 2, activation=value(name)))
        owner, kind = "population 'gated'", "population"
    else:
        field = {cs.Derived: "tied_to", cs.ReciprocalOf: "connectivity", cs.TransposeOf: "init"}[value]
        motif.connect("up0", "up1", name="refers", **{field: value(name)})
        owner, kind = "projection 'refers'", "projection"
    assert fault(motif) == f"{owner}: {value.__name__} needs the name of a {kind} (got {name!r})"


# -- plain fields


@pytest.mark.parametrize("size", [0, -1, 2.0, 2.5, "3", True, [3], float("nan")])
def test_a_size_must_be_a_positive_integer(size):
    assert f"population 'up1': size must be a positive integer (got {size!r})" in faults(changed("up1", size=size))


def test_a_numpy_integer_is_a_size():
    changed("up1", size=np.int64(3)).validate()


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("up1", {"stream": "sideways"}, "population 'up1': stream must be one of ('ascending', 'descending')"),
        ("up1", {"activation": ["relu"]}, "population 'up1': activation must be a name, an expression or GatedBy"),
        ("up1", {"activation": None}, "population 'up1': activation must be a name, an expression or GatedBy"),
        ("up1", {"activation": "rleu"}, "population 'up1': activation: unknown name 'rleu'"),
        ("up1", {"activation": "relu(drive"}, "population 'up1': activation: cannot read 'relu(drive'"),
        ("up1", {"activation": "drive + pre"}, "population 'up1': activation: unknown name 'pre'"),
        ("up1", {"activation": "2 ** drive"}, "population 'up1': activation: 'drive' in an exponent has no slope here"),
        ("up1", {"trace": 3}, "population 'up1': trace must be an expression or None (got 3)"),
        ("up1", {"trace": "activty"}, "population 'up1': trace: unknown name 'activty'; did you mean 'activity'?"),
        ("up1", {"trace": "sum_in(activity)"}, "population 'up1': trace: unknown function 'sum_in'"),
        (
            "W0",
            {"compartment": "axon"},
            "projection 'W0': compartment must be one of ('soma', 'dendrite') (got 'axon')",
        ),
        ("W0", {"rule": 0.1}, "projection 'W0': rule must be Rule or None (got 0.1)"),
        (
            "W0",
            {"init": 0.5},
            "projection 'W0': init must be Gaussian or Identity or Constant",
        ),
        (
            "W0",
            {"connectivity": None},
            "projection 'W0': connectivity must be All or Random or DistanceDependent or Local or ReciprocalOf or ",
        ),
        ("W0", {"plastic": "no"}, "projection 'W0': plastic must be bool (got 'no')"),
        ("W0", {"tied_to": "W1"}, "projection 'W0': tied_to must be Derived or None (got 'W1')"),
        ("W0", {"bounds": 3}, "projection 'W0': bounds must be tuple or None (got 3)"),
        (
            "W0",
            {"bounds": (1, 0)},
            "projection 'W0': bounds must be (low, high), finite with low < high, or None for no bound (got (1, 0))",
        ),
        (
            "W0",
            {"bounds": (0, float("inf"))},
            "projection 'W0': bounds must be (low, high), finite with low < high, or None for no bound (got (0, inf))",
        ),
        ("W0", {"bounds": ()}, "projection 'W0': bounds must be (low, high), finite with"),
        ("W0", {"bounds": pd.Series([0, 1])}, "projection 'W0': bounds must be tuple or None (got 0"),
        (
            "W0",
            {"bounds": (2, 3), "init": cs.Uniform(0, 2)},
            "projection 'W0': no weight that its init draws lies within the bounds (2, 3) (got Uniform(low=0, high=2))",
        ),
        (
            "W0",
            {"bounds": (0, None), "init": cs.Gaussian(sign="negative")},
            "projection 'W0': no weight that its init draws",
        ),
        (
            "W0",
            {"bounds": (None, -1), "init": cs.Gaussian(sign="positive")},
            "projection 'W0': no weight that its init draws",
        ),
        ("W0", {"bounds": (0, 1, 2)}, "projection 'W0': bounds must be (low, high)"),
        ("W0", {"bounds": (0, float("nan"))}, "projection 'W0': bounds must be (low, high)"),
        ("W0", {"connectivity": cs.Random(0.0)}, "projection 'W0': probability must be in (0, 1] (got 0.0)"),
        ("W0", {"connectivity": cs.Random(1.5)}, "projection 'W0': probability must be in (0, 1] (got 1.5)"),
        ("W0", {"init": cs.Gaussian(gain=float("inf"))}, "projection 'W0': Gaussian gain must be a finite number"),
        ("W0", {"init": cs.Gaussian(scaling="fan")}, "projection 'W0': Gaussian scaling must be 'fan_in' or 'fan_out'"),
        ("W0", {"init": cs.Constant("1")}, "projection 'W0': Constant value must be a finite number (got '1')"),
        ("W0", {"init": cs.Uniform(1, 1)}, "projection 'W0': Uniform needs finite low < high (got 1, 1)"),
    ],
)
def test_a_faulty_field_is_named_with_its_object(name, changes, message):
    found = faults(changed(name, **changes))
    assert any(one.startswith(message) for one in found), found


# -- shapes


def test_given_weights_must_have_the_shape_of_the_projection():
    assert fault(changed("W0", init=cs.Given(np.ones((4, 3))))) == (
        "projection 'W0': Given has shape (4, 3), needs [post, pre] = (3, 4)"
    )
    changed("W0", init=cs.Given(np.ones((3, 4)))).validate()
    changed("W0", init=cs.Given(np.ones((7, 3, 4)))).validate()
    assert "Given has shape (4,), needs [post, pre]" in fault(changed("W0", init=cs.Given(np.ones(4))))


def test_given_weights_must_be_finite():
    weights = np.ones((3, 4))
    weights[0, 1:3] = np.inf, np.nan
    assert fault(changed("W0", init=cs.Given(weights))) == (
        "projection 'W0': Given: 2 of 12 entries are blank or not finite, the first (inf) at [post, pre] = [0, 1]"
    )


def test_a_mask_must_have_the_shape_of_the_projection():
    assert fault(changed("W0", connectivity=cs.Mask(np.ones((2, 2))))) == (
        "projection 'W0': Mask has shape (2, 2), needs [post, pre] = (3, 4)"
    )


INDICES = "must hold indices of neurons, whole numbers in"


@pytest.mark.parametrize(
    ("pre", "post", "message"),
    [
        ([0, 1], [0], "Edges needs pre and post of equal length (got shapes (2,) and (1,))"),
        ([[0]], [[0]], "Edges needs pre and post of equal length (got shapes (1, 1) and (1, 1))"),
        ([0, 4], [0, 0], f"Edges pre {INDICES} 0 .. 3, but 1 of 2 entries is not: the first is 4, of synapse 1"),
        (
            [0, 0, 1],
            [3, 2, -1],
            f"Edges post {INDICES} 0 .. 2, but 2 of 3 entries are not: the first is 3, of synapse 0",
        ),
        ([0.5], [0], f"Edges pre {INDICES} 0 .. 3, but 1 of 1 entries is not: the first is 0.5, of synapse 0"),
        ([None, 0], [0, 0], f"Edges pre {INDICES} 0 .. 3, but 1 of 2 entries is not: the first is nan, of synapse 0"),
    ],
)
def test_edges_must_lie_within_the_projection(pre, post, message):
    assert fault(changed("W0", connectivity=cs.Edges(pre=pre, post=post))) == f"projection 'W0': {message}"


def test_no_edges_at_all_are_allowed():
    changed("W0", connectivity=cs.Edges(pre=[], post=[])).validate()


def test_identities_need_populations_of_equal_size():
    assert fault(changed("W0", connectivity=cs.OneToOne())) == (
        "projection 'W0': OneToOne needs populations of equal size (got post 3, pre 4)"
    )
    assert fault(changed("W0", init=cs.Identity())) == (
        "projection 'W0': Identity needs populations of equal size (got post 3, pre 4)"
    )


@pytest.mark.parametrize("shape", [(4, 3), (1, 4), (2, 3, 4)])
def test_a_parameter_per_synapse_must_have_the_shape_of_the_projection(shape):
    rule = cs.Rule("eta * pre", eta=np.ones(shape))
    assert fault(changed("W0", rule=rule)) == (
        f"projection 'W0': rule parameter 'eta' has shape {shape}; needs a number, [replica], or [post, pre] = (3, 4)"
    )


@pytest.mark.parametrize("value", ["0.1", None, float("nan"), [1.0, float("inf")], [[1], [1, 2]], {"a": 1}, 1j])
def test_a_parameter_must_be_finite_numbers(value):
    assert fault(changed("W0", rule=cs.Rule("eta * pre", eta=value))).startswith(
        "projection 'W0': rule parameter 'eta' must be finite numbers (got "
    )


@pytest.mark.parametrize("value", [[0.1, 0.2], [[], {"a": 1}], "0.1", None, float("nan"), 10**400])
def test_a_parameter_of_a_state_must_be_a_finite_number(value):
    state = {"theta": cs.State("theta / tau", tau=value)}
    assert "state 'theta': parameter 'tau' must be a finite number (got" in fault(changed("up1", state=state))


def test_a_gate_must_have_the_size_of_what_it_gates():
    assert fault(changed("down1", activation=cs.GatedBy("up1"))) == (
        "population 'down1' of size 5: gated by 'up1' of size 3; the sizes must be equal"
    )


def test_gates_of_other_sizes_are_named_in_the_order_of_the_expression():
    motif, gates = cs.Motif("gated"), [f"g{k}" for k in (3, 1, 4, 0, 2)]
    motif.add(cs.Population("y", 2, activation=" + ".join(f"activity_{gate}" for gate in gates)))
    motif.add(*(cs.Population(gate, 3) for gate in sorted(gates)))
    expected = [f"population 'y' of size 2: gated by {gate!r} of size 3; the sizes must be equal" for gate in gates]
    assert faults(motif) == tuple(expected)


# -- what refers to other projections


def test_a_tie_to_a_projection_of_another_shape_is_refused():
    motif = two_streams().replace("V1", tied_to=cs.Derived("W0"), rule=None, connectivity=cs.All())
    motif = motif.replace("Vt1", connectivity=cs.All())
    assert fault(motif) == "projection 'V1': tied to 'W0', whose shape [post, pre] is (3, 4); needs (3, 5)"
    turned = motif.replace("V1", tied_to=cs.Derived("W0", transpose=True))
    assert fault(turned) == (
        "projection 'V1': tied to 'W0' transposed, whose shape [post, pre] is (4, 3); needs (3, 5)"
    )


def test_a_tie_to_a_projection_that_is_unknown_or_tied_is_refused():
    motif = two_streams().replace("Wt1", tied_to=cs.Derived("W7"), init=None)
    assert fault(motif).startswith("projection 'Wt1': tied to 'W7', which is unknown (known: W0, W1, ")
    motif = two_streams().replace("Wt1", tied_to=cs.Derived("Wt1"), init=None)
    assert fault(motif) == "projection 'Wt1': tied to 'Wt1', which is itself derived; tie both to 'Wt1'"


def test_the_scale_of_a_tie_must_be_finite():
    motif = two_streams()
    motif.connect(
        "up1", "up0", name="B", compartment="dendrite", tied_to=cs.Derived("W0", transpose=True, scale=float("inf"))
    )
    assert fault(motif) == "projection 'B': tied to 'W0': scale must be a finite number (got inf)"


@pytest.mark.parametrize("own", [{"init": cs.Constant(1)}, {"rule": cs.Rule("w")}, {"connectivity": cs.Random(0.5)}])
def test_a_tied_projection_has_no_weights_of_its_own(own):
    motif = two_streams()
    motif.connect("up1", "up0", name="B", compartment="dendrite", tied_to=cs.Derived("W0", transpose=True), **own)
    assert fault(motif).startswith(
        "projection 'B': its weights are tied to others, so it takes no init, rule or connectivity"
    )


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("V7", "projection 'Vt1': ReciprocalOf('V7') names an unknown projection (known: W0, W1, Wt1, V1, Vt1, V2)"),
        ("W0", "projection 'Vt1': ReciprocalOf('W0'), whose transposed shape [post, pre] is (4, 3); needs (5, 3)"),
    ],
)
def test_a_reciprocal_projection_must_run_the_other_way(other, message):
    assert fault(changed("Vt1", connectivity=cs.ReciprocalOf(other))) == message


def test_a_reciprocal_of_a_reciprocal_is_refused():
    motif = changed("V1", connectivity=cs.ReciprocalOf("Vt1"))
    assert "projection 'Vt1': ReciprocalOf('V1'): V1 must have a connectivity of its own" in faults(motif)


@pytest.mark.parametrize(
    "connectivity",
    [
        cs.Mask(np.ones((2, 2))),
        cs.Mask(pd.DataFrame(1.0, list("abz"), list("cdef"))),
        cs.Edges(pre=[0, 9], post=[0, 1]),
        cs.Edges(pre=[0, 1], post=[0]),
        cs.OneToOne(),
        cs.Random(2.0),
    ],
)
@pytest.mark.parametrize("init", [cs.Given(np.ones((4, 3))), cs.Identity()])
def test_weights_of_a_reciprocal_are_not_checked_against_a_faulty_source(connectivity, init):
    motif = cs.Motif("m")
    motif.add(cs.Population("x", 3), cs.Population("y", 4))
    motif.connect("x", "y", name="N", init=cs.Given(pd.DataFrame(1.0, list("cdef"), list("abg"))))
    motif.connect("y", "x", name="A", compartment="dendrite", connectivity=connectivity)
    motif.connect("x", "y", name="B", connectivity=cs.ReciprocalOf("A"), init=init)
    first, *others = faults(motif)
    assert first.startswith("projection 'A': ")
    own = ["projection 'B': Identity needs populations of equal size (got post 4, pre 3)"]
    assert others == (own if init == cs.Identity() else [])


# -- the whole


def test_a_cycle_of_soma_projections_is_shown_with_its_path():
    motif = two_streams()
    motif.connect("up2", "up1", name="back")
    assert fault(motif) == (
        "motif 'two_streams': soma projections, gates and objectives form a cycle, which only a projection with "
        "delay=1 can close: up1 -[W1]-> up2 -[back]-> up1"
    )


def test_a_population_that_drives_itself_is_a_cycle():
    motif = two_streams()
    motif.connect("up1", "up1", name="own")
    assert fault(motif).endswith("delay=1 can close: up1 -[own]-> up1")


def test_a_cycle_through_an_objective_and_a_gate_is_shown():
    motif = two_streams().replace("up1", activation="relu(drive) * activity_gate")
    motif.add(cs.Population("gate", size=3, stream="descending"))
    motif.connect("down2", "gate", name="G")
    (found,) = faults(motif)
    for step in ("-[W1]-> up2", "-[cross_entropy]-> down2", "-[G]-> gate", "-[gate]-> up1"):
        assert step in found


def test_a_loop_of_dendritic_projections_is_no_cycle():
    motif = two_streams()
    motif.connect("up2", "up1", name="back", compartment="dendrite")
    motif.connect("up1", "up1", name="own", compartment="dendrite")
    motif.validate()


def test_an_objective_needs_populations_of_equal_size():
    assert fault(changed("up2", size=3).replace("V2", init=None, connectivity=cs.All())) == (
        "objective 'up2' -> 'down2': output size 3 is not error size 2"
    )


def test_an_objective_is_checked_for_its_loss_and_its_error():
    motif = two_streams()
    motif.add(cs.Objective("up2", "down2", loss="hinge"))
    assert set(faults(motif)) == {
        "population 'down2' is the error of 2 objectives; give each its own",
        "objective 'up2' -> 'down2': loss must be one of ('cross_entropy', 'mse', 'bce') (got 'hinge')",
    }


def test_cross_entropy_needs_two_classes():
    motif = cs.Motif("m")
    motif.add(cs.Population("x", 1), cs.Population("e", 1, stream="descending"), cs.Objective("x", "e"))
    assert fault(motif) == "objective 'x' -> 'e': cross_entropy needs at least 2 outputs (got 1)"


def test_an_error_population_belongs_to_the_descending_stream():
    motif = two_streams().replace("down2", stream="ascending")
    assert fault(motif) == (
        "objective 'up2' -> 'down2': error population must be of the descending stream (got 'ascending')"
    )


def test_an_error_population_has_no_other_drive():
    motif = two_streams()
    motif.connect("up0", "down2", name="extra")
    assert fault(motif) == (
        "population 'down2': an error population is driven by its objective alone; remove the soma projection"
    )


def test_a_descending_population_that_nothing_drives_is_named():
    motif = two_streams()
    motif.add(cs.Population("down7", size=2, stream="descending"))
    assert fault(motif) == (
        "population 'down7': nothing drives it; a descending population needs a soma projection onto it "
        "or an Objective whose error it is"
    )


def test_a_descending_bias_needs_no_drive():
    motif = two_streams()
    motif.add(cs.Bias("tonic", stream="descending"))
    motif.validate()


def test_a_motif_needs_an_input():
    motif = cs.Motif("m")
    assert "motif 'm' has no population; add one with motif.add(Population(name, size))" in faults(motif)
    motif.add(cs.Bias("b"), cs.Population("y", 2))
    motif.connect("b", "y", name="W")
    assert (
        fault(motif) == "motif 'm' has no input: an ascending population with no soma projection onto it and no noise"
    )


# -- rules


def test_a_rule_that_reads_a_current_from_elsewhere_is_told_which_arrive():
    motif = changed("V1", rule=cs.Rule("eta * I_W3 * pre", eta=0.1))
    assert fault(motif) == (
        "projection 'V1': rule names I_W3, which does not reach population 'up1' (known: I_W0, I_V1) at column 7"
    )
    elsewhere = changed("V1", rule=cs.Rule("I_W1 * pre"))  # it exists, but ends on up2
    assert fault(elsewhere).startswith("projection 'V1': rule names I_W1, which does not reach population 'up1'")


def test_a_rule_with_an_unknown_parameter_is_told_the_nearest():
    assert fault(changed("V1", rule=cs.Rule("eta * gama * w", eta=0.1, gamma=0.1))).startswith(
        "projection 'V1': rule: unknown name 'gama'; did you mean 'gamma'? (known: "
    )


@pytest.mark.parametrize("text", sorted(set(MALFORMED) - set(NAMED)), ids=lambda text: ascii(text[:20]))
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_a_malformed_text_is_a_fault_wherever_it_stands(text):
    assert fault(changed("V1", rule=cs.Rule(text))).startswith("projection 'V1': rule")
    assert any(found.startswith("population 'down1': trace: ") for found in faults(changed("down1", trace=text)))
    assert any("population 'down1': activation: " in found for found in faults(changed("down1", activation=text)))


@pytest.mark.parametrize("expression", [None, 3, ["w"]])
def test_a_rule_that_is_no_text_is_a_fault(expression):
    assert fault(changed("V1", rule=cs.Rule(expression))) == (
        f"projection 'V1': rule: an expression must be a string (got {expression!r})"
    )


# -- all at once


def test_all_faults_are_reported_together():
    motif = (
        two_streams()
        .replace("up1", size=0)
        .replace("down1", activation="sigmoyd(drive)")
        .replace("W0", rule=cs.Rule("eta * nobody"), compartment="axon")
        .replace("Wt1", init=cs.Given(np.ones((2, 2))))
        .replace("V2", rule=cs.Rule("I_W0 * pre"))
    )
    motif.add(cs.Objective("up9", "down9"))
    motif.add(cs.Population("down7", size=2, stream="descending"))
    motif.connect("up2", "up1", name="back")
    found = faults(motif)
    for start in (
        "population 'up1': size must be",
        "population 'down1': activation: unknown function 'sigmoyd'",
        "projection 'W0': compartment must be",
        "projection 'Wt1': Given has shape (2, 2)",
        "projection 'V2': rule names I_W0",
        "objective 'up9' -> 'down9': output names unknown population",
        "objective 'up9' -> 'down9': error names unknown population",
        "population 'down7': nothing drives it",
        "motif 'two_streams': soma projections, gates and objectives form a cycle",
    ):
        assert sum(one.startswith(start) for one in found) == 1, (start, found)
    with pytest.raises(cs.MotifError, match=f"^{len(found)} faults:\n  - "):
        motif.validate()


# -- names that would stand for two things


@pytest.mark.parametrize("name", ["activity", "drive", "slope"])
def test_a_state_of_neurons_or_a_signal_may_not_take_the_name_of_a_quantity(name):
    motif = changed("up1", state={name: "0"})
    assert fault(motif) == f"population 'up1': state '{name}' has the name of a quantity of every neuron; rename it"
    motif = two_streams()
    motif.add(cs.Signal(name))
    assert fault(motif) == f"signal '{name}' has the name of a quantity of every neuron; rename it"


@pytest.mark.parametrize("name", ["activity", "drive", "slope", "eta"])
def test_a_state_of_synapses_may_take_the_name_of_a_quantity_of_neurons(name):
    changed("W1", state={name: f"{name} + pre"}, rule=cs.Rule(f"{name} * post")).validate()


def test_a_population_and_a_projection_may_share_a_name_and_names_of_states():
    motif = cs.Motif()
    motif.add(cs.Population("x", 2), cs.Population("y", 2, state={"eta": "activity", "s": "0"}))
    motif.connect("x", "y", name="y", rule=cs.Rule("eta * s * I_y * eta_post", eta=0.1), state={"s": "pre"})
    motif.validate()


def test_a_state_of_neurons_may_not_take_the_name_of_a_signal():
    motif = changed("up1", state={"reward": "activity"})
    motif.add(cs.Signal("reward"))
    assert fault(motif) == "population 'up1': state 'reward' has the name of a signal; rename one"


def test_a_name_in_a_rule_may_not_stand_for_two_things():
    both = changed("W1", state={"s_post": "0", "s_pre": "0"}).replace("up1", state={"s": "activity"})
    assert fault(both) == (
        "projection 'W1': 's_pre' in its expressions would be state 's' of population 'up1' and state 's_pre' of its "
        "synapses; rename one"
    )
    signal = two_streams().replace("up1", state={"s": "activity"})
    signal.add(cs.Signal("s_post"))
    assert faults(signal) == tuple(
        f"projection {name!r}: 's_post' in its expressions would be state 's' of population 'up1' and signal 's_post'; "
        "rename one"
        for name in ("W0", "V1")
    )


def test_a_state_may_not_take_the_name_of_what_a_gate_gives():
    motif = changed("up2", activation="drive * slope_g", state={"slope_g": "0"})
    motif.add(cs.Population("g", 2))
    assert fault(motif) == (
        "population 'up2': activation: state 'slope_g' has the name of a quantity of a gating population; rename it"
    )


def test_a_label_that_no_file_can_hold_is_refused():
    message = "population 'up1': label must be a text that can be written in UTF-8 (got 'a\\ud800')"
    assert fault(changed("up1", label="a\ud800")) == message
    changed("up1", label="MBON-γ1 🧠").validate()
