"""Declarations in circuit files of earlier versions, which took some inputs without a word.

They are rewritten into what those versions made of them, so that their files still load.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from circuitsim.motif import Constant, Edges, Given, Identity, Mask, Motif, Projection
from circuitsim.motif.synapses import is_random, outside_fault, pattern_of


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
