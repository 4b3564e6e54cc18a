"""Write a circuit to a file, and describe what it was compiled from."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from circuitsim.engine.archive import write_archive
from circuitsim.engine.draws import is_run

if TYPE_CHECKING:
    from circuitsim.engine.circuit import Circuit


def save_circuit(circuit: Circuit, path: str | os.PathLike[str], notes: Mapping[str, Any] | None = None) -> None:
    """Write the declaration and the circuit's whole state, with notes that JSON can hold and `read_archive` returns."""
    write_archive(circuit.store.tensors(), description(circuit, notes), path)


def description(circuit: Circuit, notes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return everything that a file holds about a circuit except its tensors."""
    return {
        **identity(circuit),
        **circuit.condition(),
        "record_changes": circuit.record_changes,
        "notes": dict(notes or {}),
    }


def identity(circuit: Circuit) -> dict[str, Any]:
    """Return the declaration and options from which a circuit was compiled."""
    return {
        "motif": json.loads(circuit.motif.to_json()),
        "replicas": circuit.n_replicas,
        "seed": circuit.seeds[0] if is_run(circuit.seeds) else list(circuit.seeds),
        "dtype": str(circuit.dtype).removeprefix("torch."),
        "vary": {path: list(values) for path, values in circuit.vary.items()},
    }
