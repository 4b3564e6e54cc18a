"""Saturation: a neuron cannot fire more than once in a time step, nor in its refractory period."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from circuitsim.export.brian2.spiking.cells import SpikingCell
from circuitsim.export.brian2.spiking.model import Spiking


class SaturationWarning(UserWarning):
    """Samples drive neurons beyond the largest rate at which they can fire, so that outputs are too small."""


def largest_activity(cell: SpikingCell, spiking: Spiking) -> float:
    """The activity beyond which a neuron cannot fire faster, in units of the rate circuit."""
    most_hz = 1e3 / max(spiking.dt_ms, cell.refractory)
    return most_hz / (cell.weight * spiking.rate_hz)


def saturation(activities: Mapping[str, np.ndarray], cells: Mapping[str, SpikingCell], spiking: Spiking) -> str:
    """Say how many samples drive neurons beyond what they can fire, or return "" if none does.

    Args:
        activities: the activities that spikes are to represent, ``[sample, neuron]``, keyed by population.
        cells: the models of these populations.
        spiking: rates and time steps.
    """
    faults, slower = [], 1.0
    too_large: np.ndarray = np.zeros(len(next(iter(activities.values()))), dtype=bool)
    for name, values in activities.items():
        largest, most = np.abs(values).max(axis=1), largest_activity(cells[name], spiking)
        if (beyond := largest > most).any():
            too_large |= beyond
            slower = max(slower, largest.max() / most)
            faults.append(f"{name!r} ({type(cells[name]).__name__}, at most {most:.3g}) reaches {largest.max():.3g}")
    if not faults:
        return ""
    n, trial = int(too_large.sum()), spiking.course
    share = float(f"{100 * n / len(too_large):.2g}")
    return (
        f"{n} of {len(too_large)} samples ({share:g} %) drive neurons beyond the largest activity "
        f"that they can represent by spikes: {'; '.join(faults)}. What depends on them is too small, and different "
        f"samples may get the same answer. Use Spiking(rate_hz={spiking.rate_hz / slower:.3g}) with volleys "
        f"{slower:.3g} times as long (an ascending volley of {trial.ascending_ms * slower:.0f} ms), fewer spikes per "
        "unit, or smaller time steps (dt_ms)"
    )
