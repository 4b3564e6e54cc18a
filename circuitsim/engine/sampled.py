"""Evaluation of terms that do not factor, in which quantities of the sample mix both ends of a synapse.

They are evaluated at every synapse for a few samples at a time, so that no array over the whole batch is needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.kernels import Kernel, reduce_values
from circuitsim.engine.layout import SparseLayout
from circuitsim.engine.operations import OPERATIONS
from circuitsim.engine.workspace import Workspace
from circuitsim.plan.instructions import Body, Instruction, Operand, Register

AT_A_TIME = {"cpu": 2**17, "cuda": 2**18}  # the most numbers that are computed at a time; on a CPU, those in its cache


def mean(to: Workspace, i: Instruction) -> None:
    """The batch mean at each synapse."""
    (layout, out), (_, body) = to.at_synapses(i), i.options

    def run() -> None:
        out.zero_()
        for sampled in _chunks(to, layout):
            out.add_(sampled.whole(body).sum(1))
        out.mul_(to.scale)

    to.calls.add(run)


def values(to: Workspace, i: Instruction) -> None:
    """The value at each synapse for each sample."""
    layout, body = to.layout(i.options[0]), i.options[1]
    out = to.in_place(i, i.reads, (to.n_replicas, to.n_own, *layout.value_shape))

    def run() -> None:
        for sampled in _chunks(to, layout):
            sampled.write(body, out[:, sampled.samples])

    to.calls.add(run)


def reduce(to: Workspace, i: Instruction) -> None:
    """A sum or maximum over synapses for each sample."""
    synapses, kind, body = i.options
    layout, out = to.layout(synapses), to.buffer(i.out, (to.n_replicas, to.n_own, i.out.size))

    def run() -> None:
        for sampled in _chunks(to, layout):
            values = sampled.whole(body)
            for k in range(values.shape[1]):
                one = values[:, k].clone(memory_format=torch.contiguous_format)
                found = out.new_empty((out.shape[0], 1, out.shape[2]))
                reduce_values(_now, layout, kind, one, found)
                out[:, sampled.samples][:, k : k + 1] = found

    to.calls.add(run)


def _now(function: Any, *args: Any, **options: Any) -> None:
    function(*args, **options)


def _chunks(to: Workspace, layout: Any) -> Iterator[_Sampled]:
    """A few samples at a time."""
    most = AT_A_TIME.get(to.like.device.type, AT_A_TIME["cuda"])
    n = max(1, most // max(1, to.n_replicas * math.prod(layout.value_shape)))
    for start in range(0, to.n_own, n):
        yield _Sampled(to, layout, slice(start, min(start + n, to.n_own)))


class _Sampled:
    """Evaluates a body for a few samples. Values at synapses have an axis of samples after the axis of replicas."""

    def __init__(self, to: Workspace, layout: Any, samples: slice) -> None:
        self.to, self.layout, self.samples = to, layout, samples
        self.shape = (to.n_replicas, samples.stop - samples.start, *layout.value_shape)

    def whole(self, body: Body) -> Tensor:
        """The result of the body at each synapse for each sample, ``[R, samples, *values]``."""
        value = self.operand(body.result, self.inside(body.instructions))
        return torch.as_tensor(value, dtype=self.to.like.dtype, device=self.to.like.device).expand(self.shape)

    def write(self, body: Body, out: Tensor) -> None:
        """Write the result of the body, which the last operation does itself if it can."""
        *earlier, last = body.instructions or (None,)
        if last is not None and last.op in OPERATIONS and last.out is body.result:
            inside = self.inside(earlier)
            args = [self.operand(a, inside) for a in last.args]
            if any(isinstance(a, Tensor) and a.shape == self.shape for a in args):
                OPERATIONS[last.op](*args, out=out)
                return
        out.copy_(self.whole(body))

    def inside(self, instructions: Iterable[Instruction]) -> dict[Register, Any]:
        """The values of registers that a body computes."""
        found: dict[Register, Any] = {}
        for i in instructions:
            if i.op not in OPERATIONS:
                found[i.out] = self.placed(i)
                continue
            args = [self.operand(a, found) for a in i.args]
            if not any(isinstance(a, Tensor) for a in args):
                args = [torch.as_tensor(a, dtype=self.to.like.dtype, device=self.to.like.device) for a in args]
            found[i.out] = OPERATIONS[i.op](*args)
        return found

    def operand(self, value: Operand, inside: Mapping[Register, Any]) -> Any:
        """The value of an operand: what the body computes, a number, a parameter, a weight or a state."""
        if not isinstance(value, Register):
            return float(value)
        if value in inside:
            return inside[value]
        if value.is_scalar and value not in self.to.per_replica:
            return float(self.to.scalars[value])
        tensor = self.to.operand(value)
        return tensor[:, self.samples] if value.batch else tensor.unsqueeze(1)

    def placed(self, i: Instruction) -> Tensor:
        """A vector over neurons at each synapse: ``[R, samples, post, 1]``, ``[R, samples, 1, pre]`` or, for sparse
        synapses, ``[R, samples, 1, K]``."""
        values = self.to.of(i.registers[0])
        values = values[:, self.samples] if values.shape[1] > 1 else values
        if i.op == "at_sample":
            return values.unsqueeze(-1)
        if isinstance(self.layout, SparseLayout):
            post, pre = self.layout.numbers // self.layout.shape[1], self.layout.numbers % self.layout.shape[1]
            places = (post if i.op == "at_post" else pre).unsqueeze(1).expand(-1, values.shape[1], -1)
            return values.expand(len(places), -1, -1).gather(2, places).unsqueeze(2)
        if self.layout.value_shape != self.layout.shape:  # one to one
            return values.unsqueeze(2)
        return values.unsqueeze(-1) if i.op == "at_post" else values.unsqueeze(-2)


KERNELS: dict[str, Kernel] = {"sample_mean": mean, "sample_values": values, "sample_reduce": reduce}
