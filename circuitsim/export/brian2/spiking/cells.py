r"""Neuron models, each of which declares a membrane equation, when a spike is emitted, and its sign.

Notation: `I` is the drive (dimensionless, in the units of the rate circuit), r the rate of one unit of activity
(`rate_hz`), and k the number of spikes per unit (`spikes_per_unit`). A neuron of activity a fires k r |a| spikes per
second, and a spike weighs 1 / (k r), so that currents and traces are in units of activity for every model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from math import inf
from typing import Any, ClassVar

from circuitsim.export.brian2.spiking.number import set_numbers


@dataclass(frozen=True)
class Spike:
    """One kind of spike of a model.

    Args:
        event: the Brian2 event, "spike" or a custom one.
        condition: the condition at which the spike is emitted.
        reset: the statement that then resets the membrane.
        sign: the factor of a synapse's weight; ``{v}`` stands for the membrane.
    """

    event: str
    condition: str
    reset: str
    sign: str


@dataclass(frozen=True)
class Cell:
    """The base of all models.

    Class attributes:
        activation: the activation of the rate neuron that the model represents, "relu" or "linear".
        signed: whether the activity may be negative.

    Raises:
        ParameterError: a field is not a number, or out of range.
    """

    activation: ClassVar[str]
    signed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for field in fields(self):
            positive = field.name in ("tau_ms", "spikes_per_unit")
            set_numbers(self, field.name, least=0.0 if field.name == "refractory_ms" else -inf, positive=positive)

    @property
    def rest(self) -> dict[str, float]:
        """The neuron's variables and their resting values."""
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
        """The number of spikes per unit of activity, k."""
        return float(getattr(self, "spikes_per_unit", 1.0))

    @property
    def refractory(self) -> float:
        """The refractory period in ms, 0 for none."""
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
            drive: the drive as a name or a product, dimensionless.
            rate_hz: r, the rate of one unit of activity.
        Returns:
            Lines of Brian2 equations.
        """


@dataclass(frozen=True)
class LIF(SpikingCell):
    r"""Leaky integrate-and-fire: ``tau dv/dt = bias + gain I - v``, a spike and ``v = 0`` at ``v = 1``.

    With a bias just below threshold and the default numbers it fires about r I spikes per second up to I = 1 at r =
    100 Hz, and none for I < 0.05. This is nearly ReLU, but saturates at high rates.

    Args:
        tau_ms: the membrane's time constant.
        bias, gain: dimensionless; the threshold is 1.
        refractory_ms: the time after a spike without spikes and without integration.
    """

    activation: ClassVar[str] = "relu"
    spikes = (Spike("spike", "v >= 1", "v = 0", "1"),)
    tau_ms: float = 20.0
    bias: float = 0.9
    gain: float = 2.1
    refractory_ms: float = 2.0

    @property
    def rest(self) -> dict[str, float]:
        return {"v": min(self.bias, 0.99)}

    def membrane(self, drive: str, rate_hz: float) -> list[str]:
        held = " (unless refractory)" if self.refractory_ms else ""
        return [f"dv/dt = ({self.bias!r} + {self.gain!r}*{drive} - v)/({self.tau_ms!r}*ms) : 1{held}"]


@dataclass(frozen=True)
class IntegrateAndFire(SpikingCell):
    r"""Linear integrate-and-fire: ``dv/dt = k r I``, a spike and ``v -= 1`` at ``v = 1``: exactly ReLU, on average.

    Args:
        spikes_per_unit: k.
        floor: the lower bound of v under inhibition, -inf for none.
    """

    activation: ClassVar[str] = "relu"
    spikes_per_unit: float = 1.0
    floor: float = -1.0

    def membrane(self, drive: str, rate_hz: float) -> list[str]:
        k = repr(self.spikes_per_unit * rate_hz)
        return _above(self.floor, "v", f"{k}*Hz*{drive}", f"{drive} > 0")


@dataclass(frozen=True)
class SignedIntegrateAndFire(SpikingCell):
    r"""Integrate-and-fire with signed spikes: ``dv/dt = k r I``; at ``|v| = 1`` a spike of sign(v), ``v -= sign(v)``.

    It abbreviates a pair of ON and OFF neurons with tied weights.

    Args:
        spikes_per_unit: k.
    """

    activation: ClassVar[str] = "linear"
    signed: ClassVar[bool] = True
    spikes = (Spike("spike", "abs(v) >= 1", "v -= sign(v)", "sign({v})"),)
    spikes_per_unit: float = 4.0

    def membrane(self, drive: str, rate_hz: float) -> list[str]:
        return [f"dv/dt = {self.spikes_per_unit * rate_hz!r}*Hz*{drive} : 1"]


@dataclass(frozen=True)
class OnOffPair(SpikingCell):
    r"""An ON and an OFF neuron, each with its own membrane and spikes, none of them negative.

    ``dv/dt = k r I`` for ON and ``dv_off/dt = -k r I`` for OFF, with a spike and ``v -= 1`` at ``v = 1``. The two share
    their input and one weight per synapse: an ON spike delivers w, and an OFF spike, through an interneuron, -w.

    Args:
        spikes_per_unit: k, for each of the two.
        floor: the lower bound of each membrane under input of the opposite sign, -inf for none.
    """

    activation: ClassVar[str] = "linear"
    signed: ClassVar[bool] = True
    spikes = (Spike("spike", "v >= 1", "v -= 1", "1"), Spike("off", "v_off >= 1", "v_off -= 1", "-1"))
    spikes_per_unit: float = 4.0
    floor: float = -1.0

    @property
    def rest(self) -> dict[str, float]:
        return {"v": 0.0, "v_off": 0.0}

    def membrane(self, drive: str, rate_hz: float) -> list[str]:
        k = repr(self.spikes_per_unit * rate_hz)
        return [
            *_above(self.floor, "v", f"{k}*Hz*{drive}", f"{drive} > 0"),
            *_above(self.floor, "v_off", f"-{k}*Hz*{drive}", f"{drive} < 0"),
        ]


@dataclass(frozen=True)
class Poisson(SpikingCell):
    """Random spikes at the rate ``k r max(I, 0)``, without a membrane; for inputs.

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
    """An ON and an OFF train of random spikes, at the rates ``k r max(I, 0)`` and ``k r max(-I, 0)``; for inputs.

    Args:
        spikes_per_unit: k, for each train.
    """

    activation: ClassVar[str] = "linear"
    signed: ClassVar[bool] = True

    @property
    def spikes(self) -> tuple[Spike, ...]:
        return Spike("spike", "rand() < chance", "", "1"), Spike("off", "rand() < -chance", "", "-1")


@dataclass(frozen=True)
class SpikeTrain(SpikingCell):
    """Spikes at given times, without a membrane: the times are given to each run (`ContinuousNetwork.run`). For inputs,
    and to drive a plasticity rule with postsynaptic spikes of one's own."""

    activation: ClassVar[str] = "relu"
    spikes = (Spike("spike", "t + 0.5*dt > due*ms", "told += 1", "1"),)

    @property
    def rest(self) -> dict[str, float]:
        return {"told": 0.0}

    def membrane(self, drive: str, rate_hz: float) -> list[str]:
        return ["told : 1", f"due = {drive} : 1"]


@dataclass(frozen=True)
class GradedReadout(Cell):
    """A readout without spikes: ``dF/dt = I / window`` during the ascending volley, starting from 0 in each trial. At
    the end of the volley, F is the mean drive."""

    activation: ClassVar[str] = "linear"
    signed: ClassVar[bool] = True

    @property
    def rest(self) -> dict[str, float]:
        return {"F": 0.0}

    def integral(self, drive: str, window_ms: float) -> str:
        """The equation of F.

        Args:
            drive: the drive as a name or a product, dimensionless.
            window_ms: the length of the ascending volley.
        Returns:
            A line of Brian2 equations.
        """
        return f"dF/dt = reads(t)*{drive}/({window_ms!r}*ms) : 1"


def _above(floor: float, membrane: str, slope: str, rises: str) -> list[str]:
    """The equations of a membrane that stops at its floor, unless `rises` holds."""
    if floor == float("-inf"):
        return [f"d{membrane}/dt = {slope} : 1"]
    free = f"{membrane}_free"  # a variable of its own, because methods other than Euler's take no comparisons
    return [
        f"d{membrane}/dt = {slope}*{free} : 1",
        f"{free} = int(({membrane} > {floor!r}) or ({rises})) : 1 (constant over dt)",
    ]


def as_parameters(cell: Cell) -> dict[str, Any]:
    """A model as plain data, for checkpoints."""
    return {"model": type(cell).__name__, **{f.name: getattr(cell, f.name) for f in fields(cell)}}
