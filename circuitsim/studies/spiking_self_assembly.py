"""Self-assembly with spikes, beside its controls and the rate circuit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from circuitsim import plots
from circuitsim.analysis import alignment
from circuitsim.data import Dataset
from circuitsim.engine import compile
from circuitsim.history import History
from circuitsim.studies.controls import shuffled_error
from circuitsim.studies.experiment import Options, Report
from circuitsim.studies.self_assembly import TITLES
from circuitsim.studies.spiking_motif import spiking_sal
from circuitsim.studies.spiking_runs import Row, Setup, feedback_of, run_row, silence, tensors
from circuitsim.studies.task import hidden_sites, versus
from circuitsim.studies.trained import shown
from circuitsim.train import Probe, fit

HIDDEN = (32,)
HARDER = (16, 16, 16)  # deep and narrow: random feedback does not reach the lowest layer
# What a trial of spikes does, in units of what a step of the rate circuit does: the traces of the two volleys overlap
# by so much. The rate circuit learns with rates that are as much smaller, and the same decay.
OVERLAP = 1 / 3


def spiking_self_assembly(options: Options, programs: Path | None = None) -> Report:
    """Two streams of spiking neurons assemble themselves from random connectivity, through time.

    One sample is a trial of two volleys, one after the other; the synapses change all the while by local rules. Beside
    it: feedback frozen at random, the first layer frozen, a shuffled error, and the rate circuit; then a deeper,
    narrower circuit with and without plastic feedback. `epochs` counts thousands of trials. `programs` is a folder for
    compiled programs, to be used again.

    Source: Liao et al. (2024), arXiv 2412.20018; the spiking circuit is ours (docs/spiking.md).
    """
    setup = Setup.of(options, programs=programs)
    motif = spiking_sal(setup.layers(HIDDEN))
    rows: dict[str, Row] = {
        "spikes": run_row(setup, motif),
        "spikes, feedback frozen at random": run_row(setup, motif, silence(*feedback_of(motif))),
    }
    if not options.quick:
        rows["spikes, first layer frozen"] = run_row(setup, motif, silence("W0"))
        rows["spikes, shuffled error"] = run_row(setup, shuffled_error(motif))
    histories = {label: row.history for label, row in rows.items()}
    histories["rates"] = rates(setup, spiking_sal(setup.layers(HIDDEN), eta=0.18 * OVERLAP, gamma=1.11e-3 / OVERLAP))
    deep = spiking_sal(setup.layers(HARDER))
    harder = (
        {}
        if options.quick
        else {
            "deep: spikes": run_row(setup, deep),
            "deep: spikes, feedback frozen at random": run_row(setup, deep, silence(*feedback_of(deep))),
        }
    )
    histories |= {label: row.history for label, row in harder.items()}
    sites = hidden_sites(deep)
    table = pd.DataFrame([{"circuit": label, **_figures(h, sites)} for label, h in histories.items()])
    first = rows["spikes"]
    before = first.before
    after = {p.name: first.networks[0].weights(p.name)[None] for p in motif.projections}
    side = math.isqrt(motif.populations[0].size)
    images = {"W0": (side, side)} if side**2 == motif.populations[0].size else None
    figures = {
        "self_assembly": plots.self_assembly({k: histories[k] for k in (*rows, "rates")}),
        "weights": plots.weights(before, after, projections=["W0", "V1"], images=images),
        "raster": _raster(setup, first),
    }
    if harder:
        figures["deep"] = plots.self_assembly({k: histories[k] for k in harder})
    title = f"Self-assembly with spikes, {setup.data.name}: mean ± standard deviation over {setup.seeds} seeds"
    configuration = {"samples": setup.samples, "hidden": HIDDEN, "harder": HARDER, "spiking": setup.spiking.document()}
    return Report(title, table, _notes(histories), figures, histories, configuration)


def rates(setup: Setup, motif: Any) -> History:
    """The rate circuit, one sample a step, with the same probes."""
    circuit = compile(motif, replicas=setup.seeds, seed=0, device="cpu")
    x, y = setup.one_hot(setup.held_out)
    size = setup.data.n_outputs
    targets = np.eye(size if isinstance(size, int) else 0)
    inputs, classes = tensors(setup.data.train)
    one_hot = Dataset.from_arrays(inputs, targets[classes.numpy()], kind="values", name=setup.data.name)
    epochs = max(1, round(setup.samples / len(inputs)))
    probe = Probe(lambda c: alignment(c, x.float(), y.float(), tuple(TITLES)), every_steps=max(1, setup.samples // 20))
    history = fit(
        circuit, one_hot, epochs=epochs, batch_size=1, schedule="cosine", probes={"alignment": probe},
        progress=setup.progress,
    )  # fmt: skip
    for split in ("validation", "test"):
        given, wanted = setup.test(split)
        right = circuit.predict(given).argmax(-1).numpy() == wanted
        history.add(step=circuit.n_steps, epoch=float(epochs), split=split, metric="accuracy", values=right.mean(1))
    return history


def _figures(history: History, sites: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for split in ("test",):
        try:
            found["test accuracy, %"] = shown(history.final("accuracy", split), scale=100)
        except KeyError:
            found["test accuracy, %"] = "-"
    table = history.to_pandas()
    probes = table[table.split == "probe"]
    for metric, title in TITLES.items():
        of = probes[probes.metric == metric]
        of = of[of.site.isin(sites)] if metric == "gradient_cosine" else of
        last = of[of.step == of.step.max()]
        found[title] = "\n".join(shown(group.value) for _, group in last.groupby("site")) or "-"
    return found


def _raster(setup: Setup, row: Row) -> Any:
    net, trial = row.networks[0], setup.spiking.trial
    x, y = tensors(setup.data.train, 3)
    sizes = {n.name: n.size for n in net.blueprint.neurons.values() if n.spikes}
    windows = {
        "ascends": [(k * trial.length_ms, k * trial.length_ms + trial.ascending_ms) for k in range(3)],
        "descends": [
            (k * trial.length_ms + trial.lag, k * trial.length_ms + trial.lag + trial.descending_ms) for k in range(3)
        ],
    }
    spikes = net.raster(x, y, learns=False)
    return plots.raster(spikes, sizes, trial_ms=trial.length_ms, windows_ms=windows, title="Three trials, assembled")


def _notes(histories: dict[str, History]) -> str:
    def accuracy(label: str) -> np.ndarray:
        try:
            return 100 * histories[label].final("accuracy", "test")
        except KeyError:  # every seed ran away
            return np.array([np.nan])

    pairs = {
        "spikes minus rates": ("spikes", "rates"),
        "spikes minus frozen random feedback": ("spikes", "spikes, feedback frozen at random"),
        "the same, deep and narrow": ("deep: spikes", "deep: spikes, feedback frozen at random"),
    }
    lines = ["Test accuracy in percent, seed by seed:"]
    lines += [
        f"- {name}: {versus(accuracy(a), accuracy(b))}" for name, (a, b) in pairs.items() if {a, b} <= set(histories)
    ]
    lines.append(
        "\nThe controls learn at the rates of the assembled circuit; frozen random feedback with rates of its own can "
        "come closer on a task as easy as digits (feedback alignment). What tells self-assembly from it are the "
        "cosines, with the gradient and of stationarity, which rise from 0."
    )
    return "\n".join(lines)
