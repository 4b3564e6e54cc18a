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
from circuitsim.studies.spiking_motif import FROZEN, OPTIONS, spiking_sal
from circuitsim.studies.spiking_runs import (
    Row,
    Setup,
    accuracy_of,
    feedback_of,
    figures_of,
    run_row,
    silence,
    tensors,
)
from circuitsim.studies.task import deviations, hidden_sites, interval, versus
from circuitsim.train import Probe, fit

HIDDEN = (32,)
SPIKES = "spikes"
# What a trial of spikes does, in units of what a step of the rate circuit does: the traces of the two volleys overlap
# by so much. The rate circuit learns with rates that are as much smaller, and the same decay.
OVERLAP = 1 / 3


def spiking_self_assembly(options: Options, programs: Path | None = None) -> Report:
    """Two streams of spiking neurons assemble themselves from random connectivity, through time.

    One sample is a trial of two volleys, one after the other; the synapses change all the while by local rules. Beside
    it: feedback frozen at random (at rates of its own, and at those of the assembled circuit), the first layer frozen,
    a shuffled error, and the rate circuit. `epochs` counts thousands of trials. `programs` is a folder for compiled
    programs, to be used again.

    Source: Liao et al. (2024), arXiv 2412.20018; the spiking circuit is ours (docs/spiking.md).
    """
    setup = Setup.of(options, programs=programs)
    layers = setup.layers(HIDDEN)
    motif, frozen = spiking_sal(layers), spiking_sal(layers, **FROZEN)
    rows = {
        SPIKES: run_row(setup, motif),
        f"{SPIKES}, feedback frozen at random": run_row(setup, frozen, silence(*feedback_of(frozen))),
    }
    if not options.quick:
        rows[f"{SPIKES}, frozen, rates of the assembled"] = run_row(setup, motif, silence(*feedback_of(motif)))
        rows[f"{SPIKES}, first layer frozen"] = run_row(setup, motif, silence("W0"))
        rows[f"{SPIKES}, shuffled error"] = run_row(setup, shuffled_error(motif))
    histories = {label: row.history for label, row in rows.items()}
    histories["rates"] = rates(
        setup, spiking_sal(layers, eta=OPTIONS["eta"] * OVERLAP, gamma=OPTIONS["gamma"] / OVERLAP)
    )
    table = pd.DataFrame([{"circuit": k, **figures_of(h, hidden_sites(motif))} for k, h in histories.items()])
    first = rows[SPIKES]
    before = first.before
    after = {p.name: first.networks[0].weights(p.name)[None] for p in motif.projections}
    side = math.isqrt(motif.populations[0].size)
    images = {"W0": (side, side)} if side**2 == motif.populations[0].size else None
    figures = {
        "self_assembly": plots.self_assembly(histories),
        "weights": plots.weights(before, after, projections=["W0", "V1"], images=images),
        "raster": _raster(setup, first),
    }
    title = f"Self-assembly with spikes, {setup.data.name}: mean ± standard deviation over {setup.seeds} seeds"
    configuration = {"samples": setup.samples, "hidden": HIDDEN, "spiking": setup.spiking.document()}
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
    accuracy = {label: 100 * accuracy_of(history) for label, history in histories.items()}
    lines = ["Test accuracy in percent, seed by seed, with Student's 95 % interval of the mean difference:"]
    for label, values in accuracy.items():
        if label != SPIKES:
            low, high = interval(accuracy[SPIKES], values)
            lines.append(f"- {SPIKES} minus {label}: {versus(accuracy[SPIKES], values)}, {low:+.1f} to {high:+.1f}")
    lines.append("\nCosine of dW0 with the gradient, spikes above a control, in standard deviations of the difference:")
    cosine = {label: _gradient(history) for label, history in histories.items()}
    lines += [
        f"- {label.removeprefix(f'{SPIKES}, ')}: {deviations(cosine[SPIKES], values):.1f}"
        for label, values in cosine.items()
        if label.startswith(f"{SPIKES}, ") and len(values) > 1
    ]
    lines.append(
        "\nOn a task as easy as digits fixed random feedback learns too (feedback alignment). What tells self-assembly "
        "from it are the cosines, with the gradient and of stationarity, which rise from 0."
    )
    return "\n".join(lines)


def _gradient(history: History) -> np.ndarray:
    try:
        return history.final("gradient_cosine", "probe", "W0")
    except KeyError:  # every seed ran away
        return np.array([np.nan])
