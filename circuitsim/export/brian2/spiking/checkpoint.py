"""Checkpoints of spiking runs: weights, trials done and history in one file. A resumed run is exact to the last bit,
because every segment begins at rest."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from circuitsim.errors import ArchiveError
from circuitsim.files import write_atomically
from circuitsim.history import History

FORMAT = "circuitsim spiking run 1"


def write(
    path: str | os.PathLike[str], weights: Mapping[str, np.ndarray], done: int, settings: Any, history: History
) -> None:
    """Write the file atomically."""
    document = {"format": FORMAT, "done": done, "settings": settings, "rows": history.rows}
    tensors = {name: np.ascontiguousarray(values, dtype=np.float64) for name, values in weights.items()}
    write_atomically(Path(path), save(tensors, metadata={"run": json.dumps(document)}))


def read(path: str | os.PathLike[str], settings: Any, history: History) -> tuple[dict[str, np.ndarray], int]:
    """Read weights and trials done, and restore the history.

    Raises:
        ArchiveError: the file is damaged, or belongs to a run with other settings.
    """
    from safetensors.numpy import load

    try:
        content = Path(path).read_bytes()
        weights = load(content)
        size = int.from_bytes(content[:8], "little")
        document = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["run"])
        theirs, done, rows = document["settings"], int(document["done"]), [tuple(row) for row in document["rows"]]
    except Exception as error:
        raise ArchiveError(f"{path}: no checkpoint of a spiking run ({error})") from None
    ours = json.loads(json.dumps(settings, default=str))
    if theirs != ours:
        changed = [name for name in ours if theirs.get(name) != ours[name]]
        raise ArchiveError(f"{path}: belongs to a run with other {', '.join(changed)}; choose another checkpoint file")
    history.rows[:] = rows
    return weights, done
