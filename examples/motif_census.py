"""Test a prediction of the paper: an assembled connectome over-represents the reciprocal four-synapse motif.

python examples/motif_census.py
python examples/motif_census.py --dataset fashion_mnist --seeds 3
python examples/motif_census.py --quick
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import circuitsim as cs
from circuitsim import plots
from circuitsim.analysis import Census, graph_census, square_census
from circuitsim.analysis.census import KINDS, coherent_share
from circuitsim.analysis.self_alignment import Square, squares
from support import Result, Study, mean, mean_and_spread
from support.algorithms import sal_and_controls

KEPT = 0.25  # fraction of each plastic projection's synapses that remain, the largest ones
N_RANDOM, QUICK_N_RANDOM = 100, 10
ASSEMBLED, START = "SAL, assembled", "SAL, at the start"


@dataclass(frozen=True)
class Counts:
    """The counts in the pruned connectomes of one circuit.

    Args:
        censuses: the census of each square, one per replica.
        coherent: for each square, the share of quadruples whose two paths agree in sign, one per replica.
        graphs: the census of the whole connectome as an unlabelled graph, one per replica.
        accuracy: the accuracy of the pruned circuit, ``[replica]``.
    """

    censuses: dict[Square, list[Census]]
    coherent: dict[Square, list[float]]
    graphs: list[Census]
    accuracy: Any


class MotifCensus(Study):
    """Count the reciprocal motif in pruned connectomes and in random graphs that preserve every neuron's degrees.

    Every plastic projection keeps the largest quarter of its synapses by absolute weight. A quadruple counts if it
    has up_l -W-> up_{l+1}, up_l -Vt-> down_l, down_{l+1} -V-> up_{l+1} and down_{l+1} -Wt-> down_l. Random graphs
    shuffle each projection separately. In "sign-coherent" quadruples, W Vt and V Wt have the same sign (half do so by
    chance), as Theorem 1 leads one to expect. "Whole graph" ignores populations and counts bi-fans, as in a connectome
    with only known edges (`circuitsim.analysis.graph_census`).

    Source: Liao et al. (2024), arXiv 2412.20018, conclusion (predictions); no figures there.
    """

    title = "Census of the reciprocal motif"

    @property
    def n_random(self) -> int:
        """The number of random graphs for each connectome."""
        return QUICK_N_RANDOM if self.setup.quick else N_RANDOM

    def motifs(self) -> dict[str, cs.Motif]:
        made = sal_and_controls(self.setup.layers, loss=self.setup.loss)
        return {ASSEMBLED: made.pop("SAL"), **made}

    @cached_property
    def counts(self) -> dict[str, Counts]:
        """The counts of all conditions and of SAL at the start, keyed by label."""
        circuits = {label: result.circuit for label, result in self.results.items()}
        start = cs.compile(circuits[ASSEMBLED].motif, replicas=self.setup.seeds, device=self.setup.device)
        circuits = {ASSEMBLED: circuits[ASSEMBLED], START: start, **circuits}
        return {label: self._counts(circuit) for label, circuit in circuits.items()}

    def _counts(self, circuit: cs.Circuit) -> Counts:
        censuses = counted(circuit, self.n_random)  # prunes the circuit
        return Counts(
            censuses,
            {square: coherent(circuit, square) for square in censuses},
            [whole(circuit, replica, self.n_random) for replica in range(circuit.n_replicas)],
            cs.evaluate(circuit, self.setup.data).get("accuracy", np.nan),
        )

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        for circuit in (ASSEMBLED, START) if label == ASSEMBLED else (label,):
            counts = self.counts[circuit]
            for square, found in counts.censuses.items():
                yield {
                    "circuit": circuit,
                    "square": _name(square),
                    "observed": mean_and_spread([census.observed for census in found], 0),
                    "random": mean_and_spread([census.random.mean() for census in found], 0),
                    "observed / random": mean_and_spread([census.ratio for census in found]),
                    "z": mean_and_spread([census.z for census in found], 1),
                    "sign-coherent, %": mean_and_spread(counts.coherent[square], 1, scale=100),
                    "z of bi-fans, whole graph": mean_and_spread([census.z for census in counts.graphs], 1),
                    "accuracy when pruned, %": mean_and_spread(counts.accuracy, 1, scale=100),
                }

    def notes(self) -> str:
        lines = [
            "The paper predicts over-representation (a ratio above 1, a positive z) and gives no figures. In the "
            "measurements below, over or under means that the absolute mean z exceeds 2:"
        ]
        for square in self.counts[ASSEMBLED].censuses:
            parts = []
            for label, counts in self.counts.items():
                ratio, z = (mean([getattr(c, name) for c in counts.censuses[square]]) for name in ("ratio", "z"))
                verdict = "over" if z > 2 else "under" if z < -2 else "neither over- nor under"
                share = 100 * mean(counts.coherent[square])
                parts.append(f"{label} {ratio:.2f} (z {z:+.1f}: {verdict}-represented; {share:.0f} % sign-coherent)")
            lines.append(f"- {square.W}, {square.V}, {square.Vt}, {square.Wt}: {'; '.join(parts)}.")
        return "\n".join(lines)

    def figures(self) -> Mapping[str, Any]:
        counted = self.counts
        found = {_name(s): {label: c.censuses[s] for label, c in counted.items()} for s in counted[ASSEMBLED].censuses}
        found["bi-fans, whole graph"] = {label: c.graphs for label, c in counted.items()}
        return {"census": plots.census(found, title=f"{self.title}, {self.setup.data.name}")}

    def configuration(self) -> Mapping[str, Any]:
        return {"kept": KEPT, "random graphs": self.n_random}


def _name(square: Square) -> str:
    return f"{square.W} {square.V} {square.Vt} {square.Wt}"


def counted(circuit: cs.Circuit, n_random: int) -> dict[Square, list[Census]]:
    """Prune the circuit's plastic projections to the largest `KEPT`, and count each square in each replica.

    The fixed one-to-one V of the output's square is not pruned.
    """
    declared = squares(circuit.motif)
    for name in {getattr(square, kind) for square in declared for kind in KINDS}:
        if circuit.motif.projection(name).rule is not None:  # also if a control has frozen it
            prune_to(circuit, name, KEPT)
    found = {}
    for square in declared:
        masks = {kind: circuit.mask(getattr(square, kind)).cpu().numpy() for kind in KINDS}
        found[square] = [
            square_census({kind: mask[r] for kind, mask in masks.items()}, n_random=n_random, seed=r)
            for r in range(circuit.n_replicas)
        ]
    return found


def prune_to(circuit: cs.Circuit, projection: str, kept: float) -> None:
    """Remove all but the largest synapses by absolute weight, with one threshold for all replicas."""
    present = circuit.weights(projection)[circuit.mask(projection)].abs().cpu().numpy()
    circuit.prune(projection, float(np.quantile(present, 1 - kept)))


def coherent(circuit: cs.Circuit, square: Square) -> list[float]:
    """The share of each replica's quadruples whose two paths agree in sign."""
    weights = {kind: circuit.weights(getattr(square, kind)).cpu().numpy() for kind in KINDS}
    return [coherent_share(**{kind: w[r] for kind, w in weights.items()}) for r in range(circuit.n_replicas)]


def whole(circuit: cs.Circuit, replica: int, n_random: int) -> Census:
    """Count bi-fans among the projections of the squares; random graphs preserve degrees within each projection."""
    names = {getattr(square, kind) for square in squares(circuit.motif) for kind in KINDS}
    graph = circuit.connectome(replica)
    graph.remove_edges_from([edge for edge in graph.edges(keys=True) if edge[2] not in names])
    graph.remove_nodes_from([node for node in list(graph) if graph.degree(node) == 0])
    return graph_census(graph, n_random=n_random, seed=replica)


if __name__ == "__main__":
    MotifCensus.main()
