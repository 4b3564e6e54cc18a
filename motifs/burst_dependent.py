"""Burst-dependent plasticity: events carry the input up, and bursts carry the error down the same axons."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def burst_dependent(
    layers: Sequence[int],
    *,
    eta: float = 1.0,
    steepness: float = 4.0,
    gain_W: float = 2.0,
    gain_Y: float = 3.0,
    loss: str = "cross_entropy",
    name: str = "burst_dependent",
) -> cs.Motif:
    """Neurons have an event rate e from below, and a burst probability p from above, 1/2 where nothing is learned::

        e_l = f(W_{l-1} e_{l-1})        b_l = p_l e_l        p_l = f(steepness (1 - e_l) Y_l (b_{l+1} - e_{l+1} / 2))
        at the output:  e_L = y = W_{L-1} e_{L-1}            b_L = e_L / 2 - dloss/dy
        dW_l = eta (b_{l+1} - e_{l+1} / 2) e_l^T

    f is the sigmoid function, whose slope e (1 - e) is divided between p_l and b_l. Bursts come down by Y, and events
    by Q, which inhibits with half of the strength.

    Args:
        layers: the sizes of the populations, including input and output.
        eta: the learning rate.
        steepness: the steepness of the burst probability; 4 keeps the size of small errors.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        gain_Y: the gain of the fixed feedback Y, whose standard deviation is gain / sqrt(fan-out).
        loss: the loss, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import burst_dependent
        >>> burst_dependent([64, 32, 10]).projection("Q1").tied_to.scale
        -0.5

    Source: Payeur, Guerguiev, Zenke, Richards & Naud (2021), Nat. Neurosci. 24:1010-1019; without phases, by feedback
    of events: Greedy, Zhu, Pemberton, Mellor & Costa (2022), "Single-phase deep learning in cortico-cortical networks"
    (BurstCCN), NeurIPS, arXiv 2206.11769. Here Y is fixed and Q tied to it, while there both may learn, and the linear
    output has the error itself as its surplus of bursts.
    """
    depth, motif = len(layers) - 1, cs.Motif(name)
    for k, size in enumerate(layers):
        motif.add(cs.Population(f"up{k}", size, activation="sigmoid" if 0 < k < depth else "linear"))
    motif.add(cs.Population("error", layers[-1], "descending"), cs.Objective(f"up{depth}", "error", loss))
    motif.add(cs.Population(f"b{depth}", layers[-1], "descending"))
    one_to_one = {"connectivity": cs.OneToOne(), "plastic": False}
    motif.connect("error", f"b{depth}", name="E", init=cs.Identity(), **one_to_one)
    motif.connect(f"up{depth}", f"b{depth}", name="P", init=cs.Constant(0.5), **one_to_one)
    for k in range(depth - 1, 0, -1):
        probability = f"(1 + tanh({steepness / 2} * (1 - activity_up{k}) * drive)) / 2"
        motif.add(cs.Population(f"p{k}", layers[k], "descending", activation=probability))
        motif.add(cs.Population(f"b{k}", layers[k], "descending", activation=f"activity_p{k} * activity_up{k}"))
        feedback = cs.Gaussian(gain_Y, scaling="fan_out")
        motif.connect(f"b{k + 1}", f"p{k}", name=f"Y{k}", init=feedback, plastic=False)
        motif.connect(f"up{k + 1}", f"p{k}", name=f"Q{k}", tied_to=cs.Derived(f"Y{k}", scale=-0.5))
    for k in range(depth):
        dendrite = {"compartment": "dendrite", "init": cs.Identity(), **one_to_one}
        motif.connect(f"b{k + 1}", f"up{k + 1}", name=f"B{k + 1}", **dendrite)
        rule = cs.Rule(f"eta * (I_B{k + 1} - post / 2) * pre", eta=eta)
        motif.connect(f"up{k}", f"up{k + 1}", name=f"W{k}", rule=rule, init=cs.Gaussian(gain_W))
    return motif
