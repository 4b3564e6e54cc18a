"""The reference semantics of programs, in plain NumPy float64. Tests compare every pass and the engine with it.

Arrays have axes ``[replica, sample, neuron]`` or ``[replica, post, pre]``; an axis along which nothing differs has
length 1. Synapses are arrays here, whatever their layout, with a mask that says which of them exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuitsim.plan.instructions import CHANGES, Instruction, Register, Synapses
from circuitsim.plan.program import Program
from circuitsim.plan.quantities import BATCH_SIZE
from circuitsim.rules.elementwise import ELEMENTWISE

Array = Any  # numbers and arrays


def _log_softmax(y: Array) -> Array:
    shifted = y - y.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def _one_hot(target: Array, size: int) -> Array:
    return np.eye(size)[target[..., 0].astype(int)]


LOSSES: dict[str, Callable[[Array, Array], Array]] = {
    "cross_entropy": lambda p, t: -(p * _one_hot(t, p.shape[-1])).sum(-1),
    "mse": lambda y, t: ((y - t) ** 2).sum(-1) / 2,
    "bce": lambda y, t: (np.logaddexp(0.0, y) - y * t).sum(-1),
}
ERRORS: dict[str, Callable[[Array, Array], Array]] = {
    "cross_entropy": lambda p, t: _one_hot(t, p.shape[-1]) - np.exp(p),
    "mse": lambda y, t: t - y,
    "bce": lambda y, t: t - 1.0 / (1.0 + np.exp(-y)),
}


def _turned(matrix: Array) -> Array:
    return matrix.swapaxes(1, 2)


# The operations that need only their arguments.
OPERATIONS: dict[str, Callable[..., Array]] = {
    # over neurons and samples
    "mean": lambda x: x.mean((1, 2), keepdims=True),
    "mean_square": lambda x: (x**2).mean((1, 2), keepdims=True),
    # the mean square of ``A e`` from ``A E[e e^T]`` and A; rounding may make the sum negative where it is 0
    "mean_of_squares": lambda m, a: np.maximum((m * a).sum((1, 2), keepdims=True) / m.shape[1], 0.0),
    # over the neurons of each sample
    "sum": lambda x: x.sum(-1, keepdims=True),
    "max": lambda x: x.max(-1, keepdims=True),
    "norm": lambda x: np.sqrt((x**2).sum(-1, keepdims=True)),
    "softmax": lambda x: np.exp(_log_softmax(x)),
    "log_softmax": _log_softmax,
    # the place of each neuron: 0 for the largest, and in order of index where equal
    "rank": lambda x: np.argsort(np.argsort(-x, -1, kind="stable"), -1) * 1.0,
    # over samples
    "batch_mean": lambda x: x.mean(1, keepdims=True),
    "shift": lambda x: np.roll(x, 1, axis=1),
    # of matrices
    "current": lambda w, y: y @ _turned(w),
    "back_current": lambda w, y: y @ w,
    "turn": _turned,
    # at synapses
    "at_post": _turned,
    "at_pre": lambda x: x,
    "at_sample": lambda x: x,
    "all_reduce": lambda x: x,  # there is one process only
    **ELEMENTWISE,
}


@dataclass
class Interpreter:
    """Runs programs on one set of weights and states.

    Args:
        states: weights and states, keyed by name, with a leading axis of replicas; `run` changes them in place.
        masks: which synapses exist, keyed by projection, boolean ``[replica, post, pre]``.
        parameters: rule parameters, keyed by name: numbers, ``[replica, 1, 1]`` or ``[1, post, pre]``.
        noise: standard normal draws for a population, a phase and a shape ``(samples, neurons)``.
    """

    states: dict[str, Array]
    masks: Mapping[str, Array]
    parameters: Mapping[str, Array]
    noise: Callable[[str, str, tuple[int, int]], Array] | None = None

    def run(
        self,
        program: Program,
        inputs: Mapping[str, Array],
        targets: Mapping[str, Array] | None = None,
        signals: Mapping[str, Array] | None = None,
    ) -> dict[Register, Array]:
        """Run one step.

        Args:
            program: the program, which is not changed.
            inputs: keyed by population, ``[replica or 1, batch, neuron]``; a sequence has an entry for each time step,
                with the keys of `program.given`.
            targets: keyed in the same way, ``[replica or 1, batch, output]``, or classes ``[replica or 1, batch, 1]``.
            signals: keyed by name, ``[replica or 1, batch, 1]``.
        Returns:
            The value of every register, including weights and states after the step.
        """
        self.n_samples = next(iter(inputs.values())).shape[1]
        self.signals = signals or {}
        values: dict[Register, Array] = {r: np.array(self.states[name]) for name, r in program.states.items()}
        parameters = {**self.parameters, BATCH_SIZE.name: float(self.n_samples)}
        values |= {r: parameters[name] for name, r in program.parameters.items()}
        values |= {r: np.asarray(inputs[name], dtype=float) for name, r in program.given.inputs.items()}
        values |= {r: np.asarray((targets or {})[name], dtype=float) for name, r in program.given.targets.items()}
        self.values, last = values, {register: name for name, register in program.states.items()}
        with np.errstate(all="ignore"):
            for i in program.instructions:
                values[i.out] = self._value(i, values)
                if i.op in CHANGES:  # the first argument is the state that it changes
                    last[i.out] = last.pop(i.registers[0])
        self.states |= {name: values[register] for register, name in last.items()}
        return values

    def _value(self, i: Instruction, values: Mapping[Register, Array]) -> Array:
        args = [values[a] if isinstance(a, Register) else float(a) for a in i.args]
        if i.op in OPERATIONS:
            return OPERATIONS[i.op](*(np.asarray(a, dtype=float) for a in args))
        method: Callable[..., Array] = getattr(self, f"_{i.op}")
        return method(i, *args)

    # -- neurons

    def _fill(self, i: Instruction, x: Array) -> Array:
        return x + np.zeros((1, self.n_samples if i.out.batch else 1, i.out.size))

    _copy = _fill

    def _noise(self, i: Instruction, x: Array) -> Array:
        population, phase, deviation = i.options
        assert self.noise is not None
        return x + deviation * self.noise(population, phase, (self.n_samples, i.out.size))

    def _signal(self, i: Instruction, *seen: Array) -> Array:
        return np.asarray(self.signals[i.options[0]], dtype=float)

    def _one_hot(self, i: Instruction, target: Array) -> Array:
        return _one_hot(target, i.out.size)

    def _loss(self, i: Instruction, y: Array, target: Array) -> Array:
        return LOSSES[i.options[0]](y, target).mean(1)[:, None, None]

    def _error(self, i: Instruction, y: Array, target: Array) -> Array:
        return ERRORS[i.options[0]](y, target)

    # -- products

    def _outer(self, i: Instruction, p: Array, q: Array) -> Array:
        return _turned(p) @ q / self.n_samples

    def _matmul(self, i: Instruction, *matrices: Array) -> Array:
        a, b = (_turned(x) if turned else x for x, turned in zip(matrices, i.options[-2:], strict=True))
        return a @ b

    # -- synapses

    def _mask(self, i: Instruction) -> Array:
        return self.masks[i.options[0].projection]

    def _present(self, i: Instruction, x: Array) -> Array:
        mask = self._mask(i)
        return np.where(mask, x + np.zeros(mask.shape), 0.0)

    def _reduce(self, i: Instruction, x: Array) -> Array:
        mask, kind = self._mask(i), i.options[1]
        axis = 2 if kind.endswith("in") else 1
        spread = x + np.zeros(mask.shape)
        if kind.startswith("sum"):
            found = np.where(mask, spread, 0.0).sum(axis)
        else:
            found = np.where(mask, spread, -np.inf).max(axis, initial=-np.inf)
            found = np.where(mask.any(axis), found, 0.0)
        return found[:, None, :]

    def _combination(self, i: Instruction, *pairs: Array) -> Array:
        """``sum_k c_k v_k`` at the synapses that exist."""
        mask = self._mask(i)
        total = np.zeros(mask.shape)
        for scale, value in zip(pairs[::2], pairs[1::2], strict=True):
            total = total + scale * value
        return np.where(mask, total, 0.0)

    # -- sample by sample

    def _sampled(self, i: Instruction) -> list[Array]:
        """The result of an instruction's body, the last option, for each sample."""
        body, found = i.options[-1], []
        for sample in range(self.n_samples):
            inside = {register: self._of_sample(register, sample) for register in body.reads}
            for line in body.instructions:
                inside[line.out] = self._value(line, inside)
            found.append(inside.get(body.result, body.result))
        return found

    def _of_sample(self, register: Register, sample: int) -> Array:
        """A register from outside a body: of neurons ``[replica, 1, neuron]``, of synapses ``[replica, post, pre]``."""
        value = self.values[register]
        if register.batch and isinstance(register.space, Synapses):
            return value[:, sample]
        return value[:, sample : sample + 1] if register.batch and value.shape[1] > 1 else value

    def _sample_mean(self, i: Instruction) -> Array:
        mask = self._mask(i)
        return sum(value + np.zeros(mask.shape) for value in self._sampled(i)) / self.n_samples

    def _sample_values(self, i: Instruction) -> Array:
        """``[replica, sample, post, pre]``."""
        return np.stack([np.where(self._mask(i), value, 0.0) for value in self._sampled(i)], axis=1)

    def _sample_reduce(self, i: Instruction) -> Array:
        return np.concatenate([self._reduce(i, value) for value in self._sampled(i)], axis=1)

    # -- changes

    def _change(self, i: Instruction, old: Array, decay: Array, *pairs: Array) -> Array:
        """``(1 - decay) w + sum_k c_k v_k``, clipped to the bounds, at the synapses that exist."""
        return self._bounded(i, old - decay * old + self._combination(i, *pairs))

    def _assign(self, i: Instruction, old: Array, new: Array) -> Array:
        return new + np.zeros(np.shape(old))

    def _accumulate(self, i: Instruction, old: Array, decay: Array, rate: Array, a: Array, b: Array) -> Array:
        """``(1 - decay) w + rate a b``, with bounds as in `_change`. For vectors a and b, ``a b`` is the batch mean of
        their outer products."""
        product = (self._outer if len(i.options) == 2 else self._matmul)(i, a, b)
        return self._bounded(i, old - decay * old + rate * product)

    def _bounded(self, i: Instruction, new: Array) -> Array:
        """Clip values to the bounds, and set them to 0 where there is no synapse."""
        low, high = i.options[1] or (None, None)
        new = new if low is None else np.maximum(new, low)
        return np.where(self._mask(i), new if high is None else np.minimum(new, high), 0.0)
