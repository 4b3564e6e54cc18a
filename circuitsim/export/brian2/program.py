"""Run blueprints in a C++ program, which is built once and run many times.

Brian2's own `device.run` can only run the program of its global device. Here the program is started directly, and each
run has its own folder for input and output, so that several programs, and several runs of one program, can run in
parallel.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from filelock import FileLock

from circuitsim.errors import CircuitError, ParameterError
from circuitsim.export.brian2.blueprint import Blueprint
from circuitsim.export.brian2.build import Build, preferences
from circuitsim.export.brian2.exported import STANDALONE
from circuitsim.export.brian2.results import Arrays, Report, Results, ignore

NOTE = "circuitsim.json"
SEED = "CIRCUITSIM_SEED"
# Brian2 compiles the seed in, so that every run would draw the same spikes. This code reads it at the program's start.
SEEDING = (
    f'if (std::getenv("{SEED}")) for (auto& generator : brian::_random_generators)'
    f' generator.seed(std::strtoul(std::getenv("{SEED}"), nullptr, 10));'
)
REPORTS = 50  # of progress, in one run
REPORT = """
double report_progress(double share) {
    printf("done %g\\n", share);
    fflush(stdout);
    return share;
}
"""

# After each time step, Brian2's programs ask for the processor time, only to know how long the run took. This system
# call took a quarter of the time of a small network. Linked in place of the C library's, this definition answers with
# wall time, which needs no system call.
CLOCK = """
#include <chrono>
#include <ctime>

extern "C" std::clock_t clock() {
    const std::chrono::duration<double> now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::clock_t>(now.count() * CLOCKS_PER_SEC);
}
"""


class Program:
    """Compiles and runs programs, each in a folder named by a digest of what is compiled into it.

    Networks that differ only in weights, learning rates, lags and samples share a program. The methods are those of
    `Runtime`.

    Args:
        directory: the folder of all programs; existing ones are reused. By default a temporary folder, which is deleted
            when this process ends.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = _temporary() if directory is None else directory.resolve()
        self._verified: set[Path] = set()

    def network(self, b: Blueprint) -> Any:
        raise ParameterError("target 'cpp_standalone' has no Brian2 network, only a program; see its directory")

    def values(self, b: Blueprint) -> Mapping[str, Mapping[str, Any]]:
        return b.values

    def play(self, b: Blueprint, played: Arrays, seed: int, report: Report = ignore) -> Results:
        folder = self.built(b, played)
        files = _note(folder)["files"]
        with tempfile.TemporaryDirectory(prefix="run_", dir=folder) as name:
            run = Path(name)
            arguments = []
            for key, given in {**b.settings(), **{f"played_{k}.values": played[k] for k in b.played}}.items():
                arguments.append(f"{key}={_argument(run / f'{key}.dat', given)}")
            _run(["./main", "--results_dir", f"{run}/", *arguments], folder, seed, report)
            _note(folder)  # which nobody has replaced meanwhile

            def read(owner: str, variable: str, kind: type = float) -> np.ndarray:
                return np.fromfile(run / files[f"{owner}.{variable}"], dtype=kind)

            values = {part.name: {v: read(part.name, v) for v in part.variables} for part in b.parts.values()}
            records = {
                r: (1e3 * read(m.name, "t"), read(m.name, r.variable).reshape(-1, len(r.which)))
                for m in b.monitors
                for r in m.records
            }
            spikes = {
                (name, event): (1e3 * read(f"{name}_{event}_train", "t"), read(f"{name}_{event}_train", "i", np.int32))
                for name, event in b.trains
            }
            return Results(values, records, spikes)

    def built(self, b: Blueprint, played: Arrays) -> Path:
        """Return the folder of the program, and compile the program if it does not exist. Of what is played, only the
        shapes matter."""
        shapes = {name: np.shape(played[name]) for name in b.played}
        compiled_in = f"{b.digest()} {shapes} {SEEDING} {REPORT} {CLOCK}"
        folder = self.directory / hashlib.sha256(compiled_in.encode()).hexdigest()[:16]
        if folder not in self._verified:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):  # another process may build the same program
                if not (folder / NOTE).exists():
                    if any(folder.iterdir()):
                        shutil.rmtree(folder)  # the rest of an interrupted build
                        folder.mkdir()
                    _compile(b, played, folder)
            self._verified.add(folder)
        return folder


@functools.cache
def _temporary() -> Path:
    """The folder of this process, which is deleted when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="circuitsim_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _note(folder: Path) -> dict[str, Any]:
    """What was noted of the program in a folder, if this is the one whose digest is the folder's name."""
    try:
        note: dict[str, Any] = json.loads((folder / NOTE).read_text())
        found = note["digest"]
    except (OSError, ValueError, KeyError):
        found = "nothing"
    if found != folder.name:
        raise ParameterError(f"directory {folder} holds another network ({found}, wanted {folder.name}): remove it")
    return note


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
        report(1.0)


def _compile(b: Blueprint, played: Arrays, folder: Path) -> None:
    with _standalone() as device:
        brian2.seed(0)
        build = Build(b)
        device.insert_code("after_start", SEEDING)
        build.join([_reporter(b)])
        build.run(b, {name: np.zeros(np.shape(played[name])) for name in b.played})
        (folder / "clock.cpp").write_text(CLOCK)
        device.build(
            directory=str(folder), compile=True, run=False, with_output=False, additional_source_files=["clock.cpp"]
        )
        kept = [(build.parts[part.name], name) for part in b.parts.values() for name in part.variables]
        kept += [(monitor, name) for monitor in build.monitors.values() for name in ("t", *monitor.record_variables)]
        kept += [(monitor, name) for monitor in build.trains.values() for name in ("t", "i")]
        files = {f"{owner.name}.{name}": str(device.get_array_filename(owner.variables[name])) for owner, name in kept}
    (folder / NOTE).write_text(json.dumps({"digest": folder.name, "motif": b.name, "files": files}))


def _reporter(b: Blueprint) -> Any:
    """A part of a program that prints its progress. Brian2's own reports ask for the time before each operation of each
    time step, which took nine tenths of the time of a small network."""
    length_ms = b.n_trials * b.length_ms
    function = brian2.Function(
        lambda share: share, arg_units=[1], return_unit=1, arg_types=["float"], return_type="float", stateless=False
    )
    function.implementations.add_implementation("cpp", REPORT, compiler_kwds={"headers": ["<cstdio>"]})
    every_ms = max(1, round(length_ms / REPORTS / b.dt_ms)) * b.dt_ms
    # A clock of its own, because the default one, of 0.1 ms, would add time steps in which nothing happens.
    group = brian2.NeuronGroup(
        1, "done : 1", name="exported_progress", dt=every_ms * brian2.ms, namespace={"report_progress": function}
    )
    group.run_regularly(f"done = report_progress(t / ({length_ms!r}*ms))", name="report_progress")
    return group


@contextlib.contextmanager
def _standalone() -> Iterator[Any]:
    """Make the device for C++ programs Brian2's current one, and return it.

    Unless the user has set it, the number of parallel compilers is that of this process's cores.
    """
    options, name = brian2.prefs.devices.cpp_standalone, "extra_make_args_unix"
    before = list(options[name])
    with preferences(brian2.prefs.codegen.target):
        if before == ["-j"]:
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            options[name] = [f"-j{cores}"]
        brian2.set_device(STANDALONE, build_on_run=False)
        device = brian2.get_device()
        try:
            yield device
        finally:
            device.reinit()
            brian2.set_device("runtime")
            options[name] = before
