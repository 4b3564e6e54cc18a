"""Read a circuit from a file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from circuitsim.engine.archive import fits_together, read_archive
from circuitsim.engine.circuit import Circuit
from circuitsim.engine.compiler import compile
from circuitsim.engine.footprint import stored_bytes
from circuitsim.errors import ArchiveError
from circuitsim.motif import Motif
from circuitsim.whole import whole


def load_circuit(path: str | os.PathLike[str], device: str = "auto") -> Circuit:
    """Load a circuit that `Circuit.save` wrote.

    Args:
        path: the file.
        device: as in `compile`.
    Returns:
        The circuit, with its whole state as it was saved: weights and states, pruned synapses, frozen projections,
        pinned replicas, changed rates, `eta_scale`, and the numbers of steps and epochs.
    Raises:
        ArchiveError: the file is missing, truncated or damaged, or not a saved circuit; the message says which.
    Example:
        >>> import tempfile
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cs.compile(sal([8, 6, 3]), seed=4).save(f"{folder}/sal.safetensors")
        ...     cs.load_circuit(f"{folder}/sal.safetensors").seed
        4
    """
    return circuit_of(*read_archive(path), path, device)


def circuit_of(
    tensors: Mapping[str, Tensor], document: Mapping[str, Any], path: str | os.PathLike[str], device: str = "auto"
) -> Circuit:
    """Make a circuit from what `read_archive` returned.

    Raises:
        ArchiveError: the tensors do not match the description.
    """
    with fits_together(path):
        motif = Motif.from_json(json.dumps(document["motif"]))
        _check_sizes(motif, tensors, document)
        seeds = {"seeds" if isinstance(document["seed"], list) else "seed": document["seed"]}
        circuit = compile(
            motif, replicas=document["replicas"], **seeds, dtype=document["dtype"], device=device,
            vary=document["vary"], record_changes=bool(document.get("record_changes", False)),
        )  # fmt: skip
        circuit.restore(tensors, document)
    return circuit


def restore_circuit(
    circuit: Circuit, path: str | os.PathLike[str], tensors: Mapping[str, Tensor], document: Mapping[str, Any]
) -> None:
    """Replace the whole state of a circuit, which was compiled from the same declaration and options, by what
    `read_archive` returned.

    Raises:
        ArchiveError: the content does not match the circuit, which is then left unchanged.
    """
    with fits_together(path):
        fresh = Circuit(**circuit.options())
        fresh.restore(tensors, document)
    vars(circuit).update(vars(fresh))  # nothing that was done to the circuit before is left


def _check_sizes(motif: Motif, tensors: Mapping[str, Tensor], document: Mapping[str, Any]) -> None:
    """Refuse a declaration that needs more memory than the file holds, since a few bytes can declare any size."""
    motif.validate()
    whole("replicas", document["replicas"], least=1)
    held = sum(tensor.nbytes for tensor in tensors.values())
    declared = stored_bytes(motif, document["replicas"], min(tensor.itemsize for tensor in tensors.values()))
    if declared > held:
        raise ArchiveError(f"its motif declares {declared:,} bytes of weights, but the file holds {held:,}")
