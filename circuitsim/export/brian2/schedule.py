"""What is played to a network of rates: inputs, targets, noise and signals of the batch, with one row per tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

TICK_MS = 1.0  # the duration of a sample, which is arbitrary in a circuit of rates
Arrays = Mapping[str, np.ndarray]

SIGNALS = {  # what every run has: the last three for each phase
    "share": "1 / batch size",
    "opens": "1 where a pass through the batch begins, else 0",
    "starts": "1 where the first pass begins, else 0",
    "learns": "1 in the last pass, which sums up the changes, else 0",
    "ends": "1 at the end of the last pass, where changes are made, else 0",
}


def scheduled(batches: Sequence[Arrays], n_passes: Mapping[str, int]) -> tuple[Arrays, list[slice]]:
    """Repeat every batch as often as all phases together need it.

    Args:
        batches: for each step, arrays with one row per sample, keyed by their names in the network.
        n_passes: the number of passes of each phase, keyed by the phase's suffix.
    Returns:
        Arrays with one row per tick, and the ticks of each batch's last pass.
    """
    rows: dict[str, list[np.ndarray]] = {}
    samples, end = [], 0
    for batch in batches:
        n_samples = len(next(iter(batch.values())))
        for name, values in signals(n_samples, n_passes).items():
            rows.setdefault(name, []).append(values)
        for name, values in batch.items():
            rows.setdefault(name, []).extend([values] * sum(n_passes.values()))
        end += n_samples * sum(n_passes.values())
        samples.append(slice(end - n_samples, end))
    return {name: np.concatenate(parts).astype(float) for name, parts in rows.items()}, samples


def signals(n_samples: int, n_passes: Mapping[str, int]) -> dict[str, np.ndarray]:
    """The `SIGNALS` of one batch, ``[tick]``; those of a phase end with its suffix."""
    tick = np.arange(n_samples * sum(n_passes.values()))
    found = {"share": np.full(len(tick), 1.0 / n_samples), "opens": tick % n_samples == 0}
    end = 0
    for suffix, n in n_passes.items():
        start, end = end, end + n * n_samples
        found[f"starts{suffix}"] = tick == start
        found[f"learns{suffix}"] = (end - n_samples <= tick) & (tick < end)
        found[f"ends{suffix}"] = tick == end - 1
    return found
