"""What a circuit becomes as spikes: neuron models, time constants, trials, delays; one declared value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

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
from circuitsim.export.brian2.spiking.trial import GRID_MS, Trial

CODINGS: dict[str, type[SignedIntegrateAndFire | OnOffPair]] = {"signed": SignedIntegrateAndFire, "on_off": OnOffPair}


@dataclass(frozen=True)
class Stream:
    """What the neurons of one stream share.

    Args:
        tau_trace_ms: of everything that plasticity reads of the stream: spike traces, the dendritic currents that its
            spikes deliver, the low-passed drive.
        tau_synapse_ms: of soma currents onto its neurons.
        rectified: the model for "relu" neurons.
        spikes_per_unit: of its signed ("linear") neurons.
    Raises:
        ParameterError: a time or number is not positive.
    """

    tau_trace_ms: float
    tau_synapse_ms: float = 5.0
    rectified: SpikingCell = LIF()
    spikes_per_unit: float = 4.0

    def __post_init__(self) -> None:
        for name in ("tau_trace_ms", "tau_synapse_ms", "spikes_per_unit"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"Stream: {name} must be positive (got {getattr(self, name)!r})")


@dataclass(frozen=True)
class Delay:
    """Conduction delays of a projection's synapses, drawn uniformly from [low_ms, high_ms].

    Args:
        low_ms, high_ms: 0 or more.
    Raises:
        ParameterError: low_ms is negative or above high_ms.
    """

    low_ms: float
    high_ms: float

    def __post_init__(self) -> None:
        if not 0 <= self.low_ms <= self.high_ms < float("inf"):
            raise ParameterError(f"Delay: 0 <= low_ms <= high_ms must hold (got {self.low_ms!r}, {self.high_ms!r})")


@dataclass(frozen=True)
class Spiking:
    """How activity, time and space of a rate circuit become spikes.

    Signals of the ascending stream come first and have to wait for those of the descending one, so their traces are
    long (50 ms) and those of the descending stream short (10 ms).

    Args:
        ascending, descending: what the neurons of each stream share.
        coding: of signed activity, "signed" (one neuron with spikes of both signs) or "on_off" (a pair of neurons
            with non-negative spikes).
        inputs: the model of input populations and bias units, such as `Poisson()`; by default regular spikes
            (`IntegrateAndFire`), one unit being `rate_hz`.
        cells: models of single populations, by name.
        delays: conduction delays, by projection.
        trial: how a sample takes place in time.
        rate_hz: r, the rate of one unit of activity.
        dt_ms: time step.
        rule_every_ms: interval between two plasticity steps.
        fired_above: a neuron counts as active, for `slope_post` of "relu", while its trace is above this many units.
    Raises:
        ParameterError: an unknown coding, a rate or time that is not positive, or times that do not divide each other.
    """

    ascending: Stream = Stream(50.0)
    descending: Stream = Stream(10.0)
    coding: str = "signed"
    inputs: SpikingCell = IntegrateAndFire(floor=float("-inf"))
    cells: Mapping[str, Cell] = field(default_factory=dict)
    delays: Mapping[str, Delay] = field(default_factory=dict)
    trial: Trial = Trial()
    rate_hz: float = 100.0
    dt_ms: float = 0.5
    rule_every_ms: float = 2.0
    fired_above: float = 0.02

    def __post_init__(self) -> None:
        if self.coding not in CODINGS:
            raise ParameterError(f"Spiking: coding must be one of {list(CODINGS)} (got {self.coding!r})")
        for name in ("rate_hz", "dt_ms", "rule_every_ms"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ParameterError(f"Spiking: {name} must be positive (got {getattr(self, name)!r})")
        for what, long, short in (
            ("windows lie on a grid that", GRID_MS, self.dt_ms),
            ("rule_every_ms", self.rule_every_ms, self.dt_ms),
            ("the trial's length", self.trial.length_ms, self.rule_every_ms),
        ):
            if abs(long / short - round(long / short)) > 1e-9 or long < short:
                raise ParameterError(f"Spiking: {what} ({long:g} ms) must be a multiple of {short:g} ms")

    def stream(self, name: str) -> Stream:
        """What the neurons of a stream share.

        Args:
            name: "ascending" or "descending".
        Returns:
            The declared value.
        """
        return self.ascending if name == "ascending" else self.descending

    def signed(self, stream: str) -> SpikingCell:
        """The model of signed neurons, by `coding`.

        Args:
            stream: "ascending" or "descending".
        Returns:
            `SignedIntegrateAndFire` or `OnOffPair`, with the stream's spikes per unit.
        """
        return CODINGS[self.coding](spikes_per_unit=self.stream(stream).spikes_per_unit)

    def document(self) -> dict[str, Any]:
        """Plain data, for checkpoints and digests.

        Returns:
            By field, as JSON can hold it.
        """
        plain = asdict(self)
        for stream in ("ascending", "descending"):
            plain[stream]["rectified"] = as_parameters(getattr(self, stream).rectified)
        plain["inputs"] = as_parameters(self.inputs)
        plain["cells"] = {name: as_parameters(cell) for name, cell in sorted(self.cells.items())}
        return plain
