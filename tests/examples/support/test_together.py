"""Motifs that differ in numbers run together as they would alone."""

import numpy as np
import pytest
import torch

import circuitsim as cs
from motifs import backprop, paper_sal
from support.together import compile_together

LAYERS = [6, 5, 3]


def test_each_replica_is_its_own_motif():
    motifs = [paper_sal(LAYERS, eta=eta, gain_V=gain) for eta, gain in ((0.1, 0.1), (0.3, 0.1), (0.2, 0.5))]
    together = compile_together(motifs, seed=2, dtype="float64", device="cpu")
    alone = [cs.compile(m, seed=2 + r, dtype="float64", device="cpu") for r, m in enumerate(motifs)]
    rng = np.random.default_rng(0)
    for _ in range(15):
        x, target = rng.standard_normal((8, 6)), rng.integers(0, 3, 8)
        together.step(x, target)
        for circuit in alone:
            circuit.step(x, target)
    for p in motifs[0].projections:
        for r in range(3):
            torch.testing.assert_close(together.weights(p.name)[r], alone[r].weights(p.name)[0], rtol=0, atol=1e-10)


def test_motifs_of_another_structure_are_refused():
    with pytest.raises(cs.MotifError, match="differs from 'paper_sal' in more than numbers"):
        compile_together([paper_sal(LAYERS), backprop(LAYERS)])
    with pytest.raises(cs.MotifError, match="in more than numbers"):
        compile_together([paper_sal(LAYERS), paper_sal(LAYERS, gated=False)])
