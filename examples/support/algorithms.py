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

TUNED = Path(__file__).parent / "tuned"
FROZEN, SHUFFLED = "control: feedback frozen at random", "control: shuffled error"

Space = Mapping[str, tuple[float, float]]  # setting -> smallest and largest value, searched on a logarithmic scale
ETA, GAMMA = (0.03, 0.6), (1e-6, 1e-3)
SLOW = (0.01, 0.6)  # the best rates of random feedback were at the lower end of ETA
GAIN = (0.1, 2.0)
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
    "sal_normalised": Algorithm("SAL", motifs.sal, {}),
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
}


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
