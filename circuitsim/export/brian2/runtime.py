"""Run blueprints in this process, for the targets numpy and cython."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import brian2
import numpy as np

from circuitsim.errors import CircuitError
from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.build import Build
from circuitsim.export.brian2.progress import Report, ignore
from circuitsim.export.brian2.results import Arrays, Results


class Player(abc.ABC):
    """A way to run blueprints."""

    @abc.abstractmethod
    def play(self, b: Blueprint, played: Arrays, seed: int, report: Report = ignore) -> Results:
        """Play a run.

        Args:
            b: the network, with its weights and parameters.
            played: the arrays of `Blueprint.played`.
            seed: the seed of random spikes.
            report: is told now and then which share of the run is done.
        """

    @abc.abstractmethod
    def network(self, b: Blueprint) -> Any:
        """The `brian2.Network` of all runs."""

    def values(self, b: Blueprint) -> Mapping[str, Mapping[str, Any]]:
        """The current variables, keyed by part and name."""
        return {name: part.variables for name, part in b.parts.items()}


class Runtime(Player):
    """Runs in this process.

    Args:
        language: "numpy" or "cython".
        keeps: whether all runs of a blueprint use one set of objects, so that each goes on where the last one has
            stopped; otherwise each run has objects of its own, which begin with the blueprint's values.
    """

    def __init__(self, language: str, keeps: bool = False) -> None:
        self.language, self.keeps = language, keeps
        self._kept: Build | None = None

    def play(self, b: Blueprint, played: Arrays, seed: int, report: Report = ignore) -> Results:
        with preferences(self.language):
            state = np.random.get_state()  # noqa: NPY002 (Brian2 draws from NumPy's global stream)
            try:
                brian2.seed(seed)
                build = self._build(b)
                build.run(b, played, lambda elapsed, completed, start, duration: report(completed))
            finally:
                np.random.set_state(state)  # noqa: NPY002
            monitors = [(r, build.monitors[m.name]) for m in b.monitors for r in m.records]
            records = {r: (np.asarray(m.t / brian2.ms), np.array(getattr(m, r.variable)).T) for r, m in monitors}
            trains = {key: (np.asarray(m.t / brian2.ms), np.asarray(m.i)) for key, m in build.trains.items()}
            return Results(build.values(b), records, trains)

    def network(self, b: Blueprint) -> Any:
        with preferences(self.language):
            return self._build(b).network

    def values(self, b: Blueprint) -> Mapping[str, Mapping[str, Any]]:
        return super().values(b) if self._kept is None else self._kept.values(b)

    def _build(self, b: Blueprint) -> Build:
        """Objects are made when they are first needed, because Brian2 warns about those that never ran."""
        build = self._kept or Build(b)
        self._kept = build if self.keeps else None
        return build


@contextlib.contextmanager
def preferences(language: str) -> Iterator[None]:
    """Set Brian2's preferences, which are global, and restore them afterwards."""
    if brian2.get_device() is not brian2.devices.all_devices["runtime"]:
        raise CircuitError("another Brian2 device is active; call brian2.set_device('runtime') first")
    before = brian2.prefs.codegen.target, brian2.prefs.core.default_float_dtype
    brian2.prefs.codegen.target, brian2.prefs.core.default_float_dtype = language, np.float64
    try:
        yield
    finally:
        brian2.prefs.codegen.target, brian2.prefs.core.default_float_dtype = before
