"""Every rule as descent on a loss of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from circuitsim import plots
from circuitsim.engine import Circuit, compile
from circuitsim.history import History
from circuitsim.motif import Motif
from circuitsim.plots.style import kind_of
from circuitsim.studies.controls import shuffled_error
from circuitsim.studies.experiment import Options, Report
from circuitsim.studies.task import Task, task_for
from circuitsim.train import Probe
from motifs import sal

ROWS: dict[str, tuple[str, Callable[[list[int]], Motif]]] = {
    "SAL, l2": ("l2", sal),
    "SAL, l1": ("l1", lambda layers: sal(layers, regularizer="l1")),
    "SAL, homeostatic": ("homeostatic", lambda layers: sal(layers, regularizer="homeostatic")),
    "SAL, l2, shuffled error": ("l2", lambda layers: shuffled_error(sal(layers))),
}
KINDS = ("W", "Wt", "V", "Vt")


def local_losses(options: Options) -> Report:
    """The change of every rule against minus eta times the gradient of its local loss, by torch.autograd.

        loss(w) = E[-post_drive . (w pre)] + gamma R(w),    R = |w|^2 / 2 for l2

    Over training, on held-out samples and a float64 copy of the circuit. `post_drive` is what the rule multiplies
    the presynaptic activity with; it does not depend on w while the step is made.

    Source: Liao et al. (2024), arXiv 2412.20018, equations 10 to 12; for Wt and other regularizers R, ours.
    """
    task = task_for(options, quick_epochs=4)
    histories: dict[str, History] = {}
    rows = []
    for label, (regularizer, make) in ROWS.items():
        circuit = compile(make(task.layers), replicas=task.seeds, device=task.device)
        probe = local_loss_probe(circuit, task, regularizer)
        history = histories[label] = task.learn(circuit, {"local": probe})
        rows += [_row(label, kind, history) for kind in KINDS]
        if history.interrupted:
            break
    sites = [p.name for p in sal(task.layers).projections if p.is_plastic]
    figures = {
        f"local_loss_{site}": plots.curves(
            histories, "local_loss", site=site, split="probe", title=f"Local loss of {site}"
        )
        for site in sites
    }
    title = f"Local losses on {task.data.name}: {task.seeds} seeds"
    return Report(title, pd.DataFrame(rows), _notes(histories), figures, histories, task.configuration)


def local_loss_probe(circuit: Circuit, task: Task, regularizer: str) -> Probe:
    """Local losses, and how far one step's changes are from their gradients, by plastic projection.

    Quantities: "local_loss"; "change_error", ``|dw + eta grad| / |dw|``; "local_descent", the loss after the step less
    the loss before it, the drives as they were.
    """
    twin = compile(
        circuit.motif, replicas=circuit.n_replicas, dtype="float64", device=circuit.device, record_changes=True
    )
    batch = task.batch(twin)
    depth = len(task.layers) - 1

    def measure(c: Circuit) -> pd.DataFrame:
        plastic = [p.name for p in c.motif.projections if p.is_plastic]
        for name in plastic:
            twin.set_weights(name, c.weights(name))
        twin.cycle(batch.x, batch.target)
        before = {name: local_loss(twin, name, depth, regularizer) for name in plastic}
        twin.step(batch.x, batch.target)
        rows = []
        for name in plastic:
            loss, w = before[name]
            value = loss(w)
            (gradient,) = torch.autograd.grad(value.sum(), w)  # replicas do not touch each other
            change = twin.last_change(name)
            descent = loss((w + change).detach()) - value.detach()
            error = _norm(change + twin.parameters(name)["eta"] * gradient) / _norm(change)
            rows += list(_table(name, {"local_loss": value, "change_error": error, "local_descent": descent}))
        return pd.DataFrame(rows)

    return Probe(measure, every_epochs=task.every)


def local_loss(circuit: Circuit, name: str, depth: int, regularizer: str) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """The local loss of a projection as a function of its weights (a number per replica), and these, as a leaf."""
    p = circuit.motif.projection(name)
    kind, layer = kind_of(circuit.motif, name), int(p.post.removeprefix("up").removeprefix("down"))
    pre = _seen(circuit, p.pre, depth)
    if kind == "W":
        gate = (circuit.drive(p.post) > 0).double() if layer < depth else 1.0
        drive = gate * circuit.current(f"V{layer}")
    else:
        drive = circuit.current(f"Vt{layer}") if kind == "Wt" else _seen(circuit, p.post, depth)
    gamma = circuit.parameters(name)["gamma"]
    penalty = PENALTIES.get((regularizer, kind), PENALTIES[regularizer, "W"])

    def loss(w: Tensor) -> Tensor:
        return -(drive * (pre @ w.transpose(1, 2))).sum(2).mean(1) + gamma * penalty(w)

    return loss, circuit.weights(name).requires_grad_()


def _half_square(w: Tensor) -> Tensor:
    return w.square().sum((1, 2)) / 2


# By regularizer and kind of projection; where a kind is not named, that of W. Those of "homeostatic" have the gradients
# w (1 + sum_in w^2), w (1 + sum_out w^2) and w sum_in(w^2) m_l / m_{l+1}.
PENALTIES: dict[tuple[str, str], Callable[[Tensor], Tensor]] = {
    ("l2", "W"): _half_square,
    ("l1", "W"): lambda w: w.abs().sum((1, 2)),
    ("homeostatic", "W"): _half_square,
    ("homeostatic", "V"): lambda w: _half_square(w) + w.square().sum(2).square().sum(1) / 4,
    ("homeostatic", "Vt"): lambda w: _half_square(w) + w.square().sum(1).square().sum(1) / 4,
    ("homeostatic", "Wt"): lambda w: w.square().sum(2).square().sum(1) / 4 * (w.shape[1] / w.shape[2]),
}


def _seen(circuit: Circuit, population: str, depth: int) -> Tensor:
    """What rules see of a population: `motifs.sal` declares a trace of unit mean square for up0 .. up(L-1)."""
    activity = circuit.activity(population)
    if population.startswith("down") or population == f"up{depth}":
        return activity
    return activity / (activity.square().mean((1, 2), keepdim=True) + 1e-6).sqrt()


def _norm(values: Tensor) -> Tensor:
    return values.flatten(1).norm(dim=1)


def _table(site: str, values: dict[str, Tensor]) -> Iterator[dict[str, Any]]:
    for quantity, value in values.items():
        for replica, number in enumerate(value.tolist()):
            yield {"quantity": quantity, "site": site, "replica": replica, "value": number}


def _of_kind(history: History, metric: str, kind: str) -> pd.DataFrame:
    table = history.to_pandas()
    return table[(table.metric == metric) & table.site.str.fullmatch(rf"{kind}\d+")]


def _row(label: str, kind: str, history: History) -> dict[str, str]:
    losses = _of_kind(history, "local_loss", kind)
    descent = _of_kind(history, "local_descent", kind).value
    start, end = (losses[losses.epoch == epoch].value.mean() for epoch in (losses.epoch.min(), losses.epoch.max()))
    return {
        "circuit": label,
        "rule": kind,
        "largest |dw + eta grad| / |dw|": f"{_of_kind(history, 'change_error', kind).value.max():.1e}",
        "steps that lower the local loss": f"{int((descent < 0).sum())} of {len(descent)}",
        "local loss, start": f"{start:.4g}",
        "local loss, end": f"{end:.4g}",
    }


def _notes(histories: dict[str, History]) -> str:
    lines = ["Measured at every probe on a float64 copy of the circuit that makes one step with the declared rates."]
    for label, history in histories.items():
        table = history.to_pandas()
        error = table[table.metric == "change_error"].value
        descent = table[table.metric == "local_descent"].value
        fell = [kind for kind in KINDS if _fell(history, kind)]
        lines.append(
            f"- {label}: the change is minus eta times the gradient of the local loss within {error.max():.0e} "
            f"({len(error)} checks); {np.mean(descent < 0):.0%} of the steps lower their local loss, the drives held. "
            f"From the first probe to the last, the mean local loss fell for: {', '.join(fell) or 'none'}."
        )
    lines.append(
        "That a rule descends its local loss holds with a shuffled error too, by construction: it is no evidence of "
        "learning. The drives change as the circuit learns, so a local loss may also rise over training."
    )
    return "\n".join(lines)


def _fell(history: History, kind: str) -> bool:
    losses = _of_kind(history, "local_loss", kind)
    means = losses.groupby("epoch").value.mean()
    return bool(means.iloc[-1] < means.iloc[0])
