"""Images as inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


def channel_first(images: np.ndarray[Any, Any], channel_axis: int = 1) -> Tensor:
    """Pixels float32 ``[sample, feature]`` from 0 to 1: one channel after the other, each row by row.

    Args:
        images: uint8 ``[sample, channel, row, column]``, with the channels wherever `channel_axis` says.
    """
    ordered = np.ascontiguousarray(np.moveaxis(images, channel_axis, 1))
    return torch.from_numpy(ordered).flatten(1).to(torch.float32).div_(255)
