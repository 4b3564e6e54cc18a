"""Reward-modulated STDP, in which each synapse remembers its last pairings until a reward comes."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def reward_stdp(
    layers: Sequence[int],
    *,
    eta: float = 1.0,
    A_plus: float = 0.1,
    A_minus: float = 0.15,
    tau_ms: float = 20.0,
    tau_e_ms: float = 1000.0,
    w_max: float = 1.0,
    init: cs.Init | None = None,
    name: str = "reward_stdp",
) -> cs.Motif:
    """Spiking inputs onto spiking neurons. Pairs of spikes change the synapse's eligibility e as STDP changes a weight,
    and dopamine turns eligibility into weight::

        de/dt = -e / tau_e
        at a postsynaptic spike    e <- e + A_plus x_pre
        at a presynaptic spike     e <- e - A_minus x_post
        dw/dt = eta dopamine e     (per second)

    with the traces x of both neurons, dx/dt = -x / tau, x <- x + 1 at a spike. Eligibility outlasts the traces, so that
    a reward that comes within about a second still reaches the synapses that caused it.

    Args:
        layers: the numbers of inputs and neurons; sizes between them are ignored.
        eta: the learning rate.
        A_plus, A_minus: the change of the eligibility by a pair of simultaneous spikes.
        tau_ms, tau_e_ms: the time constants of the traces and of the eligibility.
        w_max: the upper bound of the weights; the lower bound is 0.
        init: the initial weights, by default half of `w_max`.
        name: the name of the motif.
    Returns:
        The motif, for `cs.export_brian2` with ``mode="spiking"``; its signal "dopamine" is given to each run.
    Example:
        >>> from motifs import reward_stdp
        >>> reward_stdp([10, 1]).projection("W").state["e"].tau_ms
        1000.0

    Source: Izhikevich (2007), Cerebral Cortex 17:2443, equations 1 to 3 (there, dopamine decays within 200 ms).
    """
    motif = cs.Motif(name)
    trace = cs.State(tau_ms=tau_ms, on="spike")
    pairs = "A_plus * spike_post * x_pre - A_minus * spike_pre * x_post"
    motif.add(cs.Signal("dopamine"))
    motif.add(cs.Population("input", layers[0], state={"x": trace}))
    motif.add(cs.Population("output", layers[-1], activation="relu", state={"x": trace}))
    motif.connect(
        "input", "output", name="W", init=cs.Constant(w_max / 2) if init is None else init, bounds=(0.0, w_max),
        state={"e": cs.State(tau_ms=tau_e_ms, add=pairs, A_plus=A_plus, A_minus=A_minus)},
        rule=cs.Rule("eta * dopamine * e", eta=eta),
    )  # fmt: skip
    return motif
