"""hold_out: a partition, stratified where it should be."""

from __future__ import annotations

import pytest
import torch

from circuitsim.data.split import hold_out
from circuitsim.errors import DataError


def test_kept_and_held_samples_are_a_partition_in_ascending_order():
    kept, held = hold_out(100, 30, classes=None, seed=0)
    assert (len(kept), len(held)) == (70, 30)
    assert sorted(kept.tolist() + held.tolist()) == list(range(100))
    assert kept.tolist() == sorted(kept.tolist())
    assert held.tolist() == sorted(held.tolist())


def test_classes_keep_their_proportions():
    classes = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)
    kept, held = hold_out(100, 20, classes=classes, seed=0)
    assert classes[held].bincount().tolist() == [12, 6, 2]
    assert classes[kept].bincount().tolist() == [48, 24, 8]


def test_the_draw_depends_on_the_seed_even_beyond_32_bits():
    draws = [hold_out(100, 30, classes=None, seed=s)[1].tolist() for s in (0, 1, 2**32, 0)]
    assert draws[0] == draws[3]
    assert draws[0] != draws[1] != draws[2] != draws[0]


def test_a_class_too_rare_for_both_parts_is_refused():
    with pytest.raises(DataError, match="every class in both parts .*drop the rare classes"):
        hold_out(10, 3, classes=torch.tensor([0] * 9 + [1]), seed=0)


@pytest.mark.parametrize("n_held", [0, 10])
def test_an_empty_part_is_refused(n_held):
    with pytest.raises(DataError, match=f"cannot hold out {n_held} of 10 samples"):
        hold_out(10, n_held, classes=None, seed=0)
