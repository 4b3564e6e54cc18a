"""What is played to the network: inputs, targets and the batch's own signals, one row per tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# Of each tick: 1 / batch size; whether a pass through the batch begins; whether it is the last pass, in which the
# changes add up; whether the batch ends with it.
SIGNALS = ("share", "opens", "learns", "ends")


@dataclass(frozen=True)
class Batch:
    """Samples of one step.

    Args:
        n_samples: how many.
        arrays: by the name that the network calls them, one row per sample: ``input_<population>``,
            ``target_<population>``, ``noise_<population>``, ``batch_signal_<signal>``.
    """

    n_samples: int
    arrays: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Schedule:
    """What is played.

    Args:
        arrays: those of the batches and ``batch_<signal>``, one row per tick.
        samples: the ticks of each batch's last pass.
    """

    arrays: Mapping[str, np.ndarray]
    samples: Sequence[slice]

    @property
    def n_ticks(self) -> int:
        """How long it takes."""
        return len(self.arrays["batch_ends"])

    @classmethod
    def of(cls, batches: Sequence[Batch], n_passes: int) -> Schedule:
        """Every batch `n_passes` times."""
        rows: dict[str, list[np.ndarray]] = {}
        for batch in batches:
            for name, values in _signals(batch.n_samples, n_passes).items():
                rows.setdefault(f"batch_{name}", []).append(values)
            for name, values in batch.arrays.items():
                rows.setdefault(name, []).extend([values] * n_passes)
        ends = np.cumsum([batch.n_samples * n_passes for batch in batches]).tolist()
        samples = [slice(end - batch.n_samples, end) for end, batch in zip(ends, batches, strict=True)]
        return cls({name: np.concatenate(parts).astype(float) for name, parts in rows.items()}, samples)


def _signals(n_samples: int, n_passes: int) -> dict[str, np.ndarray]:
    tick = np.arange(n_samples * n_passes)
    return {
        "share": np.full(len(tick), 1.0 / n_samples),
        "opens": tick % n_samples == 0,
        "learns": tick >= n_samples * (n_passes - 1),
        "ends": tick == len(tick) - 1,
    }
