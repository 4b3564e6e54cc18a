"""PEPITA: the error is projected onto the input, and neurons learn from how a second pass differs from the first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs


def pepita(
    layers: Sequence[int],
    *,
    eta: float = 0.1,
    gain_W: float = math.sqrt(2),
    gain_F: float = 0.2,
    activation: str = "relu",
    loss: str = "cross_entropy",
    name: str = "pepita",
) -> cs.Motif:
    """Two forward passes, and no backward pass; the second has the error e = -dloss/dy added to its input::

        h_0 = x,          h_l = f(W_{l-1} h_{l-1}),  y = W_{L-1} h_{L-1}
        h'_0 = x - F e,   h'_l = f(W_{l-1} h'_{l-1})
        dW_l = -eta (h_{l+1} - h'_{l+1}) h'_l^T        dW_{L-1} = eta e h'_{L-1}^T

    Args:
        layers: the sizes of the populations, including input and output.
        eta: the learning rate.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        gain_F: the gain of the fixed projection F of the error.
        activation: the activation f of the hidden populations.
        loss: the loss, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import pepita
        >>> pepita([64, 32, 10]).projection("W0").rule
        Rule('eta * (post - I_K1) * pre', eta=0.1)

    Source: Dellaferrera & Kreiman (2022), "Error-driven input modulation: solving the credit assignment problem without
    a backward pass", ICML, arXiv 2201.11665. There e has the opposite sign, F is uniform, and dropout is used.
    """
    depth, motif = len(layers) - 1, cs.Motif(name)
    motif.add(cs.Population("input", layers[0]))
    for k, size in enumerate(layers):
        motif.add(cs.Population(f"up{k}", size, activation=activation if 0 < k < depth else "linear"))
    motif.add(cs.Population("error", layers[-1], "descending"), cs.Objective(f"up{depth}", "error", loss))

    one_to_one = {"connectivity": cs.OneToOne(), "init": cs.Identity(), "plastic": False}
    motif.connect("input", "up0", name="X", **one_to_one)
    motif.connect("error", "up0", name="F", init=cs.Gaussian(gain_F), plastic=False)
    motif.connect("error", f"up{depth}", name="E", compartment="dendrite", **one_to_one)
    for k in range(1, depth):  # what the first pass leaves
        first = motif.add(cs.Population(f"first{k}", layers[k]))
        motif.connect(f"up{k}", first, name=f"S{k}", **one_to_one)
        motif.connect(first, f"up{k}", name=f"K{k}", compartment="dendrite", **one_to_one)
    for k in range(depth):
        teacher = f"(post - I_K{k + 1})" if k + 1 < depth else "I_E"
        rule = cs.Rule(f"eta * {teacher} * pre", eta=eta)
        motif.connect(f"up{k}", f"up{k + 1}", name=f"W{k}", rule=rule, init=cs.Gaussian(gain_W))

    weights = ["X", *(f"W{k}" for k in range(depth))]
    motif.add(cs.Phase("first", soma=[*weights, *(f"S{k}" for k in range(1, depth))], plastic=[]))
    motif.add(cs.Phase("second", soma=dict.fromkeys(weights, 1.0) | {"F": -1.0}, errors=False))
    return motif
