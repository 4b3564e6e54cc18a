"""The results of a condition."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import circuitsim as cs
from support.statistics import Array, mean_and_spread

# The quantities of `circuitsim.alignment` and their headings in tables.
ALIGNMENT = {
    "mirror_cosine": "cos(V, Vt^T)",
    "stationarity_cosine": "stationarity cosine",
    "gradient_cosine": "cosine with the gradient",
}


def weights_of(circuit: cs.Circuit) -> dict[str, Array]:
    """Copies of the weights, ``[replica, post, pre]``, keyed by projection."""
    return {p.name: circuit.weights(p.name).to_dense().cpu().numpy() for p in circuit.motif.projections}


def hidden_sites(motif: cs.Motif) -> list[str]:
    """The projections W between ascending somata that do not end on an output, without biases."""
    outputs = {objective.output for objective in motif.objectives}
    return [
        p.name
        for p in motif.projections
        if p.compartment == "soma"
        and motif.population(p.pre).activation != "one"
        and motif.population(p.pre).stream == motif.population(p.post).stream == "ascending"
        and p.post not in outputs
    ]


@dataclass
class Result:
    """A condition after learning; its seeds are the replicas.

    Args:
        circuit: the circuit after learning.
        before: the weights at the start, ``[replica, post, pre]``, keyed by projection.
        history: the history of the run.
        networks: the spiking networks, one per seed, if the condition learned with spikes.
    """

    circuit: cs.Circuit
    before: dict[str, Array]
    history: cs.History
    networks: list[Any] = field(default_factory=list)

    @property
    def runaways(self) -> list[int]:
        """The replicas that ran away."""
        return self.history.ran_away

    @property
    def ran_away(self) -> str:
        """The number of replicas that ran away, as a table cell such as "1 of 5"."""
        return f"{len(self.runaways)} of {self.circuit.n_replicas}"

    @property
    def after(self) -> dict[str, Array]:
        """The weights after learning."""
        return weights_of(self.circuit)

    def final(self, metric: str, split: str, site: str | None = None) -> Array:
        """The last value of each replica; NaN if the replica ran away or nothing was measured."""
        return self._of(-1, metric, split, site)

    def first(self, metric: str, split: str = "probe", site: str | None = None) -> Array:
        """The first value of each replica; NaN as in `final`."""
        return self._of(0, metric, split, site)

    def _of(self, row: int, metric: str, split: str, site: str | None) -> Array:
        values = np.full(self.circuit.n_replicas, np.nan)
        try:
            curve = self.history.curve(metric, split, site)
        except cs.ParameterError:
            return values
        values[curve.columns.to_numpy(dtype=int)] = curve.iloc[row].to_numpy(dtype=float)
        return values

    def by_site(self, metric: str) -> dict[str, Array]:
        """The last values of a probe at each site that it measured; cosines with the gradient at hidden layers only.

        The output receives the error through a fixed identity, so its cosine is 1 in any case.
        """
        found = {row[5] for row in self.history.rows if row[4] == metric and row[3] == "probe"}
        if metric == "gradient_cosine":
            found &= set(hidden_sites(self.circuit.motif))
        order = sorted(found, key=lambda site: [int(n) if n.isdigit() else n for n in re.split(r"(\d+)", site)])
        return {site: self.final(metric, "probe", site) for site in order}

    def over_sites(self, metric: str) -> Array:
        """The mean of `by_site` over sites, ``[replica]``."""
        values = list(self.by_site(metric).values())
        return np.mean(values, axis=0) if values else np.full(self.circuit.n_replicas, np.nan)

    def lines(self, metric: str) -> str:
        """Mean ± standard deviation as a table cell with one line per site."""
        return "\n".join(mean_and_spread(values) for values in self.by_site(metric).values()) or "-"

    def percent(self, *splits: str, metric: str = "accuracy") -> dict[str, str]:
        """Accuracy (or another metric) on these splits, as table cells."""
        return {f"{split} {metric}, %": mean_and_spread(self.final(metric, split), scale=100) for split in splits}

    def assembly(self, *splits: str) -> dict[str, str]:
        """Accuracy and the cosines of self-assembly layer by layer, as table cells."""
        return {**self.percent(*splits), **{title: self.lines(metric) for metric, title in ALIGNMENT.items()}}
