"""Phaseless alignment learning: noise that travels up the network teaches the feedback, while the rest learns."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs


def phaseless_alignment(
    layers: Sequence[int],
    *,
    eta: float = 0.2,
    eta_B: float = 0.05,
    alpha: float = 0.1,
    noise: float = 0.3,
    gain_W: float = math.sqrt(2),
    gain_B: float = 1.0,
    activation: str = "relu",
    loss: str = "cross_entropy",
    name: str = "phaseless_alignment",
) -> cs.Motif:
    """Feedback weights correlate the noise xi of their own neuron with what has reached the layer above::

        h_l = f(W_{l-1} h_{l-1})        g_l = f'(h_l) B_l g_{l+1}        dW_l = eta g_{l+1} h_l^T
        n_l = r_l + xi_l        r_l = f(W_{l-1} n_{l-1}),  n_0 = h_0
        d_l = r_l - h_l         dB_l = eta_B (xi_l d_{l+1}^T - alpha B_l)

    For small noise, B_l converges to noise^2 / alpha times the mean of (f' W_l)^T. Population `x{l}` is the noise
    xi_l. The synapses A_l, from d_{l+1} onto the dendrite of g_l, learn, and B_l, from g_{l+1} onto its soma, is tied
    to them.

    Args:
        layers: the sizes of the populations, including input and output.
        eta: the learning rate of W.
        eta_B, alpha: the learning rate and the decay rate of B.
        noise: the standard deviation of the noise.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        gain_B: the gain of B's initial weights, whose standard deviation is gain / sqrt(fan-out).
        activation: the activation f of the hidden populations.
        loss: the loss, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import phaseless_alignment
        >>> phaseless_alignment([64, 32, 10]).projection("A1").rule
        Rule('eta * (I_X1 * pre - alpha * w)', eta=0.05, alpha=0.1)

    Source: Max, Kriener, Pineda Garcia, Nowotny, Jaras, Senn & Petrovici (2024), "Learning efficient backprojections
    across cortical hierarchies in real time", Nat. Mach. Intell. 6:619-630. There neurons integrate in time, a
    high-pass filter separates the noise from the signal, and errors are those of dendritic microcircuits.
    """
    depth, motif = len(layers) - 1, cs.Motif(name)
    one_to_one = {"connectivity": cs.OneToOne(), "plastic": False}
    identity = {"init": cs.Identity(), **one_to_one}
    for k, size in enumerate(layers):
        motif.add(cs.Population(f"up{k}", size, activation=activation if 0 < k < depth else "linear"))
    motif.add(cs.Population(f"g{depth}", layers[-1], "descending"), cs.Objective(f"up{depth}", f"g{depth}", loss))
    for k in range(1, depth):
        motif.add(cs.Population(f"g{k}", layers[k], "descending", activation=cs.GatedBy(f"up{k}")))
    for k in range(depth):
        rule = cs.Rule(f"eta * I_G{k + 1} * pre", eta=eta)
        motif.connect(f"up{k}", f"up{k + 1}", name=f"W{k}", rule=rule, init=cs.Gaussian(gain_W))
        motif.connect(f"g{k + 1}", f"up{k + 1}", name=f"G{k + 1}", compartment="dendrite", **identity)
    for k in range(1, depth + 1):
        response, f = f"r{k}", activation if k < depth else "linear"
        motif.add(cs.Population(response, layers[k], activation=f), cs.Population(f"d{k}", layers[k]))
        motif.connect("up0" if k == 1 else f"n{k - 1}", response, name=f"R{k}", tied_to=cs.Derived(f"W{k - 1}"))
        motif.connect(response, f"d{k}", name=f"P{k}", **identity)
        motif.connect(f"up{k}", f"d{k}", name=f"M{k}", init=cs.Constant(-1.0), **one_to_one)
        if k < depth:
            motif.add(cs.Population(f"x{k}", layers[k]), cs.Population(f"n{k}", layers[k]))
            motif.connect(response, f"n{k}", name=f"S{k}", **identity)
            motif.connect(f"x{k}", f"n{k}", name=f"N{k}", **identity)
            motif.connect(f"x{k}", f"g{k}", name=f"X{k}", compartment="dendrite", **identity)
    for k in range(1, depth):
        rule = cs.Rule(f"eta * (I_X{k} * pre - alpha * w)", eta=eta_B, alpha=alpha)
        start = cs.Gaussian(gain_B, scaling="fan_out")
        motif.connect(f"d{k + 1}", f"g{k}", name=f"A{k}", compartment="dendrite", rule=rule, init=start)
        motif.connect(f"g{k + 1}", f"g{k}", name=f"B{k}", tied_to=cs.Derived(f"A{k}"))
    motif.add(cs.Phase("cycle", noise={f"x{k}": noise for k in range(1, depth)}))
    return motif
