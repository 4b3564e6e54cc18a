"""The wiring of a motif in each of its phases, and the order in which its populations are computed."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy

from circuitsim.motif.declarations import Declarations, memoized
from circuitsim.motif.expressions import reads_drive
from circuitsim.motif.objective import Objective
from circuitsim.motif.phase import TIME, Phase
from circuitsim.motif.population import Population, gates_of
from circuitsim.motif.projection import COMPARTMENTS, Projection
from circuitsim.rules.vocabulary import sums_of_currents

if TYPE_CHECKING:
    import networkx as nx

GATE = "gate"

Edges = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Wiring:
    """The wiring of a motif in one phase. The source of the drive of a population is one of

    - "input": the drive is the input, which this phase admits. Nothing drives the population in any phase.
    - "error": an objective drives it.
    - "target": the drive is a target, which this phase admits.
    - "soma": soma projections drive it.
    - "nothing": the drive is 0, and the activity is computed from noise or does not depend on the drive.
    - "kept": nothing drives it in this phase, so it keeps its activity from an earlier phase.
    """

    phase: Phase  # `phase.gain(name)` is the factor of a soma current
    projections: dict[str, Projection]  # with their compartments in this phase, without those that deliver no current
    soma_onto: dict[str, tuple[str, ...]]  # population -> projections onto this compartment, in order of declaration
    dendrite_onto: dict[str, tuple[str, ...]]
    order: tuple[str, ...]  # of the populations' computation; empty if there is a cycle
    source: dict[str, str]
    cycle: str | None = None  # its path, which is a fault

    def onto(self, population: str) -> tuple[str, ...]:
        """Return the names of all projections that deliver a current to a population."""
        return self.soma_onto[population] + self.dendrite_onto[population]

    def sums(self, projection: str) -> dict[sympy.Symbol, sympy.Expr]:
        """Map the symbols of `dendrite_post` and `hetero` in a projection's expressions to what they stand for in this
        phase, sums of currents ``I_<projection>``."""
        post = self.projections[projection].post
        return sums_of_currents(projection, self.soma_onto[post], self.dendrite_onto[post])


@memoized
def wirings(motif: Declarations) -> tuple[Wiring, ...]:
    """Return the wiring of each phase, in order. Names of the motif must be strings; it may have other faults.

    Example:
        >>> from circuitsim.motif.wiring import wirings
        >>> from motifs import weight_mirror
        >>> [sorted(w.soma_onto["down1"]) for w in wirings(weight_mirror([4, 3, 2]))]
        [['Wt1'], []]
    """
    rewired: dict[tuple[int, str], Projection] = {}
    return tuple(_wiring(motif, phase, rewired) for phase in motif.phases)


@memoized
def driven_populations(motif: Declarations) -> frozenset[str]:
    """Return the names of the populations that receive a soma projection in any phase."""
    phases = motif.phases
    return frozenset(p.post for p in motif.projections if any(_compartment(p, phase) == "soma" for phase in phases))


@memoized
def error_populations(motif: Declarations) -> frozenset[str]:
    """Return the names of the populations that an objective drives."""
    return frozenset(objective.error for objective in motif.objectives)


@memoized
def inputs_of(motif: Declarations) -> frozenset[str]:
    """Return the names of the populations whose drive is given as x; nothing inside the circuit drives them."""
    noisy = {name for phase in motif.phases for name in phase.noise}
    driven = driven_populations(motif) | noisy

    def is_input(p: Population) -> bool:
        return p.stream == "ascending" and p.source is None and p.name not in driven and reads_drive(motif, p)

    return frozenset(p.name for p in motif.populations if is_input(p))


@memoized
def labels_of(motif: Declarations) -> dict[str, Objective]:
    """Map each population that a target drives to an objective with this target. A population whose source does not say
    which target it is, which is a fault, is left out."""
    objectives = {o.output: o for o in reversed(motif.objectives)}
    only = next(iter(objectives)) if len(objectives) == 1 else ""
    named = {p.name: p.source.partition(":")[2] or only for p in motif.populations if isinstance(p.source, str)}
    return {name: objectives[output] for name, output in named.items() if output in objectives}


def path_from_target(motif: Declarations, population: str) -> str:
    """Return how a target reaches a population, as in ``target of 'up2' -> error -[Wt1]-> down1``; "" if none does."""
    import networkx as nx  # late: only this message and drawings need networkx

    edges: Edges = {(gate, p.name): GATE for p in motif.populations for gate in gates_of(p)}
    for wiring in wirings(motif):
        edges |= {(p.pre, p.post): p.name for p in wiring.projections.values() if p.compartment == "soma"}
    graph: nx.DiGraph = nx.DiGraph([*edges, (population, population)])
    told = {name: o.output for name, o in labels_of(motif).items()} | {o.error: o.output for o in motif.objectives}
    starts = [name for name in told if name in graph and nx.has_path(graph, name, population)]
    paths = [nx.shortest_path(graph, name, population) for name in starts]
    if not paths:
        return ""
    path = min(paths, key=len)
    steps = "".join(f" -[{edges[pair]}]-> {pair[1]}" for pair in itertools.pairwise(path))
    return f"target of {told[path[0]]!r} -> {path[0]}{steps}"


def sequences_of(motif: Declarations) -> frozenset[str]:
    """Return the inputs that may be sequences: those that only phases over time read."""

    def readers(name: str) -> set[int | str]:
        return {phase.repeat for phase in motif.phases if phase.inputs is None or name in phase.inputs}

    return frozenset(name for name in inputs_of(motif) if readers(name) == {TIME})


def is_judged_over_time(motif: Declarations) -> bool:
    """Return whether targets may be sequences: whether only phases over time have errors or let in labels."""
    labels = labels_of(motif).keys()

    def hears(phase: Phase) -> bool:
        return phase.errors or bool(labels if phase.inputs is None else labels & set(phase.inputs))

    return {phase.repeat for phase in motif.phases if hears(phase)} == {TIME}


def _compartment(p: Projection, phase: Phase) -> str | None:
    """Return the compartment that receives a projection's current in a phase, or None if it delivers none."""
    if phase.soma is None:
        return p.compartment
    if p.name in phase.soma:
        return "soma"
    if p.compartment == "dendrite" or ((p.is_plastic or p.state) and phase.changes(p.name)):
        return "dendrite"
    return None


def _wiring(motif: Declarations, phase: Phase, rewired: dict[tuple[int, str], Projection]) -> Wiring:
    """Wire one phase. `rewired` caches projections whose compartment is not the declared one; phases share them."""
    wired = []
    for p in motif.projections:
        compartment = _compartment(p, phase)
        if compartment not in (p.compartment, None):
            key = (id(p), compartment)
            rewired[key] = p = rewired.get(key) or dataclasses.replace(p, compartment=compartment)
        wired += [p] if compartment is not None else []
    soma, dendrite = (_onto(motif, (p for p in wired if p.compartment == c)) for c in COMPARTMENTS)
    names = [p.name for p in motif.populations]
    edges = dependencies(motif, wired, phase.errors)
    order = in_order(names, edges)
    source = {p.name: _source(motif, phase, p, bool(soma[p.name])) for p in motif.populations}
    cycle = cycle_in(names, edges) if len(order) < len(set(names)) else None
    return Wiring(phase, {p.name: p for p in wired}, soma, dendrite, () if cycle else order, source, cycle)


def _onto(motif: Declarations, projections: Iterable[Projection]) -> dict[str, tuple[str, ...]]:
    onto: dict[str, list[str]] = {p.name: [] for p in motif.populations}
    for p in projections:
        onto.setdefault(p.post, []).append(p.name)
    return {name: tuple(arriving) for name, arriving in onto.items()}


def _source(motif: Declarations, phase: Phase, p: Population, has_soma: bool) -> str:
    is_let_in = phase.inputs is None or p.name in phase.inputs
    if p.name in inputs_of(motif):
        return "input" if is_let_in else "kept"
    if p.source is not None:
        return "target" if is_let_in else "kept"
    if phase.errors and p.name in error_populations(motif):
        return "error"
    if has_soma:
        return "soma"
    return "nothing" if p.name in phase.noise or not reads_drive(motif, p) else "kept"


# -- the order of a sweep


def dependencies(motif: Declarations, projections: Iterable[Projection], errors: bool = True) -> Edges:
    """Map each pair (a, b) where b's activity depends on a's to the reason.

    The reason is the name of a soma projection without delay, "gate", or the loss of an objective. In a step of
    several iterations, gates that would close a cycle are left out, first those of a population that is declared later
    than the reader: they are read as the iteration before left them. `projections` are those of the phase of interest,
    and `errors` says whether objectives drive their error populations in it.
    """
    edges = {(p.pre, p.post): p.name for p in projections if p.compartment == "soma" and not p.delay}
    edges |= {(o.output, o.error): o.loss for o in motif.objectives if errors}
    gates = {(gate, p.name): GATE for p in motif.populations for gate in gates_of(p)} | edges
    if [phase.repeat for phase in motif.phases] == [1] or cycle_in([], edges):
        return gates
    rank = {p.name: k for k, p in enumerate(motif.populations)}
    backward = [(a, b) for a, b in gates if rank.get(a, 0) >= rank.get(b, 0)]  # a is declared later
    forward = [pair for pair in gates if pair not in backward]
    return {pair: gates[pair] for pair in without_cycles([*edges, *forward, *backward])}


def cycle_in(names: Iterable[str], edges: Edges) -> str | None:
    """Return the path of a cycle, such as ``a -[W0]-> b -[gate]-> a``, or None."""
    import networkx as nx  # late: only drawings and motifs with a cycle need networkx

    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(edges)
    try:
        path = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return None
    return path[0][0] + "".join(f" -[{edges[a, b]}]-> {b}" for a, b in path)


def without_cycles(edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the edges without those that close a cycle with earlier ones."""
    import networkx as nx

    full: nx.DiGraph = nx.DiGraph(edges)
    component = {name: k for k, names in enumerate(nx.strongly_connected_components(full)) for name in names}
    graph = nx.DiGraph()
    graph.add_nodes_from(full)
    for a, b in edges:
        if component[a] != component[b] or not nx.has_path(graph, b, a):
            graph.add_edge(a, b)
    return list(graph.edges)


def in_order(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return a topological order, with ties broken by the order of `names`.

    Populations on a cycle, or downstream of one, are left out.
    """
    rank = {name: k for k, name in enumerate(names)}
    successors: dict[str, list[str]] = {name: [] for name in names}
    n_missing = dict.fromkeys(names, 0)
    for before, after in edges:
        if before in rank and after in rank:
            successors[before].append(after)
            n_missing[after] += 1
    ready = [(rank[name], name) for name, n in n_missing.items() if n == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        _, name = heapq.heappop(ready)
        order.append(name)
        for after in successors[name]:
            n_missing[after] -= 1
            if n_missing[after] == 0:
                heapq.heappush(ready, (rank[after], after))
    return tuple(order)
