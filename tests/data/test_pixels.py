"""channel_first: where each pixel goes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitsim.data.pixels import channel_first

# [sample, channel, row, column]; each value tells its place
IMAGES = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_pixels_go_channel_by_channel_and_row_by_row_wherever_the_channels_are(axis):
    x = channel_first(np.moveaxis(IMAGES, 1, axis), axis)
    assert (x.dtype, x.shape) == (torch.float32, (2, 60))
    for place in [(0, 0, 0, 1), (0, 0, 1, 0), (0, 1, 0, 0), (1, 2, 3, 4)]:
        sample, channel, row, column = place
        assert x[sample, channel * 20 + row * 5 + column].item() == np.float32(IMAGES[place]) / np.float32(255)


def test_the_brightest_pixel_is_one_and_the_images_are_left_alone():
    images = np.full((1, 1, 2, 2), 255, dtype=np.uint8)
    assert channel_first(images).tolist() == [[1.0] * 4]
    assert images.min() == 255
