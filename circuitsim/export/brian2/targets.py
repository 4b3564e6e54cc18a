"""Targets for Brian2 code: this process, or a standalone C++ program."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import brian2
import numpy as np

from circuitsim.errors import CircuitError, ParameterError
from circuitsim.export.brian2.exported import STANDALONE
from circuitsim.export.brian2.names import check_names
from circuitsim.export.brian2.schedule import Schedule
from circuitsim.export.brian2.simulation import Simulation
from circuitsim.export.brian2.transcript import Transcript

Recorded = Mapping[str, Mapping[str, np.ndarray]]  # [neuron, tick], keyed by group and then by variable


class Target(Protocol):
    """One way to run a transcript."""

    @property
    def network(self) -> Any:
        """The `brian2.Network`."""

    def run(self, schedule: Schedule, recorded: dict[str, list[str]]) -> Recorded:
        """Run a schedule and return what was recorded."""

    def read(self, owner: str, variable: str) -> np.ndarray:
        """A copy of a variable, shape ``[neuron]`` or ``[synapse]``."""


class Runtime:
    """Runs a transcript on Brian2's runtime device, with one set of objects for all runs.

    Args:
        transcript: the transcript.
        language: "numpy" or "cython".
    """

    def __init__(self, transcript: Transcript, language: str) -> None:
        self.transcript, self.language = transcript, language

    @functools.cached_property
    def simulation(self) -> Simulation:
        """The simulation, made when it is first needed because Brian2 warns about objects that never ran."""
        with _preferences(self.language):
            return Simulation(self.transcript)

    @property
    def network(self) -> Any:
        return self.simulation.network

    def run(self, schedule: Schedule, recorded: dict[str, list[str]]) -> Recorded:
        simulation = self.simulation
        with _preferences(self.language):
            return _read(simulation.run(schedule, recorded), recorded)

    def read(self, owner: str, variable: str) -> np.ndarray:
        if "simulation" in vars(self):
            return self.simulation.read(owner, variable)
        return np.array(self.transcript.parts[owner].variables[variable])


class Standalone:
    """Runs a transcript as a C++ program, which is compiled for each run and passes its variables on to the next.

    Args:
        transcript: the transcript, whose variables are updated after each run.
        directory: where the program is written; by default a temporary folder, which is deleted after the run.
    """

    def __init__(self, transcript: Transcript, directory: Path | None) -> None:
        self.transcript, self.directory = transcript, directory

    @property
    def network(self) -> Any:
        raise ParameterError("target 'cpp_standalone' has no Brian2 network, only a program; see its directory")

    def run(self, schedule: Schedule, recorded: dict[str, list[str]]) -> Recorded:
        with _preferences(brian2.prefs.codegen.target), tempfile.TemporaryDirectory(prefix="circuitsim_") as temporary:
            brian2.set_device("cpp_standalone", build_on_run=False)
            try:
                simulation = Simulation(self.transcript)
                monitors = simulation.run(schedule, recorded)
                brian2.get_device().build(directory=str(self.directory or temporary), with_output=False)
                for part in self.transcript.parts.values():
                    part.variables = {name: simulation.read(part.name, name) for name in part.variables}
                return _read(monitors, recorded)
            finally:
                brian2.get_device().reinit()
                brian2.set_device("runtime")

    def read(self, owner: str, variable: str) -> np.ndarray:
        return np.array(self.transcript.parts[owner].variables[variable])


@contextlib.contextmanager
def _preferences(language: str) -> Iterator[None]:
    """Set Brian2's preferences, which are global, and restore them afterwards."""
    if brian2.get_device() is not brian2.devices.all_devices["runtime"]:
        raise CircuitError("another Brian2 device is active; call brian2.set_device('runtime') first")
    before = brian2.prefs.codegen.target, brian2.prefs.core.default_float_dtype
    brian2.prefs.codegen.target, brian2.prefs.core.default_float_dtype = language, np.float64
    try:
        yield
    finally:
        brian2.prefs.codegen.target, brian2.prefs.core.default_float_dtype = before


def _read(monitors: Mapping[str, Any], recorded: dict[str, list[str]]) -> Recorded:
    return {
        group: {name: np.array(getattr(monitors[group], name)) for name in names} for group, names in recorded.items()
    }


def make_target(transcript: Transcript, name: str, directory: Path | None) -> Target:
    """Make the target "numpy", "cython" or "cpp_standalone".

    Raises:
        CircuitError: the transcript has a name that Brian2 cannot use.
    """
    check_names(transcript)
    return Standalone(transcript, directory) if name == STANDALONE else Runtime(transcript, name)
