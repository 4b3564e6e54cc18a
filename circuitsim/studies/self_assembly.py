"""Self-assembly from random connectivity, beside its baselines and controls: the package's main experiment."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd
import torch

from circuitsim import plots
from circuitsim.analysis import alignment
from circuitsim.analysis.squares import mirror_pairs
from circuitsim.data import Dataset, Split
from circuitsim.engine import Circuit, compile
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.studies.controls import FROZEN_RATES, frozen_feedback, shuffled_error
from circuitsim.studies.experiment import Report, spread
from circuitsim.studies.tuned_settings import tuned
from circuitsim.train import Probe, WeightProbe, fit
from circuitsim.train.weight_probe import every_for
from circuitsim.weight_history import WeightHistory
from motifs import backprop, kolen_pollack, sal

Rates = Mapping[str, Any]  # parameters of a motif

TITLES = {
    "mirror_cosine": "cos(V, Vt^T)",
    "stationarity_cosine": "stationarity cosine",
    "gradient_cosine": "cosine with the gradient",
}


PROBED = 1000  # samples


@dataclass(frozen=True)
class Setting:
    """What fits a data set: hidden sizes, batch size, epochs."""

    hidden: tuple[int, ...]
    batch_size: int
    epochs: int


PAPER = Setting((200, 200, 200), 256, 20)
SETTINGS = {"digits": Setting((32, 32), 64, 40), "teacher": Setting((32, 32), 64, 40)}


def rows_for(dataset: str) -> dict[str, Callable[[list[int]], Motif]]:
    """The circuits beside each other, each at the rates that `circuitsim tune` found for it on this data set.

    Where it was never run there, the defaults of the motifs, and for frozen feedback what was found on Fashion-MNIST.
    """
    found = tuned(dataset)
    rates: Rates = found.get("sal_stable", found.get("sal", {}))
    ungated: Rates = found.get("sal_ungated", rates)
    frozen: Rates = found.get("sal_frozen", FROZEN_RATES)
    sgd: Rates = found.get("backprop", {})
    kolen: Rates = found.get("kolen_pollack", {})
    return {
        "SAL (gated)": lambda layers: sal(layers, **rates),
        "SAL (ungated)": lambda layers: sal(layers, gated=False, name="sal_ungated", **ungated),
        "SGD": lambda layers: backprop(layers, **sgd),
        "Kolen-Pollack": lambda layers: kolen_pollack(layers, **kolen),
        "control: feedback frozen at random": lambda layers: frozen_feedback(sal(layers, **frozen)),
        "control: shuffled error": lambda layers: shuffled_error(sal(layers, **rates)),
    }


@dataclass
class Run:
    """One row of the table: a motif, its replicas, and what they did."""

    label: str
    circuit: Circuit
    before: dict[str, Any]
    history: History = field(default_factory=History)
    kept: WeightHistory = field(default_factory=WeightHistory)


def run_row(
    label: str, motif: Motif, data: Dataset, setting: Setting, *, replicas: int, seed: int, device: str, progress: bool
) -> Run:
    """Let one motif assemble itself; alignment is measured on validation samples, 21 times over the run."""
    circuit = compile(motif, replicas=replicas, seed=seed, device=device)
    run = Run(label, circuit, {p.name: circuit.weights(p.name).cpu().numpy() for p in motif.projections})
    probe = aligned(circuit, data, max(1, round(setting.epochs / 20)))
    weights = WeightProbe(every_for(setting.epochs), kept=run.kept)
    run.history = fit(
        circuit, data, epochs=setting.epochs, batch_size=setting.batch_size, schedule="cosine", data_seed=seed,
        probes={"alignment": probe, "weights": weights}, progress=progress,
    )  # fmt: skip
    return run


def aligned(circuit: Circuit, data: Dataset, every: int, quantities: Collection[str] = tuple(TITLES)) -> Probe:
    """A probe of `circuitsim.alignment` on held-out samples, after every so many epochs."""
    batch = held_out(circuit, data)
    return Probe(lambda c: alignment(c, batch.x, batch.target, quantities), every_epochs=every)


def held_out(circuit: Circuit, data: Dataset) -> Split:
    """At most 1000 samples of the validation split (else of the training split), for probes."""
    split = data.validation if data.validation is not None else data.train
    return split.take(torch.arange(min(PROBED, len(split)))).to(circuit.device, circuit.dtype)


def summarise(runs: list[Run]) -> pd.DataFrame:
    """One row per run, mean and standard deviation over replicas of each figure; one line per hidden layer."""
    return pd.DataFrame([{"circuit": run.label, **_figures(run)} for run in runs])


def _figures(run: Run) -> dict[str, str]:
    table = run.history.to_pandas()
    probes = table[table.split == "probe"]
    last = probes[probes.epoch == probes.epoch.max()]
    accuracy = table[(table.split == "test") & (table.metric == "accuracy")].value.to_numpy()
    found = {"test accuracy, %": spread(100 * accuracy) if len(accuracy) else "-"}
    for quantity, title in TITLES.items():
        layers = [
            spread(group.value.to_numpy())
            for site, group in last[last.metric == quantity].groupby("site")
            if quantity != "gradient_cosine" or _is_hidden(run.circuit, str(site))
        ]
        found[title] = "\n".join(layers) or "-"
    return found


def _is_hidden(circuit: Circuit, projection: str) -> bool:
    return circuit.motif.projection(projection).post not in circuit.plan.outputs


def report(runs: list[Run], configuration: Mapping[str, Any]) -> Report:
    """The table, figures and histories of the runs; the first run's circuit is the one that is pictured."""
    first = runs[0]
    after = {p.name: first.circuit.weights(p.name).cpu().numpy() for p in first.circuit.motif.projections}
    shown = ["W0", *(v for v, _ in mirror_pairs(first.circuit.motif))]
    size = first.circuit.motif.populations[0].size
    side = math.isqrt(size)
    images = {"W0": (side, side)} if side**2 == size else None
    histories = {run.label: run.history for run in runs}
    figures = {
        "self_assembly": plots.self_assembly(histories),
        "weights": plots.weights(first.before, after, projections=shown, images=images),
        "motif": plots.draw(first.circuit.motif),
    }
    title = f"Self-assembly: mean ± standard deviation over {first.circuit.n_replicas} replicas, a line per layer"
    return Report(title, summarise(runs), NOTES, figures, histories, configuration)


NOTES = (
    "cos(V, Vt^T) rises by decay alone, whatever the error (Lemma 1), so it is no evidence of learning. What tells "
    "self-assembly from it is the cosine with the true gradient beside both controls. Each circuit learns at the rates "
    "that `circuitsim tune` found for it on this data set, random feedback too, which does well on digits (feedback "
    "alignment); Fashion-MNIST tells them further apart (--dataset fashion_mnist, docs/results.md)."
)


def setting_for(dataset: str, epochs: int | None) -> Setting:
    """The setting of a data set (the paper's circuit where none is named), perhaps with other epochs."""
    setting = SETTINGS.get(dataset, PAPER)
    return setting if epochs is None else Setting(**{**asdict(setting), "epochs": epochs})
