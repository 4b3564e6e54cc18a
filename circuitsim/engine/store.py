"""The weights of all projections: reading, writing, pruning, snapshots, held replicas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.layout import DenseLayout, Layout
from circuitsim.engine.workspace import Workspace
from circuitsim.errors import ParameterError
from circuitsim.motif.checks import is_number
from circuitsim.motif.motif import Motif
from circuitsim.plan import Plan

Snapshot = Mapping[str, Tensor]  # weights by projection, in storage layout
REGISTER = 16  # float32 numbers in the widest register of common CPUs


class WeightStore:
    """Weights in the layouts of their projections; those of derived projections are read from their source.

    Attributes:
        layouts: how the synapses of each projection are stored.
        own: the weights of all projections that are not derived, and all states, by ``owner.name``; a step changes
            them in place.
        held: replica -> weights it is kept at.
        n_mask_changes: how often synapses were removed.
    """

    def __init__(self, motif: Motif, n_replicas: int, layouts: dict[str, Layout], own: dict[str, Tensor]) -> None:
        self.motif, self.n_replicas, self.layouts, self.own = motif, n_replicas, layouts, own
        self.held: dict[int, dict[str, Tensor]] = {}
        self.n_mask_changes = 0

    # -- reading

    def values(self, name: str, workspace: Workspace | None = None) -> Tensor:
        """The weights in storage layout, not a copy; a plain tie costs nothing.

        Args:
            name: of a projection.
            workspace: where the sign or a multiple of another projection's weights goes; by default somewhere new.
        """
        if name in self.own:
            return self.own[name]
        tie = self.motif.projection(name).weight
        assert tie is not None
        run = (workspace or Workspace()).of((self, name))
        values = self.own[tie.projection]
        values = self.layouts[tie.projection].transposed(run, values) if tie.transpose else values
        values = run("sign", torch.sign, values) if tie.sign else values
        return values if tie.scale == 1.0 else run("multiple", torch.mul, values, tie.scale)

    def states(self) -> dict[str, Tensor]:
        """What neurons and synapses remember, by ``owner.name``; not copies."""
        return {key: values for key, values in self.own.items() if "." in key}

    def matrix(self, name: str, values: Tensor) -> Tensor:
        """A copy of synapse-wise numbers as ``[replica, post, pre]``; sparse CSR where they are stored so."""
        shape = (self.n_replicas, *values.shape[1:])
        return self.layouts[name].matrix(values.expand(shape))

    def mask(self, name: str) -> Tensor:
        """Which synapses are present, boolean ``[replica, post, pre]``; sparse CSR where they are stored so."""
        layout = self.layouts[name]
        ones = torch.ones_like(self.values(name)) if layout.mask is None else layout.mask
        return self.matrix(name, ones).to(torch.bool)

    def align(self, plans: Sequence[Plan]) -> None:
        """Lay dense weights out in memory as their products are fastest, before anything else is laid like them.

        Products with weights ``[pre, post]`` take 0.93 to 1.01 of the time (docs/performance.md), where such rows fill
        a register. But of two projections that read one batch mean, one of them transposed, both have to run the same
        way: an elementwise pass over weights and mean is slow otherwise.
        """
        changes = [(p, c) for plan in plans for p in plan.plastic() for c in p.changes]
        turned = {p.name for p, c in changes if c.transposed}
        partners = {c.moment for _, c in changes if c.transposed}
        straight = {p.name for p, c in changes if c.moment in partners} - turned
        for name, layout in self.layouts.items():
            if name not in self.own or not isinstance(layout, DenseLayout):
                continue
            if name in turned or (name not in straight and layout.shape[0] >= REGISTER):
                layout.lie_along_post()
                for key in (name, *(key for key in self.own if key.startswith(f"{name}."))):
                    self.own[key] = layout.laid(self.own[key])

    # -- writing

    def own_name(self, name: str) -> str:
        """The name, if the projection has weights of its own."""
        p = self.motif.projection(name)
        if p.weight is not None:
            raise ParameterError(f"projection {p.name!r} is tied to {p.weight.projection!r}; change that one")
        return p.name

    def write(self, name: str, weights: Any) -> None:
        """Write ``[post, pre]`` or ``[replica, post, pre]``; see `Circuit.set_weights`."""
        values, layout = self.own[self.own_name(name)], self.layouts[name]
        try:
            matrix = weights if isinstance(weights, Tensor) else torch.as_tensor(np.array(weights, dtype=float))
        except (TypeError, ValueError) as error:
            raise ParameterError(f"projection {name!r}: weights must be an array of numbers ({error})") from None
        matrix = matrix.detach().to(device=values.device, dtype=values.dtype)
        shape = (self.n_replicas, *layout.shape)
        if tuple(matrix.shape) not in (shape, shape[1:]):
            raise ParameterError(f"projection {name!r}: weights have shape {tuple(matrix.shape)}, needs {shape}")
        entries = matrix if matrix.layout == torch.strided else matrix.values()
        if not torch.isfinite(entries).all():
            raise ParameterError(f"projection {name!r}: weights hold values that are not finite")
        try:
            values.copy_(layout.from_matrix(matrix.unsqueeze(0) if matrix.ndim == 2 else matrix))
        except ValueError:
            raise ParameterError(
                f"projection {name!r}: a weight is given where there is no synapse; use 0 there"
            ) from None

    def prune(self, name: str, threshold: float) -> Tensor:
        """Remove all synapses with ``|w| < threshold``; returns how many, ``[replica]``."""
        if not (is_number(threshold) and threshold >= 0):
            raise ParameterError(f"projection {name!r}: threshold must be a number, 0 or more (got {threshold!r})")
        values, layout = self.own[self.own_name(name)], self.layouts[name]
        present = torch.ones_like(values) if layout.mask is None else layout.mask.expand_as(values)
        kept = present * (values.abs() >= threshold)
        self.set_mask(name, kept)
        for key in (name, *(key for key in self.own if key.startswith(f"{name}."))):
            self.own[key].mul_(kept)
            for replica, weights in self.held.items():
                weights[key].mul_(kept[replica])
        return (present - kept).sum((1, 2)).long()

    def set_mask(self, name: str, mask: Tensor) -> None:
        """Change which synapses exist, also of the projections tied to this one."""
        layout = self.layouts[name]
        layout.mask, self.n_mask_changes = mask, self.n_mask_changes + 1
        for p in self.motif.projections:
            if p.weight is not None and p.weight.projection == name:
                run = Workspace().of(self)
                self.layouts[p.name].mask = layout.transposed(run, mask) if p.weight.transpose else mask

    # -- snapshots

    def snapshot(self) -> dict[str, Tensor]:
        """A copy of all weights."""
        return {name: values.clone() for name, values in self.own.items()}

    def hold(self, replica: int, snapshot: Snapshot) -> None:
        """Put one replica back to a snapshot; `keep_held` keeps it there."""
        self.held[replica] = {name: values[replica].clone() for name, values in snapshot.items()}
        self.keep_held()

    def keep_held(self) -> None:
        """Undo what a step did to held replicas; the others are not touched."""
        for replica, weights in self.held.items():
            for name, held in weights.items():
                self.own[name][replica] = held

    # -- files

    def tensors(self) -> dict[str, Tensor]:
        """Everything to be saved, on the CPU: ``weights/<name>``, ``mask/<name>``, ``held/<replica>/<name>``."""
        found = {f"weights/{name}": values for name, values in self.own.items()}
        for name in self.own:
            mask = self.layouts[name].mask if name in self.layouts else None
            if mask is not None:
                found[f"mask/{name}"] = mask != 0
        for replica, weights in self.held.items():
            found |= {f"held/{replica}/{name}": values for name, values in weights.items()}
        return {key: tensor.contiguous().cpu() for key, tensor in found.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `tensors` gave.

        Raises:
            ParameterError: an entry is missing, unknown, of the wrong shape or type, or not finite.
        """
        replicas = [r for r in range(self.n_replicas) if any(key.startswith(f"held/{r}/") for key in tensors)]
        wanted = {f"weights/{name}": values for name, values in self.own.items()}
        wanted |= {f"held/{r}/{name}": values[r] for r in replicas for name, values in self.own.items()}
        masks = {f"mask/{name}": values for name, values in self.own.items() if f"mask/{name}" in tensors}
        stray = set(tensors) ^ (set(wanted) | set(masks))
        if stray:
            raise ParameterError(f"entries {sorted(stray)} are missing or unknown")
        for key, like in wanted.items():
            _check_entry(key, tensors[key], {tuple(like.shape)}, like.dtype)
        for key, like in masks.items():
            _check_entry(key, tensors[key], {tuple(like.shape), (1, *like.shape[1:])}, torch.bool)
        for name, values in self.own.items():
            values.copy_(tensors[f"weights/{name}"])
            if f"mask/{name}" in tensors:
                self.set_mask(name, self.layouts[name].laid(tensors[f"mask/{name}"].to(values.device, values.dtype)))
        for r in replicas:
            self.held[r] = {name: tensors[f"held/{r}/{name}"].to(values.device) for name, values in self.own.items()}


def _check_entry(key: str, found: Tensor, shapes: set[tuple[int, ...]], dtype: torch.dtype) -> None:
    if tuple(found.shape) not in shapes or found.dtype != dtype:
        raise ParameterError(f"entry {key!r} is {tuple(found.shape)} {found.dtype}, needs {max(shapes)} {dtype}")
    if not torch.isfinite(found).all():
        raise ParameterError(f"entry {key!r} holds values that are not finite")
