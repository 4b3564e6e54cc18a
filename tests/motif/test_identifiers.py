"""Any text is a label; what a rule must name is an identifier, in the form in which Python reads it."""

import networkx as nx
import numpy as np
import pytest

import circuitsim as cs
from tests.motif.circuits import changed, fault, faults

E, E_COMBINED, MICRO, MU = "\u00e9", "e\u0301", "\u00b5", "\u03bc"


def pair(pre: str = "x", name: str = "W", **options) -> cs.Motif:
    motif = cs.Motif("m")
    motif.add(cs.Population(pre, 2), cs.Population("y", 2, activation="relu"))
    motif.connect(pre, "y", name=name, **options)
    return motif


@pytest.mark.parametrize(
    ("name", "instead"), [("5-HT", "n5_HT"), ("MBON-γ1", "MBON_γ1"), ("W 0", "W_0"), ("", "n"), ("a.b|c", "a_b_c")]
)
def test_the_message_says_how_to_use_a_text_as_a_label(name, instead):
    advice = "a name must be an identifier (letters, digits, _), since rules use it; use such a name, and the text as a"
    population, projection = faults(pair(name, name))
    assert population == f"population {name!r}: {advice} label: Population({instead!r}, ..., label={name!r})"
    assert projection == f"projection {name!r}: {advice} label: Projection({instead!r}, ..., label={name!r})"
    motif = cs.Motif("m")
    x = motif.add(cs.Population(instead, 2, label=name))
    W = motif.connect(x, motif.add(cs.Population("y", 2)), name=f"{instead}_y", label=name, rule="0.1 * pre * post")
    motif.validate()
    assert (x.caption, W.caption, cs.Population("y", 2).caption) == (name, name, "y")
    assert cs.Motif.from_json(motif.to_json()) == cs.Motif.from_networkx(motif.graph) == motif
    assert f"{instead}_y" in motif.methods_table()


def test_any_text_is_a_label_in_figures_and_tables(tmp_path):
    label = r"5-HT $\frac | `x` \textbf & <b>"
    motif = pair(rule="0.1 * pre").replace("x", label=label).replace("W", label=label)
    motif.draw(tmp_path / "m.svg")
    assert r"5-HT $\frac \| `x` \textbf & <b> (x)" in motif.methods_table()
    assert r"5-HT \${\textbackslash}frac {\textbar}" in motif.methods_table("latex")
    assert fault(pair().replace("x", label=3)) == "population 'x': label must be a text or None (got 3)"
    assert fault(pair(label=b"x")) == "projection 'W': label must be a text or None (got b'x')"


def test_names_that_look_alike_are_one_name():
    def motif(e: str, mu: str) -> cs.Motif:
        m = cs.Motif("m")
        state = {mu: cs.State(f"{mu} + activity")}
        m.add(cs.Population(e, 2, state=state), cs.Population("y", 2, activation=f"drive * activity_{e}"))
        m.add(cs.Signal(f"{mu}_reward"), cs.Phase("one", soma=[e], plastic=[e], inputs=[e]))
        rule = f"{mu} * pre * {mu}_reward + 0 * {mu}_pre + 0 * I_{e}"
        m.connect(e, "y", name=e, rule=rule, parameters={mu: 0.1}, init=cs.Constant(1.0))
        return m

    typed, composed = motif(E_COMBINED, MICRO), motif(E, MU)
    assert typed.population(E_COMBINED).name == composed.population(E).name == composed.projection(E_COMBINED).name == E
    circuits = [cs.compile(m, replicas=2, vary={f"{name}.{mu}": [0.1, 0.2]}, dtype="float64", device="cpu")
                for m, name, mu in ((typed, E_COMBINED, MICRO), (composed, E, MU))]  # fmt: skip
    for circuit, e, mu in ((circuits[0], E_COMBINED, MICRO), (circuits[1], E, MU)):
        circuit.step({e: [[1.0, 2.0]]}, signals={f"{mu}_reward": [1.0]}, keep=[e])
        circuit.freeze(e)
        circuit.thaw(e)
        assert circuit.frozen == frozenset()
        expected = np.array([1 + np.array([[1, 2]] * 2) * eta for eta in (0.1, 0.2)])
        np.testing.assert_allclose(circuit.weights(e), expected, rtol=1e-14)
        np.testing.assert_allclose(circuit.state(e, mu), [[1, 2], [1, 2]])
        circuit.set_weights(e, circuit.weights(e))
        assert int(circuit.prune(e, 1e-9).sum()) == 0


def test_two_names_that_become_one_are_refused():
    with pytest.raises(
        cs.MotifError, match="two parameters are called 'μ', because 'μ' is the same name in NFKC; rename"
    ):
        cs.Rule("pre", **{MICRO: 1.0, MU: 2.0})
    with pytest.raises(cs.MotifError, match="two states are called"):
        pair(state={E: "1", E_COMBINED: "2"})


@pytest.mark.parametrize("word", ["lambda", "in", "None", "class"])
def test_a_keyword_of_python_is_no_parameter_state_or_signal(word):
    advice = f"{word!r} is a keyword of Python, so no expression can use it as a name; call it '{word}_'"
    parameter, *_ = faults(pair(rule=f"{word} * pre", parameters={word: 0.1}))
    assert parameter == f"projection 'W': rule parameter {word!r}: {advice}"
    assert f"population 'x': state {word!r}: {advice}" in faults(pair().replace("x", state={word: "activity"}))
    motif = pair()
    motif.add(cs.Signal(word))
    assert fault(motif) == f"signal {word!r}: {advice}"
    pair(word, word, rule=f"0.1 * I_{word}").validate()  # a part of a longer word


def test_an_expression_that_python_cannot_read_names_the_keyword():
    assert fault(pair(rule="lambda * pre", parameters={})) == (
        "projection 'W': rule: cannot read 'lambda * pre': invalid syntax at column 1 ('lambda' is a keyword of Python "
        "and cannot be a name; use 'lambda_')"
    )
    assert "('lambda' is a keyword" in fault(pair(rule="lambda x: x"))
    pair(rule="lambda_ * pre", parameters={"lambda_": 0.1}).validate()


# -- the usual slips of a first motif


def test_a_parameter_without_a_value_is_asked_for():
    assert fault(pair(rule="eta * pre * post")).endswith(
        "at column 1; if it is a parameter, give it a value, as in Rule(..., eta=0.1)"
    )
    with pytest.raises(
        cs.MotifError, match="unknown option 'eta'.* The parameters of a rule go into parameters={'eta': 0.1}"
    ):
        pair(rule="eta * pre * post", eta=0.1)
    with pytest.raises(
        cs.MotifError, match=r"projection 'W': unknown option 'conectivity'; known: compartment, rule, "
    ):
        pair(conectivity=cs.All())
    with pytest.raises(cs.MotifError, match="projection 'W': parameters must be a mapping such as .* .got 0.1."):
        pair(rule="eta * pre", parameters=0.1)
    with pytest.raises(cs.MotifError, match=r"projection 'W0': unknown option 'sise'; known: compartment"):
        changed("W0", sise=3)
    with pytest.raises(cs.MotifError, match=r"population 'up1': unknown field 'sise' .known: name, size, "):
        changed("up1", sise=3)


def test_names_of_neurons_and_masks_are_no_indices():
    with pytest.raises(
        cs.MotifError, match="Edges pre must be an array of numbers, but 1 of 2 entries is not: 'AVAL' at .0"
    ):
        cs.Edges(pre=["AVAL", 0], post=[0, 1])
    with pytest.raises(
        cs.MotifError, match="Edges post needs the indices of neurons .got booleans.; use numpy.flatnonzero"
    ):
        cs.Edges(pre=[0, 1], post=[True, False])


def test_a_text_is_no_list_of_names_and_a_number_no_noise():
    with pytest.raises(cs.MotifError, match="phase 'p': soma must be a list of names .got the text 'W0'.; use .'W0'."):
        cs.Phase("p", soma="W0")
    with pytest.raises(cs.MotifError, match="phase 'p': inputs must be a list of names .got 3."):
        cs.Phase("p", inputs=3)
    with pytest.raises(cs.MotifError, match="phase 'p': noise must map populations to numbers, such as .* .got 0.1."):
        cs.Phase("p", noise=0.1)
    with pytest.raises(cs.MotifError, match="state must map names to states, such as .* .got .'e'.."):
        pair(state=["e"])


def test_a_node_without_a_size_is_told_how_to_get_one():
    graph = nx.MultiDiGraph([("a", "b", "W")])
    with pytest.raises(
        cs.MotifError, match=r"population 'a': the node has no size, .* graph.nodes\['a'\]\['size'\] = 10"
    ):
        cs.Motif.from_networkx(graph)


def test_the_name_of_a_motif_is_a_text():
    assert fault(cs.Motif(3)) == "motif: name must be a string (got 3)"
    assert fault(pair(bounds=np.array([1, 0]))).startswith(
        "projection 'W': bounds must be (low, high), finite with low < high, or None for no bound"
    )


def test_names_belong_to_the_keys_of_a_mapping():
    circuit = cs.compile(pair(), device="cpu")
    circuit.pin_replica(0)
    with pytest.raises(cs.ParameterError, match=r"paths of rates must be the keys of a mapping \(got \[0.1\]\)"):
        circuit.release_replica(0, [0.1])
    assert circuit.pinned == (0,)
