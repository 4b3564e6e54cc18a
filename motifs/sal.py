"""SAL, the self-assembling learning circuit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import circuitsim as cs
from motifs.paper_sal import paper_sal
from motifs.two_stream import IDENTITY, two_stream

UNIT = "activity / sqrt(mean(activity**2) + 1e-24)"  # mean square 1 over batch and population; silence stays 0

# A dendrite that delivers the error with a gain k, and saturates where its mean square would exceed that of the error.
HIDDEN = "minimum(gain, cap / sqrt(mean((slope_post * {I_V})**2) + 1e-24)) * slope_post * {I_V}"
OUTPUT = "{I_V}"
ETA = {False: 24.0, True: 2.0}  # whether the loss is the squared error -> the learning rate
W_RULE = (
    "eta * batch_size / (batch_size + few) * "
    "(error_size * %s * activity_pre / (fan_in * (mean(activity_pre**2) + 1e-24)) - gamma * w)"
)


def sal(
    layers: Sequence[int], feedback: Sequence[int] | None = None, *, form: str = "normalised", **options: Any
) -> cs.Motif:
    """Two streams with four kinds of plastic projections and heterosynaptic rules, without weight transport.

    Form "normalised", the default, has one set of constants for every task, depth and width. A hat marks a unit trace,
    as in ĥ = h / rms(h) over batch and population; e is the error, n the fan-in, and L the number of hidden layers::

        dV_l  = (ĥ_l ĝ_l^T - V_l) / tau                              V and Vt are leaky averages of unit traces
        dVt_l = (ĝ_l ĥ_l^T - Vt_l) / tau
        dWt_l = (Vt_l ĥ_l ĝ_{l+1}^T / (n_l sqrt(m_l)) - Wt_l) / tau  n_l, m_l: the sizes of up_l and down_l
        D_l   = rms(e) min(k, cap / rms(I_l)) I_l                    a dendrite that saturates; I_l = slope V_l ĝ_l
        dW_l  = eta_B (D_{l+1} h_l^T / (L n mean(h_l^2)) - gamma W_l)     normalised least mean squares
        dW_L  = eta_B (e h_L^T / (n mean(h_L^2)) - gamma W_L)             at the output
        eta_B = eta B / (B + few)                                    for batches of B samples

    rms(e) is a signal that the whole circuit hears. Since every factor is dimensionless, the sizes of activities,
    weights and errors drop out. docs/theory.md says what follows from these equations.

    Form "paper" is the literal reading of equations 5 to 8 of the paper, `motifs.paper_sal`.

    Args:
        layers: the sizes of the ascending populations, including input and output.
        feedback: the sizes of the descending populations; by default those of their partners.
        form: "normalised" or "paper".
        options: those of `motifs.paper_sal` for form "paper". For form "normalised":

            - eta (24, or 2 with loss "mse"), few (16): the learning rate of W, and the number of samples for which it
              is half as large. With the squared error, whose size is not bounded, a step is stable for eta_B below 2.
            - gain (10), cap (0.7): the gain k of a dendrite, and its largest drive in units of rms(e).
            - tau (3000): the steps over which V, Vt and Wt average.
            - gamma (1e-5): the decay rate of W. W's memory lasts 1 / (eta gamma) steps.
            - gain_W (sqrt 2), gain_V (0.005): the gains of the initial weights, which are Gaussian with standard
              deviation gain / sqrt(fan-in).
            - gain_Wt (1): the gain of Wt's initial weights, with standard deviation gain / sqrt(fan-out).
            - scale (None): what divides Wt's drive instead of n_l sqrt(m_l). The size of Wt, and with it that of the
              descending activity, matters to neurons that spike; rules see unit traces.
            - excitatory (False): whether V, Vt and Wt start positive: as the absolute values of these Gaussians.
            - activation, descending, loss, shuffled, bias, name: as in `motifs.two_stream`.
    Returns:
        The motif.
    Raises:
        MotifError: the form is unknown, or the sizes do not fit.
        TypeError: an option is unknown to the form.
    Example:
        >>> from motifs import sal
        >>> sal([64, 32, 10])
        Motif('sal': 5 populations, 6 projections, 1 objectives, 1 signals)

    Source: Liao, Ziyin, Gan, Cheung, Harnett & Poggio (2024), "Self-Assembly of a Biologically Plausible Learning
    Circuit", arXiv 2412.20018. The normalised form is ours; normalised least mean squares: Nagumo & Noda (1967).
    """
    forms = {"normalised": _normalised, "paper": paper_sal}
    if form not in forms:
        raise cs.MotifError(f"sal: form must be one of {list(forms)} (got {form!r})")
    return forms[form](layers, feedback, **options)


def _normalised(
    layers: Sequence[int],
    feedback: Sequence[int] | None = None,
    *,
    eta: float | None = None,
    few: float = 16.0,
    gain: float = 10.0,
    cap: float = 0.7,
    tau: float = 3000.0,
    gamma: float = 1e-5,
    gain_W: float = math.sqrt(2),
    gain_Wt: float = 1.0,
    gain_V: float = 0.005,
    scale: float | None = None,
    excitatory: bool = False,
    loss: str = "cross_entropy",
    name: str = "sal",
    **options: Any,
) -> cs.Motif:
    """Build the normalised form."""
    n_hidden, sign = len(layers) - 2, "positive" if excitatory else None
    feedback = list(layers[1:-1]) if feedback is None else list(feedback)
    eta = ETA[loss == "mse"] if eta is None else eta

    def W(layer: int) -> dict[str, Any]:
        is_output = layer == n_hidden
        parameters = {"eta": eta, "few": few, "fan_in": layers[layer] * (1 if is_output else n_hidden), "gamma": gamma}
        parameters |= {} if is_output else {"gain": gain, "cap": cap}
        return {
            "rule": W_RULE % (OUTPUT if is_output else HIDDEN), "parameters": parameters, "init": cs.Gaussian(gain_W),
        }  # fmt: skip

    def Wt(layer: int) -> dict[str, Any]:
        usual = layers[layer] * math.sqrt(feedback[layer - 1])
        return {
            "rule": "({I_Vt} * pre / scale - w) / tau",
            "parameters": {"scale": usual if scale is None else scale, "tau": tau},
            "init": cs.Gaussian(gain_Wt, "fan_out", sign),
        }  # fmt: skip

    V = {"rule": "(post * pre - w) / tau", "parameters": {"tau": tau}, "init": cs.Gaussian(gain_V, sign=sign)}
    motif = two_stream(
        layers, feedback, W=W, Wt=Wt, V=V, Vt=V, V_output=IDENTITY, trace=UNIT, descending_trace=UNIT,
        loss=loss, name=name, **options,
    )  # fmt: skip
    motif.add(cs.Signal("error_size", f"sqrt(mean(activity_down{n_hidden + 1}**2))"))
    return motif
