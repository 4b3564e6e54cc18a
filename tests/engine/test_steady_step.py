"""A steady step allocates nothing and never waits for the device, seen in the operations that it dispatches."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import circuitsim as cs
from motifs import backprop, kolen_pollack, paper_sal, winner_take_all

LAYERS = [6, 5, 4, 3]
WAITS = ("item", "_local_scalar_dense", "nonzero", "is_nonzero", "equal", "masked_select", "unique", "_to_copy")


class Watch(TorchDispatchMode):
    """Notes every operation whose result is new memory, and every one that waits for the device."""

    def __init__(self) -> None:
        super().__init__()
        self.new: list[tuple[str, tuple[int, ...]]] = []
        self.waits: list[str] = []
        self.n_operations = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        self.n_operations += 1
        name = operation.overloadpacket.__name__
        known = {storage(t) for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)}
        self.new += [
            (name, tuple(t.shape))
            for t in tree_leaves(result)
            if isinstance(t, torch.Tensor) and storage(t) not in known
        ]
        self.waits += [name] if name in WAITS else []
        return result


def storage(tensor: torch.Tensor) -> int:
    """Where its numbers are; for a sparse matrix, those of its entries."""
    tensor = tensor if tensor.layout == torch.strided else tensor.values()
    return tensor.untyped_storage().data_ptr()


def masked() -> cs.Motif:
    motif = paper_sal(LAYERS, regularizer="homeostatic").replace("V1", connectivity=cs.Random(0.5), bounds=(-1.0, 1.0))
    return motif.replace("Vt1", connectivity=cs.ReciprocalOf("V1"))


def listed() -> cs.Motif:
    return (
        paper_sal([6, 40, 30, 3])
        .replace("V1", connectivity=cs.Random(0.05))
        .replace("Vt1", connectivity=cs.ReciprocalOf("V1"))
    )


def lateral() -> cs.Motif:
    """Each reduction over a population, and a label."""
    activation = "softmax(drive) * (rank(drive) < 3) + drive / norm(drive) - sum(drive) / max(drive)"
    motif = paper_sal(LAYERS).replace("up1", activation=activation)
    motif.add(cs.Population("label", LAYERS[-1], source="target"))
    motif.connect("label", "down1", name="L", rule=cs.Rule("0.1 * post * pre"))
    return motif


MOTIFS = [
    paper_sal(LAYERS),
    paper_sal(LAYERS, [7, 2], trace=None, bias=True, decay="plain"),
    paper_sal(LAYERS, descending="jacobian", regularizer="l1", loss="mse", output_pathway="plastic"),
    masked(),
    backprop(LAYERS, loss="bce"),
    kolen_pollack(LAYERS),
    winner_take_all(LAYERS),
    listed(),
    lateral(),
]


@pytest.mark.parametrize("motif", MOTIFS, ids=lambda m: m.name)
@pytest.mark.parametrize("vary", [None, {"W0.eta": [0.1, 0.2, 0.05]}], ids=["one rate", "varied rates"])
@pytest.mark.parametrize("keep", [(), "all"], ids=["cheapest", "everything kept"])
def test_a_steady_step_makes_no_tensor_but_its_loss_and_never_waits(motif, vary, keep):
    circuit = cs.compile(motif, replicas=3, dtype="float32", device="cpu", vary=vary)
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.standard_normal((8, 6)), dtype=torch.float32)
    target = torch.tensor(rng.integers(0, 3, 8))
    if motif.objectives[0].loss != "cross_entropy":
        target = torch.nn.functional.one_hot(target, 3).float()
    circuit.step(x, target, keep=keep)
    with Watch() as watch:
        loss = circuit.step(x, target, keep=keep).loss
    assert torch.isfinite(loss).all() and watch.n_operations > 20
    assert [shape for _, shape in watch.new] == [(3,)], "only the losses, [replica], are new: the caller keeps them"
    assert watch.waits == []


def test_results_that_were_read_stay_as_they_were():
    circuit = cs.compile(paper_sal(LAYERS), replicas=2, device="cpu")
    rng = np.random.default_rng(0)
    kept, copies = [], []
    for _ in range(3):
        result = circuit.step(rng.standard_normal((8, 6)), rng.integers(0, 3, 8))
        read = (result.loss, circuit.activity("up1"), circuit.drive("up1"), circuit.current("V1"))
        kept.append(read)
        copies.append([value.clone() for value in read])
    assert not torch.equal(kept[0][1], kept[1][1])
    for read, copied in zip(kept, copies, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(read, copied, strict=True))


def test_batches_of_changing_size_give_what_fresh_circuits_give():
    rng = np.random.default_rng(0)
    one = cs.compile(paper_sal(LAYERS), dtype="float64", device="cpu")
    for n in (8, 3, 8, 5, 1, 2, 4, 8):  # more sizes than buffers are kept for
        fresh = cs.compile(paper_sal(LAYERS), dtype="float64", device="cpu")
        for p in fresh.motif.projections:
            if p.is_plastic:
                fresh.set_weights(p.name, one.weights(p.name)[0])
        x, target = rng.standard_normal((n, 6)), rng.integers(0, 3, n)
        assert torch.equal(one.step(x, target).loss, fresh.step(x, target).loss)
        assert all(torch.equal(one.weights(p.name), fresh.weights(p.name)) for p in one.motif.projections)


def test_iterations_share_their_memory():
    def n_bytes(repeat: int) -> int:
        motif = cs.Motif()
        leaky = "previous + 0.1 * (tanh(drive) - previous)"
        motif.add(cs.Population("x", 2), cs.Population("h", 300, activation=leaky), cs.Phase("settle", repeat=repeat))
        motif.connect("x", "h", name="W")
        motif.connect("h", "h", name="R", delay=1, rule=cs.Rule("eta * post * pre", eta=0.1))
        circuit = cs.compile(motif, device="cpu")
        circuit.step(np.ones((1000, 2)))
        return circuit.n_bytes

    assert n_bytes(40) == n_bytes(4) < 4 * (300**2 + 9 * 1000 * 300)
