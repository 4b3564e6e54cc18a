"""Storage of weights and states, with pruning, snapshots and pinned replicas."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.bounds import bounded_
from circuitsim.engine.decay import Owed
from circuitsim.engine.given import read_weights
from circuitsim.engine.layout import DenseLayout, Layout
from circuitsim.engine.parameters import Parameters
from circuitsim.errors import ParameterError
from circuitsim.motif.checks import is_number
from circuitsim.motif.motif import Motif
from circuitsim.plan import Synapses
from circuitsim.plan.quantities import synapse

Snapshot = Mapping[str, Tensor]  # weights and states in storage layout, keyed by name
REGISTER = 16  # float32 numbers in the widest register of common CPUs


class WeightStore:
    """Weights in the layouts of their projections. The weights of derived projections are read from their source.

    Args:
        motif, n_replicas, layouts: those of the circuit.
        own: weights and states keyed by their names in programs, such as ``V1:w``, ``V1:e`` or ``up1.theta``.
        like: a tensor of the circuit's data type and device.

    Attributes:
        own: weights and states, which a step changes in place.
        parameters: the parameters of rules, set when the layouts are aligned.
        owed: decay that could not be represented so far (`circuitsim.engine.decay`).
        pinned: the replicas that steps leave as they are.
        n_mask_changes, n_writes: counts of changes of masks, and of writes other than by a step.
    """

    def __init__(
        self, motif: Motif, n_replicas: int, layouts: dict[str, Layout], own: dict[str, Tensor], like: Tensor
    ) -> None:
        self.motif, self.n_replicas, self.layouts, self.own, self.like = motif, n_replicas, layouts, own, like
        self.parameters: Parameters
        self.owed: Owed = {}
        self.pinned: set[int] = set()
        self.n_mask_changes = self.n_writes = 0
        self._turned: dict[str, Layout] = {}

    # -- reading

    def layout_of(self, synapses: Synapses) -> Layout:
        """The layout of a program's space of synapses."""
        if synapses.projection:
            return self.layouts[synapses.projection]
        name, turned = synapses.pattern
        if not turned:
            return self.layouts[name]
        if name not in self._turned:
            self._turned[name] = self.layouts[name].reversed()
        return self._turned[name]

    def values(self, name: str) -> Tensor:
        """The weights of a projection in storage layout, without a copy where possible."""
        key = synapse("w", name).name
        if key in self.own:
            return self.own[key]
        tie = self.motif.projection(name).tied_to
        assert tie is not None
        values = self.own[synapse("w", tie.projection).name]
        values = self.layouts[tie.projection].transposed(values) if tie.transpose else values
        values = torch.sign(values) if tie.sign else values
        return values if tie.scale == 1.0 else values * tie.scale

    def keys_of(self, projection: str) -> list[str]:
        """The names of a projection's weights and synaptic states."""
        return [key for key in self.own if key.startswith(f"{projection}:")]

    def matrix(self, name: str, values: Tensor) -> Tensor:
        """A copy of values as ``[replica, post, pre]``, or as sparse CSR for sparse layouts."""
        shape = (self.n_replicas, *values.shape[1:])
        return self.layouts[name].matrix(values.expand(shape))

    def mask(self, name: str) -> Tensor:
        """Which synapses exist, boolean ``[replica, post, pre]``, or as sparse CSR for sparse layouts."""
        layout = self.layouts[name]
        ones = torch.ones_like(self.values(name)) if layout.mask is None else layout.mask
        return self.matrix(name, ones).to(torch.bool)

    def align(self, turned: Collection[str], straight: Collection[str]) -> None:
        """Choose the memory order of dense weights in which products are fastest, before other tensors copy that order.

        With weights ordered as ``[pre, post]``, products take 0.93 to 1.01 times as long (docs/performance.md) if such
        rows fill a register.

        Args:
            turned, straight: projections that share a batch mean, as its transpose and as it is. They need the two
                opposite orders, since an elementwise pass over weights and mean is slow otherwise.
        """
        for name, layout in self.layouts.items():
            if not isinstance(layout, DenseLayout) or synapse("w", name).name not in self.own:
                continue
            if name in turned or (name not in straight and layout.shape[0] >= REGISTER):
                layout.lie_along_post()
                for key in self.keys_of(name):
                    self.own[key] = layout.laid(self.own[key])

    # -- writing

    def own_name(self, name: str) -> str:
        """Return the name if the projection has weights of its own, else raise a ParameterError."""
        p = self.motif.projection(name)
        if p.tied_to is not None:
            raise ParameterError(f"projection {p.name!r} is tied to {p.tied_to.projection!r}; change that one instead")
        return p.name

    def write(self, name: str, weights: Any) -> None:
        """Write ``[post, pre]`` or ``[replica, post, pre]``; see `Circuit.set_weights`."""
        p, key = self.motif.projection(name), synapse("w", self.own_name(name)).name
        values = self.own[key]
        written = read_weights(self.motif, p, self.layouts[p.name], self.n_replicas, weights, values)
        self._check_pinned(name, written.expand_as(values), values)
        values.copy_(written)
        self.owed.pop(key, None)
        self.n_writes += 1

    def _check_pinned(self, name: str, written: Tensor, values: Tensor) -> None:
        changed = [r for r in sorted(self.pinned) if not torch.equal(written[r], values[r])]
        if changed:
            raise ParameterError(
                f"projection {name!r}: replicas {changed} are pinned, and these weights would change them: release "
                "them first with circuit.release_replica, or pass weights [replica, post, pre] that keep theirs"
            )

    def prune(self, name: str, threshold: float) -> Tensor:
        """Remove all synapses with ``|w| < threshold``, and return how many, ``[replica]``."""
        if not (is_number(threshold) and threshold >= 0):
            raise ParameterError(f"projection {name!r}: threshold must be a number, 0 or more (got {threshold!r})")
        values, layout = self.own[synapse("w", self.own_name(name)).name], self.layouts[name]
        present = torch.ones_like(values) if layout.mask is None else layout.mask.expand_as(values)
        kept = present * (values.abs() >= threshold)
        self.set_mask(name, kept)
        return (present - kept).sum((1, 2)).long()

    def set_mask(self, name: str, mask: Tensor) -> None:
        """Set which synapses exist, in this projection and in those tied to it. Absent ones hold 0 from now on."""
        layout = self.layouts[name]
        layout.mask, self.n_mask_changes, self.n_writes = mask, self.n_mask_changes + 1, self.n_writes + 1
        for p in self.motif.projections:
            if p.tied_to is not None and p.tied_to.projection == name:
                self.layouts[p.name].mask = layout.transposed(mask) if p.tied_to.transpose else mask
        self._turned = {}
        for key in self.own:
            self._restrict(key)

    def _restrict(self, key: str) -> None:
        """Set weights or synaptic states to 0 at absent synapses. Everything that is copied into the store passes here,
        so that a pruned synapse stays absent, whatever a snapshot or a file holds at its place."""
        projection, colon, _ = key.partition(":")
        if colon:
            self.layouts[projection].restrict_(self.own[key])

    # -- snapshots and pins

    def snapshot(self, into: Snapshot | None = None) -> Snapshot:
        """Copy all weights and states, into the memory of an earlier snapshot if `into` is given."""
        if into is None:
            return {name: values.clone() for name, values in self.own.items()}
        self._check_snapshot(into)
        for name, values in self.own.items():
            into[name].copy_(values)
        return into

    def pin(self, replica: int, snapshot: Snapshot | None) -> None:
        """Set one replica to a snapshot, or leave it as it is, and keep it there."""
        if snapshot is not None:
            self._check_snapshot(snapshot)
            for name in self.own:
                if not torch.isfinite(snapshot[name][replica]).all():
                    raise ParameterError(
                        f"the snapshot's {name!r} of replica {replica} is not finite: take an earlier one"
                    )
            for name, values in self.own.items():
                values[replica] = snapshot[name][replica]
                self._restrict(name)
        self.pinned.add(replica)
        self.n_writes += 1

    def release(self, replica: int) -> None:
        """Let a pinned replica change again."""
        self.pinned.remove(replica)
        self.n_writes += 1

    def _check_snapshot(self, snapshot: Snapshot) -> None:
        """Check that a snapshot was taken of a circuit of this motif with as many replicas.

        Raises:
            ParameterError: it was not.
        """
        if not isinstance(snapshot, Mapping) or snapshot.keys() != self.own.keys():
            holds = sorted(snapshot) if isinstance(snapshot, Mapping) else type(snapshot).__name__
            raise ParameterError(f"the snapshot holds {holds}, needs {sorted(self.own)}: take it with circuit.snapshot")
        for name, values in self.own.items():
            found = snapshot[name]
            if not isinstance(found, Tensor) or found.shape != values.shape:
                what = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
                raise ParameterError(
                    f"the snapshot's {name!r} has {what}, needs {tuple(values.shape)}: take it from the same circuit"
                )

    @contextlib.contextmanager
    def keeping_pinned(self) -> Iterator[None]:
        """Put the pinned replicas back as they were, even if the step in this context fails."""
        rows = torch.tensor(sorted(self.pinned), device=self.like.device, dtype=torch.int64)
        kept = {name: values.index_select(0, rows) for name, values in self.own.items()} if self.pinned else {}
        try:
            yield
        finally:
            for name, values in kept.items():
                self.own[name].index_copy_(0, rows, values)

    # -- files

    def tensors(self) -> dict[str, Tensor]:
        """The tensors to be saved, on the CPU: ``weights/V1``, ``weights/V1:e``, ``weights/up1.theta``, ``mask/V1`` and
        ``owed/V1``."""
        found = {f"weights/{in_file(name)}": values for name, values in self.own.items()}
        found |= {f"mask/{name}": mask != 0 for name, mask in self._masks().items()}
        for name, logarithm in self.owed.items():
            found[f"owed/{in_file(name)}"] = torch.as_tensor(np.array(logarithm, dtype=float))
        return {key: tensor.contiguous().cpu() for key, tensor in found.items()}

    def _masks(self) -> dict[str, Tensor]:
        """The masks of projections with weights of their own in which a synapse is absent."""
        masks = {p.name: self.layouts[p.name].mask for p in self.motif.projections if p.tied_to is None}
        return {name: mask for name, mask in masks.items() if mask is not None}

    def restore(self, tensors: Mapping[str, Tensor], finite: bool = True) -> None:
        """Restore what `tensors` returned, in a store that has just been made. With `finite`, numbers must be finite.

        Raises:
            ParameterError: an entry is missing or unknown, has the wrong shape or type, or is not finite.
        """
        wanted = {f"weights/{in_file(name)}": values for name, values in self.own.items()}
        names = [p.name for p in self.motif.projections if p.tied_to is None]
        names = [name for name in names if f"mask/{name}" in tensors or name in self._masks()]
        masks = {f"mask/{name}": self.own[synapse("w", name).name] for name in names}
        owed = {f"owed/{in_file(name)}": name for name in self.own if f"owed/{in_file(name)}" in tensors}
        stray = set(tensors) ^ {*wanted, *masks, *owed}
        if stray:
            raise ParameterError(f"entries {sorted(stray)} are missing or unknown")
        for key, like in wanted.items():
            _check_entry(key, tensors[key], {tuple(like.shape)}, like.dtype, finite)
        for key, like in masks.items():
            _check_entry(key, tensors[key], {tuple(like.shape), (1, *like.shape[1:])}, torch.bool, finite)
        for key in owed:
            _check_entry(key, tensors[key], {(), (self.n_replicas, 1, 1)}, torch.float64, finite)
        self.n_writes += 1
        for name, values in self.own.items():
            values.copy_(tensors[f"weights/{in_file(name)}"])
        for name in names:
            mask = tensors[f"mask/{name}"].to(self.like.device, self.like.dtype)
            self.set_mask(name, self.layouts[name].laid(mask))
        self.owed = {name: _owed(tensors[key]) for key, name in owed.items()}
        self._bound()

    def _bound(self) -> None:
        """Clip weights to their bounds; those in files of earlier versions may lie outside."""
        for p in self.motif.projections:
            if p.tied_to is None and p.bounds is not None:
                key, layout = synapse("w", p.name).name, self.layouts[p.name]
                layout.restrict_(bounded_(self.own[key], p.bounds))


def in_file(name: str) -> str:
    """The name of weights or states in files, which is the projection's own name for weights."""
    return name.removesuffix(":w")


def _owed(entry: Tensor) -> Any:
    return entry.numpy().copy() if entry.ndim else float(entry)


def _check_entry(key: str, found: Tensor, shapes: set[tuple[int, ...]], dtype: torch.dtype, finite: bool) -> None:
    if tuple(found.shape) not in shapes or found.dtype != dtype:
        raise ParameterError(f"entry {key!r} is {tuple(found.shape)} {found.dtype}, needs {max(shapes)} {dtype}")
    if finite and not torch.isfinite(found).all():
        raise ParameterError(f"entry {key!r} holds values that are not finite")
