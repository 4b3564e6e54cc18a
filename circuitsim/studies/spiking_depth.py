"""Spikes in depth: two and three hidden layers, and frozen random feedback beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from circuitsim import plots
from circuitsim.studies.experiment import Options, Report
from circuitsim.studies.spiking_motif import DEEP, DEEP_FROZEN, DEEP_SPIKES, spiking_sal
from circuitsim.studies.spiking_runs import Row, Setup, accuracy_of, feedback_of, figures_of, run_row, silence
from circuitsim.studies.task import hidden_sites, interval, versus

DEPTHS = {"two": (48, 48), "three": (48, 48, 48)}
SAMPLES = 20000
FROZEN = "feedback frozen at random"


def spiking_depth(options: Options, programs: Path | None = None) -> Report:
    """Circuits with two and with three hidden layers assemble themselves, as spikes; the deeper one beside a control.

    The frozen control learns at rates and from starts of its own. `epochs` counts thousands of trials; `programs` is a
    folder for compiled programs, to be used again.

    Source: Liao et al. (2024), arXiv 2412.20018; the spiking circuit is ours (docs/spiking.md).
    """
    setup = Setup.of(options, samples=SAMPLES, programs=programs)
    if not options.quick:
        setup = replace(setup, spiking=DEEP_SPIKES, n_trials=1000)
    depths = list(DEPTHS.items())[: 1 if options.quick else None]
    rows: dict[str, Row] = {}
    for name, hidden in depths:
        rows[f"{name} hidden layers"] = run_row(setup, spiking_sal(setup.layers(hidden), **DEEP))
    for name, hidden in depths[-1:]:
        frozen = spiking_sal(setup.layers(hidden), **DEEP_FROZEN)
        rows[f"{name} hidden layers, {FROZEN}"] = run_row(setup, frozen, silence(*feedback_of(frozen)))
    table = pd.DataFrame(
        [{"circuit": k, **figures_of(r.history, hidden_sites(r.networks[0].motif))} for k, r in rows.items()]
    )
    histories = {label: row.history for label, row in rows.items()}
    title = f"Spikes in depth, {setup.data.name}: mean ± standard deviation over {setup.seeds} seeds"
    configuration = {"samples": setup.samples, "hidden": DEPTHS, "spiking": setup.spiking.document()}
    return Report(title, table, _notes(rows), {"depth": plots.self_assembly(histories)}, histories, configuration)


def _notes(rows: dict[str, Row]) -> str:
    lines = ["Test accuracy in percent, assembled minus frozen, with Student's 95 % interval of the mean:"]
    for label, row in rows.items():
        control: Any = rows.get(f"{label}, {FROZEN}")
        if control is not None:
            a, b = (100 * accuracy_of(r.history) for r in (row, control))
            lines.append(f"- {label}: {versus(a, b)}, {'{:+.1f} to {:+.1f}'.format(*interval(a, b))}")
    return "\n".join(lines)
