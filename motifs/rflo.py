"""Random feedback local online learning (RFLO): a recurrent network that learns sequences from local eligibility."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def rflo(
    layers: Sequence[int],
    *,
    eta: float = 0.03,
    tau: float = 5.0,
    gain: float = 1.5,
    gain_B: float = 1.0,
    activation: str = "tanh(drive)",
    loss: str = "mse",
    name: str = "rflo",
) -> cs.Motif:
    """A leaky recurrent population h, whose synapses remember for each sample how they have moved it::

        u(t) = W x(t) + R h(t-1)        h(t) = (1 - 1/tau) h(t-1) + f(u(t)) / tau        y(t) = U h(t)
        p_ij(t) = (1 - 1/tau) p_ij(t-1) + f'(u_i(t)) h_j(t-1) / tau      (of R; of W with x_j(t) in place of h_j(t-1))
        dR_ij = eta [B e(t)]_i p_ij(t)      dW_ij = eta [B e(t)]_i p_ij(t)      dU = eta e(t) h(t)^T

    at every time step, with fixed random feedback B and the error e, minus the gradient of the loss at y.

    Args:
        layers: the sizes of the input, of the recurrent population and of the output.
        eta: the learning rate.
        tau: the time constant, in time steps.
        gain: the gain of the initial weights of R, whose standard deviation is gain / sqrt(fan-in).
        gain_B: that of the feedback.
        activation: f, an expression in `drive`.
        loss: the loss, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif, whose input is a sequence ``[batch, time, input]``.
    Raises:
        MotifError: there are not three sizes.
    Example:
        >>> from motifs import rflo
        >>> print(rflo([2, 50, 1]).projection("R").state["p"].update)
        (1 - 1 / tau) * p + slope_post * pre

    Source: Murray (2019), eLife 8:e43299, equations 1 to 5. Here a batch of samples shares each change.
    """
    if len(layers) != 3:
        raise cs.MotifError(
            f"{name}: layers must be the sizes of the input, of the recurrent population and of the output "
            f"(got {list(layers)})"
        )
    n_in, n_hidden, n_out = layers
    motif = cs.Motif(name)
    leaky = f"previous + ({activation} - previous) / {tau}"
    motif.add(cs.Population("x", n_in), cs.Population("h", n_hidden, activation=leaky))
    motif.add(cs.Population("y", n_out), cs.Population("e", n_out, "descending"), cs.Objective("y", "e", loss))

    eligible = cs.State("(1 - 1 / tau) * p + slope_post * pre", per_sample=True, tau=tau)  # the slope of h is f' / tau
    learns = {"rule": cs.Rule("eta * I_B * p", eta=eta), "state": {"p": eligible}}
    motif.connect("x", "h", name="W", init=cs.Gaussian(1.0), **learns)
    motif.connect("h", "h", name="R", init=cs.Gaussian(gain), delay=1, **learns)
    motif.connect("h", "y", name="U", init=cs.Gaussian(1.0), rule=cs.Rule("eta * I_E * pre", eta=eta))
    motif.connect("e", "h", name="B", compartment="dendrite", init=cs.Gaussian(gain_B), plastic=False)
    motif.connect(
        "e", "y", name="E", compartment="dendrite", connectivity=cs.OneToOne(), init=cs.Identity(), plastic=False
    )
    motif.add(cs.Phase("run", repeat="time", apply="iteration"))
    return motif
