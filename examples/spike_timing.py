"""Measure how self-assembly depends on the order of the two volleys and on the traces.

python examples/spike_timing.py --seeds 3
python examples/spike_timing.py --quick
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from circuitsim import plots
from circuitsim.export import Delay, Spiking, Stream, Trial
from motifs import spiking_sal
from support import ALIGNMENT, Result, mean, mean_and_spread
from support.spikes import Spikes, SpikingStudy

LAGS, QUICK_LAGS = (-150.0, -100.0, -50.0, 0.0, 50.0, 100.0, 150.0), (-20.0, 20.0)
JITTERS = (25.0, 50.0, 100.0)
MEASURES = {
    "stationarity_cosine": "stationarity cosine", "mirror_cosine": "cos(V, Vt^T)",
    "gradient_cosine": "cosine of dW0 with the gradient", "accuracy": "test accuracy",
}  # fmt: skip


@dataclass(frozen=True)
class Traces:
    """The traces of one curve.

    Args:
        ascending_ms, descending_ms: the time constants of the traces of the two streams.
        coding: the coding of signed activity; delays need "on_off".
        delay_ms: the largest conduction delay; delays of all projections are uniform between 0 and this value.
    """

    ascending_ms: float
    descending_ms: float
    coding: str = "signed"
    delay_ms: float = 0.0

    @property
    def label(self) -> str:
        """The label in the legend."""
        pairs = ", pairs" if self.coding == "on_off" else ""
        late = f", delays up to {self.delay_ms:g} ms" if self.delay_ms else ""
        return f"traces {self.ascending_ms:g} / {self.descending_ms:g} ms{pairs}{late}"

    def spiking(self, base: Spiking, projections: list[str]) -> Spiking:
        """Return the model with these traces."""
        delays = {name: Delay(0.0, self.delay_ms) for name in projections} if self.delay_ms else {}
        return replace(
            base, ascending=Stream(self.ascending_ms), descending=Stream(self.descending_ms), delays=delays,
            coding=self.coding,
        )  # fmt: skip


# A long and a short trace, equal traces of two lengths, and delays, which need pairs of ON and OFF neurons.
CURVES = (Traces(50, 10), Traces(50, 50), Traces(20, 20), Traces(50, 10, "on_off", delay_ms=20))


class SpikeTiming(SpikingStudy):
    """Measure self-assembly when the descending volley comes before, with, or after the ascending one.

    The lag is the onset of the descending volley minus the onset of the ascending one. A preview without plasticity
    fixes the error, so that both orders are possible. There are curves for a longer trace in the ascending stream, for
    equal traces of two lengths, for conduction delays, and for jitter of the lag.

    Source: the time ordering that Liao et al. (2024), arXiv 2412.20018, predict; the experiment is ours.
    """

    title = "Order of the volleys"
    hidden = (16,)
    epochs, quick_samples, segment, n_test = 1, 4, 250, 250
    spiking = Spiking(trial=Trial(50, 50, 100, lag_ms=50, max_lag_ms=150, rests=True), dt_ms=1.0)

    @property
    def model(self) -> Spiking:
        trial = Trial(20, 20, 20, lag_ms=20, max_lag_ms=20, rests=True)
        return replace(self.spiking, trial=trial) if self.setup.quick else self.spiking

    @property
    def curves(self) -> tuple[Traces, ...]:
        """The traces of all curves."""
        return CURVES[:2] if self.setup.quick else CURVES

    @property
    def lags(self) -> tuple[float, ...]:
        """The lags in milliseconds."""
        return QUICK_LAGS if self.setup.quick else LAGS

    @property
    def jitters(self) -> tuple[float, ...]:
        """The standard deviations of the jitter of one lag, in milliseconds."""
        return () if self.setup.quick else JITTERS

    def conditions(self) -> dict[str, Spikes]:
        motif, made = spiking_sal(self.setup.layers), {}
        models = {t.label: t.spiking(self.model, [p.name for p in motif.projections]) for t in self.curves}
        for label, model in models.items():
            for lag in self.lags:
                made[f"{label}, lag {lag:g}"] = Spikes(motif, spiking=model, trial={"lag_ms": lag})
        for jitter in self.jitters:
            trial = {"lag_ms": self.model.course.lag, "jitter_ms": jitter}
            made[f"jitter {jitter:g} ms"] = Spikes(motif, spiking=models[self.curves[0].label], trial=trial)
        return made

    @cached_property
    def by_lag(self) -> dict[str, dict[float, Result]]:
        """The results of each curve, keyed by lag."""
        return {t.label: {lag: self.results[f"{t.label}, lag {lag:g}"] for lag in self.lags} for t in self.curves}

    @cached_property
    def by_jitter(self) -> dict[float, Result]:
        """The results of the first curve at one lag, keyed by the jitter of that lag."""
        still = {0.0: self.by_lag[self.curves[0].label][self.model.course.lag]}
        return still | {jitter: self.results[f"jitter {jitter:g} ms"] for jitter in self.jitters}

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        cells = {title: mean_and_spread(_values(result, metric), 3) for metric, title in MEASURES.items()}
        curve, _, lag = label.partition(", lag ")
        yield {"circuit": curve, "lag, ms": lag or f"{self.model.course.lag:g}", **cells}

    def figures(self) -> Mapping[str, Any]:
        figures = {}
        for metric, ylabel in MEASURES.items():
            lines = {
                label: (list(results), [_values(r, metric) for r in results.values()])
                for label, results in self.by_lag.items()
            }
            xlabel = "lag of the descending volley, ms"
            figures[metric] = plots.dependence(lines, xlabel=xlabel, ylabel=ylabel, logarithmic=False)
        lines = {
            title: (list(self.by_jitter), [_values(r, metric) for r in self.by_jitter.values()])
            for metric, title in MEASURES.items()
        }
        xlabel = "jitter of the lag, ms"
        figures["jitter"] = plots.dependence(lines, xlabel=xlabel, ylabel="cosine, accuracy", logarithmic=False)
        return figures

    def notes(self) -> str:
        lines = ["Stationarity cosine, ascending first minus descending first, over lags of the same size:"]
        for label, results in self.by_lag.items():
            cosines = {lag: _values(result, "stationarity_cosine") for lag, result in results.items()}
            lines.append(f"- {label}: {asymmetry(cosines):+.2f}")
        lines.append(
            "\nA rule depends on the overlap between the trace of one volley and the other volley. With a long trace "
            "in the ascending stream and a short one in the descending stream, the overlap is larger if the ascending "
            "volley comes first. With equal traces, the rules do not depend on the order, and any remaining preference "
            "comes from the shapes of the volleys. So the preference is a property of the traces, which the model "
            "assumes."
        )
        return "\n".join(lines)


def _values(result: Result, metric: str) -> np.ndarray:
    return result.over_sites(metric) if metric in ALIGNMENT else result.final(metric, "test")


def asymmetry(cosines: Mapping[float, Any]) -> float:
    """The mean over positive lags minus the mean over the same negative lags.

    Args:
        cosines: one value per seed, keyed by lag.
    """
    lags = [lag for lag in cosines if lag > 0 and -lag in cosines]
    after, before = ([value for lag in lags for value in cosines[sign * lag]] for sign in (1, -1))
    return mean(after) - mean(before)


if __name__ == "__main__":
    SpikeTiming.main()
