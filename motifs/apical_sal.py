"""SAL with two-compartment neurons, whose *gated* dendrites carry the error down the descending stream."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import circuitsim as cs
from motifs.paper_sal import NORMALISED
from motifs.two_stream import IDENTITY


def apical_sal(
    layers: Sequence[int],
    feedback: Sequence[int] | None = None,
    *,
    eta: float = 0.2,
    eta_V: float = 0.5,
    eta_Wt: float = 0.35,
    gamma: float = 2.7e-4,
    gamma_Wt: float = 1.0,
    gain_W: float = math.sqrt(2),
    gain_Wt: float = 1.0,
    gain_V: float = 1.0,
    pathway: str = "plastic",
    gated: bool = True,
    trace: str | None = NORMALISED,
    activation: str = "relu",
    loss: str = "cross_entropy",
    name: str = "apical_sal",
) -> cs.Motif:
    r"""A variant of `motifs.paper_sal` in which down_l is driven by the apical dendrites of up_{l+1}.

    A dendrite is active only while its soma is::

            up_l --W_l--> up_{l+1}
             | ^            | ^
           U | | A        U | | A          U, A: one to one, within a neuron, fixed
             v |            v |
        apical_l          apical_{l+1}     apical = slope of the soma * V g
           ^                |
         V |                | Wt
          down_l <----------+

        a_l = slope(p_l) V_l g_l      g_l = Wt_l a_{l+1}      a_L = -dLoss/dh_L
        dW_l  = eta    (a_{l+1} h_l^T          - gamma W)
        dWt_l = eta_Wt (Vt_l h_l a_{l+1}^T     - gamma_Wt Wt)
        dV_l  = eta_V  (h_l g_l^T              - gamma V)
        dVt_l = eta_V  (g_l h_l^T              - gamma Vt)

    The error that reaches a layer thus contains the slopes of all layers above it, whereas in SAL it contains only the
    slope of the layer itself. At rest, with equal decay, Wt_l = Vt_l W_l^T, hence a_l = slope V_l Vt_l W_l^T a_{l+1}.
    This is the gradient if V Vt = 1, and a descent direction if V = Vt^T (H = V V^T is positive semi-definite).

    Args:
        layers, feedback, eta, eta_V, eta_Wt, gamma, gamma_Wt, gain_W, gain_Wt, gain_V, trace, activation, loss, name:
            as in `motifs.paper_sal`.
        pathway: the way V becomes Vt^T. "plastic": V and Vt follow the rules of SAL. "mirror": Vt is random and fixed,
            and V learns its transpose from spontaneous activity in one additional phase per hidden layer,
            dV = 0.01 (x (Vt x)^T - V), where x is white noise. "tied": V equals Vt^T (weight transport, as an upper
            bound for the others).
        gated: whether a_l contains the slope; if False, only W's rule contains it, as in `motifs.paper_sal`.
    Returns:
        The motif.
    Raises:
        MotifError: `pathway` is unknown.
    Example:
        >>> from motifs import apical_sal
        >>> apical_sal([64, 32, 10])
        Motif('apical_sal': 6 populations, 8 projections, 1 objectives)

    Source: ours, from Theorem 1 of Liao et al. (2024), arXiv 2412.20018. Dendritic bursts that require somatic firing:
    Larkum, Zhu & Sakmann (1999). Bursts that carry feedback: Payeur, Guerguiev, Zenke, Richards & Naud (2021).
    """
    if pathway not in ("plastic", "mirror", "tied"):
        raise cs.MotifError(f"apical_sal: pathway must be 'plastic', 'mirror' or 'tied' (got {pathway!r})")
    depth = len(layers) - 1
    feedback = list(layers[1:-1]) if feedback is None else list(feedback)
    motif = cs.Motif(name)
    for k, size in enumerate(layers):
        hidden = 0 < k < depth
        motif.add(
            cs.Population(
                f"up{k}", size, activation=activation if hidden else "linear", trace=trace if k < depth else None
            )
        )
    for k in range(1, depth):
        motif.add(cs.Population(f"down{k}", feedback[k - 1], stream="descending"))
    for k in range(1, depth + 1):
        gate = cs.GatedBy(f"up{k}") if gated and k < depth else "linear"
        motif.add(cs.Population(f"apical{k}", layers[k], stream="descending", activation=gate))
    motif.add(cs.Objective(f"up{depth}", f"apical{depth}", loss=loss))

    own = "" if gated else "slope_post * "
    for k in range(depth):
        rule = cs.Rule(f"eta * ({own}I_A{k + 1} * pre - gamma * w)", eta=eta, gamma=gamma)
        motif.connect(f"up{k}", f"up{k + 1}", name=f"W{k}", rule=rule, init=cs.Gaussian(gain_W))
        motif.connect(f"apical{k + 1}", f"up{k + 1}", name=f"A{k + 1}", compartment="dendrite", **IDENTITY)
    for k in range(1, depth):
        rule = cs.Rule(f"eta * (I_Vt{k} * pre - gamma * w)", eta=eta * eta_Wt, gamma=gamma * gamma_Wt)
        start = cs.Gaussian(gain_Wt, scaling="fan_out")
        motif.connect(f"apical{k + 1}", f"down{k}", name=f"Wt{k}", rule=rule, init=start)
        motif.connect(f"up{k}", f"apical{k}", name=f"U{k}", compartment="dendrite", **IDENTITY)
        v, vt = _pathway(k, pathway, gain_V, {"eta": eta * eta_V, "gamma": gamma})
        motif.connect(f"up{k}", f"down{k}", name=f"Vt{k}", compartment="dendrite", **vt)
        motif.connect(f"down{k}", f"apical{k}", name=f"V{k}", **v)
    if pathway == "mirror":
        motif.add(cs.Phase("cycle", plastic=[*(f"W{k}" for k in range(depth)), *(f"Wt{k}" for k in range(1, depth))]))
        for k in range(1, depth):
            motif.add(
                cs.Phase(
                    f"mirror{k}", soma=[f"Vt{k}"], plastic=[f"V{k}"], inputs=[], noise={f"up{k}": 1.0}, errors=False
                )
            )  # fmt: skip
    return motif


def _pathway(k: int, pathway: str, gain: float, rates: dict[str, float]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options of V_k and Vt_k. A fixed Vt scales with its fan-out, so that Vt^T Vt is about gain^2."""
    v_rule = f"eta * (I_U{k} * pre - gamma * w)"
    if pathway == "plastic":
        start = cs.Gaussian(gain)
        return (
            {"rule": cs.Rule(v_rule, **rates), "init": start},
            {"rule": cs.Rule("eta * (post * pre - gamma * w)", **rates), "init": start},
        )
    fixed = {"init": cs.Gaussian(gain, scaling="fan_out"), "plastic": False}
    if pathway == "tied":
        return {"tied_to": cs.Derived(f"Vt{k}", transpose=True)}, fixed
    return {"rule": cs.Rule(v_rule, eta=0.01, gamma=1.0), "init": cs.Gaussian(0.1)}, fixed
