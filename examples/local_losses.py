"""Show that every rule descends a local loss.

python examples/local_losses.py
python examples/local_losses.py --dataset fashion_mnist --seeds 3
python examples/local_losses.py --quick
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

import circuitsim as cs
from circuitsim import plots
from motifs import paper_sal, shuffled_error
from support import Condition, Result, Setup, Study
from support.circuits import norm, trace_of

KINDS = ("W", "Wt", "V", "Vt")
REGULARIZERS = {"SAL, l2": "l2", "SAL, l1": "l1", "SAL, homeostatic": "homeostatic", "SAL, l2, shuffled error": "l2"}


class LocalLosses(Study):
    """Compare the change of every rule with minus eta times the gradient of its local loss, by torch.autograd.

        loss(w) = E[-post_drive . (w pre)] + gamma R(w),    R = |w|^2 / 2 for l2

    The comparison is made during training, on held-out samples and a float64 copy of the circuit. `post_drive` is the
    factor that the rule multiplies with the presynaptic activity; it does not depend on w during the step.

    Source: Liao et al. (2024), arXiv 2412.20018, equations 10 to 12; for Wt and other regularizers R, ours.
    """

    title = "Local losses"
    quick_epochs = 4

    def conditions(self) -> dict[str, Condition]:
        made = {}
        for label, regularizer in REGULARIZERS.items():
            motif = paper_sal(self.setup.layers, regularizer=regularizer)
            motif = shuffled_error(motif) if "shuffled" in label else motif
            made[label] = Condition(motif, {"local": local_loss_probe(self.setup, regularizer)})
        return made

    def _measured(self, label: str, metric: str, kind: str) -> pd.DataFrame:
        table = self.results[label].history.to_pandas()
        table = table.assign(value=table.value.mask(table.runaway))
        return table[(table.metric == metric) & table.site.str.fullmatch(rf"{kind}\d+")]

    def _means(self, label: str, kind: str) -> pd.Series:
        """The mean local loss over sites and seeds, probe by probe."""
        return self._measured(label, "local_loss", kind).groupby("epoch").value.mean()

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        for kind in KINDS:
            descent, means = self._measured(label, "local_descent", kind).value.dropna(), self._means(label, kind)
            yield {
                "rule": kind,
                "largest |dw + eta grad| / |dw|": f"{self._measured(label, 'change_error', kind).value.max():.1e}",
                "steps that lower the local loss": f"{int((descent < 0).sum())} of {len(descent)}",
                "local loss, start": f"{means.iloc[0]:.4g}",
                "local loss, end": f"{means.iloc[-1]:.4g}",
            }

    def figures(self) -> Mapping[str, Any]:
        sites = [p.name for p in paper_sal(self.setup.layers).projections if p.is_plastic]
        return {
            f"local_loss_{site}": plots.curves(
                self.histories, "local_loss", site=site, split="probe", title=f"Local loss of {site}"
            )
            for site in sites
        }

    def notes(self) -> str:
        lines = ["Every probe measures a float64 copy of the circuit, which takes one step with the declared rates."]
        for label in self.results:
            error = self._measured(label, "change_error", r"\w+?").value.dropna()
            descent = self._measured(label, "local_descent", r"\w+?").value.dropna()
            fell = [kind for kind in KINDS if self._means(label, kind).iloc[-1] < self._means(label, kind).iloc[0]]
            lines.append(
                f"- {label}: the change is minus eta times the gradient of the local loss within {error.max():.0e} "
                f"({len(error)} checks); {np.mean(descent < 0):.0%} of the steps lower their local loss at "
                f"fixed drives. From the first probe to the last, the mean local loss fell for: "
                f"{', '.join(fell) or 'none'}."
            )
        lines.append(
            "By construction, a rule descends its local loss even with a shuffled error, so this is no evidence of "
            "learning. The drives change as the circuit learns, so a local loss may also rise over training."
        )
        return "\n".join(lines)


def local_loss_probe(setup: Setup, regularizer: str) -> cs.Probe:
    """A probe of the local loss of every plastic projection, and of the agreement of one step with its gradient.

    The quantities are "local_loss"; "change_error", ``|dw + eta grad| / |dw|``; and "local_descent", the loss after the
    step minus the loss before it, at fixed drives.
    """
    batch, twins = setup.held_out, list[cs.Circuit]()

    def measure(circuit: cs.Circuit) -> pd.DataFrame:
        if not twins:
            made = cs.compile(
                circuit.motif, replicas=circuit.n_replicas, dtype="float64", device=circuit.device, record_changes=True
            )  # fmt: skip
            twins.append(made)
        twin = twins[0]
        here = batch.to(twin.device, twin.dtype)
        plastic = [p.name for p in circuit.motif.projections if p.is_plastic]
        for name in plastic:
            twin.set_weights(name, circuit.weights(name))
        twin.cycle(here.x, here.target)
        before = {name: local_loss(twin, name, regularizer) for name in plastic}
        twin.step(here.x, here.target)
        rows = []
        for name, (loss, w) in before.items():
            value = loss(w)
            (gradient,) = torch.autograd.grad(value.sum(), w)  # replicas are independent
            change = twin.last_change(name)
            found = {
                "local_loss": value,
                "change_error": norm(change + twin.parameters(name)["eta"] * gradient) / norm(change),
                "local_descent": loss((w + change).detach()) - value.detach(),
            }
            rows += [
                {"quantity": quantity, "site": name, "replica": replica, "value": number}
                for quantity, values in found.items()
                for replica, number in enumerate(values.tolist())
            ]
        return pd.DataFrame(rows)

    return cs.Probe(measure, every_epochs=setup.every)


def local_loss(circuit: cs.Circuit, name: str, regularizer: str) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """Return a projection's local loss per replica, as a function of the weights, and the weights as a leaf tensor."""
    p = circuit.motif.projection(name)
    kind, layer = re.fullmatch(r"(\w+?)\d+", name)[1], re.search(r"\d+", p.post)[0]  # type: ignore[index]
    pre = trace_of(circuit, p.pre)
    if kind == "W":
        is_output = p.post in {objective.output for objective in circuit.motif.objectives}
        gate = 1.0 if is_output else (circuit.drive(p.post) > 0).double()
        drive = gate * circuit.current(f"V{layer}")
    else:
        drive = circuit.current(f"Vt{layer}") if kind == "Wt" else trace_of(circuit, p.post)
    gamma = circuit.parameters(name)["gamma"]
    penalty = PENALTIES.get((regularizer, kind), PENALTIES[regularizer, "W"])

    def loss(w: Tensor) -> Tensor:
        return -(drive * (pre @ w.transpose(1, 2))).sum(2).mean(1) + gamma * penalty(w)

    return loss, circuit.weights(name).requires_grad_()


def _half_square(w: Tensor) -> Tensor:
    return w.square().sum((1, 2)) / 2


# Keyed by regularizer and kind of projection; kinds that are not listed use the penalty of W. The homeostatic penalties
# of V, Vt and Wt have the gradients w (1 + sum_in w^2), w (1 + sum_out w^2) and w sum_in(w^2) m_l / m_{l+1}.
PENALTIES: dict[tuple[str, str], Callable[[Tensor], Tensor]] = {
    ("l2", "W"): _half_square,
    ("l1", "W"): lambda w: w.abs().sum((1, 2)),
    ("homeostatic", "W"): _half_square,
    ("homeostatic", "V"): lambda w: _half_square(w) + w.square().sum(2).square().sum(1) / 4,
    ("homeostatic", "Vt"): lambda w: _half_square(w) + w.square().sum(1).square().sum(1) / 4,
    ("homeostatic", "Wt"): lambda w: w.square().sum(2).square().sum(1) / 4 * (w.shape[1] / w.shape[2]),
}


if __name__ == "__main__":
    LocalLosses.main()
