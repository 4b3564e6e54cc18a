"""The rivals do what the circuits do; else a comparison of times would mean nothing."""

import importlib

import numpy as np
import pytest
import torch

import circuitsim as cs
from benchmarks.cases import settling
from benchmarks.cases.relatives import RELATIVES
from benchmarks.circuits import sal_motif
from benchmarks.rivals import (
    ETA,
    GAMMA,
    autograd_sgd,
    plain_torch,
    predictive_coding,
    reassociated_compiled,
    reassociated_torch,
    rflo,
    torch_nn,
)
from benchmarks.rivals.weights import forward_weights, sal_weights

LAYERS, BATCH = (12, 7, 5, 3), 6
NAMES = {"W": ("W0", "W1", "W2"), "Wt": ("Wt1", "Wt2"), "V": ("V1", "V2"), "Vt": ("Vt1", "Vt2")}
CLOSE = {torch.float64: {"rtol": 1e-12, "atol": 1e-12}, torch.float32: {"rtol": 1e-5, "atol": 1e-6}}


@pytest.fixture(params=[torch.float64, torch.float32], ids=["float64", "float32"])
def dtype(request):
    """Also the type of everything drawn meanwhile."""
    torch.manual_seed(0)
    torch.set_default_dtype(request.param)
    yield request.param
    torch.set_default_dtype(torch.float32)


def batches(n_inputs=LAYERS[0], n_steps=3):
    return [(torch.randn(BATCH, n_inputs), torch.randint(0, LAYERS[-1], (BATCH,))) for _ in range(n_steps)]


def copied(w):
    return {kind: [tensor.clone() for tensor in tensors] for kind, tensors in w.items()}


def compiled(motif, dtype, weights, **options):
    """The motif with weights of the rival's."""
    circuit = cs.compile(motif, device="cpu", dtype=str(dtype).removeprefix("torch."), **options)
    for name, tensor in weights.items():
        circuit.set_weights(name, tensor.detach().clone())
    return circuit


def named(w):
    return {name: tensor for kind, names in NAMES.items() for name, tensor in zip(names, w[kind], strict=True)}


def run(circuit, step):
    for x, y in batches():
        circuit.step(x, y)
        step(x, y)


def assert_equal(circuit, expected, dtype):
    for name, tensor in expected.items():
        found = circuit.weights(name)
        assert torch.isfinite(tensor).all()
        torch.testing.assert_close(found.reshape(tensor.shape), tensor.detach(), **CLOSE[dtype])


@pytest.mark.parametrize("n_replicas", [1, 3])
def test_plain_torch_is_the_same_circuit(n_replicas, dtype):
    w = sal_weights(LAYERS, n_replicas)
    circuit = compiled(sal_motif(LAYERS), dtype, named(w), replicas=n_replicas)
    run(circuit, plain_torch.make(w, BATCH))
    assert_equal(circuit, named(w), dtype)
    assert 0 < GAMMA < ETA


def test_the_reassociated_step_is_the_same_circuit(dtype):
    w = sal_weights(LAYERS)
    circuit = compiled(sal_motif(LAYERS), dtype, named(w))
    run(circuit, reassociated_torch.make(w, BATCH))
    assert_equal(circuit, named(w), dtype)


@pytest.mark.parametrize("layers", [(12, 7, 5, 3), (12, 7, 3), (12, 7, 6, 5, 4, 3), (12, 3)])
@pytest.mark.parametrize("make", [reassociated_torch.make, "what is compiled"])
def test_the_reassociated_step_is_the_plain_one_at_every_depth(layers, make):
    torch.manual_seed(0)
    w = {kind: [tensor.double() for tensor in tensors] for kind, tensors in sal_weights(layers).items()}
    other = copied(w)
    plain = plain_torch.make(w, BATCH)
    fast = make(other, BATCH) if callable(make) else lambda x, y: reassociated_compiled.sal_step(other, x, y)
    for x, y in batches():
        plain(x.double(), y)
        fast(x.double(), y)
    for kind, tensors in w.items():
        for expected, found in zip(tensors, other[kind], strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_the_rates_are_large_enough_for_these_tests_to_see_a_change_left_out():
    torch.manual_seed(0)
    w = {kind: [tensor.double() for tensor in tensors] for kind, tensors in sal_weights(LAYERS).items()}
    before, step = copied(w), plain_torch.make(w, BATCH)
    for x, y in batches():
        step(x.double(), y)
    for kind, tensors in before.items():
        for old, new in zip(tensors, w[kind], strict=True):
            assert ((1 - 3 * ETA * GAMMA) * old - new).abs().max() > 1e-5


def test_the_rival_in_jax_is_the_same_circuit():
    jax = pytest.importorskip("jax")
    sal_step = importlib.import_module("benchmarks.rivals.reassociated_jax").sal_step
    torch.manual_seed(0)
    w = sal_weights(LAYERS)
    theirs = jax.tree.map(lambda tensor: tensor.numpy().copy(), w)
    step = plain_torch.make(w, BATCH)
    for x, y in batches():
        theirs = sal_step(theirs, x.numpy(), y.numpy())
        step(x, y)
    for kind, tensors in w.items():
        for ours, other in zip(tensors, theirs[kind], strict=True):
            assert np.isfinite(np.asarray(other)).all()
            np.testing.assert_allclose(np.asarray(other), ours.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", RELATIVES)
def test_backpropagation_and_its_relatives_are_the_same_circuits(name, dtype):
    relative = RELATIVES[name]
    W, *feedback = relative.weights(LAYERS)
    expected = {f"W{k}": tensor for k, tensor in enumerate(W)}
    if feedback:
        expected |= {f"{relative.back}{k}": tensor for k, tensor in enumerate(feedback[0], start=1)}
    circuit = compiled(relative.motif(LAYERS, eta=ETA, gamma=GAMMA), dtype, expected)
    run(circuit, relative.rival(W, *feedback))
    assert_equal(circuit, expected, dtype)


def test_feedback_of_kolen_pollack_changes_and_that_of_the_others_does_not():
    torch.manual_seed(0)
    for name, relative in RELATIVES.items():
        if relative.feedback is not None:
            W, B = relative.weights(LAYERS)
            before = [tensor.clone() for tensor in B]
            relative.rival(W, B)(*batches(n_steps=1)[0])
            changed = [not torch.equal(old, new.detach()) for old, new in zip(before, B, strict=True)]
            assert changed == [name == "kolen-pollack"] * len(B)


def test_autograd_by_hand_and_torch_nn_are_the_same_descent(monkeypatch):
    torch.manual_seed(0)
    model = torch_nn.mlp(LAYERS)
    monkeypatch.setattr(torch_nn, "mlp", lambda layers: model)
    W = forward_weights(LAYERS)
    for parameter, tensor in zip(model.parameters(), W, strict=True):
        parameter.data = tensor.clone()
    by_hand, by_nn = autograd_sgd.make(W), torch_nn.make(LAYERS)
    for x, y in batches():
        by_hand(x, y)
        by_nn(x, y)
    for parameter, tensor in zip(model.parameters(), W, strict=True):
        torch.testing.assert_close(parameter, tensor, rtol=1e-5, atol=1e-6, check_layout=False)


def test_the_loop_over_epochs_sees_every_sample_in_each_and_tells_the_mean_loss(monkeypatch):
    seen = []
    monkeypatch.setattr(torch_nn, "make", lambda layers: lambda x, y: seen.append(x[:, 0]) or x.mean())
    x = torch.arange(10.0).unsqueeze(1)
    found = torch_nn.make_epochs(LAYERS, x, torch.zeros(10, dtype=torch.long), batch=4, epochs=2)()
    assert [len(chosen) for chosen in seen] == [4, 4, 2] * 2
    assert all(sorted(torch.cat(seen[k : k + 3]).tolist()) == list(range(10)) for k in (0, 3))
    assert found == pytest.approx(4.5)


def moved(weights, before):
    return min((weights[name].detach() - old).abs().max() for name, old in before.items()) > ETA / 20


def test_predictive_coding_by_hand_is_the_same_circuit():
    torch.manual_seed(0)
    circuit = settling.settling_circuit(LAYERS, "cpu")
    W = {f"W{k}": circuit.weights(f"W{k}")[0] for k in range(3)}
    before = copied({"W": list(W.values())})["W"]
    step = predictive_coding.make(list(W.values()), BATCH, settling.ITERATIONS, settling.RATE)
    run(circuit, step)
    assert_equal(circuit, W, torch.float32)
    assert moved(W, dict(zip(W, before, strict=True)))


def test_rflo_by_hand_is_the_same_circuit():
    torch.manual_seed(0)
    circuit = settling.recurrent_circuit((4, 7, 3), "cpu")
    w = {name: circuit.weights(name)[0] for name in "WRUB"}
    before = {name: w[name].clone() for name in "WRU"}
    step = rflo.make(w, BATCH, settling.TAU)
    for n_times in (5, 8):
        x, target = torch.randn(BATCH, n_times, 4), torch.randn(BATCH, n_times, 3)
        circuit.step(x, target)
        step(x, target)
    assert_equal(circuit, w, torch.float32)
    assert moved(w, before)
