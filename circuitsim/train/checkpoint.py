"""Checkpoints of a run: after every epoch one file that a later call goes on from, bit for bit.

The order of the data is keyed by (data_seed, epoch) and noise by the number of steps, so weights, states and the
history are all that has to be kept. The file is an ordinary saved circuit with the run's notes beside it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from circuitsim.engine import Circuit
from circuitsim.engine.archive import identity, read_archive, restore_circuit, save_circuit
from circuitsim.errors import ArchiveError, ParameterError
from circuitsim.files import remove_parts
from circuitsim.history import COLUMNS, History


class Checkpoint:
    """One run's file.

    Args:
        path: of the file.
        resume: continue where there is a checkpoint; begin where there is none.
        settings: of the run; a checkpoint of other settings is refused.
    Raises:
        ParameterError: there is a file and `resume` is False, or the path is none.
    """

    def __init__(self, path: str | os.PathLike[str], resume: bool, settings: Mapping[str, Any]) -> None:
        if not isinstance(path, str | os.PathLike):
            raise ParameterError(f"checkpoint must be a path (got {path!r})")
        self.path, self.settings = Path(path), dict(settings)
        if self.path.exists() and not resume:
            raise ParameterError(f"checkpoint {self.path} exists: pass resume=True to go on from it, or remove it")
        remove_parts(self.path)

    def write(self, circuit: Circuit, epoch: int, history: History) -> None:
        """Note that `epoch` epochs are done."""
        records = {"rows": history.rows, "runaways": history.runaways}
        save_circuit(circuit, self.path, {"epoch": epoch, "settings": self.settings, **records})

    def restore(self, circuit: Circuit, history: History) -> int:
        """Put circuit and history back; returns the epochs done, 0 where there is no file.

        Raises:
            ArchiveError: the file is damaged, or belongs to another motif, seed or setting.
        """
        if not self.path.exists():
            return 0
        tensors, document = read_archive(self.path)
        try:
            notes = document["notes"]
            theirs = {**document, **notes["settings"]}
            epoch, rows = int(notes["epoch"]), [tuple(row) for row in notes["rows"]]
            if epoch < 0 or any(len(row) != len(COLUMNS) for row in rows):
                raise ValueError(f"epoch {epoch}, or a row of its history, is not one")
            runaways = [dict(report) for report in notes["runaways"]]
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise ArchiveError(f"{self.path}: not a checkpoint of a run ({error})") from None
        for name, ours in {**identity(circuit), **self.settings}.items():
            if theirs.get(name) != ours:
                raise ArchiveError(f"{self.path}: {name} is {_short(theirs.get(name))} there and {_short(ours)} here")
        restore_circuit(circuit, self.path, tensors, document)
        history.rows[:], history.runaways[:] = rows, runaways
        return epoch


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
