"""Weights before and after: the same neurons in the same order, mirrored pairs side by side."""

import numpy as np
import pytest
import torch
from PIL import Image

import circuitsim as cs
from circuitsim.plots import weights
from circuitsim.plots.matrices import groups, matrix, mosaic, neuron_order, thinned
from tests.plots.figures import all_named, named


def pair(seed=0, n_post=6, n_pre=5, gap=0.0):
    """V and Vt of rank one, mirrored up to a gap, and their start."""
    random = np.random.default_rng(seed)
    v = np.outer(random.normal(size=n_post), random.normal(size=n_pre))
    after = {"V1": v, "Vt1": v.T + gap * random.normal(size=(n_pre, n_post))}
    before = {name: 0.1 * random.normal(size=w.shape) for name, w in after.items()}
    return before, after


def shown(figure, gid):
    return np.asarray(named(figure, gid).get_array())


def headings(figure):
    return [text.get_text() for text in figure.texts if text.get_text()]


def permutation(original, picture):
    """Rows and columns of `original` in `picture`, found by their sorted content."""
    rows = [[np.allclose(np.sort(a), np.sort(b)) for a in original].index(True) for b in picture]
    columns = [[np.allclose(np.sort(a), np.sort(b)) for a in original.T].index(True) for b in picture.T]
    return rows, columns


def test_neurons_have_one_order_before_and_after_in_both_of_a_pair():
    before, after = pair(gap=0.2)
    figure = weights(before, after)
    orders = [
        permutation(original, shown(figure, gid))
        for gid, original in (
            ("before:V1", before["V1"]), ("before:Vt1ᵀ", before["Vt1"].T), ("after:V1", after["V1"]),
            ("after:Vt1ᵀ", after["Vt1"].T),
        )
    ]  # fmt: skip
    assert all(order == orders[0] for order in orders)
    assert sorted(orders[0][0]) == list(range(6)) and sorted(orders[0][1]) == list(range(5))


def test_a_mirrored_pair_gives_two_equal_pictures():
    figure = weights(*pair())
    assert shown(figure, "after:V1") == pytest.approx(shown(figure, "after:Vt1ᵀ"))
    assert not np.allclose(shown(figure, "before:V1"), shown(figure, "before:Vt1ᵀ"))
    assert headings(figure)[0].endswith("1.00 after")


def test_the_heading_gives_the_cosines():
    before, after = pair(gap=0.3)
    cosine = [
        np.sum(w["V1"] * w["Vt1"].T) / np.linalg.norm(w["V1"]) / np.linalg.norm(w["Vt1"]) for w in (before, after)
    ]
    assert headings(weights(before, after))[0] == f"V1 and Vt1ᵀ:  cosine {cosine[0]:.2f} before, {cosine[1]:.2f} after"


def test_a_matrix_of_rank_one_is_smooth_in_the_order():
    _, after = pair(n_post=20, n_pre=12)
    rows, columns = neuron_order(after["V1"])
    ordered = after["V1"][np.ix_(rows, columns)]
    assert all(len(set(np.sign(np.diff(row)))) == 1 for row in (*ordered, *ordered.T))  # each one rises or falls
    assert ordered[0, 0] > 0 and ordered[-1, -1] > 0


def test_an_order_does_not_depend_on_the_sign_of_singular_vectors():
    _, after = pair(n_post=9)
    rows, _ = neuron_order(after["V1"])
    left, _, _ = np.linalg.svd(after["V1"])
    u = left[:, 0] * np.sign(left[np.argmax(abs(left[:, 0])), 0])
    assert rows.tolist() == np.argsort(u).tolist()
    assert [k.tolist() for k in neuron_order(np.zeros((3, 2)))] == [[0, 1, 2], [0, 1]]


def test_colours_are_centred_on_zero_with_one_scale_in_a_row():
    before, after = pair()
    figure = weights(before | {"W0": np.ones((2, 3))}, after | {"W0": 9 * np.ones((2, 3))})
    limits = {
        gid: image.get_clim() for start in ("before:", "after:") for gid, image in all_named(figure, start).items()
    }
    assert all(low == -high < 0 for low, high in limits.values())
    assert len({limits["V1"], limits["Vt1ᵀ"]}) == 1 and limits["W0"][1] == pytest.approx(9)
    everything = np.abs(np.concatenate([before["V1"], before["Vt1"].T, after["V1"], after["Vt1"].T]))
    assert limits["V1"][1] == pytest.approx(np.percentile(everything, 99.5))


def test_large_populations_are_thinned_with_a_note_and_small_ones_are_not():
    before, after = pair(n_post=50, n_pre=30)
    figure = weights(before, after, max_neurons=20)
    picture = shown(figure, "after:V1")
    assert picture.shape == (20, 20)
    assert any("20 of 50 postsynaptic, 20 of 30 presynaptic" in text for text in headings(figure))
    rows, columns = permutation(after["V1"], shown(weights(before, after), "after:V1"))
    assert picture[[0, -1]][:, [0, -1]] == pytest.approx(
        after["V1"][np.ix_([rows[0], rows[-1]], [columns[0], columns[-1]])]
    )
    assert not any("shown" in text for text in headings(weights(before, after)))


def test_thinning_keeps_both_ends_and_the_order():
    kept = thinned(np.arange(100)[::-1], 7)
    assert kept[0] == 99 and kept[-1] == 0 and len(kept) == 7 and (np.diff(kept) < 0).all()
    assert np.ptp(np.diff(kept)) <= 1


def test_tensors_of_a_circuit_go_in_as_they_are():
    random = np.random.default_rng(0)
    v, vt = random.normal(size=(2, 4, 3)), random.normal(size=(2, 3, 4))
    sparse = torch.tensor(v).to_sparse_csr()
    figure = weights({"V1": torch.tensor(v), "Vt1": vt}, {"V1": sparse, "Vt1": torch.tensor(vt)}, replica=1)
    assert np.sort(shown(figure, "after:V1").ravel()) == pytest.approx(np.sort(v[1].ravel()))


def test_pairs_are_found_by_name_and_shape():
    shapes = {"W0": (3, 2), "V1": (3, 4), "Vt1": (4, 3), "V2": (3, 4), "Vt2": (3, 4), "x_1": (2, 2), "Vt3": (1, 1)}
    assert groups(shapes, None) == [("W0",), ("V1", "Vt1"), ("V2",), ("Vt2",), ("x_1",), ("Vt3",)]
    assert groups(shapes, ["Vt1", "V1", "W0"]) == [("V1", "Vt1"), ("W0",)]


def test_faulty_arguments_say_what_there_is():
    before, after = pair()
    for call, message in (
        (lambda: weights(before, after, projections=["V7"]), "no weights of projection 'V7' .known: V1, Vt1."),
        (lambda: weights({"V1": before["V1"]}, after), "before lacks projection 'Vt1' .known: V1."),
        (lambda: weights({}, {}), "after is empty; it maps projections to weights"),
        (lambda: weights(before, {"V1": np.ones((2, 2))}), "'V1' has shape .6, 5. before and .2, 2. after"),
        (lambda: weights(before, {"V1": np.ones((2, 6, 5))}, replica=2), "has 2 replicas; replica 2 is not among them"),
        (lambda: weights(before, {"V1": np.full((6, 5), np.nan)}), "after.'V1'. has 30 values that are not finite"),
        (lambda: matrix(np.ones(3), 0, "W"), "W must have shape .replica, post, pre. or .post, pre. .got .3.."),
        (lambda: weights(before, after, max_neurons=0), "max_neurons must be at least 1"),
        (lambda: weights(before, after, "a.gif"), "must end with one of .png, .svg, .pdf"),
    ):
        with pytest.raises(cs.ParameterError, match=message):
            call()


def test_receptive_fields_are_tiles_in_the_order_of_the_neurons():
    fields = np.arange(5 * 6, dtype=float).reshape(5, 6)
    tiles = mosaic(fields, (2, 3), "W0")
    assert tiles.shape == (2 * 3 - 1, 3 * 4 - 1)
    assert tiles[:2, :3].tolist() == [[0, 1, 2], [3, 4, 5]] and tiles[3:5, 4:7].tolist() == [[24, 25, 26], [27, 28, 29]]
    assert np.isnan(tiles[2]).all() and np.isnan(tiles[:, 3]).all() and np.isnan(tiles[3:, 8:]).all()
    with pytest.raises(cs.ParameterError, match=r"images\['W0'\] = \(2, 2\) has 4 pixels, needs 6"):
        weights({"W0": fields}, {"W0": fields}, images={"W0": (2, 2)})
    figure = weights({"W0": fields}, {"W0": fields}, images={"W0": (2, 3)})
    assert shown(figure, "after:W0").shape == tiles.shape


def test_the_file_is_a_picture(tmp_path):
    weights(*pair(), tmp_path / "weights.png", title="a title")
    with Image.open(tmp_path / "weights.png") as image:
        assert image.format == "PNG" and image.size[0] > 1500
