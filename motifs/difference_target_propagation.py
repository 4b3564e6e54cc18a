"""Difference target propagation: learned inverses carry targets for activities down, instead of gradients."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def difference_target_propagation(
    layers: Sequence[int],
    *,
    eta: float = 0.1,
    eta_V: float = 0.05,
    step: float = 0.5,
    noise: float = 0.1,
    gain: float = 1.0,
    loss: str = "cross_entropy",
    name: str = "difference_target_propagation",
) -> cs.Motif:
    """Hidden activities h have targets t, which the inverse g carries down, corrected by what it gets wrong::

        h_l = tanh(W_{l-1} h_{l-1}),  y = W_{L-1} h_{L-1}        g_l(a) = tanh(V_l a), from layer l + 1 to layer l
        t_{L-1} = h_{L-1} - step W_{L-1}^T dloss/dy              t_l = h_l + g_l(t_{l+1}) - g_l(h_{l+1})
        dW_{l-1} = eta / step tanh'(W_{l-1} h_{l-1}) (t_l - h_l) h_{l-1}^T       dW_{L-1} = -eta dloss/dy h_{L-1}^T

    The inverse learns to restore a noisy copy c_l of h_l from f_{l+1} = tanh(W_l c_l)::

        dV_l = eta_V tanh'(V_l f_{l+1}) (c_l - g_l(f_{l+1})) f_{l+1}^T           c_l = h_l + noise

    Args:
        layers: the sizes of the populations, including input and output.
        eta: the learning rate of W.
        eta_V: the learning rate of V.
        step: how far the target of the uppermost hidden layer is from its activity, in units of its gradient.
        noise: the standard deviation of the noise.
        gain: the gain of the initial weights, whose standard deviation is gain / sqrt(fan-in).
        loss: the loss, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import difference_target_propagation
        >>> [p.name for p in difference_target_propagation([64, 32, 32, 10]).projections if p.is_plastic]
        ['W0', 'W1', 'W2', 'V1']

    Source: Lee, Zhang, Fischer & Bengio (2015), "Difference Target Propagation", ECML PKDD, arXiv 1412.7525. As there,
    the uppermost hidden layer receives the true gradient. Here W and V change together, and eta is divided by `step`.
    """
    depth, motif = len(layers) - 1, cs.Motif(name)
    for k, size in enumerate(layers):
        motif.add(cs.Population(f"up{k}", size, activation="tanh" if 0 < k < depth else "linear"))
    motif.add(cs.Population("error", layers[-1], "descending"), cs.Objective(f"up{depth}", "error", loss))
    one_to_one = {"connectivity": cs.OneToOne(), "plastic": False}
    for k in range(depth):
        rule = cs.Rule("eta * I_E * pre", eta=eta)
        if k + 1 < depth:
            rule = cs.Rule(f"eta / step * slope_post * (I_T{k + 1} - activity_post) * pre", eta=eta, step=step)
        motif.connect(f"up{k}", f"up{k + 1}", name=f"W{k}", rule=rule, init=cs.Gaussian(gain))
    motif.connect("error", f"up{depth}", name="E", compartment="dendrite", init=cs.Identity(), **one_to_one)
    for k in range(depth - 1, 0, -1):
        target = motif.add(cs.Population(f"t{k}", layers[k], "descending"))
        motif.connect(f"up{k}", target, name=f"H{k}", init=cs.Identity(), **one_to_one)
        motif.connect(target, f"up{k}", name=f"T{k}", compartment="dendrite", init=cs.Identity(), **one_to_one)
        if k + 1 == depth:
            motif.connect("error", target, name=f"B{k}", tied_to=cs.Derived(f"W{k}", transpose=True, scale=step))
            continue
        copy = motif.add(cs.Population(f"c{k}", layers[k]))
        image = motif.add(cs.Population(f"f{k + 1}", layers[k + 1], activation="tanh"))
        restored = motif.add(cs.Population(f"g{k}", layers[k], "descending", activation="tanh"))
        motif.connect(f"up{k}", copy, name=f"N{k}", init=cs.Identity(), **one_to_one)
        motif.connect(copy, image, name=f"F{k}", tied_to=cs.Derived(f"W{k}"))
        rule = cs.Rule(f"eta * slope_post * (I_C{k} - activity_post) * pre", eta=eta_V)
        motif.connect(image, restored, name=f"V{k}", rule=rule, init=cs.Gaussian(gain))
        motif.connect(copy, restored, name=f"C{k}", compartment="dendrite", init=cs.Identity(), **one_to_one)
        for source, sign in ((f"t{k + 1}", 1.0), (f"up{k + 1}", -1.0)):
            inverse = motif.add(cs.Population(f"g{k}_{source}", layers[k], "descending", activation="tanh"))
            motif.connect(source, inverse, name=f"V{k}_{source}", tied_to=cs.Derived(f"V{k}"))
            motif.connect(inverse, target, name=f"D{k}_{source}", init=cs.Constant(sign), **one_to_one)
    motif.add(cs.Phase("cycle", noise={f"c{k}": noise for k in range(1, depth - 1)}))
    return motif
