"""A plasticity rule consists of an expression for the change of one synapse, and of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuitsim.errors import MotifError
from circuitsim.motif.arrays import as_numbers, labelled, locked
from circuitsim.motif.identifiers import normalized_keys
from circuitsim.motif.value import Frozen, Value


@dataclass(frozen=True, eq=False, init=False)
class Rule(Value):
    """The change of one synapse in one step, for one sample. The weight changes by the batch mean of the rule.

    Args:
        expression: an expression of the rule language (`docs/rule_language.md`), for example
            ``"eta * (slope_post * I_V1 * pre - gamma * w)"``, where ``I_V1`` is the current that projection
            V1 delivers to the same postsynaptic neuron.
        parameters: named values; each is a number, an array with one value per replica (shape ``[replica]``), or
            one with a value per synapse (shape ``[post, pre]``).
    Example:
        >>> import circuitsim as cs
        >>> cs.Rule("eta * (post * pre - w)", eta=0.1)
        Rule('eta * (post * pre - w)', eta=0.1)
    """

    expression: str
    parameters: Mapping[str, Any]

    def __init__(self, expression: str, /, **parameters: Any) -> None:
        self._set(expression=expression, parameters=frozen_parameters(parameters))

    @classmethod
    def _from_entries(cls, entries: dict[str, Any]) -> Rule:
        if set(entries) - {"parameters"} != {"expression"}:
            raise TypeError("a rule has an expression and parameters")
        return cls(entries["expression"], **entries.get("parameters", {}))

    def __repr__(self) -> str:
        return f"Rule({', '.join([repr(self.expression)] + [f'{k}={v!r}' for k, v in self.parameters.items()])})"


def frozen_parameters(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a read-only mapping of numbers and read-only arrays."""
    return Frozen({name: _parameter(value) for name, value in normalized_keys(parameters, "parameters").items()})


def _parameter(value: Any) -> Any:
    """Return a parameter as a float or a read-only array; what is neither stays as it is, for `validate` to refuse."""
    try:
        array, *names = labelled(value, as_numbers(value, "a parameter"))
    except MotifError:
        return value
    if any(names):
        return value
    if array.ndim:
        return locked(array)
    return float(array) if np.isfinite(array) else value
