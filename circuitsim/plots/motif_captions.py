"""The texts in the drawing of a motif."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

import numpy as np

from circuitsim.motif import GatedBy, Identity, Motif, Objective, Phase, Population, Projection
from circuitsim.motif import connectivity as c
from circuitsim.motif.phase import TIME
from circuitsim.motif.wiring import error_populations, inputs_of

LOSSES = {"cross_entropy": "cross-entropy", "mse": "squared error", "bce": "binary cross-entropy"}


def population_text(motif: Motif, population: Population) -> tuple[str, str]:
    """A population's label or name, with its sign; and its size or shape, with its activation or role."""
    name = _wrapped(population.caption) + {None: "", "excitatory": " (+)", "inhibitory": " (−)"}[population.sign]
    size = population.size if population.shape is None else "×".join(map(str, population.shape))
    activation = population.activation
    if population.name in error_populations(motif):
        role = "error"
    elif population.source is not None:
        role = "target"
    elif population.name in inputs_of(motif):
        role = "input"
    elif isinstance(activation, GatedBy):
        role = _wrapped(f"slope of {activation.population}")
    else:
        role = activation if len(activation) <= 18 else f"{activation[:17]}…"
    return name, f"{size} · {role}"


def loss_text(objective: Objective) -> str:
    """The loss, and whether its error is shuffled."""
    return f"loss\n{LOSSES.get(objective.loss, objective.loss)}" + ("\n(shuffled)" if objective.shuffled else "")


def projection_text(projection: Projection, narrow: bool = False) -> str:
    """A projection's label or name, with its delay, and its tie (on a second line if `narrow`) or its connectivity."""
    name = _wrapped(projection.caption) + (f" (t − {projection.delay})" if projection.delay else "")
    if (tie := projection.tied_to) is not None:
        factor = f"{tie.scale:.3g} " if tie.scale != 1 else ""
        source = f"sign({tie.projection})" if tie.sign else tie.projection
        return f"{name}{chr(10) if narrow else ' '}= {factor}{source}{'ᵀ' if tie.transpose else ''}"
    match projection.connectivity:
        case c.Random(probability=probability):
            return f"{name}, {np.mean(probability):.0%}"
        case c.DistanceDependent():
            return f"{name}, by distance"
        case c.Local(radius=radius):
            return f"{name}, local ({2 * radius + 1} wide)"
        case c.OneToOne():
            is_identity = isinstance(projection.init, Identity) and not projection.is_plastic
            return f"{name} = 1" if is_identity else f"{name}, 1:1"
    return name


def step_text(motif: Motif) -> str:
    """The phases, if they differ from what is drawn, and the signals of a motif; "" if there is neither."""
    phases = [phase_text(phase) for phase in motif.phases]
    lines = [f"{k}. {phase.name}: {text}" for k, (phase, text) in enumerate(zip(motif.phases, phases, strict=True), 1)]
    if len(phases) > 1:
        lines.insert(0, "phases of a step, in order")
    else:
        lines = [f"in each step: {phases[0]}"] if phases[0] != "as drawn" else []
    if motif.signals:
        lines.append("signals: " + _listed(signal.name for signal in motif.signals))
    return "\n".join(textwrap.fill(line, 46, subsequent_indent="    ") for line in lines)


def phase_text(phase: Phase) -> str:
    """How a phase differs from the motif as it is declared and drawn."""
    parts = []
    if phase.repeat != 1:
        parts.append("at every time step" if phase.repeat == TIME else f"{phase.repeat} iterations")
    if phase.soma is not None:
        gains = (f"{gain:g} {name}" if gain != 1 else name for name, gain in phase.soma.items())
        parts.append(f"{_listed(gains)} drive" if phase.soma else "no somata driven")
    if not phase.errors:
        parts.append("no errors")
    if phase.inputs is not None:
        parts.append(f"inputs {_listed(phase.inputs)}" if phase.inputs else "no inputs")
    if phase.noise:
        parts.append("noise in " + _listed(phase.noise))
    if phase.plastic is not None:
        parts.append(f"{_listed(phase.plastic)} plastic" if phase.plastic else "nothing plastic")
    return "; ".join(parts) or "as drawn"


def _listed(names: Iterable[str], most: int = 6) -> str:
    names = list(names)
    return ", ".join(names if len(names) <= most else [*names[: most - 1], "…", names[-1]])


def _wrapped(name: str, width: int = 18) -> str:
    """A long name in several lines, broken after underscores where possible."""
    return "\n".join(line.replace("_ ", "_") for line in textwrap.wrap(name.replace("_", "_ "), width)) or name
