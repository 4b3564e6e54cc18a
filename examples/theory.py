"""Check what docs/theory.md derives for the normalised form of SAL: one experiment for each claim.

python examples/theory.py
python examples/theory.py --seeds 3 --epochs 20
python examples/theory.py --quick
"""

from __future__ import annotations

import abc
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from scipy.stats import rankdata
from torch import Tensor
from torch.nn.functional import one_hot

import circuitsim as cs
from circuitsim import plots
from circuitsim.analysis.self_alignment import cosine, mirror_pairs, squares
from motifs import paper_sal, sal, shuffled_error
from support import Panel, Result, Setup, Study, hidden_sites, mean, mean_and_spread
from support.circuits import STRONG, norm

Row = tuple[str, str, str]  # what was measured, the measurement, and the prediction
Curves = tuple[np.ndarray, dict[str, np.ndarray]]
TWO = (32, 32)  # hidden layers


class Claim(abc.ABC):
    """A claim of docs/theory.md with the circuits that could refute it.

    Class attributes:
        name: the claim's name, with which the labels of its panels begin.
    """

    name: ClassVar[str]

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.panels = {f"{self.name}: {label}": panel for label, panel in self.made().items()}
        self.results: dict[str, Result] = {}

    @abc.abstractmethod
    def made(self) -> dict[str, Panel]:
        """The panels, keyed by label."""

    @abc.abstractmethod
    def rows(self, label: str) -> Iterator[Row]:
        """The table rows of a panel."""

    @abc.abstractmethod
    def note(self) -> str:
        """What was found, in one paragraph."""

    def figures(self) -> Mapping[str, Any]:
        """Figures, keyed by name."""
        return {}

    def of(self, label: str) -> tuple[Panel, Result]:
        """A panel and its result."""
        label = label if label in self.panels else f"{self.name}: {label}"
        return self.panels[label], self.results[label]


# -- 1. Lemma 1


class Lemma(Claim):
    """|V - Vt^T| shrinks by (1 - 1/tau) in every step, whatever the data, as long as V and Vt share their tau."""

    name = "Lemma 1"
    tau: ClassVar[float] = 300.0  # the gap shrinks visibly within a run
    rates: ClassVar[dict[str, Any]] = {"eta": 0.13, "eta_V": 1.7, "gamma": 0.01}  # of the paper's form

    def made(self) -> dict[str, Panel]:
        def panel(make: Callable[..., cs.Motif], *slower: float) -> Panel:
            cells = {"Vt averages as long as V" if k == 1 else f"{k:g} times as long": {"slower": k} for k in slower}
            return Panel(cells or {"": {}}, TWO, make, gap, dtype="float64", points=100)

        return {
            "normalised": panel(self._motif, 1.0, 2.0),
            "shuffled error": panel(lambda layers, **o: shuffled_error(self._motif(layers, **o)), 1.0),
            "form of the paper": panel(lambda layers: paper_sal(layers, gain_V=STRONG, **self.rates)),
        }

    def _motif(self, layers: Sequence[int], slower: float) -> cs.Motif:
        motif = sal(layers, tau=self.tau, gain_V=STRONG)
        for _, vt in mirror_pairs(motif):
            rule = motif.projection(vt).rule
            assert rule is not None
            motif = motif.replace(vt, rule=cs.Rule(rule.expression, tau=slower * self.tau))
        return motif

    def line(self, label: str, steps: np.ndarray) -> np.ndarray:
        """The predicted gap, in units of its start."""
        paper = self.rates["eta"] * self.rates["eta_V"] * self.rates["gamma"]
        shrinks = paper if label.endswith("paper") else 1 / self.tau
        found: np.ndarray = (1 - shrinks) ** steps
        return found

    def ratios(self, label: str) -> Curves:
        """The gap in units of its start, the mean over V, as ``[time, seed]`` keyed by cell."""
        panel, result = self.of(label)
        steps, gaps = panel.curve(result, "gap", *(v for v, _ in mirror_pairs(result.circuit.motif)))
        return steps, {cell: values / values[0] for cell, values in gaps.items()}

    def off(self, label: str) -> dict[str, float]:
        """The largest relative error of the prediction, keyed by cell."""
        steps, ratios = self.ratios(label)
        line = self.line(label, steps)[:, None]
        return {cell: float(np.abs(values / line - 1).max()) for cell, values in ratios.items()}

    def rows(self, label: str) -> Iterator[Row]:
        steps, ratios = self.ratios(label)
        line = self.line(label, steps)
        for cell, values in ratios.items():
            what = f"|V - Vt^T| after {steps[-1]} steps, start = 1" + (f"; {cell}" if cell else "")
            yield what, mean_and_spread(values[-1], 4), f"{line[-1]:.4f}"
            yield "largest relative error at any time", f"{self.off(label)[cell]:.1e}", ""

    def note(self) -> str:
        same, other = self.off("normalised").values()
        return (
            f"the gap follows (1 - 1/tau)^n within {same:.0e}, and within "
            f"{self.off('shuffled error')['Vt averages as long as V']:.0e} when the error is shuffled, so it says "
            f"nothing about learning. If Vt averages over twice as many steps as V, the line misses by {other:.0e}. "
            f"In the paper's form the gap follows (1 - eta gamma)^n within {self.off('form of the paper')['']:.0e}."
        )

    def figures(self) -> Mapping[str, Any]:
        steps, ratios = self.ratios("normalised")
        lines = {"predicted": (steps, self.line("normalised", steps)[:, None])}
        lines |= {cell: (steps, values) for cell, values in ratios.items()}
        lines["shuffled error"] = (steps, next(iter(self.ratios("shuffled error")[1].values())))
        return {"lemma": _curves(lines, "steps", "|V − Vtᵀ|, start = 1", logarithmic=False)}


def gap(circuit: cs.Circuit) -> pd.DataFrame:
    """The gap |V - Vt^T| of every pair, as a tidy table."""
    return _tidy(
        ("gap", v, norm((circuit.weights(v) - circuit.weights(vt).mT).double()))
        for v, vt in mirror_pairs(circuit.motif)
    )


# -- 2. What rest means


class Rest(Claim):
    """At rest every weight is its average drive, and W Vt^T is proportional to V Wt^T up to the neurons' slopes."""

    name = "Rest"

    def made(self) -> dict[str, Panel]:
        cells = {
            "default rates": {},
            "W forgets (gamma 1e-3)": {"gamma": 1e-3},
            "all forget (gamma 1e-3, tau 300)": {"gamma": 1e-3, "tau": 300.0},
        }

        def panel(activation: str) -> Panel:
            def make(layers: Sequence[int], **options: Any) -> cs.Motif:
                return sal(layers, activation=activation, **options)

            return Panel(cells, TWO, make, self._probe, length=3.0)

        return {"relu": panel("relu"), "linear": panel("linear")}

    def _probe(self, circuit: cs.Circuit) -> pd.DataFrame:
        return at_rest(circuit, self.setup.data.train, self.setup.held_out)

    def rows(self, label: str) -> Iterator[Row]:
        panel, result = self.of(label)
        for cell in panel.cells:
            for site in ("W1", "W2"):
                exact = label.endswith("linear") or site == "W2"
                for metric, what, predicted in (
                    ("drives", "identity of the average drives", "1" if exact else "below 1"),
                    ("weights", "identity of the weights", ""),
                ):
                    found = panel.final(result, metric, site=site)[cell]
                    yield f"{what}, cosine at {site}; {cell}", mean_and_spread(found, 3), predicted
            for site in ("W0", "W1", "W2", "V1", "V2", "Wt1"):
                found = panel.final(result, "rest", site=site)[cell]
                yield f"cos({site}, its average drive); {cell}", mean_and_spread(found), "1 at rest"
            found = panel.final(result, "size", site="Wt1")[cell]
            yield f"|Wt1| / |its average drive|; {cell}", mean_and_spread(found), "1 at rest"
        first = next(iter(panel.cells))
        for site in ("up1", "up2"):
            found = panel.final(result, "share", site=site)[first]
            yield f"share of the power of {site} in its strongest direction; {first}", mean_and_spread(found), ""

    def note(self) -> str:
        def at(label: str, metric: str, site: str) -> str:
            panel, result = self.of(label)
            return ", ".join(f"{mean(values):.3f}" for values in panel.final(result, metric, site=site).values())

        cells = "; ".join(self.panels[f"{self.name}: relu"].cells)
        return (
            f"cosines of W1 Vt1^T with V2 Wt1^T, in the order: {cells}. With the average drives in the place of the "
            f"weights: linear {at('linear', 'drives', 'W1')}; relu {at('relu', 'drives', 'W1')}. With the weights: "
            f"linear {at('linear', 'weights', 'W1')}; relu {at('relu', 'weights', 'W1')}. "
            f"cos(W1, its average drive): relu {at('relu', 'rest', 'W1')}; of Wt1: {at('relu', 'rest', 'Wt1')}; "
            f"|Wt1| in units of its average drive: {at('relu', 'size', 'Wt1')}."
        )

    def figures(self) -> Mapping[str, Any]:
        lines = {}
        for activation, (metric, what) in itertools.product(
            ("linear", "relu"), (("drives", "average drives"), ("weights", "weights"))
        ):
            panel, result = self.of(activation)
            steps, found = panel.curve(result, metric, "W1")
            lines[f"{what},\n{activation}"] = (steps, list(found.values())[-1])
        title = list(self.panels[f"{self.name}: relu"].cells)[-1]
        return {"rest": _curves(lines, "steps", "cos(W1 Vt1ᵀ, V2 Wt1ᵀ)", logarithmic=False, title=title)}


def at_rest(circuit: cs.Circuit, train: cs.Split, held_out: cs.Split) -> pd.DataFrame:
    """How far the weights are from their average drives on the training data, and the identity of both.

    - ``rest``, at every plastic projection: the cosine of the weights with their average drive
    - ``size``, at every average: the norm of the weights relative to that of their average drive
    - ``weights``, at every W above a V: cos(W Vt^T, V Wt^T)
    - ``drives``: the same with W and Wt replaced by their average drives
    - ``share``, at every hidden population: the share of its power in the strongest direction
    """
    drives = {name: drive.double() for name, drive in circuit.data_terms(train.x, train.target).items()}
    weights = {p.name: circuit.weights(p.name).double() for p in circuit.motif.projections}
    rows: list[tuple[str, str, Tensor]] = []
    for name, drive in drives.items():
        rows.append(("rest", name, cosine(weights[name], drive)))
        if "tau" in circuit.parameters(name):
            tau = torch.as_tensor(circuit.parameters(name)["tau"], dtype=torch.float64)
            rows.append(("size", name, norm(weights[name]) / (tau * norm(drive))))
    for square in squares(circuit.motif):
        v, vt = weights[square.V], weights[square.Vt]
        rows.append(("weights", square.W, cosine(weights[square.W] @ vt.mT, v @ weights[square.Wt].mT)))
        rows.append(("drives", square.W, cosine(drives[square.W] @ vt.mT, v @ drives[square.Wt].mT)))
    for square in squares(circuit.motif):
        name = circuit.motif.projection(square.W).pre
        rows.append(("share", name, share(circuit.predict(train.x, name).double())))
    return _tidy(rows)


def share(activity: Tensor) -> Tensor:
    """The share of the power of ``[replica, sample, neuron]`` along its strongest direction."""
    power = torch.linalg.eigvalsh(activity.mT @ activity)
    return power[:, -1] / power.sum(1)


# -- 3. The clock of assembly


class Clock(Claim):
    """Assembly takes as long as its slowest part needs to forget its start: W 1/(eta_B gamma) steps, Wt and V tau."""

    name = "Clock"
    gammas: ClassVar[tuple[float, ...]] = (1e-4, 3e-4, 1e-3)
    starts: ClassVar[dict[str, dict[str, float]]] = {"": {}, ", strong V": {"gain_V": 0.05}}

    def made(self) -> dict[str, Panel]:
        memories = [self.memory(gamma) for gamma in self.gammas]
        cells: dict[str, dict[str, dict[str, float]]] = {
            "W alone is faster": {f"γ = {g:g}": {"gamma": g, "tau": 3000.0} for g in self.gammas},
            "averages alone are faster": {
                f"τ = {3 * m:.0f}": {"gamma": self.gammas[0], "tau": 3 * m} for m in memories
            },
            "both are faster": {
                f"γ = {g:g}, τ = {3 * m:.0f}": {"gamma": g, "tau": 3 * m}
                for g, m in zip(self.gammas, memories, strict=True)
            },
        }
        return {
            label + start: Panel(
                {cell: o | options for cell, o in them.items()}, TWO, probe=self._probe, length=2.5, points=25
            )
            for start, options in self.starts.items()
            for label, them in cells.items()
        }

    def unit(self, label: str, cell: str) -> float:
        """The steps in which a cell's clock advances by 1: W's memory, or a third of tau if only that varies."""
        options = self.of(label)[0].cells[cell]
        return options["tau"] / 3 if "averages" in label else self.memory(options["gamma"])

    def _probe(self, circuit: cs.Circuit) -> pd.DataFrame:
        held_out = self.setup.held_out.to(circuit.device, circuit.dtype)
        return cs.alignment(circuit, held_out.x, held_out.target, ["gradient_cosine", "stationarity_cosine"])

    def memory(self, gamma: float) -> float:
        """W's memory 1 / (eta_B gamma) in steps, at the default learning rate."""
        rates = sal([2, 2, 2]).projection("W0").rule.parameters  # type: ignore[union-attr]
        n = self.setup.batch_size
        return 1 / (rates["eta"] * n / (n + rates["few"]) * gamma)

    def curves(self, label: str, metric: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Steps in units of the cell's clock, and the mean over layers, ``[time, seed]``, keyed by cell."""
        panel, result = self.of(label)
        sites = hidden_sites(result.circuit.motif) if metric == "gradient_cosine" else ["W1", "W2"]
        steps, found = panel.curve(result, metric, *sites)
        return {cell: (steps[1:] / self.unit(label, cell), values[1:]) for cell, values in found.items()}

    def spread(self, label: str, metric: str) -> tuple[float, float, float]:
        """The mean range of the curves over cells: at the same time on their clocks, and at the same step.

        Both are taken where all curves have values; the first number is the last such time on the clock.
        """
        curves = {cell: (x, np.nanmean(y, axis=1)) for cell, (x, y) in self.curves(label, metric).items()}
        low, high = max(x[0] for x, _ in curves.values()), min(x[-1] for x, _ in curves.values())
        at = np.linspace(low, high, 20)
        scaled = np.array([np.interp(at, x, y) for x, y in curves.values()])
        plain = np.array([y for _, y in curves.values()])
        return high, float(np.ptp(scaled, axis=0).mean()), float(np.ptp(plain, axis=0).mean())

    def rows(self, label: str) -> Iterator[Row]:
        panel, result = self.of(label)
        for metric in ("stationarity_cosine", "gradient_cosine"):
            high, scaled, plain = self.spread(label, metric)
            what = f"{metric.replace('_', ' ')}: mean range over cells"
            yield f"{what} at the same step", f"{plain:.2f}", ""
            yield (
                f"{what} at the same time on the clock, up to {high:.1f}",
                f"{scaled:.2f}",
                "0 if this is the clock",
            )
            for cell, (x, y) in self.curves(label, metric).items():
                if x[0] <= 1 <= x[-1]:
                    now = [np.interp(1.0, x, seed) for seed in y.T]
                    yield f"{metric.replace('_', ' ')} at time 1 on the clock; {cell}", mean_and_spread(now), ""
        for cell, accuracy in panel.final(result, self.setup.metric, "validation").items():
            yield f"validation {self.setup.metric}; {cell}", mean_and_spread(accuracy), ""

    def note(self) -> str:
        found = []
        for label in self.made():
            for metric in ("stationarity_cosine", "gradient_cosine"):
                high, scaled, plain = self.spread(label, metric)
                found.append(
                    f"{label}, {metric.replace('_', ' ')}: {plain:.2f} at the same step, {scaled:.2f} at the same "
                    f"time on the clock (up to {high:.1f})"
                )
        return "curves differ by (mean range over cells) " + "; ".join(found) + "."

    def figures(self) -> Mapping[str, Any]:
        figures = {}
        for k, label in enumerate(self.made()):
            xlabel = "steps / (τ / 3)" if "averages" in label else "steps / W's memory, 1/(η_B γ)"
            for metric in ("stationarity_cosine", "gradient_cosine"):
                lines = self.curves(label, metric)
                figure = _curves(lines, xlabel, metric.replace("_", " "), title=label)
                figures[f"clock_{metric.split('_')[0]}_{k}"] = figure
        return figures


# -- 4. A drive that is full before it is aligned


class Noise(Claim):
    """A dendrite that delivers the error at full size before V is coherent amplifies V's noise."""

    name = "Noise"
    dendrites: ClassVar[dict[str, dict[str, float]]] = {"saturating": {}, "always full": {"gain": 1e6}}
    starts: ClassVar[dict[str, dict[str, float]]] = {"": {"gain_V": 0.05}, ", silent V": {"gain_V": 0.001}}
    times: ClassVar[tuple[int, ...]] = (1, 2, 4)  # the default learning rate

    def made(self) -> dict[str, Panel]:
        eta = sal([2, 2, 2]).projection("W0").rule.parameters["eta"]  # type: ignore[union-attr]
        cells = {
            f"{dendrite}, eta x {k}{start}": {"eta": k * eta} | self.dendrites[dendrite] | self.starts[start]
            for k, start, dendrite in itertools.product(self.times, self.starts, self.dendrites)
        }

        def panel(n: int, make: Callable[..., cs.Motif] = sal) -> Panel:
            return Panel(cells, (32,) * n, make, self._probe, length=2.0)

        return {
            "5 hidden layers": panel(5),
            "8 hidden layers": panel(8),
            "5 hidden layers, shuffled error": panel(5, lambda layers, **o: shuffled_error(sal(layers, **o))),
        }

    def _probe(self, circuit: cs.Circuit) -> pd.DataFrame:
        held_out = self.setup.held_out.to(circuit.device, circuit.dtype)
        cosine = cs.alignment(circuit, held_out.x, held_out.target, ["gradient_cosine"])
        sizes = [
            ("coherence" if p.compartment == "dendrite" else "size", p.name, norm(w) / w[0].numel() ** 0.5)
            for p in circuit.motif.projections
            for w in [circuit.weights(p.name)]
            if p.is_plastic
        ]
        return pd.concat([cosine[["quantity", "site", "replica", "value"]], _tidy(sizes)])

    def incoherent(self, circuit: cs.Circuit, steps: Any = np.inf) -> Any:
        """The root mean square of V after some steps from silence, if its traces are unrelated."""
        tau = float(np.ravel(circuit.parameters("V1")["tau"])[0])
        return np.sqrt((1 - (1 - 1 / tau) ** (2 * np.asarray(steps))) / (2 * tau * self.setup.batch_size))

    def sites(self, result: Result, metric: str) -> list[str]:
        """The projections at which a quantity is averaged."""
        if metric == "coherence":
            return [v for v, _ in mirror_pairs(result.circuit.motif)]
        return hidden_sites(result.circuit.motif)

    def at_end(self, label: str, metric: str) -> dict[str, np.ndarray]:
        """The mean over layers at the end, ``[seed]``, keyed by cell."""
        panel, result = self.of(label)
        return {
            cell: values[-1] for cell, values in panel.curve(result, metric, *self.sites(result, metric))[1].items()
        }

    def rows(self, label: str) -> Iterator[Row]:
        panel, result = self.of(label)
        accuracy, lost = panel.final(result, self.setup.metric, "validation"), panel.lost(result)
        cosine, size, coherence = (self.at_end(label, metric) for metric in ("gradient_cosine", "size", "coherence"))
        incoherent = f"V {self.incoherent(result.circuit, result.circuit.n_steps):.4f} if incoherent"
        for cell in panel.cells:
            measured = (
                f"{mean_and_spread(accuracy[cell])}, {mean_and_spread(cosine[cell])}, {mean_and_spread(size[cell])}, "
                f"{mean_and_spread(coherence[cell], 4)}, {int(lost[cell].sum())}"
            )
            yield f"accuracy, hidden cosine, rms of W, rms of V, lost; {cell}", measured, incoherent

    def note(self) -> str:
        found = []
        for label in self.made():
            panel, result = self.of(label)
            accuracy = panel.final(result, self.setup.metric, "validation")
            cosine, coherence = self.at_end(label, "gradient_cosine"), self.at_end(label, "coherence")
            cells = (
                f"{cell}: {mean(accuracy[cell]):.2f}, {mean(cosine[cell]):.2f}, {mean(coherence[cell]):.4f}"
                for cell in panel.cells
                if "x 4" not in cell
            )
            found.append(f"{label}: {'; '.join(cells)}")
        circuit = next(iter(self.results.values())).circuit
        return (
            f"{self.setup.metric}, hidden cosine and root mean square of V, which is "
            f"{self.incoherent(circuit, circuit.n_steps):.4f} if it is incoherent. {'. '.join(found)}."
        )

    def figures(self) -> Mapping[str, Any]:
        figures = {}
        for name, label, metric, ylabel, is_shown in (
            ("coherence", "5 hidden layers, shuffled error", "coherence", "root mean square of V", "x 1"),
            ("size", "5 hidden layers", "size", "root mean square of hidden W", "silent"),
            ("cosine", "5 hidden layers", "gradient_cosine", "hidden cosine with the gradient", "silent"),
        ):
            panel, result = self.of(label)
            steps, found = panel.curve(result, metric, *self.sites(result, metric))
            lines = {
                cell.replace(", ", ",\n", 1): (steps, values)
                for cell, values in found.items()
                if is_shown in cell and "x 4" not in cell
            }
            if metric == "coherence":
                lines["unrelated traces"] = (steps, self.incoherent(result.circuit, steps)[:, None])
            figures[f"noise_{name}"] = _curves(lines, "steps", ylabel, logarithmic=False, title=label)
        return figures


# -- 5. The loop that excites itself


class Loop(Claim):
    """Circuits are lost where eta k / tau is large, because W -> h -> V -> W is a loop of positive feedback."""

    name = "Loop"
    etas: ClassVar[tuple[float, ...]] = (8.0, 24.0, 72.0)
    gains: ClassVar[tuple[float, ...]] = (2.0, 10.0, 50.0)
    taus: ClassVar[tuple[float, ...]] = (30.0, 300.0, 3000.0)

    def made(self) -> dict[str, Panel]:
        cells = {
            f"eta {eta:g}, k {gain:g}, tau {tau:g}": {"eta": eta, "gain": gain, "tau": tau}
            for eta, gain, tau in itertools.product(self.etas, self.gains, self.taus)
        }
        return {f"{n} hidden layers": Panel(cells, (32,) * n, length=0.75) for n in (2, 5)}

    def accuracy(self, label: str) -> dict[str, np.ndarray]:
        """The validation accuracy of each seed, keyed by cell; 0 if it ran away."""
        panel, result = self.of(label)
        found = panel.final(result, self.setup.metric, "validation")
        return {cell: np.nan_to_num(values) for cell, values in found.items()}

    def lost(self, label: str) -> dict[str, np.ndarray]:
        """Whether each seed ran away, or ended a tenth below those that average longest, keyed by cell.

        The comparison is with the same eta and k, so that a circuit that merely learns slowly is not lost.
        """
        found, cells = self.accuracy(label), self.of(label)[0].cells
        longest = {(o["eta"], o["gain"]): found[cell].mean() for cell, o in cells.items() if o["tau"] == max(self.taus)}
        return {cell: found[cell] < longest[o["eta"], o["gain"]] - 0.1 for cell, o in cells.items()}

    def separations(self, label: str) -> dict[str, float]:
        """How well each quantity tells lost circuits from others: the share of pairs that it orders (0.5 is chance)."""
        panel, _ = self.of(label)
        lost = np.concatenate(list(self.lost(label).values()))
        options = [o for o in panel.cells.values() for _ in range(self.setup.seeds)]
        by = {
            "eta k / tau": [o["eta"] * o["gain"] / o["tau"] for o in options],
            "k / (eta tau)": [o["gain"] / o["eta"] / o["tau"] for o in options],
            "eta / tau": [o["eta"] / o["tau"] for o in options],
            "eta": [o["eta"] for o in options],
            "k": [o["gain"] for o in options],
            "1 / tau": [1 / o["tau"] for o in options],
        }
        return {name: ordered(np.array(values), lost) for name, values in by.items()}

    def rows(self, label: str) -> Iterator[Row]:
        panel, _ = self.of(label)
        accuracy, lost = self.accuracy(label), self.lost(label)
        for cell, options in sorted(panel.cells.items(), key=lambda item: _excitation(item[1])):
            what = f"{cell}: eta k / tau = {_excitation(options):.2g}"
            yield what, f"{mean_and_spread(accuracy[cell])}, lost {int(lost[cell].sum())} of {lost[cell].size}", ""
        for name, value in self.separations(label).items():
            yield f"share of pairs (lost, kept) ordered by {name}", f"{value:.2f}", "0.5 is chance"

    def note(self) -> str:
        found = []
        for label in self.made():
            panel, _ = self.of(label)
            lost = self.lost(label)
            kept = [_excitation(panel.cells[cell]) for cell, values in lost.items() if not values.any()]
            gone = [_excitation(panel.cells[cell]) for cell, values in lost.items() if values.any()]
            shares = ", ".join(f"{name} {value:.2f}" for name, value in self.separations(label).items())
            found.append(
                f"{label}: {sum(int(v.sum()) for v in lost.values())} circuits lost; the smallest eta k / tau with a "
                f"loss is {min(gone, default=np.nan):.2g}, the largest without {max(kept, default=np.nan):.2g}; pairs "
                f"(lost, kept) ordered by {shares}"
            )
        return "; ".join(found) + "."

    def figures(self) -> Mapping[str, Any]:
        figures = {}
        for label in self.made():
            panel, _ = self.of(label)
            accuracy, etas = self.accuracy(label), np.array(self.etas)
            lines = {}
            for tau in self.taus:
                over_k = [
                    [accuracy[cell] for cell, o in panel.cells.items() if (o["eta"], o["tau"]) == (eta, tau)]
                    for eta in self.etas
                ]
                lines[f"τ = {tau:g}"] = (etas, np.array(over_k).reshape(len(etas), -1))
            title = f"{label}, k from {min(self.gains):g} to {max(self.gains):g}"
            figures[f"loop_{label.split()[0]}"] = _curves(
                lines, "η", f"validation {self.setup.metric}", title=title, ticks=self.etas
            )
        return figures


def _excitation(options: Mapping[str, float]) -> float:
    return options["eta"] * options["gain"] / options["tau"]


def ordered(values: np.ndarray, lost: np.ndarray) -> float:
    """The share of pairs of a lost and a kept circuit in which the lost one has the larger value; ties count half."""
    n_lost, n_kept = int(lost.sum()), int((~lost).sum())
    if not n_lost or not n_kept:
        return float("nan")
    return float((rankdata(values)[lost].sum() - n_lost * (n_lost + 1) / 2) / (n_lost * n_kept))


# -- 6. Normalised least mean squares


class StepBound(Claim):
    """The output's rate may reach 2 / ((1 - 1/B) lambda + 1/B), with lambda the share of power in one direction."""

    name = "Step bound"
    batches: ClassVar[tuple[int, ...]] = (4, 16, 64, 256, 1024)
    factors: ClassVar[np.ndarray] = np.geomspace(0.25, 4, 17)
    n_samples: ClassVar[int] = 1024  # a multiple of every batch

    def made(self) -> dict[str, Panel]:
        x, target = self.samples
        steps = 60 if self.setup.quick else 300
        return {
            f"batch {batch}": Panel(
                {f"{k:.2f} times the bound": {"eta": float(k * self.bound(batch))} for k in self.factors}, (),
                lambda layers, **o: sal(layers, loss="mse", few=0.0, gamma=0.0, **o), dtype="float64",
                length=max(1, -(-steps * batch // self.n_samples)) / self.setup.epochs, batch_size=batch,
                data=(x, target),
            )
            for batch in self.batches
        }  # fmt: skip

    @property
    def samples(self) -> tuple[Tensor, Tensor]:
        """Inputs and classes as numbers."""
        train = self.setup.data.train
        assert isinstance(train.x, Tensor) and isinstance(train.target, Tensor)
        target = one_hot(train.target, self.setup.layers[-1]).double()
        return train.x[: self.n_samples].double(), target[: self.n_samples]

    @property
    def strongest(self) -> float:
        """The share of the inputs' power along their strongest direction."""
        return float(share(self.samples[0][None])[0])

    def bound(self, batch: int) -> float:
        """The predicted largest rate."""
        return 2 / ((1 - 1 / batch) * self.strongest + 1 / batch)

    def edge(self, label: str) -> float:
        """The measured largest rate in units of the bound: between the last stable and the first unstable factor."""
        panel, result = self.of(label)
        x, target = (v.to(result.circuit.device) for v in self.samples)
        start = torch.as_tensor(result.before["W0"], dtype=torch.float64, device=x.device)
        first = ((target - x @ start.mT) ** 2).sum(-1).mean(1) / 2
        last = ((target - result.circuit.predict(x)) ** 2).sum(-1).mean(1) / 2
        stable = (last < first).cpu().numpy()
        stable[result.runaways] = False
        shares = np.array([values.mean() for values in panel.by_cell(stable).values()])
        if shares[0] < 0.5 or shares[-1] >= 0.5:
            return float("nan")
        k = int(np.argmax(shares < 0.5))
        return float(np.sqrt(self.factors[k - 1] * self.factors[k]))

    def rows(self, label: str) -> Iterator[Row]:
        batch = int(label.rsplit(" ", 1)[-1])
        yield "largest stable rate", f"{self.edge(label) * self.bound(batch):.1f}", f"{self.bound(batch):.1f}"

    def note(self) -> str:
        found = ", ".join(
            f"{self.edge(f'batch {batch}') * self.bound(batch):.1f} (bound {self.bound(batch):.1f}) at batch {batch}"
            for batch in self.batches
        )
        return (
            f"one layer, squared errors: the inputs have a share lambda = {self.strongest:.2f} of their power in one "
            f"direction. The largest stable rates are {found}."
        )

    def figures(self) -> Mapping[str, Any]:
        batches = np.array(self.batches, dtype=float)
        bounds = np.array([[self.bound(batch)] for batch in self.batches])
        edges = np.array([[self.edge(f"batch {batch}") * self.bound(batch)] for batch in self.batches])
        lines = {"measured": (batches, edges), "2 / ((1 − 1/B) λ + 1/B)": (batches, bounds)}
        return {"step_bound": _curves(lines, "batch size B", "largest stable rate", ticks=self.batches)}


class Theory(Study):
    """Measure what docs/theory.md derives for the normalised form of SAL, and how far each claim holds.

    Lemma 1 for leaky averages, with Vt that averages longer as the case that must fail; the identity of rest, for the
    weights and for their average drives, with linear and rectified neurons; the cosines over steps in units of W's
    memory; deep circuits with a dendrite that saturates and one that always delivers the full error; a grid of eta, k
    and tau; and the largest stable rate of one layer at several batch sizes. All rates are constant.

    Source: Liao et al. (2024), arXiv 2412.20018, Lemma 1 and Theorem 1; Nagumo & Noda (1967) for normalised least mean
    squares. The normalised form and what is said of it are ours.
    """

    title = "Theory"
    hidden = TWO
    quick_epochs = 4

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.claims = [made(setup) for made in (Lemma, Rest, Clock, Noise, Loop, StepBound)]

    def train(self) -> dict[str, Result]:
        if self.setup.scheduler is not None or self.setup.resume:
            raise cs.ParameterError("Theory: its circuits learn in this process, and from the beginning")
        found: dict[str, Result] = {}
        for claim in self.claims:
            for label, panel in claim.panels.items():
                found[label] = claim.results[label] = panel.train(self.setup)
                if found[label].history.interrupted:
                    return found
        return found

    def rows(self, label: str, result: Result) -> Iterator[dict[str, Any]]:
        claim = next(claim for claim in self.claims if label in claim.panels)
        for what, measured, predicted in claim.rows(label):
            yield {"quantity": what, "measured": measured, "predicted": predicted}

    def notes(self) -> str:
        return "\n".join(f"- {claim.name}: {claim.note()}" for claim in self.claims)

    def figures(self) -> Mapping[str, Any]:
        return {name: figure for claim in self.claims for name, figure in claim.figures().items()}


def _tidy(rows: Any) -> pd.DataFrame:
    """A tidy table of rows (quantity, site, values of each replica)."""
    return pd.DataFrame(
        {"quantity": quantity, "site": site, "replica": replica, "value": float(value)}
        for quantity, site, values in rows
        for replica, value in enumerate(values.tolist())
    )


def _curves(
    lines: Mapping[str, Any], xlabel: str, ylabel: str, *, title: str = "", logarithmic: bool = True,
    ticks: Sequence[float] | None = None,
) -> Any:  # fmt: skip
    """Draw (x, values of ``[point, seed]``) of each line, with a tick at every power of ten or at the given ones."""
    figure = plots.dependence(lines, xlabel=xlabel, ylabel=ylabel, title=title, logarithmic=logarithmic)
    if logarithmic:
        at = np.concatenate([x for x, _ in lines.values()])
        ticks = ticks or [10.0**k for k in range(-4, 6) if at.min() <= 10.0**k <= at.max()]
        figure.axes[0].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    return figure


if __name__ == "__main__":
    Theory.main()
