"""A circuit in one file: safetensors holding the weights, and the declaration as JSON beside them.

Nothing is ever unpickled, and sizes are checked before anything is allocated. A checksum of everything tells a file
that was damaged; it does not tell who wrote it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from circuitsim._version import __version__
from circuitsim.engine.compile import check_replicas, compile
from circuitsim.engine.footprint import machine_bytes, stored_bytes
from circuitsim.errors import ArchiveError, CircuitError
from circuitsim.files import write_atomically
from circuitsim.motif import Motif

if TYPE_CHECKING:
    from circuitsim.engine.circuit import Circuit

FORMAT = "circuitsim circuit 2"


def save_circuit(circuit: Circuit, path: str | os.PathLike[str], notes: Mapping[str, Any] | None = None) -> None:
    """Write weights, states, masks, what is frozen, and the declaration; see `Circuit.save`.

    Args:
        circuit: is not changed.
        path: of the file.
        notes: anything that JSON can hold, kept beside the declaration (`read_archive` returns it).
    Raises:
        ArchiveError: the file cannot be written; one that was there before is untouched.
    """
    write_atomically(Path(path), to_bytes(circuit, notes))


def to_bytes(circuit: Circuit, notes: Mapping[str, Any] | None = None) -> bytes:
    """The content of the file."""
    document = {
        "format": FORMAT,
        "version": __version__,
        "torch": torch.__version__,
        **identity(circuit),
        "n_steps": circuit.n_steps,
        "frozen": sorted(circuit.frozen),
        "notes": dict(notes or {}),
    }
    tensors, text = circuit.store.tensors(), json.dumps(document)
    return save_tensors(tensors, metadata={"circuit": text, "sha256": _checksum(tensors, text)})


def _checksum(tensors: Mapping[str, Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def identity(circuit: Circuit) -> dict[str, Any]:
    """What a circuit was compiled from."""
    return {
        "motif": json.loads(circuit.motif.to_json()),
        "replicas": circuit.n_replicas,
        "seed": circuit.seed,
        "dtype": str(circuit.dtype).removeprefix("torch."),
        "vary": {path: list(values) for path, values in circuit.vary.items()},
    }


def load_circuit(path: str | os.PathLike[str], device: str = "auto") -> Circuit:
    """Read a circuit written by `Circuit.save`.

    Args:
        path: the file.
        device: as in `compile`.
    Returns:
        The circuit, its weights, states, frozen projections and the number of steps as they were saved.
    Raises:
        ArchiveError: the file is missing, truncated, or not such a file; the message says which.
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
    """The circuit that `read_archive` read.

    Raises:
        ArchiveError: tensors and description do not fit together.
    """
    with _fits_together(path):
        motif = Motif.from_json(json.dumps(document["motif"]))
        _check_sizes(motif, tensors, document)
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
        content = _content(path)
    except FileNotFoundError:
        raise ArchiveError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{path}: truncated or not a saved circuit ({error})") from None
    return read_content(content, path)


def read_content(content: bytes, path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `to_bytes` wrote; `path` is for messages. Raises as `read_archive`."""
    try:
        tensors = load_tensors(content)
        text, checksum = _metadata(content)
        document = json.loads(text)
        if not isinstance(document, dict):
            raise ValueError("its description is not an object")
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArchiveError(f"{path}: truncated or not a saved circuit ({error})") from None
    if document.get("format") != FORMAT:
        raise ArchiveError(f"{path}: format is {document.get('format')!r}, this version reads {FORMAT!r}")
    if _checksum(tensors, text) != checksum:
        raise ArchiveError(f"{path}: damaged: its checksum is not that of its content")
    return tensors, document


@contextlib.contextmanager
def _fits_together(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except (CircuitError, KeyError, TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        raise ArchiveError(f"{path}: its content does not fit together: {error}") from None


def _content(path: Path) -> bytes:
    """The bytes of the file, unless it is larger than the memory (as a file full of holes may be)."""
    size, there = path.stat().st_size, machine_bytes()
    if there is not None and size > there:
        raise ValueError(f"it has {size:,} bytes; there are {there:,} bytes of memory")
    return path.read_bytes()


def _metadata(content: bytes) -> tuple[str, str]:
    """Description and checksum, which safetensors keeps in its header: 8 bytes of length, then the header, JSON."""
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    return metadata["circuit"], metadata["sha256"]


def _check_sizes(motif: Motif, tensors: Mapping[str, Tensor], document: Mapping[str, Any]) -> None:
    """Refuse to make a circuit larger than what the file holds: a few bytes can declare any size."""
    motif.validate()
    check_replicas(document["replicas"])
    held = sum(tensor.nbytes for tensor in tensors.values())
    declared = stored_bytes(motif, document["replicas"], min(tensor.itemsize for tensor in tensors.values()))
    if declared > held:
        raise ArchiveError(f"its motif declares {declared:,} bytes of weights, and it holds {held:,}")
