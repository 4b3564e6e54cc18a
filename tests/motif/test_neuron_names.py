"""Published tables name their neurons: rows and columns are read by name, in whatever order they stand."""

import io

import numpy as np
import pandas as pd
import pytest

import circuitsim as cs

CELLS = ["AVAL", "AVAR", "PVCL", "DA1"]
CONTACTS = pd.DataFrame(
    [[np.nan, 12, 3, np.nan], [9, np.nan, np.nan, np.nan], [5, 4, np.nan, 2], [np.nan, 7, 1, np.nan]], CELLS, CELLS
)


def motif(connectivity: cs.Mask, init: cs.Given, back: cs.Mask | None = None) -> cs.Motif:
    m = cs.Motif("worm")
    m.add(cs.Population("sense", 4), cs.Population("act", 4, activation="relu"))
    m.connect("sense", "act", name="W", connectivity=connectivity, init=init)
    if back is not None:
        m.connect("act", "sense", name="B", compartment="dendrite", connectivity=back, init=cs.Constant(1.0))
    return m


def weights(m: cs.Motif, name: str = "W") -> np.ndarray:
    return cs.compile(m, dtype="float64", device="cpu").weights(name)[0].numpy()


def test_a_published_table_goes_straight_into_mask_and_given():
    file = io.StringIO()
    CONTACTS.to_csv(file)
    file.seek(0)
    table = pd.read_csv(file, index_col=0)
    m = motif(cs.Mask(table, blank=0), cs.Given(table, blank=0))
    np.testing.assert_array_equal(weights(m), CONTACTS.fillna(0))
    assert cs.Motif.from_json(m.to_json()) == m
    assert int(cs.compile(m, device="cpu").mask("W").sum()) == CONTACTS.notna().to_numpy().sum() == 8


@pytest.mark.parametrize("seed", range(3))
def test_every_later_table_is_brought_into_the_order_of_the_first(seed):
    rng = np.random.default_rng(seed)
    shuffled = CONTACTS.loc[rng.permutation(CELLS), rng.permutation(CELLS)]
    m = motif(cs.Mask(CONTACTS, blank=0), cs.Given(shuffled, blank=0), cs.Mask(shuffled.T, blank=0))
    np.testing.assert_array_equal(weights(m), CONTACTS.fillna(0))
    np.testing.assert_array_equal(weights(m, "B"), CONTACTS.T.notna())
    circuit = cs.compile(m, replicas=2, dtype="float64", device="cpu")
    circuit.set_weights("W", 2 * shuffled.fillna(0))
    np.testing.assert_array_equal(circuit.weights("W")[1], 2 * CONTACTS.fillna(0))
    circuit.set_weights("W", 3 * CONTACTS.fillna(0).to_numpy())  # an array has the order of the neurons
    np.testing.assert_array_equal(circuit.weights("W")[1], 3 * CONTACTS.fillna(0))


def test_rows_and_columns_of_one_population_are_one_list_of_neurons():
    m = cs.Motif("recurrent")
    m.add(cs.Population("x", 4))
    turned = CONTACTS[CELLS[::-1]]
    m.connect("x", "x", name="W", compartment="dendrite", connectivity=cs.Mask(turned, blank=0), init=cs.Constant(1.0))
    np.testing.assert_array_equal(weights(m), CONTACTS.notna())


def test_names_that_do_not_fit_are_refused():
    other = CONTACTS.rename(columns={"DA1": "DA01", "PVCL": "pvcl"})
    with pytest.raises(cs.MotifError) as caught:
        motif(cs.Mask(CONTACTS, blank=0), cs.Given(other, blank=0)).validate()
    assert str(caught.value).startswith(
        "projection 'W': Given: 2 of 4 labels are not the names of neurons of 'sense', the first is 'pvcl'"
    )
    twice = CONTACTS.rename(index={"DA1": "AVAL"})
    with pytest.raises(cs.MotifError, match="1 neurons of 'act' have a name twice, the first is 'AVAL'"):
        motif(cs.Mask(twice, blank=0), cs.Given(twice, blank=0)).validate()
    circuit = cs.compile(motif(cs.Mask(CONTACTS, blank=0), cs.Given(CONTACTS, blank=0)), device="cpu")
    with pytest.raises(cs.ParameterError, match="projection 'W': weights: 2 of 4 labels are not the names of neurons"):
        circuit.set_weights("W", other.fillna(0))
    unnamed = cs.compile(motif(cs.Mask(np.ones((4, 4))), cs.Given(np.ones((4, 4)))), device="cpu")
    with pytest.raises(cs.ParameterError, match="the neurons of 'act' have no names, .* use frame.to_numpy()"):
        unnamed.set_weights("W", CONTACTS.fillna(0))
    with pytest.raises(cs.MotifError, match="Mask: the names of neurons must be a list of names .got the text 'AVAL'."):
        cs.Mask(np.eye(4), post_names="AVAL")


def test_ids_of_neurons_are_names_too():
    ids = [720575940628, 720575940611, 5, 0]
    table = CONTACTS.fillna(0).set_axis(ids).set_axis(ids, axis=1)
    np.testing.assert_array_equal(weights(motif(cs.Mask(table), cs.Given(table.loc[ids[::-1]]))), CONTACTS.fillna(0))


@pytest.mark.parametrize("kind", [cs.Mask, cs.Given])
@pytest.mark.parametrize(
    ("array", "given", "fault"),
    [
        (np.eye(4), {"post_names": CELLS[:3]}, r"post_names has 3 names, but the array has shape \(4, 4\).* each row"),
        (np.eye(4), {"pre_names": [*CELLS, "X"]}, r"pre_names has 5 names, .* one name for each column"),
        (CONTACTS, {"pre_names": []}, "pre_names has 0 names"),
        (np.ones((4, 2, 3)), {"post_names": CELLS}, r"post_names has 4 names, but the array has shape \(4, 2, 3\)"),
        (np.ones(4), {"pre_names": CELLS}, r"pre_names has 4 names, but the array has shape \(4,\)"),
    ],
)
def test_an_axis_has_as_many_names_as_neurons(kind, array, given, fault):
    with pytest.raises(cs.MotifError, match=f"{kind.__name__}: {fault}"):
        kind(array, **given)


def test_names_are_given_for_arrays_as_frames_bring_them():
    table = CONTACTS.fillna(0)
    named = cs.Given(table.to_numpy()[::-1], post_names=CELLS[::-1], pre_names=CELLS)
    np.testing.assert_array_equal(weights(motif(cs.Mask(table), named)), table)
    replicas = cs.Given(np.stack([table, 2 * table])[:, ::-1], post_names=CELLS[::-1], pre_names=CELLS)
    circuit = cs.compile(motif(cs.Mask(table), replicas), replicas=2, dtype="float64", device="cpu")
    np.testing.assert_array_equal(circuit.weights("W"), np.stack([table, 2 * table]))


@pytest.mark.parametrize("cells", [CELLS[:3], [*CELLS, "X"]])
def test_a_matrix_of_another_size_is_a_fault_of_its_shape_alone(cells):
    m = motif(cs.Mask(pd.DataFrame(1.0, cells, CELLS)), cs.Constant(1.0))
    m.connect("sense", "act", name="B", compartment="dendrite", init=cs.Given(CONTACTS.fillna(0)))
    with pytest.raises(cs.MotifError) as caught:
        m.validate()
    assert caught.value.faults == (f"projection 'W': Mask has shape ({len(cells)}, 4), needs [post, pre] = (4, 4)",)


@pytest.mark.parametrize("blank", [np.nan, None, pd.NaT])
def test_blank_labels_are_no_names(blank):
    frame = pd.DataFrame(np.ones((2, 2)), index=["a", blank], columns=["x", "y"])
    for kind in (cs.Mask, cs.Given):
        with pytest.raises(cs.MotifError, match="a frame has 1 blank labels, the first at place 1: name each neuron"):
            kind(frame)


def test_the_columns_of_samples_and_targets_are_read_by_name():
    table = pd.DataFrame([[1.0, 10.0], [2.0, 20.0]], index=["p", "q"], columns=["u", "v"])
    m = cs.Motif("named")
    m.add(cs.Population("a", 2), cs.Population("b", 2), cs.Population("e", 2, "descending"))
    m.add(cs.Objective("b", "e", "mse"))
    m.connect("a", "b", name="W", init=cs.Given(table))
    circuit = cs.compile(m, device="cpu", dtype="float64")
    x, y = pd.DataFrame({"u": [1.0], "v": [0.0]}), pd.DataFrame({"p": [1.0], "q": [2.0]})
    for inputs in (x, x[["v", "u"]], x.to_numpy(), {"a": x[["v", "u"]]}):
        assert circuit.predict(inputs).tolist() == [[[1.0, 2.0]]]
        for targets in (y, y[["q", "p"]], y.to_numpy()):
            assert float(circuit.cycle(inputs, targets).loss[0]) == 0.0
            assert float(cs.evaluate(circuit, (inputs, targets))["loss"][0]) == 0.0
    other = x.rename(columns={"u": "z"})
    for read in (circuit.predict, lambda frame: cs.evaluate(circuit, (frame, y))):
        with pytest.raises(cs.DataError, match="1 of 2 labels are not the names of neurons of 'a', the first is 'z'"):
            read(other)
    assert circuit.predict(x.set_axis([0, 1], axis=1)).tolist() == [[[1.0, 2.0]]]
