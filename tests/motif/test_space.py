"""Connectivity in space. The oracles: SciPy's correlation, distances written out in NumPy, binomial errors."""

import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.signal
import torch

import circuitsim as cs


def maps(pre, post, connectivity, **options) -> cs.Motif:
    """One projection between two populations; `pre` and `post` are shapes, or mappings of fields."""
    motif = cs.Motif("maps")
    for name, fields in (("a", pre), ("b", post)):
        motif.add(cs.Population(name, **(fields if isinstance(fields, dict) else {"shape": fields})))
    motif.connect("a", "b", name="W", connectivity=connectivity, **options)
    return motif


def mask(motif, replica: int = 0, **options) -> np.ndarray:
    return cs.compile(motif, device="cpu", **options).mask("W").to_dense()[replica].numpy()


def fault(motif) -> str:
    with pytest.raises(cs.MotifError) as caught:
        motif.validate()
    (found,) = caught.value.faults
    return found


# -- where neurons are


def test_a_shape_has_as_many_neurons_as_places_and_centred_coordinates():
    p = cs.Population("x", shape=(2, 2, 3))
    assert p.size == 12 and p.grid == (2, 3)
    plane = [[y, x] for y in (-0.5, 0.5) for x in (-1.0, 0.0, 1.0)]
    np.testing.assert_array_equal(p.coordinates, [*plane, *plane])
    np.testing.assert_array_equal(cs.Population("x", shape=(4,)).coordinates, [[-1.5], [-0.5], [0.5], [1.5]])
    assert cs.Population("x", 3).coordinates is None


def test_positions_take_the_place_of_a_grid():
    positions = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(cs.Population("x", shape=(2,), positions=positions).coordinates, positions)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shape": (2, 3), "size": 5}, "population 'a': shape (2, 3) has 6 places, but size is 5; leave out the size"),
        ({"shape": (2, 0), "size": 5}, "shape must be (length,), (height, width) or (channels, height, width)"),
        ({"shape": (1, 2, 3, 4), "size": 24}, "(got (1, 2, 3, 4))"),
        ({"shape": 9, "size": 9}, "(got 9)"),
        (
            {"size": 2, "positions": [[0.0, 1.0]]},
            "positions have shape (1, 2), need [neuron, dimension] with 2 neurons",
        ),
        ({"size": 2, "positions": [[0.0], [np.nan]]}, "positions must be finite numbers, but 1 of 2 entries is not"),
    ],
)
def test_places_that_make_no_sense_are_refused(fields, message):
    assert message in fault(maps(fields, (3,), cs.All()))


def test_a_population_needs_a_size_or_a_shape():
    with pytest.raises(cs.MotifError, match="population 'x' needs a size or a shape"):
        cs.Population("x")


# -- local fields


@pytest.mark.parametrize(
    ("pre", "post", "radius", "stride"),
    [((9, 7), (9, 7), 1, 1), ((9, 11), (4, 5), 1, 2), ((12, 12), (5, 5), 2, 2), ((3, 8, 8), (4, 4, 4), 1, 2),
     ((2, 6, 6), (6, 6), 2, 1), ((6, 6), (3, 2, 2), 2, 3)],
)  # fmt: skip
def test_a_local_current_is_a_correlation_with_each_places_own_kernel(pre, post, radius, stride):
    motif = maps(pre, post, cs.Local(radius, stride))
    circuit = cs.compile(motif, seed=3, device="cpu", dtype="float64")
    weights = circuit.weights("W").to_dense()[0].numpy()
    n_pre, n_post = pre[-2:], post[-2:]
    x = np.random.default_rng(0).standard_normal((1, *pre))
    images, out = x.reshape(-1, *n_pre), np.zeros((weights.shape[0] // np.prod(n_post), *n_post))
    offset = [(a - 1 - stride * (b - 1)) // 2 for a, b in zip(n_pre, n_post, strict=True)]
    for c, qy, qx in np.ndindex(*out.shape):
        row = weights[np.ravel_multi_index((c, qy, qx), out.shape)].reshape(images.shape)
        centre = [stride * q + o for q, o in zip((qy, qx), offset, strict=True)]
        for image, field in zip(images, row, strict=True):
            padded = np.pad(field, radius)
            kernel = padded[centre[0] : centre[0] + 2 * radius + 1, centre[1] : centre[1] + 2 * radius + 1]
            assert np.count_nonzero(kernel) == np.count_nonzero(field) > 0  # nothing lies outside the field
            out[c, qy, qx] += scipy.signal.correlate2d(image, kernel, mode="same")[*centre]
    np.testing.assert_allclose(circuit.predict(x.reshape(1, -1), "b")[0, 0], out.ravel(), rtol=0, atol=1e-12)


def test_interior_fields_are_those_of_torchs_convolution():
    found = mask(maps((1, 32, 32), (1, 14, 14), cs.Local(2, stride=2))).reshape(14, 14, 32, 32)
    image = torch.arange(1024.0, dtype=torch.float64).reshape(1, 1, 32, 32)
    patches = torch.nn.functional.unfold(image, 5, stride=2)[0].T.reshape(14, 14, 25).numpy()
    for q in np.ndindex(14, 14):
        np.testing.assert_array_equal(np.flatnonzero(found[q]), patches[q])


def test_few_local_synapses_are_listed_and_say_how_many():
    motif = maps((40, 40), (40, 40), cs.Local(1))
    circuit = cs.compile(motif, device="cpu")
    assert circuit.plan.projections["W"].layout == "sparse"
    assert circuit.mask("W").values().sum() == (3 * 40 - 2) ** 2


def test_the_reciprocal_of_local_fields_is_their_transpose():
    motif = maps((6, 6), (3, 3), cs.Local(1, stride=2))
    motif.connect("b", "a", name="V", connectivity=cs.ReciprocalOf("W"), compartment="dendrite")
    circuit = cs.compile(motif, device="cpu")
    np.testing.assert_array_equal(circuit.mask("V")[0], circuit.mask("W")[0].T)


@pytest.mark.parametrize(
    ("pre", "post", "connectivity", "message"),
    [
        ((5,), (5,), cs.Local(-1), "Local radius must be a whole number, 0 or more (got -1)"),
        ((5,), (5,), cs.Local(1.5), "Local radius must be a whole number, 0 or more (got 1.5)"),
        ((5,), (5,), cs.Local(1, 0), "Local stride must be a whole number, 1 or more (got 0)"),
        ({"size": 5}, (5,), cs.Local(1), "needs the shape of population 'a', as in Population(..., shape=(28, 28))"),
        ((5,), (5, 5), cs.Local(1), "needs maps of equal dimension (got post 'b' with (5, 5), pre 'a' with (5,))"),
        ((5,), (5,), cs.Local(1, 2), "Local leaves neurons of 'b' without a presynaptic place: 5 fields at stride 2"),
    ],
)  # fmt: skip
def test_local_fields_that_make_no_sense_are_refused(pre, post, connectivity, message):
    assert message in fault(maps(pre, post, connectivity))


# -- probabilities


def test_synapses_become_rare_with_distance_as_declared():
    motif = maps((11, 11), (10, 10), cs.DistanceDependent("exp(-d**2 / 8)"))
    n = 60
    circuit = cs.compile(motif, replicas=n, device="cpu")
    counts = circuit.mask("W").to_dense().numpy().sum(axis=0)
    a, b = (np.array(list(itertools.product(np.arange(k) - (k - 1) / 2, repeat=2))) for k in (11, 10))
    d = np.sqrt(((b[:, None] - a[None]) ** 2).sum(-1))
    p = np.exp(-(d**2) / 8)
    for low, high in itertools.pairwise([0, 1, 2, 3, 5, 8]):
        ring = (d >= low) & (d < high)
        expected, variance = n * p[ring].sum(), n * (p[ring] * (1 - p[ring])).sum()
        assert abs(counts[ring].sum() - expected) < 4 * np.sqrt(variance) and variance > 10
    assert len({tuple(mask.ravel()) for mask in circuit.mask("W").to_dense().numpy()}) == n  # drawn for each


def test_an_array_of_probabilities_is_one_for_each_pair():
    p = np.random.default_rng(0).choice([0.0, 0.3, 1.0], size=(30, 40))
    circuit = cs.compile(maps((40,), (30,), cs.Random(p)), replicas=200, device="cpu")
    counts = circuit.mask("W").to_dense().numpy().sum(axis=0)
    assert (counts[p == 0] == 0).all() and (counts[p == 1] == 200).all()
    some = counts[p == 0.3]
    assert abs(some.mean() - 60) < 4 * np.sqrt(200 * 0.21 / some.size)


@pytest.mark.parametrize("connectivity", [cs.DistanceDependent("exp(-d)"), cs.Random(np.full((20, 20), 0.3))])
def test_a_replica_draws_as_a_circuit_of_its_seed(connectivity):
    motif = maps((4, 5), (5, 4), connectivity)
    for r in range(2):
        np.testing.assert_array_equal(mask(motif, r, replicas=2, seed=5), mask(motif, seed=5 + r))


def test_a_frame_of_probabilities_would_lose_its_names():
    with pytest.raises(cs.MotifError, match="probability is a data frame with names; use frame.to_numpy()"):
        cs.Random(pd.DataFrame([[0.1, 0.2]], columns=["a", "b"]))


def test_few_probable_synapses_are_listed():
    motif = maps((40, 40), (20, 20), cs.DistanceDependent("exp(-d**2)"))
    assert cs.compile(motif, device="cpu").plan.projections["W"].layout == "sparse"


@pytest.mark.parametrize(
    ("pre", "post", "connectivity", "message"),
    [
        ((5,), (4,), cs.DistanceDependent("2 * exp(-d)"), "probabilities must lie in [0, 1], but 8 of 20 entries"),
        ((5,), (5,), cs.DistanceDependent("1 / d - 1"), "the first (inf) at [post, pre] = [0, 0]; clip(..., 0, 1)"),
        ((5,), (5,), cs.DistanceDependent("exp(-x)"), "DistanceDependent: unknown name 'x' (known: d)"),
        ((5,), (5,), cs.DistanceDependent(0.5), "DistanceDependent: an expression must be a string (got 0.5)"),
        ((5,), {"size": 5}, cs.DistanceDependent("1"), "needs the shape or the positions of population 'b'"),
        ((5,), (5, 1), cs.DistanceDependent("1"), "positions of equal dimension (got post 'b' with 2, pre 'a' with 1)"),
        ((5,), (4,), cs.Random(np.ones((5, 4))), "Random probability has shape (5, 4), needs [post, pre] = (4, 5)"),
        ((5,), (4,), cs.Random(np.full((4, 5), 1.5)), "Random: probabilities must lie in [0, 1], but 20 of 20 entries"),
        ((20_000,), (20_000,), cs.DistanceDependent("exp(-d)"), "computes 400,000,000 distances"),
    ],
)  # fmt: skip
def test_probabilities_that_make_no_sense_are_refused(pre, post, connectivity, message):
    assert message in fault(maps(pre, post, connectivity))


# -- a mask for each replica


def test_each_replica_may_have_a_mask_of_its_own(tmp_path):
    masks = np.random.default_rng(0).random((3, 4, 5)) < 0.5
    motif = maps((5,), (4,), cs.Mask(masks), init=cs.Given(np.where(masks, 2.0, 0.0)), rule="0.1 * pre * post")
    motif.connect("b", "a", name="V", connectivity=cs.ReciprocalOf("W"), compartment="dendrite")
    circuit = cs.compile(motif, replicas=3, device="cpu")
    circuit.step(np.ones((2, 5)))
    np.testing.assert_array_equal(circuit.mask("W"), masks)
    np.testing.assert_array_equal(circuit.mask("V"), masks.swapaxes(1, 2))
    np.testing.assert_array_equal(circuit.weights("W") != 0, masks)
    circuit.save(tmp_path / "c.safetensors")
    np.testing.assert_array_equal(cs.load_circuit(tmp_path / "c.safetensors").mask("W"), masks)


def test_masks_of_other_replicas_are_refused():
    masks = np.ones((3, 4, 5))
    with pytest.raises(cs.ParameterError, match="projection 'W': Mask holds 3 replicas; the circuit has 2"):
        cs.compile(maps((5,), (4,), cs.Mask(masks)), replicas=2, device="cpu")
    two = cs.Given(np.ones((2, 4, 5)))
    assert "Given holds 2 replicas, but its Mask 3" in fault(maps((5,), (4,), cs.Mask(masks), init=two))
    masks[1, 2, 3] = 0
    assert "where there is no synapse: 1 of 60 entries" in fault(
        maps((5,), (4,), cs.Mask(masks), init=cs.Given(np.ones((4, 5))))
    )


# -- words, files


def test_space_survives_json_and_is_told_in_tables_and_figures():
    motif = maps((1, 6, 6), {"size": 9, "shape": (3, 3), "positions": np.ones((9, 2))}, cs.Local(1, 2), bounds=(0, 1))
    motif.connect("a", "b", name="D", connectivity=cs.DistanceDependent("exp(-d)"))
    motif.connect("a", "b", name="R", connectivity=cs.Random(np.full((9, 36), 0.25)))
    motif.connect("a", "b", name="M", connectivity=cs.Mask(np.ones((2, 9, 36))))
    assert cs.Motif.from_json(motif.to_json()) == motif
    table = motif.methods_table()
    for words in ("1 x 6 x 6", "local, radius 1, stride 2", "random, p = exp(-d) at distance d",
                  "random, p = 0.25 to 0.25, one for each pair", "listed for each of 2 replicas"):  # fmt: skip
        assert words in table
    texts = {text.get_text() for text in motif.draw().axes[0].texts}
    assert {"W, local (3 wide)", "D, by distance", "R, 25%", "1×6×6 · input"} <= texts
