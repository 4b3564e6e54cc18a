"""The time course of a sample, and the windows of its volleys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuitsim.errors import ParameterError
from circuitsim.export.brian2.spiking.number import set_numbers

GRID_MS = 1.0  # the grid on which windows begin and end
WINDOWS = ("reads", "ascends", "descends")
DELAYS = ("ascending_delay_ms", "descending_delay_ms")


@dataclass(frozen=True)
class Trial:
    r"""The time course of one sample: an ascending volley, a descending volley and silence::

        |-- ascending --|-- descending --|-- silence --|                        lag = ascending_ms (default)

    With ``max_lag_ms``, a preview of the sample, in which the descending stream is silent, determines the error first.
    Then both volleys follow in either order::

        |-- preview --|-- silence --|   ...ascending...descending...   |-- silence --|

    The ascending volley begins `max_lag_ms` after the silence, and the descending one `lag_ms` later (earlier if
    negative). The trial's length does not depend on the lag.

    Args:
        ascending_ms, descending_ms: the length of each volley.
        silence_ms: the silence after the volleys, and after the preview. Several times the longest trace keeps trials
            independent of each other.
        lag_ms: the onset of the descending volley minus that of the ascending one; by default `ascending_ms`.
        max_lag_ms: the largest lag in either direction, for trials with a preview, or None.
        jitter_ms: the standard deviation of the lag between trials. Lags are clipped at `max_lag_ms`.
        rests: whether every neuron is reset to rest at the beginning of a trial. Otherwise only the silence separates
            trials.
        ascending_delay_ms, descending_delay_ms: how long the spikes of each volley are under way. The export sets these
            to the conduction delays along the longest way, added up. What comes after a volley waits for its spikes.
    Raises:
        ParameterError: a time is not a number, out of range or not a multiple of 1 ms, or the lag is too large.
    """

    ascending_ms: float = 50.0
    descending_ms: float = 50.0
    silence_ms: float = 40.0
    lag_ms: float | None = None
    max_lag_ms: float | None = None
    jitter_ms: float = 0.0
    rests: bool = False
    ascending_delay_ms: float = 0.0
    descending_delay_ms: float = 0.0

    def __post_init__(self) -> None:
        set_numbers(self, "ascending_ms", "descending_ms", positive=True)
        set_numbers(self, "silence_ms", "jitter_ms", *DELAYS, least=0.0)
        if self.lag_ms is not None:
            set_numbers(self, "lag_ms")
        if self.max_lag_ms is not None:
            set_numbers(self, "max_lag_ms", least=0.0)
        for name in ("ascending_ms", "descending_ms", "silence_ms", "max_lag_ms", *DELAYS):
            if (value := getattr(self, name)) is not None and value % GRID_MS:
                raise ParameterError(f"Trial: {name} must be a multiple of {GRID_MS:g} ms (got {value!r})")
        if not isinstance(self.rests, bool):
            raise ParameterError(f"Trial: rests must be True or False (got {self.rests!r})")
        if self.max_lag_ms is None and (self.jitter_ms or self.lag < self.read_ms):
            raise ParameterError(
                f"Trial: with lag_ms={self.lag:g}, jitter_ms={self.jitter_ms:g} the descending volley can begin before "
                f"the output, and with it the error, is known ({self.read_ms:g} ms); leave lag_ms out, or give "
                "max_lag_ms, so that a preview determines the error first"
            )
        if self.max_lag_ms is not None and abs(self.lag) > self.max_lag_ms:
            raise ParameterError(f"Trial: lag_ms must lie within max_lag_ms {self.max_lag_ms:g} (got {self.lag:g})")

    @property
    def lag(self) -> float:
        """The lag in ms."""
        return self.read_ms if self.lag_ms is None else self.lag_ms

    @property
    def read_ms(self) -> float:
        """The time in ms during which outputs are read, until the last spike of the ascending volley has arrived."""
        return self.ascending_ms + self.ascending_delay_ms

    @property
    def onset_ms(self) -> float:
        """The onset in ms of the ascending volley after the preview, if there is one."""
        return 0.0 if self.max_lag_ms is None else self.read_ms + self.silence_ms + self.max_lag_ms

    @property
    def length_ms(self) -> float:
        """The length of a trial in ms."""
        descends = self.descending_ms + self.descending_delay_ms
        if self.max_lag_ms is None:
            return float(np.ceil((self.lag + descends + self.silence_ms) / GRID_MS) * GRID_MS)
        last = max(self.read_ms, self.max_lag_ms + descends)
        return self.onset_ms + last + self.silence_ms

    def windows(self, n_trials: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Compute when each volley is on.

        Args:
            n_trials: the number of consecutive trials.
            rng: the generator that draws the jitter.
        Returns:
            "reads", "ascends", "descends" -> 0 or 1 for every ms, shape ``[n_trials * length]``.
        """
        n = round(self.length_ms / GRID_MS)
        reads, ascends, descends = (np.zeros((n_trials, n)) for _ in range(3))
        reads[:, : round(self.read_ms / GRID_MS)] = 1.0
        ascends[:, : round(self.ascending_ms / GRID_MS)] = 1.0
        shifts = np.full(n_trials, self.lag)
        if self.max_lag_ms is not None:
            begin = round(self.onset_ms / GRID_MS)
            ascends[:, begin : begin + round(self.ascending_ms / GRID_MS)] = 1.0
            shifts = np.clip(
                self.lag + self.jitter_ms * rng.standard_normal(n_trials), -self.max_lag_ms, self.max_lag_ms
            )
        for row, shift in zip(descends, shifts, strict=True):
            begin = round((self.onset_ms + shift) / GRID_MS)
            row[begin : begin + round(self.descending_ms / GRID_MS)] = 1.0
        return dict(zip(WINDOWS, (reads.ravel(), ascends.ravel(), descends.ravel()), strict=True))
