"""The algorithms that experiments compare, their search spaces, and the settings that `tune.py` found for them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import circuitsim as cs
import motifs
from support.circuits import STRONG
from support.controls import coded, feedback_frozen, hidden_frozen

TUNED = Path(__file__).parent / "tuned"
FROZEN, SHUFFLED = "control: feedback frozen at random", "control: shuffled error"

Space = Mapping[str, tuple[float, float]]  # setting -> smallest and largest value, searched on a logarithmic scale
ETA, GAMMA = (0.03, 0.6), (1e-6, 1e-3)
SLOW = (0.01, 0.6)  # the best rates of random feedback were at the lower end of ETA
GAIN = (0.1, 2.0)
RATES: Space = {"eta": ETA, "gain": GAIN}
SAL: Space = {
    "eta": ETA, "gamma": (3e-5, 1e-3), "eta_V": (0.2, 2.0), "eta_Wt": (0.1, 2.0), "gamma_Wt": (1, 20),
    "gain_V": (0.02, 0.3),
}  # fmt: skip


@dataclass(frozen=True)
class Algorithm:
    """A row of the table of algorithms.

    Args:
        label: the name in tables.
        make: makes the motif from layers and settings.
        space: the settings to tune; empty if there is nothing to tune.
        stable: whether a setting must also survive larger and constant rates.
    """

    label: str
    make: Callable[..., cs.Motif]
    space: Space
    stable: bool = False


ALGORITHMS: dict[str, Algorithm] = {
    "backprop": Algorithm("SGD", motifs.backprop, {"eta": ETA, "gamma": GAMMA}),
    "kolen_pollack": Algorithm("Kolen-Pollack", motifs.kolen_pollack, {"eta": ETA, "gamma": GAMMA, "gain_Wt": GAIN}),
    "weight_mirror": Algorithm(
        "weight mirror",
        motifs.weight_mirror,
        {"eta": ETA, "gamma": GAMMA, "eta_mirror": (0.003, 0.3), "gamma_mirror": (0.2, 1.0)},
    ),
    "direct_kolen_pollack": Algorithm(
        "direct Kolen-Pollack",
        motifs.direct_kolen_pollack,
        {"eta": ETA, "gamma": GAMMA, "eta_V": (0.1, 2.0), "gain_V": (0.02, 1.0)},
    ),
    "direct_feedback_alignment": Algorithm(
        "direct feedback alignment",
        motifs.direct_feedback_alignment,
        {"eta": SLOW, "gamma": GAMMA, "gain_V": (0.01, 1.0)},
    ),
    "feedback_alignment": Algorithm(
        "feedback alignment", motifs.feedback_alignment, {"eta": SLOW, "gamma": GAMMA, "gain_Wt": GAIN}
    ),
    "sal_normalised": Algorithm("SAL", motifs.sal, {"eta": (2.0, 100.0), "gamma": GAMMA, "cap": (0.1, 2.0)}),
    "sal": Algorithm("SAL (paper, gated)", motifs.paper_sal, SAL),
    "sal_stable": Algorithm("SAL (paper, gated), stable: the motif's defaults", motifs.paper_sal, SAL, stable=True),
    "sal_ungated": Algorithm(
        "SAL (paper, ungated)", functools.partial(motifs.paper_sal, gated=False, name="sal_ungated"), SAL
    ),
    "backprop_unmasked": Algorithm(
        "SGD without masks",
        functools.partial(motifs.backprop, masks=False, name="backprop_unmasked"),
        {"eta": ETA, "gamma": GAMMA},
    ),
    "apical_sal": Algorithm("apical SAL", motifs.apical_sal, {**SAL, "gain_V": (0.05, 1.5)}),
    "apical_mirror": Algorithm(
        "apical SAL, V mirrors Vt",
        functools.partial(motifs.apical_sal, pathway="mirror", name="apical_mirror"),
        {"eta": ETA, "gamma": GAMMA, "eta_Wt": (0.1, 2.0), "gamma_Wt": (0.3, 10), "gain_Wt": GAIN},
    ),
    "sal_frozen": Algorithm(
        "SAL, feedback frozen at random",
        lambda layers, **settings: motifs.frozen_feedback(motifs.paper_sal(layers, **settings)),
        {"eta": ETA, "gamma": GAMMA, "gain_V": (0.05, 2.0), "gain_Wt": (0.3, 2.0)},
    ),
    "predictive_coding": Algorithm("predictive coding", motifs.predictive_coding, RATES),
    "incremental_predictive_coding": Algorithm(
        "incremental predictive coding", motifs.incremental_predictive_coding, {"eta": (0.001, 0.3), "gain": GAIN}
    ),
    "equilibrium_propagation": Algorithm(
        "equilibrium propagation", motifs.equilibrium_propagation, {"eta": SLOW, "gain": GAIN, "sharpness": (1, 5)}
    ),
    "equilibrium_propagation_centred": Algorithm(
        "equilibrium propagation, centred",
        functools.partial(motifs.equilibrium_propagation, centred=True, name="equilibrium_propagation_centred"),
        {"eta": SLOW, "gain": GAIN, "sharpness": (1, 5)},
    ),
    "contrastive_hebbian": Algorithm("contrastive Hebbian", motifs.contrastive_hebbian, RATES),
    "difference_target_propagation": Algorithm(
        "difference target propagation", motifs.difference_target_propagation, {**RATES, "eta_V": (0.01, 0.3)}
    ),
    "dendritic_microcircuit": Algorithm(
        "dendritic microcircuit",
        motifs.dendritic_microcircuit,
        {"eta": (0.001, 0.3), "gain": GAIN, "eta_IP": (0.01, 2), "eta_PI": (0.0001, 0.1)},
    ),
    "burst_dependent": Algorithm(
        "burst-dependent", motifs.burst_dependent, {"eta": (0.03, 3), "gain_W": (0.5, 4), "gain_Y": (0.3, 5)}
    ),
    "phaseless_alignment": Algorithm(
        "phaseless alignment",
        motifs.phaseless_alignment,
        {"eta": ETA, "eta_B": (0.01, 0.3), "alpha": (0.01, 1), "gain_B": GAIN},
    ),
    "deep_feedback_control": Algorithm(
        "deep feedback control", motifs.deep_feedback_control, {**RATES, "eta_Q": (0.01, 0.3), "gamma_Q": (0.03, 1)}
    ),
    "counter_streams": Algorithm(
        "counter-streams", motifs.counter_streams, {"eta": ETA, "gamma": GAMMA, "gain_Wt": GAIN}
    ),
    "pepita": Algorithm("PEPITA", motifs.pepita, {"eta": (0.003, 0.3), "gain_F": (0.01, 0.5)}),
    "forward_forward": Algorithm(
        "forward-forward", motifs.forward_forward, {"eta": (0.003, 0.1), "eta_out": (0.03, 1), "gain_W": GAIN}
    ),
    "node_perturbation": Algorithm(
        "node perturbation", motifs.node_perturbation, {"eta": (0.003, 0.3), "gain_W": GAIN}
    ),
    "oja": Algorithm("Oja", coded(motifs.oja), {"eta": (0.00003, 0.03), "eta_out": (0.003, 1)}),
    "sanger": Algorithm("Sanger", coded(motifs.sanger), {"eta": (0.00003, 0.03), "eta_out": (0.003, 1)}),
    "bcm": Algorithm("BCM", coded(motifs.bcm), {"eta": (0.000003, 0.01), "eta_out": (0.003, 1)}),
    "foldiak": Algorithm(
        "Földiák", coded(motifs.foldiak), {"alpha": (0.003, 0.3), "beta": (0.001, 0.1), "eta_out": (0.003, 1)}
    ),
    "krotov_hopfield": Algorithm(
        "Krotov & Hopfield", coded(motifs.krotov_hopfield), {"eta": (0.001, 0.5), "eta_out": (0.003, 1)}
    ),
    "softhebb": Algorithm(
        "SoftHebb", coded(motifs.softhebb), {"eta": (0.003, 0.3), "eta_out": (0.003, 1), "gain_W": (2, 20)}
    ),
}

HIDDEN, FEEDBACK = "hidden rule", "feedback"
ATLAS = {  # circuit -> what its control, "<circuit>_off", has switched off
    **dict.fromkeys(("backprop", "feedback_alignment", "direct_feedback_alignment"), HIDDEN),
    **dict.fromkeys(("kolen_pollack", "direct_kolen_pollack", "weight_mirror", "sal_normalised"), FEEDBACK),
    **dict.fromkeys(("predictive_coding", "incremental_predictive_coding"), HIDDEN),
    **dict.fromkeys(("equilibrium_propagation", "equilibrium_propagation_centred", "contrastive_hebbian"), HIDDEN),
    **dict.fromkeys(("difference_target_propagation", "dendritic_microcircuit"), FEEDBACK),
    **dict.fromkeys(("phaseless_alignment", "deep_feedback_control", "counter_streams"), FEEDBACK),
    **dict.fromkeys(("burst_dependent", "pepita", "forward_forward", "node_perturbation"), HIDDEN),
    **dict.fromkeys(("oja", "sanger", "bcm", "foldiak", "krotov_hopfield", "softhebb"), HIDDEN),
}


def control(name: str) -> Algorithm:
    """The control of a circuit of the atlas, which has the same settings to tune."""
    algorithm, off = ALGORITHMS[name], {HIDDEN: hidden_frozen, FEEDBACK: feedback_frozen}[ATLAS[name]]
    # V and Vt of SAL start nearly silent; frozen so, they would silence the control
    options = {"gain_V": STRONG, "gain_Wt": STRONG} if name == "sal_normalised" else {}

    def make(layers: Sequence[int], **settings: Any) -> cs.Motif:
        return off(algorithm.make(layers, **options, **settings)).renamed(f"{name}_off")

    return Algorithm(f"{algorithm.label}, control", make, algorithm.space)


ALGORITHMS |= {f"{name}_off": control(name) for name in ATLAS}


def tuned(dataset: str) -> dict[str, dict[str, Any]]:
    """The best settings that `tune.py` found on a data set, keyed by algorithm; empty if it was never run there."""
    path = TUNED / f"{dataset}.json"
    settings: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.is_file() else {}
    return settings


# The best settings of random feedback on Fashion-MNIST. For a fair comparison, the control has rates of its own.
FROZEN_RATES = tuned("fashion_mnist")["sal_frozen"]


def sal_and_controls(
    layers: Sequence[int], frozen: Mapping[str, Any] | None = None, **options: Any
) -> dict[str, cs.Motif]:
    """SAL and its two controls: feedback that is frozen at random, and a shuffled error.

    Args:
        layers: as in `motifs.paper_sal`.
        frozen: options of the control with frozen feedback; by default those of SAL.
        options: options of `motifs.paper_sal`.
    """
    sal = motifs.paper_sal(layers, **options)
    frozen_sal = sal if frozen is None else motifs.paper_sal(layers, **frozen)
    return {"SAL": sal, FROZEN: motifs.frozen_feedback(frozen_sal), SHUFFLED: motifs.shuffled_error(sal)}
