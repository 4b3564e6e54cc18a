"""Save a circuit to one file: weights in the safetensors format, with the declaration as JSON in the metadata.

Loading never unpickles data, and checks sizes before it allocates memory. A checksum of the whole content detects
damage, but does not authenticate the author.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from circuitsim._version import __version__
from circuitsim.engine.draws import is_run
from circuitsim.engine.previous import renewed
from circuitsim.errors import ArchiveError, CircuitError
from circuitsim.files import as_path, read_bytes, write_atomically

if TYPE_CHECKING:
    from circuitsim.engine.circuit import Circuit

NAME = "circuitsim circuit "
FORMAT = f"{NAME}5"
OLD_FORMATS = (f"{NAME}2", f"{NAME}3", f"{NAME}4")  # can be read, are not written


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


def write_archive(tensors: Mapping[str, Tensor], document: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write tensors and their description to one file, atomically."""
    write_atomically(as_path(path), to_bytes(tensors, document))


def to_bytes(tensors: Mapping[str, Tensor], document: Mapping[str, Any]) -> bytes:
    text = json.dumps({"format": FORMAT, "version": __version__, "torch": torch.__version__, **document})
    return save_tensors(dict(tensors), metadata={"circuit": text, "sha256": _checksum(tensors, text)})


def _checksum(tensors: Mapping[str, Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def read_archive(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors and the description of a saved circuit.

    Raises:
        ArchiveError: the file is missing, truncated, damaged, of another version or not a saved circuit; the message
            says which.
    """
    path = as_path(path)
    try:
        content = read_bytes(path)
    except FileNotFoundError:
        raise ArchiveError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be read ({error.strerror or error})") from None
    return read_content(content, path)


def read_content(content: bytes, path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Decode what `to_bytes` encoded. `path` is for error messages."""
    try:
        tensors = load_tensors(content)
    except SafetensorError as error:
        raise ArchiveError(f"{path}: truncated or not a saved circuit ({error})") from None
    try:
        metadata = _metadata(content)
        text = metadata["circuit"]
        document = json.loads(text)
        found = document["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArchiveError(f"{path}: not a saved circuit: its header holds no description ({error})") from None
    if found not in (FORMAT, *OLD_FORMATS):
        raise ArchiveError(f"{path}: {_unreadable(found, document)}")
    if _checksum(tensors, text) != metadata.get("sha256"):
        raise ArchiveError(f"{path}: damaged: its checksum does not match its content")
    if found in OLD_FORMATS:
        with fits_together(path):
            tensors, document = renewed(tensors, document, document["format"] == OLD_FORMATS[0])
    return tensors, document


def _unreadable(found: Any, document: Mapping[str, Any]) -> str:
    """What to say of a format that this version does not read."""
    number = str(found).removeprefix(NAME)
    reads = f"but this version reads {OLD_FORMATS[0]!r} to {FORMAT!r}"
    if not isinstance(found, str) or not found.startswith(NAME) or not number.isdecimal():
        return f"format is {found!r}, {reads}"
    writer = f"circuitsim {document.get('version', '')}".strip()
    if int(number) < int(FORMAT.removeprefix(NAME)):
        return (
            f"written by an old version ({writer}) in format {found!r}, {reads}; load it with the version that wrote it"
        )
    return f"written by a newer version ({writer}) in format {found!r}, {reads}; install that version"


@contextlib.contextmanager
def fits_together(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except (CircuitError, AttributeError, KeyError, TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        raise ArchiveError(f"{path}: its content does not fit together: {error}") from None


def _metadata(content: bytes) -> dict[str, str]:
    """The metadata of the safetensors header, which is 8 bytes of length, followed by JSON."""
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    return metadata
