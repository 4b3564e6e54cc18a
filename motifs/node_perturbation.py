"""Node perturbation: noise at the somata is correlated with how it changes the loss."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs


def node_perturbation(
    layers: Sequence[int],
    *,
    eta: float = 0.1,
    noise: float = 0.1,
    gain_W: float = math.sqrt(2),
    activation: str = "relu",
    loss: str = "cross_entropy",
    name: str = "node_perturbation",
) -> cs.Motif:
    """A clean phase and a noisy one; the difference of their losses tells whether the noise xi was good::

        "clean":  h_l = f(W_{l-1} h_{l-1})        "noisy":  h_l = f(W_{l-1} h_{l-1} + xi_l)
        reward = loss in "clean" - loss in "noisy"        dW_l = eta / noise^2 reward xi_{l+1} h_l^T

    In the mean over the noise the change is minus the gradient of the loss. The loss is ``|error|^2 / 2``: the squared
    error of the output with ``loss="mse"``, that of the probabilities (Brier's score) with ``loss="cross_entropy"``.
    Population `loss` computes it, `clean` keeps it from one phase to the next, and `reward` is broadcast to dendrites.

    Args:
        layers: the sizes of the populations, including input and output.
        eta: the learning rate.
        noise: the standard deviation of the noise.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        activation: the activation f of the hidden populations.
        loss: the loss that the circuit is judged by, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import node_perturbation
        >>> node_perturbation([64, 32, 10]).projection("W0").rule
        Rule('eta * I_M1 * I_N1 * pre / noise**2', eta=0.1, noise=0.1)

    Source: Williams (1992), Machine Learning 8:229-256; Fiete & Seung (2006), Phys. Rev. Lett. 97:048104 (noise at the
    soma; there in time, without a clean phase).
    """
    depth, motif = len(layers) - 1, cs.Motif(name)
    for k, size in enumerate(layers):
        motif.add(cs.Population(f"up{k}", size, activation=activation if 0 < k < depth else "linear"))
    motif.add(cs.Population("error", layers[-1], "descending"), cs.Objective(f"up{depth}", "error", loss))
    motif.add(cs.Population("squared", layers[-1], "descending", activation="activity_error**2 / 2"))
    motif.add(*(cs.Population(name, 1, "descending") for name in ("loss", "clean", "reward")))
    fixed = {"init": cs.Constant(1.0), "plastic": False}
    motif.connect("squared", "loss", name="S", **fixed)
    motif.connect("loss", "clean", name="K", **fixed)
    motif.connect("clean", "reward", name="Before", **fixed)
    motif.connect("loss", "reward", name="After", init=cs.Constant(-1.0), plastic=False)
    for k in range(depth):
        xi, post = motif.add(cs.Population(f"xi{k + 1}", layers[k + 1])), f"up{k + 1}"
        motif.connect(xi, post, name=f"N{k + 1}", connectivity=cs.OneToOne(), init=cs.Identity(), plastic=False)
        motif.connect("reward", post, name=f"M{k + 1}", compartment="dendrite", **fixed)
        rule = cs.Rule(f"eta * I_M{k + 1} * I_N{k + 1} * pre / noise**2", eta=eta, noise=noise)
        motif.connect(f"up{k}", post, name=f"W{k}", rule=rule, init=cs.Gaussian(gain_W))

    weights, noises = [f"W{k}" for k in range(depth)], [f"N{k + 1}" for k in range(depth)]
    motif.add(cs.Phase("clean", soma=[*weights, "S", "K"], plastic=[]))
    motif.add(
        cs.Phase(
            "noisy", soma=[*weights, *noises, "S", "Before", "After"], noise={f"xi{k + 1}": noise for k in range(depth)}
        )
    )
    return motif
