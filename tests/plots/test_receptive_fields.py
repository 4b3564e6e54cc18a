"""Receptive fields: each tile is what its neuron reads, and stands where the neuron is."""

import numpy as np
import pytest

import circuitsim as cs
from circuitsim.plots import receptive_fields
from tests.plots.figures import named


def eye(post, pre=(2, 4, 5), **options) -> cs.Circuit:
    motif = cs.Motif("eye")
    motif.add(cs.Population("retina", **(pre if isinstance(pre, dict) else {"shape": pre})))
    motif.add(cs.Population("cortex", **(post if isinstance(post, dict) else {"shape": post})))
    motif.connect("retina", "cortex", name="W", **options)
    return cs.compile(motif, replicas=2, device="cpu")


def sheet(figure, channel=0) -> np.ndarray:
    return np.ma.filled(named(figure, f"channel:{channel}").get_array(), np.nan)


def test_each_tile_is_the_field_of_the_neuron_at_its_place():
    circuit = eye((3, 2, 3), connectivity=cs.Local(1, stride=2))
    w, there = circuit.weights("W")[1].numpy(), circuit.mask("W")[1].numpy()
    w = np.where(there, w, np.nan).reshape(3, 2, 3, 2, 4, 5)
    figure = receptive_fields(circuit, "W", replica=1)
    for c, y, x in np.ndindex(3, 2, 3):
        tile = sheet(figure, c)[5 * y : 5 * y + 4, 11 * x : 11 * x + 10]
        np.testing.assert_array_equal(tile, np.concatenate(w[c, y, x], axis=1))  # channels side by side
    assert sheet(figure).shape == (2 * 5 - 1, 3 * 11 - 1)
    assert [a.get_title() for a in figure.axes[:3]] == ["channel 0", "channel 1", "channel 2"]


def test_neurons_without_a_map_stand_in_a_square_and_channels_can_be_chosen(tmp_path):
    assert sheet(receptive_fields(eye({"size": 7}), "W")).shape == (3 * 5 - 1, 3 * 11 - 1)
    figure = receptive_fields(eye((9, 2, 2)), "W", tmp_path / "f.png", channels=[8, 3], title="two")
    assert [a.get_title() for a in figure.axes[:2]] == ["channel 8", "channel 3"]
    assert figure.texts[0].get_text() == "two" and (tmp_path / "f.png").stat().st_size > 1000
    assert len(receptive_fields(eye((9, 2, 2)), "W").axes) == 5  # four, and the colour scale
    assert sheet(receptive_fields(eye((3,), pre=(6,)), "W")).shape == (1, 3 * 7 - 1)


def test_no_synapse_is_grey_and_the_scale_is_symmetric():
    circuit = eye((1, 1), pre=(2, 2), connectivity=cs.Mask([[1, 0, 1, 1]]), init=cs.Given([[2.0, 0, -1, 0]]))
    image = named(receptive_fields(circuit, "W"), "channel:0")
    assert image.norm.vmin == -image.norm.vmax and image.norm.vmax == pytest.approx(2, rel=0.01)
    colours = image.cmap(image.norm(image.get_array()))
    assert colours[0, 1, 3] == 0 and np.allclose(colours[1, 1], [0.97, 0.97, 0.97, 1], atol=0.01)
    (backdrop,) = (shown for shown in image.axes.images if shown is not image)
    assert backdrop.get_zorder() < image.get_zorder()
    np.testing.assert_array_equal(backdrop.to_rgba(backdrop.get_array())[0, 1], [0xD4 / 255] * 3 + [1])


@pytest.mark.parametrize(("options", "message"), [
    ({"replica": 2}, "replica must be in 0 .. 1"), ({"channels": [1]}, "channel must be in 0 .. 0"),
    ({"path": "f.txt"}, "must end with one of"),
])  # fmt: skip
def test_what_cannot_be_shown_is_refused(options, message):
    with pytest.raises(cs.ParameterError, match=message):
        receptive_fields(eye((2, 2)), "W", **options)
    with pytest.raises(cs.ParameterError, match="'retina' has no shape, so its neurons form no image"):
        receptive_fields(eye((2, 2), pre={"size": 4}), "W")
