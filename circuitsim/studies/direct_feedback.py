r"""SAL as learned direct feedback.

With a linear descending stream ``g_l = A_l e``, ``A_l = Wt_l ... Wt_{L-1}``, ``e = g_L``. Where Wt does not change and
V starts at zero, ``V_l = K_l A_l^T``, with K_l the decaying sum of ``E[h_l e^T]``: what direct Kolen-Pollack learns. So
``I_V = K_l (A_l^T A_l) e``.
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from circuitsim.data import minibatches
from circuitsim.engine import Circuit, compile
from circuitsim.motif import Motif
from circuitsim.studies.controls import shuffled_error
from circuitsim.studies.experiment import spread
from circuitsim.studies.task import Task
from motifs import sal

STEPS = 300
IDENTITY_COLUMNS = {
    "V_error": "|V - K A^T| / |V|",
    "I_V_error": "|I_V - K A^T A e| / |I_V|",
    "cosine": "cos(I_V, K e)",
    "isometry": "eigenvalues of A^T A, least and largest",
}


def direct_feedback(task: Task, steps: int = STEPS) -> pd.DataFrame:
    """The identity on circuits whose Wt is frozen, with true and with shuffled error, and one whose Wt is plastic.

    The third is the counter-example: there A changes, so that V is not K A^T.

    Args:
        task: data and sizes; float64 is used.
        steps: of learning before it is measured, at most one run of the task.
    Returns:
        One row per circuit, quantity of `IDENTITY_COLUMNS` and layer: circuit, quantity, site, value (text), number.
    """
    motif = sal(task.layers)
    depth = len(task.layers) - 1
    frozen = motif
    for layer in range(1, depth):
        frozen = frozen.replace(f"Wt{layer}", plastic=False)
    circuits = {"Wt frozen": frozen, "Wt frozen, shuffled error": shuffled_error(frozen), "Wt plastic": motif}
    rows = [row for label, found in circuits.items() for row in _rows(label, found, task, steps)]
    return pd.DataFrame(rows, columns=["circuit", "quantity", "site", "value", "number"])


def _rows(label: str, motif: Motif, task: Task, steps: int) -> list[tuple[str, str, str, str, float]]:
    circuit = compile(motif, replicas=task.seeds, dtype="float64", device=task.device)
    depth = len(task.layers) - 1
    for layer in range(1, depth):
        circuit.set_weights(f"V{layer}", torch.zeros_like(circuit.weights(f"V{layer}")))
    sums = learn_sums(circuit, task, steps)
    e = circuit.activity(f"down{depth}")
    rows = []
    for layer in range(1, depth):
        v, a, k = circuit.weights(f"V{layer}"), chain(circuit, layer, depth), sums[layer]
        gram = a.transpose(1, 2) @ a
        current = circuit.current(f"V{layer}")
        direct = e @ k.transpose(1, 2)
        found = {
            "V_error": _error(v, k @ a.transpose(1, 2)),
            "I_V_error": _error(current, e @ gram @ k.transpose(1, 2)),  # row vectors; the Gram matrix is symmetric
            "cosine": (current * direct).sum((1, 2)) / (_norm(current) * _norm(direct)),
        }
        for quantity, value in found.items():
            text = spread(value) if quantity == "cosine" else f"{float(value.max()):.1e}"
            number = float(value.mean() if quantity == "cosine" else value.max())
            rows.append((label, quantity, f"V{layer}", text, number))
        eigenvalues = torch.linalg.eigvalsh(gram)
        ends = eigenvalues[:, 0].mean(), eigenvalues[:, -1].mean()
        rows.append((label, "isometry", f"V{layer}", f"{ends[0]:.2f}, {ends[1]:.2f}", float(ends[1] / ends[0])))
    return rows


def learn_sums(circuit: Circuit, task: Task, steps: int) -> dict[int, Tensor]:
    """Let the circuit learn; K_l by layer, summed up beside it from activity alone: ``[replica, d_l, n_out]``.

    The circuit's last cycle is then one with its final weights.
    """
    depth = len(task.layers) - 1
    split = task.data.train.to(circuit.device, circuit.dtype)
    sums: dict[int, Tensor] = {}
    done = 0
    for epoch in range(task.setting.epochs):
        for x, target in minibatches(split, task.setting.batch_size, seed=0, epoch=epoch):
            if done == steps:
                break
            circuit.cycle(x, target)
            e = circuit.activity(f"down{depth}")
            for layer in range(1, depth):
                eta, gamma = (circuit.parameters(f"V{layer}")[name] for name in ("eta", "gamma"))
                h = circuit.activity(f"up{layer}")
                h = h / (h.square().mean((1, 2), keepdim=True) + 1e-6).sqrt()  # the trace that `motifs.sal` declares
                drive = eta * h.transpose(1, 2) @ e / h.shape[1]
                sums[layer] = drive + (1 - eta * gamma) * sums.get(layer, torch.zeros_like(drive))
            circuit.step(x, target)
            done += 1
    batch = task.batch(circuit)
    circuit.cycle(batch.x, batch.target)
    return sums


def chain(circuit: Circuit, layer: int, depth: int) -> Tensor:
    """A_l = Wt_l ... Wt_{L-1}, shape ``[replica, m_l, n_out]``."""
    product = circuit.weights(f"Wt{layer}")
    for above in range(layer + 1, depth):
        product = product @ circuit.weights(f"Wt{above}")
    return product


def _norm(values: Tensor) -> Tensor:
    return values.flatten(1).norm(dim=1)


def _error(measured: Tensor, expected: Tensor) -> Tensor:
    return _norm(measured - expected) / _norm(measured)
