"""Validation of the numbers in inputs and targets, on the CPU only, since it would make other devices wait."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from circuitsim.errors import DataError


class InputValidator:
    """Validates numbers of the circuit's data type, without allocating tensors."""

    def __init__(self, dtype: torch.dtype) -> None:
        self._squares = torch.empty((), dtype=dtype)
        self._sum_of_squares = self._squares.numpy()  # the same memory, which NumPy reads faster

    def is_finite(self, tensor: Tensor) -> bool:
        """Whether the sum of squares is finite. It may also overflow for large finite numbers."""
        flat = tensor.reshape(-1)
        torch.dot(flat, flat, out=self._squares)
        return math.isfinite(self._sum_of_squares)

    def check_finite(self, tensor: Tensor, owner: str) -> None:
        """Raise a DataError if a number is not finite; the tensor has the circuit's data type."""
        if tensor.device.type != "cpu":
            return
        if self.is_finite(tensor):
            return
        n_wrong = int(np.count_nonzero(~np.isfinite(tensor.numpy())))
        if n_wrong:
            raise DataError(f"{owner}: {n_wrong} values are not finite in {tensor.dtype}; drop, fill or rescale them")

    def check_labels(self, target: Tensor, owner: str) -> None:
        """Raise a DataError if a label is not from 0 to 1."""
        if target.device.type != "cpu" or not target.numel():
            return
        labels = target.numpy()
        least, largest = labels.min(), labels.max()
        if least < 0 or largest > 1:
            raise DataError(
                f"{owner}: labels must be from 0 to 1 (got {least:g} .. {largest:g}); for other numbers use loss='mse'"
            )

    def check_classes(self, target: Tensor, size: int, owner: str) -> None:
        """Raise a DataError if a class is not in 0 .. size - 1; the tensor has the type int64."""
        if target.device.type != "cpu" or not target.numel():
            return
        classes = target.numpy()
        least, largest = classes.min(), classes.max()
        if least < 0 or largest >= size:
            hint = ": classes count from 0, so subtract 1" if (least, largest) == (1, size) else ""
            raise DataError(f"{owner}: classes must be in 0 .. {size - 1} (got {least} .. {largest}){hint}")
