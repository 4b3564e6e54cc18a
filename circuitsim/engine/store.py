"""Storage of weights and states, with pruning, snapshots and pinned replicas."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuitsim.engine.bounds import bounded_
from circuitsim.engine.decay import Owed
from circuitsim.engine.draws import reversed_synapses, union
from circuitsim.engine.given import read_weights
from circuitsim.engine.layout import DenseLayout, Layout, OneToOneLayout, SparseLayout, derive
from circuitsim.engine.parameters import Parameters
from circuitsim.engine.runaway import Runaway
from circuitsim.errors import ParameterError
from circuitsim.motif import Motif, Projection
from circuitsim.motif.state import lasting
from circuitsim.motif.synapses import bounds_of
from circuitsim.plan import Synapses, synapses_of
from circuitsim.plan.quantities import synapse

Snapshot = Mapping[str, Tensor]  # weights and states in storage layout, keyed by name
REGISTER = 16  # float32 numbers in the widest register of common CPUs


class WeightStore:
    """Weights in the layouts of their projections. The weights of derived projections are read from their source.

    Attributes:
        own: weights and states, which a step changes in place, keyed by their names in programs, such as ``V1:w``,
            ``V1:e`` or ``up1.theta``.
        owners: the projections with weights of their own.
        like: a tensor of the circuit's data type and device.
        parameters: the parameters of rules, set when the layouts are aligned.
        owed: decay that could not be represented so far (`circuitsim.engine.decay`).
        recorded: the projections whose changes in the last step are kept.
        changes: these changes, in storage layout, keyed by projection; empty before the first step.
        pinned: the replicas that steps leave as they are, each with the report of its runaway, if that is why.
        lesioned: the neurons whose synapses are removed for good, keyed by population.
        n_mask_changes, n_writes: counts of changes of masks, and of writes other than by a step.
    """

    def __init__(
        self, motif: Motif, n_replicas: int, layouts: dict[str, Layout], own: dict[str, Tensor], like: Tensor
    ) -> None:
        self.motif, self.n_replicas, self.layouts, self.own, self.like = motif, n_replicas, layouts, own, like
        self.parameters: Parameters
        self.owed: Owed = {}
        self.recorded: Collection[str] = ()
        self.changes: dict[str, Tensor] = {}
        self._before: dict[str, Tensor] = {}  # memory for the weights of recorded projections before a step
        self.pinned: dict[int, Runaway | None] = {}
        self.lesioned: dict[str, list[int]] = {}
        self.n_mask_changes = self.n_writes = 0
        self.owners = [p for p in motif.projections if p.tied_to is None]
        self._patterns = {p.name: synapses_of(motif, p).pattern for p in motif.projections}
        self._moved: set[str] = set()  # the patterns whose synapses are no longer at the places that were drawn
        self._turned: dict[str, Layout] = {}

    # -- reading

    def layout_of(self, synapses: Synapses) -> Layout:
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
        for p in self.owners:
            layout = self.layouts[p.name]
            along_post = p.name in turned or (p.name not in straight and layout.shape[0] >= REGISTER)
            if isinstance(layout, DenseLayout) and along_post:
                layout.lie_along_post()
                for key in self.keys_of(p.name):
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
        changed = [r for r in sorted(self.pinned) if not torch.equal(written.expand_as(values)[r], values[r])]
        if changed:
            raise ParameterError(
                f"projection {name!r}: replicas {changed} are pinned, and these weights would change them: release "
                "them first with circuit.release_replica, or pass weights [replica, post, pre] that keep theirs"
            )
        values.copy_(written)
        self.owed.pop(key, None)
        self.n_writes += 1

    def relays(self) -> frozenset[str]:
        """The projections of one synapse for each neuron, all of weight 1, which no step changes."""
        fixed = [p.name for p in self.owners if not p.is_plastic and isinstance(self.layouts[p.name], OneToOneLayout)]
        return frozenset(name for name in fixed if bool((self.values(name) == 1.0).all()))

    def present(self, name: str) -> Tensor:
        """A copy of the mask of a projection with weights of its own, with a place for every weight."""
        values, mask = self.values(name), self.layouts[name].mask
        return torch.ones_like(values) if mask is None else torch.empty_like(values).copy_(mask)

    def synapses(self, name: str) -> list[np.ndarray]:
        """The numbers of the synapses of each replica, ``post * n_pre + pre``, in ascending order."""
        return [self.layouts[name].numbered(r).cpu().numpy() for r in range(self.n_replicas)]

    def add_synapses(self, name: str, added: Sequence[np.ndarray], weights: Sequence[np.ndarray]) -> None:
        """Make synapses where none are, from their numbers and weights in each replica. Their states start anew."""
        p = self.motif.projection(name)
        if isinstance(self.layouts[name], SparseLayout):
            self._make_room(p, added)
        layout, mask = self.layouts[name], self.present(name)
        for r, (numbers, drawn) in enumerate(zip(added, weights, strict=True)):
            places = layout.places(torch.from_numpy(numbers), r)
            mask[r][places] = 1.0
            self.values(name)[r][places] = torch.from_numpy(drawn).to(self.like)
            for state, declared in lasting(p.state).items():
                self.own[synapse(state, name).name][r][places] = float(declared.start)
        self.set_mask(name, mask)

    def _make_room(self, p: Projection, added: Sequence[np.ndarray]) -> None:
        """Make places for new synapses of a sparse projection. Places where no synapse is are given away first.

        Projections that share a pattern have the same places, where each has its own synapses, since programs compute
        products at the places of a pattern.
        """
        root, turned = self._patterns[p.name]
        found = [reversed_synapses(numbers, self.layouts[p.name].shape) if turned else numbers for numbers in added]
        for q in self._of_pattern(root):
            for r, numbers in enumerate(self.synapses(q.name)):
                turn = self._patterns[q.name][1]
                same = reversed_synapses(numbers, self.layouts[q.name].shape) if turn else numbers
                found[r] = union(found[r], same)  # type: ignore[arg-type]
        layout = self.layouts[root]
        placed = SparseLayout.of(layout.shape, found, self.like, layout.value_shape[1])  # type: ignore[arg-type]
        self._place(root, placed.numbers)

    def _of_pattern(self, root: str) -> list[Projection]:
        """The projections with weights of their own that share a pattern of synapses."""
        return [q for q in self.owners if self._patterns[q.name][0] == root]

    def _place(self, root: str, numbers: Tensor) -> None:
        """Move the synapses of a sparse pattern to other places. Synapses without a place there are lost."""
        placed = SparseLayout(self.layouts[root].shape, numbers, None)
        for q in self._of_pattern(root):
            old, present = self.layouts[q.name], self.present(q.name)
            new = placed.reversed() if self._patterns[q.name][1] else placed
            assert isinstance(old, SparseLayout)
            new.mask = new.taken(present, old.numbers)
            self.layouts[q.name] = new
            for key in self.keys_of(q.name):
                self.own[key] = new.taken(self.own[key], old.numbers)
            if q.name in self.changes:
                self.changes[q.name] = new.taken(self.changes[q.name], old.numbers)
            self._before.pop(q.name, None)
        derive(self.motif, self.layouts)
        self._moved.add(root)
        self.parameters = self.parameters.placed(self.layouts)

    def set_mask(self, name: str, mask: Tensor) -> None:
        """Set which synapses exist, in this projection and in those tied to it. Absent ones hold 0 from now on."""
        layout = self.layouts[name]
        mask = layout.laid(mask)
        layout.mask, self.n_mask_changes, self.n_writes = mask, self.n_mask_changes + 1, self.n_writes + 1
        derive(self.motif, self.layouts)
        self._turned = {}
        for key in self.own:
            self._restrict(key)

    def _restrict(self, key: str) -> None:
        """Set weights or synaptic states to 0 at absent synapses. Everything that is copied into the store passes here,
        so that a pruned synapse stays absent, whatever a snapshot or a file holds at its place."""
        projection, colon, _ = key.partition(":")
        if colon:
            self.layouts[projection].restrict_(self.own[key])

    def bound(self, p: Projection) -> None:
        """Clip the weights of a projection to its bounds."""
        self.layouts[p.name].restrict_(bounded_(self.values(p.name), bounds_of(self.motif, p)))

    # -- snapshots and pins

    def snapshot(self, into: Snapshot | None = None) -> Snapshot:
        """Copy all weights and states, into the memory of an earlier snapshot if `into` is given.

        The places of sparse synapses belong to it, since their weights are at other places after growth.
        """
        into = {} if into is None else self._checked(into)
        found = self._places()
        for name, values in self.own.items():
            old = into.get(name)
            is_fit = old is not None and old.shape == values.shape
            found[name] = old.copy_(values) if old is not None and is_fit else values.clone()
        return found

    def _places(self) -> dict[str, Tensor]:
        """The numbers of all places of each sparse pattern, ``[R, K]``, which never change in place."""
        roots = {root: self.layouts[root] for root, _ in self._patterns.values()}
        return {f"places/{root}": at.numbers for root, at in roots.items() if isinstance(at, SparseLayout)}

    def pin(self, replica: int, snapshot: Snapshot | None, runaway: Runaway | None) -> None:
        """Set one replica to a snapshot, or leave it as it is, and keep it there."""
        if snapshot is not None:
            self._checked(snapshot)
            for name in self.own:
                if not torch.isfinite(snapshot[name][replica]).all():
                    raise ParameterError(f"the snapshot's {name!r} of replica {replica} is not finite; take another")
            for name, values in self.own.items():
                values[replica] = self._of_snapshot(snapshot, name)[replica]
                self._restrict(name)
        self.pinned[replica] = runaway or self.pinned.get(replica)
        self.n_writes += 1

    def release(self, replica: int) -> None:
        """Let a pinned replica change again."""
        del self.pinned[replica]
        self.n_writes += 1

    def _of_snapshot(self, snapshot: Snapshot, key: str) -> Tensor:
        """Weights or states of a snapshot, at the places where their synapses are now."""
        projection, colon, _ = key.partition(":")
        layout = self.layouts[projection] if colon else None
        if not isinstance(layout, SparseLayout):
            return snapshot[key]
        root, turned = self._patterns[projection]
        numbers = snapshot[f"places/{root}"]
        placed = SparseLayout(self.layouts[root].shape, numbers, None)
        return layout.taken(snapshot[key], placed.turn[0] if turned else numbers)

    def _checked(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot that was taken of a circuit of this motif with as many replicas.

        Raises:
            ParameterError: it was not.
        """
        needed = sorted({**self.own, **self._places()})
        if not isinstance(snapshot, Mapping) or sorted(snapshot) != needed:
            holds = sorted(snapshot) if isinstance(snapshot, Mapping) else type(snapshot).__name__
            raise ParameterError(f"the snapshot holds {holds}, needs {needed}: take it with circuit.snapshot")
        for name, values in self.own.items():
            found = snapshot[name]
            is_listed = ":" in name and isinstance(self.layouts[name.partition(":")[0]], SparseLayout)
            n = 2 if is_listed else 3
            if not isinstance(found, Tensor) or found.shape[:n] != values.shape[:n]:
                what = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
                raise ParameterError(
                    f"the snapshot's {name!r} has {what}, needs {tuple(values.shape)}: take it from the same circuit"
                )
        return snapshot

    def stepping(self) -> contextlib.AbstractContextManager[None]:
        """Record the changes made in this context, unless it fails, and put the pinned replicas back as they were, even
        if it does."""
        return self._watching() if self.recorded or self.pinned else contextlib.nullcontext()

    @contextlib.contextmanager
    def _watching(self) -> Iterator[None]:
        weights = {name: self.values(name) for name in self.recorded}
        for name, w in weights.items():
            self._before.setdefault(name, torch.empty_like(w)).copy_(w)
        rows = torch.tensor(sorted(self.pinned), device=self.like.device, dtype=torch.int64)
        kept = {name: values.index_select(0, rows) for name, values in self.own.items()} if self.pinned else {}
        try:
            yield
        finally:
            for name, values in kept.items():
                self.own[name].index_copy_(0, rows, values)
        for name, w in weights.items():  # subtracted, so that recording cannot change what a step does
            torch.sub(w, self._before[name], out=self.changes.setdefault(name, torch.empty_like(w)))

    # -- files

    def tensors(self) -> dict[str, Tensor]:
        """The tensors to be saved, on the CPU: ``weights/V1``, ``weights/V1:e``, ``weights/up1.theta``, ``mask/V1``,
        ``owed/V1``, and ``places/V1`` where synapses have grown in a sparse projection."""
        found = {f"weights/{in_file(name)}": values for name, values in self.own.items()}
        found |= {f"mask/{name}": mask != 0 for name, mask in self._masks().items()}
        found |= {key: numbers for key, numbers in self._places().items() if key.removeprefix("places/") in self._moved}
        for name, logarithm in self.owed.items():
            found[f"owed/{in_file(name)}"] = torch.as_tensor(np.array(logarithm, dtype=float))
        return {key: tensor.contiguous().cpu() for key, tensor in found.items()}

    def _masks(self) -> dict[str, Tensor]:
        """The masks of projections with weights of their own in which a synapse is absent."""
        masks = {p.name: self.layouts[p.name].mask for p in self.owners}
        return {name: mask for name, mask in masks.items() if mask is not None}

    def restore(self, tensors: Mapping[str, Tensor], finite: bool = True) -> None:
        """Restore what `tensors` returned, in a store that has just been made. With `finite`, numbers must be finite.

        Raises:
            ParameterError: an entry is missing or unknown, has the wrong shape or type, or is not finite.
        """
        places = {key: numbers for key, numbers in self._places().items() if key in tensors}
        for key in places:
            self._place(key.removeprefix("places/"), self._read_places(key, tensors[key]))
        wanted = {f"weights/{in_file(name)}": values for name, values in self.own.items()}
        names = [p.name for p in self.owners if f"mask/{p.name}" in tensors or p.name in self._masks()]
        masks = {f"mask/{name}": self.values(name) for name in names}
        owed = {f"owed/{in_file(name)}": name for name in self.own if f"owed/{in_file(name)}" in tensors}
        stray = set(tensors) ^ {*wanted, *masks, *owed, *places}
        if stray:
            raise ParameterError(f"entries {sorted(stray)} are missing or unknown")
        for key, like in wanted.items():
            _check_entry(key, tensors[key], {tuple(like.shape)}, like.dtype, finite)
        for key, like in masks.items():
            _check_entry(key, tensors[key], {tuple(like.shape), (1, *like.shape[1:])}, torch.bool, finite)
        for key in owed:
            _check_entry(key, tensors[key], {(), (self.n_replicas, 1, 1)}, torch.float64, finite)
        self.n_writes += 1
        for name in names:  # before the weights, since a mask that has grown would come too late
            mask = tensors[f"mask/{name}"].to(self.like.device, self.like.dtype)
            self.set_mask(name, mask)
        for name, values in self.own.items():
            values.copy_(tensors[f"weights/{in_file(name)}"])
            self._restrict(name)
        entries = {name: tensors[key] for key, name in owed.items()}
        self.owed = {name: e.numpy().copy() if e.ndim else float(e) for name, e in entries.items()}
        for p in self.owners:  # weights in files of earlier versions may lie outside their bounds
            self.bound(p)

    def _read_places(self, key: str, found: Tensor) -> Tensor:
        """Check the numbers of places, and return them on the circuit's device."""
        n_post, n_pre = self.layouts[key.removeprefix("places/")].shape
        _check_entry(key, found, {(self.n_replicas, *found.shape[1:])}, torch.int64, finite=True)
        if found.ndim != 2 or not bool(((found >= 0) & (found < n_post * n_pre)).all() & (found.diff() > 0).all()):
            raise ParameterError(f"entry {key!r} does not hold the numbers of pairs of neurons in ascending order")
        return found.to(self.like.device)


def in_file(name: str) -> str:
    """The name of weights or states in files, which is the projection's own name for weights."""
    return name.removesuffix(":w")


def _check_entry(key: str, found: Tensor, shapes: set[tuple[int, ...]], dtype: torch.dtype, finite: bool) -> None:
    if tuple(found.shape) not in shapes or found.dtype != dtype:
        raise ParameterError(f"entry {key!r} is {tuple(found.shape)} {found.dtype}, needs {max(shapes)} {dtype}")
    if finite and not torch.isfinite(found).all():
        raise ParameterError(f"entry {key!r} holds values that are not finite")
