"""What a study runs on: data, sizes, seeds; and a run that reports running away in place of stopping the study."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats

from circuitsim.data import Dataset, Split, load_dataset
from circuitsim.engine import Circuit
from circuitsim.errors import SimulationDiverged
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.studies.experiment import Options
from circuitsim.studies.self_assembly import Setting, aligned, held_out, setting_for
from circuitsim.train import Probe, fit

QUICK_SEEDS = 2
N_PROBES = 20  # over a run, besides the one at its start


@dataclass(frozen=True)
class Task:
    """A data set with what fits it.

    Args:
        data: the data set.
        setting: hidden sizes, batch size, epochs.
        seeds: replicas of each circuit.
        device, progress, scheduler: as in `Options`.
        kept: folder of circuits that have learned on workers.
    """

    data: Dataset
    setting: Setting
    seeds: int
    device: str
    progress: bool
    scheduler: str | None = None
    kept: Path | None = None

    @property
    def layers(self) -> list[int]:
        """Sizes of the ascending populations."""
        n_in, n_out = self.data.n_features, self.data.n_outputs
        assert isinstance(n_in, int) and isinstance(n_out, int)
        return [n_in, *self.setting.hidden, n_out]

    @property
    def last_split(self) -> str:
        """Where accuracy is reported: "test" if there is one."""
        return list(self.data.splits)[-1]

    @property
    def configuration(self) -> dict[str, Any]:
        """For the report."""
        return {"layers": self.layers, **asdict(self.setting), "replicas": self.seeds, "seed": 0, "data_seed": 0}

    def batch(self, circuit: Circuit) -> Split:
        """At most 1000 samples of the validation split (else of the training split), for probes."""
        return held_out(circuit, self.data)

    def learn(
        self, circuit: Circuit, probes: Mapping[str, Probe] | None = None, schedule: str | None = "cosine"
    ) -> History:
        """Let the circuit learn; where no replica is left, the history ends early and `runaways` says so."""
        try:
            return fit(
                circuit, self.data, epochs=self.setting.epochs, batch_size=self.setting.batch_size, schedule=schedule,
                probes=probes, progress=self.progress,
            )  # fmt: skip
        except SimulationDiverged as error:
            history = getattr(error, "history", None)
            if history is None:
                raise
            return history

    def aligned(self, circuit: Circuit, quantities: Collection[str]) -> Probe:
        """A probe of `circuitsim.alignment` on `batch`, some twenty times over the run."""
        return aligned(circuit, self.data, self.every, quantities)

    @property
    def every(self) -> int:
        """Epochs between probes."""
        return max(1, round(self.setting.epochs / N_PROBES))

    def accuracy(self, circuit: Circuit, history: History) -> np.ndarray:
        """Final accuracy in percent of each replica, NaN for those that ran away."""
        table = history.to_pandas()
        rows = table[(table.split == self.last_split) & (table.metric == "accuracy")]
        found = np.full(circuit.n_replicas, np.nan)
        found[rows.replica.to_numpy(dtype=int)] = 100 * rows.value.to_numpy(dtype=float)
        found[[runaway["replica"] for runaway in history.runaways]] = np.nan
        return found


def task_for(
    options: Options, quick_epochs: int, hidden: Sequence[int] | None = None, epochs: int | None = None
) -> Task:
    """The task that options name.

    Args:
        options: `quick` means `quick_epochs` (unless `epochs` says otherwise) and at most two seeds.
        quick_epochs: passes over the data in quick mode.
        hidden: sizes in place of those that fit the data set.
        epochs: passes over the data in place of those that fit the data set, where the options do not say.
    """
    if options.epochs is not None:
        epochs = options.epochs
    elif options.quick:
        epochs = quick_epochs
    setting = setting_for(options.dataset, epochs)
    if hidden is not None:
        setting = replace(setting, hidden=tuple(hidden))
    seeds = min(options.seeds, QUICK_SEEDS) if options.quick else options.seeds
    return Task(
        load_dataset(options.dataset), setting, seeds, options.device, options.progress, options.scheduler,
        options.out / "trained",
    )  # fmt: skip


def hidden_sites(motif: Motif) -> list[str]:
    """The projections W from ascending to ascending somata that do not end on an output, biases left out."""
    outputs = {objective.output for objective in motif.objectives}
    return [
        p.name
        for p in motif.projections
        if p.target == "soma"
        and motif.population(p.pre).activation != "one"
        and motif.population(p.pre).stream == motif.population(p.post).stream == "ascending"
        and p.post not in outputs
    ]


def last_of(history: History, metric: str, sites: Collection[str] | None = None) -> pd.Series:
    """The last value of one metric, by (site, replica)."""
    table = history.to_pandas()
    rows = table[(table.metric == metric) & (table.split == "probe")]
    rows = rows if sites is None else rows[rows.site.isin(list(sites))]
    return rows.sort_values("step", kind="stable").groupby(["site", "replica"]).value.last()


def versus(a: np.ndarray, b: np.ndarray) -> str:
    """How two rows with the same seeds differ, such as ``+1.20 ± 0.31 (higher in 4 of 5 seeds)``."""
    difference = a - b
    difference = difference[np.isfinite(difference)]
    if not len(difference):
        return "not comparable (every seed ran away)"
    deviation = difference.std(ddof=1) if len(difference) > 1 else 0.0
    higher = int((difference > 0).sum())
    return f"{difference.mean():+.2f} ± {deviation:.2f} (higher in {higher} of {len(difference)} seeds)"


def interval(a: np.ndarray, b: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval of the mean of a - b, over seeds that both have; NaN where fewer than two do."""
    difference = a - b
    difference = difference[np.isfinite(difference)]
    if len(difference) < 2:
        return float("nan"), float("nan")
    half = scipy.stats.t.ppf((1 + confidence) / 2, len(difference) - 1) * scipy.stats.sem(difference)
    return float(difference.mean() - half), float(difference.mean() + half)


def deviations(a: np.ndarray, b: np.ndarray) -> float:
    """How far the mean of one sample is above that of another, in standard deviations of a difference a - b."""
    return float((np.mean(a) - np.mean(b)) / np.hypot(np.std(a, ddof=1), np.std(b, ddof=1)))
