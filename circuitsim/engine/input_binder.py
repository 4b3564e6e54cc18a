"""Validate inputs, targets and signals, and bring them into the shapes that a cycle needs."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.batch_shard import BatchShard
from circuitsim.engine.losses import LOSSES
from circuitsim.errors import DataError, warn_of_pixels
from circuitsim.motif import Motif, Objective
from circuitsim.motif.arrays import as_samples
from circuitsim.motif.identifiers import normalized_keys
from circuitsim.motif.neuron_names import samples_in_order
from circuitsim.motif.wiring import is_judged_over_time, sequences_of
from circuitsim.plan import Plan, Times
from circuitsim.plan.quantities import at_time


class InputBinder:
    """Validates the inputs, targets and signals of one motif, and turns them into tensors."""

    def __init__(
        self, motif: Motif, plans: Sequence[Plan], n_replicas: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.motif, self.n_replicas, self.device, self.dtype = motif, n_replicas, device, dtype
        self._squares = torch.empty((), dtype=dtype)
        self._sum_of_squares = self._squares.numpy()  # the same memory, which NumPy reads faster
        self._sizes = {p.name: p.size for p in motif.populations}
        self.input_names = tuple(dict.fromkeys(name for plan in plans for name in plan.inputs))
        self.sequences, self.is_judged_over_time = sequences_of(motif), is_judged_over_time(motif)
        self.signal_names = sorted(signal.name for signal in motif.signals if signal.is_given)
        self._labelled = {o.output for o in motif.objectives if LOSSES[o.loss].takes_labels}
        self.output_names = tuple(dict.fromkeys(o.output for o in motif.objectives))

    def inputs(self, x: Any, check: bool = True) -> dict[str, Tensor]:
        """Inputs as tensors ``[R or 1, B, neuron]``, or sequences ``[R or 1, B, time, neuron]``, keyed by population.
        With `check`, numbers must be finite.

        Raises:
            DataError: a population is missing or unknown, a shape is wrong, batches or sequences differ in size, or
                numbers are not finite.
        """
        given = self.in_order(self._by_name(x, self.input_names, "input"), "input")
        found = {name: self._input(name, value, check) for name, value in given.items()}
        sizes = {tensor.shape[1] for tensor in found.values()}
        if len(sizes) > 1:
            by_name = {name: tensor.shape[1] for name, tensor in found.items()}
            raise DataError(f"inputs have batches of different sizes: {by_name}")
        if 0 in sizes:
            raise DataError("the batch is empty")
        lengths = {name: tensor.shape[2] for name, tensor in found.items() if tensor.ndim == 4}
        if self.sequences and not lengths:
            raise DataError(
                f"no input is a sequence, so the number of time steps is unknown: give {sorted(self.sequences)} the "
                "shape [batch, time, input]"
            )
        if len(set(lengths.values())) > 1:
            raise DataError(f"inputs have sequences of different lengths: {lengths}")
        if 0 in lengths.values():
            raise DataError("the sequences have no time step")
        return found

    @staticmethod
    def n_times(inputs: Mapping[str, Tensor]) -> int:
        """The number of time steps of inputs, 1 where none is a sequence."""
        return next((tensor.shape[2] for tensor in inputs.values() if tensor.ndim == 4), 1)

    def timed(self, targets: Mapping[str, Tensor]) -> set[str]:
        classes = {o.output for o in self.motif.objectives if LOSSES[o.loss].takes_classes}
        return {name for name, tensor in targets.items() if tensor.ndim == (3 if name in classes else 4)}

    def by_time(
        self, inputs: Mapping[str, Tensor], targets: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor], Times]:
        """Divide sequences into their time steps, each with a key of its own, such as ``x[0]``."""
        sequences, timed = {name for name, tensor in inputs.items() if tensor.ndim == 4}, self.timed(targets)
        times = Times(self.n_times(inputs), frozenset(sequences), frozenset(timed))
        return _divided(inputs, sequences), _divided(targets, timed), times

    def check_numbers(self, inputs: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> None:
        """Raise a DataError if a number of an input is not finite, or a class or label of a target is out of range."""
        for name, tensor in inputs.items():
            self._check_finite(tensor, f"input {name!r}")
        for name, tensor in targets.items():
            output = name.partition("[")[0]
            if not tensor.is_floating_point() or output in self._labelled:
                check_target(tensor, self._sizes[output], f"target of {name!r}")

    def _input(self, name: str, value: Any, check: bool) -> Tensor:
        tensor = self._floats(value, f"input {name!r}", check)
        if getattr(value, "dtype", None) in (torch.uint8, np.uint8) and tensor.numel():
            warn_of_pixels(f"input {name!r}", float(tensor.max()), of_bytes=True)
        size = self._sizes[name]
        is_sequence = name in self.sequences
        tensor = tensor.unsqueeze(0) if tensor.ndim == 2 or (tensor.ndim == 3 and is_sequence) else tensor
        fits = tensor.ndim in ((3, 4) if is_sequence else (3,)) and tensor.shape[0] in (1, self.n_replicas)
        if not fits or tensor.shape[-1] != size:
            axes = f"batch, time, {size}" if is_sequence else f"batch, {size}"
            held = f", or [batch, {size}] for all time steps" if is_sequence else ""
            hint = "; only phases with repeat='time' read sequences" if np.ndim(value) == 4 and not is_sequence else ""
            raise DataError(
                f"input {name!r} has shape {list(np.shape(value))}, needs [{axes}] or [{self.n_replicas}, {axes}]"
                f"{held}{hint}"
            )
        return tensor

    def targets(
        self, target: Any, inputs: Mapping[str, Tensor], check: bool = True, check_classes: bool = True
    ) -> dict[str, Tensor]:
        """Targets as tensors, keyed by output population, for inputs from `inputs`. With `check`, numbers must be
        finite; with `check_classes`, classes must be in range.

        Raises:
            DataError: an output is missing or unknown, a shape or type is wrong, numbers are not finite, or a class is
                out of range.
        """
        given = self.in_order(self._by_name(target, self.output_names, "target"), "target")
        n_samples = next(iter(inputs.values())).shape[1]
        n_times = self.n_times(inputs) if self.is_judged_over_time else None
        found = {o.output: self._target(o, given[o.output], n_samples, n_times, check) for o in self.motif.objectives}
        if check_classes:
            self.check_numbers({}, found)
        return found

    def _target(self, o: Objective, value: Any, n_samples: int, n_times: int | None, check: bool) -> Tensor:
        """A target with a leading axis of replicas. With `n_times` it may be a sequence, and one that differs between
        replicas must be."""
        loss, size, owner = LOSSES[o.loss], self._sizes[o.output], f"target of {o.output!r}"
        target = self._tensor(value, owner) if loss.takes_classes else self._floats(value, owner, check)
        if loss.takes_classes and n_times is None:
            _check_not_one_hot(target, size, self.n_replicas, n_samples, owner)
        given, vector = tuple(target.shape), () if loss.takes_classes else (size,)
        shapes = [(n_samples, *vector)] + ([] if n_times is None else [(n_samples, n_times, *vector)])
        if given in shapes:
            target = target.unsqueeze(0)
        elif not (given[1:] == shapes[-1] and given[0] in (1, self.n_replicas)):
            held = "[batch]" if loss.takes_classes else f"[batch, {size}]"
            wanted, lengths = held, ""
            if n_times is not None:
                wanted, lengths = f"{held} or {held[:6]}, time{held[6:]}", f", time = {n_times}"
            advice = ""
            if given == ((n_samples, size) if loss.takes_classes else (n_samples,)):
                one_hot = "turn one-hot vectors into classes: target.argmax(1)"
                advice = "; " + (one_hot if loss.takes_classes else f"make classes one-hot: numpy.eye({size})[target]")
            raise DataError(
                f"{owner}: target has shape {given}, needs {wanted} with batch = {n_samples}{lengths}{advice}"
            )
        if loss.takes_classes and (target.is_floating_point() or target.is_complex()):
            raise DataError(f"{owner}: target must hold class indices (got {target.dtype})")
        return target.long() if loss.takes_classes else target

    def in_order(self, given: Mapping[str, Any], what: str) -> dict[str, Any]:
        """Bring the columns of frames into the order of the neurons that they name."""
        return {k: samples_in_order(self.motif, k, v, f"{what} {k!r}") for k, v in given.items()}

    def check_signals(self, signals: Mapping[str, Any] | None, n_samples: int) -> Mapping[str, Any]:
        """Return the given signals, keyed by name. Functions are validated later, when they are called.

        Raises:
            DataError: a signal is missing or unknown, or has a wrong shape.
        """
        given = normalized_keys({} if signals is None else signals, "signals", DataError)
        if not (given or self.signal_names):
            return given
        if sorted(given) != self.signal_names:
            raise DataError(f"signals are given for {sorted(given)}, needed for {self.signal_names}")
        for name, value in given.items():
            if not callable(value):
                self._signal(name, value, n_samples)
        return given

    def signal(self, name: str, value: Any, shard: BatchShard) -> Tensor:
        """A signal as ``[R, own samples, 1]``. A function is called now and returns values for the own samples."""
        if callable(value):
            return self._signal(name, value(), len(range(shard.n_samples)[shard.own]))
        return shard.part(self._signal(name, value, shard.n_samples))

    def _signal(self, name: str, value: Any, n_samples: int) -> Tensor:
        tensor = self._floats(value, f"signal {name!r}")
        tensor = tensor.unsqueeze(0) if tensor.ndim == 1 else tensor
        if tensor.ndim != 2 or tensor.shape[0] not in (1, self.n_replicas) or tensor.shape[1] != n_samples:
            raise DataError(
                f"signal {name!r} has shape {list(np.shape(value))}, needs [{n_samples}] or "
                f"[{self.n_replicas}, {n_samples}]"
            )
        return tensor.unsqueeze(-1).expand(self.n_replicas, -1, -1)

    def _by_name(self, given: Any, names: tuple[str, ...], what: str) -> Mapping[str, Any]:
        if given is None:
            raise DataError(f"{what} is missing: give {what}s for {list(names)}")
        if not isinstance(given, Mapping):
            if len(names) != 1:
                raise DataError(f"the motif has {len(names)} {what}s {list(names)}: give a dict keyed by population")
            return {names[0]: given}
        given = normalized_keys(given, f"{what}s", DataError)
        if set(given) != set(names):
            raise DataError(f"{what}s are given for {sorted(map(str, given))}, needed for {sorted(names)}")
        return given

    def _tensor(self, value: Any, owner: str) -> Tensor:
        if isinstance(value, Tensor):
            if value.is_complex() or value.is_quantized or value.is_meta:
                raise DataError(f"{owner}: needs real numbers (got {value.dtype} on device {value.device})")
            if value.layout != torch.strided:
                raise DataError(f"{owner}: needs a dense tensor (got {value.layout}): use .to_dense()")
            is_here = value.device == self.device and not value.requires_grad
            return value if is_here else value.detach().to(self.device)
        array = value
        if type(array) is not np.ndarray or array.dtype.kind not in "biuf":  # others take longer to read
            array = as_samples(value, owner)
        if array.dtype.kind == "f" and array.dtype.itemsize > 8:  # torch has no floats longer than float64
            array = array.astype(np.float64)
        # torch needs native byte order and supported strides
        array = np.require(array, array.dtype.newbyteorder("="), ["C", "W"])
        return torch.as_tensor(array, device=self.device)

    def _floats(self, value: Any, owner: str, check: bool = True) -> Tensor:
        """The value as a tensor of the circuit's data type. With `check`, numbers must be finite."""
        tensor = self._tensor(value, owner)
        if tensor.dtype != self.dtype:
            tensor = tensor.to(self.dtype)
        if check:
            self._check_finite(tensor, owner)
        return tensor

    def is_finite(self, tensor: Tensor) -> bool:
        """Whether the sum of squares is finite, without new memory. It may also overflow for large finite numbers."""
        flat = tensor.reshape(-1)
        torch.dot(flat, flat, out=self._squares)
        return math.isfinite(self._sum_of_squares)

    def _check_finite(self, tensor: Tensor, owner: str) -> None:
        """Check on the CPU only, since it would make other devices wait."""
        if tensor.device.type != "cpu" or self.is_finite(tensor):
            return
        n_wrong = int(np.count_nonzero(~np.isfinite(tensor.numpy())))
        if n_wrong:
            raise DataError(f"{owner}: {n_wrong} values are not finite in {tensor.dtype}; drop, fill or rescale them")


def check_target(target: Tensor, size: int, owner: str) -> None:
    """Raise a DataError unless classes, of type int64, are in 0 .. size - 1, or labels from 0 to 1; on the CPU only."""
    if target.device.type != "cpu" or not target.numel():
        return
    least, largest = target.numpy().min(), target.numpy().max()
    if target.is_floating_point() and (least < 0 or largest > 1):
        raise DataError(
            f"{owner}: labels must be from 0 to 1 (got {least:g} .. {largest:g}); for other numbers use loss='mse'"
        )
    if not target.is_floating_point() and (least < 0 or largest >= size):
        hint = ": classes count from 0, so subtract 1" if (least, largest) == (1, size) else ""
        raise DataError(f"{owner}: classes must be in 0 .. {size - 1} (got {least} .. {largest}){hint}")


def _divided(tensors: Mapping[str, Tensor], sequences: Collection[str]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name in sequences:  # contiguous, for fast products
            steps = tensor.movedim(2, 0).contiguous()
            found |= {at_time(name, t): step for t, step in enumerate(steps)}
        else:
            found[name] = tensor
    return found


def _check_not_one_hot(target: Tensor, size: int, n_replicas: int, n_samples: int, owner: str) -> None:
    """Refuse one-hot vectors where classes are needed."""
    shape = tuple(target.shape)
    if size == 1 or shape not in ((n_samples, size), (n_replicas, n_samples, size)):
        return
    hint = "for one-hot vectors pass target.argmax(-1)"
    if shape == (n_replicas, n_samples):  # the shape of the classes of each replica: only the numbers tell them apart
        if not (((target == 0) | (target == 1)).all() and (target.sum(1) == 1).all()):
            return
        hint += ", for classes of each replica, which have the same shape here, use another batch size"
    raise DataError(f"{owner}: target has shape {shape}, needs [batch] with batch = {n_samples}: {hint}")
