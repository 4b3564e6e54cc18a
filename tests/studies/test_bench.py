"""The bench measures what it says; no test looks at a time."""

import importlib

import numpy as np
import pytest
import torch

import circuitsim as cs
from benchmarks.rivals import ETA, GAMMA, plain_torch
from circuitsim.studies.bench import others
from circuitsim.studies.bench.floor import floor, products
from circuitsim.studies.bench.steps import Case, circuit_of, time_steps

LAYERS = (12, 7, 5, 3)


def test_the_floor_is_the_list_of_products_of_equations_1_to_8():
    listed = products(circuit_of(LAYERS), 4)
    shapes = sorted((p.rows, p.inner, p.columns) for p in listed)
    up, expected = LAYERS, []
    for k in range(3):
        expected += [(4, up[k], up[k + 1]), (up[k + 1], 4, up[k])]  # p = W h, dW
    for k in (1, 2):
        expected += [(4, up[k + 1], up[k]), (up[k], 4, up[k + 1])]  # g = Wt g, dWt
        expected += [(4, up[k], up[k]), (4, up[k], up[k]), (up[k], 4, up[k])]  # V g, Vt h, and one product for both
    assert shapes == sorted(expected)
    floor(circuit_of(LAYERS), 4)()


@pytest.mark.parametrize("n_replicas", [1, 3])
def test_the_rival_in_plain_torch_is_the_same_circuit(n_replicas):
    """Else a comparison of times would mean nothing."""
    torch.manual_seed(0)
    circuit = circuit_of(LAYERS, n_replicas, "cpu")
    w = plain_torch.weights(LAYERS, n_replicas)
    names = {"W": ("W0", "W1", "W2"), "Wt": ("Wt1", "Wt2"), "V": ("V1", "V2"), "Vt": ("Vt1", "Vt2")}
    for kind, projections in names.items():
        for name, tensor in zip(projections, w[kind], strict=True):
            circuit.set_weights(name, tensor)
    x, y = torch.randn(6, LAYERS[0]), torch.randint(0, 3, (6,))
    for _ in range(3):
        circuit.step(x, y)
        plain_torch.sal_step(w, x, y)
    for kind, projections in names.items():
        for name, tensor in zip(projections, w[kind], strict=True):
            assert torch.isfinite(tensor).all()
            torch.testing.assert_close(circuit.weights(name).squeeze(0), tensor, rtol=1e-5, atol=1e-6)
    assert 0 < GAMMA < ETA


def test_the_rival_in_jax_is_the_same_circuit():
    pytest.importorskip("jax")
    jax_jit = importlib.import_module("benchmarks.rivals.jax_jit")
    torch.manual_seed(0)
    w = plain_torch.weights(LAYERS)
    x, y = torch.randn(6, LAYERS[0]), torch.randint(0, 3, (6,))
    theirs = jax_jit.sal_step({k: [t.numpy().copy() for t in ts] for k, ts in w.items()}, x.numpy(), y.numpy())
    plain_torch.sal_step(w, x, y)
    for kind, tensors in w.items():
        for ours, other in zip(tensors, theirs[kind], strict=True):
            assert np.isfinite(np.asarray(other)).all()
            np.testing.assert_allclose(np.asarray(other), ours.numpy(), rtol=1e-4, atol=1e-6)


def test_a_comparison_has_a_row_for_each_contestant_and_says_whether_a_target_is_met():
    rows = time_steps(Case(LAYERS, 4, rivals=False, targets=(("floor", 1e9),)), rounds=2, device="cpu")
    ours = {"step": "circuitsim", "step, oneDNN": "circuitsim, oneDNN"}
    assert [row.contestant for row in rows[:3]] == ["floor", "circuitsim", "circuitsim, defaults"]
    assert [row.contestant for row in rows[3:]] in ([], ["floor", "circuitsim, oneDNN", "circuitsim, defaults"])
    verdicts = [(row.bench, row.contestant) for row in rows if row.met == "yes"]
    assert verdicts in ([(bench, "floor")] for bench in ours), "only the faster library of the two has the target"
    assert all(
        row.met in ("", "yes") and (row.ours_over is None) == (row.contestant == ours[row.bench]) for row in rows
    )
    assert all(np.isfinite([row.value, row.low, row.high]).all() and row.low <= row.value <= row.high for row in rows)


def test_the_memory_of_a_circuit_is_counted_to_the_byte():
    motif = cs.Motif("one")
    motif.add(cs.Population("x", 5), cs.Population("y", 4))
    motif.connect("x", "y", name="W")
    circuit = cs.compile(motif, device="cpu")
    assert circuit.n_bytes == 5 * 4 * 4
    circuit.cycle(np.zeros((3, 5)))
    assert circuit.n_bytes == 5 * 4 * 4 + 3 * 4 * 4  # and the current
    assert others.memory(Case((784, 200, 10), 256), "cpu")[1].ours_over < 1.2
