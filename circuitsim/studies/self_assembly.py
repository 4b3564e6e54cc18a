"""Self-assembly from random connectivity, beside its baselines and controls: the package's main experiment."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from circuitsim import plots
from circuitsim._version import __version__
from circuitsim.analysis import alignment
from circuitsim.analysis.squares import mirror_pairs
from circuitsim.data import Dataset
from circuitsim.engine import Circuit, compile
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.studies.controls import frozen_feedback, shuffled_error
from circuitsim.train import Probe, fit
from motifs import backprop, kolen_pollack, sal

TITLES = {
    "mirror_cosine": "cos(V, Vt^T)",
    "stationarity_cosine": "stationarity cosine",
    "gradient_cosine": "cosine with the gradient",
}


@dataclass(frozen=True)
class Setting:
    """What fits a data set: hidden sizes, batch size, epochs."""

    hidden: tuple[int, ...]
    batch_size: int
    epochs: int


SETTINGS = {"fashion_mnist": Setting((200, 200, 200), 256, 20), "mnist": Setting((200, 200, 200), 256, 20)}
SMALL = Setting((32, 32), 64, 40)  # digits, teacher

ROWS: dict[str, Callable[[list[int]], Motif]] = {
    "SAL (gated)": sal,
    "SAL (ungated)": lambda layers: sal(layers, gated=False, name="sal_ungated"),
    "SGD": backprop,
    "Kolen-Pollack": kolen_pollack,
    "control: feedback frozen at random": lambda layers: frozen_feedback(sal(layers)),
    "control: shuffled error": lambda layers: shuffled_error(sal(layers)),
}


@dataclass
class Run:
    """One row of the table: a motif, its replicas, and what they did."""

    label: str
    circuit: Circuit
    before: dict[str, Any]
    history: History = field(default_factory=History)


def run_row(
    label: str, motif: Motif, data: Dataset, setting: Setting, *, replicas: int, seed: int, device: str, progress: bool
) -> Run:
    """Let one motif assemble itself; alignment is measured on validation samples, 21 times over the run."""
    circuit = compile(motif, replicas=replicas, seed=seed, device=device)
    split = data.validation if data.validation is not None else data.train
    batch = split.take(torch.arange(min(1000, len(split)))).to(circuit.device, circuit.dtype)
    run = Run(label, circuit, {p.name: circuit.weights(p.name).cpu().numpy() for p in motif.projections})
    probe = Probe(
        lambda c: alignment(c, batch.x, batch.target, tuple(TITLES)), every_epochs=max(1, round(setting.epochs / 20))
    )
    run.history = fit(
        circuit, data, epochs=setting.epochs, batch_size=setting.batch_size, schedule="cosine", data_seed=seed,
        probes={"alignment": probe}, progress=progress,
    )  # fmt: skip
    return run


def summarise(runs: list[Run]) -> pd.DataFrame:
    """One row per run, mean and standard deviation over replicas of each figure; one line per hidden layer."""
    return pd.DataFrame([{"circuit": run.label, **_figures(run)} for run in runs])


def _figures(run: Run) -> dict[str, str]:
    table = run.history.to_pandas()
    probes = table[table.split == "probe"]
    last = probes[probes.epoch == probes.epoch.max()]
    accuracy = table[(table.split == "test") & (table.metric == "accuracy")].value.to_numpy()
    found = {"test accuracy, %": _spread(100 * accuracy) if len(accuracy) else "-"}
    for quantity, title in TITLES.items():
        layers = [
            _spread(group.value.to_numpy())
            for site, group in last[last.metric == quantity].groupby("site")
            if quantity != "gradient_cosine" or _is_hidden(run.circuit, str(site))
        ]
        found[title] = "\n".join(layers) or "-"
    return found


def _is_hidden(circuit: Circuit, projection: str) -> bool:
    return circuit.motif.projection(projection).post not in circuit.plan.outputs


def _spread(values: np.ndarray) -> str:
    spread = values.std(ddof=1) if len(values) > 1 else 0.0
    return f"{values.mean():.2f} ± {spread:.2f}"


def write(runs: list[Run], out: Path, configuration: Mapping[str, Any]) -> list[Path]:
    """Write figures (PNG, SVG), table (CSV, Markdown), histories, configuration and the assembled circuit."""
    out.mkdir(parents=True, exist_ok=True)
    table = summarise(runs)
    table.to_csv(out / "table.csv", index=False)
    (out / "table.md").write_text(_markdown(table))
    versions = {"circuitsim": __version__, "torch": torch.__version__, "python": platform.python_version()}
    (out / "configuration.json").write_text(json.dumps({**configuration, "versions": versions}, indent=1, default=str))
    parts = [run.history.to_pandas().assign(circuit=run.label) for run in runs]
    pd.concat(parts, ignore_index=True).to_csv(out / "history.csv", index=False)
    histories = {run.label: run.history for run in runs}
    first = runs[0]
    after = {p.name: first.circuit.weights(p.name).cpu().numpy() for p in first.circuit.motif.projections}
    shown = ["W0", *(v for v, _ in mirror_pairs(first.circuit.motif))]
    side = math.isqrt(first.circuit.motif.populations[0].size)
    images = {"W0": (side, side)} if side**2 == first.circuit.motif.populations[0].size else None
    for suffix in ("png", "svg"):
        plots.self_assembly(histories, out / f"self_assembly.{suffix}")
        plots.weights(first.before, after, out / f"weights.{suffix}", projections=shown, images=images)
        plots.draw(first.circuit.motif, out / f"motif.{suffix}")
    first.circuit.save(out / "circuit.safetensors")
    return sorted(out.iterdir())


def _markdown(table: pd.DataFrame) -> str:
    rows = [list(table.columns), ["---"] * len(table.columns), *table.values.tolist()]
    return "".join(f"| {' | '.join(str(cell).replace(chr(10), '<br>') for cell in row)} |\n" for row in rows)


def setting_for(dataset: str, epochs: int | None) -> Setting:
    """The setting of a data set, perhaps with other epochs."""
    setting = SETTINGS.get(dataset, SMALL)
    return setting if epochs is None else Setting(**{**asdict(setting), "epochs": epochs})
