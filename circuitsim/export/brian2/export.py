"""`export_brian2`, which turns a circuit into a Brian2 network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, overload

from circuitsim.engine import Circuit
from circuitsim.errors import CircuitError, ParameterError, check_kind
from circuitsim.export.brian2.exported import RUNTIME, STANDALONE
from circuitsim.export.brian2.rate import RateNetwork
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.network import SpikingNetwork

MODES = ("rate", "spiking")
TARGETS = (*RUNTIME, STANDALONE)


class MissingBrian2(CircuitError, ImportError):
    """Brian2 is not installed or cannot be imported."""


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
    """Export the current state of a circuit as a Brian2 network.

    Args:
        circuit: the circuit, whose weights, masks, frozen projections and `eta_scale` are copied once.
        mode: "rate" for an exact transcription of the plan without spikes, in which activities are variables of
            neurons, currents are summed variables and one sample is one tick; "spiking" for spiking neurons and
            synapses with traces that follow the same rules.
        replica: the index of the replica to export.
        target: "numpy" or "cython" (in this process), or "cpp_standalone" (a compiled program); by default "numpy"
            for rates and "cpp_standalone" for spikes.
        directory: where the standalone program is written; by default a temporary folder.
        spiking: neuron models, time constants and trials of a spiking network; by default those of `Spiking()`.
        n_trials: the number of trials in a segment of a spiking run; weights are read back after each segment. A C++
            program is started for each segment, so short segments cost time.
        plastic: False makes a spiking network without plasticity, of only those parts on which the outputs depend.
    Returns:
        A `RateNetwork` or a `SpikingNetwork`; printing it shows every equation.
    Raises:
        MissingBrian2: Brian2 is not installed or cannot be imported.
        ParameterError: an argument is out of range.
        CircuitError: Brian2 cannot express what the circuit does; the message names the projection and the reason.
    Example:
        >>> import numpy as np
        >>> import circuitsim as cs
        >>> from motifs import sal
        >>> circuit = cs.compile(sal([4, 3, 2]), dtype="float64", device="cpu")
        >>> network = cs.export_brian2(circuit)
        >>> x, target = np.ones((2, 4)), [0, 1]
        >>> loss, same = network.step(x, target), circuit.step(x, target).loss
        >>> bool(np.allclose(network.weights("W0"), circuit.weights("W0")[0]))
        True
    """
    check_kind("export_brian2", circuit, Circuit, "cs.compile(motif) makes one")
    if target is None:
        target = STANDALONE if mode == "spiking" else "numpy"
    for what, value, known in (("mode", mode, MODES), ("target", target, TARGETS)):
        if value not in known:
            raise ParameterError(f"export_brian2: {what} must be one of {list(known)} (got {value!r})")
    if directory is not None and not isinstance(directory, str | os.PathLike):
        raise ParameterError(f"export_brian2: directory must be a path (got {directory!r})")
    if spiking is not None and not isinstance(spiking, Spiking):
        raise ParameterError(f"export_brian2: spiking must be a Spiking (got {spiking!r})")
    if directory is not None and target != STANDALONE:
        raise ParameterError(f"export_brian2: target {target!r} writes no program; leave out directory")
    try:
        import brian2  # noqa: F401
    except (ImportError, AttributeError) as error:  # AttributeError if NumPy is too new for Brian2
        raise MissingBrian2(f"Brian2 cannot be imported ({error}): pip install 'circuitsim[spiking]'") from error
    folder = None if directory is None else Path(directory)
    if mode == "spiking":
        return SpikingNetwork(circuit, replica, spiking or Spiking(), target, folder, n_trials, plastic)
    if spiking is not None or not plastic:
        raise ParameterError("export_brian2: spiking=... and plastic=False are for mode='spiking'")
    return RateNetwork(circuit, replica, target, folder)
