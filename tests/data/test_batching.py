"""minibatches: every sample once per epoch, in a reproducible order."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitsim.data import Split, minibatches
from circuitsim.errors import ParameterError


@pytest.fixture
def split() -> Split:
    x = torch.arange(10.0)[:, None] * torch.ones(3)
    return Split(x, torch.arange(10))


def order(split, *args, **kwargs):
    return torch.cat([target for _, target in minibatches(split, *args, **kwargs)]).tolist()


def test_without_seed_samples_come_in_order(split):
    batches = [target.tolist() for _, target in minibatches(split, 4)]
    assert batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_drop_last_leaves_out_the_smaller_batch_only(split):
    assert [len(t) for _, t in minibatches(split, 4, drop_last=True)] == [4, 4]
    assert [len(t) for _, t in minibatches(split, 5, drop_last=True)] == [5, 5]


def test_shuffling_visits_every_sample_once_and_keeps_inputs_with_their_targets(split):
    seen = []
    for x, target in minibatches(split, 3, seed=0):
        assert torch.equal(x[:, 0].long(), target)
        seen += target.tolist()
    assert seen != list(range(10))
    assert sorted(seen) == list(range(10))


def test_order_is_numpys_permutation_keyed_by_seed_and_epoch(split):
    key = np.random.SeedSequence(7, spawn_key=(2,))
    assert order(split, 3, seed=7, epoch=2) == np.random.default_rng(key).permutation(10).tolist()


def test_order_depends_on_seed_and_epoch_and_on_nothing_else(split):
    torch.manual_seed(1)
    first = order(split, 3, seed=7, epoch=2)
    torch.manual_seed(2)
    assert order(split, 5, seed=7, epoch=2) == first
    others = [order(split, 3, seed=s, epoch=e) for s, e in ((7, 3), (8, 2), (2, 7), (7 + 2**33, 2))]
    assert first not in others
    assert len({tuple(o) for o in others}) == 4


def test_dicts_of_inputs_and_targets_are_batched_alike():
    split = Split({"a": torch.arange(6.0)[:, None], "b": -torch.arange(6.0)[:, None]}, {"o": torch.arange(6)})
    for x, target in minibatches(split, 4, seed=3):
        assert torch.equal(x["a"], -x["b"])
        assert torch.equal(x["a"][:, 0].long(), target["o"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 11}, "batch_size is 11, but the split has only 10 samples"),
        ({"batch_size": 0}, r"batch_size must be a whole number, 1 or more \(got 0\)"),
        ({"batch_size": 2.0}, r"batch_size must be a whole number, 1 or more \(got 2.0\)"),
        ({"batch_size": True}, r"batch_size must be .* \(got True\)"),
        ({"batch_size": 2, "seed": -1}, r"seed must be a whole number, 0 or more \(got -1\)"),
        ({"batch_size": 2, "epoch": -3}, r"epoch must be a whole number, 0 or more \(got -3\)"),
    ],
)
def test_a_number_out_of_range_is_refused_before_the_first_batch(split, arguments, message):
    with pytest.raises(ParameterError, match=message):
        minibatches(split, **arguments)  # not iterated


def test_something_else_than_a_split_is_refused(split):
    with pytest.raises(ParameterError, match="minibatches takes a Split .*; data.train is one"):
        minibatches((split.x, split.target), 2)


def test_a_batch_may_be_the_whole_split(split):
    assert [len(t) for _, t in minibatches(split, 10)] == [10]


def test_changing_a_batch_leaves_the_data_alone(split):
    for x, _ in minibatches(split, 10):
        x.zero_()
    assert split.x.sum() == 135
