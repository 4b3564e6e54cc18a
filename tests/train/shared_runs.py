"""The runs that test_distributed.py compares: a script for torchrun, and a module for the test's own process.

torchrun --nproc-per-node 2 -m tests.train.shared_runs FOLDER
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import circuitsim as cs
from motifs import paper_sal, rflo, weight_mirror

LAYERS = [9, 8, 6, 4]


def with_state_and_slow_terms() -> cs.Motif:
    """SAL with a sliding threshold, a synaptic trace, a bias, a term that does not factor, and a maximum of such."""
    motif = paper_sal(LAYERS)
    motif = motif.replace("up1", state={"theta": cs.State("theta + (activity**2 - theta) / 5 + 0.01 * mean(drive)")})
    motif = motif.replace(
        "W0",
        rule=cs.Rule("eta * (slope_post * I_V1 * pre - gamma * (1 + theta_post**2) * w + e)", eta=0.1, gamma=1e-3),
        state={"e": cs.State("0.9 * e + 0.001 * post * pre")},
    )
    motif = motif.replace(
        "W1",
        rule=cs.Rule(
            "eta * (slope_post * I_V2 * pre - gamma * w) + 0.01 * tanh(post * pre + w) - 0.01 * max_in(abs(w * pre))",
            eta=0.1, gamma=1e-3,
        ),
    )  # fmt: skip
    motif.add(cs.Bias("bias"))
    motif.connect("bias", "up1", name="b1", init=cs.Constant(0.1), rule=cs.Rule("eta * (I_V1 - w)", eta=0.01))
    return motif.renamed("stateful")


def listed() -> cs.Motif:
    """SAL with few synapses, some one-to-one; some products are used from both sides, and some once."""
    motif = (
        paper_sal(LAYERS).replace("V1", connectivity=cs.Random(0.05)).replace("Vt1", connectivity=cs.ReciprocalOf("V1"))
    )
    motif.add(cs.Population("side", size=LAYERS[1], activation="tanh"))
    motif.connect("up1", "side", name="S", connectivity=cs.OneToOne(), rule=cs.Rule("0.1 * (post * pre - w)"))
    return motif.renamed("listed")


def shuffled() -> cs.Motif:
    """SAL with the errors of other samples."""
    motif, copy = paper_sal(LAYERS), cs.Motif("shuffled")
    for value in motif.values:
        copy.add(dataclasses.replace(value, shuffled=True) if isinstance(value, cs.Objective) else value)
    return copy


def rewarded() -> cs.Motif:
    """SAL whose lowest weights also heed a reward, one for each sample, that depends on the answer."""
    motif = paper_sal(LAYERS)
    motif.add(cs.Signal("reward"))
    rule = cs.Rule("eta * (slope_post * I_V1 * pre * (1 + reward) - gamma * w)", eta=0.1, gamma=1e-3)
    return motif.replace("W0", rule=rule).renamed("rewarded")


def told() -> cs.Motif:
    """SAL with neurons that compete, whose feedback a label joins."""
    motif = paper_sal(LAYERS).replace("up1", activation="relu(drive) * softmax(drive) / norm(drive)")
    motif.add(cs.Population("label", LAYERS[-1], source="target", trace="activity - mean(max(activity))"))
    motif.connect("label", "down1", name="L", rule=cs.Rule("0.1 * (post * pre - w)"))
    return motif.renamed("told")


def reward(circuit: cs.Circuit, target: torch.Tensor) -> torch.Tensor:
    return (circuit.activity("up3").argmax(-1) == target).double()


MOTIFS: dict[str, Callable[[], cs.Motif]] = {
    "sal": lambda: paper_sal(LAYERS),
    "noise": lambda: weight_mirror(LAYERS),
    "stateful": with_state_and_slow_terms,
    "listed": listed,
    "told": told,
    "shuffled": shuffled,
    "rewarded": rewarded,
    "sequences": lambda: rflo([3, 8, 4], loss="cross_entropy"),
}


def make(name: str, **options: Any) -> cs.Circuit:
    return cs.compile(MOTIFS[name](), replicas=2, seed=5, device="cpu", dtype="float64", **options)


def dataset(sequences: bool = False) -> cs.Dataset:
    """113 training samples in batches of 28: the last one holds a single sample, fewer than there are processes."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((160, 9)), rng.integers(0, 4, 160)
    if sequences:
        x, y = x.reshape(160, 3, 3), rng.integers(0, 4, (160, 3))
    validation = x[113:], y[113:]
    return cs.Dataset.from_arrays(x[:113], y[:113], validation=validation, dtype=torch.float64, sequences=sequences)


def learn(circuit: cs.Circuit, **options: Any) -> cs.History:
    """Three epochs, with a probe that runs a cycle of its own."""
    data = dataset(circuit.motif.name == "rflo")
    told = {signal.name: reward for signal in circuit.motif.signals}

    def look(c: cs.Circuit) -> torch.Tensor | None:
        x, target = data.validation.x, data.validation.target
        return c.cycle(x, target, {name: lambda c: reward(c, target) for name in told}).loss

    settings = {"epochs": 3, "batch_size": 28, "schedule": "cosine", "data_seed": 2, "progress": False}
    return cs.fit(circuit, data, probes={"look": look}, signals=told, **{**settings, **options})


def learn_own_targets(circuit: cs.Circuit) -> cs.History:
    """Two epochs of batches of 9 and 1 samples; every replica has classes, and so rewards, of its own."""
    rng, batches = np.random.default_rng(0), []
    for n in [9, 9, 9, 9, 1] * 2:
        x, target = rng.standard_normal((n, LAYERS[0])), rng.integers(0, LAYERS[-1], (circuit.n_replicas, n))
        batches.append((torch.tensor(x), torch.tensor(target)))
    return cs.fit(circuit, batches, epochs=2, signals={"reward": reward}, progress=False)


class PowerCut(Exception):
    """Ends all processes of a run in the middle of its second epoch."""


def cosine_until_cut(circuit: cs.Circuit) -> Callable[[float], float]:
    def schedule(progress: float) -> float:
        if circuit.n_steps == 8:
            raise PowerCut
        return 0.5 * (1 + np.cos(np.pi * progress))

    return schedule


def runs(folder: Path, rank: int) -> None:
    """Every case; each process leaves its circuit and its history."""

    def leave(name: str, circuit: cs.Circuit, history: cs.History) -> None:
        circuit.save(folder / f"{name}.{rank}.safetensors")
        history.save(folder / f"{name}.{rank}.csv")

    for name in MOTIFS:
        circuit = make(name)
        leave(name, circuit, learn(circuit))
    circuit = make("rewarded")
    leave("own targets", circuit, learn_own_targets(circuit))
    circuit = make("sal")
    with contextlib.suppress(PowerCut):
        learn(circuit, schedule=cosine_until_cut(circuit), checkpoint=folder / "run.safetensors")
    assert circuit.n_steps == 8
    circuit = make("sal")
    leave("resumed", circuit, learn(circuit, checkpoint=folder / "run.safetensors", resume=True))
    runaway = make("sal", vary={"W0.eta": [0.1, 1e6]})
    history = learn(runaway, max_weight=50.0)
    assert runaway.pinned == (1,) and [r["replica"] for r in history.runaways] == [1]
    leave("runaway", runaway, history)
    apart = cs.compile(MOTIFS["sal"](), seed=rank, device="cpu", dtype="float64")
    try:
        learn(apart)
    except cs.ParameterError as error:
        (folder / f"differ.{rank}.txt").write_text(str(error))
    leave("apart", apart, learn(apart, distributed=False))


if __name__ == "__main__":
    import os

    runs(Path(sys.argv[1]), int(os.environ["RANK"]))
