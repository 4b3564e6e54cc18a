"""A circuit in one file: safetensors holding the weights, and the declaration as JSON beside them.

Nothing is ever unpickled. The file is written under another name, synced, and renamed: after a crash there is
either the old file or the new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from circuitsim._version import __version__
from circuitsim.engine.compile import compile
from circuitsim.errors import ArchiveError, CircuitError
from circuitsim.motif import Motif

if TYPE_CHECKING:
    from circuitsim.engine.circuit import Circuit

FORMAT = "circuitsim circuit 1"


def save_circuit(circuit: Circuit, path: str | os.PathLike[str], notes: Mapping[str, Any] | None = None) -> None:
    """Write weights, states, masks, what is frozen, and the declaration; see `Circuit.save`.

    Args:
        circuit: is not changed.
        path: of the file.
        notes: anything that JSON can hold, kept beside the declaration (`read_archive` returns it).
    """
    document = {
        "format": FORMAT,
        "version": __version__,
        "torch": torch.__version__,
        **identity(circuit),
        "n_steps": circuit.n_steps,
        "frozen": sorted(circuit.frozen),
        "notes": dict(notes or {}),
    }
    write_atomically(Path(path), save_tensors(circuit.store.tensors(), metadata={"circuit": json.dumps(document)}))


def identity(circuit: Circuit) -> dict[str, Any]:
    """What a circuit was compiled from."""
    return {
        "motif": json.loads(circuit.motif.to_json()),
        "replicas": circuit.n_replicas,
        "seed": circuit.seed,
        "dtype": str(circuit.dtype).removeprefix("torch."),
        "vary": {path: list(values) for path, values in circuit.vary.items()},
    }


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
    tensors, document = read_archive(path)
    with _fits_together(path):
        motif = Motif.from_json(json.dumps(document["motif"]))
        circuit = compile(
            motif, replicas=document["replicas"], seed=document["seed"], dtype=document["dtype"], device=device,
            vary=document["vary"],
        )  # fmt: skip
    restore_circuit(circuit, path, tensors, document)
    return circuit


def restore_circuit(
    circuit: Circuit, path: str | os.PathLike[str], tensors: Mapping[str, Tensor], document: Mapping[str, Any]
) -> None:
    """Put what `read_archive` returned back into a circuit compiled alike.

    Raises:
        ArchiveError: something does not fit; the circuit is unchanged then.
    """
    with _fits_together(path):
        n_steps, frozen = int(document["n_steps"]), list(document["frozen"])
        names = [circuit.store.own_name(name) for name in frozen]
        circuit.store.restore(tensors)
        circuit.freeze(*names)
        circuit.n_steps = n_steps


def read_archive(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the description that a file holds.

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
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArchiveError(f"{path}: truncated or not a saved circuit ({error})") from None
    if document.get("format") != FORMAT:
        raise ArchiveError(f"{path}: format is {document.get('format')!r}, this version reads {FORMAT!r}")
    return tensors, document


@contextlib.contextmanager
def _fits_together(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except (CircuitError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ArchiveError(f"{path}: its content does not fit together: {error}") from None


def _document(content: bytes) -> dict[str, Any]:
    """The JSON that safetensors keeps in its header: 8 bytes of length, then the header."""
    length = int.from_bytes(content[:8], "little")
    document = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["circuit"])
    if not isinstance(document, dict):
        raise ValueError("its description is not an object")
    return document
