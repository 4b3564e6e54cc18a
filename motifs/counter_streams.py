"""Counter-streams: a stream up and a stream down gate each other, and one counter-Hebbian rule teaches both."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs


def counter_streams(
    layers: Sequence[int],
    *,
    tasks: int = 0,
    eta: float = 0.2,
    gamma: float = 1e-4,
    gain_W: float = math.sqrt(2),
    gain_Wt: float = 1.0,
    loss: str = "cross_entropy",
    name: str = "counter_streams",
) -> cs.Motif:
    """An instruction goes down, the input goes up through the neurons that it has chosen, and the error comes down::

        t_l = max(Wt_l t_{l+1}, 0)        t_{L-1} = max(T task, 0)
        h_l = max(W_{l-1} h_{l-1}, 0) where t_l > 0, else 0                y = h_L = W_{L-1} h_{L-1}
        g_l = Wt_l g_{l+1} where h_l > 0, else 0                           g_L = -dloss/dy
        dW_l = eta (g_{l+1} h_l^T - gamma W_l)        dWt_l = eta (h_l g_{l+1}^T - gamma Wt_l)

    A synapse of either stream learns from its presynaptic neuron and from the counterpart, in the other stream, of its
    postsynaptic neuron. So W and Wt^T change alike, and forget their different starts by decay. Without tasks nothing
    is switched off, and the circuit learns as `motifs.kolen_pollack`.

    Args:
        layers: the sizes of the ascending populations, including input and output.
        tasks: the number of instructions; above 0, a population `task` of this size is an input, and the circuit needs
            a hidden layer.
        eta, gamma: the learning rate and the decay rate of both streams.
        gain_W, gain_Wt: the gains of the initial weights, with standard deviations gain_W / sqrt(fan-in) and
            gain_Wt / sqrt(fan-out).
        loss: the loss, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Raises:
        MotifError: there are tasks, but no hidden layer.
    Example:
        >>> from motifs import counter_streams
        >>> counter_streams([64, 32, 10], tasks=2).population("up1").activation
        'relu(drive) * (activity_guide1 > 0)'

    Source: Abel & Ullman (2024), "Biologically inspired learning model for instructed vision", NeurIPS, arXiv
    2306.02415. There one descending stream makes both passes; here the populations `guide` make the first one, with
    the same weights. There are biases, and T goes through an embedding.
    """
    depth, motif = len(layers) - 1, cs.Motif(name)
    if tasks and depth < 2:
        raise cs.MotifError(f"{name}: tasks need a hidden layer to choose from (got layers {list(layers)})")
    up, down = {"init": cs.Gaussian(gain_W)}, {"init": cs.Gaussian(gain_Wt, scaling="fan_out")}
    one_to_one = {"connectivity": cs.OneToOne(), "init": cs.Identity(), "plastic": False, "compartment": "dendrite"}
    for k, size in enumerate(layers):
        chosen = f"relu(drive) * (activity_guide{k} > 0)" if tasks else "relu"
        motif.add(cs.Population(f"up{k}", size, activation=chosen if 0 < k < depth else "linear"))
    for k in range(1, depth):
        motif.add(cs.Population(f"down{k}", layers[k], "descending", activation=cs.GatedBy(f"up{k}")))
    motif.add(cs.Population(f"down{depth}", layers[-1], "descending"))
    motif.add(cs.Objective(f"up{depth}", f"down{depth}", loss))
    for k in range(depth):
        counter_hebb = cs.Rule(f"eta * (I_V{k + 1} * pre - gamma * w)", eta=eta, gamma=gamma)
        motif.connect(f"up{k}", f"up{k + 1}", name=f"W{k}", rule=counter_hebb, **up)
        motif.connect(f"down{k + 1}", f"up{k + 1}", name=f"V{k + 1}", **one_to_one)
    for k in range(1, depth):
        counter_hebb = cs.Rule(f"eta * (I_Vt{k} * pre - gamma * w)", eta=eta, gamma=gamma)
        motif.connect(f"down{k + 1}", f"down{k}", name=f"Wt{k}", rule=counter_hebb, **down)
        motif.connect(f"up{k}", f"down{k}", name=f"Vt{k}", **one_to_one)
    if tasks:
        motif.add(cs.Population("task", tasks))
        motif.add(*(cs.Population(f"guide{k}", layers[k], activation="relu") for k in range(1, depth)))
        motif.connect("task", f"guide{depth - 1}", name="T", init=cs.Gaussian(1.0), plastic=False)
        for k in range(1, depth - 1):
            motif.connect(f"guide{k + 1}", f"guide{k}", name=f"G{k}", tied_to=cs.Derived(f"Wt{k}"))
    return motif
