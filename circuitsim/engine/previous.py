"""Circuit files of earlier versions, which named some entries differently and took some inputs without a word.

They are rewritten into what those versions made of them, so that their files still load.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from circuitsim.motif import Constant, Edges, Given, Identity, Mask, Motif, Projection
from circuitsim.motif.synapses import is_random, outside_fault, pattern_of

Tensors = Mapping[str, Tensor]
_PINNED = re.compile("(?:held|pinned)/([0-9]+)/(.*)")


def renewed(
    tensors: Tensors, document: Mapping[str, Any], dotted_states: bool
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Convert the content of a file: states called ``V1.e`` (with `dotted_states`), and weights of pinned replicas in
    entries of their own, such as ``held/2/V1``."""
    declared = document["motif"].get("projections", []) if dotted_states else []
    states = {p["name"]: p.get("state", {}) for p in declared}

    def name(key: str) -> str:
        folder, _, last = key.rpartition("/")
        owner, _, state = last.partition(".")
        return f"{folder}/{owner}:{state}" if state in states.get(owner, {}) else key

    # decay owed in a later phase had an entry of its own, such as ``owed/V1:w'``; it is too little to matter
    named = {name(key): tensor for key, tensor in tensors.items() if not key.endswith("'")}
    found = {key: tensor.clone() for key, tensor in named.items() if not _PINNED.match(key)}
    pinned = set()
    for key, tensor in named.items():
        if match := _PINNED.match(key):
            replica, weights = int(match[1]), found[f"weights/{match[2]}"]
            if replica >= len(weights):
                raise ValueError(f"entry {key!r} belongs to no replica")
            weights[replica].copy_(tensor)
            pinned.add(replica)
    motif = json.loads(rewritten(Motif.from_json(json.dumps(document["motif"]))).to_json())
    return found, {**document, "motif": motif, "pinned": sorted(pinned)}


def rewritten(motif: Motif) -> Motif:
    """Return a motif of an earlier version as this version declares it.

    A pair that edges repeat is listed once, and a blank in a mask is a synapse. Given weights without a synapse are 0,
    and those outside the bounds are clipped. Constants outside the bounds, and weights given for random synapses, are
    left out: the file holds the weights. Bounds of tied weights are left out too, since they did nothing.
    """
    found = Motif(motif.name)
    for value in motif.values:
        found.add(_connected(value) if isinstance(value, Projection) else value)
    values = [_started(found, value) if isinstance(value, Projection) else value for value in found.values]
    again = Motif(motif.name)
    again.add(*values)
    return again


def _connected(p: Projection) -> Projection:
    changes: dict[str, Any] = {"bounds": None} if p.tied_to is not None else {}
    match p.connectivity:
        case Edges(pre=pre, post=post) if pre.shape == post.shape and pre.ndim == 1:
            pairs = np.unique(np.stack([post, pre]), axis=1)
            if pairs.shape[1] < len(pre):
                changes["connectivity"] = Edges(pre=pairs[1], post=pairs[0])
        case Mask(array=array) if not np.isfinite(array).all():
            changes["connectivity"] = Mask(np.where(np.isfinite(array), array, 1.0))
    return dataclasses.replace(p, **changes) if changes else p


def _started(motif: Motif, p: Projection) -> Projection:
    init: Any = p.init
    match p.init:
        case Given() if is_random(motif, p):
            init = None
        case Given(array=array):
            low, high = p.bounds or (None, None)
            clipped = array if low is None and high is None else np.clip(array, low, high)
            pattern = pattern_of(motif, p)
            init = Given(clipped if pattern is None else np.where(pattern, clipped, 0.0))
        case Constant(value=value) if outside_fault("", value, p.bounds):
            init = None
        case Identity() if outside_fault("", [0.0, 1.0], p.bounds):
            init = None
    return dataclasses.replace(p, init=init) if init is not p.init else p
