"""Spikes in depth: two and three hidden layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from circuitsim import plots
from circuitsim.studies.experiment import Options, Report
from circuitsim.studies.spiking_motif import DEEP, DEEP_SPIKES, spiking_sal
from circuitsim.studies.spiking_runs import Setup, accuracy_of, figures_of, run_row
from circuitsim.studies.task import hidden_sites

DEPTHS = {"two hidden layers": (48, 48), "three hidden layers": (48, 48, 48)}
SAMPLES = 20000
SEGMENT = 1000


def spiking_depth(options: Options, programs: Path | None = None) -> Report:
    """Circuits with two and with three hidden layers assemble themselves, as spikes.

    `epochs` counts thousands of trials; `programs` is a folder for compiled programs, to be used again.

    Source: Liao et al. (2024), arXiv 2412.20018; the spiking circuit is ours (docs/spiking.md).
    """
    setup = Setup.of(options, samples=SAMPLES, programs=programs)
    if not options.quick:
        setup = replace(setup, spiking=DEEP_SPIKES, n_trials=SEGMENT)
    motifs = {
        label: spiking_sal(setup.layers(hidden), **DEEP)
        for label, hidden in list(DEPTHS.items())[: 1 if options.quick else None]
    }
    histories = {label: run_row(setup, motif).history for label, motif in motifs.items()}
    table = pd.DataFrame([{"circuit": k, **figures_of(h, hidden_sites(motifs[k]))} for k, h in histories.items()])
    lines = [f"- {label}: {', '.join(f'{100 * a:.1f}' for a in accuracy_of(h))}" for label, h in histories.items()]
    notes = "\n".join(["Test accuracy in percent, seed by seed:", *lines])
    title = f"Spikes in depth, {setup.data.name}: mean ± standard deviation over {setup.seeds} seeds"
    configuration = {"samples": setup.samples, "hidden": DEPTHS, "spiking": setup.spiking.document()}
    return Report(title, table, notes, {"depth": plots.self_assembly(histories)}, histories, configuration)
