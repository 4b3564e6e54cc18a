"""Time the declaration and compilation of large motifs."""

from __future__ import annotations

from collections.abc import Callable

import circuitsim as cs
from benchmarks.circuits import OURS
from benchmarks.rows import Row
from benchmarks.timing import repeated
from motifs import paper_sal

AT_MOST_S = 2.0
TRIES = 3  # all take equally long, because nothing is cached between them


def many_layers(n_layers: int = 100) -> cs.Motif:
    """Declare SAL with this number of layers."""
    return paper_sal([64] + [32] * (n_layers - 1) + [10])


def predictive_coding(n_phases: int = 81) -> cs.Motif:
    """Declare predictive coding: (n_phases - 1) / 2 iterations of two phases settle the values, then one phase learns.

    In the predict phase, each error is the value minus its prediction, and each value is stored. In the settle phase,
    the new value is the stored one, minus its own error, plus the feedback from the errors of its predictions.

    Args:
        n_phases: an odd number.
    Returns:
        The motif: 7 populations, 11 projections.
    Source: Whittington & Bogacz (2017), with feedback weights of their own in place of the transposed ones.
    """
    sizes, rate = (64, 32, 10), 0.1
    identity = {"init": cs.Identity(), "connectivity": cs.OneToOne()}
    learn = cs.Rule("eta * (post * pre - gamma * w)", eta=1e-2, gamma=1e-4)
    motif = cs.Motif("predictive_coding")
    motif.add(cs.Population("value0", sizes[0]))
    predict: dict[str, float] = {}
    settle: dict[str, float] = {}
    for k, size in enumerate(sizes[1:], start=1):
        motif.add(*(cs.Population(f"{kind}{k}", size) for kind in ("value", "error", "memory")))
        motif.connect(f"value{k - 1}", f"error{k}", name=f"W{k}", rule=learn)
        motif.connect(f"value{k}", f"error{k}", name=f"own{k}", **identity)
        motif.connect(f"value{k}", f"memory{k}", name=f"keep{k}", **identity)
        motif.connect(f"memory{k}", f"value{k}", name=f"recall{k}", **identity)
        motif.connect(f"error{k}", f"value{k}", name=f"correct{k}", **identity)
        predict |= {f"W{k}": -1.0, f"own{k}": 1.0, f"keep{k}": 1.0}
        settle |= {f"recall{k}": 1.0, f"correct{k}": -rate}
        if k > 1:
            motif.connect(f"error{k}", f"value{k - 1}", name=f"U{k}", rule=learn)
            settle[f"U{k}"] = rate
    for k in range(n_phases // 2):
        motif.add(cs.Phase(f"predict{k}", soma=predict, plastic=[]))
        motif.add(cs.Phase(f"settle{k}", soma=settle, plastic=[]))
    motif.add(cs.Phase("learn", soma=predict, plastic=[p.name for p in motif.projections if p.is_plastic]))
    return motif


def _case(name: str, declare: Callable[[], cs.Motif]) -> Callable[[int, str], list[Row]]:
    def measure(rounds: int, device: str) -> list[Row]:
        t = repeated(lambda: cs.compile(declare(), device=device), min(rounds, TRIES))
        return [Row("declare and compile", name, OURS, "", t.median, t.low, t.high, "s", AT_MOST_S)]

    return measure


CASES = {
    "compile-phases": _case("predictive coding in 81 phases", predictive_coding),
    "compile-layers": _case("SAL of 100 layers", many_layers),
}
