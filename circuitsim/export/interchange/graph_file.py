"""What reading files of other programs has in common: errors name the file, and graphs become connectomes of the form
that `Circuit.connectome` returns."""

from __future__ import annotations

import contextlib
import importlib
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from xml.etree.ElementTree import ParseError

import networkx as nx
import numpy as np

from circuitsim.errors import ArchiveError, CircuitError, ParameterError
from circuitsim.files import as_path, read_bytes

Repeated = Literal["sum"] | None  # what becomes of synapses that a projection has twice between two neurons
FAULTS = (
    CircuitError, nx.NetworkXException, ParseError, ValueError, TypeError, LookupError, AttributeError, RecursionError,
    ArithmeticError, AssertionError,
)  # fmt: skip


class MissingPackage(CircuitError, ImportError):
    """A package that a file format needs is not installed."""


def needed(package: str, what: str) -> Any:
    """Import a package, which has an extra of the same name in circuitsim's setup, or raise a MissingPackage."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackage(
            f"{what} needs the package {package} ({error}): pip install 'circuitsim[{package}]'"
        ) from None


def check_suffix(path: str | os.PathLike[str], known: Sequence[str]) -> Path:
    """Return the path, or raise a ParameterError if its suffix is unknown."""
    checked = as_path(path)
    if checked.suffix.lower() not in known:
        raise ParameterError(f"path {str(path)!r} must end with one of {', '.join(known)}")
    return checked


def content_of(path: Path) -> bytes:
    """Read the bytes of a file. An ArchiveError says why it cannot be read."""
    try:
        return read_bytes(path)
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be read ({error.strerror or error})") from None


@contextlib.contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn `FAULTS`, which are about a file's content, into an ArchiveError that names the file."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise ArchiveError(
            f"{path}: not a {what}: it is no text in UTF-8 (byte {error.start} is {error.object[error.start]:#x}): "
            "save it in UTF-8"
        ) from None
    except FAULTS as error:
        reason = f"missing {error}" if isinstance(error, KeyError) else str(error)
        raise ArchiveError(f"{path}: not a {what}: {reason}") from None


def rename_on_edges(graph: nx.Graph, names: Mapping[str, str]) -> None:
    """Rename attributes of edges from their names in the previous version to those of this one."""
    for *_, attributes in graph.edges(data=True):
        for old in names.keys() & attributes.keys():
            attributes[names[old]] = attributes.pop(old)


def plain(value: Any) -> Any:
    """Turn a NumPy number into a plain one, which JSON can hold."""
    return value.item() if isinstance(value, np.generic) else value


def whole(value: Any) -> int | None:
    """A whole number as an int, also if a program has written it as a float; None for any other value."""
    number = plain(value)
    is_whole = isinstance(number, int) or (isinstance(number, float) and number.is_integer())
    return int(number) if is_whole and not isinstance(number, bool) else None


def by_projection(graph: nx.MultiDiGraph, add: str | None = None, advice: str = "") -> nx.MultiDiGraph:
    """Key the edges of a graph, which are numbered, by their attribute `projection`.

    Args:
        graph: what a reader of `formats` returned.
        add: the attribute to add up where a projection has several edges between two nodes; None refuses them with a
            ValueError.
        advice: the end of its message.
    """
    if not isinstance(graph, nx.MultiDiGraph):
        raise ValueError(f"it must be a directed multigraph (got {type(graph).__name__})")
    named = nx.MultiDiGraph()
    named.graph.update(graph.graph)
    named.add_nodes_from(graph.nodes(data=True))
    repeated: Counter[tuple[Any, Any, str]] = Counter()
    for pre, post, attributes in graph.edges(data=True):
        name = attributes.pop("projection", None)
        if not isinstance(name, str):
            raise ValueError(f"edge from {pre!r} to {post!r}: its projection must be a name (got {name!r})")
        if not named.has_edge(pre, post, name):
            named.add_edges_from([(pre, post, name, attributes)])
            continue
        repeated[pre, post, name] += 1
        if add is not None:
            _add(named.edges[pre, post, name], attributes, add, f"edge {name!r} from {pre!r} to {post!r}")
    if repeated and add is None:
        (pre, post, name), n = next(iter(repeated.items()))
        others = f", and {len(repeated) - 1} others are repeated too" if len(repeated) > 1 else ""
        raise ValueError(f"edge {name!r} from {pre!r} to {post!r} occurs {n + 1} times{others}{advice}")
    return named


def _add(total: dict[str, Any], other: dict[str, Any], name: str, where: str) -> None:
    different = sorted(k for k in total.keys() | other.keys() if k != name and total.get(k) != other.get(k))
    if different:
        raise ValueError(f"{where} is repeated with different values of {different[0]!r}, which cannot be added")
    total[name] += other[name]


def check_repeated(owner: str, repeated: Any) -> None:
    """Raise a ParameterError if `repeated` is unknown."""
    if repeated not in (None, "sum"):
        raise ParameterError(f'{owner}: repeated must be None or "sum" (got {repeated!r})')


def add_neurons(connectome: nx.MultiDiGraph, population: str, n: int) -> None:
    """Add the neurons 0 to n - 1 of a population, unless they are there already."""
    connectome.add_nodes_from(((population, index) for index in range(n)), population=population)


def add_synapses(
    connectome: nx.MultiDiGraph,
    projection: str,
    ends: tuple[str, str],
    synapses: Iterable[tuple[int, int, float]],
    repeated: Repeated,
) -> None:
    """Add the synapses of a projection between the populations `ends`, (pre, post), each with the indices of the two
    neurons, which are in the connectome, and the weight. A ValueError says that a weight is not finite, or that a pair
    occurs more than once and its weights are not to be added."""
    found = [((ends[0], pre), (ends[1], post), weight) for pre, post, weight in synapses]
    infinite = [synapse for synapse in found if not math.isfinite(synapse[2])]
    if infinite:
        pre, post, weight = infinite[0]
        raise ValueError(
            f"{projection!r}: {len(infinite)} weights are not finite, the first ({weight}) from "
            f"{_label(connectome, pre)} to {_label(connectome, post)}"
        )
    counts = Counter((pre, post) for pre, post, _ in found)
    twice = [pair for pair, n in counts.items() if n > 1]
    if twice and repeated is None:
        pre, post = twice[0]
        raise ValueError(
            f"{projection!r}: {len(twice)} pairs of neurons have more than one synapse, the first from "
            f"{_label(connectome, pre)} to {_label(connectome, post)} ({counts[twice[0]]} of them); repeated='sum' "
            "adds their weights"
        )
    connectome.add_edges_from(((*pair, projection) for pair in counts), weight=0.0)
    for pre, post, weight in found:
        connectome.edges[pre, post, projection]["weight"] += weight


def _label(connectome: nx.MultiDiGraph, neuron: tuple[str, int]) -> str:
    return repr(connectome.nodes[neuron].get("label", neuron))
