"""What is played to the network: inputs, targets and the batch's own signals, one row per tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# Of each tick: 1 / batch size; whether a pass through the batch begins.
SIGNALS = ("share", "opens")
# And for each phase: whether it is the last of its passes, in which its changes add up; whether they end, where the
# changes are applied; and, where there are several phases, whether its passes begin.
PHASE_SIGNALS = ("learns", "ends", "starts")


@dataclass(frozen=True)
class Batch:
    """Samples of one step.

    Args:
        n_samples: how many.
        arrays: by the name that the network calls them, one row per sample: ``input_<population>``,
            ``target_<population>``, ``noise_<population>`` (of a phase: ``noise_<population>_<phase>``),
            ``batch_signal_<signal>``.
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
        return len(self.arrays["batch_share"])

    @classmethod
    def of(cls, batches: Sequence[Batch], n_passes: Mapping[str, int]) -> Schedule:
        """Every batch as often as its phases need together.

        Args:
            batches: in their order.
            n_passes: of each phase, by the suffix of its names.
        """
        rows: dict[str, list[np.ndarray]] = {}
        n_in_all = sum(n_passes.values())
        for batch in batches:
            for name, values in _signals(batch.n_samples, n_passes).items():
                rows.setdefault(f"batch_{name}", []).append(values)
            for name, values in batch.arrays.items():
                rows.setdefault(name, []).extend([values] * n_in_all)
        ends = np.cumsum([batch.n_samples * n_in_all for batch in batches]).tolist()
        samples = [slice(end - batch.n_samples, end) for end, batch in zip(ends, batches, strict=True)]
        return cls({name: np.concatenate(parts).astype(float) for name, parts in rows.items()}, samples)


def _signals(n_samples: int, n_passes: Mapping[str, int]) -> dict[str, np.ndarray]:
    tick = np.arange(n_samples * sum(n_passes.values()))
    found = {"share": np.full(len(tick), 1.0 / n_samples), "opens": tick % n_samples == 0}
    end = 0
    for suffix, n in n_passes.items():
        start, end = end, end + n * n_samples
        found[f"starts{suffix}"] = tick == start
        found[f"learns{suffix}"] = (end - n_samples <= tick) & (tick < end)
        found[f"ends{suffix}"] = tick == end - 1
    return found
