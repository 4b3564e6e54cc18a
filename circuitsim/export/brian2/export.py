"""`export_brian2`: the way from a circuit to Brian2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from circuitsim.engine import Circuit
from circuitsim.errors import CircuitError, ParameterError
from circuitsim.export.brian2.rate import RUNTIME, STANDALONE, RateNetwork

MODES = ("rate",)
TARGETS = (*RUNTIME, STANDALONE)


class MissingBrian2(CircuitError, ImportError):
    """Brian2 is not installed, or does not import."""


def export_brian2(
    circuit: Circuit, *, mode: str = "rate", replica: int = 0, target: str = "numpy", directory: Any = None
) -> RateNetwork:
    """The circuit, as it is now, as a Brian2 network.

    Args:
        circuit: what to export; its weights, masks, frozen projections and `eta_scale` are taken over once.
        mode: "rate", an exact non-spiking transcription of the plan: activities are variables of neurons, currents
            are summed variables, one sample is one tick.
        replica: which replica.
        target: "numpy" or "cython" (in this process), or "cpp_standalone" (a compiled program for each run).
        directory: of the standalone program; by default a temporary one.
    Raises:
        MissingBrian2: Brian2 is not there.
        ParameterError: an argument is out of range.
        CircuitError: Brian2 cannot say what the circuit does; the message names the projection and the reason.
    """
    for what, value, known in (("mode", mode, MODES), ("target", target, TARGETS)):
        if value not in known:
            raise ParameterError(f"export_brian2: {what} must be one of {list(known)} (got {value!r})")
    if directory is not None and target != STANDALONE:
        raise ParameterError(f"export_brian2: target {target!r} writes no program, so it takes no directory")
    try:
        import brian2  # noqa: F401
    except (ImportError, AttributeError) as error:  # the latter where NumPy is too new for it
        raise MissingBrian2(f"Brian2 cannot be imported ({error}): pip install 'circuitsim[spiking]'") from error
    return RateNetwork(circuit, replica, target, None if directory is None else Path(directory))
