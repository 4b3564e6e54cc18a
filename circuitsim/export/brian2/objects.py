"""Brian2 objects of the kinds that both networks consist of.

This module, `names`, `simulation` and `targets` import brian2, so they are imported only during an export.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import brian2
import numpy as np

from circuitsim.export.brian2.parts import Wiring


def _where(condition: np.ndarray, yes: np.ndarray, no: np.ndarray) -> np.ndarray:
    return np.where(condition != 0, yes, no)


where = brian2.Function(_where, arg_units=[1, 1, 1], return_unit=1, arg_names=["condition", "yes", "no"])
where.implementations.add_numpy_implementation(_where, discard_units=True)  # with units it is 50 times slower
where.implementations.add_implementation(
    "cpp",
    "static inline double where_(double condition, double yes, double no) { return condition != 0 ? yes : no; }",
    name="where_",
)
where.implementations.add_implementation(
    "cython",
    "cdef double where_(double condition, double yes, double no):\n    return yes if condition != 0 else no",
    name="where_",
)


def link(groups: Mapping[str, Any], name: str, links: Mapping[str, tuple[str, str]]) -> None:
    """Let a group read variables of other groups: own name -> (group, variable)."""
    for own, (other, variable) in links.items():
        setattr(groups[name], own, brian2.linked_var(groups[other], variable))


def synapses(w: Wiring, ends: Mapping[str, Any], **options: Any) -> Any:
    """Make synapses, with their values, between two of `ends`."""
    made = brian2.Synapses(
        ends[w.pre], ends[w.post], w.equations, name=w.name, dtype=np.float64, namespace={}, **options
    )
    made.connect(i=w.i, j=w.j)
    for name, values in {**w.variables, **w.constants}.items():
        setattr(made, name, values)
    return made


def network(members: Sequence[Any], name: str) -> Any:
    """Make a `brian2.Network` of objects that Brian2's magic ``run()`` does not collect."""
    for member in members:
        member.add_to_magic_network = False
    return brian2.Network(*members, name=name)
