"""SAL, the self-assembling learning circuit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import circuitsim as cs
from motifs.two_stream import IDENTITY, two_stream

NORMALISED = "activity / sqrt(mean(activity**2) + 1e-6)"

# The factor of gamma in each projection's decay. L2 decay shrinks V and Vt^T equally (Lemma 1). "homeostatic" decay
# grows with the sum of a neuron's squared weights, which keeps the norms of all layers similar.
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


def paper_sal(
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
    name: str = "paper_sal",
) -> cs.Motif:
    r"""Two streams with four kinds of plastic projections and heterosynaptic rules, without weight transport::

        dW_l  = eta_W  (slope * I_V h_l^T    - gamma W)      I_V  = V_{l+1} g_{l+1}     (5)
        dWt_l = eta_Wt (I_Vt g_{l+1}^T       - gamma_Wt Wt)  I_Vt = Vt_l h_l            (6)
        dV_l  = eta_V  (h_l g_l^T            - gamma V)                                 (7)
        dVt_l = eta_V  (g_l h_l^T            - gamma Vt)                                (8)

    All changes are batch means; h is the ascending and g the descending activity. The default rates and `gain_V` were
    found by `examples/tune.py sal_stable` on Fashion-MNIST. They are the best among those that do not diverge with
    larger or constant rates (docs/results.md).

    Args:
        layers: the sizes of the ascending populations, including input and output.
        feedback: the sizes of the descending populations; by default those of their partners.
        eta: the learning rate of W.
        eta_V, eta_Wt: the learning rates of V and Vt, and of Wt, in units of `eta`.
        gamma: the decay rate of W, V and Vt.
        gamma_Wt: the decay rate of Wt, in units of `gamma`. At rest the drive of Wt is about gamma W W^T, so the
            weights stay bounded only if Wt decays faster than W.
        gain_W, gain_V: the gains of the initial weights, which are Gaussian with standard deviation
            gain / sqrt(fan-in).
        gain_Wt: the gain of Wt's initial weights, whose standard deviation is gain / sqrt(fan-*out*), so that
            A_l = Wt_l ... Wt_{L-1} is initially close to an isometry.
        gated: whether W's rule contains the slope of its postsynaptic neuron (coincidence with firing), as Theorem 1
            requires for ReLU. False is the literal reading of equation 5.
        decay: "scaled" (the decay is multiplied by eta) or "plain" (it is not).
        regularizer: the form of the decay, "l2", "l1" or "homeostatic".
        trace: the trace of the ascending activity that rules read; by default it is normalised to unit mean square,
            and None stands for the activity itself.
        descending: the activation Dt, "linear", "relu", "tanh" or "jacobian" (the ReLU Jacobian of the partner, which
            needs equal widths).
        output_pathway: "identity" (V_L is fixed, one to one) or "plastic" (V_L is random, like the other V).
        activation, loss, shuffled, bias, name: as in `two_stream`.
    Returns:
        The motif.
    Raises:
        MotifError: `decay`, `regularizer` or `output_pathway` is unknown, or the sizes do not fit.
    Example:
        >>> from motifs import paper_sal
        >>> paper_sal([64, 32, 10])
        Motif('paper_sal': 5 populations, 6 projections, 1 objectives)

    Source: Liao, Ziyin, Gan, Cheung, Harnett & Poggio (2024), "Self-Assembly of a Biologically Plausible Learning
    Circuit", arXiv 2412.20018, equations 5 to 8, reconstructed from prose and proofs. The fan-out scaling of
    Wt, the gate, the normalised trace and the stronger decay of Wt are ours (see docs/results.md).
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
        layers, feedback, W=kinds["W"], Wt=kinds["Wt"], V=kinds["V"], Vt=kinds["Vt"],
        V_output=IDENTITY if output_pathway == "identity" else kinds["V"],
        activation=activation, descending=descending, trace=trace, loss=loss, shuffled=shuffled, bias=bias, name=name,
    )  # fmt: skip


def _choose(what: str, value: str, known: Any) -> None:
    if value not in known:
        raise cs.MotifError(f"paper_sal: {what} must be one of {list(known)} (got {value!r})")
