"""Graphs in files: the suffix says the format, and errors name the file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx as nx
import pandas as pd

from circuitsim.errors import ArchiveError, CircuitError, ParameterError
from circuitsim.export.interchange import edge_list, graphml, node_link

TO_BYTES: dict[str, Callable[[nx.MultiDiGraph], bytes]] = {
    ".graphml": graphml.to_bytes, ".json": node_link.to_bytes, ".csv": edge_list.to_bytes,
}  # fmt: skip
FROM_BYTES: dict[str, Callable[[bytes], nx.MultiDiGraph]] = {
    ".graphml": graphml.from_bytes, ".json": node_link.from_bytes, ".csv": edge_list.from_bytes,
}  # fmt: skip
FAULTS = (
    CircuitError, nx.NetworkXException, ParseError, pd.errors.ParserError, ValueError, TypeError, LookupError,
    AttributeError, RecursionError, ArithmeticError, AssertionError,
)  # fmt: skip


def check_suffix(path: str | os.PathLike[str], known: Sequence[str]) -> Path:
    """The path, if its suffix is one of the known.

    Raises:
        ParameterError: it is not.
    """
    checked = Path(path)
    if checked.suffix.lower() not in known:
        raise ParameterError(f"path {str(path)!r}: its name must end with one of {', '.join(known)}")
    return checked


def content_of(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        ArchiveError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be read ({error.strerror or error})") from None


@contextlib.contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Name the file in whatever goes wrong with its content.

    Raises:
        ArchiveError: what is inside found a fault.
    """
    try:
        yield
    except FAULTS as error:
        reason = f"missing {error}" if isinstance(error, KeyError) else str(error)
        raise ArchiveError(f"{path}: not a {what}: {reason}") from None


def plainly(value: Any) -> Any:
    """JSON's numbers for NumPy's."""
    return value.item() if hasattr(value, "item") else value
