"""What one must know to repeat a run, beside its results."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from circuitsim._version import __version__
from circuitsim.files import write_atomically


def write_configuration(document: Mapping[str, Any], folder: Path) -> None:
    """Write ``configuration.json`` into a run folder: the document, with the versions of all that matters."""
    versions = {"circuitsim": __version__, "torch": torch.__version__, "python": platform.python_version()}
    content = json.dumps({**document, "versions": versions}, indent=1, default=str)
    write_atomically(folder / "configuration.json", content.encode())
