"""Weights before and after a run are arrays, however the synapses are stored."""

import numpy as np

import circuitsim as cs
from support import weights_of


def test_listed_synapses_become_arrays_as_all_others_do():
    motif = cs.Motif("listed")
    motif.add(cs.Population("x", 40), cs.Population("y", 40))
    motif.connect("x", "y", name="few", connectivity=cs.Random(0.02))
    motif.connect("x", "y", name="all")
    circuit = cs.compile(motif, replicas=2, device="cpu")
    found = weights_of(circuit)
    assert {name: w.shape for name, w in found.items()} == {"few": (2, 40, 40), "all": (2, 40, 40)}
    assert np.count_nonzero(found["few"][0]) == int(circuit.mask("few")[0].sum())
