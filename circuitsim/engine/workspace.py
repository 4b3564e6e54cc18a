"""Buffers of a step: every operation writes where it wrote the step before, so a steady step allocates nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import Any

from torch import Tensor

from circuitsim.engine.tape import Tape

Operation = Callable[..., Tensor]  # takes ``out=``, as the functions of torch do
MAX_WORKSPACES = 4  # shapes of a batch that are remembered: an epoch has two, its last batch being smaller


class Workspace:
    """The buffers of one shape of batch, by the place in the program that writes them.

    The first call of an operation makes its result, in the strides that suit it; later calls write into it. So a fresh
    workspace is ordinary torch, under autograd too.
    """

    def __init__(self) -> None:
        self.n_steps = 0  # that were run in it
        self.tape: Tape | None = None  # of such a step
        self._buffers: dict[tuple[Hashable, Hashable], Tensor] = {}
        self.run = self.of(None)

    def of(self, owner: Hashable) -> Callable[..., Tensor]:
        """A function ``run(site, operation, *arguments, **options)``, which gives the operation's result in a buffer.

        Args:
            owner: with the site, names who writes into the buffer; one for each call within a step.
        """
        return functools.partial(self._run, owner)

    def _run(self, owner: Hashable, site: Hashable, operation: Operation, *arguments: Any, **options: Any) -> Tensor:
        buffer = self._buffers.get((owner, site))
        if buffer is None:
            buffer = self._buffers[owner, site] = operation(*arguments, **options)
            return buffer
        return operation(*arguments, out=buffer, **options)

    @property
    def n_bytes(self) -> int:
        """The memory that the buffers take."""
        storages = {b.untyped_storage().data_ptr(): b.untyped_storage().nbytes() for b in self._buffers.values()}
        return sum(storages.values())


class Workspaces:
    """A workspace for each shape of batch; the oldest is dropped when there are too many."""

    def __init__(self) -> None:
        self._by_shape: dict[Hashable, Workspace] = {}

    def __getitem__(self, shape: Hashable) -> Workspace:
        if shape not in self._by_shape:
            if len(self._by_shape) == MAX_WORKSPACES:
                del self._by_shape[next(iter(self._by_shape))]
            self._by_shape[shape] = Workspace()
        return self._by_shape[shape]

    @property
    def n_bytes(self) -> int:
        """The memory that all buffers take."""
        return sum(workspace.n_bytes for workspace in self._by_shape.values())
