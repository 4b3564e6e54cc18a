"""A short name for a job by its content: another setting or other data make another name."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from circuitsim.data import Dataset
from circuitsim.data.split import named


def data_digest(data: Dataset) -> str:
    """Differs between data sets that differ in a sample."""
    digest = hashlib.sha256(repr(data).encode())
    for split in data.splits.values():
        for name, tensor in {**named("x", split.x), **named("y", split.target)}.items():
            digest.update(name.encode())
            digest.update(tensor.cpu().contiguous().numpy().data)
    return digest.hexdigest()


def job_digest(job: Any, data: str) -> str:
    """Differs between jobs (dataclasses) that may give different results; `data` is the digest of the data set."""
    return hashlib.sha256(json.dumps([asdict(job), data], default=str).encode()).hexdigest()[:16]
