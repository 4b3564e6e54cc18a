"""SAL with competition in V and Vt, among the synapses onto a neuron and among the synapses of an axon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import circuitsim as cs
from motifs.paper_sal import paper_sal

# The additional decay of a synapse, which is the same in V and Vt^T and 0 for a synapse without rivals.
# "all": the sum of the squared weights of all rivals, which are the synapses onto the same neuron and of the same axon.
# "strongest": its distance to the largest synapse onto its neuron and of its axon; 0 for the largest of both.
RIVALS = {
    "all": "(sum_in(w**2) + sum_out(w**2) - 2 * w**2)",
    "strongest": "(2 - w**2 / (max_in(w**2) + 1e-12) - w**2 / (max_out(w**2) + 1e-12))",
}


def winner_take_all(
    layers: Sequence[int],
    feedback: Sequence[int] | None = None,
    *,
    competition: float = 40.0,
    rivals: str = "strongest",
    name: str = "winner_take_all",
    **options: Any,
) -> cs.Motif:
    """A variant of `motifs.paper_sal` with competition in the decay of V and Vt::

        dV_l = eta_V (h_l g_l^T - gamma V (1 + competition R))
        R = sum_in V^2 + sum_out V^2 - 2 V^2                                 rivals="all"
        R = (1 - V^2 / max_in V^2) + (1 - V^2 / max_out V^2)                 rivals="strongest"

    and likewise for Vt_l. With "all", synapses with similar drive stay similar (equal weights are a stable state if
    more than three synapses compete), so the projections become weaker but hardly sparser at any strength of
    competition. With "strongest", the largest synapse of a neuron and an axon is spared, so that a neuron of either
    stream ends up with most of its input from the other stream in one synapse
    (`examples/winner_take_all.py` measures both).

    Args:
        layers, feedback: as in `motifs.paper_sal`.
        competition: the weight of R in the decay; 0 gives plain SAL. The default is the smallest of 10, 20, 30, ... at
            which, with "strongest", the share of a neuron's largest synapse is at least three times that in plain
            SAL, in V and in Vt, with 5 seeds and with 8 (on digits 4.0 and 3.3 times, at a cost of 0.3 points of
            validation accuracy).
        rivals: the synapses to compete with, "all" or "strongest".
        name: the name of the motif.
        options: further arguments of `motifs.paper_sal`.
    Returns:
        The motif.
    Raises:
        MotifError: `rivals` is unknown, or the sizes do not fit.
    Example:
        >>> from motifs import winner_take_all
        >>> winner_take_all([64, 32, 10], competition=10.0).projection("V1").rule.parameters["competition"]
        10.0

    Source: Liao et al. (2024), arXiv 2412.20018, section 3 (Winner-Take-All); the form of the competition is ours.
    """
    if rivals not in RIVALS:
        raise cs.MotifError(f"winner_take_all: rivals must be one of {list(RIVALS)} (got {rivals!r})")
    motif = paper_sal(layers, feedback, name=name, **options)
    for p in motif.projections:
        if p.is_plastic and p.compartment == "dendrite" and p.rule is not None:
            rule = cs.Rule(
                f"eta * (post * pre - gamma * w * (1 + competition * {RIVALS[rivals]}))",
                **p.rule.parameters, competition=competition,
            )  # fmt: skip
            motif = motif.replace(p.name, rule=rule)
    return motif
