"""The parts of a motif to which the theory applies: pairs V, Vt and four-synapse squares W, V, Vt, Wt."""

from __future__ import annotations

from dataclasses import dataclass

from circuitsim.motif import Motif, Projection


@dataclass(frozen=True)
class Square:
    r"""The names of four projections that form the reciprocal motif around one W.

    up_l  --W-->  up_{l+1}
     | Vt            ^ V
     v               |
    down_l <--Wt-- down_{l+1}
    """

    W: str
    V: str
    Vt: str
    Wt: str


def mirror_pairs(motif: Motif) -> list[tuple[str, str]]:
    """Return the names of all dendritic projections V (descending to ascending), each with its reciprocal Vt."""
    return [
        (v.name, vt.name)
        for v in _between(motif, "dendrite", "descending", "ascending")
        for vt in _between(motif, "dendrite", "ascending", "descending")
        if (vt.pre, vt.post) == (v.post, v.pre)
    ]


def squares(motif: Motif) -> list[Square]:
    """Return all squares of the motif."""
    return [
        Square(w.name, v.name, vt.name, wt.name)
        for w in _between(motif, "soma", "ascending", "ascending")
        for v in _between(motif, "dendrite", "descending", "ascending")
        for vt in _between(motif, "dendrite", "ascending", "descending")
        for wt in _between(motif, "soma", "descending", "descending")
        if w.post == v.post and w.pre == vt.pre and vt.post == wt.post and v.pre == wt.pre
    ]


def _between(motif: Motif, compartment: str, pre: str, post: str) -> list[Projection]:
    return [
        p
        for p in motif.projections
        if p.compartment == compartment
        and motif.population(p.pre).stream == pre
        and motif.population(p.post).stream == post
    ]
