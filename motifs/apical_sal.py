"""SAL in neurons with two compartments: what climbs down the descending stream is each layer's *gated* dendrite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import circuitsim as cs
from motifs.sal import NORMALISED
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
    r"""As `motifs.sal`, but down_l hears the apical dendrites of up_{l+1}, which fire only with their somata::

            up_l --W_l--> up_{l+1}
             | ^            | ^
           U | | A        U | | A          U, A: one to one, within a neuron; not plastic
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

    So every slope between a layer and the output is back in the error that reaches the layer, where in SAL only the
    layer's own is. At rest, with equal decay, Wt_l = Vt_l W_l^T, hence a_l = slope V_l Vt_l W_l^T a_{l+1}: the
    gradient where V Vt = 1, a descent direction where V = Vt^T (H = V V^T is positive semi-definite).

    Args:
        layers, feedback, eta, eta_V, eta_Wt, gamma, gamma_Wt, gain_W, gain_Wt, gain_V, trace, activation, loss, name:
            as in `motifs.sal`.
        pathway: how V becomes Vt^T. "plastic": V and Vt by SAL's own rules. "mirror": Vt is random and stays; V
            mirrors it from spontaneous activity, one more phase for each hidden layer:
            dV = 0.01 (x (Vt x)^T - V), x white noise. "tied": V is Vt^T (weight transport; to bound the others).
        gated: False leaves the slope out of a_l, and gates only W's rule, as in `motifs.sal`.
    Returns:
        The motif.
    Raises:
        MotifError: `pathway` is none of those above.
    Example:
        >>> from motifs import apical_sal
        >>> apical_sal([64, 32, 10])
        Motif('apical_sal': 6 populations, 8 projections, 1 objectives)

    Source: ours, from Theorem 1 of Liao et al. (2024), arXiv 2412.20018; dendrites whose bursts need somatic firing,
    Larkum, Zhu & Sakmann (1999); bursts that carry feedback, Payeur, Guerguiev, Zenke, Richards & Naud (2021).
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
        motif.connect(f"apical{k + 1}", f"up{k + 1}", name=f"A{k + 1}", target="dendrite", **IDENTITY)
    for k in range(1, depth):
        rule = cs.Rule(f"eta * (I_Vt{k} * pre - gamma * w)", eta=eta * eta_Wt, gamma=gamma * gamma_Wt)
        start = cs.Gaussian(gain_Wt, scaling="fan_out")
        motif.connect(f"apical{k + 1}", f"down{k}", name=f"Wt{k}", rule=rule, init=start)
        motif.connect(f"up{k}", f"apical{k}", name=f"U{k}", target="dendrite", **IDENTITY)
        v, vt = _pathway(k, pathway, gain_V, {"eta": eta * eta_V, "gamma": gamma})
        motif.connect(f"up{k}", f"down{k}", name=f"Vt{k}", target="dendrite", **vt)
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
    """Options of V_k and Vt_k. The random one is Vt where V follows it: so Vt^T Vt is about gain^2."""
    v_rule = f"eta * (I_U{k} * pre - gamma * w)"
    if pathway == "plastic":
        start = cs.Gaussian(gain)
        return (
            {"rule": cs.Rule(v_rule, **rates), "init": start},
            {"rule": cs.Rule("eta * (post * pre - gamma * w)", **rates), "init": start},
        )
    fixed = {"init": cs.Gaussian(gain, scaling="fan_out"), "plastic": False}
    if pathway == "tied":
        return {"weight": cs.Derived(f"Vt{k}", transpose=True)}, fixed
    return {"rule": cs.Rule(v_rule, eta=0.01, gamma=1.0), "init": cs.Gaussian(0.1)}, fixed
