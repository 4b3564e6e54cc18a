"""Split: samples that belong together."""

from __future__ import annotations

import pytest
import torch

from circuitsim.data import Split
from circuitsim.errors import DataError, ParameterError


def test_length_counts_the_samples_of_tensors_and_of_dicts():
    assert len(Split(torch.zeros(7, 3), torch.zeros(7, dtype=torch.int64))) == 7
    assert len(Split({"a": torch.zeros(4, 3), "b": torch.zeros(4, 1)}, {"o": torch.zeros(4, 2)})) == 4


def test_lengths_that_differ_are_refused_by_name():
    with pytest.raises(DataError, match=r"x\['b'\] has 5, y has 4"):
        Split({"a": torch.zeros(4, 3), "b": torch.zeros(5, 1)}, torch.zeros(4, 2))


@pytest.mark.parametrize(("x", "target"), [({}, torch.zeros(3, 1)), (torch.zeros(3, 1), {})])
def test_an_empty_dict_is_refused(x, target):
    with pytest.raises(DataError, match="an empty dict has none"):
        Split(x, target)


def test_arrays_are_no_tensors():
    with pytest.raises(DataError, match="x must be a tensor .got ndarray.; Dataset.from_arrays takes arrays"):
        Split(torch.zeros(3, 1).numpy(), torch.zeros(3, 1))


def test_a_tensor_without_samples_axis_is_refused():
    with pytest.raises(DataError, match="y is a single number"):
        Split(torch.zeros(3, 1), torch.tensor(1))


def test_to_changes_floating_tensors_and_leaves_class_indices_int64():
    split = Split({"a": torch.ones(2, 3)}, {"c": torch.tensor([0, 1]), "v": torch.ones(2, 1)}).to("cpu", torch.float64)
    assert split.x["a"].dtype == torch.float64
    assert split.target["v"].dtype == torch.float64
    assert split.target["c"].dtype == torch.int64


def test_to_another_device_moves_every_tensor():
    split = Split({"a": torch.ones(2, 3)}, torch.tensor([0, 1])).to("meta")
    assert split.x["a"].device.type == split.target.device.type == split.device.type == "meta"


def test_take_picks_samples_in_the_order_asked_for():
    split = Split(torch.arange(8.0).reshape(4, 2), torch.tensor([0, 1, 2, 3])).take(torch.tensor([3, 1]))
    assert split.x.tolist() == [[6, 7], [2, 3]]
    assert split.target.tolist() == [3, 1]


def test_repr_shows_shapes_and_no_numbers():
    assert repr(Split(torch.zeros(4, 2), torch.zeros(4, 1))) == "Split(x: [4, 2], target: [4, 1])"


@pytest.mark.parametrize("samples", [[0.5], [True, False], [3], [-1], [[0, 1]], torch.tensor(1)])
def test_take_needs_indices_of_samples(samples):
    split = Split(torch.arange(6.0).view(3, 2), torch.arange(3))
    with pytest.raises(ParameterError, match="take"):
        split.take(samples)
    assert split.take([2, 0]).target.tolist() == [2, 0] and len(split.take([])) == 0


def test_to_takes_a_floating_type_and_a_device_that_exists():
    split = Split(torch.ones(3, 2), torch.arange(3))
    with pytest.raises(ParameterError, match="floating type"):
        split.to(dtype=torch.int32)
    with pytest.raises(ParameterError, match="device 'nowhere' is not available"):
        split.to("nowhere")
