"""`export_brian2`, which turns a circuit into a Brian2 network."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal, overload

from circuitsim.engine import Circuit, compile
from circuitsim.errors import CircuitError, ParameterError, check_kind
from circuitsim.export.brian2.exported import RUNTIME, STANDALONE
from circuitsim.export.brian2.rate import RateNetwork
from circuitsim.export.brian2.replica import Replica
from circuitsim.export.brian2.spiking.continuous import ContinuousNetwork
from circuitsim.export.brian2.spiking.model import Spiking
from circuitsim.export.brian2.spiking.network import SpikingNetwork
from circuitsim.motif import Motif
from circuitsim.motif.checks import index
from circuitsim.motif.expressions import without_spikes

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
    circuit: Circuit | Motif,
    *,
    mode: Literal["spiking"],
    replica: int = 0,
    seed: int | None = None,
    target: str | None = None,
    directory: Any = None,
    spiking: Spiking | None = None,
    n_trials: int = 1000,
    plastic: bool = True,
) -> Any: ...


def export_brian2(
    circuit: Circuit | Motif,
    *,
    mode: str = "rate",
    replica: int = 0,
    seed: int | None = None,
    target: str | None = None,
    directory: Any = None,
    spiking: Spiking | None = None,
    n_trials: int = 1000,
    plastic: bool = True,
) -> RateNetwork | SpikingNetwork | ContinuousNetwork:
    """Export the current state of a circuit as a Brian2 network.

    Args:
        circuit: the circuit, whose weights, masks, frozen projections and `eta_scale` are copied once; or for spikes, a
            motif, which may have rules that read spikes. Its weights are drawn as `compile` draws them.
        mode: "rate" for an exact transcription of the plan without spikes, in which activities are variables of
            neurons, currents are summed variables and one sample is one tick; "spiking" for spiking neurons and
            synapses with traces that follow the same rules.
        replica: the index of the replica to export.
        seed: the seed of a motif's weights, by default 0.
        target: "numpy" or "cython" (in this process), or "cpp_standalone" (a compiled program); by default "numpy"
            for rates and without trials, and "cpp_standalone" for trials of spikes.
        directory: where the standalone program is written; by default a temporary folder.
        spiking: neuron models, time constants and trials of a spiking network; by default those of `Spiking()`, without
            trials for a motif without an objective.
        n_trials: the number of trials in a segment of a spiking run; weights are read back after each segment. A C++
            program is started for each segment, so short segments cost time.
        plastic: False makes a spiking network without plasticity, of only those parts on which the outputs depend.
    Returns:
        A `RateNetwork`, a `SpikingNetwork`, or for ``Spiking(trial=None)`` a `ContinuousNetwork`; printing it shows
        every equation.
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
    if not (isinstance(circuit, Motif) and mode == "spiking"):
        check_kind("export_brian2", circuit, Circuit, "cs.compile(motif) makes one")
        if seed is not None:
            raise ParameterError(f"export_brian2: seed is for a motif; a circuit has weights already (got {seed!r})")
    if spiking is None and mode == "spiking":
        has_trials = isinstance(circuit, Circuit) or bool(circuit.objectives)
        spiking = Spiking() if has_trials else Spiking(trial=None)
    if target is None:
        target = STANDALONE if isinstance(spiking, Spiking) and spiking.trial is not None else "numpy"
    for what, value, known in (("mode", mode, MODES), ("target", target, TARGETS)):
        if value not in known:
            raise ParameterError(f"export_brian2: {what} must be one of {list(known)} (got {value!r})")
    if directory is not None and not isinstance(directory, str | os.PathLike):
        raise ParameterError(f"export_brian2: directory must be a path (got {directory!r})")
    if spiking is not None and not isinstance(spiking, Spiking):
        raise ParameterError(f"export_brian2: spiking must be a Spiking (got {spiking!r})")
    if directory is not None and target != STANDALONE:
        raise ParameterError(f"export_brian2: target {target!r} writes no program; leave out directory")
    hook = sys.excepthook
    try:
        import brian2  # noqa: F401
    except (ImportError, AttributeError) as error:  # AttributeError if NumPy is too new for Brian2
        raise MissingBrian2(f"Brian2 cannot be imported ({error}): pip install 'circuitsim[spiking]'") from error
    finally:
        sys.excepthook = hook  # Brian2's own would call every error of the program a bug in Brian2
    folder = None if directory is None else Path(directory)
    if mode == "spiking" and spiking is not None:
        if isinstance(circuit, Circuit):
            compiled, source = circuit, Replica.of(circuit, replica)
        else:
            compiled, source = _drawn(circuit, replica, seed)
        if spiking.trial is not None:
            return SpikingNetwork(compiled, source, spiking, target, folder, n_trials, plastic)
        if not plastic:
            raise ParameterError("export_brian2: plastic=False keeps what outputs of trials depend on; here are none")
        return ContinuousNetwork(source, spiking, target, folder)
    if spiking is not None or not plastic:
        raise ParameterError("export_brian2: spiking=... and plastic=False are for mode='spiking'")
    assert isinstance(circuit, Circuit)
    return RateNetwork(circuit, replica, target, folder)


def _drawn(motif: Motif, replica: int, seed: int | None) -> tuple[Circuit, Replica]:
    """A circuit with the weights of a motif, and the replica that has the motif's rules too, which may read spikes."""
    index("replica", replica, 1)
    motif.validate()
    circuit = compile(without_spikes(motif), seed=0 if seed is None else seed, device="cpu", dtype="float64")
    return circuit, Replica.of(circuit, 0).declaring(motif)
