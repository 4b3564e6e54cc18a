"""Several motifs that differ in numbers only, as the replicas of one circuit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from circuitsim.engine import Circuit, compile
from circuitsim.errors import MotifError
from circuitsim.motif import Motif, Projection, Rule


def compile_together(motifs: Sequence[Motif], **options: Any) -> Circuit:
    """One circuit whose replica r has the rule parameters and starts of ``motifs[r]``.

    Args:
        motifs: at least one; they may differ in the parameters of rules and in the numbers of `init` only.
        options: of `circuitsim.compile`, without `replicas` and `vary`.
    Raises:
        MotifError: the motifs differ in something else.
    """
    numbers = [_numbers(motif) for motif in motifs]
    first = motifs[0]
    for motif, found in zip(motifs, numbers, strict=True):
        if found.keys() != numbers[0].keys() or _without_numbers(motif) != _without_numbers(first).renamed(motif.name):
            raise MotifError(f"motif {motif.name!r} differs from {first.name!r} in more than numbers")
    vary = {
        path: [found[path] for found in numbers] for path in numbers[0] if len({found[path] for found in numbers}) > 1
    }
    return compile(first, replicas=len(motifs), vary=vary, **options)


def _numbers(motif: Motif) -> dict[str, float]:
    """Every number that `vary` can change, by its path."""
    found: dict[str, float] = {}
    for p in motif.projections:
        parameters = p.rule.parameters if p.rule is not None else {}
        found |= {f"{p.name}.{k}": v for k, v in parameters.items() if np.ndim(v) == 0}
        start = {f.name: getattr(p.start, f.name) for f in dataclasses.fields(p.start)}
        found |= {f"{p.name}.init.{k}": v for k, v in start.items() if isinstance(v, int | float)}
    return found


def _without_numbers(motif: Motif) -> Motif:
    stripped = Motif(motif.name)
    stripped.add(*(_stripped(value) if isinstance(value, Projection) else value for value in motif.values))
    return stripped


def _stripped(p: Projection) -> Projection:
    rule = p.rule
    if rule is not None:
        rule = Rule(rule.expression, **{k: 0.0 if np.ndim(v) == 0 else v for k, v in rule.parameters.items()})
    init = p.init
    if init is not None:
        numbers = [f.name for f in dataclasses.fields(init) if isinstance(getattr(init, f.name), int | float)]
        zeros: dict[str, Any] = dict.fromkeys(numbers, 0.0)
        init = dataclasses.replace(init, **zeros)
    return dataclasses.replace(p, rule=rule, init=init)
