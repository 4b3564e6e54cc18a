"""The circuits of an experiment, trained one after the other here, or each on some worker of a Dask scheduler."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from circuitsim.data import Dataset
from circuitsim.engine import Circuit, compile
from circuitsim.engine.archive import circuit_of, read_content, to_bytes
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.studies.digest import data_digest, job_digest
from circuitsim.studies.scheduler import scheduler
from circuitsim.studies.self_assembly import Setting
from circuitsim.studies.task import Task
from circuitsim.studies.trained import Trained, train, weights_of
from circuitsim.train import Probe

Measure = Callable[[Circuit], Any]


@dataclass(frozen=True)
class Learner:
    """One circuit to train; nothing in it but numbers and text, for any machine. Fields as in `Task` and `train`."""

    motif: str  # JSON
    setting: Setting
    seeds: int
    device: str
    quantities: tuple[str, ...]
    measures: tuple[str, ...]  # as module:function


def train_all(
    motifs: Mapping[str, Motif], task: Task, quantities: tuple[str, ...] = (), measures: Sequence[Measure] = ()
) -> dict[str, Trained]:
    """Let motifs learn, each as `train` does.

    Args:
        motifs: by label.
        task: its `scheduler` says where. A circuit that has learned on a worker is kept in the task's `kept` folder,
            and is not trained again when the experiment is started again.
        quantities: of `circuitsim.alignment`, probed over the run.
        measures: functions of the circuit, of some module, probed too.
    """
    if task.scheduler is None:
        probes = _probes(measures, task)
        return {label: train(motif, task, probes, quantities) for label, motif in motifs.items()}
    names = tuple(f"{measure.__module__}:{measure.__qualname__}" for measure in measures)
    fingerprint = data_digest(task.data)
    jobs, labels = {}, {}
    for label, motif in motifs.items():
        job = Learner(motif.to_json(), task.setting, task.seeds, task.device, quantities, names)
        name = f"{re.sub(r'[^A-Za-z0-9]+', '_', label)}_{job_digest(job, fingerprint)}.safetensors"
        jobs[name], labels[name] = job, label
    with scheduler(task.scheduler, task.kept) as run:
        results = run(learn, jobs, task.data, lambda name, result: None)
    return {labels[name]: _read(result, name, motifs[labels[name]], task) for name, result in results.items()}


def learn(job: Learner, data: Dataset) -> bytes:
    """The circuit after learning, with its history in the notes, as the content of a circuit's file."""
    task = Task(data, job.setting, job.seeds, job.device, progress=False)
    trained = train(Motif.from_json(job.motif), task, _probes(map(_found, job.measures), task), job.quantities)
    return to_bytes(trained.circuit, {"rows": trained.history.rows, "runaways": trained.history.runaways})


def _probes(measures: Iterable[Measure], task: Task) -> dict[str, Probe]:
    return {measure.__name__: Probe(measure, every_epochs=task.every) for measure in measures}


def _found(name: str) -> Measure:
    module, _, function = name.partition(":")
    found: Measure = getattr(importlib.import_module(module), function)
    return found


def _read(content: bytes, name: str, motif: Motif, task: Task) -> Trained:
    tensors, document = read_content(content, name)
    notes = document["notes"]
    before = weights_of(compile(motif, replicas=task.seeds, seed=0, device=task.device))
    history = History(rows=[tuple(row) for row in notes["rows"]], runaways=notes["runaways"])
    return Trained(circuit_of(tensors, document, name, task.device), before, history)
