r"""Neuron models, declared as values: the membrane equation, when a spike leaves, and what it stands for.

Notation: `I` is the drive (dimensionless, the units of the rate circuit), r the rate of one unit of activity
(`rate_hz`), k the spikes of one unit (`spikes_per_unit`). A neuron of activity a fires k r |a| spikes a second, and a
spike weighs 1 / (k r), so that currents and traces are in units of activity whatever the model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from circuitsim.errors import ParameterError


@dataclass(frozen=True)
class Spike:
    """One kind of spike of a model.

    Args:
        event: what Brian2 calls it: "spike", or an event of its own.
        condition: when it leaves.
        reset: what then happens to the membrane.
        sign: what a synapse multiplies its weight with; ``{v}`` is the membrane.
    """

    event: str
    condition: str
    reset: str
    sign: str


@dataclass(frozen=True)
class Cell:
    """The base of all models.

    Class attributes:
        activation: which activation of a rate neuron the model stands for, "relu" or "linear".
        signed: whether its activity may be negative.

    Raises:
        ParameterError: a field is no number, or out of range.
    """

    activation: ClassVar[str]
    signed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
                raise ParameterError(f"{type(self).__name__}: {field.name} must be a number (got {value!r})")
            if field.name in ("tau_ms", "spikes_per_unit") and value <= 0:
                raise ParameterError(f"{type(self).__name__}: {field.name} must be positive (got {value!r})")
        if getattr(self, "refractory_ms", 0.0) < 0:
            raise ParameterError(f"{type(self).__name__}: refractory_ms must not be negative (got {self})")

    @property
    def rest(self) -> dict[str, float]:
        """Variables of the neuron at rest."""
        return {}

    @property
    def spikes(self) -> tuple[Spike, ...]:
        """The kinds of spike, if any."""
        return ()


@dataclass(frozen=True)
class SpikingCell(Cell, ABC):
    """A model with a membrane that sends spikes."""

    @property
    def weight(self) -> float:
        """How many spikes stand for one unit, k."""
        return float(getattr(self, "spikes_per_unit", 1.0))

    @property
    def refractory(self) -> float:
        """In ms; 0 for none."""
        return float(getattr(self, "refractory_ms", 0.0))

    @property
    def rest(self) -> dict[str, float]:
        return {"v": 0.0}

    @property
    def spikes(self) -> tuple[Spike, ...]:
        return (Spike("spike", "v >= 1", "v -= 1", "1"),)

    @abstractmethod
    def membrane(self, drive: str, rate_hz: float) -> list[str]:
        """The equations of the membrane.

        Args:
            drive: a name or a product, dimensionless.
            rate_hz: r, the rate of one unit of activity.
        Returns:
            Lines of Brian2 equations.
        """


@dataclass(frozen=True)
class LIF(SpikingCell):
    r"""Leaky integrate-and-fire: ``tau dv/dt = bias + gain I - v``, a spike and ``v = 0`` at ``v = 1``.

    With a bias just below threshold and these numbers it fires about r I spikes a second up to I = 1 at r = 100 Hz, and
    none for I < 0.05: nearly ReLU, bent at high rates.

    Args:
        tau_ms: of the membrane.
        bias, gain: dimensionless; the threshold is 1.
        refractory_ms: no spike, and no integration, for so long after one.
    """

    activation: ClassVar[str] = "relu"
    tau_ms: float = 20.0
    bias: float = 0.9
    gain: float = 2.1
    refractory_ms: float = 2.0

    @property
    def rest(self) -> dict[str, float]:
        return {"v": min(self.bias, 0.99)}

    @property
    def spikes(self) -> tuple[Spike, ...]:
        return (Spike("spike", "v >= 1", "v = 0", "1"),)

    def membrane(self, drive: str, rate_hz: float) -> list[str]:
        held = " (unless refractory)" if self.refractory_ms else ""
        return [f"dv/dt = ({self.bias!r} + {self.gain!r}*{drive} - v)/({self.tau_ms!r}*ms) : 1{held}"]


@dataclass(frozen=True)
class IntegrateAndFire(SpikingCell):
    r"""Linear integrate-and-fire: ``dv/dt = k r I``, a spike and ``v -= 1`` at ``v = 1``: exactly ReLU, on average.

    Args:
        spikes_per_unit: k.
        floor: inhibition does not take v below it; -inf for none.
    """

    activation: ClassVar[str] = "relu"
    spikes_per_unit: float = 1.0
    floor: float = -1.0

    def membrane(self, drive: str, rate_hz: float) -> list[str]:
        k = repr(self.spikes_per_unit * rate_hz)
        return [f"dv/dt = {k}*Hz*{drive}{_above(self.floor, 'v', f'{drive} > 0')} : 1"]


@dataclass(frozen=True)
class SignedIntegrateAndFire(SpikingCell):
    r"""Integrate-and-fire with signed spikes: ``dv/dt = k r I``, at ``|v| = 1`` one of sign(v), ``v -= sign(v)``.

    Shorthand for a pair of ON and OFF neurons with tied weights.

    Args:
        spikes_per_unit: k.
    """

    activation: ClassVar[str] = "linear"
    signed: ClassVar[bool] = True
    spikes_per_unit: float = 4.0

    @property
    def spikes(self) -> tuple[Spike, ...]:
        return (Spike("spike", "abs(v) >= 1", "v -= sign(v)", "sign({v})"),)

    def membrane(self, drive: str, rate_hz: float) -> list[str]:
        return [f"dv/dt = {self.spikes_per_unit * rate_hz!r}*Hz*{drive} : 1"]


@dataclass(frozen=True)
class OnOffPair(SpikingCell):
    r"""An ON and an OFF neuron, each with a membrane and spikes of its own, none negative.

    ``dv/dt = k r I`` for ON and ``dv_off/dt = -k r I`` for OFF, a spike and ``v -= 1`` at ``v = 1``. They share their
    input and hold one weight together: an ON spike delivers w, an OFF spike, through an interneuron, -w.

    Args:
        spikes_per_unit: k, of each.
        floor: what the other one is for does not take v below it; -inf for none.
    """

    activation: ClassVar[str] = "linear"
    signed: ClassVar[bool] = True
    spikes_per_unit: float = 4.0
    floor: float = -1.0

    @property
    def rest(self) -> dict[str, float]:
        return {"v": 0.0, "v_off": 0.0}

    @property
    def spikes(self) -> tuple[Spike, ...]:
        return Spike("spike", "v >= 1", "v -= 1", "1"), Spike("off", "v_off >= 1", "v_off -= 1", "-1")

    def membrane(self, drive: str, rate_hz: float) -> list[str]:
        k = repr(self.spikes_per_unit * rate_hz)
        return [
            f"dv/dt = {k}*Hz*{drive}{_above(self.floor, 'v', f'{drive} > 0')} : 1",
            f"dv_off/dt = -{k}*Hz*{drive}{_above(self.floor, 'v_off', f'{drive} < 0')} : 1",
        ]


@dataclass(frozen=True)
class Poisson(SpikingCell):
    """Random spikes of rate ``k r max(I, 0)``, no membrane; for inputs.

    Args:
        spikes_per_unit: k.
    """

    activation: ClassVar[str] = "relu"
    spikes_per_unit: float = 1.0

    @property
    def rest(self) -> dict[str, float]:
        return {}

    @property
    def spikes(self) -> tuple[Spike, ...]:
        return (Spike("spike", "rand() < chance", "", "1"),)

    def membrane(self, drive: str, rate_hz: float) -> list[str]:
        return [f"chance = {self.spikes_per_unit * rate_hz!r}*Hz*dt*{drive} : 1"]


@dataclass(frozen=True)
class SignedPoisson(Poisson):
    """An ON and an OFF train of random spikes, of rates ``k r max(I, 0)`` and ``k r max(-I, 0)``; for inputs.

    Args:
        spikes_per_unit: k, of each train.
    """

    activation: ClassVar[str] = "linear"
    signed: ClassVar[bool] = True

    @property
    def spikes(self) -> tuple[Spike, ...]:
        return Spike("spike", "rand() < chance", "", "1"), Spike("off", "rand() < -chance", "", "-1")


@dataclass(frozen=True)
class GradedReadout(Cell):
    """No spikes: ``dF/dt = I / window`` while the ascending volley is read, from 0 in each trial: the mean drive."""

    activation: ClassVar[str] = "linear"
    signed: ClassVar[bool] = True

    @property
    def rest(self) -> dict[str, float]:
        return {"F": 0.0}

    def integral(self, drive: str, window_ms: float) -> str:
        """The equation of F.

        Args:
            drive: a name or a product, dimensionless.
            window_ms: length of the ascending volley.
        Returns:
            A line of Brian2 equations.
        """
        return f"dF/dt = reads(t)*{drive}/({window_ms!r}*ms) : 1"


def _above(floor: float, membrane: str, rises: str) -> str:
    """A factor that stops the membrane at its floor."""
    return "" if floor == float("-inf") else f"*int(({membrane} > {floor!r}) or ({rises}))"


def as_parameters(cell: Cell) -> dict[str, Any]:
    """What a checkpoint notes of a model."""
    return {"model": type(cell).__name__, **{f.name: getattr(cell, f.name) for f in fields(cell)}}
