r"""The layered two-stream circuit that SAL, backpropagation and their relatives share::

    up0 --W0--> up1 --W1--> ... --> upL          ascending stream, drives activity
                 ^ |         ^ |      ^
               V1| |Vt1    V2| |Vt2   |VL        dendritic currents, read by plasticity only
                 | v         | v      |
                down1 <--Wt1-- down2 <-- ... downL = -dLoss/d upL    descending stream

Source: Liao, Ziyin, Gan, Cheung, Harnett & Poggio (2024), arXiv 2412.20018, section 2, where the second of
each pair carries a tilde (here: a t).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import circuitsim as cs

IDENTITY: dict[str, Any] = {"init": cs.Identity(), "connectivity": cs.OneToOne()}


def two_stream(
    layers: Sequence[int],
    feedback: Sequence[int] | None = None,
    *,
    W: Mapping[str, Any],
    Wt: Mapping[str, Any],
    V: Mapping[str, Any],
    Vt: Mapping[str, Any],
    V_output: Mapping[str, Any] = IDENTITY,
    activation: str = "relu",
    descending: str = "linear",
    trace: str | None = None,
    loss: str = "cross_entropy",
    shuffled: bool = False,
    bias: bool = False,
    name: str = "two_stream",
) -> cs.Motif:
    """Populations up0 .. upL and down1 .. downL with the four kinds of projection between them.

    Args:
        layers: sizes of the ascending populations, input and output included.
        feedback: sizes of the descending populations down1 .. down(L-1); by default those of the partners.
        W, Wt, V, Vt, V_output: options of each kind of projection, as in `cs.Projection`. A rule may be a string
            with `parameters` beside it, in which {I_V} and {I_Vt} are the currents of the partner projection onto
            the same population; {l} is the layer, also in the name that a `cs.Derived` weight is tied to.
        activation: of the hidden ascending populations.
        descending: activation of the hidden descending populations, or "jacobian" (`cs.GatedBy` the partner).
        trace: what rules and dendrites see of ascending populations (input and hidden) in place of the activity.
        loss, shuffled: see `cs.Objective`.
        bias: whether each W has a bias unit beside it, with W's rule.
        name: of the motif.
    Returns:
        The motif.
    Raises:
        MotifError: fewer than two sizes, or not one feedback size for each hidden layer.
    Example:
        >>> from motifs import two_stream
        >>> hebb = {"rule": "eta * post * pre", "parameters": {"eta": 0.1}}
        >>> heterosynaptic = {"rule": "eta * {I_V} * pre", "parameters": {"eta": 0.1}}
        >>> motif = two_stream([8, 6, 3], W=heterosynaptic, Wt={"plastic": False}, V=hebb, Vt=hebb)
        >>> motif.projection("W0").rule
        Rule('eta * I_V1 * pre', eta=0.1)

    Source: Liao et al. (2024), arXiv 2412.20018, equations 1 and 2.
    """
    depth = len(layers) - 1
    if depth < 1:
        raise cs.MotifError(f"layers needs at least an input and an output (got {list(layers)})")
    feedback = list(layers[1:-1]) if feedback is None else list(feedback)
    if len(feedback) != depth - 1:
        raise cs.MotifError(
            f"feedback needs one size for each of the {depth - 1} hidden layers (got {len(feedback)}: {feedback})"
        )
    motif = cs.Motif(name)
    for k, size in enumerate(layers):
        hidden = 0 < k < depth
        motif.add(
            cs.Population(
                f"up{k}", size, activation=activation if hidden else "linear", trace=trace if k < depth else None
            )
        )
    for k, size in enumerate([*feedback, layers[-1]], start=1):
        gate = cs.GatedBy(f"up{k}") if descending == "jacobian" else descending
        motif.add(cs.Population(f"down{k}", size, stream="descending", activation=gate if k < depth else "linear"))
    motif.add(cs.Objective(f"up{depth}", f"down{depth}", loss=loss, shuffled=shuffled))
    for k in range(depth):
        motif.connect(f"up{k}", f"up{k + 1}", name=f"W{k}", **_options(W, k, I_V=f"I_V{k + 1}"))
        if bias:
            motif.add(cs.Bias(f"bias{k + 1}"))
            options = _options({**W, "init": cs.Constant(0.0)}, k, I_V=f"I_V{k + 1}")
            motif.connect(f"bias{k + 1}", f"up{k + 1}", name=f"b{k + 1}", **options)
    for k in range(1, depth):
        motif.connect(f"down{k + 1}", f"down{k}", name=f"Wt{k}", **_options(Wt, k, I_Vt=f"I_Vt{k}"))
        motif.connect(f"down{k}", f"up{k}", name=f"V{k}", target="dendrite", **_options(V, k))
        motif.connect(f"up{k}", f"down{k}", name=f"Vt{k}", target="dendrite", **_options(Vt, k))
    motif.connect(f"down{depth}", f"up{depth}", name=f"V{depth}", target="dendrite", **_options(V_output, depth))
    return motif


def _options(declared: Mapping[str, Any], layer: int, **currents: str) -> dict[str, Any]:
    """The options of one projection: templates filled in, rule and parameters joined."""
    options = dict(declared)
    parameters = options.pop("parameters", {})
    if isinstance(options.get("rule"), str):
        options["rule"] = cs.Rule(options["rule"].format(l=layer, **currents), **parameters)
    if isinstance(options.get("weight"), cs.Derived):
        source = options["weight"].projection.format(l=layer)
        options["weight"] = dataclasses.replace(options["weight"], projection=source)
    return options
