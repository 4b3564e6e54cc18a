"""Several motifs that differ only in numbers, compiled as the replicas of one circuit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

import circuitsim as cs


def compile_together(motifs: Sequence[cs.Motif], **options: Any) -> cs.Circuit:
    """Compile one circuit whose replica r has the rule parameters and initial weights of ``motifs[r]``.

    Args:
        motifs: at least one motif. They may differ only in the parameters of rules and in the numbers of `init`.
        options: options of `circuitsim.compile`, except `replicas` and `vary`.
    Raises:
        MotifError: the motifs differ in something else.
    """
    numbers = [_numbers(motif) for motif in motifs]
    first, expected = motifs[0], _without_numbers(motifs[0])
    for motif, found in zip(motifs, numbers, strict=True):
        if found.keys() != numbers[0].keys() or _without_numbers(motif) != expected.renamed(motif.name):
            raise cs.MotifError(f"motif {motif.name!r} differs from {first.name!r} in more than numbers")
    vary = {
        path: [found[path] for found in numbers] for path in numbers[0] if len({found[path] for found in numbers}) > 1
    }
    return cs.compile(first, replicas=len(motifs), vary=vary, **options)


def _numbers(motif: cs.Motif) -> dict[str, float]:
    """The numbers that `vary` can change, keyed by path."""
    found: dict[str, float] = {}
    for p in motif.projections:
        parameters = p.rule.parameters if p.rule is not None else {}
        found |= {f"{p.name}.{k}": v for k, v in parameters.items() if np.ndim(v) == 0}
        start = {f.name: getattr(p.start, f.name) for f in dataclasses.fields(p.start)}
        found |= {f"{p.name}.init.{k}": v for k, v in start.items() if isinstance(v, int | float)}
    return found


def _without_numbers(motif: cs.Motif) -> cs.Motif:
    stripped = cs.Motif(motif.name)
    stripped.add(*(_stripped(value) if isinstance(value, cs.Projection) else value for value in motif.values))
    return stripped


def _stripped(p: cs.Projection) -> cs.Projection:
    rule = p.rule
    if rule is not None:
        rule = cs.Rule(rule.expression, **{k: 0.0 if np.ndim(v) == 0 else v for k, v in rule.parameters.items()})
    init = p.init
    if init is not None:
        numbers = [f.name for f in dataclasses.fields(init) if isinstance(getattr(init, f.name), int | float)]
        zeros: dict[str, Any] = dict.fromkeys(numbers, 0.0)
        init = dataclasses.replace(init, **zeros)
    return dataclasses.replace(p, rule=rule, init=init)
