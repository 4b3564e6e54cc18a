"""Dendritic microcircuits: interneurons cancel the feedback that they predict, and what is left over is the error."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def dendritic_microcircuit(
    layers: Sequence[int],
    *,
    eta: float = 0.1,
    eta_IP: float = 1.0,
    eta_PI: float = 0.01,
    apical: float = 0.3,
    nudge: float = 0.2,
    iterations: int = 6,
    gain: float = 1.0,
    loss: str = "cross_entropy",
    name: str = "dendritic_microcircuit",
) -> cs.Motif:
    """Pyramidal cells r with apical dendrites a, and interneurons i that learn to imitate the layer above::

        r_l = f(W_{l-1} r_{l-1} + apical a_l)                 y = W_{L-1} r_{L-1},  r_L = y - nudge dloss/dy in "teach"
        i_l = (1 - nudge) f(IP_l r_l) + nudge r_{l+1}         a_l = B_l r_{l+1} + (PI_l - B_l) i_l
        "predict":  dIP_l = eta_IP (i_l - f(IP_l r_l)) r_l^T        dPI_l = -eta_PI a_l i_l^T
        "teach":    dW_{l-1} = eta / (nudge apical^(L-l)) (r_l - f(W_{l-1} r_{l-1})) r_{l-1}^T

    with f = tanh, and linear at the output. Without a teacher, apical dendrites become silent. With one, they hold B_l
    times the deviation of the layer above, and so each neuron deviates from the prediction of its basal dendrite, which
    W learns from. The circuit starts where it predicts itself: W_l = IP_l = B_l^T, and PI_l = 0, beside -B_l.

    Args:
        layers: the sizes of the populations, including input and output.
        eta: the learning rate of W.
        eta_IP, eta_PI: the learning rates of the synapses onto and from interneurons.
        apical: the conductance of the apical dendrite relative to the basal one.
        nudge: the strength of the teacher at the output, and of the layer above at interneurons.
        iterations: how many times each phase computes the activities.
        gain: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        loss: the loss, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import dendritic_microcircuit
        >>> dendritic_microcircuit([64, 32, 10]).projection("PI1").rule
        Rule('-eta * post * pre', eta=0.01)

    Source: Sacramento, Ponte Costa, Bengio & Senn (2018), "Dendritic cortical microcircuits approximate the
    backpropagation algorithm", NeurIPS, arXiv 1810.11393. There neurons integrate in time, conductances leak (here that
    is part of the weights), all synapses change at once, and feedback starts at random.
    """
    depth, motif = len(layers) - 1, cs.Motif(name)
    one_to_one = {"connectivity": cs.OneToOne(), "init": cs.Identity(), "plastic": False}
    for k, size in enumerate(layers):
        motif.add(cs.Population(f"up{k}", size, activation="tanh" if 0 < k < depth else "linear"))
    motif.add(cs.Population("error", layers[-1], "descending"), cs.Objective(f"up{depth}", "error", loss))
    for k in range(depth):
        basal = f"tanh(I_W{k})" if k + 1 < depth else f"I_W{k}"
        scale = nudge * apical ** (depth - 1 - k)
        rule = cs.Rule(f"eta * (post - {basal}) * pre", eta=eta / scale)
        motif.connect(
            f"up{k}", f"up{k + 1}", name=f"W{k}", rule=rule, init=cs.TransposeOf(f"B{k}") if k else cs.Gaussian(gain)
        )
    motif.connect("error", f"up{depth}", name="T", delay=1, **one_to_one)
    for k in range(1, depth):
        f, basal = ("tanh(drive)", f"tanh(I_IP{k})") if k + 1 < depth else ("drive", f"I_IP{k}")
        imitates = f"{1 - nudge} * {f} + {nudge} * activity_up{k + 1}"
        inter = motif.add(cs.Population(f"i{k}", layers[k + 1], activation=imitates))
        dendrite = motif.add(cs.Population(f"a{k}", layers[k], "descending"))
        rule = cs.Rule(f"eta * (post - {basal}) * pre", eta=eta_IP)
        motif.connect(f"up{k}", inter, name=f"IP{k}", rule=rule, init=cs.TransposeOf(f"B{k}"))
        motif.connect(f"up{k + 1}", dendrite, name=f"B{k}", init=cs.Gaussian(gain, scaling="fan_out"), plastic=False)
        motif.connect(inter, dendrite, name=f"PB{k}", tied_to=cs.Derived(f"B{k}", scale=-1.0))
        rule = cs.Rule("-eta * post * pre", eta=eta_PI)
        motif.connect(inter, dendrite, name=f"PI{k}", rule=rule, init=cs.Constant(0.0))
        motif.connect(dendrite, f"up{k}", name=f"D{k}", delay=1, **one_to_one)

    drives = {p.name: apical if p.name[0] == "D" else 1.0 for p in motif.projections if p.name != "T"}
    weights = [f"W{k}" for k in range(depth)]
    others = [f"{name}{k}" for k in range(1, depth) for name in ("IP", "PI")]
    motif.add(cs.Phase("predict", soma=drives, plastic=others, repeat=iterations, apply="iteration"))
    motif.add(cs.Phase("teach", soma=drives | {"T": nudge}, plastic=weights, repeat=iterations))
    return motif
