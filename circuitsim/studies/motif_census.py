"""A prediction of the paper: the reciprocal four-synapse motif is over-represented in an assembled connectome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from circuitsim.analysis.census import KINDS, Census, coherent_share, graph_census, square_census
from circuitsim.analysis.squares import Square, squares
from circuitsim.engine import Circuit, compile
from circuitsim.motif import Motif
from circuitsim.studies.controls import frozen_feedback, shuffled_error
from circuitsim.studies.experiment import Options, Report, independent_circuits
from circuitsim.studies.task import Task
from circuitsim.studies.train_all import train_all
from circuitsim.studies.trained import bench, loss_of, mean, shown
from circuitsim.train import evaluate
from motifs import sal

KEPT = 0.25  # of the synapses of each plastic projection: the largest
N_RANDOM, QUICK_N_RANDOM = 100, 20
ASSEMBLED, START = "SAL, assembled", "SAL, at the start"
FROZEN, SHUFFLED = "control: feedback frozen at random", "control: shuffled error"
ROWS: dict[str, Callable[[Motif], Motif] | None] = {
    ASSEMBLED: lambda motif: motif,
    START: None,
    FROZEN: frozen_feedback,
    SHUFFLED: shuffled_error,
}


@independent_circuits
def motif_census(options: Options) -> Report:
    """Count the reciprocal motif in pruned connectomes, against random graphs that keep every neuron's degrees.

    Every plastic projection keeps the largest quarter of its synapses by absolute weight. A quadruple counts if it
    has up_l -W-> up_{l+1}, up_l -Vt-> down_l, down_{l+1} -V-> up_{l+1} and down_{l+1} -Wt-> down_l. Random graphs
    shuffle each projection on its own. "Sign-coherent" quadruples are those in which W Vt and V Wt have the same sign
    (half, by chance), which Theorem 1 leads one to expect. "Whole graph" is blind to populations (bi-fans), as for a
    connectome of which only edges are known: `circuitsim.analysis.graph_census`.

    Source: Liao et al. (2024), arXiv 2412.20018, conclusion (predictions); no figures there.
    """
    on = bench(options)
    n_random = QUICK_N_RANDOM if options.quick else N_RANDOM
    motif = sal(on.layers, loss=loss_of(on))
    rows, found, agree, histories = [], {}, {}, {}
    learned = train_all({label: make(motif) for label, make in ROWS.items() if make is not None}, on)
    for label, make in ROWS.items():
        if make is None:
            circuit, away = compile(motif, replicas=on.seeds, seed=0, device=on.device), 0
        else:
            trained = learned[label]
            circuit, away, histories[label] = trained.circuit, trained.n_runaways, trained.history
        found[label] = counted(circuit, n_random)
        agree[label] = {square: coherent(circuit, square) for square in found[label]}
        graphs = [whole(circuit, r, n_random) for r in range(circuit.n_replicas)]
        rows += _rows(label, circuit, found[label], graphs, on, away)
    title = f"Census of the reciprocal motif, {on.data.name}: mean ± standard deviation over {on.seeds} seeds"
    configuration = on.configuration | {"kept": KEPT, "random graphs": n_random}
    return Report(title, pd.DataFrame(rows), _notes(found, agree), {}, histories, configuration)


def counted(circuit: Circuit, n_random: int) -> dict[Square, list[Census]]:
    """Prune the circuit's plastic projections to the largest `KEPT`, and take the census of each square and replica.

    The square at the output has the fixed one-to-one V, which is not pruned.
    """
    declared = squares(circuit.motif)
    for name in {getattr(square, kind) for square in declared for kind in KINDS}:
        if circuit.motif.projection(name).rule is not None:  # also where a control has frozen it
            prune_to(circuit, name, KEPT)
    return {
        square: [
            square_census(
                {kind: circuit.mask(getattr(square, kind))[r].cpu().numpy() for kind in KINDS},
                n_random=n_random, seed=r,
            )
            for r in range(circuit.n_replicas)
        ]
        for square in declared
    }  # fmt: skip


def prune_to(circuit: Circuit, projection: str, kept: float) -> None:
    """Remove all but the largest synapses by absolute weight, one threshold for all replicas."""
    present = circuit.weights(projection)[circuit.mask(projection)].abs().cpu().numpy()
    circuit.prune(projection, float(np.quantile(present, 1 - kept)))


def coherent(circuit: Circuit, square: Square) -> list[float]:
    """Of each replica's quadruples, the share whose two paths agree in sign."""
    weights = {kind: circuit.weights(getattr(square, kind)).cpu().numpy() for kind in KINDS}
    return [coherent_share(**{kind: w[r] for kind, w in weights.items()}) for r in range(circuit.n_replicas)]


def whole(circuit: Circuit, replica: int, n_random: int) -> Census:
    """The census of the squares' part of the connectome as a bare graph, degrees kept within each projection."""
    names = {getattr(square, kind) for square in squares(circuit.motif) for kind in KINDS}
    graph = circuit.connectome(replica)
    graph.remove_edges_from([edge for edge in graph.edges(keys=True) if edge[2] not in names])
    graph.remove_nodes_from([node for node in list(graph) if graph.degree(node) == 0])
    return graph_census(graph, n_random=n_random, seed=replica)


def _rows(
    label: str, circuit: Circuit, found: dict[Square, list[Census]], graphs: list[Census], on: Task, away: int
) -> list[dict[str, Any]]:
    accuracy = shown(evaluate(circuit, on.data)["accuracy"], 1, scale=100) if str(on.data.kind) == "classes" else "-"
    return [
        {
            "circuit": label,
            "square": f"{square.W} {square.V} {square.Vt} {square.Wt}",
            "observed": shown([census.observed for census in counts], 0),
            "random": shown([census.random.mean() for census in counts], 0),
            "observed / random": shown([census.ratio for census in counts]),
            "z": shown([census.z for census in counts], 1),
            "sign-coherent, %": shown(coherent(circuit, square), 1, scale=100),
            "z of bi-fans, whole graph": shown([census.z for census in graphs], 1),
            "accuracy when pruned, %": accuracy,
            "ran away": away,
        }
        for square, counts in found.items()
    ]


def _notes(found: dict[str, dict[Square, list[Census]]], agree: dict[str, dict[Square, list[float]]]) -> str:
    lines = [
        "The paper predicts over-representation (a ratio above 1, a positive z) and gives no figures. Measured, "
        "where over or under means that the mean z is beyond 2:"
    ]
    for square in found[ASSEMBLED]:
        parts = []
        for label, counts in found.items():
            ratio, z = (mean([getattr(census, name) for census in counts[square]]) for name in ("ratio", "z"))
            verdict = "over" if z > 2 else "under" if z < -2 else "neither over- nor under"
            share = 100 * mean(agree[label][square])
            parts.append(f"{label} {ratio:.2f} (z {z:+.1f}: {verdict}-represented; {share:.0f} % sign-coherent)")
        lines.append(f"- {square.W}, {square.V}, {square.Vt}, {square.Wt}: " + "; ".join(parts) + ".")
    return "\n".join(lines)
