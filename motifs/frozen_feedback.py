"""A control: the feedback keeps its random start."""

from __future__ import annotations

import circuitsim as cs


def frozen_feedback(motif: cs.Motif) -> cs.Motif:
    """The same circuit with plasticity left in the ascending stream only::

        dW_l = as declared          dV_l = dVt_l = dWt_l = 0

    W then learns from a fixed random projection of the error, as in feedback alignment. What a circuit with plastic
    feedback does better is due to the plasticity of its feedback. A control deserves a start and rates of its own. V of
    `motifs.sal` starts nearly silent, so a fair control has ``sal(layers, gain_V=1)``; `motifs.paper_sal` with frozen
    feedback does best with ``eta=0.13, gamma=6.8e-4, gain_V=1.6, gain_Wt=0.59`` on Fashion-MNIST (docs/results.md).

    Args:
        motif: with populations in an ascending and a descending stream.
    Returns:
        A motif of that name with ``_frozen_feedback`` behind it.
    Example:
        >>> from motifs import frozen_feedback, sal
        >>> control = frozen_feedback(sal([64, 32, 10], gain_V=1))
        >>> [p.name for p in control.projections if p.is_plastic]
        ['W0', 'W1']

    Source: Lillicrap, Cownden, Tweed & Akerman (2016), Nat. Commun. 7:13276 (feedback alignment).
    """
    control = motif
    for p in motif.projections:
        ascends = motif.population(p.pre).stream == motif.population(p.post).stream == "ascending"
        if p.is_plastic and not (ascends and p.compartment == "soma"):
            control = control.replace(p.name, plastic=False)
    return control.renamed(f"{motif.name}_frozen_feedback")
