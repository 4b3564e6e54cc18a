"""Figure 2 of the paper: how wide must the descending stream be?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch

from circuitsim import plots
from circuitsim.engine import Circuit, compile
from circuitsim.studies.experiment import Options, Report, independent_circuits
from circuitsim.studies.task import Task
from circuitsim.studies.train_all import train_all
from circuitsim.studies.trained import Trained, bench, loss_of, mean, shown
from motifs import sal

RATIOS = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0)
QUICK_RATIOS = (0.5, 2.0, 10.0)
# At the motif's rates every circuit with a rectified descending stream runs away, since its g, never negative, cannot
# say that a neuron should be less active. These rates keep it finite on digits (best of 22 settings tried there).
DESCENDING: dict[str, dict[str, Any]] = {
    "linear": {},
    "relu": {"eta": 0.02, "eta_V": 0.05, "eta_Wt": 0.05},
    "tanh": {},
}


@independent_circuits
def feedback_width(options: Options, activations: Sequence[str] = tuple(DESCENDING)) -> Report:
    """Accuracy against the size of the descending stream, for several activations of its neurons.

    All hidden descending populations are m wide, with m such that Wt has `ratio` times as many synapses as W (input
    layer included): the paper does not define its count, so the table gives m, Wt / W, and (Wt + V + Vt) / W.
    Beside it: the eigenvalues of A^T A at the start, A = Wt_l ... Wt_{L-1}, which for a Gaussian Wt of variance 1/m
    lie about within (1 ± sqrt(n_out / m))^2 at the top hidden layer. Wider streams are closer to an isometry.

    Source: Liao et al. (2024), arXiv 2412.20018, Figure 2 (0.5 to 10 times, best at 5 to 8 times).
    """
    on = bench(options)
    ratios = QUICK_RATIOS if options.quick else RATIOS
    widths = [width_for(on.layers, ratio) for ratio in ratios]
    pairs = {f"{d} {m}": (d, m) for d in activations for m in widths}
    trained = train_all({label: _motif(on, *pair) for label, pair in pairs.items()}, on)
    runs = {pair: trained[label] for label, pair in pairs.items()}
    starts = {m: isometry(compile(_motif(on, "linear", m), replicas=on.seeds, device="cpu")) for m in widths}
    table = pd.DataFrame([_row(on, d, m, run, starts[m]) for (d, m), run in runs.items()])
    axis = [round(counts(on.layers, m)["Wt"] / counts(on.layers, m)["W"], 2) for m in widths]
    test = {d: (axis, [100 * runs[d, m].final("accuracy", "test") for m in widths]) for d in activations}
    low, high = zip(*(band(on.layers[-1], m) for m in widths), strict=True)
    ends = {
        f"{place} hidden layer, {end}": (axis, np.stack([starts[m][place][k] for m in widths]))
        for place in ("top", "lowest")
        for k, end in enumerate(("smallest", "largest"))
    }
    ends |= {
        "(1 ± √(n/m))², low": (axis, np.array(low)[:, None]),
        "(1 ± √(n/m))², high": (axis, np.array(high)[:, None]),
    }
    xlabel = "synapses of Wt / synapses of W"
    figures = {
        "accuracy": plots.dependence(test, xlabel=xlabel, ylabel="test accuracy, %"),
        "isometry": plots.dependence(ends, xlabel=xlabel, ylabel="eigenvalues of AᵀA at the start"),
    }
    histories = {f"{d}, m = {m}": run.history for (d, m), run in runs.items() if run.history.rows}
    title = f"Width of the descending stream, {on.data.name}: mean ± standard deviation over {on.seeds} seeds"
    return Report(
        title,
        table,
        _notes(on, activations, widths, runs),
        figures,
        histories,
        on.configuration | {"options of sal": DESCENDING},
    )


def width_for(layers: list[int], ratio: float) -> int:
    """The width m at which Wt has about `ratio` times the synapses of W: (k - 1) m^2 + n_out m = ratio * W."""
    n_hidden, n_out = len(layers) - 2, layers[-1]
    target = ratio * sum(a * b for a, b in pairwise(layers))
    if n_hidden == 1:
        return max(1, round(target / n_out))
    a = n_hidden - 1
    return max(1, round((math.sqrt(n_out**2 + 4 * a * target) - n_out) / (2 * a)))


def counts(layers: list[int], m: int) -> dict[str, int]:
    """Synapses of W, Wt, and V with Vt (without the fixed one-to-one V at the output)."""
    hidden = layers[1:-1]
    return {
        "W": sum(a * b for a, b in pairwise(layers)),
        "Wt": (len(hidden) - 1) * m * m + m * layers[-1],
        "V": 2 * m * sum(hidden),
    }


def band(n_out: int, m: int) -> tuple[float, float]:
    """(1 ± sqrt(n/m))^2: where the eigenvalues of A^T A are for one large Gaussian matrix (Marchenko & Pastur 1967)."""
    root = math.sqrt(n_out / m)
    return (1 - root) ** 2, (1 + root) ** 2


def isometry(circuit: Circuit) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Smallest and largest eigenvalue of A^T A at the top and the lowest hidden layer, each ``[replica]``."""
    n_hidden = sum(p.name.startswith("Wt") for p in circuit.motif.projections)
    product: torch.Tensor | None = None
    found = {}
    for layer in range(n_hidden, 0, -1):
        weights = circuit.weights(f"Wt{layer}").double()
        product = weights if product is None else weights @ product
        values = torch.linalg.eigvalsh(product.transpose(1, 2) @ product).cpu().numpy()
        found["top" if layer == n_hidden else "lowest"] = (values[:, 0], values[:, -1])
    found.setdefault("lowest", found["top"])  # a single hidden layer is both
    return found


def _motif(on: Task, descending: str, m: int) -> Any:
    return sal(
        on.layers, [m] * len(on.setting.hidden), descending=descending, loss=loss_of(on), name=f"sal_{descending}",
        **DESCENDING[descending],
    )  # fmt: skip


def _row(on: Task, descending: str, m: int, run: Trained, start: dict[str, Any]) -> dict[str, Any]:
    n = counts(on.layers, m)
    low, high = band(on.layers[-1], m)
    row: dict[str, Any] = {"Dt": descending, "m": m, "synapses of Wt": n["Wt"]}
    row |= {"Wt / W": f"{n['Wt'] / n['W']:.2f}", "(Wt + V + Vt) / W": f"{(n['Wt'] + n['V']) / n['W']:.2f}"}
    row |= {f"{split} accuracy, %": shown(run.final("accuracy", split), scale=100) for split in ("validation", "test")}
    row["ran away"] = run.n_runaways
    row["(1 ± √(n/m))²"] = f"{low:.2f} to {high:.2f}"
    for place, (smallest, largest) in start.items():
        row[f"eigenvalues of AᵀA, {place}"] = f"{smallest.mean():.2f} to {largest.mean():.2f}"
    return row


def _notes(on: Task, activations: Sequence[str], widths: list[int], runs: dict[tuple[str, int], Trained]) -> str:
    lines = ["Best ratio Wt / W by validation accuracy (the paper finds 5 to 8):"]
    w = counts(on.layers, widths[0])["W"]
    for d in activations:
        scores = {m: mean(runs[d, m].final("accuracy", "validation")) for m in widths}
        scores = {m: score for m, score in scores.items() if score == score}
        lost = sum(runs[d, m].n_runaways for m in widths)
        own = f"; with {DESCENDING[d]}" if DESCENDING[d] else ""
        away = f"; {lost} of {on.seeds * len(widths)} circuits ran away" if lost else ""
        if not scores:
            lines.append(f"- {d}: every circuit ran away")
            continue
        best = max(scores, key=lambda m: scores[m])
        tests = {m: 100 * runs[d, m].final("accuracy", "test") for m in widths}
        lines.append(
            f"- {d}: {counts(on.layers, best)['Wt'] / w:.2f} (m = {best}), test accuracy {shown(tests[best])} %; "
            f"{trend([counts(on.layers, m)['Wt'] for m in widths], tests.values())}{own}{away}"
        )
    lines.append(
        "\nIf isometry of A is what width brings, accuracy should rise while the band (1 ± √(n/m))² is wide and level "
        "off once it is narrow; the paper's best at 5 to 8 times and decline after it would need another reason."
    )
    return "\n".join(lines)


def trend(synapses: Sequence[int], accuracies: Iterable[np.ndarray]) -> str:
    """How accuracy changes with each doubling of Wt (least squares, seed by seed), and how the widths compare.

    Args:
        synapses: of Wt, width by width.
        accuracies: in percent, ``[replica]`` for each width.
    """
    values = np.stack(list(accuracies))
    finite = np.isfinite(values).all(0)
    if not finite.any():
        return "no seed is whole at every width"
    slopes = np.polyfit(np.log2(synapses), values[:, finite], 1)[0]
    means = values[:, finite].mean(1)
    return (
        f"{shown(slopes)} points with each doubling of Wt; means from {means.min():.2f} to {means.max():.2f} %"
        f", {means[0]:.2f} % at the narrowest"
    )
