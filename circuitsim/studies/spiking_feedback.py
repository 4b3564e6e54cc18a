"""A task that spikes learn better with assembled feedback than with feedback frozen at random."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from circuitsim import plots
from circuitsim.data import Dataset, Split
from circuitsim.studies.experiment import Options, Report
from circuitsim.studies.spiking_motif import DEEP_SPIKES, spiking_sal
from circuitsim.studies.spiking_runs import Setup, accuracy_of, feedback_of, figures_of, run_row, silence
from circuitsim.studies.task import deviations, hidden_sites, versus

HIDDEN = (64, 64)
SAMPLES, SEGMENT, N_TEST = 12000, 1000, 2000
# Of each the best of 16 settings of the rate circuit (one sample a step, mean of two seeds), and of two eta as spikes
# (seed 10), on validation samples of pooled Fashion-MNIST (docs/spiking.md).
ASSEMBLED: dict[str, Any] = {
    "eta": 0.026, "gamma": 5e-5 / 0.026, "eta_V": 0.727, "eta_Wt": 0.267, "gamma_Wt": 3.07,
    "gain_W": 0.88, "gain_V": 0.12, "gain_Wt": 1.17,
}  # fmt: skip
FROZEN: dict[str, Any] = {"eta": 0.029, "gamma": 7e-5 / 0.029, "gain_W": 0.73, "gain_V": 0.49, "gain_Wt": 1.06}
ROWS = {"assembled": ASSEMBLED, "feedback frozen at random": FROZEN}


def spiking_feedback(options: Options, programs: Path | None = None) -> Report:
    """Assembled feedback beside feedback that is frozen at random, each at its own rates, as spikes.

    Images of 28 x 28 pixels are averaged to 14 x 14. `epochs` counts thousands of trials; `programs` is a folder for
    compiled programs, to be used again.

    Source: Liao et al. (2024), arXiv 2412.20018; the spiking circuit is ours (docs/spiking.md).
    """
    setup = Setup.of(options, samples=SAMPLES, programs=programs)
    setup = replace(setup, data=pooled(setup.data))
    if not options.quick:
        setup = replace(setup, spiking=DEEP_SPIKES, n_trials=SEGMENT, n_test=N_TEST)
    histories, rows, accuracies = {}, [], []
    for label, rates in ROWS.items():
        motif = spiking_sal(setup.layers(HIDDEN), **rates)
        still = () if label == "assembled" else feedback_of(motif)
        history = histories[label] = run_row(setup, motif, silence(*still)).history
        rows.append({"circuit": label, **figures_of(history, hidden_sites(motif))})
        accuracies.append(100 * accuracy_of(history))
    notes = f"Assembled minus frozen, points of test accuracy: {versus(*accuracies)}"
    if setup.seeds > 1:
        notes += f"; {deviations(*accuracies):.1f} standard deviations of the difference between seeds"
    title = f"Spikes and their feedback, {setup.data.name}: mean ± standard deviation over {setup.seeds} seeds"
    configuration = {"samples": setup.samples, "layers": setup.layers(HIDDEN), "rates": ROWS,
                     "spiking": setup.spiking.document()}  # fmt: skip
    figures = {"feedback": plots.self_assembly(histories)}
    return Report(title, pd.DataFrame(rows), notes + ".", figures, histories, configuration)


def pooled(data: Dataset) -> Dataset:
    """Images of 28 x 28 pixels averaged to 14 x 14; other data as they are."""
    if data.n_features != 28 * 28:
        return data

    def smaller(split: Split | None) -> tuple[torch.Tensor, Any] | None:
        if split is None:
            return None
        assert isinstance(split.x, torch.Tensor)
        images = split.x.reshape(-1, 1, 28, 28)
        return torch.nn.functional.avg_pool2d(images, 2).flatten(1), split.target

    train = smaller(data.train)
    assert train is not None
    return Dataset.from_arrays(
        *train, validation=smaller(data.validation), test=smaller(data.test), kind=data.kind, name=f"{data.name}_14x14"
    )
