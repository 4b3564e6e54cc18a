"""Names of neurons, which a pandas.DataFrame brings as its labels, and the order in which they stand.

The first matrix of a motif that names the neurons of a population settles their order. Every other matrix with names
is read by name, so that the rows and columns of published tables may stand in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from circuitsim.errors import DataError
from circuitsim.motif.arrays import Names, is_frame
from circuitsim.motif.connectivity import NamedMatrix
from circuitsim.motif.declarations import Declarations, memoized, population_of
from circuitsim.motif.identifiers import normalized
from circuitsim.motif.projection import Projection


@memoized
def neuron_names(motif: Declarations) -> dict[str, tuple[str, ...]]:
    """Map each population whose neurons have names to these names, in the order of the neurons.

    A matrix of another size names nothing: its shape is a fault.
    """
    declared, found = population_of(motif), dict[str, tuple[str, ...]]()
    for p in motif.projections:
        for _, population, names in _named_ends(p):
            if population in declared and declared[population].size == len(names):
                found.setdefault(population, names)
    return found


def matrix_of(motif: Declarations, p: Projection, value: NamedMatrix) -> np.ndarray:
    """Return the array of a projection's mask or weights, with the neurons in the order of their populations."""
    return in_order(motif, p, value.array, value.post_names, value.pre_names)


def in_order(motif: Declarations, p: Projection, array: np.ndarray, post_names: Names, pre_names: Names) -> np.ndarray:
    """Return an array ``[..., post, pre]`` whose axes are named, with the neurons in the order of their populations."""
    known = neuron_names(motif)
    for axis, population, names in ((-2, p.post, post_names), (-1, p.pre, pre_names)):
        if names is not None and names != known[population]:
            place = {name: k for k, name in enumerate(names)}
            array = np.take(array, [place[name] for name in known[population]], axis=axis)
    return array


def samples_in_order(motif: Declarations, population: str, samples: Any, owner: str) -> Any:
    """Return samples ``[sample, neuron]`` with the columns of a frame in the order of the neurons, if these have names.

    Columns that are numbered 0, 1, ... are in the order of the neurons, and so are arrays; others are refused.
    """
    known = neuron_names(motif).get(population) if is_frame(samples) else None
    if known is None or list(samples.columns) == list(range(len(known))):
        return samples
    columns = [normalized(str(label)) for label in samples.columns]
    if fault := name_fault(motif, population, columns):
        raise DataError(f"{owner}: {fault}; pass the frame's .to_numpy() if its columns match by position")
    return samples.iloc[:, [columns.index(name) for name in known]] if len(columns) == len(known) else samples


def name_faults(motif: Declarations, p: Projection) -> Iterator[str]:
    """Yield the differences between the names in a projection's matrices and those of its populations."""
    for matrix, population, names in _named_ends(p):
        if fault := name_fault(motif, population, names):
            yield f"projection {p.name!r}: {matrix}: {fault}"


def name_fault(motif: Declarations, population: str, names: Sequence[str]) -> str | None:
    """Return why these names are not those of a population's neurons, or None if they are."""
    if len(names) != motif.population(population).size:
        return None  # a fault of the shape
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        return f"{len(twice)} neurons of {population!r} have a name twice, the first is {twice[0]!r}; rename them"
    known = neuron_names(motif).get(population)
    if known is None:
        return (
            f"the neurons of {population!r} have no names, so the labels of a data frame cannot be followed; use "
            "frame.to_numpy() to give numbers in the order of the neurons, or name them by a Mask of a data frame"
        )
    if strange := [name for name in names if name not in set(known)]:
        return (
            f"{len(strange)} of {len(names)} labels are not the names of neurons of {population!r}, the first is "
            f"{strange[0]!r}; the first matrix with names has {known[0]!r}, ..."
        )
    return None


def _named_ends(p: Projection) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield "Mask" or "Given", a population, and the names that this matrix gives to its neurons."""
    for value in (p.connectivity, p.init):
        for population, axis in ((p.post, "post_names"), (p.pre, "pre_names")):
            if isinstance(value, NamedMatrix) and (names := getattr(value, axis)) is not None:
                yield type(value).__name__, population, names
