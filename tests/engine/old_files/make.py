"""What made the files of this folder, with the version that wrote "circuitsim circuit 2", or 4 for files called ``_4``:

python -m tests.engine.old_files.make FOLDER

Kept to tell what is in them; this version would write another format. `expected.json` is what that version then did.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

import circuitsim as cs
from motifs import paper_sal


def rich() -> cs.Circuit:
    """States of neurons and synapses, few synapses, some pruned, a projection frozen, a replica pinned."""
    motif = paper_sal([6, 5, 3]).replace("V1", connectivity=cs.Random(0.6))
    motif = motif.replace("Vt1", connectivity=cs.ReciprocalOf("V1"))
    motif = motif.replace("up1", state={"theta": cs.State("theta + (activity**2 - theta) / 5")})
    rule = cs.Rule("eta * (slope_post * I_V1 * pre + 0.1 * e) - 1e-3 * w - theta_post * w / 100", eta=0.1)
    motif = motif.replace("W0", rule=rule, state={"e": cs.State("0.9 * e + post * pre / 10")})
    motif.add(cs.Population("side", size=5, activation="tanh"))
    state = {"s": cs.State("0.5 * s + post * pre")}
    motif.connect(
        "up1", "side", name="S", connectivity=cs.OneToOne(), rule=cs.Rule("0.1 * (post * pre - w)"), state=state
    )
    circuit = cs.compile(motif, replicas=3, seed=4, device="cpu", vary={"W0.eta": [0.1, 0.2, 0.3]})
    steps(circuit, 0, 3)
    circuit.prune("W1", 0.2)
    circuit.freeze("Wt1")
    circuit.pin_replica(2, circuit.snapshot())
    steps(circuit, 3, 4)
    return circuit


def sparse() -> cs.Circuit:
    """Synapses in lists, with a state each."""
    motif = paper_sal([9, 8, 6, 4]).replace("V1", connectivity=cs.Random(0.05))
    motif = motif.replace("Vt1", connectivity=cs.ReciprocalOf("V1"))
    motif.add(cs.Population("side", size=8, activation="tanh"))
    rule, state = cs.Rule("0.1 * (e - w)"), {"e": cs.State("0.9 * e + post * pre")}
    motif.connect("up1", "side", name="S", connectivity=cs.Random(0.05), rule=rule, state=state)
    circuit = cs.compile(motif, replicas=2, seed=5, device="cpu", dtype="float64")
    steps(circuit, 0, 3)
    return circuit


def silent() -> cs.Circuit:
    """Declarations that only the version of "circuitsim circuit 4" took: this version refuses every projection."""
    rng, rule = np.random.default_rng(0), cs.Rule("0.1 * (post * pre - w)")
    mask, given = rng.random((5, 6)) < 0.5, rng.standard_normal((5, 6))
    motif = cs.Motif("silent")
    motif.add(cs.Population("x", 6), cs.Population("y", 5, activation="tanh"))
    motif.connect("x", "y", name="repeated", connectivity=cs.Edges([4, 0, 4, 2], [1, 2, 1, 0]), rule=rule)
    motif.connect(
        "x", "y", name="stray", connectivity=cs.Mask(mask), init=cs.Given(given), rule=rule, bounds=(-0.5, 0.5)
    )
    motif.connect("x", "y", name="blank", connectivity=cs.Mask(np.where(mask, np.nan, 0)), plastic=False)
    motif.connect("x", "y", name="random", connectivity=cs.Random(0.5), init=cs.Given(given), rule=rule)
    motif.connect("x", "y", name="outside", init=cs.Constant(-1.0), bounds=(0, 1), plastic=False)
    motif.connect("x", "y", name="tied", compartment="dendrite", tied_to=cs.Derived("stray"), bounds=(0, 1))
    circuit = cs.compile(motif, replicas=2, seed=3, device="cpu", dtype="float64")
    circuit.step(rng.standard_normal((4, 6)))
    return circuit


def beginning() -> cs.Circuit:
    """What `learn` starts from."""
    return cs.compile(paper_sal([6, 5, 3], name="sal"), replicas=2, seed=4, device="cpu", dtype="float64")


def learn(circuit: cs.Circuit, **options: Any) -> cs.History:
    """Six epochs."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((60, 6)).astype(np.float32), rng.integers(0, 3, 60)
    settings = {"epochs": 6, "batch_size": 20, "schedule": "cosine", "data_seed": 3, "progress": False}
    return cs.fit(circuit, (x, y), **settings, **options)


def steps(circuit: cs.Circuit, first: int, last: int) -> None:
    """Steps on random batches."""
    sizes = {p.name: p.size for p in circuit.motif.populations}
    n_inputs, n_outputs = sizes["up0"], sizes[circuit.motif.objectives[0].output]
    for k in range(first, last):
        rng = np.random.default_rng(k)
        circuit.step(rng.standard_normal((8, n_inputs)), rng.integers(0, n_outputs, 8))


def numbers(circuit: cs.Circuit) -> dict[str, list[float]]:
    """Of all weights and states, for each replica: a sum that tells every place from every other."""

    def summed(values: torch.Tensor) -> list[float]:
        flat = (values if values.layout == torch.strided else values.to_dense()).double().flatten(1)
        return (flat * torch.cos(torch.arange(flat.shape[1], dtype=torch.float64))).sum(1).tolist()

    found = {p.name: summed(circuit.weights(p.name)) for p in circuit.motif.projections}
    for owner in (*circuit.motif.populations, *circuit.motif.projections):
        found |= {f"{owner.name}.{name}": summed(circuit.state(owner.name, name)) for name in owner.state}
    return found


def described(circuit: cs.Circuit) -> dict[str, Any]:
    """What a file has to give back, and what the circuit then does."""
    found: dict[str, Any] = {"now": numbers(circuit)}
    masks = {p.name: circuit.mask(p.name).to(torch.float32) for p in circuit.motif.projections}
    found["n_synapses"] = {name: int(torch.count_nonzero(mask.to_dense())) for name, mask in masks.items()}
    found |= {"n_steps": circuit.n_steps, "held": list(circuit.pinned), "frozen": sorted(circuit.frozen)}
    steps(circuit, 5, 8)
    return found | {"later": numbers(circuit)}


class PowerCut(Exception):
    """Ends a run."""


def cut(circuit: cs.Circuit) -> None:
    if circuit.n_steps == 10:
        raise PowerCut


def main(folder: Path) -> None:
    expected = {}
    for make in (rich, sparse):
        circuit = make()
        circuit.save(folder / f"{make.__name__}.safetensors")
        expected[make.__name__] = described(circuit)
    whole = beginning()
    rows = learn(whole).rows
    expected["run"] = {"later": numbers(whole), "rows": rows}
    with contextlib.suppress(PowerCut):
        learn(beginning(), checkpoint=folder / "run.safetensors", probes={"cut": cs.Probe(cut, every_steps=1)})
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
