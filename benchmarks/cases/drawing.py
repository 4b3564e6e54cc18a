"""How long it takes to draw a large motif and to save it as a PNG."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import circuitsim as cs
from benchmarks.circuits import OURS
from benchmarks.rows import Row
from benchmarks.timing import repeated

N_POPULATIONS, N_PROJECTIONS = 100, 1300
AT_MOST_S = 3.0
TRIES = 3


def random_motif(n_populations: int = N_POPULATIONS, n_projections: int = N_PROJECTIONS) -> cs.Motif:
    """A motif whose somatic projections lead from earlier to later populations, and dendritic ones anywhere."""
    random, motif = np.random.default_rng(0), cs.Motif("many")
    motif.add(*(cs.Population(f"p{k}", 5) for k in range(n_populations)))
    for j in range(n_projections):
        pre, post = random.choice(n_populations, 2, replace=False)
        somatic = random.random() < 0.6
        if somatic and pre > post:
            pre, post = post, pre
        motif.connect(f"p{pre}", f"p{post}", name=f"c{j}", compartment="soma" if somatic else "dendrite")
    return motif


def time_drawing(rounds: int, device: str) -> list[Row]:
    """Seconds to draw and save; `device` is not used."""
    motif = random_motif()
    with tempfile.TemporaryDirectory() as folder:
        t = repeated(lambda: cs.draw(motif, Path(folder) / "many.png"), min(rounds, TRIES))
    case = f"{N_POPULATIONS} populations, {N_PROJECTIONS:,} projections"
    return [Row("draw", case, OURS, "", t.median, t.low, t.high, "s", AT_MOST_S)]


CASES = {"draw": time_drawing}
