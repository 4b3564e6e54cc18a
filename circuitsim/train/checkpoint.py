"""Checkpoints, written after every epoch, from which a later call resumes the run bit for bit.

The order of the data is keyed by (data_seed, epoch) and noise by the number of steps, so only the circuit's state and
the history need to be saved. The file is an ordinary saved circuit that also holds notes about the run.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from circuitsim.engine import Circuit
from circuitsim.engine.archive import FORMAT, identity, read_archive, save_circuit
from circuitsim.engine.loading import restore_circuit
from circuitsim.errors import ArchiveError, ParameterError
from circuitsim.files import locked, remove_parts
from circuitsim.history import History

WIDTH = 60  # of what a message quotes


class Checkpoint:
    """The checkpoint file of one run. One that exists is refused without `resume`, and of other settings always."""

    def __init__(self, path: str | os.PathLike[str], resume: bool, settings: Mapping[str, Any]) -> None:
        if not isinstance(path, str | os.PathLike):
            raise ParameterError(f"checkpoint must be a path (got {path!r})")
        self.path, self.resume, self.settings = Path(path), resume, dict(settings)
        self._check_new()

    def _check_new(self) -> None:
        if self.path.exists() and not self.resume:
            raise ParameterError(
                f"checkpoint {self.path} exists: pass resume=True (on the command line, --resume) to resume from it, "
                "or remove it"
            )

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep other runs from using the file, and remove what killed runs have left half written."""
        with locked(self.path):
            self._check_new()
            remove_parts(self.path)
            yield

    def write(self, circuit: Circuit, epoch: int, history: History) -> None:
        """Save the circuit and the history after `epoch` epochs."""
        records = {"rows": history.rows, "runaways": history.runaways}
        save_circuit(circuit, self.path, {"epoch": epoch, "settings": self.settings, **records})

    def restore(self, circuit: Circuit, history: History) -> int:
        """Restore circuit and history. Return the number of completed epochs, 0 if there is no file."""
        if not self.path.exists():
            return 0
        tensors, document = read_archive(self.path)
        try:
            notes = document["notes"]
            settings = dict(notes["settings"])
            epoch, rows = int(notes["epoch"]), [tuple(row) for row in notes["rows"]]
            History(rows).to_pandas()  # fails unless every column is of its kind
            if epoch < 0:
                raise ValueError(f"epoch is {epoch}")
            runaways = [dict(report) for report in notes["runaways"]]
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise ArchiveError(f"{self.path}: not a checkpoint of a run ({error})") from None
        ours = {**identity(circuit), **self.settings}
        theirs = {**{name: document.get(name) for name in identity(circuit)}, **settings}
        if document["format"] != FORMAT:  # earlier versions recorded fewer settings
            ours = {name: value for name, value in ours.items() if name in theirs}
        for name in {**ours, **theirs}:
            if theirs.get(name) != ours.get(name):
                saved, current = _apart(repr(theirs.get(name)), repr(ours.get(name)))
                raise ArchiveError(f"{self.path}: {name} is {saved} in the checkpoint, but {current} in this run")
        restore_circuit(circuit, self.path, tensors, {"n_epochs": epoch, **document})
        history.rows[:], history.runaways[:] = rows, runaways
        return epoch


def _apart(one: str, other: str) -> tuple[str, str]:
    """Two texts, shortened so that they begin shortly before the first difference."""
    n_alike = next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    first = n_alike - 20 if n_alike > WIDTH - 20 else 0
    return _short(one, first), _short(other, first)


def _short(text: str, first: int) -> str:
    if len(text) <= WIDTH:
        return text
    return ("..." if first else "") + text[first : first + WIDTH] + ("..." if len(text) > first + WIDTH else "")
