"""Predictive coding: values settle until they agree with what the layer below predicts and the layer above needs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs


def predictive_coding(
    layers: Sequence[int],
    *,
    eta: float = 0.2,
    iterations: int = 6,
    rate: float = 0.2,
    gain: float = math.sqrt(2),
    activation: str = "relu",
    loss: str = "cross_entropy",
    name: str = "predictive_coding",
) -> cs.Motif:
    """Hidden values v start at their predictions m and move down the energy, the sum of (v - m)^2 / 2 and the loss::

        m_{l+1} = W_l f(v_l)        e_l = v_l - m_l        (e of the output is minus the gradient of the loss)
        v_l <- v_l + rate (f'(v_l) W_l^T e_{l+1} - e_l)    dW_l = eta e_{l+1} f(v_l)^T

    For each hidden layer there are populations for the prediction `m`, the value `v`, its firing rate `up`, the error
    `e`, and the error that comes from above, `g`.

    Args:
        layers: the sizes of the ascending populations, including input and output.
        eta: the learning rate.
        iterations: how many times the values move before the weights change.
        rate: the step of an iteration.
        gain: the gain of the initial weights, whose standard deviation is gain / sqrt(fan-in).
        activation: the activation f of the hidden populations.
        loss: the loss, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import predictive_coding
        >>> [(phase.name, phase.repeat) for phase in predictive_coding([64, 32, 10]).phases]
        [('predict', 1), ('infer', 6)]

    Source: Whittington & Bogacz (2017), Neural Computation 29(5). Here the variances are 1, and the output is a
    prediction that is compared with the target by `loss`.
    """
    depth, motif = len(layers) - 1, cs.Motif(name)
    motif.add(cs.Population("up0", layers[0]))
    for k, n in enumerate(layers[1:-1], 1):  # first in each iteration: from the values and errors of the last one
        motif.add(cs.Population(f"g{k}", n, "descending", activation=cs.GatedBy(f"up{k}")))
    for k, n in enumerate(layers[1:-1], 1):
        motif.add(cs.Population(f"m{k}", n))
        motif.add(cs.Population(f"v{k}", n, activation=f"previous + {rate} * (drive - activity_e{k})"))
        motif.add(cs.Population(f"up{k}", n, activation=activation))
        motif.add(cs.Population(f"e{k}", n, "descending", activation=f"activity_v{k} - activity_m{k}"))
    motif.add(cs.Population(f"up{depth}", layers[-1]), cs.Population(f"e{depth}", layers[-1], "descending"))
    motif.add(cs.Objective(f"up{depth}", f"e{depth}", loss))

    one_to_one = {"connectivity": cs.OneToOne(), "init": cs.Identity(), "plastic": False}
    for k in range(depth):
        post = f"m{k + 1}" if k + 1 < depth else f"up{depth}"
        rule = cs.Rule(f"eta * I_E{k + 1} * pre", eta=eta)
        motif.connect(f"up{k}", post, name=f"W{k}", rule=rule, init=cs.Gaussian(gain))
        motif.connect(f"e{k + 1}", post, name=f"E{k + 1}", compartment="dendrite", **one_to_one)
    for k in range(1, depth):
        motif.connect(f"m{k}", f"v{k}", name=f"P{k}", **one_to_one)
        motif.connect(f"v{k}", f"up{k}", name=f"R{k}", **one_to_one)
        motif.connect(f"e{k + 1}", f"g{k}", name=f"B{k}", tied_to=cs.Derived(f"W{k}", transpose=True), delay=1)
        motif.connect(f"g{k}", f"v{k}", name=f"D{k}", **one_to_one)

    drives = {p.name: 1.0 for p in motif.projections if p.name[0] in "WRB"}
    motif.add(cs.Phase("predict", soma=drives | {f"P{k}": 1 / rate for k in range(1, depth)}, plastic=[]))
    motif.add(cs.Phase("infer", soma=drives | {f"D{k}": 1.0 for k in range(1, depth)}, repeat=iterations))
    return motif
