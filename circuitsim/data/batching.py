"""Mini-batches of a split, in an order that depends only on the seed and the epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from circuitsim.data.split import Split, Tensors, picked
from circuitsim.errors import ParameterError, check_kind
from circuitsim.whole import whole


def minibatches(
    split: Split, batch_size: int, *, seed: int | None = None, epoch: int = 0, drop_last: bool = False
) -> Iterator[tuple[Tensors, Tensors]]:
    """Iterate over ``(x, target)`` of consecutive mini-batches, on the device of the split.

    Args:
        split: the samples.
        batch_size: the number of samples per batch, from 1 to the length of the split.
        seed: the seed that, together with `epoch`, determines the permutation of the samples. It is drawn by NumPy on
            the CPU, so that the order is the same on every device. None keeps the order of the samples.
        epoch: the number of the pass over the data, not negative.
        drop_last: whether to leave out a last batch that is smaller than the others.
    Returns:
        An iterator over x ``[batch, feature]`` and target ``[batch]`` or ``[batch, output]``.
    Raises:
        ParameterError: a number is out of range, or `split` is no Split; the call itself raises, before the first batch
            is requested.
    Example:
        >>> import circuitsim as cs
        >>> train = cs.load_dataset("digits").train
        >>> [len(target) for x, target in cs.minibatches(train, 500, seed=0)]
        [500, 500, 257]
    """
    check_kind("minibatches", split, Split, "data.train is one")
    size = whole("batch_size", batch_size, least=1)
    if size > len(split):
        raise ParameterError(f"batch_size is {size}, but the split has only {len(split)} samples: use a smaller batch")
    epoch = whole("epoch", epoch, least=0)
    if seed is None:
        order = np.arange(len(split))
    else:
        # spawn_key keeps all pairs (seed, epoch) distinct; a list [seed, epoch] does not for seeds beyond 32 bits
        key = np.random.SeedSequence(whole("seed", seed, least=0), spawn_key=(epoch,))
        order = np.random.default_rng(key).permutation(len(split))
    stop = len(split) - len(split) % size if drop_last else len(split)
    return _batches(split, torch.from_numpy(order[:stop]).to(split.device), size)


def _batches(split: Split, order: torch.Tensor, size: int) -> Iterator[tuple[Tensors, Tensors]]:
    for start in range(0, len(order), size):
        batch = picked(split, order[start : start + size])
        yield batch.x, batch.target
