"""The circuit of motifs/sal.py (gated, no trace) written by hand, as users of each framework would for speed.

Each file has `make(layers, batch, n_replicas)`, which returns a step: a function of (x, y) that has done its work when
it returns. None of them knows circuitsim.
"""

ETA, GAMMA = 1e-3, 1e-4  # small: rates change no timing, and nothing may run away while being timed
