"""Contrastive Hebbian learning: activity with a clamped output is learned, activity with a free one unlearned."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def contrastive_hebbian(
    layers: Sequence[int],
    *,
    eta: float = 0.1,
    feedback: float = 0.05,
    iterations: int = 10,
    gain: float = 1.0,
    activation: str = "tanh",
    loss: str = "cross_entropy",
    name: str = "contrastive_hebbian",
) -> cs.Motif:
    """Two phases with weak feedback from an output c that is free in the first and clamped in the second::

        h_l = f(W_{l-1} h_{l-1} + feedback W_l^T h_{l+1})     y = W_{L-1} h_{L-1}     h_L = c
        "free":  c = y            "clamped":  c = y - dloss/dy,   which is the target if the loss is the squared error
        dW_l = eta feedback^(l + 1 - L) (h_{l+1} h_l^T in "clamped" - h_{l+1} h_l^T in "free")

    With weak feedback the changes are those of backpropagation: those of lower layers are small by a power of the
    feedback, for which the factor makes up.

    Args:
        layers: the sizes of the populations, including input and output.
        eta: the learning rate.
        feedback: the strength of the feedback, which is small.
        iterations: how many times each phase computes the activities.
        gain: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        activation: the activation f of the hidden populations.
        loss: the loss, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import contrastive_hebbian
        >>> contrastive_hebbian([64, 32, 10]).projection("B1").delay
        1

    Source: Xie & Seung (2003), Neural Computation 15(2):441-454. Here activities are iterated instead of integrated,
    the output is linear, and with the cross-entropy it is moved by -dloss/dy instead of clamped to a target.
    """
    depth, motif = len(layers) - 1, cs.Motif(name)
    motif.add(cs.Population("up0", layers[0]))
    motif.add(*(cs.Population(f"up{k}", layers[k], activation=activation) for k in range(1, depth)))
    motif.add(cs.Population(f"up{depth}", layers[-1]), cs.Population("error", layers[-1], "descending"))
    motif.add(cs.Population("clamp", layers[-1], "descending"), cs.Objective(f"up{depth}", "error", loss))

    one_to_one = {"connectivity": cs.OneToOne(), "init": cs.Identity(), "plastic": False}
    motif.connect(f"up{depth}", "clamp", name="Y", **one_to_one)
    motif.connect("error", "clamp", name="E", **one_to_one)
    motif.connect("clamp", f"up{depth}", name="C", compartment="dendrite", **one_to_one)
    for k in range(depth):
        post, above = ("post", f"up{k + 1}") if k + 1 < depth else ("I_C", "clamp")
        rule = cs.Rule(f"eta * (in_clamped - in_free) * {post} * pre", eta=eta * feedback ** (k + 1 - depth))
        motif.connect(f"up{k}", f"up{k + 1}", name=f"W{k}", rule=rule, init=cs.Gaussian(gain))
        if k:
            tie = cs.Derived(f"W{k}", transpose=True)
            motif.connect(above, f"up{k}", name=f"B{k}", tied_to=tie, delay=1)

    drives = {p.name: feedback if p.name[0] == "B" else 1.0 for p in motif.projections if p.name[0] in "WBY"}
    motif.add(cs.Phase("free", soma=drives, repeat=iterations, apply="step"))
    motif.add(cs.Phase("clamped", soma=drives | {"E": 1.0}, repeat=iterations, apply="step"))
    return motif
