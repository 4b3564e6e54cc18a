"""Check on learning circuits that SAL is learned direct feedback: its identity with direct Kolen-Pollack.

python examples/direct_feedback.py
python examples/direct_feedback.py --dataset fashion_mnist --seeds 3
python examples/direct_feedback.py --quick
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
import torch
from torch import Tensor

import circuitsim as cs
from motifs import paper_sal, shuffled_error
from support import Condition, Result, Study, mean_and_spread
from support.circuits import norm, trace_of

STEPS = 300  # learning steps, rounded down to whole epochs
FROZEN, SHUFFLED, PLASTIC = "Wt frozen", "Wt frozen, shuffled error", "Wt plastic"
ERRORS = {"V_error": "|V - K A^T| / |V|", "I_V_error": "|I_V - K A^T A e| / |I_V|"}


class DirectFeedback(Study):
    """Compare V of SAL with what direct Kolen-Pollack learns, after every step, in float64 with constant eta.

    With a linear descending stream, ``g_l = A_l e``, where ``A_l = Wt_l ... Wt_{L-1}`` and ``e = g_L``. If Wt does not
    change and V starts at zero, then ``V_l = K_l A_l^T``, where K_l is the decaying sum of ``E[h_l e^T]`` that direct
    Kolen-Pollack learns. Hence ``I_V = K_l (A_l^T A_l) e``. This also holds with a shuffled error; a plastic Wt is the
    counterexample.

    Source: the circuit of Liao et al. (2024), arXiv 2412.20018; the identity is ours; Webster, Choi & Ahn (openreview
    zgGmAx9ZcY).
    """

    title = "Direct feedback"
    quick_epochs = 6

    def motifs(self) -> dict[str, cs.Motif]:
        plastic = paper_sal(self.setup.layers)
        for layer in range(1, len(self.setup.layers) - 1):
            plastic = plastic.replace(f"V{layer}", init=cs.Constant(0.0))
        frozen = plastic
        for layer in range(1, len(self.setup.layers) - 1):
            frozen = frozen.replace(f"Wt{layer}", plastic=False)
        return {FROZEN: frozen, SHUFFLED: shuffled_error(frozen), PLASTIC: plastic}

    def conditions(self) -> dict[str, Condition]:
        steps = -(-len(self.setup.data.train) // self.setup.batch_size)  # per epoch
        epochs = min(self.setup.epochs, max(1, STEPS // steps))
        return {
            label: Condition(motif, {"identity": identity_probe()}, epochs, schedule=None, dtype="float64")
            for label, motif in self.motifs().items()
        }

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        errors, cosines = {k: result.by_site(k) for k in ERRORS}, result.by_site("direct_cosine")
        for layer in hidden_layers(result.circuit):
            site, a = f"V{layer}", chain(result.circuit, layer)
            ends = torch.linalg.eigvalsh(a.transpose(1, 2) @ a)[:, [0, -1]].mean(0).tolist()
            yield {
                "site": site,
                **{title: f"{errors[quantity][site].max():.1e}" for quantity, title in ERRORS.items()},
                "cos(I_V, K e)": mean_and_spread(cosines[site]),
                "eigenvalues of A^T A, least and largest": f"{ends[0]:.2f}, {ends[1]:.2f}",
            }

    def notes(self) -> str:
        lines = []
        for label, result in self.results.items():
            error = max(values.max() for quantity in ERRORS for values in result.by_site(quantity).values())
            lines.append(
                f"- {label}: V differs from K A^T, and I_V from K A^T A e, by {error:.0e} at most; cosine of I_V with "
                f"K e, the current of direct Kolen-Pollack, {mean_and_spread(result.over_sites('direct_cosine'))}."
            )
        return "\n".join(lines)


def identity_probe() -> cs.Probe:
    """A probe of the distances of V from K A^T and of I_V from K A^T A e. It computes K_l from activity alone."""
    sums: dict[int, Tensor] = {}

    def measure(circuit: cs.Circuit) -> pd.DataFrame:
        rows: list[dict[str, Any]] = []
        if circuit.n_steps == 0:  # no cycle has run yet
            return pd.DataFrame(rows, columns=["quantity", "site", "replica", "value"])
        e = circuit.activity(f"down{max(hidden_layers(circuit)) + 1}")
        for layer in hidden_layers(circuit):
            v, a, current = circuit.weights(f"V{layer}"), chain(circuit, layer), circuit.current(f"V{layer}")
            eta, gamma = (circuit.parameters(f"V{layer}")[name] for name in ("eta", "gamma"))
            h = trace_of(circuit, f"up{layer}")
            drive = eta * h.transpose(1, 2) @ e / h.shape[1]
            k = sums.get(layer, torch.zeros_like(drive))  # the cycle ran with the weights before this step
            direct, expected = e @ k.transpose(1, 2), e @ a.transpose(1, 2) @ a @ k.transpose(1, 2)
            sums[layer] = drive + (1 - eta * gamma) * k
            found = {"V_error": norm(v - sums[layer] @ a.transpose(1, 2)) / norm(v)}
            if circuit.n_steps > 1:  # V and its current are 0 before
                found["I_V_error"] = norm(current - expected) / norm(current)
                found["direct_cosine"] = (current * direct).sum((1, 2)) / (norm(current) * norm(direct))
            rows += [
                {"quantity": quantity, "site": f"V{layer}", "replica": replica, "value": value}
                for quantity, values in found.items()
                for replica, value in enumerate(values.tolist())
            ]
        return pd.DataFrame(rows)

    return cs.Probe(measure, every_steps=1)


def hidden_layers(circuit: cs.Circuit) -> list[int]:
    """The indices of the hidden layers, 1, ..., L - 1."""
    return list(range(1, sum(p.stream == "ascending" for p in circuit.motif.populations) - 1))


def chain(circuit: cs.Circuit, layer: int) -> Tensor:
    """The matrix A_l = Wt_l ... Wt_{L-1}, with shape ``[replica, m_l, n_out]``."""
    product = circuit.weights(f"Wt{layer}")
    for above in hidden_layers(circuit)[layer:]:
        product = product @ circuit.weights(f"Wt{above}")
    return product


if __name__ == "__main__":
    DirectFeedback.main()
