"""Sanger's rule: each neuron learns from what the neurons before it leave of the input: the next component."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def sanger(layers: Sequence[int], *, eta: float = 0.005, gain_W: float = 0.5, name: str = "sanger") -> cs.Motif:
    """The generalized Hebbian algorithm, with the sum over earlier neurons as inhibition of a copy of the input::

        y_i = w_i x        r_i = r_{i-1} - w_i^T y_i,  r_0 = x
        dw_i = eta y_i r_i = eta y_i (x - sum_{k <= i} y_k w_k)

    The rows w_i converge to the eigenvectors of E[x x^T] in the order of their eigenvalues. Each neuron y_i is a
    population of size 1 with a population r_i of the size of the input, onto which it projects with -w_i^T. The
    synapses R_i from r_i onto the dendrite of y_i learn, and W_i, from the input, is tied to them.

    Args:
        layers: [input, output]; sizes between them are ignored.
        eta: the learning rate; eta times the largest eigenvalue of E[x x^T] must be well below 1.
        gain_W: the gain of the initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import sanger
        >>> [p.name for p in sanger([64, 2]).populations]
        ['r0', 'y1', 'r1', 'y2', 'r2']

    Source: Sanger (1989), Neural Networks 2(6):459-473.
    """
    motif = cs.Motif(name)
    motif.add(cs.Population("r0", layers[0]))
    for k in range(1, layers[-1] + 1):
        y, left = motif.add(cs.Population(f"y{k}", 1), cs.Population(f"r{k}", layers[0]))
        motif.connect(
            left, y, name=f"R{k}", compartment="dendrite", rule=cs.Rule("eta * post * pre", eta=eta),
            init=cs.Gaussian(gain_W),
        )  # fmt: skip
        motif.connect("r0", y, name=f"W{k}", tied_to=cs.Derived(f"R{k}"))
        motif.connect(f"r{k - 1}", left, name=f"C{k}", connectivity=cs.OneToOne(), init=cs.Identity(), plastic=False)
        motif.connect(y, left, name=f"I{k}", tied_to=cs.Derived(f"R{k}", transpose=True, scale=-1.0))
    return motif
