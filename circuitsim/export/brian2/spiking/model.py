"""`Spiking`, which declares the neuron models, time constants, trials and delays of a spiking network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from circuitsim.errors import ParameterError
from circuitsim.export.brian2.spiking.cells import (
    LIF,
    Cell,
    IntegrateAndFire,
    OnOffPair,
    SignedIntegrateAndFire,
    SpikingCell,
    as_parameters,
)
from circuitsim.export.brian2.spiking.number import is_multiple, set_numbers
from circuitsim.whole import check_flags

GRID_MS = 1.0  # the grid on which the windows of a trial begin and end
DELAYS = ("ascending_delay_ms", "descending_delay_ms")
CODINGS: dict[str, type[SignedIntegrateAndFire | OnOffPair]] = {"signed": SignedIntegrateAndFire, "on_off": OnOffPair}


@dataclass(frozen=True)
class Stream:
    """The settings that the neurons of one stream share.

    Args:
        tau_trace_ms: the time constant of everything that plasticity reads from the stream: spike traces, the dendritic
            currents that its spikes deliver, and the low-passed drive.
        tau_synapse_ms: the time constant of soma currents onto its neurons.
        rectified: the model for "relu" neurons.
        spikes_per_unit: spikes per unit of activity of its signed ("linear") neurons.
    Raises:
        ParameterError: a time or number is not positive.
    """

    tau_trace_ms: float
    tau_synapse_ms: float = 5.0
    rectified: SpikingCell = LIF()
    spikes_per_unit: float = 4.0

    def __post_init__(self) -> None:
        set_numbers(self, "tau_trace_ms", "tau_synapse_ms", "spikes_per_unit", positive=True)
        _check_kind("Stream: rectified", self.rectified, SpikingCell)


def _check_kind(what: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        raise ParameterError(f"{what} must be a {kind.__name__} (got {value!r})")


@dataclass(frozen=True)
class Delay:
    """Conduction delays of a projection's synapses, drawn uniformly from [low_ms, high_ms].

    They are rounded to the time step of the network.

    Args:
        low_ms, high_ms: 0 or more; without `high_ms`, every synapse has the delay `low_ms`.
    Raises:
        ParameterError: a time is not a number of ms, low_ms is negative, or it is above high_ms.
    Example:
        >>> from circuitsim.export import Delay
        >>> Delay(5).longest, Delay(1, 6).shortest
        (5.0, 1.0)
    """

    low_ms: float
    high_ms: float | None = None

    def __post_init__(self) -> None:
        set_numbers(self, "low_ms", least=0.0)
        if self.high_ms is not None:
            set_numbers(self, "high_ms", least=self.low_ms)

    @property
    def shortest(self) -> float:
        """The lower end of the interval, in ms."""
        return self.low_ms

    @property
    def longest(self) -> float:
        """The upper end of the interval, in ms."""
        return self.low_ms if self.high_ms is None else self.high_ms

    @property
    def mean(self) -> float:
        """The middle of the interval, in ms."""
        return (self.shortest + self.longest) / 2


@dataclass(frozen=True)
class Trial:
    r"""The time course of one sample: an ascending volley, a descending volley and silence::

        |-- ascending --|-- descending --|-- silence --|                        lag = ascending_ms (default)

    With ``max_lag_ms``, a preview of the sample, in which the descending stream is silent, determines the error first.
    Then both volleys follow in either order::

        |-- preview --|-- silence --|   ...ascending...descending...   |-- silence --|

    The ascending volley begins `max_lag_ms` after the silence, and the descending one `lag_ms` later (earlier if
    negative). The trial's length does not depend on the lag.

    Args:
        ascending_ms, descending_ms: the length of each volley.
        silence_ms: the silence after the volleys, and after the preview. Several times the longest trace keeps trials
            independent of each other.
        lag_ms: the onset of the descending volley minus that of the ascending one; by default `ascending_ms`.
        max_lag_ms: the largest lag in either direction, for trials with a preview, or None.
        jitter_ms: the standard deviation of the lag between trials. Lags are clipped at `max_lag_ms`.
        rests: whether every neuron is reset to rest at the beginning of a trial. Otherwise only the silence separates
            trials.
        ascending_delay_ms, descending_delay_ms: how long the spikes of each volley are under way. The export sets these
            to the conduction delays along the longest way, added up. What comes after a volley waits for its spikes.
    Raises:
        ParameterError: a time is not a number, out of range or not a multiple of 1 ms, or the lag is too large.
    """

    ascending_ms: float = 50.0
    descending_ms: float = 50.0
    silence_ms: float = 40.0
    lag_ms: float | None = None
    max_lag_ms: float | None = None
    jitter_ms: float = 0.0
    rests: bool = False
    ascending_delay_ms: float = 0.0
    descending_delay_ms: float = 0.0

    def __post_init__(self) -> None:
        set_numbers(self, "ascending_ms", "descending_ms", positive=True)
        set_numbers(self, "silence_ms", "jitter_ms", *DELAYS, least=0.0)
        if self.lag_ms is not None:
            set_numbers(self, "lag_ms")
        if self.max_lag_ms is not None:
            set_numbers(self, "max_lag_ms", least=0.0)
        for name in ("ascending_ms", "descending_ms", "silence_ms", "max_lag_ms", *DELAYS):
            if (value := getattr(self, name)) is not None and value % GRID_MS:
                raise ParameterError(f"Trial: {name} must be a multiple of {GRID_MS:g} ms (got {value!r})")
        check_flags(**{"Trial: rests": self.rests})
        if self.max_lag_ms is None and (self.jitter_ms or self.lag < self.read_ms):
            raise ParameterError(
                f"Trial: with lag_ms={self.lag:g}, jitter_ms={self.jitter_ms:g} the descending volley can begin before "
                f"the output, and with it the error, is known ({self.read_ms:g} ms); leave lag_ms out, or give "
                "max_lag_ms, so that a preview determines the error first"
            )
        if self.max_lag_ms is not None and abs(self.lag) > self.max_lag_ms:
            raise ParameterError(f"Trial: lag_ms must lie within max_lag_ms {self.max_lag_ms:g} (got {self.lag:g})")

    @property
    def lag(self) -> float:
        """The lag in ms."""
        return self.read_ms if self.lag_ms is None else self.lag_ms

    @property
    def read_ms(self) -> float:
        """The time in ms during which outputs are read, until the last spike of the ascending volley has arrived."""
        return self.ascending_ms + self.ascending_delay_ms

    @property
    def onset_ms(self) -> float:
        """The onset in ms of the ascending volley after the preview, if there is one."""
        return 0.0 if self.max_lag_ms is None else self.read_ms + self.silence_ms + self.max_lag_ms

    @property
    def length_ms(self) -> float:
        """The length of a trial in ms."""
        descends = self.descending_ms + self.descending_delay_ms
        if self.max_lag_ms is None:
            return float(np.ceil((self.lag + descends + self.silence_ms) / GRID_MS) * GRID_MS)
        last = max(self.read_ms, self.max_lag_ms + descends)
        return self.onset_ms + last + self.silence_ms

    def windows(self, n_trials: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Compute when each volley is on.

        Args:
            n_trials: the number of consecutive trials.
            rng: the generator that draws the jitter.
        Returns:
            "reads", "ascends", "descends" -> 0 or 1 for every ms, shape ``[n_trials * length]``.
        """
        n = round(self.length_ms / GRID_MS)
        reads, ascends, descends = (np.zeros((n_trials, n)) for _ in range(3))
        reads[:, : round(self.read_ms / GRID_MS)] = 1.0
        ascends[:, : round(self.ascending_ms / GRID_MS)] = 1.0
        shifts = np.full(n_trials, self.lag)
        if self.max_lag_ms is not None:
            begin = round(self.onset_ms / GRID_MS)
            ascends[:, begin : begin + round(self.ascending_ms / GRID_MS)] = 1.0
            shifts = np.clip(
                self.lag + self.jitter_ms * rng.standard_normal(n_trials), -self.max_lag_ms, self.max_lag_ms
            )
        for row, shift in zip(descends, shifts, strict=True):
            begin = round((self.onset_ms + shift) / GRID_MS)
            row[begin : begin + round(self.descending_ms / GRID_MS)] = 1.0
        return {"reads": reads.ravel(), "ascends": ascends.ravel(), "descends": descends.ravel()}


@dataclass(frozen=True)
class Spiking:
    """How the neurons and synapses of a rate circuit are represented by spikes.

    Signals of the ascending stream come first and must outlast the wait for those of the descending stream, so the
    traces of the ascending stream are long (50 ms) and those of the descending stream short (10 ms).

    Args:
        ascending, descending: the settings of each stream.
        coding: the representation of signed activity, "signed" (one neuron with spikes of both signs) or "on_off" (a
            pair of neurons with non-negative spikes).
        inputs: the model of input populations and bias units, such as `Poisson()`; by default regular spikes
            (`IntegrateAndFire`), at `rate_hz` for one unit of activity.
        cells: models of single populations, keyed by population.
        delays: conduction delays, keyed by projection. They must let spikes arrive before their trial ends.
        trial: the time course of a sample, or None for a network without trials, which runs in continuous time.
        rate_hz: r, the rate of one unit of activity.
        dt_ms: the time step.
        rule_every_ms: the interval between two plasticity steps.
        fired_above: a neuron counts as active, for `slope_post` of "relu", while its trace is above this many units.
        mean_trials: the number of trials over which `mean(...)` averages, with weights that fall by a factor of e.
    Raises:
        ParameterError: a field has another type, an unknown coding, a rate or time that is not positive, or times that
            do not divide each other.
    """

    ascending: Stream = Stream(50.0)
    descending: Stream = Stream(10.0)
    coding: str = "signed"
    inputs: SpikingCell = IntegrateAndFire(floor=float("-inf"))
    cells: Mapping[str, Cell] = field(default_factory=dict)
    delays: Mapping[str, Delay] = field(default_factory=dict)
    trial: Trial | None = Trial()
    rate_hz: float = 100.0
    dt_ms: float = 0.5
    rule_every_ms: float = 2.0
    fired_above: float = 0.02
    mean_trials: float = 64.0

    def __post_init__(self) -> None:
        kinds: dict[str, type] = {
            "ascending": Stream, "descending": Stream, "inputs": SpikingCell, "cells": Mapping, "delays": Mapping,
        }  # fmt: skip
        for name, kind in kinds.items():
            _check_kind(f"Spiking: {name}", getattr(self, name), kind)
        if self.trial is not None:
            _check_kind("Spiking: trial", self.trial, Trial)
        for name, cell in self.cells.items():
            _check_kind(f"Spiking: cells[{name!r}]", cell, Cell)
        for name, delay in self.delays.items():
            _check_kind(f"Spiking: delays[{name!r}]", delay, Delay)
        if self.coding not in CODINGS:
            raise ParameterError(f"Spiking: coding must be one of {list(CODINGS)} (got {self.coding!r})")
        set_numbers(self, "fired_above")
        set_numbers(self, "rate_hz", "dt_ms", "rule_every_ms", "mean_trials", positive=True)
        multiples = [("rule_every_ms", self.rule_every_ms, self.dt_ms)]
        if self.trial is not None:
            multiples.insert(0, ("the grid on which windows begin and end", GRID_MS, self.dt_ms))
            multiples.append(("the trial's length", self.trial.length_ms, self.rule_every_ms))
        for what, long, short in multiples:
            if not is_multiple(long, short):
                raise ParameterError(f"Spiking: {what} ({long:g} ms) must be a multiple of {short:g} ms")

    @property
    def course(self) -> Trial:
        """The time course of a sample, in a network with trials.

        Raises:
            ParameterError: there are no trials.
        """
        if self.trial is None:
            raise ParameterError("Spiking: trial is None, so there is no time course of a sample")
        return self.trial

    def stream(self, name: str) -> Stream:
        """The settings of a stream.

        Args:
            name: "ascending" or "descending".
        Returns:
            The declared value.
        """
        return self.ascending if name == "ascending" else self.descending

    def signed(self, stream: str) -> SpikingCell:
        """The model of signed neurons, which depends on `coding`.

        Args:
            stream: "ascending" or "descending".
        Returns:
            `SignedIntegrateAndFire` or `OnOffPair`, with the stream's spikes per unit.
        """
        return CODINGS[self.coding](spikes_per_unit=self.stream(stream).spikes_per_unit)

    def document(self) -> dict[str, Any]:
        """Convert the settings to plain data, for checkpoints and digests.

        Returns:
            The fields as values that JSON can hold.
        """
        plain = asdict(self)
        for stream in ("ascending", "descending"):
            plain[stream]["rectified"] = as_parameters(getattr(self, stream).rectified)
        plain["inputs"] = as_parameters(self.inputs)
        plain["cells"] = {name: as_parameters(cell) for name, cell in sorted(self.cells.items())}
        return plain
