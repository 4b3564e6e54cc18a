"""Checkpoints of spiking runs: weights, means, trials done and history in one file. A resumed run is exact to the last
bit, because every segment begins at rest."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from circuitsim.errors import ArchiveError
from circuitsim.files import write_atomically
from circuitsim.history import History

FORMAT = "circuitsim spiking run 3"
Lasting = Mapping[str, np.ndarray]  # shape [synapse] or [neuron], keyed by variable, such as "W0.w"


def write(path: str | os.PathLike[str], now: Lasting, done: int, settings: Any, history: History) -> None:
    """Write the file atomically. Of the history's records, it holds those of the weights."""
    recorded = history.records["weights"]
    document = {"format": FORMAT, "done": done, "settings": settings, "rows": history.rows}
    document["recorded"] = [step for step, _ in recorded]
    tensors = {f"now/{name}": np.ascontiguousarray(values, dtype=float) for name, values in now.items()}
    tensors |= {f"recorded/{name}": np.stack([kept[name] for _, kept in recorded]) for name in recorded[0][1]}
    write_atomically(Path(path), save(tensors, metadata={"run": json.dumps(document)}))


def read(
    path: str | os.PathLike[str], settings: Any, start: Lasting, learning: Sequence[str]
) -> tuple[Lasting, int, History]:
    """Read the values with which a run continues, the number of trials done, and the history. An ArchiveError says that
    the file is damaged or of another format, or belongs to a run with other settings.

    Args:
        path: the file.
        settings, start: the settings of the run that is to continue, and its values at the start.
        learning: the projections whose weights the history records.
    """
    try:
        with safe_open(path, "np") as file:
            document = json.loads(file.metadata()["run"])
            if (found := document["format"]) != FORMAT:
                raise ValueError(f"its format is {found!r}, but this version reads {FORMAT!r}")
            theirs, done, steps = document["settings"], int(document["done"]), document["recorded"]
            ours = json.loads(json.dumps(settings))
            if changed := [name for name in ours if theirs.get(name) != ours[name]]:
                raise ArchiveError(
                    f"{path}: belongs to a run with other {', '.join(changed)}; choose another checkpoint file"
                )
            now = {name: file.get_tensor(f"now/{name}") for name in start}
            kept = {name: file.get_tensor(f"recorded/{name}") for name in learning}
            rows = [tuple(row) for row in document["rows"]]
        for name, values in start.items():
            if now[name].shape != values.shape:
                raise ValueError(f"it holds {now[name].shape} values of {name}, not {values.shape}")
        for name, weights in kept.items():
            if len(weights) != len(steps):
                raise ValueError(f"it holds {len(weights)} records of the weights of {name!r}, not {len(steps)}")
    except (OSError, SafetensorError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise ArchiveError(f"{path}: no checkpoint of a spiking run ({error})") from None
    recorded = [(step, {name: kept[name][k] for name in learning}) for k, step in enumerate(steps)]
    return now, done, History(rows=rows, records={"weights": recorded})
