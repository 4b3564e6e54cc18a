"""A step as a list of calls of torch: recorded once, then played, with no Python of ours between the operations.

A steady step calls the same functions on the same buffers again and again. What differs from step to step is what is
given (inputs and targets, and what is derived from them by new views) and the numbers that a schedule changes. So a
tape holds each call with its arguments, and the places in them that have to be filled in before it is played.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from circuitsim.engine.numbers import Number, Parameters

Place = tuple[Any, Any]  # a list or dict of arguments, and the index or key in it


@dataclass
class Call:
    """One call of torch.

    Args:
        function, args, kwargs: what to call.
        reads: places in the arguments, and the number of the value that goes there.
        result: the number of the value that the call gives; None where it writes into a buffer.
    """

    function: Callable[..., Any]
    args: list[Any]
    kwargs: dict[str, Any]
    reads: list[tuple[Any, Any, int]] = field(default_factory=list)
    result: int | None = None


class Recorder(TorchFunctionMode):
    """Notes the calls that are made while it is entered.

    Args:
        given: tensors that will be others when the tape is played.

    Attributes:
        calls: what was noted.
        problem: why this cannot be played; None where it can.
    """

    def __init__(self, given: Sequence[Tensor]) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.problem: str | None = None
        self._alive = list(given)  # so that an id stands for one tensor
        self._number_of = {id(tensor): k for k, tensor in enumerate(given)}
        self.n_values = len(given)
        self._views: dict[Hashable, int] = {}  # the numbers of those that were made, by what was asked for

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        self._note(function, args, kwargs, result)
        return result

    def number_of(self, value: object) -> int | None:
        """The number of a tensor that is another one at every step."""
        return self._number_of.get(id(value))

    def _note(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        tensors = [value for value in _leaves((args, kwargs)) if isinstance(value, Tensor)]
        call = Call(function, list(args), dict(kwargs))
        call.reads = [(*place, k) for place in _places(call) if (k := self.number_of(_at(place))) is not None]
        changing = [v for v in _leaves((args, kwargs)) if isinstance(v, Number) or self.number_of(v) is not None]
        if len(changing) != len(call.reads) + sum(isinstance(_at(place), Number) for place in _places(call)):
            self.problem = f"{function} takes what changes from step to step in a list"
        if isinstance(result, Tensor) and not any(result is tensor for tensor in tensors):
            if not tensors:
                self.problem = f"{function} makes a tensor out of something that is not one"
            is_view = any(_storage(result) == _storage(tensor) for tensor in tensors)
            if is_view and not call.reads:
                return  # of something that stays where it is
            self._alive.append(result)
            if is_view and (made := self._views.setdefault(self._what(call), self.n_values)) < self.n_values:
                self._number_of[id(result)] = made
                return  # the same view again
            call.result = self._number_of[id(result)] = self.n_values
            self.n_values += 1
        elif result is not None and not isinstance(result, Tensor):
            if any(isinstance(value, Tensor) for value in _leaves(result)):
                self.problem = f"{function} gives several tensors"
            return  # a size, a type, ...
        self.calls.append(call)

    def _what(self, call: Call) -> Hashable:
        """What a call asks for: the same for two calls that give the same view."""
        named = [*enumerate(call.args), *call.kwargs.items()]
        numbers = {key: k for _, key, k in call.reads}
        asked = [(key, numbers.get(key), id(v) if isinstance(v, Tensor) else repr(v)) for key, v in named]
        return call.function, tuple((key, k if k is not None else what) for key, k, what in asked)


class Tape:
    """What a recorder has noted, to be played.

    Args:
        recorder: after the recording.
        quantities: what the recorded step left behind, by name; those that are other tensors at every step are
            replaced when the tape is played.
    """

    def __init__(self, recorder: Recorder, quantities: Mapping[str, Any]) -> None:
        assert recorder.problem is None
        self._calls = [(c.function, c.args, c.kwargs, c.reads, c.result) for c in recorder.calls]
        self._n_values = recorder.n_values
        self._numbers = [
            (*place, _at(place)) for call in recorder.calls for place in _places(call) if isinstance(_at(place), Number)
        ]
        self._quantities = dict(quantities)
        self._changing = [(key, k) for key, q in quantities.items() if (k := recorder.number_of(q)) is not None]
        self._parameters: Parameters | None = None
        for call in recorder.calls:  # the tensors of the recorded step are not needed any more
            for container, key, _ in call.reads:
                container[key] = None

    def play(self, given: Sequence[Tensor], parameters: Parameters) -> dict[str, Any]:
        """Do the step.

        Args:
            given: in the order and shapes of the recording.
            parameters: of the rules; another object whenever one has changed.
        Returns:
            The quantities of the step, until the next one.
        """
        if parameters is not self._parameters:
            self._parameters = parameters
            for container, key, number in self._numbers:
                container[key] = number.again(parameters)
        values: list[Any] = [*given, *(None,) * (self._n_values - len(given))]
        for function, args, kwargs, reads, number in self._calls:
            for container, key, k in reads:
                container[key] = values[k]
            result = function(*args, **kwargs)
            if number is not None:
                values[number] = result
        for key, k in self._changing:
            self._quantities[key] = values[k]
        return self._quantities


def _places(call: Call) -> Iterator[Place]:
    yield from ((call.args, k) for k in range(len(call.args)))
    yield from ((call.kwargs, key) for key in call.kwargs)


def _at(place: Place) -> Any:
    container, key = place
    return container[key]


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for part in value:
            yield from _leaves(part)
    elif isinstance(value, Mapping):
        yield from _leaves(list(value.values()))
    else:
        yield value


def _storage(tensor: Tensor) -> int:
    """Where its numbers are; for a sparse matrix, those of its entries."""
    values = tensor if tensor.layout == torch.strided else tensor.values()
    return values.untyped_storage().data_ptr()
