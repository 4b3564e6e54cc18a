"""`export_brian2`: the way from a circuit to Brian2."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, overload

from circuitsim.engine import Circuit
from circuitsim.errors import CircuitError, ParameterError
from circuitsim.export.brian2.rate import RUNTIME, STANDALONE, RateNetwork
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.network import SpikingNetwork

MODES = ("rate", "spiking")
TARGETS = (*RUNTIME, STANDALONE)


class MissingBrian2(CircuitError, ImportError):
    """Brian2 is not installed, or does not import."""


@overload
def export_brian2(
    circuit: Circuit,
    *,
    mode: Literal["rate"] = "rate",
    replica: int = 0,
    target: str | None = None,
    directory: Any = None,
) -> RateNetwork: ...


@overload
def export_brian2(
    circuit: Circuit,
    *,
    mode: Literal["spiking"],
    replica: int = 0,
    target: str | None = None,
    directory: Any = None,
    spiking: Spiking | None = None,
    n_trials: int = 1000,
    plastic: bool = True,
) -> SpikingNetwork: ...


def export_brian2(
    circuit: Circuit,
    *,
    mode: str = "rate",
    replica: int = 0,
    target: str | None = None,
    directory: Any = None,
    spiking: Spiking | None = None,
    n_trials: int = 1000,
    plastic: bool = True,
) -> RateNetwork | SpikingNetwork:
    """The circuit, as it is now, as a Brian2 network.

    Args:
        circuit: what to export; its weights, masks, frozen projections and `eta_scale` are taken over once.
        mode: "rate", an exact non-spiking transcription of the plan: activities are variables of neurons, currents
            are summed variables, one sample is one tick. "spiking": neurons with spikes, synapses with traces, the
            same rules.
        replica: which replica.
        target: "numpy" or "cython" (in this process), or "cpp_standalone" (a compiled program); by default "numpy"
            for rates, "cpp_standalone" for spikes.
        directory: of the standalone program; by default a temporary one.
        spiking: neuron models, time constants, trials of a spiking network; by default those of `Spiking()`.
        n_trials: of a segment of a spiking run: weights are read back after each. A C++ program starts once for each,
            so short segments cost time.
        plastic: False makes a spiking network of what outputs depend on alone, without plasticity.
    Returns:
        A `RateNetwork` or a `SpikingNetwork`; print it to read every equation.
    Raises:
        MissingBrian2: Brian2 is not there.
        ParameterError: an argument is out of range.
        CircuitError: Brian2 cannot say what the circuit does; the message names the projection and the reason.
    Example:
        >>> import numpy as np
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> circuit = cs.compile(sal([4, 3, 2], trace=None), dtype="float64", device="cpu")
        >>> network = cs.export_brian2(circuit)
        >>> x, target = np.ones((2, 4)), [0, 1]
        >>> loss, same = network.step(x, target), circuit.step(x, target).loss
        >>> bool(np.allclose(network.weights("W0"), circuit.weights("W0")[0]))
        True
    """
    if target is None:
        target = STANDALONE if mode == "spiking" else "numpy"
    for what, value, known in (("mode", mode, MODES), ("target", target, TARGETS)):
        if value not in known:
            raise ParameterError(f"export_brian2: {what} must be one of {list(known)} (got {value!r})")
    if directory is not None and target != STANDALONE:
        raise ParameterError(f"export_brian2: target {target!r} writes no program, so it takes no directory")
    try:
        import brian2  # noqa: F401
    except (ImportError, AttributeError) as error:  # the latter where NumPy is too new for it
        raise MissingBrian2(f"Brian2 cannot be imported ({error}): pip install 'circuitsim[spiking]'") from error
    folder = None if directory is None else Path(directory)
    if mode == "spiking":
        return SpikingNetwork(circuit, replica, spiking or Spiking(), target, folder, n_trials, plastic)
    if spiking is not None or not plastic:
        raise ParameterError("export_brian2: spiking=... and plastic=False are for mode='spiking'")
    return RateNetwork(circuit, replica, target, folder)
