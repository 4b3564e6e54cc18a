"""Compare the structure of weights and activity before and after learning.

python examples/representations.py
python examples/representations.py --dataset svhn --seeds 3
python examples/representations.py --quick
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

import circuitsim as cs
from circuitsim import plots
from motifs import backprop, sal
from support import Result, Study, finite, hidden_sites, mean, mean_and_spread
from support.algorithms import sal_and_controls, tuned

PAPER = "SAL (paper)"  # the form of the paper's equations, of which the controls are
QUANTITIES = {"rank_W": "W Wᵀ", "rank_h": "h hᵀ"}
Moments = dict[tuple[str, str], Tensor]  # (quantity, site) -> [replica, n, n]


class Representations(Study):
    """Compare W W^T and h h^T of every hidden layer before and after learning, and measure their effective ranks.

    The network has the paper's width of 60. h is the activity on held-out samples, so h h^T is its second moment
    (not centred). The effective rank is defined by Roy & Vetterli (2007). SGD and the paper's form have the settings
    that `tune.py` found on the data set; where it was not run, those of their motifs.

    Source: Liao et al. (2024), arXiv 2412.20018, Figure 3 (SVHN, 50 epochs).
    """

    title = "Representations"
    hidden, epochs, quick_epochs = (60, 60, 60), 50, 6  # the paper's width and epochs

    def motifs(self) -> dict[str, cs.Motif]:
        layers, loss, settings = self.setup.layers, self.setup.loss, self.settings
        of_paper = sal_and_controls(layers, loss=loss, **settings["sal"])
        found = {"SAL": sal(layers, loss=loss)}
        found |= {PAPER if k == "SAL" else k: motif for k, motif in of_paper.items()}
        return found | {"SGD": backprop(layers, loss=loss, **settings["backprop"])}

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The settings of the paper's form and SGD."""
        found = tuned(self.setup.dataset)
        return {name: found.get(name, {}) for name in ("sal", "backprop")}

    def configuration(self) -> Mapping[str, Any]:
        return {"settings": self.settings}

    def probes(self) -> dict[str, cs.Probe]:
        x = self.setup.held_out.x
        return {"ranks": cs.Probe(lambda circuit: ranks(second_moments(circuit, x)), every_epochs=self.setup.every)}

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        for site in hidden_sites(result.circuit.motif):
            row = {"layer": site}
            for metric, name in QUANTITIES.items():
                row[f"rank of {name}, before"] = mean_and_spread(result.first(metric, "probe", site), 1)
                row[f"rank of {name}, after"] = mean_and_spread(result.final(metric, "probe", site), 1)
            yield row | result.percent(self.setup.last_split)

    def figures(self) -> Mapping[str, Any]:
        figures: dict[str, Any] = {}
        for label, result in self.results.items():
            circuit = result.circuit
            start = cs.compile(circuit.motif, replicas=self.setup.seeds, device=circuit.device, seed=self.setup.seed)
            before, after = (second_moments(c, self.setup.held_out.x) for c in (start, circuit))
            word = re.sub(r"\W+", "_", label.removeprefix("control: ")).strip("_").lower()
            figures[f"matrices_{word}"] = _matrices(label, before, after)
        for metric, name in QUANTITIES.items():
            for site in hidden_sites(self.results["SAL"].circuit.motif):
                figures[f"{metric}_{site}"] = plots.curves(
                    self.histories, metric, site=site, split="probe", ylabel="effective rank",
                    title=f"{name} of {site}'s postsynaptic neurons",
                )  # fmt: skip
        return figures

    def notes(self) -> str:
        lines = [
            f"Effective rank (at most {max(self.setup.hidden)}; of W Wᵀ, whose singular values are the squares of "
            "W's) before and after learning, as a mean over seeds. The controls show whether learning changes it. No "
            "number here is compared with the paper's Figure 3 (SVHN, 50 epochs)."
        ]
        for metric, name in QUANTITIES.items():
            for label, result in self.results.items():
                if len(result.runaways) == self.setup.seeds:
                    lines.append(f"- {name}, {label}: every circuit ran away.")
                    continue
                changes = []
                for site in hidden_sites(result.circuit.motif):
                    a, b = result.first(metric, "probe", site), result.final(metric, "probe", site)
                    a, b = finite(a), finite(b)
                    lost = f"; {len(result.runaways)} left out, which ran away" if result.runaways else ""
                    seeds = f"lower in {int((b < a).sum())} of {len(a)} seeds{lost}"
                    changes.append(f"{site} {mean(a):.1f} to {mean(b):.1f} ({seeds})")
                lines.append(f"- {name}, {label}: {', '.join(changes)}.")
        return "\n".join(lines)


def second_moments(circuit: cs.Circuit, x: Any) -> Moments:
    """The matrices W W^T and E[h h^T] of the postsynaptic neurons of each hidden W, ``[replica, n, n]``."""
    x, found = x.to(circuit.device, circuit.dtype), {}
    for site in hidden_sites(circuit.motif):
        w = circuit.weights(site).double()
        h = circuit.predict(x, circuit.motif.projection(site).post).double()
        found["rank_W", site] = w @ w.transpose(1, 2)
        found["rank_h", site] = h.transpose(1, 2) @ h / h.shape[1]
    return found


def ranks(moments: Moments) -> pd.DataFrame:
    """Effective ranks as a tidy table (quantity, site, replica, value); NaN if a rank is undefined."""
    return pd.DataFrame(
        {"quantity": quantity, "site": site, "replica": r, "value": _rank(matrix)}
        for (quantity, site), matrices in moments.items()
        for r, matrix in enumerate(matrices.cpu())
    )


def _rank(matrix: Tensor) -> float:
    try:
        return float(cs.effective_rank(matrix))
    except cs.AnalysisError:  # silent neurons, or a replica that ran away
        return float("nan")


def _matrices(label: str, before: Moments, after: Moments) -> Any:
    pairs: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]] = {}
    for quantity, site in after:
        a, b = (torch.nan_to_num(moments[quantity, site][0]).cpu().numpy() for moments in (before, after))
        pairs.setdefault(site, {})[QUANTITIES[quantity]] = (a, b)
    return plots.similarity(pairs, title=f"{label}: first seed, each matrix scaled to a largest entry of 1")


if __name__ == "__main__":
    Representations.main()
