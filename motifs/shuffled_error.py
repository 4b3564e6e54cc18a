"""A control: every sample hears the error of another one."""

from __future__ import annotations

import dataclasses

import circuitsim as cs


def shuffled_error(motif: cs.Motif) -> cs.Motif:
    """The same circuit, with errors that say nothing about the sample they reach::

        e[b] = -dloss/doutput [b - 1]          b: the sample's place in its batch, counted in a circle

    The statistics of the error stay what they were, so whatever the control also shows owes nothing to the error.

    Args:
        motif: with an objective.
    Returns:
        A motif of that name with ``_shuffled_error`` behind it.
    Example:
        >>> from motifs import sal, shuffled_error
        >>> shuffled_error(sal([64, 32, 10])).objectives[0].shuffled
        True

    Source: a control of ours for Liao et al. (2024), arXiv 2412.20018.
    """
    control = cs.Motif(f"{motif.name}_shuffled_error")
    control.add(*(dataclasses.replace(v, shuffled=True) if isinstance(v, cs.Objective) else v for v in motif.values))
    return control
