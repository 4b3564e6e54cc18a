"""SoftHebb: the neurons of a layer compete softly; the winner moves towards its input, and the others move away."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def softhebb(
    layers: Sequence[int],
    *,
    eta: float = 0.1,
    sharpness: float = 3.0,
    tau: float = 20.0,
    gain_W: float = 8.0,
    name: str = "softhebb",
) -> cs.Motif:
    """Layers that learn from inputs alone, by competition for each sample::

        u = W_{l-1} h_{l-1}        y = softmax(sharpness u), with a minus sign for all but the largest
        dw_i = eta sqrt(| |w_i| - 1 |) y_i (h_{l-1} - u_i w_i)
        r = max(u - (mean of u over the layer), 0)        h_l = (r - m) / sqrt(v + 1e-5)

    m and v are running averages of the mean and variance of each neuron's r. The length of a neuron's weights goes to
    1, and its rate falls on the way; so it should start far from 1.

    Args:
        layers: the sizes of the populations, from the input on.
        eta: the learning rate.
        sharpness: the inverse temperature of the competition.
        tau: the time constant of the averages, in steps.
        gain_W: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import softhebb
        >>> softhebb([64, 32]).population("up1").trace
        '(2 * (rank(drive) == 0) - 1) * softmax(3.0 * drive)'

    Source: Journé, Garcia Rodriguez, Guo & Moraitis (2023), "Hebbian deep learning without feedback", ICLR, arXiv
    2209.11883. There layers are convolutional, with pooling and a power of r, learn one after the other, and changes
    are scaled by the largest one; here all layers learn at once.
    """
    motif = cs.Motif(name)
    motif.add(cs.Population("up0", layers[0]))
    scaled_rate = "eta * sqrt(abs(sqrt(sum_in(w**2)) - 1))"
    hebb = cs.Rule(f"{scaled_rate} * post * (activity_pre - drive_post * w)", eta=eta)
    for k, size in enumerate(layers[1:], 1):
        r = f"relu(drive - sum(drive) / {size})"
        m = cs.State(f"m + ({r} - m) / tau", tau=tau)
        v = cs.State(f"v + (({r} - m)**2 - v) / tau", start=1.0, tau=tau)
        competition = f"(2 * (rank(drive) == 0) - 1) * softmax({sharpness} * drive)"
        normalised = f"({r} - m) / sqrt(v + 1e-5)"
        motif.add(cs.Population(f"up{k}", size, activation=normalised, trace=competition, state={"m": m, "v": v}))
        motif.connect(f"up{k - 1}", f"up{k}", name=f"W{k - 1}", rule=hebb, init=cs.Gaussian(gain_W))
    return motif
