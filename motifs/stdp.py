"""Pair STDP: the order of two spikes decides whether a synapse grows or shrinks."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def stdp(
    layers: Sequence[int],
    *,
    A_plus: float = 0.005,
    A_minus: float = 0.00525,
    tau_plus_ms: float = 20.0,
    tau_minus_ms: float = 20.0,
    w_max: float = 0.02,
    name: str = "stdp",
) -> cs.Motif:
    """Spiking inputs onto spiking neurons; every pair of a presynaptic and a postsynaptic spike changes the weight::

        dw = w_max A_plus exp(-dt / tau_plus)      if the postsynaptic spike comes dt > 0 after the presynaptic one
        dw = -w_max A_minus exp(dt / tau_minus)    if it comes before, dt < 0

    Each neuron keeps a trace of its own spikes, dx/dt = -x / tau, x <- x + 1: a postsynaptic spike reads the
    presynaptic trace, and a presynaptic spike the postsynaptic trace. Weights stay within [0, w_max], and under Poisson
    input their distribution becomes bimodal. In units of activity (docs/spiking.md), with the defaults of `Spiking` a
    spike adds 2 w to the current, so that w_max = 0.02 drives a LIF neuron by a thousand inputs at 10 to 20 Hz.

    Args:
        layers: the numbers of inputs and neurons; sizes between them are ignored.
        A_plus, A_minus: the change by a pair at dt = 0, as a share of w_max.
        tau_plus_ms, tau_minus_ms: the time constants of the presynaptic and the postsynaptic trace.
        w_max: the upper bound of the weights, which start uniformly distributed below it.
        name: the name of the motif.
    Returns:
        The motif, for `cs.export_brian2` with ``mode="spiking"``; it has no rate circuit.
    Example:
        >>> import circuitsim as cs
        >>> from motifs import stdp
        >>> print(stdp([1000, 1]).projection("W").rule.expression)
        w_max * (A_plus * spike_post * x_pre - A_minus * spike_pre * x_post)

    Source: Song, Miller & Abbott (2000), Nature Neuroscience 3:919, equation 1 and Methods (there with conductances).
    """
    motif = cs.Motif(name)
    motif.add(cs.Population("input", layers[0], state={"x": cs.State(tau_ms=tau_plus_ms, on="spike")}))
    trace = cs.State(tau_ms=tau_minus_ms, on="spike")
    motif.add(cs.Population("output", layers[-1], activation="relu", state={"x": trace}))
    motif.connect(
        "input", "output", name="W", init=cs.Uniform(0.0, w_max), bounds=(0.0, w_max),
        rule=cs.Rule(
            "w_max * (A_plus * spike_post * x_pre - A_minus * spike_pre * x_post)",
            A_plus=A_plus, A_minus=A_minus, w_max=w_max,
        ),
    )  # fmt: skip
    return motif
