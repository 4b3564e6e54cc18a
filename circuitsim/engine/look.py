"""A look at the numbers that are given. On the CPU only: elsewhere it would make the device wait."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from circuitsim.errors import DataError


class Look:
    """Tells wrong numbers apart, in passes that make no tensor.

    Args:
        dtype: of the circuit.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        self._squares, self._ends = torch.empty((), dtype=dtype), torch.empty(2, dtype=torch.int64)
        # the same memory, read without a call of torch
        self._sum_of_squares, self._range = self._squares.numpy(), self._ends.numpy()

    def for_finite(self, tensor: Tensor, owner: str) -> None:
        """Raise DataError where a number of the circuit's type is not finite."""
        if tensor.device.type != "cpu":
            return
        flat = tensor.reshape(-1)
        torch.dot(flat, flat, out=self._squares)
        if math.isfinite(self._sum_of_squares):
            return
        # the squares of finite numbers may be too large: only then it is worth a second look
        n_wrong = int(np.count_nonzero(~np.isfinite(tensor.numpy())))
        if n_wrong:
            raise DataError(f"{owner}: {n_wrong} values are not finite in {tensor.dtype}: drop, fill or rescale them")

    def for_classes(self, target: Tensor, size: int, owner: str) -> None:
        """Raise DataError where a class, of type int64, is not in 0 .. size - 1."""
        if target.device.type != "cpu" or not target.numel():
            return
        flat = target.reshape(-1)
        torch.amin(flat, 0, out=self._ends[0])
        torch.amax(flat, 0, out=self._ends[1])
        least, largest = self._range
        if least < 0 or largest >= size:
            raise DataError(f"{owner}: target holds classes {least} to {largest}; size is {size}")
