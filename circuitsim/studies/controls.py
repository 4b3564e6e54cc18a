"""Controls: the same circuit with one thing taken away."""

from __future__ import annotations

import dataclasses
from typing import Any

from circuitsim.motif import Motif, Objective

# What frozen random feedback does best with (docs/results.md), for `motifs.sal`: a control deserves its own rates.
FROZEN_RATES: dict[str, Any] = {"eta": 0.13, "gamma": 6.8e-4, "gain_V": 1.6, "gain_Wt": 0.59}


def frozen_feedback(motif: Motif) -> Motif:
    """Only the ascending soma projections stay plastic: V, Vt and Wt keep their random starts."""
    control = motif
    for p in motif.projections:
        ascends = motif.population(p.pre).stream == motif.population(p.post).stream == "ascending"
        if p.is_plastic and not (ascends and p.target == "soma"):
            control = control.replace(p.name, plastic=False)
    return control.renamed(f"{motif.name}_frozen_feedback")


def shuffled_error(motif: Motif) -> Motif:
    """Every sample gets the error of another sample of its batch."""
    control = Motif(f"{motif.name}_shuffled_error")
    control.add(*(dataclasses.replace(v, shuffled=True) if isinstance(v, Objective) else v for v in motif.values))
    return control
