"""How arrays of weights lie in memory; that they are right wherever they lie is what the parity tests see."""

import torch

import circuitsim as cs
from motifs import paper_sal

LAYERS = [20, 18, 17, 3]


def along_post(circuit: cs.Circuit) -> set[str]:
    own = circuit.store.own.items()
    return {name.removesuffix(":w") for name, w in own if w.ndim == 3 and w.stride(1) == 1 and w.shape[1] > 1}


def test_weights_lie_as_their_products_are_fastest():
    """Along post, unless post is narrow; V and Vt share a mean, which one of them reads transposed."""
    circuit = cs.compile(paper_sal(LAYERS), replicas=2, device="cpu")
    expected = {"W0", "W1", "Wt1", "Wt2", "Vt1", "Vt2"}
    assert along_post(circuit) == expected
    torch.manual_seed(0)
    for _ in range(3):
        circuit.step(torch.randn(8, 20), torch.randint(0, 3, (8,)))
    assert along_post(circuit) == expected  # changes are made in place


def test_masks_lie_like_their_weights_also_after_pruning_and_loading(tmp_path):
    motif = paper_sal(LAYERS).replace("W1", connectivity=cs.Random(0.5))
    circuit = cs.compile(motif, replicas=2, device="cpu")
    assert circuit.prune("W1", 0.1).min() > 0
    circuit.save(tmp_path / "circuit.safetensors")
    loaded = cs.load_circuit(tmp_path / "circuit.safetensors")
    torch.manual_seed(0)
    x, target = torch.randn(8, 20), torch.randint(0, 3, (8,))
    for one in (circuit, loaded):
        one.step(x, target)
        layout = one.store.layouts["W1"]
        assert layout.mask.stride() == layout.absent.stride() == one.store.own["W1:w"].stride()
    assert torch.isfinite(circuit.weights("W1")).all()
    assert torch.equal(circuit.weights("W1"), loaded.weights("W1"))
    assert torch.equal(circuit.weights("W1") == 0, layout.absent)
