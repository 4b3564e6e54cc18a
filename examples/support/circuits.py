"""Helpers for the circuits of `motifs`."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

import circuitsim as cs
from circuitsim.plots import kind_of
from motifs import frozen_feedback, sal

# The gains of V and Vt at the start: synapses that are nearly silent, and synapses of unit size.
SILENT, STRONG = 0.005, 1.0


def frozen_sal(layers: Sequence[int], **options: Any) -> cs.Motif:
    """SAL with fixed random feedback of unit size: a fixed V would otherwise stay nearly silent."""
    return frozen_feedback(sal(layers, gain_V=STRONG, gain_Wt=STRONG, **options))


def trace_of(circuit: cs.Circuit, population: str) -> Tensor:
    """The trace in `motifs.paper_sal`: ascending activity with unit mean square, except at the output."""
    activity = circuit.activity(population)
    outputs = {objective.output for objective in circuit.motif.objectives}
    if circuit.motif.population(population).stream == "descending" or population in outputs:
        return activity
    return activity / (activity.square().mean((1, 2), keepdim=True) + 1e-6).sqrt()


def norm(values: Tensor) -> Tensor:
    """The Euclidean norm of each replica, ``[replica]``."""
    return values.flatten(1).norm(dim=1)


def images_of(motif: cs.Motif) -> dict[str, tuple[int, int]] | None:
    """The shape of the input images of W0, or None if they are not square."""
    size = motif.populations[0].size
    side = math.isqrt(size)
    return {"W0": (side, side)} if side**2 == size else None


def descending_pathways(motif: cs.Motif) -> list[cs.Projection]:
    """The plastic projections V, Vt and Wt: between the streams, and down the descending one."""
    return [p for p in motif.projections if p.is_plastic and kind_of(motif, p.name) != "W"]


def with_sign(motif: cs.Motif, sign: str | None) -> cs.Motif:
    """Give the initial weights of V, Vt and Wt one sign, as in `cs.Gaussian`."""
    for p in descending_pathways(motif):
        assert isinstance(p.start, cs.Gaussian)
        motif = motif.replace(p.name, init=dataclasses.replace(p.start, sign=sign))
    return motif


def released(circuit: cs.Circuit) -> cs.Circuit:
    """A copy of the circuit in which no replica is pinned, so that weights can be written."""
    found = copy.deepcopy(circuit)
    for replica in found.pinned:
        found.release_replica(replica)
    return found


def scale_eta(motif: cs.Motif, factor: float) -> cs.Motif:
    """A copy of the motif in which the eta of every rule is `factor` times as large."""
    for p in motif.projections:
        if p.rule is not None and "eta" in p.rule.parameters:
            parameters = {**p.rule.parameters, "eta": factor * p.rule.parameters["eta"]}
            motif = motif.replace(p.name, rule=cs.Rule(p.rule.expression, **parameters))
    return motif
