"""A plasticity rule: an expression for the change of one synapse, and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from circuitsim.motif.value import Value, frozen_array


@dataclass(frozen=True, eq=False, init=False)
class Rule(Value):
    """The change of one synapse in one step, for one sample; the weight changes by its batch mean.

    Args:
        expression: in the rule language (`docs/rule_language.md`), for example
            ``"eta * (slope_post * I_V1 * pre - gamma * w)"``, where ``I_V1`` is the current that projection
            V1 delivers to the same postsynaptic neuron.
        parameters: named values: a number, one number per replica (shape ``[replica]``), or one per
            synapse (shape ``[post, pre]``).
    Example:
        >>> import circuitsim as cs
        >>> cs.Rule("eta * (post * pre - w)", eta=0.1)
        Rule('eta * (post * pre - w)', eta=0.1)
    """

    expression: str
    parameters: Mapping[str, Any]

    def __init__(self, expression: str, /, **parameters: Any) -> None:
        object.__setattr__(self, "expression", expression)
        object.__setattr__(self, "parameters", frozen_parameters(parameters))

    @classmethod
    def from_entries(cls, entries: dict[str, Any]) -> Rule:
        """Build from what the JSON of a motif holds.

        Args:
            entries: "expression", and "parameters" where there are any.
        Returns:
            The rule.
        Raises:
            TypeError: other entries.
        """
        if set(entries) - {"parameters"} != {"expression"}:
            raise TypeError("a rule has an expression and parameters")
        return cls(entries["expression"], **entries.get("parameters", {}))

    def __repr__(self) -> str:
        return f"Rule({', '.join([repr(self.expression)] + [f'{k}={v!r}' for k, v in self.parameters.items()])})"


def frozen_parameters(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """A read-only mapping of numbers and read-only arrays."""
    return MappingProxyType({name: _parameter(value) for name, value in parameters.items()})


def _parameter(value: Any) -> Any:
    if isinstance(value, str):
        return value  # "0.1" is no number
    try:
        return float(value) if np.ndim(value) == 0 else frozen_array(value)
    except (TypeError, ValueError, OverflowError):
        return value  # `Motif.validate` names the rule that holds it
