"""Read tables of edges between named neurons: published connectomes, Cytoscape's exports, and the data of c302."""

from __future__ import annotations

import csv
import io
import math
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import networkx as nx

from circuitsim.errors import ParameterError
from circuitsim.export.interchange.graph_file import Repeated, add_synapses, check_repeated, content_of, reading
from circuitsim.files import as_path

# The names under which a column is found unless it is given, in lower case.
KNOWN = {
    "pre": ("pre", "source", "from", "presynaptic", "pre_name", "source name"),
    "post": ("post", "target", "to", "postsynaptic", "post_name", "target name"),
    "weight": ("weight", "synapses", "count", "number", "nbr", "n_synapses", "syn_count"),
    "projection": ("type", "interaction", "shared interaction", "projection"),
}
NAME = ("shared name", "name")  # Cytoscape's columns of edges such as "A (pp) B"


def read_edge_table(
    path: str | os.PathLike[str],
    *,
    pre: str | None = None,
    post: str | None = None,
    weight: str | None = None,
    projection: str | None = None,
    population: str = "neurons",
    repeated: Repeated = None,
) -> nx.MultiDiGraph:
    """Read a table of edges between named neurons as a connectome.

    The first line names the columns, which are separated by commas, tabs or semicolons. This is the form of most
    published connectomes, such as those of C. elegans that c302 contains, and of edge tables that Cytoscape exports,
    in which one column holds both neurons, as ``A (interaction) B``.

    Args:
        path: the file.
        pre, post: the columns with the names of the two neurons; by default "pre", "source", "from" or the like (upper
            or lower case), or the two parts of Cytoscape's column "shared name" or "name".
        weight: the column with the weights; by default "weight", "synapses", "count" or the like, and without such a
            column 1.
        projection: the column that tells to which projection an edge belongs, such as chemical or electrical synapses;
            by default "type", "interaction" or "projection", and without such a column all are called "synapses".
        population: the name of the population.
        repeated: "sum" adds the weights of several edges that a projection has from one neuron to another; by default
            they are refused.
    Returns:
        A graph such as `Circuit.connectome` returns: nodes are ``(population, index)``, in the order of the neurons'
        names, which are their `label`; edges are keyed by projection and have a `weight`.
    Raises:
        ParameterError: a column does not exist or has to be named, or `repeated` is unknown.
        ArchiveError: the file cannot be read or is not such a table, a name or weight is missing, or a pair of neurons
            occurs more than once.
    Example:
        >>> import circuitsim as cs, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "edges.csv"
        >>> _ = path.write_text("Source,Target,Weight,Type\\nAVAL,DA1,5,chemical\\nAVAL,AVAR,2,electrical\\n")
        >>> connectome = cs.read_edge_table(path)
        >>> connectome.nodes(data="label")[("neurons", 0)]
        'AVAL'
        >>> list(connectome.edges(keys=True, data="weight"))[0]
        (('neurons', 0), ('neurons', 2), 'chemical', 5.0)
    """
    check_repeated("read_edge_table", repeated)
    table = Table.read(as_path(path))
    chosen = {"pre": pre, "post": post, "weight": weight, "projection": projection}
    columns = {kind: table.find(kind, name) for kind, name in chosen.items()}
    joint = next((name for known in NAME for name in table.columns if name.lower() == known), None)
    for kind, other in (("pre", "post"), ("post", "pre")):
        if columns[kind] is None and (columns[other] is not None or joint is None):
            raise ParameterError(
                f"{path}: no column is called {kind} or the like; give {kind}= ({', '.join(table.columns)})"
            )
    with reading(table.path, "table of edges"):
        if columns["pre"] is None or columns["post"] is None:
            ends = table.split(joint or "", table.columns.get(columns["projection"] or ""))
        else:
            ends = [table.texts(columns["pre"]), table.texts(columns["post"])]
        n = len(ends[0])
        weights = [1.0] * n if columns["weight"] is None else table.numbers(columns["weight"])
        keys = ["synapses"] * n if columns["projection"] is None else table.texts(columns["projection"])
        names = sorted({*ends[0], *ends[1]})
        index = {name: k for k, name in enumerate(names)}
        for name in names:
            if (whole := re.sub(r"\.0+$", "", name)) != name and whole in index and whole.isdecimal():
                raise ValueError(
                    f"the neurons {whole!r} and {name!r} may be one, if a column had blanks: write both alike"
                )
        connectome = nx.MultiDiGraph()
        for name, k in index.items():
            connectome.add_node((population, k), population=population, label=name)
        of_key: dict[str, list[tuple[int, int, float]]] = {}
        for source, target, w, key in zip(*ends, weights, keys, strict=True):
            of_key.setdefault(key, []).append((index[source], index[target], w))
        for key, synapses in of_key.items():
            add_synapses(connectome, key, (population, population), synapses, repeated)
    return connectome


@dataclass(frozen=True)
class Table:
    """The cells of a file as text, without blanks around them."""

    path: Path
    columns: Mapping[str, Sequence[str]]  # the cells below each name
    lines: Sequence[int]  # the number of the line in the file at which each row begins

    @classmethod
    def read(cls, path: Path) -> Table:
        """Read a file. An ArchiveError says why it is not a table."""
        content = content_of(path)
        with reading(path, "table of edges"):
            text = unicodedata.normalize("NFC", content.decode("utf-8-sig"))  # text that looks alike is one name
            rows = [(line, row) for line, row in _rows(text) if any(row)]
            if len(rows) < 2:
                raise ValueError("it has no edges")
            (_, names), *rest = rows
            if len(names) == 1:  # a file of c302 has blanks between the names and tabs between the cells
                names = names[0].split()
            if len(set(names)) < len(names):
                raise ValueError(f"two columns have the same name ({', '.join(names)})")
            for line, row in rest:
                if len(row) != len(names):
                    raise ValueError(f"line {line} has {len(row)} cells, but there are {len(names)} columns")
            cells = zip(*(row for _, row in rest), strict=True)
            return cls(path, dict(zip(names, cells, strict=True)), [line for line, _ in rest])

    def find(self, kind: str, name: str | None) -> str | None:
        """The column of a kind: the given one, which must exist, or the only one with a known name, or None."""
        if name is not None:
            if name not in self.columns:
                raise ParameterError(f"{self.path} has no column {name!r} (it has {', '.join(self.columns)})")
            return name
        known = [own for wanted in KNOWN[kind] for own in self.columns if own.lower() == wanted]
        if len({tuple(self.columns[own]) for own in known}) > 1:  # Cytoscape writes the same interactions twice
            raise ParameterError(f"{self.path}: both {known[0]!r} and {known[1]!r} may be the {kind}; give {kind}=")
        return known[0] if known else None

    def texts(self, column: str) -> Sequence[str]:
        """The cells of a column, none of which may be empty."""
        self._refuse(column, [not cell for cell in self.columns[column]], "must not be empty")
        return self.columns[column]

    def numbers(self, column: str) -> list[float]:
        """The cells of a column as numbers."""
        numbers = [_number(cell) for cell in self.columns[column]]
        self._refuse(column, [math.isnan(number) for number in numbers], "must be a number")
        return numbers

    def split(self, column: str, interactions: Sequence[str] | None) -> list[Sequence[str]]:
        """The two neurons of Cytoscape's names of edges, ``A (interaction) B``. If the interaction of each edge is
        given, it tells names with parentheses apart."""
        cells = self.columns[column]
        if interactions is None:
            parts = [re.split(r" \([^()]*\)(?= )", cell) for cell in cells]
        else:
            parts = [cell.split(f" ({between}) ") for cell, between in zip(cells, interactions, strict=True)]
        is_wrong = [len(part) != 2 or not all(part) for part in parts]
        self._refuse(column, is_wrong, "must be of the form 'A (interaction) B', with one interaction")
        return [[pre.strip() for pre, _ in parts], [post.strip() for _, post in parts]]

    def _refuse(self, column: str, is_wrong: Sequence[bool], what: str) -> None:
        if any(is_wrong):
            k = is_wrong.index(True)
            raise ValueError(
                f"line {self.lines[k]}: {column} {what} (got {self.columns[column][k]!r}; so in {sum(is_wrong)} of "
                f"{len(is_wrong)} lines)"
            )


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row, without blanks around them, and the number of the line at which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    line = 1
    try:
        for row in reader:
            yield line, [cell.strip() for cell in row]
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"the row from line {line} on cannot be read ({error}); is a quote not closed?") from None


def _separator(text: str) -> str:
    """The character between the cells, which occurs most often in the first line, or else in the second."""
    lines = [line for line in text.splitlines()[:10] if line.strip()] or [""]
    for line in lines[:2]:
        separator = max(",\t;", key=line.count)
        if separator in line:
            return separator
    raise ValueError(f"its first line must name columns, separated by , ; or tabs (got {lines[0][:80]!r})")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
