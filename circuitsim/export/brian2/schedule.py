"""The schedule of a run: inputs, targets and signals of the batch, with one row per tick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

TICK_MS = 1.0  # the duration of a sample, which is arbitrary in a circuit of rates


@dataclass(frozen=True)
class Batch:
    """The samples of one step.

    Args:
        n_samples: the number of samples.
        arrays: arrays with one row per sample, keyed by their names in the network: ``input_<population>``,
            ``target_<population>``, ``noise_<population>`` (``noise_<population>_<phase>`` with several phases) and
            ``signal_<signal>``.
    """

    n_samples: int
    arrays: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Schedule:
    """The inputs of a run.

    Args:
        arrays: the arrays of the batches and those of `_signals`, with one row per tick.
        samples: the ticks of each batch's last pass.
    """

    arrays: Mapping[str, np.ndarray]
    samples: Sequence[slice]

    @property
    def n_ticks(self) -> int:
        """The length of the run in ticks."""
        return len(self.arrays["share"])

    @classmethod
    def of(cls, batches: Sequence[Batch], n_passes: Mapping[str, int]) -> Schedule:
        """Repeat every batch as often as all phases together need it.

        Args:
            batches: the batches in order.
            n_passes: the number of passes of each phase, keyed by the phase's suffix.
        """
        rows: dict[str, list[np.ndarray]] = {}
        n_in_all = sum(n_passes.values())
        for batch in batches:
            for name, values in _signals(batch.n_samples, n_passes).items():
                rows.setdefault(name, []).append(values)
            for name, values in batch.arrays.items():
                rows.setdefault(name, []).extend([values] * n_in_all)
        ends = np.cumsum([batch.n_samples * n_in_all for batch in batches]).tolist()
        samples = [slice(end - batch.n_samples, end) for end, batch in zip(ends, batches, strict=True)]
        return cls({name: np.concatenate(parts).astype(float) for name, parts in rows.items()}, samples)


def signals(suffixes: Iterable[str]) -> dict[str, str]:
    """The signals that every run has: what each says, keyed by name.

    Args:
        suffixes: the suffix of each phase.
    """
    found = {"share": "1 / batch size", "opens": "1 where a pass through the batch begins, else 0"}
    for suffix in suffixes:
        found[f"learns{suffix}"] = "1 in the last pass, which sums up the changes"
        found[f"ends{suffix}"] = "1 at the end of the last pass, where they are made"
        found[f"starts{suffix}"] = "1 where the first pass begins"
    return found


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
