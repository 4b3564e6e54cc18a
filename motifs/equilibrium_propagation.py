"""Equilibrium propagation: a symmetric network settles freely, and again while its output is nudged."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def equilibrium_propagation(
    layers: Sequence[int],
    *,
    eta: float | Sequence[float] = 0.1,
    beta: float = 0.2,
    centred: bool = False,
    free: int = 20,
    nudged: int = 10,
    rate: float = 1.0,
    gain: float = 0.5,
    sharpness: float = 3.0,
    loss: str = "cross_entropy",
    name: str = "equilibrium_propagation",
) -> cs.Motif:
    """Activities s settle where s = clip(input, 0, 1); a synapse compares two states of its own two neurons::

        s_l <- clip(s_l + rate (W_{l-1} s_{l-1} + W_l^T s_{l+1} - s_l), 0, 1)
        phase "nudged":  the output s_L receives -beta dloss/ds_L as well
        dW_l = eta / beta (s_{l+1} s_l^T in "nudged" - s_{l+1} s_l^T in "free")

    The fixed points are minima of the energy sum s^2 / 2 - sum s_{l+1}^T W_l s_l, because feedback weights are tied to
    W^T. With small beta and phases that have settled, the changes follow the gradient of the loss. With `centred`
    there is a third phase "opposed", nudged by -beta, and dW_l = eta / (2 beta) ("nudged" - "opposed"), which is
    right up to beta^2. The loss is that of the output population `up`, which reads sharpness * s_L, as activities
    between 0 and 1 make poor logits.

    Args:
        layers: the sizes of the populations, including input and output.
        eta: the learning rate, or one for each W.
        beta: the strength of the nudge.
        centred: whether to compare two nudges of opposite signs.
        free: the iterations of the free phase.
        nudged: the iterations of a nudged phase; the opposed one, which has to come back first, takes twice as many.
        rate: the step of an iteration, at most 1.
        gain: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        sharpness: the factor between s_L and the output; 1 suits the squared error (``loss="mse"``).
        loss: the loss, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Raises:
        MotifError: there is not one eta for each W.
    Example:
        >>> from motifs import equilibrium_propagation
        >>> [(phase.name, phase.repeat) for phase in equilibrium_propagation([64, 32, 10]).phases]
        [('free', 20), ('nudged', 10)]

    Source: Scellier & Bengio (2017), Front. Comput. Neurosci. 11:24; centred: Laborieux et al. (2021), Front.
    Neurosci. 15:633674. Here populations are updated one after the other (input to output), with a step of 1 by
    default and the nudge one iteration late, weights have no biases, and by default the loss is the cross-entropy.
    """
    depth, motif = len(layers) - 1, cs.Motif(name)
    settle = f"clip(previous + {rate} * (drive - previous), 0, 1)"
    motif.add(
        cs.Population("s0", layers[0]),
        *(cs.Population(f"s{k}", layers[k], activation=settle) for k in range(1, depth + 1)),
    )
    motif.add(cs.Population("up", layers[-1]), cs.Population("error", layers[-1], "descending"))
    motif.add(cs.Objective("up", "error", loss))

    contrast = "(in_nudged - in_opposed) / (2 * beta)" if centred else "(in_nudged - in_free) / beta"
    etas = [eta] * depth if isinstance(eta, int | float) else eta
    if len(etas) != depth:
        raise cs.MotifError(f"{name}: eta needs one rate for each of the {depth} W, or one for all (got {eta!r})")
    for k in range(depth):
        rule = cs.Rule(f"eta * {contrast} * post * pre", eta=etas[k], beta=beta)
        motif.connect(f"s{k}", f"s{k + 1}", name=f"W{k}", rule=rule, init=cs.Gaussian(gain))
    for k in range(1, depth):
        motif.connect(f"s{k + 1}", f"s{k}", name=f"B{k}", tied_to=cs.Derived(f"W{k}", transpose=True), delay=1)
    scaled = {"connectivity": cs.OneToOne(), "init": cs.Constant(sharpness), "plastic": False}
    motif.connect(f"s{depth}", "up", name="R", **scaled)
    motif.connect("error", f"s{depth}", name="N", delay=1, **scaled)

    drives = dict.fromkeys([p.name for p in motif.projections if p.name != "N"], 1.0)
    motif.add(cs.Phase("free", soma=drives, repeat=free, apply="step"))
    motif.add(cs.Phase("nudged", soma=drives | {"N": beta}, repeat=nudged, apply="step"))
    if centred:
        motif.add(cs.Phase("opposed", soma=drives | {"N": -beta}, repeat=2 * nudged, apply="step"))
    return motif
