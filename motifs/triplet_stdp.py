"""Triplet STDP, which explains how the effect of pairs of spikes depends on their frequency."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def triplet_stdp(
    layers: Sequence[int],
    *,
    A2_plus: float = 5e-10,
    A3_plus: float = 6.2e-3,
    A2_minus: float = 7e-3,
    A3_minus: float = 2.3e-4,
    tau_plus_ms: float = 16.8,
    tau_x_ms: float = 101.0,
    tau_minus_ms: float = 33.7,
    tau_y_ms: float = 125.0,
    w_max: float | None = None,
    init: cs.Init | None = None,
    name: str = "triplet_stdp",
) -> cs.Motif:
    """Spiking inputs onto spiking neurons; each neuron keeps a fast and a slow trace of its own spikes, r1 and r2 of
    presynaptic neurons, o1 and o2 of postsynaptic ones, all of which grow by 1 at a spike::

        at a presynaptic spike     w <- w - o1 (A2_minus + A3_minus r2)
        at a postsynaptic spike    w <- w + r1 (A2_plus + A3_plus o2)

    with the values of the slow traces before the spike. Defaults are those fitted to visual cortex with interactions of
    all spikes: pairs potentiate only if they are frequent.

    Args:
        layers: the numbers of inputs and neurons; sizes between them are ignored.
        A2_plus, A3_plus, A2_minus, A3_minus: the changes by a pair and by a triplet.
        tau_plus_ms, tau_x_ms, tau_minus_ms, tau_y_ms: the time constants of r1, r2, o1 and o2.
        w_max: the upper bound of the weights; None for none. The lower bound is 0.
        init: the initial weights, by default 0.5 everywhere.
        name: the name of the motif.
    Returns:
        The motif, for `cs.export_brian2` with ``mode="spiking"``; it has no rate circuit.
    Example:
        >>> from motifs import triplet_stdp
        >>> sorted(triplet_stdp([10, 1]).population("output").state)
        ['o1', 'o2']

    Source: Pfister & Gerstner (2006), J. Neurosci. 26:9673, equations 3 and 4, and Table 4 (all-to-all, full model).
    """
    motif = cs.Motif(name)
    r1, r2, o1, o2 = (cs.State(tau_ms=tau, on="spike") for tau in (tau_plus_ms, tau_x_ms, tau_minus_ms, tau_y_ms))
    motif.add(cs.Population("input", layers[0], state={"r1": r1, "r2": r2}))
    motif.add(cs.Population("output", layers[-1], activation="relu", state={"o1": o1, "o2": o2}))
    motif.connect(
        "input", "output", name="W", init=cs.Constant(0.5) if init is None else init, bounds=(0.0, w_max),
        rule=cs.Rule(
            "spike_post * r1_pre * (A2_plus + A3_plus * o2_post) "
            "- spike_pre * o1_post * (A2_minus + A3_minus * r2_pre)",
            A2_plus=A2_plus, A3_plus=A3_plus, A2_minus=A2_minus, A3_minus=A3_minus,
        ),
    )  # fmt: skip
    return motif
