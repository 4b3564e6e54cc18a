"""Standardised inputs: statistics of the training split, per channel."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitsim.data import Dataset
from circuitsim.errors import DataError, ParameterError

RNG = np.random.default_rng(0)
X = RNG.normal(3.0, 2.0, (50, 6)) * np.array([1, 1, 1, 10, 10, 10])
TEST = RNG.normal(5.0, 1.0, (9, 6))
Y = np.arange(50) % 2


@pytest.fixture
def data() -> Dataset:
    return Dataset.from_arrays(X, Y, test=(TEST, Y[:9]))


@pytest.mark.parametrize("n_channels", [1, 2, 6])
def test_every_split_is_scaled_by_the_training_statistics_of_its_channel(data, n_channels):
    scaled = data.standardized(n_channels)
    channels = X.reshape(50, n_channels, -1)
    mean, std = channels.mean((0, 2))[:, None], channels.std((0, 2))[:, None]  # NumPy in float64
    assert torch.isfinite(scaled.train.x).all()
    for split, raw in ((scaled.train, X), (scaled.test, TEST)):
        expected = ((raw.reshape(len(raw), n_channels, -1) - mean) / std).reshape(len(raw), 6)
        np.testing.assert_allclose(split.x.numpy(), expected, rtol=1e-5, atol=1e-5)
    assert scaled.validation is None


def test_the_data_set_given_is_left_alone(data):
    before = data.train.x.clone()
    data.standardized(1)
    assert torch.equal(data.train.x, before)


@pytest.mark.parametrize("value", [0.1, 7.3, 1e6 / 3, -1e-20])  # none has an exact mean in binary
@pytest.mark.parametrize("n_channels", [1, 3])
def test_a_constant_channel_is_centred_and_keeps_its_scale(value, n_channels):
    x = np.full((1000, 3), value)
    scaled = Dataset.from_arrays(x, np.arange(1000) % 2, test=(x[:1] + 0.5, [0])).standardized(n_channels)
    assert scaled.train.x.abs().max() == 0
    assert scaled.test.x[0].tolist() == pytest.approx([0.5] * 3, abs=0.02)


def test_samples_that_are_not_a_multiple_of_what_is_summed_at_once_all_count():
    x = np.r_[np.zeros(512), 513.0][:, None]
    scaled = Dataset.from_arrays(x, np.arange(513) % 2).standardized(1)
    assert scaled.train.x[0].item() == pytest.approx(-1 / 512**0.5, rel=1e-6)
    assert scaled.train.x[-1].item() == pytest.approx(512**0.5, rel=1e-6)


def test_many_samples_with_a_large_offset_keep_unit_variance():
    x = 1000 + RNG.normal(size=(200_000, 4))
    scaled = Dataset.from_arrays(x, np.arange(200_000) % 2).standardized(1)
    assert scaled.train.x.double().mean().item() == pytest.approx(0, abs=1e-4)
    assert scaled.train.x.double().std().item() == pytest.approx(1, abs=1e-4)


def test_channels_that_are_not_there_are_refused():
    one = Dataset.from_arrays(np.zeros((4, 6)), [0, 1, 0, 1])
    with pytest.raises(DataError, match="6 features do not divide into 4 channels"):
        one.standardized(4)
    with pytest.raises(ParameterError, match="n_channels must be a whole number, 1 or more .got 0."):
        one.standardized(0)
    two = Dataset.from_arrays({"a": np.zeros((4, 6)), "b": np.zeros((4, 2))}, [0, 1, 0, 1])
    with pytest.raises(DataError, match=r"has several inputs \['a', 'b'\]"):
        two.standardized()


@pytest.mark.parametrize("scale", [1e-25, 1e-10, 1.0, 1e19, 1e30])
def test_numbers_of_any_size_have_the_same_standard_deviation(scale):
    x = np.random.default_rng(0).normal(size=(50, 4)) * scale
    found = Dataset.from_arrays(x, np.arange(50) % 2).standardized(4).train.x.double()
    assert (found.std(0, correction=0) - 1).abs().max() < 1e-5
