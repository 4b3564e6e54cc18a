"""Write a circuit to a file, and describe what it was compiled from."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from circuitsim.engine.archive import write_archive
from circuitsim.engine.draws import is_run

if TYPE_CHECKING:
    from circuitsim.engine.compiled import Compiled


def save_circuit(circuit: Compiled, path: str | os.PathLike[str], notes: Mapping[str, Any] | None = None) -> None:
    """Write the declaration and everything that belongs to the circuit's state; see `Circuit.save`.

    Args:
        circuit: the circuit, which is not changed.
        path: the file.
        notes: any values that JSON can hold, stored beside the declaration (`read_archive` returns them).
    Raises:
        ArchiveError: the file cannot be written. A file that existed before is left unchanged.
    """
    write_archive(circuit.store.tensors(), description(circuit, notes), path)


def description(circuit: Compiled, notes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return everything that a file holds about a circuit except its tensors."""
    return {
        **identity(circuit),
        **circuit.condition(),
        "record_changes": circuit.record_changes,
        "notes": dict(notes or {}),
    }


def identity(circuit: Compiled) -> dict[str, Any]:
    """Return the declaration and options from which a circuit was compiled."""
    return {
        "motif": json.loads(circuit.motif.to_json()),
        "replicas": circuit.n_replicas,
        "seed": circuit.seeds[0] if is_run(circuit.seeds) else list(circuit.seeds),
        "dtype": str(circuit.dtype).removeprefix("torch."),
        "vary": {path: list(values) for path, values in circuit.vary.items()},
    }
