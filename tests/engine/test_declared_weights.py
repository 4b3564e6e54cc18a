"""Weights of a compiled circuit are those that were declared: within their bounds, at their synapses, added up."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

import circuitsim as cs
from circuitsim.engine.archive import read_archive, write_archive

N = 30
CONNECTIVITY = {
    "all": cs.All(),
    "mask": cs.Mask(np.random.default_rng(0).random((40, N)) < 0.5),
    "random": cs.Random(0.5),
    "sparse": cs.Random(0.04),
    "edges": cs.Edges(pre=[0, 0, 5, 29], post=[1, 1, 39, 2], repeated="sum"),
}


def pair(connectivity=CONNECTIVITY["all"], **options) -> cs.Motif:
    motif = cs.Motif("pair")
    motif.add(cs.Population("x", N), cs.Population("y", 40))
    motif.connect("x", "y", name="W", connectivity=connectivity, **options)
    return motif


def present(circuit: cs.Circuit) -> np.ndarray:
    """The weights of all synapses of all replicas."""
    weights, mask = circuit.weights("W").to_dense().double().numpy(), circuit.mask("W").to_dense().numpy()
    assert np.isfinite(weights).all() and (weights[~mask] == 0).all()
    return weights[mask]


# -- bounds


@pytest.mark.parametrize("bounds", [(None, 0), (0, None), (0.1, 0.3), (-0.7, -0.1)])
@pytest.mark.parametrize("kind", CONNECTIVITY)
@pytest.mark.parametrize("options", [{"plastic": False}, {"rule": "0.1 * post * pre - w"}], ids=["fixed", "plastic"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bounds_hold_from_the_compiled_circuit_on(bounds, kind, options, dtype):
    low, high = (-np.inf if bounds[0] is None else bounds[0]), (np.inf if bounds[1] is None else bounds[1])
    circuit = cs.compile(pair(CONNECTIVITY[kind], bounds=bounds, **options), replicas=2, dtype=dtype, device="cpu")
    free = cs.compile(pair(CONNECTIVITY[kind], **options), replicas=2, dtype="float64", device="cpu")
    np.testing.assert_allclose(present(circuit), np.clip(present(free), low, high), rtol=2e-7)
    circuit.freeze("W")
    for _ in range(3):
        assert low <= present(circuit).min() <= present(circuit).max() <= high
        circuit.step(np.ones((2, N)))
        circuit.thaw("W") if "rule" in options else None


@pytest.mark.parametrize("bounds", [(1e300, None), (None, -1e300), (0, 1e-50), (0.5, 0.5 + 1e-12)])
def test_bounds_without_numbers_of_the_data_type_are_refused(bounds):
    motif = pair(bounds=bounds)
    with pytest.raises(cs.ParameterError) as caught:
        cs.compile(motif, device="cpu")
    assert (
        str(caught.value)
        == f"projection 'W': no two numbers of torch.float32 lie within the bounds {bounds}; widen them"
    )
    weights = present(cs.compile(motif, dtype="float64", device="cpu"))
    assert (weights >= (-np.inf if bounds[0] is None else bounds[0])).all()


def test_bounds_beyond_the_data_type_are_none():
    """A weight that overflows is seen as a runaway, not clipped to the largest number."""
    circuit = cs.compile(pair(bounds=(0, 1e39), rule="1e38 * w", init=cs.Constant(1.0)), device="cpu")
    circuit.step(np.ones((2, N)))
    circuit.step(np.ones((2, N)))
    assert torch.isinf(circuit.weights("W").to_dense()).any()


def test_tied_weights_are_the_signs_of_others_times_their_scale():
    motif = pair()
    motif.connect("y", "x", name="B", compartment="dendrite", tied_to=cs.Derived("W", True, sign=True, scale=-0.5))
    circuit = cs.compile(motif, device="cpu")
    expected = -0.5 * np.sign(circuit.weights("W").numpy()).swapaxes(1, 2)
    assert np.abs(expected).min() == 0.5 and np.array_equal(circuit.weights("B").numpy(), expected)


def test_weights_outside_the_bounds_cannot_be_declared_or_set():
    motif = pair(bounds=(0, 0.5), init=cs.Constant(-1.0))
    with pytest.raises(cs.MotifError, match=r"projection 'W': Constant lies outside the bounds \(0, 0.5\) .got -1."):
        motif.validate()
    weights = np.full((40, N), 0.2)
    weights[3, 4:6] = 0.7
    with pytest.raises(cs.MotifError) as caught:
        pair(bounds=(0, 0.5), init=cs.Given(weights)).validate()
    assert str(caught.value) == (
        "projection 'W': Given lies outside the bounds (0, 0.5): 2 of 1200 entries, the first (0.7) at "
        "[post, pre] = [3, 4]"
    )
    circuit = cs.compile(pair(bounds=(0, 0.1)), replicas=2, device="cpu")
    before = circuit.weights("W")
    with pytest.raises(cs.ParameterError, match=r"weights lie outside the bounds .* 1200 of 1200 entries, the first"):
        circuit.set_weights("W", weights)
    assert torch.equal(circuit.weights("W"), before)
    circuit.set_weights("W", before)
    circuit.set_weights("W", np.full((40, N), 0.1))  # which float32 rounds up
    assert present(circuit).max() <= 0.1 and present(circuit).min() > 0.0999
    with pytest.raises(cs.ParameterError, match="projection 'W', replica 1: Constant lies outside the bounds"):
        cs.compile(pair(bounds=(0, 1), init=cs.Constant(1.0)), replicas=2, vary={"W.init.value": [1.0, 1.5]})


def test_bounds_of_identities_and_of_ties_are_said():
    motif = cs.Motif("m")
    motif.add(cs.Population("x", 3), cs.Population("y", 3))
    motif.connect("x", "y", name="W", init=cs.Identity(), bounds=(0.5, 1))
    motif.connect("y", "x", name="B", compartment="dendrite", tied_to=cs.Derived("W", transpose=True), bounds=(0, 1))
    with pytest.raises(cs.MotifError) as caught:
        motif.validate()
    assert caught.value.faults == (
        "projection 'W': Identity lies outside the bounds (0.5, 1) (got 0)",
        "projection 'B': its weights are tied to others, so it takes no bounds; give them to 'W'",
    )
    motif.replace("W", connectivity=cs.OneToOne()).replace("B", bounds=None).validate()


@pytest.mark.parametrize(
    ("connectivity", "bounds", "outside"),
    [
        (cs.All(), (0.5, 1), "0"),
        (cs.Random(0.5), (0.5, 1), "0"),
        (cs.Mask(np.eye(3)), (0.5, 1), None),
        (cs.Mask(np.tri(3)), (0.5, 1), "0"),
        (cs.Edges([0, 2], [0, 2]), (0.5, 1), None),
        (cs.Edges([0, 2], [1, 2]), (0.5, 1), "0"),
        (cs.ReciprocalOf("B"), (0.5, 1), None),
        (cs.Mask(np.tri(3, k=-1)), (0, 0.5), None),
        (cs.OneToOne(), (0, 0.5), "1"),
    ],
)
def test_an_identity_has_the_weights_of_its_synapses(connectivity, bounds, outside):
    motif = cs.Motif("m")
    motif.add(cs.Population("x", 3), cs.Population("y", 3))
    motif.connect("x", "y", name="W", init=cs.Identity(), connectivity=connectivity, bounds=bounds)
    motif.connect("y", "x", name="B", compartment="dendrite", connectivity=cs.OneToOne())
    if outside is None:
        circuit = cs.compile(motif, replicas=2, device="cpu")
        expected = np.eye(3) * circuit.mask("W").to_dense().numpy()
        np.testing.assert_array_equal(circuit.weights("W").to_dense(), expected)
    else:
        with pytest.raises(cs.MotifError, match=rf"^projection 'W': Identity lies outside .* \(got {outside}\)$"):
            motif.validate()


def test_a_file_and_a_copy_keep_the_bounds(tmp_path):
    path = tmp_path / "c.safetensors"
    circuit = cs.compile(pair(CONNECTIVITY["mask"], bounds=(0.1, 0.3)), replicas=2, device="cpu")
    circuit.prune("W", 0.2)
    circuit.save(path)
    tensors, document = read_archive(path)
    tensors["weights/W"] = 5 * tensors["weights/W"] - 1  # as the version before could have written
    write_archive(tensors, json.loads(json.dumps(document)), path)
    for other in (cs.load_circuit(path, device="cpu"), pickle.loads(pickle.dumps(circuit))):
        assert 0.1 <= present(other).min() <= present(other).max() <= 0.3
        assert torch.equal(other.mask("W"), circuit.mask("W"))


# -- repeated synapses


LISTED = {"pre": [4, 0, 4, 9, 4, 0], "post": [1, 2, 1, 3, 1, 0]}


def test_a_pair_that_is_listed_twice_is_refused_by_name():
    with pytest.raises(cs.MotifError) as caught:
        pair(cs.Edges(**LISTED)).validate()
    assert str(caught.value) == (
        "projection 'W': Edges lists 1 pair of neurons more than once, the first is pre 4 -> post 1, 3 times; "
        "Edges(..., repeated='sum') adds their weights up, and a second projection keeps them apart"
    )
    with pytest.raises(cs.MotifError, match="Edges repeated must be None or 'sum' .got 'mean'."):
        pair(cs.Edges(**LISTED, repeated="mean")).validate()


@pytest.mark.parametrize("n", [40, 2000], ids=["dense", "sparse"])
@pytest.mark.parametrize("init", ["constant", "list", "matrix"])
def test_repeated_synapses_add_up(n, init):
    expected, each = np.zeros((n, N)), {"constant": np.full(6, 0.25), "list": np.arange(1.0, 7)}
    np.add.at(expected, (LISTED["post"], LISTED["pre"]), each.get(init, np.ones(6)))
    inits = {"constant": cs.Constant(0.25), "list": cs.Given(each["list"]), "matrix": cs.Given(expected)}
    motif = cs.Motif("m")
    motif.add(cs.Population("x", N), cs.Population("y", n))
    motif.connect("x", "y", name="W", connectivity=cs.Edges(**LISTED, repeated="sum"), init=inits[init])
    for m in (motif, cs.Motif.from_json(motif.to_json())):
        circuit = cs.compile(m, replicas=2, dtype="float64", device="cpu")
        np.testing.assert_array_equal(circuit.weights("W").to_dense()[1], expected)
        assert len(circuit.table("W", replica=0)) == 4
    assert "listed, 4 synapses" in motif.methods_table()


def test_the_sum_of_repeated_synapses_must_lie_within_the_bounds():
    for init in (cs.Constant(0.4), cs.Given(np.full(6, 0.4))):
        motif = pair(cs.Edges(**LISTED, repeated="sum"), init=init, bounds=(0, 1))
        with pytest.raises(cs.MotifError, match=r"lies outside the bounds .0, 1.: 1 of 4 entries, the first .1\.2. at"):
            motif.validate()
        motif.replace("W", bounds=(0, 1.3)).validate()


def test_repeated_random_weights_are_the_sum_of_independent_draws():
    n_pairs, times = 3000, 4
    k = np.repeat(np.arange(n_pairs), times)
    edges = cs.Edges(pre=k % N, post=k // N, repeated="sum")
    motif = cs.Motif("m")
    motif.add(cs.Population("x", N), cs.Population("y", n_pairs // N))
    motif.connect("x", "y", name="W", connectivity=edges, init=cs.Uniform(0, 1))
    weights = cs.compile(motif, device="cpu").weights("W").numpy()
    assert abs(weights.mean() - times / 2) < 0.05 and abs(weights.var() - times / 12) < 0.03
    normal = cs.compile(motif.replace("W", init=cs.Gaussian()), device="cpu").weights("W").numpy()
    assert abs(normal.var() * N - 1) < 0.1  # all synapses of a neuron together have variance 1


def test_edges_that_list_no_pair_twice_start_as_before():
    for repeated in (None, "sum"):
        none = cs.compile(pair(cs.Edges(pre=[], post=[], repeated=repeated)), replicas=2, device="cpu")
        assert int(none.mask("W").to_dense().sum()) == 0
    edges = {"pre": [5, 0, 29], "post": [39, 1, 2]}
    one, two = (cs.compile(pair(cs.Edges(**edges, repeated=r)), seed=3, device="cpu") for r in (None, "sum"))
    assert torch.equal(one.weights("W").to_dense(), two.weights("W").to_dense())


# -- weights where there is no synapse


@pytest.mark.parametrize("kind", ["mask", "edges"])
@pytest.mark.parametrize("replicas", [1, 2])
def test_given_weights_where_there_is_no_synapse_are_refused(kind, replicas):
    connectivity = CONNECTIVITY[kind]
    pattern = connectivity.mask(40, N) if kind == "edges" else connectivity.array != 0
    weights = np.stack([pattern * 0.5] * replicas)
    good = pair(connectivity, init=cs.Given(weights if replicas > 1 else weights[0]))
    np.testing.assert_array_equal(cs.compile(good, replicas=replicas, device="cpu").weights("W").to_dense(), weights)
    post, pre = map(int, np.argwhere(~pattern)[0])
    weights[-1, post, pre] = 0.125
    with pytest.raises(cs.MotifError) as caught:
        pair(connectivity, init=cs.Given(weights if replicas > 1 else weights[0])).validate()
    place = f"[replica, post, pre] = [1, {post}, {pre}]" if replicas > 1 else f"[post, pre] = [{post}, {pre}]"
    assert str(caught.value).startswith(
        f"projection 'W': Given holds weights where there is no synapse: 1 of {1200 * replicas} entries, the first "
        f"(0.125) at {place}; use 0 there, or transpose an array"
    )


def test_an_orientation_slip_is_seen_wherever_the_pattern_comes_from():
    rng = np.random.default_rng(1)
    pattern = rng.random((9, 9)) < 0.3
    weights = pattern * rng.standard_normal((9, 9))
    motif = cs.Motif("square")
    motif.add(cs.Population("x", 9), cs.Population("y", 9))
    motif.connect("x", "y", name="W", connectivity=cs.Mask(pattern), init=cs.Given(weights))
    motif.connect(
        "y", "x", name="V", compartment="dendrite", connectivity=cs.ReciprocalOf("W"), init=cs.Given(weights.T)
    )
    motif.validate()
    for name in ("W", "V"):
        slip = motif.replace(name, init=cs.Given(motif.projection(name).init.array.T))
        with pytest.raises(cs.MotifError, match=f"projection '{name}': Given holds weights where there is no synapse"):
            slip.validate()
    one = motif.replace("V", init=None, connectivity=cs.All()).replace("W", connectivity=cs.OneToOne())
    with pytest.raises(cs.MotifError, match="projection 'W': Given holds weights where there is no synapse"):
        one.validate()


@pytest.mark.parametrize("kind", ["random", "sparse"])
def test_given_weights_of_random_synapses_are_refused(kind):
    with pytest.raises(cs.MotifError, match=r"these are drawn at random; declare them with Mask, or use circuit.set_w"):
        pair(CONNECTIVITY[kind], init=cs.Given(np.ones((40, N)))).validate()


# -- set_weights


@pytest.mark.parametrize("kind", ["mask", "sparse"])
def test_weights_that_do_not_fit_are_refused_with_the_first_offender(kind):
    circuit = cs.compile(pair(CONNECTIVITY[kind]), replicas=2, device="cpu")
    before = circuit.weights("W").to_dense().numpy()
    post, pre = map(int, np.argwhere(before[0] != 0)[0])
    bad = before.copy()
    bad[0, post, pre] = np.inf
    empty = tuple(map(int, np.argwhere(before == 0)[0]))
    stray = before.copy()
    stray[empty] = 2
    masked = np.ma.array(before[1], mask=before[1] != 0)
    for weights, message in (
        (bad, "1 of 2400 entries is not finite in torch.float32, the first (inf) at [replica, post, pre] = [0"),
        (stray, f"where there is no synapse: 1 of 2400 entries, the first (2) at [replica, post, pre] = {list(empty)}"),
        (masked, f"weights: {masked.mask.sum()} of 1200 entries are not finite in torch.float32, the first (nan) at"),
        (before.astype(str), "weights must be an array of numbers, but 2400 of 2400 entries are not: "),
        (torch.ones(40, N, dtype=torch.cfloat), "weights must be an array of numbers"),
        (torch.ones(N, 40).to_sparse(), "weights have shape (30, 40), needs (2, 40, 30) or (40, 30)"),
        (None, "weights have shape (), needs"),
    ):  # fmt: skip
        with pytest.raises(cs.ParameterError) as caught:
            circuit.set_weights("W", weights)
        assert str(caught.value).startswith("projection 'W': weights") and message in str(caught.value)
    np.testing.assert_array_equal(circuit.weights("W").to_dense(), before)


@pytest.mark.parametrize("kind", ["mask", "edges"])
def test_sparse_matrices_and_frames_are_taken(kind):
    circuit = cs.compile(pair(CONNECTIVITY[kind]), replicas=2, dtype="float64", device="cpu")
    weights = 3 * circuit.weights("W").to_dense()[0]
    tensors = (weights.to_sparse(), weights.to_sparse_csr(), torch.stack([weights] * 2).to_sparse())
    for form in (sp.csc_array(weights), sp.coo_matrix(weights), pd.DataFrame(weights.numpy()), *tensors):
        circuit.set_weights("W", torch.zeros(40, N))
        circuit.set_weights("W", form)
        assert torch.equal(circuit.weights("W").to_dense(), torch.stack([weights] * 2))


# -- the transpose of another projection


@pytest.mark.parametrize(("W", "V"), [
    (cs.All(), cs.All()), (cs.Random(0.5), cs.ReciprocalOf("W")), (cs.Random(0.03), cs.ReciprocalOf("W")),
    (cs.Random(0.03), cs.All()), (cs.All(), cs.Random(0.03)), (cs.Random(0.5), cs.Random(0.5)),
], ids=str)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_projection_may_start_as_the_transpose_of_another_and_learn_apart(W, V, dtype):
    motif = cs.Motif("mirror")
    motif.add(cs.Population("x", 40), cs.Population("y", 30))
    motif.connect("y", "x", name="V", compartment="dendrite", init=cs.TransposeOf("W"), connectivity=V)
    motif.connect("x", "y", name="W", connectivity=W, bounds=(-0.1, 0.3), rule="0.1 * pre * post")
    circuit = cs.compile(motif, replicas=3, seed=1, dtype=dtype, device="cpu")
    w, v, there = (t.to_dense() for t in (circuit.weights("W"), circuit.weights("V"), circuit.mask("V")))
    assert torch.equal(v, w.mT * there) and v.count_nonzero() > 30
    circuit.step(np.ones((2, 40)))
    assert torch.equal(circuit.weights("V").to_dense(), v)
    assert not torch.equal(circuit.weights("W").to_dense(), w)
    assert cs.Motif.from_json(motif.to_json()) == motif and "W transposed" in motif.methods_table()


@pytest.mark.parametrize(("name", "message"), [
    ("U", "TransposeOf('U') names an unknown projection (known: W, T, V)"),
    ("T", "TransposeOf('T'): T must have initial weights of its own"),
    ("V", "TransposeOf('V'): V must have initial weights of its own"),
])  # fmt: skip
def test_the_transpose_of_nothing_is_refused(name, message):
    motif = cs.Motif("mirror")
    motif.add(cs.Population("x", 4), cs.Population("y", 3))
    motif.connect("x", "y", name="W")
    motif.connect("x", "y", name="T", tied_to=cs.Derived("W"))
    motif.connect("y", "x", name="V", compartment="dendrite", init=cs.TransposeOf(name))
    with pytest.raises(cs.MotifError) as caught:
        motif.validate()
    assert message in caught.value.faults[0]
    with pytest.raises(cs.MotifError, match=r"whose transposed shape \[post, pre\] is \(4, 3\); needs \(3, 3\)"):
        motif.connect("y", "y", name="R", compartment="dendrite", init=cs.TransposeOf("W"))
        motif.validate()
