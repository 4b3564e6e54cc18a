"""Play trials in a C++ program, which is built once and run many times.

Brian2's own `device.run` can only run the program of its global device. Here the program is started directly, and each
run has its own folder for input and output, so that several programs, and several runs of one program, can run in
parallel.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import brian2
import numpy as np
from filelock import FileLock

from circuitsim.errors import CircuitError, ParameterError
from circuitsim.export.brian2.spiking.blueprint import Blueprint
from circuitsim.export.brian2.spiking.build import Build
from circuitsim.export.brian2.spiking.progress import Report, ignore
from circuitsim.export.brian2.spiking.recording import Arrays, Played
from circuitsim.export.brian2.targets import standalone

NOTE = "circuitsim.json"
SEED = "CIRCUITSIM_SEED"
# Brian2 compiles the seed in, so that every run would draw the same spikes. This code reads it at the program's start.
SEEDING = (
    f'if (std::getenv("{SEED}")) for (auto& generator : brian::_random_generators)'
    f' generator.seed(std::strtoul(std::getenv("{SEED}"), nullptr, 10));'
)
REPORT = 'std::cout << "done " << completed << std::endl;'


class Standalone:
    """Compiles and runs programs, each in a folder named by a digest of what is compiled into it.

    Networks that differ only in weights, learning rates, lags and samples share a program.

    Args:
        directory: the folder of all programs; existing ones are reused. By default a temporary folder, which is deleted
            when this process ends.
    """

    _shared: ClassVar[list[Path]] = []  # the temporary folder of this process, if it has been made

    def __init__(self, directory: Path | None = None) -> None:
        if directory is None and not self._shared:
            self._shared.append(_temporary())
        self.directory = self._shared[0] if directory is None else directory.resolve()
        self._verified: set[Path] = set()

    def play(self, b: Blueprint, played: Arrays, seed: int, report: Report = ignore) -> Played:
        folder = self.built(b)
        note = json.loads((folder / NOTE).read_text())
        with tempfile.TemporaryDirectory(prefix="run_", dir=folder) as name:
            run = Path(name)
            arguments = []
            for key, values in {**b.settings(), **{f"played_{k}.values": played[k] for k in b.played}}.items():
                arguments.append(f"{key}={_argument(run / f'{key}.dat', values)}")
            _run(["./main", "--results_dir", f"{run}/", *arguments], folder, seed, report)
            _check(folder, b)

            def read(variable: str, kind: type = float) -> np.ndarray:
                return np.fromfile(run / note["files"][variable], dtype=kind)

            outputs = {}
            for k in b.readouts:
                size = b.neurons[k].size
                outputs[k] = np.vstack([read(f"{k}_read.F").reshape(-1, size)[1:], read(f"{k}.F")[None]])
            weights = {w.name: read(f"{w.name}.w") for w in b.wires.values() if w.learns}
            spikes = {
                (name, event): (read(f"{name}.{event}.t") * 1e3, read(f"{name}.{event}.i", np.int32))
                for name, event in b.trains
            }
            records = {
                r: (read(f"{r.name}.t") * 1e3, read(f"{r.name}.{r.variable}").reshape(-1, len(r.which)))
                for r in b.records
            }
            return Played(outputs, weights, spikes, records)

    def built(self, b: Blueprint) -> Path:
        """Return the folder of the program, and compile the program if it does not exist.

        Raises:
            ParameterError: the folder holds another network.
        """
        folder = self.directory / b.digest()
        if folder not in self._verified:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):  # another process may build the same program
                if not (folder / NOTE).exists():
                    if any(folder.iterdir()):
                        shutil.rmtree(folder)  # the rest of an interrupted build
                        folder.mkdir()
                    _compile(b, folder)
            self._verified.add(folder)
        _check(folder, b)
        return folder


def _temporary() -> Path:
    """Make a folder that is deleted when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="circuitsim_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _check(folder: Path, b: Blueprint) -> None:
    """Check that the folder holds the program of this blueprint."""
    try:
        found = json.loads((folder / NOTE).read_text())["digest"]
    except (OSError, ValueError, KeyError):
        found = "nothing"
    if found != b.digest():
        raise ParameterError(f"directory {folder} holds another network ({found}, wanted {b.digest()}): remove it")


def _argument(path: Path, values: Any) -> str:
    """A value as a command-line argument: a number, or the path of a file that holds the array."""
    array = np.ascontiguousarray(values, dtype=float)
    if array.size == 1:
        return repr(float(array.item()))
    array.tofile(path)
    return str(path)


def _run(command: list[str], folder: Path, seed: int, report: Report) -> None:
    """Run a program, and pass on the progress that it prints."""
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, SEED: str(seed)}
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("done "):
                    report(float(line.split()[1]))
        except BaseException:
            process.kill()
            raise
        process.wait()
        errors.seek(0)
        said = errors.read().strip()
        if process.returncode or said:
            raise CircuitError(f"the program in {folder} failed: {said[-500:] or process.returncode}")


def _compile(b: Blueprint, folder: Path) -> None:
    blank = {name: np.zeros(shape) for name, (_, shape) in b.played.items()}
    with standalone() as device, _few_jobs():
        brian2.seed(0)
        build = Build(b, blank)
        device.insert_code("after_start", SEEDING)
        build.run(REPORT)
        device.build(directory=str(folder), compile=True, run=False, with_output=False)
        files = {f"{name}.w": _file(device, build.synapses[name], "w") for name in build.plastic()}
        for name in b.readouts:
            files[f"{name}.F"] = _file(device, build.groups[name], "F")
            files[f"{name}_read.F"] = _file(device, build.reads[name], "F")
        for (name, event), train in build.trains.items():
            files |= {f"{name}.{event}.{variable}": _file(device, train, variable) for variable in "ti"}
        for r, record in build.records.items():
            files |= {f"{r.name}.{variable}": _file(device, record, variable) for variable in ("t", r.variable)}
    (folder / NOTE).write_text(json.dumps({"digest": b.digest(), "motif": b.name, "files": files}))


def _file(device: Any, owner: Any, variable: str) -> str:
    return str(device.get_array_filename(owner.variables[variable]))


class _few_jobs:  # noqa: N801
    """Limit the number of parallel compilers to this process's cores, unless the user has set it."""

    def __enter__(self) -> None:
        self.before = list(brian2.prefs.devices.cpp_standalone.extra_make_args_unix)
        if self.before == ["-j"]:
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            brian2.prefs.devices.cpp_standalone.extra_make_args_unix = [f"-j{cores}"]

    def __exit__(self, *exception: object) -> None:
        brian2.prefs.devices.cpp_standalone.extra_make_args_unix = self.before
