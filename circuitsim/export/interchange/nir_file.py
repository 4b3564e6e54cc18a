"""Read graphs in the Neuromorphic Intermediate Representation, as snnTorch, Norse, Lava and others write them.

Source: Pedersen et al. (2024), Neuromorphic intermediate representation: a unified instruction set for interoperable
brain-inspired computing, Nature Communications 15:8122.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from circuitsim.errors import ArchiveError, MotifError, warn
from circuitsim.export.interchange.graph_file import FAULTS, needed
from circuitsim.files import as_path
from circuitsim.motif import Bias, Given, Identity, Motif, OneToOne, Population, Projection

# The activation of the rate neuron that stands for each kind of neuron.
NEURONS = {"IF": "relu", "LIF": "relu", "CubaLIF": "relu", "I": "linear", "LI": "linear", "CubaLI": "linear"}
SYNAPSES = ("Linear", "Affine")
# Constants of neurons that scale or shift their response, with the values at which they do nothing.
CONSTANTS = {"r": 1.0, "w_in": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}


class LeftOutWarning(UserWarning):
    """A file holds something that has no counterpart and is left out."""


def read_nir(path: str | os.PathLike[str]) -> Motif:
    """Read a NIR graph as a motif with the same populations, connections and weights.

    Nodes of neurons become populations of rate neurons: "relu" for neurons that spike (IF, LIF, CubaLIF), "linear" for
    those that do not (I, LI, CubaLI), inputs, and outputs to which weights lead. Linear and affine nodes become
    projections, whose weights are `cs.Given`; the bias of an affine node becomes a projection from a bias unit. Neurons
    that are connected without weights get one-to-one synapses of weight 1. Time constants, thresholds and resistances
    have no counterpart in a rate neuron and are left out, with a `LeftOutWarning` if they scale or shift the response.

    The motif has no rules and no objective: add them with ``motif.replace(name, rule=...)`` and `cs.Objective`.

    Args:
        path: the file (HDF5).
    Returns:
        The motif. Characters that cannot be part of an identifier become ``_`` in names, and a name that then begins
        with ``_`` or a digit gets an ``n`` before it. For an example see docs/how_to/read_other_files.md.
    Raises:
        MissingPackage: nir is not installed.
        ArchiveError: the file cannot be read or is no NIR graph.
        MotifError: the graph has a node without a counterpart (such as a convolution or a graph of its own), a
            connection that loops or leads from weights to weights, or names that become equal.
    """
    nir = needed("nir", "reading NIR graphs")
    if not as_path(path).is_file():
        raise ArchiveError(f"{path}: cannot be read (no such file)")
    try:
        graph = nir.read(path)
        nodes, edges = dict(graph.nodes), sorted({(str(a), str(b)) for a, b in graph.edges})
    except (OSError, *FAULTS) as error:
        raise ArchiveError(f"{path}: not a NIR graph: {error or type(error).__name__}") from None
    motif = Motif(_identifier(Path(path).stem))
    kinds = {name: type(node).__name__ for name, node in nodes.items()}
    _check(path, kinds, edges)
    _warn_of_constants(path, nodes, kinds)
    names = _names(path, nodes)
    before = {name: [a for a, b in edges if b == name] for name in nodes}
    after = {name: [b for a, b in edges if a == name] for name in nodes}
    populations = {
        name: Population(names[name], _size(node, kinds[name]), activation=NEURONS.get(kinds[name], "linear"))
        for name, node in nodes.items()
        if kinds[name] in NEURONS
        or kinds[name] == "Input"
        # unless weights lead to an output, the neurons before it are the output
        or (kinds[name] == "Output" and any(kinds[other] in SYNAPSES for other in before[name]))
    }
    motif.add(*populations.values())
    for name, node in nodes.items():
        if kinds[name] in SYNAPSES:
            ends = [(a, b) for a in before[name] for b in after[name]]
            for pre, post in ends:
                own = names[name] if len(ends) == 1 else f"{names[name]}_{names[pre]}_{names[post]}"
                motif.add(Projection(own, names[pre], names[post], init=Given(node.weight)))
            if kinds[name] == "Affine" and np.any(node.bias):
                for post in after[name]:
                    own = f"{names[name]}_bias" if len(after[name]) == 1 else f"{names[name]}_bias_{names[post]}"
                    bias = motif.add(Bias(f"{own}_unit"))
                    motif.add(Projection(own, bias, names[post], init=Given(np.reshape(node.bias, (-1, 1)))))
    for a, b in edges:
        if a in populations and b in populations:
            own = f"{names[a]}_to_{names[b]}"
            motif.add(Projection(own, names[a], names[b], connectivity=OneToOne(), init=Identity()))
    motif.validate()
    return motif


def _check(path: Any, kinds: Mapping[str, str], edges: list[tuple[str, str]]) -> None:
    known = (*NEURONS, *SYNAPSES, "Input", "Output")
    for name, kind in kinds.items():
        if kind not in known:
            raise MotifError(
                f"{path}: node {name!r} is a {kind}, which no rate neurons represent (known: {', '.join(known)})"
            )
    for a, b in edges:
        if kinds[a] in SYNAPSES and kinds[b] in SYNAPSES:
            raise MotifError(
                f"{path}: the weights {a!r} lead to the weights {b!r}; put neurons between them, or multiply"
            )


def _warn_of_constants(path: Any, nodes: Mapping[str, Any], kinds: Mapping[str, str]) -> None:
    found = [
        f"{constant} of {name!r} is not {neutral:g}"
        for name, node in nodes.items()
        if kinds[name] in NEURONS
        for constant, neutral in CONSTANTS.items()
        if getattr(node, constant, None) is not None and np.any(np.asarray(getattr(node, constant)) != neutral)
    ]
    if found:
        warn(
            f"{path}: {'; '.join(found)}. Rate neurons have no such constants, so they are left out: scale the weights "
            "onto these neurons if their response should be the same",
            LeftOutWarning,
        )


def _names(path: Any, nodes: Mapping[str, Any]) -> dict[str, str]:
    names = {name: _identifier(name) for name in nodes}
    for name, identifier in names.items():
        if twins := [other for other in names if other != name and names[other] == identifier]:
            raise MotifError(f"{path}: nodes {name!r} and {twins[0]!r} would both be called {identifier!r}; rename one")
    return names


def _identifier(name: str) -> str:
    text = re.sub(r"\W", "_", name) or "motif"
    return f"n{text}" if text[0].isdigit() or text[0] == "_" else text


def _size(node: Any, kind: str) -> int:
    shapes: Mapping[str, np.ndarray] = node.input_type if kind == "Output" else node.output_type
    return int(np.prod(next(iter(shapes.values()))))
