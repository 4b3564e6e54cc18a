"""The open problem: what keeps SAL from SGD's level? One thing is put back, or taken away, at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import motifs
from circuitsim import plots
from circuitsim.motif import Motif
from circuitsim.studies.experiment import Options, Report, independent_circuits
from circuitsim.studies.task import hidden_sites, last_of, versus
from circuitsim.studies.train_all import train_all
from circuitsim.studies.trained import Trained, bench, loss_of, metric_of, shown
from circuitsim.studies.tuned_settings import tuned
from circuitsim.studies.tuning import ALGORITHMS


@dataclass(frozen=True)
class Hypothesis:
    """One row.

    Args:
        label: in tables.
        make: takes layers and settings.
        settings: whose tuned settings it runs with, a name of `tuning.ALGORITHMS`.
        says: what the row tests.
    """

    label: str
    make: Callable[..., Motif]
    settings: str
    says: str


def _of(name: str, says: str) -> Hypothesis:
    return Hypothesis(ALGORITHMS[name].label, ALGORITHMS[name].make, name, says)


def _backprop_at(layers: Any, **settings: Any) -> Motif:
    """SGD with another algorithm's eta and gamma; what else that one has is left out."""
    kept = {key: settings[key] for key in ("eta", "gamma", "masks", "loss", "name") if key in settings}
    return motifs.backprop(layers, **kept)


SGD, SAL = ALGORITHMS["backprop"].label, ALGORITHMS["sal"].label
HYPOTHESES = (
    _of("backprop", "the level to reach"),
    Hypothesis(
        "SGD without masks",
        functools.partial(motifs.backprop, masks=False, name="backprop_unmasked"),
        "backprop",
        "masks alone: exact weights and SGD's own rates, but the error passes layers without their ReLU slopes",
    ),
    _of("sal", "what is to be explained"),
    Hypothesis("SAL with biases", functools.partial(motifs.sal, bias=True, name="sal_bias"), "sal", "biases"),
    Hypothesis(
        "SAL, homeostatic",
        functools.partial(motifs.sal, regularizer="homeostatic", name="sal_homeostatic"),
        "sal",
        "decay of V, Vt and Wt that grows with the squared weights a neuron holds",
    ),
    Hypothesis(
        "SAL, plain trace", functools.partial(motifs.sal, trace=None, name="sal_plain"), "sal", "no normalised trace"
    ),
    _of("apical_sal", "masks put back: down hears the gated dendrites of the layer above; V, Vt by SAL's rules"),
    _of("apical_mirror", "masks put back, and V driven to Vt^T by noise, so that V Vt is near the identity"),
    _of("kolen_pollack", "masks put back, and V = Vt = 1"),
    Hypothesis(
        "SGD at SAL's eta and gamma",
        functools.partial(_backprop_at, name="backprop_at_sal"),
        "sal",
        "the learning circuit alone, at the same rate and decay of W",
    ),
    Hypothesis(
        "SGD without masks, at SAL's eta and gamma",
        functools.partial(_backprop_at, masks=False, name="unmasked_at_sal"),
        "sal",
        "masks alone, at these",
    ),
)


@independent_circuits
def parity(options: Options, hypotheses: Sequence[Hypothesis] = HYPOTHESES) -> Report:
    """SAL and SGD, and circuits between them that differ from one or the other in one thing each.

    SAL differs from backpropagation in that the error reaches a layer without the ReLU slopes of the layers above
    it; in its pathway V, Vt, which is learned and dense; in Wt, which is learned; and in its rates. Each row runs
    with the settings that `circuitsim tune` found for it (or for its nearest relative) on the data set.
    """
    on = bench(options)
    known = tuned(options.dataset)
    made = {row.label: row.make(on.layers, loss=loss_of(on), **known.get(row.settings, {})) for row in hypotheses}
    runs = train_all(made, on, quantities=("gradient_cosine",))
    table = pd.DataFrame([_row(row, runs[row.label], runs.get(SGD), metric_of(on)) for row in hypotheses]).fillna("")
    histories = {label: run.history for label, run in runs.items() if run.n_runaways < on.seeds}
    figures = (
        {"validation": plots.curves(histories, metric_of(on), split="validation")}
        if histories and on.data.validation
        else {}
    )
    title = f"Parity, {on.data.name}: mean ± standard deviation over {on.seeds} seeds, {on.setting.epochs} epochs"
    configuration = on.configuration | {"settings": {row.label: known.get(row.settings, {}) for row in hypotheses}}
    return Report(title, table, _notes(runs, metric_of(on)), figures, histories, configuration)


def _row(row: Hypothesis, run: Trained, sgd: Trained | None, metric: str) -> dict[str, Any]:
    cells: dict[str, Any] = {"circuit": row.label, "what it tests": row.says}
    for split in ("train", "validation", "test"):
        cells[f"{split} {metric}, %"] = shown(run.final(metric, split), scale=100)
    if sgd is not None and row.label != SGD:
        cells["test, minus SGD's"] = versus(100 * run.final(metric, "test"), 100 * sgd.final(metric, "test"))
    sites = hidden_sites(run.circuit.motif)
    last = last_of(run.history, "gradient_cosine", sites)
    cells["cosine with the gradient"] = "\n".join(shown(last[site].to_numpy()) for site in sites if site in last)
    cells["ran away"] = run.n_runaways
    return cells


def _notes(runs: dict[str, Trained], metric: str) -> str:
    test = {label: 100 * run.final(metric, "test") for label, run in runs.items()}
    lines = [
        f"- {label} less {reference}: {versus(test[label], test[reference])} points of test {metric}."
        for label in runs
        for reference in (SAL, SGD)
        if reference in runs and label != reference and np.isfinite(test[label]).any()
    ]
    return "\n".join(lines)
