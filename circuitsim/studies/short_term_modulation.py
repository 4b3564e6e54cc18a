"""Section 2.3 of the paper: the descending stream makes the circuit better on the very input that it has just seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from circuitsim import plots
from circuitsim.data import Split
from circuitsim.engine import compile
from circuitsim.engine.losses import LOSSES
from circuitsim.motif import Motif, Phase
from circuitsim.studies.experiment import Options, Report
from circuitsim.studies.trained import bench, loss_of, mean, shown, train
from motifs import sal

GAINS = (1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
QUICK_GAINS = (1e-3, 3e-2, 1.0)
BEFORE, MIXED, AFTER = "before assembly", "W assembled, V, Vt, Wt as at the start", "after assembly"
Weights = Mapping[str, Any]  # projection -> [replica, post, pre]


def short_term_modulation(options: Options) -> Report:
    """Share of test inputs whose own loss falls when V g reaches hidden somata, as a function of its gain.

    SAL assembles itself; then nothing is plastic any more. A first cycle leaves g in the descending neurons, and in
    a second one every hidden population gets W h + gain V g (the output gets W h alone, since V_L = 1 would make it
    trivial). The error, and so the target, is that of the first cycle: this is no gain on unlabelled inputs.
    Compared with the circuit before assembly, and with a hybrid in which only W is what learning made it.

    Source: Liao et al. (2024), arXiv 2412.20018, section 2.3 (short-term modulation).
    """
    on = bench(options)
    motif = sal(on.layers, loss=loss_of(on))
    trained = train(motif, on)
    after = {p.name: trained.circuit.weights(p.name).cpu().numpy() for p in motif.projections}
    mixed = {name: after[name] if _ascends(motif, name) else trained.before[name] for name in after}
    conditions = {BEFORE: trained.before, MIXED: mixed, AFTER: after}
    split = on.data.test if on.data.test is not None else on.data.train
    gains = QUICK_GAINS if options.quick else GAINS
    found = {
        (label, gain): modulation(motif, weights, gain, split, options.device)
        for label, weights in conditions.items()
        for gain in gains
    }
    rows = [
        {
            "gain": f"{gain:g}",
            "circuit": label,
            "inputs whose loss falls, %": shown(falls, 1, scale=100),
            "mean loss, first cycle": shown(first, 4),
            "mean change of the loss": shown(change, 5),
        }
        for (label, gain), (falls, first, change) in found.items()
    ]
    lines = {label: (gains, [100 * found[label, gain][0] for gain in gains]) for label in conditions}
    figure = plots.dependence(
        lines, xlabel="gain of V g at hidden somata", ylabel="test inputs whose own loss falls, %"
    )
    title = f"Short-term modulation, {on.data.name}: mean ± standard deviation over {on.seeds} seeds"
    configuration = on.configuration | {"gains": list(gains), "ran away": trained.n_runaways}
    return Report(title, pd.DataFrame(rows), _notes(found, gains), {"modulation": figure}, {"SAL": trained.history},
                  configuration)  # fmt: skip


def modulated(motif: Motif, gain: float) -> Motif:
    """The motif in two phases, nothing plastic in either: as declared, then with gain V g at hidden somata."""
    outputs = {objective.output for objective in motif.objectives}
    ascending = {p.name for p in motif.populations if p.stream == "ascending"}
    soma = {p.name: 1.0 for p in motif.projections if _ascends(motif, p.name)}
    soma |= {
        p.name: gain
        for p in motif.projections
        if p.target == "dendrite" and p.pre not in ascending and p.post in ascending - outputs
    }
    two = motif.renamed(f"{motif.name}_modulated")
    two.add(Phase("cycle", plastic=[]), Phase("modulated", soma=soma, plastic=[], errors=False))
    return two


def modulation(
    motif: Motif, weights: Weights, gain: float, split: Split, device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of samples whose own loss falls, mean loss in the first cycle, mean change of the loss; each ``[replica]``.

    In float64, since a small gain makes small differences; a loss that does not change in it has not fallen.
    """
    two = modulated(motif, gain)
    device = "cpu" if device == "auto" else device
    circuit = compile(two, replicas=len(next(iter(weights.values()))), device=device, dtype="float64")
    for p in two.projections:
        if p.weight is None:
            circuit.set_weights(p.name, torch.as_tensor(weights[p.name]))
    samples = split.to(circuit.device, circuit.dtype)
    assert isinstance(samples.x, Tensor) and isinstance(samples.target, Tensor)
    (objective,) = two.objectives
    target = samples.target.unsqueeze(0)
    first = LOSSES[objective.loss].of(circuit.predict(samples.x), target)
    circuit.cycle(samples.x, samples.target)
    second = LOSSES[objective.loss].of(circuit.activity(objective.output), target)
    change = second - first
    return tuple(t.cpu().numpy() for t in ((change < 0).double().mean(1), first.mean(1), change.mean(1)))  # type: ignore[return-value]


def _ascends(motif: Motif, name: str) -> bool:
    p = motif.projection(name)
    return p.target == "soma" and motif.population(p.post).stream == motif.population(p.pre).stream == "ascending"


def _notes(found: Mapping[tuple[str, float], Any], gains: tuple[float, ...]) -> str:
    small = min(gains)
    shares = {label: 100 * mean(found[label, small][0]) for label in (BEFORE, MIXED, AFTER)}
    best = min(gains, key=lambda gain: mean(found[AFTER, gain][2]))
    first, change = mean(found[AFTER, best][1]), mean(found[AFTER, best][2])
    worse = [gain for gain in gains if mean(found[AFTER, gain][2]) > 0]
    text = (
        f"At gain {small:g} the loss falls for {shares[BEFORE]:.1f} % of the test inputs before assembly, "
        f"{shares[MIXED]:.1f} % with the assembled W alone, {shares[AFTER]:.1f} % after assembly. The paper states "
        f"that the modulation lowers the loss after assembly; chance is 50 %. Weights are untouched throughout.\n\n"
        f"After assembly the mean loss falls most at gain {best:g}: {change:+.4f} from {first:.4f}."
    )
    return text + (f" It rises at gains {', '.join(f'{gain:g}' for gain in worse)}." if worse else "")
