"""Controls take one thing away and leave the rest."""

import numpy as np
import torch

import circuitsim as cs
from motifs import frozen_feedback, paper_sal, shuffled_error

LAYERS = [6, 5, 4, 3]


def test_frozen_feedback_leaves_only_the_ascending_projections_plastic():
    control = cs.compile(frozen_feedback(paper_sal(LAYERS)), seed=3, device="cpu")
    assert {p.name for p in control.plan.plastic()} == {"W0", "W1", "W2"}
    start = cs.compile(paper_sal(LAYERS), seed=3, device="cpu")
    for name in ("V1", "Vt2", "Wt1", "W0"):
        assert torch.equal(control.weights(name), start.weights(name))


def test_a_shuffled_error_is_the_neighbours_error():
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((5, 6)), rng.integers(0, 3, 5)
    true, control = (
        cs.compile(m, dtype="float64", device="cpu") for m in (paper_sal(LAYERS), shuffled_error(paper_sal(LAYERS)))
    )
    true.cycle(x, target)
    control.cycle(x, target)
    error = true.activity("down3")[0].numpy()
    assert np.isfinite(error).all() and not np.allclose(error[0], error[1])
    np.testing.assert_array_equal(control.activity("down3")[0].numpy(), np.roll(error, 1, axis=0))
