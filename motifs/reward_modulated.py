"""Reward-modulated learning, which correlates exploratory noise with a scalar reward."""

from __future__ import annotations

import math
from collections.abc import Sequence

import circuitsim as cs


def reward_modulated(
    layers: Sequence[int],
    *,
    eta: float = 0.3,
    tau: float = 20.0,
    noise: float = 0.3,
    gain_W: float = math.sqrt(2),
    activation: str = "relu",
    name: str = "reward_modulated",
) -> cs.Motif:
    """A three-factor rule, (reward - baseline) x noise of the postsynaptic neuron x presynaptic activity::

        dW_l = eta (reward - baseline) xi_{l+1} h_l^T,   with the noise xi that reaches the soma through N_{l+1}

    The reward is the signal "reward", one number per sample, which the user passes to each step. It usually depends on
    the output, so it may be a function of the circuit, as in ``circuit.step(x, signals={"reward": f})``. The baseline
    is a state of every neuron that tracks the mean reward and only reduces the variance.

    Args:
        layers: the sizes of the populations, including input and output.
        eta: the learning rate.
        tau: the time constant of the baseline, in steps.
        noise: the standard deviation of the exploratory noise at the soma.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        activation: the activation of the hidden populations.
        name: the name of the motif.
    Returns:
        The motif; its signal "reward" must be passed to each step, or to `cs.fit`.
    Example:
        >>> import torch
        >>> import circuitsim as cs
        >>> from motifs import reward_modulated
        >>> circuit = cs.compile(reward_modulated([4, 3, 2]), seed=0)
        >>> def reward(circuit):
        ...     return -circuit.activity("up2").square().sum(-1)
        >>> result = circuit.step(torch.ones(8, 4), signals={"reward": reward})

    Source: Williams (1992), REINFORCE; Fiete & Seung (2006), Phys. Rev. Lett. 97:048104 (noise at the soma, reward as
    third factor); Frémaux & Gerstner (2016) for the family of rules.
    """
    depth = len(layers) - 1
    motif = cs.Motif(name)
    motif.add(cs.Signal("reward"))
    for k, size in enumerate(layers):
        baseline = cs.State("baseline + (reward - baseline) / tau", tau=tau)
        hidden = 0 < k < depth
        motif.add(
            cs.Population(
                f"up{k}", size, activation=activation if hidden else "linear", state={"baseline": baseline} if k else {}
            )
        )
    for k in range(depth):
        motif.add(cs.Population(f"noise{k + 1}", layers[k + 1]))
        motif.connect(f"noise{k + 1}", f"up{k + 1}", name=f"N{k + 1}", init=cs.Identity(), connectivity=cs.OneToOne())
        motif.connect(
            f"up{k}", f"up{k + 1}", name=f"W{k}", init=cs.Gaussian(gain_W),
            rule=cs.Rule(f"eta * (reward - baseline_post) * I_N{k + 1} * pre", eta=eta),
        )  # fmt: skip
    motif.add(cs.Phase("cycle", noise={f"noise{k}": noise for k in range(1, depth + 1)}))
    return motif
