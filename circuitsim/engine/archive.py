"""A circuit in one file: safetensors holding the weights, and the declaration as JSON beside them.

Nothing is ever unpickled. The file is written under another name, synced, and renamed: after a crash there is
either the old file or the new one.
"""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from circuitsim._version import __version__
from circuitsim.engine.compile import compile
from circuitsim.errors import ArchiveError, CircuitError
from circuitsim.motif import Motif

if TYPE_CHECKING:
    from circuitsim.engine.circuit import Circuit

FORMAT = "circuitsim circuit 1"


def save_circuit(circuit: Circuit, path: str | os.PathLike[str]) -> None:
    """Write weights, masks, what is frozen, and the declaration; see `Circuit.save`."""
    document = {
        "format": FORMAT,
        "version": __version__,
        "torch": torch.__version__,
        "motif": json.loads(circuit.motif.to_json()),
        "replicas": circuit.n_replicas,
        "seed": circuit.seed,
        "dtype": str(circuit.dtype).removeprefix("torch."),
        "vary": circuit.vary,
        "n_steps": circuit.n_steps,
        "frozen": sorted(circuit.frozen),
    }
    write_atomically(Path(path), save_tensors(circuit.store.tensors(), metadata={"circuit": json.dumps(document)}))


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is never seen half done, folders made as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the rename itself
        finally:
            os.close(folder)
    finally:
        part.unlink(missing_ok=True)


def load_circuit(path: str | os.PathLike[str], device: str = "auto") -> Circuit:
    """Read a circuit written by `Circuit.save`.

    Args:
        path: the file.
        device: as in `compile`.
    Raises:
        ArchiveError: the file is missing, truncated, or not such a file; the message says which.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        tensors = load_tensors(content)
        document = _document(content)
    except FileNotFoundError:
        raise ArchiveError(f"{path}: there is no such file") from None
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ArchiveError(f"{path}: truncated or not a saved circuit ({error})") from None
    if document.get("format") != FORMAT:
        raise ArchiveError(f"{path}: format is {document.get('format')!r}, this version reads {FORMAT!r}")
    try:
        motif = Motif.from_json(json.dumps(document["motif"]))
        circuit = compile(
            motif, replicas=document["replicas"], seed=document["seed"], dtype=document["dtype"], device=device,
            vary=document["vary"],
        )  # fmt: skip
        circuit.store.restore(tensors)
        circuit.freeze(*document["frozen"])
        circuit.n_steps = int(document["n_steps"])
    except (CircuitError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ArchiveError(f"{path}: its content does not fit together: {error}") from None
    return circuit


def _document(content: bytes) -> dict[str, Any]:
    """The JSON that safetensors keeps in its header: 8 bytes of length, then the header."""
    length = int.from_bytes(content[:8], "little")
    document = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["circuit"])
    if not isinstance(document, dict):
        raise ValueError("its description is not an object")
    return document
