"""Deep feedback control: a controller drives all layers until the output is right, and they learn to do without it."""

from __future__ import annotations

from collections.abc import Sequence

import circuitsim as cs


def deep_feedback_control(
    layers: Sequence[int],
    *,
    eta: float = 0.3,
    eta_Q: float = 0.05,
    gamma_Q: float = 0.3,
    leak: float = 0.5,
    iterations: int = 10,
    rate: float = 0.2,
    noise: float = 0.3,
    gain: float = 1.0,
    gain_Q: float = 0.3,
    loss: str = "cross_entropy",
    name: str = "deep_feedback_control",
) -> cs.Motif:
    """The controller u integrates the error of the output, and Q takes it to the neurons of each layer::

        "forward":  h_l = f(W_{l-1} h_{l-1}),  u = 0
        "control":  h_l = f(W_{l-1} h_{l-1} + Q_l u)          u <- u + rate (-dloss/dy - leak u)
                    dW_{l-1} = eta (h_l - f(W_{l-1} h_{l-1})) h_{l-1}^T
        "noise":    h_l = f(W_{l-1} h_{l-1} + xi_l)           dQ_l = eta_Q (xi_l (y - y in "forward")^T - gamma_Q Q_l)

    with f = tanh, and linear at the output, where Q is fixed to the identity. For small noise, Q_l converges to
    noise^2 / gamma_Q times the mean of the transposed Jacobian of the output with respect to the drive of layer l.

    Args:
        layers: the sizes of the populations, including input and output.
        eta: the learning rate of W.
        eta_Q, gamma_Q: the learning rate and the decay rate of Q.
        leak: the leak of the controller.
        iterations: how many times the controller moves.
        rate: the step of the controller.
        noise: the standard deviation of the noise.
        gain: the gain of W's initial weights, which are Gaussian with standard deviation gain / sqrt(fan-in).
        gain_Q: the gain of Q's initial weights.
        loss: the loss, as in `circuitsim.Objective`.
        name: the name of the motif.
    Returns:
        The motif.
    Example:
        >>> from motifs import deep_feedback_control
        >>> [phase.name for phase in deep_feedback_control([64, 32, 10]).phases]
        ['forward', 'control', 'noise']

    Source: Meulemans, Tristany Farinha, Garcia Ordonez, Vilimelis Aceituno, Sacramento & Grewe (2021), "Credit
    Assignment in Neural Networks through Deep Feedback Control", NeurIPS, arXiv 2106.07887. There neurons integrate in
    time, the controller has a proportional part, and Q learns from the controller's response to noise, here from the
    output's.
    """
    depth, motif = len(layers) - 1, cs.Motif(name)
    one_to_one = {"connectivity": cs.OneToOne(), "plastic": False}
    identity = {"init": cs.Identity(), **one_to_one}
    for k, size in enumerate(layers):
        motif.add(cs.Population(f"up{k}", size, activation="tanh" if 0 < k < depth else "linear"))
    motif.add(cs.Population("error", layers[-1], "descending"), cs.Objective(f"up{depth}", "error", loss))
    controller = f"previous + {rate} * (drive - {leak} * previous)"
    motif.add(cs.Population("control", layers[-1], "descending", activation=controller))
    motif.add(cs.Population("forward", layers[-1]), cs.Population("response", layers[-1]))
    motif.connect("error", "control", name="E", **identity)
    motif.connect(f"up{depth}", "forward", name="K", **identity)
    motif.connect(f"up{depth}", "response", name="After", **identity)
    motif.connect("forward", "response", name="Before", init=cs.Constant(-1.0), **one_to_one)
    for k in range(1, depth + 1):
        expected = f"tanh(I_W{k - 1})" if k < depth else f"I_W{k - 1}"
        rule = cs.Rule(f"eta * (post - {expected}) * pre", eta=eta)
        motif.connect(f"up{k - 1}", f"up{k}", name=f"W{k - 1}", rule=rule, init=cs.Gaussian(gain))
        if k == depth:
            motif.connect("control", f"up{k}", name=f"Q{k}", delay=1, **identity)
            continue
        motif.add(cs.Population(f"xi{k}", layers[k]))
        motif.connect(f"xi{k}", f"up{k}", name=f"N{k}", **identity)
        rule = cs.Rule(f"eta * (I_N{k} * pre - gamma * w)", eta=eta_Q, gamma=gamma_Q)
        start = cs.Gaussian(gain_Q, scaling="fan_out")
        motif.connect("response", f"up{k}", name=f"A{k}", compartment="dendrite", rule=rule, init=start)
        motif.connect("control", f"up{k}", name=f"Q{k}", tied_to=cs.Derived(f"A{k}"), delay=1)

    weights, hidden = [f"W{k}" for k in range(depth)], range(1, depth)
    motif.add(cs.Phase("forward", soma=[*weights, "K"], plastic=[]))
    control = [*weights, "E", *(f"Q{k}" for k in range(1, depth + 1))]
    motif.add(cs.Phase("control", soma=control, plastic=weights, repeat=iterations))
    motif.add(
        cs.Phase(
            "noise", soma=[*weights, *(f"N{k}" for k in hidden), "After", "Before"], plastic=[f"A{k}" for k in hidden],
            noise={f"xi{k}": noise for k in hidden}, errors=False,
        )
    )  # fmt: skip
    return motif
