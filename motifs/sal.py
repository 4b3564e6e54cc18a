"""SAL: the self-assembling learning circuit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import circuitsim as cs
from motifs.two_stream import IDENTITY, two_stream

NORMALISED = "activity / sqrt(mean(activity**2) + 1e-6)"

# What the decay of each projection multiplies gamma with. L2 shrinks V and Vt^T alike (Lemma 1); "homeostatic"
# makes it grow with the squared weights that a neuron holds, which keeps the norms of all layers alike.
DECAYS: dict[str, dict[str, str]] = {
    "l2": {"W": "w", "Wt": "w", "V": "w", "Vt": "w"},
    "l1": dict.fromkeys(("W", "Wt", "V", "Vt"), "sign(w)"),
    "homeostatic": {
        "W": "w",
        "Wt": "w * sum_in(w**2) * sum_out(1) / sum_in(1)",
        "V": "w * (1 + sum_in(w**2))",
        "Vt": "w * (1 + sum_out(w**2))",
    },
}


def sal(
    layers: Sequence[int],
    feedback: Sequence[int] | None = None,
    *,
    eta: float = 0.13,
    eta_V: float = 1.7,
    eta_Wt: float = 0.29,
    gamma: float = 6.8e-4,
    gamma_Wt: float = 5.5,
    gain_W: float = math.sqrt(2),
    gain_Wt: float = 1.0,
    gain_V: float = 0.048,
    gated: bool = True,
    decay: str = "scaled",
    regularizer: str = "l2",
    trace: str | None = NORMALISED,
    descending: str = "linear",
    output_pathway: str = "identity",
    activation: str = "relu",
    loss: str = "cross_entropy",
    shuffled: bool = False,
    bias: bool = False,
    name: str = "sal",
) -> cs.Motif:
    r"""Two streams, four plastic projections, heterosynaptic rules, no weight transport::

        dW_l  = eta_W  (slope * I_V h_l^T    - gamma W)      I_V  = V_{l+1} g_{l+1}     (5)
        dWt_l = eta_Wt (I_Vt g_{l+1}^T       - gamma_Wt Wt)  I_Vt = Vt_l h_l            (6)
        dV_l  = eta_V  (h_l g_l^T            - gamma V)                                 (7)
        dVt_l = eta_V  (g_l h_l^T            - gamma Vt)                                (8)

    as batch means; h is the ascending and g the descending activity. Default rates and `gain_V`: what `circuitsim tune
    sal_stable` found on Fashion-MNIST, the best among those that do not run away with larger and constant rates
    (docs/results.md).

    Args:
        layers: sizes of the ascending populations, input and output included.
        feedback: sizes of the descending populations; by default those of their partners.
        eta: learning rate of W.
        eta_V, eta_Wt: rates of V and Vt, and of Wt, in units of `eta`.
        gamma: decay of W, V and Vt.
        gamma_Wt: decay of Wt, in units of `gamma`. At rest Wt's drive is about gamma W W^T, so growth without end is
            stopped only by a stronger decay of Wt than of W.
        gain_W, gain_V: starts, Gaussian with standard deviation gain / sqrt(fan-in).
        gain_Wt: start of Wt, gain / sqrt(fan-*out*), so that A_l = Wt_l ... Wt_{L-1} starts near an isometry.
        gated: whether W's rule carries the slope of its postsynaptic neuron (coincidence with firing; Theorem 1 for
            ReLU needs it). False is the literal reading of equation 5.
        decay: "scaled" (decay multiplied by eta) or "plain" (not).
        regularizer: "l2", "l1" or "homeostatic".
        trace: what rules see of the ascending activity; normalised to unit mean square by default, None for the
            activity itself.
        descending: Dt: "linear", "relu", "tanh" or "jacobian" (the ReLU Jacobian of the partner; equal widths).
        output_pathway: "identity" (V_L fixed, one to one) or "plastic" (V_L random, as the other V).
        activation, loss, shuffled, bias, name: as in `two_stream`.
    Returns:
        The motif.
    Raises:
        MotifError: `decay`, `regularizer` or `output_pathway` is none of those above, or sizes do not fit.
    Example:
        >>> from motifs import sal
        >>> sal([64, 32, 10])
        Motif('sal': 5 populations, 6 projections, 1 objectives)

    Source: Liao, Ziyin, Gan, Cheung, Harnett & Poggio (2024), "Self-Assembly of a Biologically Plausible Learning
    Circuit", arXiv 2412.20018, equations 5 to 8, reconstructed from prose and proofs. The fan-out start of Wt, the
    gate, the normalised trace and the stronger decay of Wt are ours: see docs/results.md.
    """
    _choose("decay", decay, ("scaled", "plain"))
    _choose("regularizer", regularizer, DECAYS)
    _choose("output_pathway", output_pathway, ("identity", "plastic"))
    drives = {"W": "slope_post * {I_V}" if gated else "{I_V}", "Wt": "{I_Vt}", "V": "post", "Vt": "post"}
    rates = {"W": eta, "Wt": eta * eta_Wt, "V": eta * eta_V, "Vt": eta * eta_V}
    gammas = {"W": gamma, "Wt": gamma * gamma_Wt, "V": gamma, "Vt": gamma}
    starts = {
        "W": cs.Gaussian(gain_W),
        "Wt": cs.Gaussian(gain_Wt, scaling="fan_out"),
        "V": cs.Gaussian(gain_V),
        "Vt": cs.Gaussian(gain_V),
    }
    form = "eta * ({drive} * pre - gamma * {decay})" if decay == "scaled" else "eta * {drive} * pre - gamma * {decay}"
    kinds: dict[str, dict[str, Any]] = {
        kind: {
            "rule": form.replace("{drive}", drives[kind]).replace("{decay}", DECAYS[regularizer][kind]),
            "parameters": {"eta": rates[kind], "gamma": gammas[kind]},
            "init": starts[kind],
        }
        for kind in ("W", "Wt", "V", "Vt")
    }
    return two_stream(
        layers, feedback, **kinds,
        V_output=IDENTITY if output_pathway == "identity" else kinds["V"],
        activation=activation, descending=descending, trace=trace, loss=loss, shuffled=shuffled, bias=bias, name=name,
    )  # fmt: skip


def _choose(what: str, value: str, known: Any) -> None:
    if value not in known:
        raise cs.MotifError(f"sal: {what} must be one of {list(known)} (got {value!r})")
