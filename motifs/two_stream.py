r"""The layered two-stream circuit on which SAL, backpropagation and related circuits are based::

    up0 --W0--> up1 --W1--> ... --> upL          ascending stream, drives activity
                 ^ |         ^ |      ^
               V1| |Vt1    V2| |Vt2   |VL        dendritic currents, read by plasticity only
                 | v         | v      |
                down1 <--Wt1-- down2 <-- ... downL = -dLoss/d upL    descending stream

Source: Liao, Ziyin, Gan, Cheung, Harnett & Poggio (2024), arXiv 2412.20018, section 2, where a tilde takes the place
of the letter t in Wt and Vt.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import circuitsim as cs

Options = Mapping[str, Any] | Callable[[int], Mapping[str, Any]]

IDENTITY: dict[str, Any] = {"init": cs.Identity(), "connectivity": cs.OneToOne()}


def two_stream(
    layers: Sequence[int],
    feedback: Sequence[int] | None = None,
    *,
    W: Options,
    Wt: Options,
    V: Options,
    Vt: Options,
    V_output: Options = IDENTITY,
    activation: str = "relu",
    descending: str = "linear",
    trace: str | None = None,
    descending_trace: str | None = None,
    loss: str = "cross_entropy",
    shuffled: bool = False,
    bias: bool = False,
    name: str = "two_stream",
) -> cs.Motif:
    """Build populations up0 .. upL and down1 .. downL with the four kinds of projections between them.

    Args:
        layers: the sizes of the ascending populations, including input and output.
        feedback: the sizes of the descending populations down1 .. down(L-1); by default those of their partners.
        W, Wt, V, Vt, V_output: the options of each kind of projection, as in `cs.Projection`, or a function of the
            layer that returns them. In a rule that is a string, {I_V} and {I_Vt} stand for the currents of the partner
            projection onto the same population, and {l} stands for the layer, also in the name of the projection that a
            `cs.Derived` is tied to.
        activation: the activation of the hidden ascending populations.
        descending: the activation of the hidden descending populations, or "jacobian" (`cs.GatedBy` the partner).
        trace: the trace that rules and dendrites read in place of the activity of ascending populations, except the
            output.
        descending_trace: the same for descending populations.
        loss, shuffled: as in `cs.Objective`.
        bias: whether each W is accompanied by a bias unit with W's rule.
        name: the name of the motif.
    Returns:
        The motif.
    Raises:
        MotifError: `layers` has fewer than two sizes, or `feedback` does not have one size per hidden layer.
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
        raise cs.MotifError(f"layers needs at least an input size and an output size (got {list(layers)})")
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
        kind = gate if k < depth else "linear"
        motif.add(cs.Population(f"down{k}", size, stream="descending", activation=kind, trace=descending_trace))
    motif.add(cs.Objective(f"up{depth}", f"down{depth}", loss=loss, shuffled=shuffled))
    for k in range(depth):
        motif.connect(f"up{k}", f"up{k + 1}", name=f"W{k}", **_options(W, k, I_V=f"I_V{k + 1}"))
        if bias:
            motif.add(cs.Bias(f"bias{k + 1}"))
            options = {**_options(W, k, I_V=f"I_V{k + 1}"), "init": cs.Constant(0.0)}
            motif.connect(f"bias{k + 1}", f"up{k + 1}", name=f"b{k + 1}", **options)
    for k in range(1, depth):
        motif.connect(f"down{k + 1}", f"down{k}", name=f"Wt{k}", **_options(Wt, k, I_Vt=f"I_Vt{k}"))
        motif.connect(f"down{k}", f"up{k}", name=f"V{k}", compartment="dendrite", **_options(V, k))
        motif.connect(f"up{k}", f"down{k}", name=f"Vt{k}", compartment="dendrite", **_options(Vt, k))
    motif.connect(f"down{depth}", f"up{depth}", name=f"V{depth}", compartment="dendrite", **_options(V_output, depth))
    return motif


def _options(declared: Options, layer: int, **currents: str) -> dict[str, Any]:
    """Return the options of one projection, with its templates filled in."""
    options = dict(declared(layer) if callable(declared) else declared)
    if isinstance(options.get("rule"), str):
        options["rule"] = options["rule"].format(l=layer, **currents)
    if isinstance(options.get("tied_to"), cs.Derived):
        source = options["tied_to"].projection.format(l=layer)
        options["tied_to"] = dataclasses.replace(options["tied_to"], projection=source)
    return options
