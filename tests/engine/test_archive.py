"""Saved circuits go on exactly, and nothing else is taken for one."""

import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import circuitsim as cs
from circuitsim import files
from circuitsim.engine.archive import FORMAT
from motifs import backprop, paper_sal, weight_mirror

LAYERS = [6, 5, 3]


def batch(k: int):
    rng = np.random.default_rng(k)
    return rng.standard_normal((8, 6)), rng.integers(0, 3, 8)


def rich_circuit() -> cs.Circuit:
    motif = paper_sal(LAYERS).replace("V1", connectivity=cs.Random(0.6))
    motif = motif.replace("Vt1", connectivity=cs.ReciprocalOf("V1"))
    circuit = cs.compile(motif, replicas=3, seed=4, device="cpu", vary={"W0.eta": [0.1, 0.2, 0.3]})
    for k in range(3):
        circuit.step(*batch(k))
    circuit.prune("W1", 0.2)
    circuit.freeze("Wt1")
    circuit.pin_replica(2, circuit.snapshot())
    circuit.pin_replica(1)
    circuit.release_replica(1, {"W0.eta": 0.05, "Wt1.eta": 0.3})
    circuit.eta_scale, circuit.n_epochs = 0.5, 7
    return circuit


@pytest.mark.parametrize("make", [rich_circuit, lambda: cs.compile(backprop(LAYERS), dtype="float64", device="cpu")])
def test_a_loaded_circuit_goes_on_bit_for_bit(tmp_path, make):
    circuit = make()
    circuit.save(tmp_path / "deep" / "circuit.safetensors")
    loaded = cs.load_circuit(tmp_path / "deep" / "circuit.safetensors", device="cpu")
    assert loaded.motif == circuit.motif and loaded.n_steps == circuit.n_steps
    assert loaded.condition() == circuit.condition() and loaded.record_changes == circuit.record_changes
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


def described(path, **changes):
    """A file whose description is changed, as one without a checksum."""
    circuit = cs.compile(backprop(LAYERS), device="cpu")
    circuit.save(path)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    document = json.loads(header["__metadata__"]["circuit"])
    save_file(load_file(path), path, metadata={"circuit": json.dumps(document | changes)})


def test_a_file_of_an_old_or_a_newer_version_is_said_to_be_that(tmp_path):
    path = tmp_path / "c.safetensors"
    for found, message in (
        (
            "circuitsim circuit 1",
            r"written by an old version .circuitsim 0\.0\.7.* in format 'circuitsim circuit 1', .*load it with",
        ),
        ("circuitsim circuit 99", "written by a newer version .*install that version"),
        ("circuitsim circuit x", "format is 'circuitsim circuit x', but this version reads 'circuitsim circuit 2' to"),
        (None, "format is None"),
        (FORMAT, "damaged: its checksum"),
    ):
        described(path, format=found, version="0.0.7")
        with pytest.raises(cs.ArchiveError, match=message):
            cs.load_circuit(path)


def test_files_of_other_programs_in_the_same_container_are_not_called_truncated(tmp_path):
    path = tmp_path / "c.safetensors"
    for metadata in (None, {"format": "pt"}, {"circuit": "no JSON"}, {"circuit": "[]"}, {"circuit": "{}"}):
        save_file({"weight": torch.zeros(2)}, path, metadata=metadata)
        with pytest.raises(cs.ArchiveError, match="not a saved circuit: its header holds no description"):
            cs.load_circuit(path)


def test_a_file_larger_than_the_memory_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "c.safetensors"
    rich_circuit().save(path)
    monkeypatch.setattr(files, "machine_bytes", lambda: 1000)
    with pytest.raises(cs.ArchiveError, match=r"cannot be read \(it has .* bytes, but there are 1,000 bytes of memory"):
        cs.load_circuit(path)


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
        (lambda t, d: d.update(replicas="three"), "replicas must be a whole number, 1 or more"),
        (lambda t, d: d.pop("seed"), "seed"),
        (lambda t, d: t.pop("mask/V1"), "mask/V1.* missing or unknown"),
        (lambda t, d: d.update(eta_scale="fast"), "eta_scale must be a finite number .got 'fast'."),
        (lambda t, d: d.update(pinned=[3]), "replica must be in 0 .. 2 .got 3."),
        (lambda t, d: d.update(n_epochs=-1), "must not be negative"),
        (lambda t, d: d.update(lesioned=None), "lesioned must be a mapping .got None."),
        (lambda t, d: d.update(changed_rates=[]), r"changed_rates must be a mapping .got \[\]."),
        (lambda t, d: d.update(changed_rates={"W0.rate": [1, 2, 3]}), "unknown path 'W0.rate'"),
    ],
)
def test_a_forged_file_is_refused_with_the_reason(tmp_path, change, message):
    path = tmp_path / "c.safetensors"
    rich_circuit().save(path)
    forged(path, change)
    with pytest.raises(cs.ArchiveError, match=message):
        cs.load_circuit(path)


def test_a_file_brings_no_pruned_synapse_back(tmp_path):
    path = tmp_path / "c.safetensors"
    circuit = rich_circuit()
    circuit.save(path)
    forged(path, lambda t, d: t["weights/W1"].fill_(0.5))  # also where its mask says that there is no synapse
    loaded = cs.load_circuit(path, device="cpu")
    assert torch.equal(loaded.weights("W1") != 0, circuit.mask("W1")) and not circuit.mask("W1").all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_decay_that_is_owed_in_several_phases_is_saved(tmp_path, dtype):
    motif = weight_mirror(LAYERS)
    for name in ("W0", "W1"):
        motif = motif.replace(name, rule=cs.Rule("eta * (slope_post * post * pre) - 1e-8 * w", eta=0.1))
    motif = motif.replace("Wt1", rule=cs.Rule("eta * post * pre - 1e-8 * w", eta=0.1))
    circuit = cs.compile(motif, replicas=2, dtype=dtype, device="cpu")
    circuit.step(*batch(0))
    circuit.save(tmp_path / "c")
    loaded = cs.load_circuit(tmp_path / "c", device="cpu")
    assert loaded.store.owed == circuit.store.owed and bool(circuit.store.owed) == (dtype == "float32")
    for c in (circuit, loaded):
        c.step(*batch(1))
    assert torch.equal(circuit.weights("W0"), loaded.weights("W0"))
