"""What every image set gives: splits, targets, and pixels in their places."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitsim.data import load_dataset


@pytest.fixture
def load(tmp_path, image_set):
    folder = image_set.put(tmp_path)

    def of(**arguments):
        return load_dataset(image_set.name, folder=folder, download=False, **arguments)

    return of


def by_channel(x, image_set):
    """``[sample, channel, pixel]`` in float64."""
    return x.double().numpy().reshape(len(x), image_set.images["train"].shape[1], -1)


def pairs(split):
    """Each sample's pixels, 0 to 255, with its target."""
    pixels = (split.x * 255).round().to(torch.uint8).numpy()
    return sorted(
        (row.tobytes(), np.atleast_1d(target).tolist())
        for row, target in zip(pixels, split.target.numpy(), strict=True)
    )


def published(image_set, *parts):
    return sorted(
        (image.tobytes(), np.atleast_1d(target).tolist())
        for part in parts
        for image, target in zip(image_set.images[part], image_set.targets[part], strict=True)
    )


def test_every_pixel_and_target_of_the_test_split_is_where_it_should_be(load, image_set):
    test = load(standardize=False).test
    images = image_set.images["test"]
    expected = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
    assert test.x.dtype == torch.float32
    assert np.array_equal(test.x.numpy(), expected)
    assert np.array_equal(test.target.numpy(), image_set.targets["test"])


def test_train_and_validation_are_the_published_samples_with_their_targets(load, image_set):
    data = load(standardize=False)
    if "validation" in image_set.images:
        assert pairs(data.train) == published(image_set, "train")
        assert pairs(data.validation) == published(image_set, "validation")
    else:
        assert sorted(pairs(data.train) + pairs(data.validation)) == published(image_set, "train")
        assert data.validation.target.bincount().tolist() == [1] * 10  # one of each class
        assert data.train.target.bincount().tolist() == [len(data.train) // 10] * 10


def test_a_known_pixel_is_standardised_by_the_statistics_of_its_channel_in_training(load, image_set):
    raw, data = load(standardize=False), load()
    images = image_set.images["test"]
    _, n_channels, size, _ = images.shape
    train = by_channel(raw.train.x, image_set)
    mean, std = train.mean((0, 2)), train.std((0, 2))
    for sample, channel, row, column in [(0, 0, 0, 1), (3, n_channels - 1, size - 1, 2), (19, 0, 5, size - 1)]:
        expected = (images[sample, channel, row, column] / 255 - mean[channel]) / std[channel]
        found = data.test.x[sample, channel * size**2 + row * size + column].item()
        assert found == pytest.approx(expected, abs=1e-5)


def test_each_channel_of_the_training_split_has_mean_0_and_std_1(load, image_set):
    data = load()
    train, test = by_channel(data.train.x, image_set), by_channel(data.test.x, image_set)
    np.testing.assert_allclose(train.mean((0, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(train.std((0, 2)), 1, atol=1e-5)
    assert abs(test.mean((0, 2))).max() > 1e-4  # of its own statistics it knows nothing


def test_the_split_is_fixed_and_the_seed_draws_another_where_there_is_no_official_one(load, image_set):
    first, again, other = (load(standardize=False, seed=seed).validation for seed in (0, 0, 1))
    assert torch.equal(first.x, again.x)
    assert torch.equal(first.x, other.x) == ("validation" in image_set.images)


def test_without_validation_all_samples_outside_the_test_split_are_trained_on(load, image_set):
    data = load(standardize=False, validation=None)
    assert data.validation is None
    assert pairs(data.train) == published(image_set, *(part for part in image_set.images if part != "test"))


def test_a_fraction_is_held_out_of_all_samples_outside_the_test_split(load, image_set):
    data = load(standardize=False, validation=0.25)
    parts = [part for part in image_set.images if part != "test"]
    n = sum(len(image_set.images[part]) for part in parts)
    assert len(data.validation) == round(n / 4)
    assert sorted(pairs(data.train) + pairs(data.validation)) == published(image_set, *parts)
