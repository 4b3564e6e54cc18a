"""Reading of run folders."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from circuitsim.engine import Circuit
from circuitsim.engine.archive import read_archive
from circuitsim.engine.loading import circuit_of
from circuitsim.errors import ArchiveError
from circuitsim.history import History, read_table
from circuitsim.train import WeightProbe
from circuitsim.weight_history import WeightHistory

CIRCUITS = ("circuit.safetensors", "checkpoint.safetensors")  # the second is written while a run continues


@dataclass(frozen=True)
class RunFolder:
    """The content of a run folder."""

    path: Path
    circuit: Circuit  # in its last state
    weights: WeightHistory  # over the run, or only the last ones if the run did not record them
    tables: dict[str, pd.DataFrame]  # histories by the motif's name, or by labels if several circuits were compared
    configuration: dict[str, Any]  # the options of the run, empty if it did not write them


def read_run(path: Path) -> RunFolder:
    """Read a folder that `circuitsim train`, the self-assembly example or another script wrote.

    The folder needs circuit.safetensors (`Circuit.save`) or checkpoint.safetensors (`fit`). If they exist, weights.npz
    (`WeightHistory.save`), history.csv (`History.save`) and configuration.json are read too.

    Raises:
        ArchiveError: there is no circuit, a file is damaged, or files do not belong together; the message names it.
    """
    found = [path / name for name in CIRCUITS if (path / name).is_file()]
    if not found:
        raise ArchiveError(
            f"{path}: holds no circuit; a run folder has one of {', '.join(CIRCUITS)} (circuit.save(...) writes the "
            "first, `circuitsim train` both)"
        )
    tensors, document = read_archive(found[0])
    circuit = circuit_of(tensors, document, found[0], device="cpu")
    notes = document["notes"] if isinstance(document["notes"], dict) else {}
    history = History(rows=[tuple(row) for row in notes.get("rows", [])], runaways=notes.get("runaways", []))
    return RunFolder(
        path, circuit, _weights(path / "weights.npz", circuit), _tables(path / "history.csv", circuit, history),
        _configuration(path / "configuration.json"),
    )  # fmt: skip


def _weights(path: Path, circuit: Circuit) -> WeightHistory:
    now = WeightProbe()
    now.call("weights", circuit, History(), float("nan"))
    if not path.exists():
        return now.kept
    kept = WeightHistory.load(path)
    if not kept.epochs:
        raise ArchiveError(f"{path}: holds no moment of the run")
    for name, array in now.kept.weights.items():
        p = circuit.motif.projection(name)
        if name not in kept.weights or {p.pre, p.post} - set(kept.neurons):
            raise ArchiveError(f"{path}: lacks projection {name!r} of the circuit beside it")
        shape = tuple(len(kept.neurons[end]) for end in (p.post, p.pre))
        ends = [(kept.neurons[end], circuit.motif.population(end).size) for end in (p.post, p.pre)]
        fits = all(len(found) and found.min() >= 0 and found.max() < size for found, size in ends)
        if kept.weights[name].shape[1:] != shape or not fits:
            raise ArchiveError(f"{path}: {name!r} does not fit the circuit beside it, which has shape {array.shape}")
    return kept


def _tables(path: Path, circuit: Circuit, history: History) -> dict[str, pd.DataFrame]:
    name = circuit.motif.name
    if not path.exists():
        return {name: history.to_pandas()} if history.rows else {}
    table = read_table(path)
    if "circuit" not in table:
        return {name: table}
    return {str(label): part for label, part in table.groupby("circuit", sort=False)}


def _configuration(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise ArchiveError(f"{path}: not JSON ({error})") from None
    return found if isinstance(found, dict) else {"configuration": found}
