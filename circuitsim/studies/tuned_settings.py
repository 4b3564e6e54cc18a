"""What `circuitsim tune` found, as it is shipped in `tuned/`."""

from __future__ import annotations

import json
from pathlib import Path

TUNED = Path(__file__).parent / "tuned"


def tuned(dataset: str) -> dict[str, dict[str, float]]:
    """The best settings by algorithm that `tune` found on a data set; empty where it was never run."""
    path = TUNED / f"{dataset}.json"
    settings: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.is_file() else {}
    return settings
