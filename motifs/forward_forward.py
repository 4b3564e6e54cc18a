"""Forward-forward: each layer learns to be active for an image with its label, and silent with a wrong one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import circuitsim as cs


def forward_forward(
    layers: Sequence[int],
    *,
    eta: float = 0.03,
    eta_out: float = 0.3,
    threshold: float = 2.0,
    label: float = 1.0,
    gain_W: float = math.sqrt(2),
    loss: str = "cross_entropy",
    name: str = "forward_forward",
) -> cs.Motif:
    """Three forward passes; with its label, an image should make each layer better than a threshold, else worse::

        h_l = max(W_{l-1} n_{l-1}, 0)        n_l = h_l sqrt(N_l) / |h_l|,  n_0 = x    (N_l: the size of the layer)
        p_l = 1 / (1 + exp(threshold N_l - |h_l|^2))    (h_1 receives the label as well, by L, which learns as W_0)
        "positive", the right label:  dW_{l-1} =  eta (1 - p_l) h_l n_{l-1}^T          (log p_l rises)
        "negative", a wrong label:    dW_{l-1} = -eta p_l h_l n_{l-1}^T                (log(1 - p_l) rises)
        "neutral", all labels alike:  y = W_{L-1} n_{L-1},  dW_{L-1} = eta_out e n_{L-1}^T

    The prediction is y, and e is minus the gradient of its loss; no error reaches a hidden layer. The wrong label is
    the one for which y in the neutral pass plus noise is largest.

    Args:
        layers: the sizes of the populations, including input and output, with one hidden layer or more.
        eta, eta_out: the learning rates of the hidden layers and of the output.
        threshold: the mean squared activity at which p is one half.
        label: the activity of the label that is shown; in the neutral pass it is divided among all.
        gain_W: the gain of the initial weights of hidden layers, whose standard deviation is gain / sqrt(fan-in).
        loss: the loss of y, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Raises:
        MotifError: there is no hidden layer.
    Example:
        >>> from motifs import forward_forward
        >>> [phase.name for phase in forward_forward([64, 32, 10]).phases]
        ['neutral', 'positive', 'negative']

    Source: Hinton (2022), "The forward-forward algorithm: some preliminary investigations", arXiv 2212.13345, sections
    2 and 3.3. There labels take the place of some pixels, the output reads all layers but the first, and wrong labels
    are drawn with the probabilities that it gives them.
    """
    depth, n, motif = len(layers) - 1, layers[-1], cs.Motif(name)
    if depth < 2:
        raise cs.MotifError(f"{name}: needs a hidden layer, which learns (got layers {list(layers)})")
    motif.add(cs.Population("up0", layers[0]), cs.Bias("all"), cs.Population("label", n, source="target"))
    motif.add(cs.Population("chance", n), cs.Population("wrong", n, activation="rank(drive) == 0"))
    motif.add(cs.Population("shown", n))
    for k, size in enumerate(layers[1:-1], 1):
        normalised = f"{math.sqrt(size)} * relu(drive) / (norm(relu(drive)) + 1e-12)"
        # the logistic function p, written with tanh because exp overflows; rules read (1 - p) h
        failed = f"relu(drive) * (1 - tanh((sum(relu(drive)**2) - {threshold * size}) / 2)) / 2"
        motif.add(cs.Population(f"up{k}", size, activation=normalised, trace=failed))
    motif.add(cs.Population(f"up{depth}", n), cs.Population("error", n, "descending"))
    motif.add(cs.Objective(f"up{depth}", "error", loss))

    goodness = cs.Rule("eta * (post - in_negative * relu(drive_post)) * activity_pre", eta=eta)
    delta = cs.Rule("eta * I_E * activity_pre", eta=eta_out)
    motif.connect("shown", "up1", name="L", rule=goodness, init=cs.Gaussian(gain_W))
    for k in range(depth - 1):
        motif.connect(f"up{k}", f"up{k + 1}", name=f"W{k}", rule=goodness, init=cs.Gaussian(gain_W))
    motif.connect(f"up{depth - 1}", f"up{depth}", name=f"W{depth - 1}", rule=delta, init=cs.Gaussian(1.0))
    motif.connect("all", "shown", name="All", init=cs.Constant(label / n), plastic=False)
    one_to_one: dict[str, Any] = {"connectivity": cs.OneToOne(), "plastic": False}
    motif.connect("error", f"up{depth}", name="E", compartment="dendrite", init=cs.Identity(), **one_to_one)
    for edge, pre, post, strength in (
        ("Right", "label", "shown", label), ("Wrong", "wrong", "shown", label),
        ("Not", "label", "wrong", -1e3), ("Likely", f"up{depth}", "wrong", 1.0), ("Xi", "chance", "wrong", 1.0),
    ):  # fmt: skip
        motif.connect(pre, post, name=edge, init=cs.Constant(strength), **one_to_one)

    hidden, top = [*(f"W{k}" for k in range(depth - 1)), "L"], f"W{depth - 1}"
    again: dict[str, Any] = {"plastic": hidden, "errors": False, "apply": "step"}
    motif.add(cs.Phase("neutral", soma=[*hidden, "All", top], plastic=[top], apply="step"))
    motif.add(cs.Phase("positive", soma=[*hidden, "Right"], **again))
    chosen = ["Not", "Likely", "Xi", "Wrong"]
    motif.add(cs.Phase("negative", soma=[*hidden, *chosen], noise={"chance": 1.0}, **again))
    return motif
