"""Inhibitory STDP, by which inhibition comes to balance excitation."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def inhibitory_stdp(
    layers: Sequence[int],
    *,
    n_inhibitory: int | None = None,
    eta: float = 1e-3,
    target_hz: float = 5.0,
    tau_ms: float = 20.0,
    w_exc: float = 0.03,
    name: str = "inhibitory_stdp",
) -> cs.Motif:
    """Fixed excitatory and plastic inhibitory inputs onto spiking neurons. With the trace x of each neuron's spikes::

        at a spike of an inhibitory input    |w| <- |w| + eta (x_post - alpha),    alpha = 2 target_hz tau
        at a postsynaptic spike              |w| <- |w| + eta x_pre

    Near-coincident spikes in either order strengthen inhibition, and presynaptic spikes alone weaken it, until the
    neurons fire at the target rate. Weights of inhibitory synapses are negative, so the rule changes w by minus this.

    Args:
        layers: the numbers of excitatory inputs and of neurons; sizes between them are ignored.
        n_inhibitory: the number of inhibitory inputs, by default a quarter of the excitatory ones.
        eta: the learning rate, in units of w.
        target_hz: the rate at which inhibition balances excitation.
        tau_ms: the time constant of the traces.
        w_exc: the weight of the excitatory synapses.
        name: the name of the motif.
    Returns:
        The motif, for `cs.export_brian2` with ``mode="spiking"``; it has no rate circuit.
    Example:
        >>> from motifs import inhibitory_stdp
        >>> inhibitory_stdp([800, 1]).population("inhibitory").size
        200

    Source: Vogels, Sprekeler, Zenke, Clopath & Gerstner (2011), Science 334:1569, equation 1 and its supplement.
    """
    motif = cs.Motif(name)
    trace = cs.State(tau_ms=tau_ms, on="spike")
    n_inhibitory = max(layers[0] // 4, 1) if n_inhibitory is None else n_inhibitory
    motif.add(cs.Population("excitatory", layers[0], sign="excitatory"))
    motif.add(cs.Population("inhibitory", n_inhibitory, sign="inhibitory", state={"x": trace}))
    motif.add(cs.Population("output", layers[-1], activation="relu", state={"x": trace}))
    motif.connect("excitatory", "output", name="E", init=cs.Constant(w_exc))
    motif.connect(
        "inhibitory", "output", name="W", init=cs.Constant(0.0),
        rule=cs.Rule(
            "-eta * (spike_post * x_pre + spike_pre * (x_post - alpha))", eta=eta, alpha=2e-3 * target_hz * tau_ms
        ),
    )  # fmt: skip
    return motif
