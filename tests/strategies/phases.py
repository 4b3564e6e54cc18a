"""Phases that suit a motif."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st

import circuitsim as cs


@st.composite
def phases(draw: Any, motif: cs.Motif) -> list[cs.Phase]:
    """Two or three phases of a motif, each with a wiring of its own where that is sound."""
    n_phases, found = draw(st.integers(2, 3)), []
    projections = [p.name for p in motif.projections]
    owners = [*projections, *(p.name for p in motif.populations)]
    inputs = [p.name for p in motif.populations if p.name.startswith("x")]
    for k in range(n_phases):
        options: dict[str, Any] = {"errors": draw(st.integers(1, 4)) < 4}
        if projections and draw(st.booleans()):
            chosen = draw(st.lists(st.sampled_from(projections), unique=True))
            options["soma"] = {name: draw(st.sampled_from([1.0, 0.4, -1.3])) for name in chosen}
        if draw(st.booleans()):
            options["plastic"] = draw(st.lists(st.sampled_from(owners), unique=True))
        if draw(st.booleans()):
            options["inputs"] = draw(st.lists(st.sampled_from(inputs), unique=True))
        if draw(st.integers(1, 3)) == 3:
            options["noise"] = {draw(st.sampled_from([p.name for p in motif.populations])): 0.7}
        drafts = [options, options | {"plastic": []}, options | {"soma": None}, {}]
        rest = [cs.Phase("rest")] if k + 1 < n_phases else []
        found.append(next(f for o in drafts if _is_sound(motif, [*found, f := cs.Phase(f"phase{k}", **o), *rest])))
    return found


def _is_sound(motif: cs.Motif, phases: list[cs.Phase]) -> bool:
    copy = cs.Motif(motif.name)
    copy.add(*motif.populations, *motif.objectives, *motif.projections, *phases)
    try:
        copy.validate()
    except cs.MotifError:
        return False
    return True
