"""Self-assembly against the order in time of the two volleys, and what it owes to the traces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from circuitsim import plots
from circuitsim.export import Delay, Spiking, Stream, Trial
from circuitsim.studies.experiment import Options, Report
from circuitsim.studies.spiking_motif import spiking_sal
from circuitsim.studies.spiking_runs import Row, Setup, run_row
from circuitsim.studies.trained import shown

HIDDEN = (16,)
SAMPLES, SEGMENT = 1000, 250
LAGS = (-150.0, -100.0, -50.0, 0.0, 50.0, 100.0, 150.0)
JITTERS = (25.0, 50.0, 100.0)
MEASURES = {
    "stationarity_cosine": "stationarity cosine", "mirror_cosine": "cos(V, Vt^T)",
    "gradient_cosine": "cosine of dW0 with the gradient", "accuracy": "test accuracy",
}  # fmt: skip
SITES = {"gradient_cosine": "W0"}  # onto the output that cosine is 1, whatever assembles


@dataclass(frozen=True)
class Condition:
    """One curve.

    Args:
        ascending_ms, descending_ms: traces of the two streams.
        coding: of signed activity; delays need "on_off".
        delay_ms: conduction delays of all projections, uniform from 0 to so much.
    """

    ascending_ms: float
    descending_ms: float
    coding: str = "signed"
    delay_ms: float = 0.0

    @property
    def label(self) -> str:
        """For the legend."""
        pairs = ", pairs" if self.coding == "on_off" else ""
        late = f", delays up to {self.delay_ms:g} ms" if self.delay_ms else ""
        return f"traces {self.ascending_ms:g} / {self.descending_ms:g} ms{pairs}{late}"

    def spiking(self, base: Spiking, projections: list[str]) -> Spiking:
        """The model: trials with a preview, so that the error is there before either volley."""
        delays = {name: Delay(0.0, self.delay_ms) for name in projections} if self.delay_ms else {}
        return replace(
            base, ascending=Stream(self.ascending_ms), descending=Stream(self.descending_ms), delays=delays,
            coding=self.coding,
        )  # fmt: skip


# A long and a short trace; equal ones of two lengths; delays, which need pairs of ON and OFF neurons.
CONDITIONS = (Condition(50, 10), Condition(50, 50), Condition(20, 20), Condition(50, 10, "on_off", delay_ms=20))


def spike_timing(options: Options, programs: Path | None = None) -> Report:
    """How well the circuit assembles itself when the descending volley comes before, with, or after the ascending one.

    The lag is the onset of the descending volley minus that of the ascending one. A preview without plasticity fixes
    the error, so that both orders are possible. Curves for traces that are longer in the ascending stream, and equal at
    two lengths, for conduction delays, and against the jitter of the lag. `epochs` counts thousands of trials.
    `programs` is a folder for compiled programs, to be used again.

    Source: the time ordering that Liao et al. (2024), arXiv 2412.20018, predict; the experiment is ours.
    """
    quick = options.quick
    setup = Setup.of(options, samples=SAMPLES, quick_samples=4, programs=programs)
    if not quick:
        setup = replace(setup, n_trials=SEGMENT, n_test=SEGMENT)
    trial = Trial(50, 50, 100, lag_ms=50, max_lag_ms=150, rests=True)
    if quick:
        trial = Trial(20, 20, 20, lag_ms=20, max_lag_ms=20, rests=True)
    base = Spiking(trial=trial, dt_ms=1.0)  # coarser steps, since there are some 200 runs
    lags = (-20.0, 20.0) if quick else LAGS
    conditions = CONDITIONS[:2] if quick else CONDITIONS
    motif = spiking_sal(setup.layers(HIDDEN))
    projections = [p.name for p in motif.projections]
    curves: dict[str, dict[float, Row]] = {}
    for condition in conditions:
        on = replace(setup, spiking=condition.spiking(base, projections))
        curves[condition.label] = {lag: run_row(on, motif, trial={"lag_ms": lag}, splits=["test"]) for lag in lags}
    on = replace(setup, spiking=conditions[0].spiking(base, projections))
    lag = trial.lag
    jittered = {0.0: curves[conditions[0].label][lag]}
    for jitter in () if quick else JITTERS:
        jittered[jitter] = run_row(on, motif, trial={"lag_ms": lag, "jitter_ms": jitter}, splits=["test"])
    table = pd.DataFrame(
        [{"condition": label, "lag, ms": x, **_row(row)} for label, rows in curves.items() for x, row in rows.items()]
        + [{"condition": f"jitter, {conditions[0].label}", "lag, ms": f"{lag:g} ± {x:g}", **_row(row)}
           for x, row in jittered.items()]
    )  # fmt: skip
    figures = {}
    for metric, ylabel in MEASURES.items():
        runs = {label: (list(rows), [_values(r, metric) for r in rows.values()]) for label, rows in curves.items()}
        figures[metric] = plots.dependence(
            runs, xlabel="lag of the descending volley, ms", ylabel=ylabel, logarithmic=False
        )
    figures["jitter"] = plots.dependence(
        {t: (list(jittered), [_values(r, m) for r in jittered.values()]) for m, t in MEASURES.items()},
        xlabel="jitter of the lag, ms", ylabel="cosine, accuracy", logarithmic=False,
    )  # fmt: skip
    histories = {f"{label}, lag {x:g}": row.history for label, rows in curves.items() for x, row in rows.items()}
    title = f"Order of the volleys, {setup.data.name}: mean ± standard deviation over {setup.seeds} seeds"
    configuration = {"samples": setup.samples, "hidden": HIDDEN, "spiking": on.spiking.document()}
    return Report(title, table, notes(curves), figures, histories, configuration)


def _values(row: Row, metric: str) -> np.ndarray:
    try:
        return row.final(metric, "test" if metric == "accuracy" else "probe", SITES.get(metric))
    except KeyError:  # every seed ran away
        return np.full(len(row.networks), np.nan)


def _row(row: Row) -> dict[str, str]:
    return {title: shown(_values(row, metric), 3) for metric, title in MEASURES.items()}


def asymmetry(rows: Mapping[float, Any]) -> float:
    """Mean stationarity cosine over positive lags minus that over the same negative ones."""
    lags = [lag for lag in rows if lag > 0 and -lag in rows]
    if not lags:
        return float("nan")
    after, before = (np.nanmean([_values(rows[s * x], "stationarity_cosine").mean() for x in lags]) for s in (1, -1))
    return float(after - before)


def notes(curves: Mapping[str, Mapping[float, Any]]) -> str:
    """What the curves owe to the traces."""
    lines = ["Stationarity cosine, ascending first minus descending first, over lags of the same size:"]
    lines += [f"- {label}: {asymmetry(rows):+.2f}" for label, rows in curves.items()]
    lines.append(
        "\nA rule sees the overlap of what one volley left behind with the other volley. With a long trace of the "
        "ascending stream and a short one of the descending stream, that overlap favours the ascending volley first; "
        "with equal traces nothing in the rules knows which came first, and what is left is in how the volleys "
        "themselves are shaped. So the preference is a property of the traces, which the model puts in."
    )
    return "\n".join(lines)
