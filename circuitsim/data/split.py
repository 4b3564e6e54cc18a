"""A split of a data set: inputs and their targets, which are held out, standardised, and handed out in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from circuitsim.errors import DataError, ParameterError, check_kind
from circuitsim.whole import whole

T = TypeVar("T")
Tensors = Tensor | dict[str, Tensor]
SAMPLES_AT_ONCE = 256  # in which statistics are summed, so that they stay in the CPU's cache


def each(tensors: Tensors, change: Callable[[Tensor], Tensor]) -> Tensors:
    """Apply `change` to a tensor, or to every tensor of a dict."""
    if isinstance(tensors, dict):
        return {name: change(tensor) for name, tensor in tensors.items()}
    return change(tensors)


def named(label: str, values: T | Mapping[str, T]) -> dict[str, T]:
    """Key values by their names in messages, "x", or "x['image']" for an entry of a mapping."""
    if isinstance(values, Mapping):
        return {f"{label}[{name!r}]": value for name, value in values.items()}
    return {label: values}


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Samples in memory.

    Args:
        x: inputs ``[sample, feature]`` or sequences ``[sample, time, feature]``, or a dict of input populations to such
            tensors.
        target: class indices int64 ``[sample]``, real vectors or 0/1 label vectors (both floating) ``[sample,
            output]``, of sequences also ``[sample, time]`` and ``[sample, time, output]``, or a dict of objectives to
            such tensors.

    Raises:
        DataError: there is no tensor or something else, a tensor lacks the sample axis, or lengths differ.
    """

    x: Tensors
    target: Tensors

    def __post_init__(self) -> None:
        tensors = named("x", self.x) | named("y", self.target)
        if any(isinstance(given, dict) and not given for given in (self.x, self.target)):
            raise DataError(f"a split needs inputs and targets (got {len(tensors)} tensors): an empty dict has none")
        for name, tensor in tensors.items():
            if not isinstance(tensor, Tensor):
                raise DataError(
                    f"{name} must be a tensor (got {type(tensor).__name__}); Dataset.from_arrays takes arrays"
                )
            if tensor.ndim == 0:
                raise DataError(f"{name} is a single number; its first axis must count the samples")
        lengths = {name: len(tensor) for name, tensor in tensors.items()}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise DataError(f"inputs and targets must have the same number of samples, but {found}")

    def __len__(self) -> int:
        return len(next(iter(named("y", self.target).values())))

    def __repr__(self) -> str:
        tensors = named("x", self.x) | named("target", self.target)
        return f"Split({', '.join(f'{name}: {list(tensor.shape)}' for name, tensor in tensors.items())})"

    @property
    def device(self) -> torch.device:
        """The device of the samples."""
        return next(iter(named("x", self.x).values())).device

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Split:
        """Return the samples on another device, or in another floating type.

        Args:
            device: the new device; None keeps the current one.
            dtype: the new type of floating tensors; class indices stay int64.
        Returns:
            A split of the same shapes.
        Raises:
            ParameterError: there is no such device, or the type is not a floating one.
        """
        if not (dtype is None or (isinstance(dtype, torch.dtype) and dtype.is_floating_point)):
            raise ParameterError(f"dtype must be a floating type such as torch.float32 (got {dtype})")
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError, TypeError) as error:
            raise ParameterError(f"device {device!r} is not available: {str(error).splitlines()[0]}") from None

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)

        return Split(each(self.x, move), each(self.target, move))

    def take(self, samples: Any) -> Split:
        """Return some of the samples.

        Args:
            samples: the indices of the samples, whole numbers ``[chosen]``.
        Returns:
            A split of these samples, in the given order.
        Raises:
            ParameterError: these are no indices of samples.
        """
        chosen = torch.as_tensor(samples)
        is_whole = not chosen.is_floating_point() and not chosen.is_complex() and chosen.dtype != torch.bool
        if chosen.ndim != 1 or not (is_whole or not len(chosen)):
            raise ParameterError(f"take needs a list of the indices of samples (got {samples!r})")
        chosen = chosen.long()
        if len(chosen) and not 0 <= int(chosen.min()) <= int(chosen.max()) < len(self):
            found = f"{int(chosen.min())} .. {int(chosen.max())}"
            raise ParameterError(f"take: indices of samples must be in 0 .. {len(self) - 1} (got {found})")
        return picked(self, chosen)


def picked(split: Split, samples: Tensor) -> Split:
    """Return samples of a split. Nothing is checked, which would wait for the device."""

    def pick(tensor: Tensor) -> Tensor:
        return tensor.index_select(0, samples.to(tensor.device))

    return Split(each(split.x, pick), each(split.target, pick))


def hold_out(n_samples: int, n_held: int, *, classes: Tensor | None, seed: int) -> tuple[Tensor, Tensor]:
    """Return the indices of the kept and of the held-out samples, both ascending.

    Both parts preserve the proportions of the classes, int64 ``[sample]``, unless these are None.
    """
    from sklearn.model_selection import train_test_split  # late: it takes a second to import

    if not 0 < n_held < n_samples:
        raise DataError(f"cannot hold out {n_held} of {n_samples} samples: one part would be empty")
    strata: np.ndarray[Any, Any] | None = None if classes is None else classes.numpy()
    # a generator, because scikit-learn does not accept seeds beyond 32 bits
    state = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    try:
        kept, held = train_test_split(np.arange(n_samples), test_size=n_held, stratify=strata, random_state=state)
    except ValueError as fault:
        raise DataError(
            f"cannot hold out {n_held} of {n_samples} samples with every class in both parts ({fault}): "
            "hold out more, drop the rare classes, or pass the held-out arrays yourself"
        ) from None
    return torch.from_numpy(np.sort(kept)), torch.from_numpy(np.sort(held))


def standardized(splits: Mapping[str, Split], n_channels: int) -> dict[str, Split]:
    """Compute ``(x - mean) / std`` per channel, with mean and std over the channel's pixels in the training samples.

    Features are ordered by channel; all channels have as many. One that is constant in training is only centred.
    """
    x = splits["train"].x
    assert isinstance(x, Tensor)  # data sets loaded by name or from a folder have one input population

    def by_channel(x: Tensor) -> Tensor:
        return x.reshape(-1, n_channels, x.shape[-1] // n_channels)  # time steps count as samples

    def average(change: Callable[[Tensor], Tensor]) -> Tensor:
        parts = (change(by_channel(part)) for part in torch.split(x, SAMPLES_AT_ONCE))
        total = torch.stack([part.sum(dim=(0, 2), dtype=torch.float64) for part in parts]).sum(0)
        return total[:, None] * n_channels / x.numel()

    mean = average(lambda part: part).to(x.dtype)
    # biased, and squared and summed in float64, because `torch.std` rounds and may return a tiny value instead of 0 for
    # a constant channel, and squares of large or small numbers are no numbers of float32
    std = average(lambda part: (part - mean).double().square()).sqrt().to(x.dtype)
    std = torch.where(std == 0, 1.0, std)

    def scale(x: Tensor) -> Tensor:
        return (by_channel(x) - mean).div_(std).view(x.shape)

    return {name: replace(split, x=each(split.x, scale)) for name, split in splits.items()}


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
