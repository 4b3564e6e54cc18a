"""Saved circuits go on exactly, and nothing else is taken for one."""

import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import circuitsim as cs
from motifs import backprop, sal

LAYERS = [6, 5, 3]


def batch(k: int):
    rng = np.random.default_rng(k)
    return rng.standard_normal((8, 6)), rng.integers(0, 3, 8)


def rich_circuit() -> cs.Circuit:
    motif = sal(LAYERS).replace("V1", connectivity=cs.Random(0.6))
    motif = motif.replace("Vt1", connectivity=cs.ReciprocalOf("V1"))
    circuit = cs.compile(motif, replicas=3, seed=4, device="cpu", vary={"W0.eta": [0.1, 0.2, 0.3]})
    for k in range(3):
        circuit.step(*batch(k))
    circuit.prune("W1", 0.2)
    circuit.freeze("Wt1")
    circuit.hold(2, circuit.snapshot())
    return circuit


@pytest.mark.parametrize("make", [rich_circuit, lambda: cs.compile(backprop(LAYERS), dtype="float64", device="cpu")])
def test_a_loaded_circuit_goes_on_bit_for_bit(tmp_path, make):
    circuit = make()
    circuit.save(tmp_path / "deep" / "circuit.safetensors")
    loaded = cs.load_circuit(tmp_path / "deep" / "circuit.safetensors", device="cpu")
    assert loaded.motif == circuit.motif and loaded.n_steps == circuit.n_steps
    assert loaded.held == circuit.held and loaded.frozen == circuit.frozen
    for k in range(5, 8):
        one, two = circuit.step(*batch(k)).loss, loaded.step(*batch(k)).loss
        assert torch.isfinite(one).all() and torch.equal(one, two)
    for p in circuit.motif.projections:
        assert torch.equal(circuit.weights(p.name), loaded.weights(p.name))
        assert torch.equal(circuit.mask(p.name), loaded.mask(p.name))


def test_saving_leaves_no_other_file(tmp_path):
    path = tmp_path / "c.safetensors"
    rich_circuit().save(path)
    rich_circuit().save(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_truncated_or_foreign_file_is_refused(tmp_path):
    path = tmp_path / "c.safetensors"
    rich_circuit().save(path)
    content = path.read_bytes()
    with pytest.raises(cs.ArchiveError, match="there is no such file"):
        cs.load_circuit(tmp_path / "none")
    for cut in (0, 4, 100, len(content) // 2, len(content) - 1):
        (tmp_path / "cut").write_bytes(content[:cut])
        with pytest.raises(cs.ArchiveError, match="truncated or not a saved circuit"):
            cs.load_circuit(tmp_path / "cut")
    (tmp_path / "text").write_text("hello" * 100)
    with pytest.raises(cs.ArchiveError, match="truncated or not a saved circuit"):
        cs.load_circuit(tmp_path / "text")


def forged(path, change) -> None:
    tensors = load_file(path)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    document = json.loads(header["__metadata__"]["circuit"])
    change(tensors, document)
    text = json.dumps(document)
    save_file(tensors, path, metadata={"circuit": text, "sha256": checksum(tensors, text)})


def checksum(tensors, text: str) -> str:
    """A forger knows how to make one."""
    parts = [f"{k} {t.dtype} {tuple(t.shape)}".encode() + t.numpy().tobytes() for k, t in sorted(tensors.items())]
    return hashlib.sha256(b"".join([text.encode(), *parts])).hexdigest()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, d: t.pop("weights/W0"), "weights/W0.* missing or unknown"),
        (lambda t, d: t.update({"weights/W0": torch.zeros(3, 5, 7)}), "needs"),
        (lambda t, d: t.update({"weights/W0": t["weights/W0"].double()}), "needs"),
        (lambda t, d: t["weights/W0"].fill_(float("nan")), "not finite"),
        (lambda t, d: d.update(format="circuitsim circuit 99"), "this version reads"),
        (lambda t, d: d["motif"]["projections"][0].update(post="nowhere"), "unknown population 'nowhere'"),
        (
            lambda t, d: d["motif"]["projections"][0]["rule"].update(expression="__import__('os')"),
            "unknown function '__import__'",
        ),
        (lambda t, d: d["motif"]["projections"][0]["rule"].update(type="Popen"), "unknown type 'Popen'"),
        (lambda t, d: d.update(replicas="three"), "replicas must be a positive integer"),
        (lambda t, d: d.pop("seed"), "seed"),
    ],
)
def test_a_forged_file_is_refused_with_the_reason(tmp_path, change, message):
    path = tmp_path / "c.safetensors"
    rich_circuit().save(path)
    forged(path, change)
    with pytest.raises(cs.ArchiveError, match=message):
        cs.load_circuit(path)
