"""Fingerprints of data, by which a resumed run notices that it was given other data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from circuitsim.data import Dataset
from circuitsim.errors import DataError
from circuitsim.motif.arrays import as_array


def fingerprints(data: Any) -> dict[str, str]:
    """Describe every split of a data set, or every batch of a list: "420 samples, sha256 3a7bd3e2360a".

    Of other iterables, such as a DataLoader, nothing is known: reading them might use them up.
    """
    if isinstance(data, Dataset):
        return {
            f"the {name} data": _described(f"{len(split):,} samples", [split.x, split.target])
            for name, split in data.splits.items()
        }
    if isinstance(data, list | tuple):
        parts = [part for batch in data for part in (batch if isinstance(batch, list | tuple) else [batch])]
        return {"the data": _described(f"{len(data):,} batches", parts)}
    return {}


def _described(size: str, parts: list[Any]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        _add(digest, part)
    return f"{size}, sha256 {digest.hexdigest()[:12]}"


def _add(digest: Any, content: Any) -> None:
    """Add an array of any kind, or a mapping of them in the order of its keys."""
    if isinstance(content, Mapping):
        for name in sorted(content, key=str):
            digest.update(str(name).encode())
            _add(digest, content[name])
        return
    array = np.asarray(as_array(content, "the data", DataError))
    digest.update(f"{array.dtype} {array.shape}".encode())
    if array.dtype.hasobject:  # its bytes are addresses
        digest.update(repr(array.tolist()).encode())
    else:
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
