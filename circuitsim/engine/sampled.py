"""Evaluation of terms that do not factor, in which quantities of the sample mix both ends of a synapse.

They are evaluated at every synapse for a few samples at a time, so that no array over the whole batch is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from circuitsim.engine.kernels import reduce as reduce_values
from circuitsim.engine.layout import SparseLayout
from circuitsim.engine.operations import OPERATIONS
from circuitsim.engine.workspace import Workspace
from circuitsim.plan import Instruction, Register
from circuitsim.plan.instructions import Body, Operand

AT_A_TIME = {"cpu": 2**16, "cuda": 2**18}  # the most numbers that are computed at a time; on a CPU, those in its cache


def mean(to: Workspace, layout: Any, body: Body, out: Tensor) -> None:
    """Compute the batch mean at each synapse."""
    out.zero_()
    for values in _chunks(to, layout, body):
        out.add_(values.sum(1) if values.shape[1] > 1 else values[:, 0])
    out.mul_(to.scale)


def values(to: Workspace, layout: Any, body: Body, out: Tensor) -> None:
    """Compute the value at each synapse for each sample."""
    start = 0
    for found in _chunks(to, layout, body):
        out[:, start : start + found.shape[1]] = found
        start += found.shape[1]


def reduce(to: Workspace, layout: Any, kind: str, body: Body, out: Tensor) -> None:
    """Compute a sum or maximum over synapses for each sample."""
    sample = 0
    for values in _chunks(to, layout, body):
        for k in range(values.shape[1]):
            one = values[:, k].clone(memory_format=torch.contiguous_format)
            found = out.new_empty((out.shape[0], 1, out.shape[2]))
            reduce_values(_now, layout, kind, one, found)
            out[:, sample : sample + 1] = found
            sample += 1


def _now(function: Any, *args: Any, **options: Any) -> None:
    function(*args, **options)


def _chunks(to: Workspace, layout: Any, body: Body) -> Iterator[Tensor]:
    """Yield the values of a few samples at a time, ``[R, samples, *values]``."""
    shape = to.n_replicas, *layout.value_shape
    most = AT_A_TIME.get(to.like.device.type, AT_A_TIME["cuda"])
    n = max(1, most // max(1, shape[0] * shape[1] * shape[2]))
    for start in range(0, to.n_own, n):
        samples = slice(start, min(start + n, to.n_own))
        values = _Sampled(to, layout, samples).value(body)
        yield torch.as_tensor(values, dtype=to.like.dtype, device=to.like.device).expand(
            shape[0], samples.stop - start, *shape[1:]
        )


class _Sampled:
    """Evaluates a body for a few samples. Values at synapses have an axis of samples after the axis of replicas."""

    def __init__(self, to: Workspace, layout: Any, samples: slice) -> None:
        self.to, self.layout, self.samples = to, layout, samples

    def value(self, body: Body) -> Any:
        """The result of the body."""
        inside: dict[Register, Any] = {}
        for i in body.instructions:
            if i.op in OPERATIONS:
                args = [inside[a] if isinstance(a, Register) and a in inside else self.outside(a) for a in i.args]
                inside[i.out] = self.elementwise(i, args)
            else:
                inside[i.out] = self.placed(i)
        result = body.result
        return inside[result] if isinstance(result, Register) and result in inside else self.outside(result)

    def elementwise(self, i: Instruction, args: list[Any]) -> Any:
        if not any(isinstance(a, Tensor) for a in args):
            args = [torch.as_tensor(a, dtype=self.to.like.dtype, device=self.to.like.device) for a in args]
        return OPERATIONS[i.op](*args)

    def outside(self, value: Operand) -> Any:
        """The value of an operand from outside the body: a number, a parameter, a weight or a state."""
        if not isinstance(value, Register):
            return float(value)
        if value.is_scalar and not self.to.is_per_replica(value):
            return float(self.to.scalars[value])
        tensor = self.to.operand(value)
        return tensor[:, self.samples] if value.batch else tensor.unsqueeze(1)

    def placed(self, i: Instruction) -> Tensor:
        """A vector over neurons at each synapse: ``[R, samples, post, 1]``, ``[R, samples, 1, pre]`` or, for sparse
        synapses, ``[R, samples, 1, K]``."""
        (vector,) = i.args
        assert isinstance(vector, Register)
        values = self.to.of(vector)
        values = values[:, self.samples] if values.shape[1] > 1 else values
        if i.op == "at_sample":
            return values.unsqueeze(-1)
        if isinstance(self.layout, SparseLayout):
            places = (
                self.layout.numbers // self.layout.shape[1]
                if i.op == "at_post"
                else self.layout.numbers % self.layout.shape[1]
            )
            places = places.unsqueeze(1).expand(-1, values.shape[1], -1)
            return values.expand(len(places), -1, -1).gather(2, places).unsqueeze(2)
        if self.layout.value_shape != self.layout.shape:  # one to one
            return values.unsqueeze(2)
        return values.unsqueeze(-1) if i.op == "at_post" else values.unsqueeze(-2)
