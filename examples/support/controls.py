"""Controls that switch off the rule which is in question, and outputs that read a code."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import circuitsim as cs

N_CODE = 32  # neurons of a circuit that learns from inputs alone
READOUT = "Out"


def coded(make: Callable[..., cs.Motif]) -> Callable[..., cs.Motif]:
    """A circuit that learns from inputs alone, with a linear output that learns by the delta rule to read it."""

    def made(layers: Sequence[int], *, loss: str, eta_out: float = 0.02, **options: Any) -> cs.Motif:
        motif = make([layers[0], N_CODE], **options)
        neurons = dict.fromkeys(p.post for p in motif.projections if p.is_plastic)
        motif.add(cs.Population("answer", layers[-1]), cs.Population("error", layers[-1], "descending"))
        motif.add(cs.Objective("answer", "error", loss))
        motif.connect(
            "error", "answer", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity(),
            plastic=False,
        )  # fmt: skip
        for name in neurons:
            rule = cs.Rule("eta * I_E * activity_pre", eta=eta_out)
            motif.connect(name, "answer", name=f"{READOUT}_{name}", rule=rule, init=cs.Constant(0.0))
        return motif

    return made


def hidden_frozen(motif: cs.Motif) -> cs.Motif:
    """Only the synapses onto the output learn: the highest W, or those that read a code."""
    plastic = [p.name for p in motif.projections if p.is_plastic]
    readout = {name for name in plastic if name.startswith(READOUT)} or {_ascending(plastic)[-1]}
    return _frozen(motif, [name for name in plastic if name not in readout])


def feedback_frozen(motif: cs.Motif) -> cs.Motif:
    """Only W learns."""
    plastic = [p.name for p in motif.projections if p.is_plastic]
    return _frozen(motif, [name for name in plastic if name not in _ascending(plastic)])


def _ascending(names: Sequence[str]) -> list[str]:
    return sorted((name for name in names if re.fullmatch(r"W\d+", name)), key=lambda name: int(name[1:]))


def _frozen(motif: cs.Motif, names: Sequence[str]) -> cs.Motif:
    for name in names:
        motif = motif.replace(name, plastic=False)
    return motif
