"""The circuits of an experiment, trained one after the other here, or each on some worker of a Dask scheduler."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from circuitsim.data import Dataset
from circuitsim.engine import compile
from circuitsim.engine.archive import circuit_of, read_content, to_bytes
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.studies.digest import data_digest, job_digest
from circuitsim.studies.scheduler import scheduler
from circuitsim.studies.self_assembly import Setting
from circuitsim.studies.task import Task
from circuitsim.studies.trained import Trained, train, weights_of


@dataclass(frozen=True)
class Learner:
    """One circuit to train; nothing in it but numbers and text, for any machine. Fields as in `Task` and `train`."""

    motif: str  # JSON
    setting: Setting
    seeds: int
    device: str
    quantities: tuple[str, ...]


def train_all(motifs: Mapping[str, Motif], task: Task, quantities: tuple[str, ...] = ()) -> dict[str, Trained]:
    """Let motifs learn, each as `train` does.

    Args:
        motifs: by label.
        task: its `scheduler` says where. A circuit that has learned on a worker is kept in the task's `kept` folder,
            and is not trained again when the experiment is started again.
        quantities: of `circuitsim.alignment`, probed over the run.
    """
    if task.scheduler is None:
        return {label: train(motif, task, quantities=quantities) for label, motif in motifs.items()}
    fingerprint = data_digest(task.data)
    jobs, labels = {}, {}
    for label, motif in motifs.items():
        job = Learner(motif.to_json(), task.setting, task.seeds, task.device, quantities)
        name = f"{re.sub(r'[^A-Za-z0-9]+', '_', label)}_{job_digest(job, fingerprint)}.safetensors"
        jobs[name], labels[name] = job, label
    with scheduler(task.scheduler, task.kept) as run:
        results = run(learn, jobs, task.data, lambda name, result: None)
    return {labels[name]: _read(result, name, motifs[labels[name]], task) for name, result in results.items()}


def learn(job: Learner, data: Dataset) -> bytes:
    """The circuit after learning, with its history in the notes, as the content of a circuit's file."""
    task = Task(data, job.setting, job.seeds, job.device, progress=False)
    trained = train(Motif.from_json(job.motif), task, quantities=job.quantities)
    return to_bytes(trained.circuit, {"rows": trained.history.rows, "runaways": trained.history.runaways})


def _read(content: bytes, name: str, motif: Motif, task: Task) -> Trained:
    tensors, document = read_content(content, name)
    notes = document["notes"]
    before = weights_of(compile(motif, replicas=task.seeds, seed=0, device=task.device))
    history = History(rows=[tuple(row) for row in notes["rows"]], runaways=notes["runaways"])
    return Trained(circuit_of(tensors, document, name, task.device), before, history)
