"""Reconstruct the weights before a step by undoing their change.

A step does not compute a current that its products can do without. If the current is read after the step, it is
computed from the weights before the change, ``(w - change) / decay_factor``. The change is computed from the registers
of the step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from circuitsim.errors import ParameterError
from circuitsim.plan import Image
from circuitsim.plan.instructions import Instruction, Operand, Register

if TYPE_CHECKING:
    from circuitsim.engine.lower import Lowered

LARGEST_CHANGE = 1.0  # relative to the weights; undoing a larger change would show its rounding errors
SMALLEST_DECAY_FACTOR = 0.5  # dividing by a smaller one would amplify rounding errors too much


def recomputed(lowered: Lowered, image: Image) -> Tensor:
    """A vector that the last step did not keep, computed from the weights before their change.

    Raises:
        ParameterError: those weights cannot be reconstructed.
    """
    assert image.matrix is not None
    if lowered.store.n_writes != lowered.n_writes and image.matrix in lowered.program.states.values():
        raise ParameterError("weights have been written since the step")
    found = lowered.of(image.base) @ before_change(lowered, image.matrix).transpose(1, 2)
    return found if image.scale is None else found * lowered.of(image.scale)


def before_change(lowered: Lowered, register: Register) -> Tensor:
    """The values of a register when the step read them, even if they are weights that have changed since.

    Raises:
        ParameterError: the change cannot be undone.
    """
    if register not in lowered.changes:
        base = register
        while base in lowered.views:
            base = lowered.views[base]
        if base is not register and base in lowered.changes and lowered.changes[base][1] < lowered.n_phases_done:
            raise ParameterError(f"{base.name} has changed since it was read")
        return lowered.of(register)
    change, phase = lowered.changes[register]
    if phase >= lowered.n_phases_done:
        return lowered.of(register)
    if change.op == "assign":
        raise ParameterError(f"{register.name} has been assigned a new value since it was read")
    after = before_change(lowered, change.out)  # a later phase may have changed them again
    factor = lowered.last_value(lowered.decay_factors[register])
    if bool(torch.as_tensor(factor < SMALLEST_DECAY_FACTOR).any()):
        raise ParameterError(f"{register.name} decayed so much that its earlier values are lost in rounding")
    changed = _change(lowered, change)
    if _largest(changed) > LARGEST_CHANGE * _largest(after - changed):
        raise ParameterError(f"{register.name} changed so much that its earlier values are lost in rounding")
    found = (after - changed) / factor
    absent = lowered.layout(change.options[0]).absent
    found = found if absent is None else found.masked_fill(absent, 0.0)
    for replica in lowered.store.pinned:  # pinned weights were restored after the step
        found[replica] = lowered.of(register)[replica]
    return found


def _largest(values: Tensor) -> float:
    return float(values.abs().max()) if values.numel() else 0.0


def _change(lowered: Lowered, i: Instruction) -> Tensor:
    """The sum that an instruction added to weights."""

    def scalar(value: Operand) -> Tensor | float:
        operand = lowered.operand(value)
        return operand if isinstance(operand, Tensor) else float(lowered.last_value(operand))

    def tensor(value: Operand) -> Tensor | float:
        return before_change(lowered, value) if isinstance(value, Register) and not value.is_scalar else scalar(value)

    if i.op == "change":
        pairs = zip(i.args[2::2], i.args[3::2], strict=True)
        terms = [torch.as_tensor(scalar(scale) * tensor(value), dtype=lowered.like.dtype) for scale, value in pairs]
        return sum(terms, torch.zeros_like(lowered.tensors[i.out]))
    rate, (a, b) = scalar(i.args[2]), (tensor(x) for x in i.args[3:])
    assert isinstance(a, Tensor) and isinstance(b, Tensor)
    if len(i.options) == 2:  # of vectors, so the batch mean of their products
        return rate * (a.transpose(1, 2) @ b) * lowered.scale
    a, b = (x.transpose(1, 2) if turned else x for x, turned in zip((a, b), i.options[2:], strict=True))
    return rate * (a @ b)
