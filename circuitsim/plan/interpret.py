"""The reference semantics of programs, in plain NumPy float64. Tests compare every pass and the engine with it.

Arrays have axes ``[replica, sample, neuron]`` or ``[replica, post, pre]``; an axis along which nothing differs has
length 1. Synapses are arrays here, whatever their layout, with a mask that says which of them exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuitsim.plan.instructions import CHANGES, Body, Instruction, Neurons, Operand, Register, Synapses
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
        last = dict(program.states)
        with np.errstate(all="ignore"):
            for instruction in program.instructions:
                values[instruction.out] = self._value(instruction, values)
                for name, register in last.items():  # the first argument of a change is the state that it changes
                    if instruction.op in CHANGES and instruction.args[0] is register:
                        last[name] = instruction.out
        self.states |= {name: values[register] for name, register in last.items()}
        return values

    def _value(self, i: Instruction, values: Mapping[Register, Array]) -> Array:
        args = [values[a] if isinstance(a, Register) else a for a in i.args]
        if i.op in ELEMENTWISE:
            return ELEMENTWISE[i.op](*(np.asarray(a, dtype=float) for a in args))
        method: Callable[..., Array] = getattr(self, f"_{i.op}")
        return method(i, args, values)

    # -- neurons

    def _fill(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[0] + np.zeros((1, self.n_samples if i.out.batch else 1, _size(i)))

    _copy = _fill

    def _noise(self, i: Instruction, args: list[Array], values: Any) -> Array:
        population, phase, deviation = i.options
        assert self.noise is not None
        return args[0] + deviation * self.noise(str(population), str(phase), (self.n_samples, _size(i)))

    def _signal(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return np.asarray(self.signals[str(i.options[0])], dtype=float)

    def _mean(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[0].mean((1, 2), keepdims=True)

    def _mean_square(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return (args[0] ** 2).mean((1, 2), keepdims=True)

    def _mean_of_squares(self, i: Instruction, args: list[Array], values: Any) -> Array:
        """The mean square of ``A e`` from ``A E[e e^T]`` and A; rounding may make the sum negative where it is 0."""
        total = (args[0] * args[1]).sum((1, 2), keepdims=True) / args[0].shape[1]
        return np.maximum(total, 0.0)

    def _sum(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[0].sum(-1, keepdims=True)

    def _max(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[0].max(-1, keepdims=True)

    def _norm(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return np.sqrt((args[0] ** 2).sum(-1, keepdims=True))

    def _softmax(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return np.exp(_log_softmax(args[0]))

    def _rank(self, i: Instruction, args: list[Array], values: Any) -> Array:
        """The place of each neuron among those of its sample: 0 for the largest, and in order of index where equal."""
        order = np.argsort(-args[0], -1, kind="stable")
        return np.argsort(order, -1) * 1.0

    def _batch_mean(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[0].mean(1, keepdims=True)

    def _one_hot(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return _one_hot(args[0], _size(i))

    def _log_softmax(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return _log_softmax(args[0])

    def _loss(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return LOSSES[str(i.options[0])](*args).mean(1)[:, None, None]

    def _error(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return ERRORS[str(i.options[0])](*args)

    def _shift(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return np.roll(args[0], 1, axis=1)

    # -- products

    def _current(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[1] @ args[0].swapaxes(1, 2)

    def _back_current(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[1] @ args[0]

    def _outer(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[0].swapaxes(1, 2) @ args[1] / self.n_samples

    def _matmul(self, i: Instruction, args: list[Array], values: Any) -> Array:
        a, b = (x.swapaxes(1, 2) if turned else x for x, turned in zip(args, i.options, strict=True))
        return a @ b

    def _all_reduce(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[0]  # there is one process only

    def _turn(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[0].swapaxes(1, 2)

    # -- synapses

    def _mask(self, i: Instruction) -> Array:
        where = i.options[0]
        assert isinstance(where, Synapses)
        return self.masks[where.projection]

    def _at_post(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[0].swapaxes(1, 2)

    def _at_pre(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[0]

    def _at_sample(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[0]

    def _present(self, i: Instruction, args: list[Array], values: Any) -> Array:
        mask = self._mask(i)
        return np.where(mask, args[0] + np.zeros(mask.shape), 0.0)

    def _reduce(self, i: Instruction, args: list[Array], values: Any) -> Array:
        mask, kind = self._mask(i), str(i.options[1])
        axis = 2 if kind.endswith("in") else 1
        spread = args[0] + np.zeros(mask.shape)
        if kind.startswith("sum"):
            found = np.where(mask, spread, 0.0).sum(axis)
        else:
            found = np.where(mask, spread, -np.inf).max(axis, initial=-np.inf)
            found = np.where(mask.any(axis), found, 0.0)
        return found[:, None, :]

    def _sampled(self, body: Body, values: Mapping[Register, Array], sample: int) -> Array:
        inside: dict[Operand, Any] = {}
        for i in body.instructions:
            args = []
            for a in i.args:
                args.append(inside[a] if a in inside else self._of_sample(a, values, sample))
            known = ELEMENTWISE.get(i.op)
            inside[i.out] = (
                known(*(np.asarray(a, dtype=float) for a in args))
                if known
                else getattr(self, f"_{i.op}")(i, args, values)
            )
        result = body.result
        return inside[result] if result in inside else self._of_sample(result, values, sample)

    @staticmethod
    def _of_sample(operand: Operand, values: Mapping[Register, Array], sample: int) -> Array:
        """An operand from outside a body: of neurons ``[replica, 1, neuron]``, of synapses ``[replica, post, pre]``."""
        if not isinstance(operand, Register):
            return operand
        value = values[operand]
        if operand.batch and isinstance(operand.space, Synapses):
            return value[:, sample]
        return value[:, sample : sample + 1] if operand.batch and value.shape[1] > 1 else value

    def _sample_mean(self, i: Instruction, args: list[Array], values: Mapping[Register, Array]) -> Array:
        body = i.options[1]
        assert isinstance(body, Body)
        mask = self._mask(i)
        return (
            sum(self._sampled(body, values, s) + np.zeros(mask.shape) for s in range(self.n_samples)) / self.n_samples
        )

    def _sample_values(self, i: Instruction, args: list[Array], values: Mapping[Register, Array]) -> Array:
        """``[replica, sample, post, pre]``."""
        body = i.options[1]
        assert isinstance(body, Body)
        mask = self._mask(i)
        each = [np.where(mask, self._sampled(body, values, s), 0.0) for s in range(self.n_samples)]
        return np.stack(each, axis=1)

    def _sample_reduce(self, i: Instruction, args: list[Array], values: Mapping[Register, Array]) -> Array:
        body = i.options[2]
        assert isinstance(body, Body)
        return np.concatenate(
            [self._reduce(i, [self._sampled(body, values, s)], values) for s in range(self.n_samples)], axis=1
        )

    def _combination(self, i: Instruction, args: list[Array], values: Any) -> Array:
        """``sum_k c_k v_k`` at the synapses that exist."""
        mask = self._mask(i)
        total = np.zeros(mask.shape)
        for scale, value in zip(args[::2], args[1::2], strict=True):
            total = total + scale * value
        return np.where(mask, total, 0.0)

    # -- changes

    def _change(self, i: Instruction, args: list[Array], values: Any) -> Array:
        """``(1 - decay) w + sum_k c_k v_k``, clipped to the bounds, at the synapses that exist."""
        old, decay, pairs = args[0], args[1], args[2:]
        return self._bounded(i, old - decay * old + self._combination(i, pairs, values))

    def _assign(self, i: Instruction, args: list[Array], values: Any) -> Array:
        return args[1] + np.zeros(np.shape(args[0]))

    def _accumulate(self, i: Instruction, args: list[Array], values: Any) -> Array:
        """``(1 - decay) w + rate a b``, with bounds as in `_change`. For vectors a and b, ``a b`` is the batch mean of
        their outer products."""
        old, decay, rate, a, b = args
        if _is_vector(i.args[3]):
            product = self._outer(i, [a, b], values)
        else:
            a, b = (x.swapaxes(1, 2) if turned else x for x, turned in zip((a, b), i.options[2:], strict=True))
            product = a @ b
        return self._bounded(i, old - decay * old + rate * product)

    def _bounded(self, i: Instruction, new: Array) -> Array:
        """Clip values to the bounds, and set them to 0 where there is no synapse."""
        bounds: Any = i.options[1] or (None, None)
        low, high = bounds
        new = new if low is None else np.maximum(new, low)
        return np.where(self._mask(i), new if high is None else np.minimum(new, high), 0.0)


def _size(i: Instruction) -> int:
    assert isinstance(i.out.space, Neurons)
    return i.out.space.size


def _is_vector(operand: Operand) -> bool:
    return isinstance(operand, Register) and isinstance(operand.space, Neurons)
