"""Predict the sign of apical signals in neurons whose causal role an experimenter chooses.

python examples/apical_signals.py --seeds 10
python examples/apical_signals.py --quick
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

import circuitsim as cs
import motifs
from circuitsim import plots
from circuitsim.plots.picture import Picture
from circuitsim.plots.style import plain_axes
from support import Result, Study, mean, mean_and_spread, weights_of
from support.algorithms import FROZEN, SHUFFLED
from support.circuits import STRONG, frozen_sal, released

TASK = "neurofeedback"
N_INPUTS, TUNING, NOISE = 24, 0.3, 0.5
GROUP = 5  # neurons in each of the two groups that the decoder reads
BATCH, LEARNING_EPOCHS = 64, 3
SAL, PAPER, APICAL, KP, FA = "SAL", "SAL, paper's form", "apical SAL", "Kolen-Pollack", "feedback alignment"
SGD, V_FROZEN, WT_FROZEN = "SGD, told the decoder", "SAL, V and Vt frozen", "SAL, Wt frozen"
UNEXPLORED = "SAL without exploration"
SHOWN = (SAL, PAPER, APICAL, KP, FA, FROZEN, SHUFFLED)  # in the figure of single neurons
PLUS, MINUS, OTHER = "#0072B2", "#D55E00", "#999999"  # blue and vermilion of Okabe & Ito (2008)


@dataclass(frozen=True)
class Neurons:
    """What an experimenter would measure in each neuron, under the error of the task.

    Args:
        gain: the slope of the apical current on the error of the first output, ``[replica, neuron]``.
        agreement: the share of readout neurons whose gain has the sign of their causal role, ``[replica]``.
        silent: the size (root mean square) of the apical current while the soma is silent, relative to its size while
            the soma fires, ``[replica]``.
        inputs: the effective number of descending neurons behind a readout neuron's apical gain,
            ``(sum |c|)^2 / sum c^2`` over their contributions c, ``[replica]``.
    """

    gain: np.ndarray
    agreement: np.ndarray
    silent: np.ndarray
    inputs: np.ndarray


@dataclass
class Session(Result):
    """A circuit that has explored. Its `history` is that of the exploration.

    Args:
        naive, explored: the neurons before and after the exploration.
        learned, silenced: the histories of copies that then learned the task, with and without apical currents.
        swapped: the history of the second exploration, with the groups swapped.
    """

    naive: Neurons | None = None
    explored: Neurons | None = None
    learned: cs.History = field(default_factory=cs.History)
    silenced: cs.History = field(default_factory=cs.History)
    swapped: cs.History = field(default_factory=cs.History)


def neurofeedback(dataset: str, folder: Path | None = None) -> cs.Dataset:
    """The task: from noisy inputs tuned to the orientation of a grating, say in which direction it should rotate.

    The orientation is uniform in [-1, 1] around the target, in units of 90 degrees.
    """
    if dataset != TASK or folder is not None:
        raise cs.ParameterError(
            f"the only data set of this experiment is {TASK!r}, which has no files (got {dataset!r}, folder {folder})"
        )
    rng, preferred = np.random.default_rng(0), np.linspace(-1, 1, N_INPUTS)
    orientation = rng.uniform(-1, 1, (5632, 1))
    tuned = np.exp(-((orientation - preferred) ** 2) / (2 * TUNING**2))
    x = 2 * (tuned - tuned.mean(1, keepdims=True)) + NOISE * rng.standard_normal(tuned.shape)
    y = (orientation[:, 0] > 0).astype(int)
    train, validation, test = np.split(np.arange(len(x)), [4096, 4608])
    return cs.Dataset.from_arrays(
        x[train], y[train], validation=(x[validation], y[validation]), test=(x[test], y[test]), name=TASK
    )


class ApicalSignals(Study):
    r"""Compare each neuron's apical current with its causal role, before and after self-assembly.

    The task is our model of a neurofeedback experiment (Francioni et al., 2026, of which we use the abstract only):
    mice control a visual grating by two groups of a few neurons each, and apical signals have a sign that depends on
    each neuron's causal role. In the model, inputs are tuned to the orientation of the grating, and drive 40 neurons. A
    fixed decoder reads two groups of five of them::

        rotation = sum_i w_i h_i     w > 0 in the first group, w < 0 in the second, 0 elsewhere: the causal role

    1. *Exploration.* The activity moves the grating, and the circuit learns to predict in which direction. This is
       the assembly: V, Vt, Wt and the circuit's own readout W1, its model of the decoder, are plastic; W0 is not.
    2. *Learning.* The experimenter's decoder takes the place of W1, which is fixed from now on. The error says in
       which direction the grating should have rotated, and W0 learns from the apical currents. V, Vt and Wt stay
       plastic. In a copy of the circuit the apical dendrites are silent (V = 0) while it learns.
    3. *Swap.* From the end of the exploration, the circuit explores again with the two groups exchanged.

    The apical gain of a neuron is the slope of its apical current on the error. The sign agreement is the share of
    readout neurons whose gain has the sign of their causal role (chance: 0.5). With a shuffled error the circuit sees
    the rotation of another sample, like a yoked animal. Without exploration, SAL learns from the error of the task from
    the start. Before learning, the share of correct rotations is a matter of chance.

    Source: Francioni et al. (2026), Nature, doi 10.1038/s41586-026-10190-7 (abstract); the exploration is a distal
    teacher, Jordan & Rumelhart (1992), Cogn. Sci. 16:307; circuits of Liao et al. (2024), arXiv 2412.20018.
    """

    title = "Apical signals"
    dataset, hidden = TASK, (40,)
    epochs, quick_epochs, quick_seeds = 16, 4, 4
    results: dict[str, Session]  # type: ignore[assignment]
    load = neurofeedback

    @classmethod
    def on(cls, dataset: str | None = None, *, epochs: int | None = None, quick: bool = False, **options: Any) -> Self:
        epochs = cls.quick_epochs if quick and epochs is None else epochs
        return super().on(dataset, epochs=epochs, quick=quick, **options)

    def motifs(self) -> dict[str, cs.Motif]:
        layers = self.setup.layers
        sal, strong = motifs.sal(layers), motifs.sal(layers, gain_V=STRONG)
        return {
            SAL: sal,
            PAPER: motifs.paper_sal(layers),
            APICAL: motifs.apical_sal(layers),
            KP: motifs.kolen_pollack(layers),
            FA: motifs.feedback_alignment(layers),
            SGD: motifs.backprop(layers),
            FROZEN: frozen_sal(layers),
            SHUFFLED: motifs.shuffled_error(sal),
            UNEXPLORED: sal,
            V_FROZEN: strong.replace("V1", plastic=False).replace("Vt1", plastic=False),
            WT_FROZEN: sal.replace("Wt1", plastic=False),
        }

    @property
    def decoder(self) -> Tensor:
        """The decoder as the weights of W1, ``[replica, output, neuron]``; the second output is minus the first."""
        weights = np.zeros((self.setup.seeds, self.setup.hidden[-1]))
        sizes = np.random.default_rng(0).uniform(0.5, 1.5, (self.setup.seeds, 2 * GROUP)) / GROUP
        weights[:, : 2 * GROUP] = sizes * np.repeat([1, -1], GROUP)
        return torch.tensor(np.stack([weights, -weights], axis=1), dtype=torch.float32)

    def train(self) -> dict[str, Session]:  # type: ignore[override]
        if self.setup.scheduler is not None or self.setup.resume:
            raise cs.ParameterError(f"{self.title}: circuits learn in this process, and from the beginning")
        return {label: self.session(label, motif) for label, motif in self.motifs().items()}

    def session(self, label: str, motif: cs.Motif) -> Session:
        """Let the replicas of one circuit explore and learn."""
        circuit = cs.compile(motif, replicas=self.setup.seeds, seed=0, device=self.setup.device)
        session = Session(circuit, weights_of(circuit), cs.History())
        decoder = self.decoder.to(circuit.device)
        session.naive = self.neurons(circuit, decoder)
        if label == UNEXPLORED:
            session.learned = self.learn(circuit, decoder, self.setup.epochs)
            session.explored = self.neurons(circuit, decoder)
            session.history.runaways += session.learned.runaways
            return session
        session.history = self.explore(circuit, decoder)
        session.explored = self.neurons(circuit, decoder)
        silent = released(circuit)
        silent.set_weights("V1", torch.zeros_like(silent.weights("V1")))
        silent.freeze("V1")
        session.learned = self.learn(released(circuit), decoder, LEARNING_EPOCHS)
        session.silenced = self.learn(silent, decoder, LEARNING_EPOCHS)
        session.swapped = self.explore(circuit, -decoder)
        session.history.runaways += session.learned.runaways + session.swapped.runaways
        return session

    def explore(self, circuit: cs.Circuit, decoder: Tensor) -> cs.History:
        """Learn to predict in which direction the decoder rotates the grating, with V, Vt, Wt and W1."""
        circuit.freeze("W0")
        x = self.setup.data.train.x
        assert isinstance(x, Tensor)
        activity = circuit.predict(x, "up1")  # W0 is frozen, so the activity does not change
        direction = (activity @ decoder.transpose(1, 2)).argmax(2)
        batches = [(x[k : k + BATCH], direction[:, k : k + BATCH]) for k in range(0, len(x), BATCH)]
        probe = cs.Probe(lambda c: {"sign_agreement": self.neurons(c, decoder).agreement})
        history = fit(circuit, batches, self.setup.epochs, {"signs": probe})
        if circuit.motif.projection("W0").is_plastic:
            circuit.thaw("W0")
        return history

    def learn(self, circuit: cs.Circuit, decoder: Tensor, epochs: int) -> cs.History:
        """Learn the task with the decoder in place of W1. The accuracy is the share of correct rotations."""
        circuit.set_weights("W1", decoder)
        circuit.freeze("W1")
        data = self.setup.data
        probe = cs.Probe(lambda c: {"rotations": cs.evaluate(c, data.test)["accuracy"]})
        return fit(circuit, data.train, epochs, {"rotations": probe})

    def neurons(self, circuit: cs.Circuit, decoder: Tensor) -> Neurons:
        """Measure all neurons on the validation split, with the decoder in place of W1."""
        split = self.setup.data.validation
        assert split is not None
        circuit = released(circuit)  # a copy, so that its W1 can be replaced
        circuit.set_weights("W1", decoder)
        circuit.cycle(split.x, split.target)
        error = circuit.activity(circuit.motif.objectives[0].error)[..., :1]
        gated = "apical1" in {p.name for p in circuit.motif.populations}
        current = circuit.activity("apical1") if gated else circuit.current("V1")
        fires = circuit.activity("up1") > 0
        size = error.square().mean(1)
        gain = (current * error).mean(1) / size
        descending = (circuit.activity("down1") * error).mean(1) / size
        parts = (circuit.weights("V1").to_dense() * descending[:, None, :]).abs()[:, : 2 * GROUP]
        agree = gain.sign() == decoder[:, 0].sign()
        power = [(current.square() * which).sum((1, 2)) / which.sum((1, 2)) for which in (~fires, fires)]
        found = (
            gain, agree[:, : 2 * GROUP].float().mean(1), (power[0] / power[1]).sqrt(),
            (parts.sum(2).square() / parts.square().sum(2)).mean(1),
        )  # fmt: skip
        return Neurons(*(value.cpu().numpy() for value in found))

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        numbers, explores = self.numbers[label], label != UNEXPLORED
        signs = {"before": "before", "after": "after"} | ({"swapped": "swapped"} if explores else {})
        rotations = {"naive": "before", "learned": "learned"} | ({"silenced": "silenced"} if explores else {})
        yield {
            "sign agreement": "\n".join(f"{mean_and_spread(numbers[k])} {when}" for k, when in signs.items()),
            "correct rotations, %": "\n".join(
                f"{mean_and_spread(numbers[k], 1, 100)} {when}" for k, when in rotations.items()
            ),
        }

    @cached_property
    def numbers(self) -> dict[str, dict[str, np.ndarray]]:
        """Sign agreement before and after exploration and after the swap, and shares of correct rotations.

        Keyed by circuit and quantity, each with shape ``[replica]``; NaN for seeds that ran away.
        """
        found = {}
        for label, s in self.results.items():
            assert s.naive is not None and s.explored is not None
            values = {
                "before": s.naive.agreement, "after": s.explored.agreement,
                "swapped": _curve(s.swapped, "sign_agreement", self.setup.seeds)[-1],
                "naive": _curve(s.learned, "rotations", self.setup.seeds)[0],
                "learned": _curve(s.learned, "rotations", self.setup.seeds)[-1],
                "silenced": _curve(s.silenced, "rotations", self.setup.seeds)[-1],
            }  # fmt: skip
            lost = np.isin(np.arange(self.setup.seeds), s.runaways)
            found[label] = {name: np.where(lost, np.nan, value) for name, value in values.items()}
        return found

    def notes(self) -> str:
        n, circuits = self.numbers, self.results

        def of(quantity: str, *labels: str) -> str:
            return ", ".join(f"{label} {mean_and_spread(n[label][quantity])}" for label in labels)

        def marks(quantity: str, *labels: str) -> str:
            found = {label: getattr(circuits[label].explored, quantity) for label in labels}
            return ", ".join(f"{label} {mean_and_spread(values)}" for label, values in found.items())

        fixed = [np.concatenate([n[label][k] for label in (FA, FROZEN)]) for k in ("after", "learned")]
        abolished = [n[SAL]["silenced"] - n[SAL]["naive"], n[SAL]["learned"] - n[SAL]["naive"]]
        forms = {label: circuits[label] for label in (SAL, PAPER)}
        silent_runaways = [label for label, s in circuits.items() if s.silenced.runaways]
        lines = [
            "Sign agreement is the share of readout neurons whose apical gain has the sign of their causal role "
            "(0.5 by chance), before and after the exploration, and after exploring with swapped groups. Rotations are "
            "measured before learning, after learning, and after learning with silent dendrites.",
            f"- After exploration: {of('after', SAL, PAPER, APICAL, KP)}. Before: {of('before', SAL)}.",
            f"- Controls: {of('after', FA, FROZEN, SHUFFLED, UNEXPLORED)}.",
            f"- Learning changes the share of correct rotations by {100 * mean(abolished[1]):+.1f} points in SAL, and "
            f"by {100 * mean(abolished[0]):+.1f} points with silent dendrites.",
            "- Where the feedback is fixed, luck decides whether a circuit learns: over the seeds of "
            f"{FA} and of the frozen control, the correlation of sign agreement with correct rotations after learning "
            f"is {np.corrcoef(np.array(fixed)[:, np.isfinite(fixed).all(0)])[0, 1]:.2f}.",
            "",
            "What tells SAL from each rival:",
            f"- {FA}, frozen feedback: signs stay at chance after exploration, and do not follow a swap of the groups "
            f"(agreement with the new decoder: {of('swapped', SAL, PAPER, FA, FROZEN)}).",
            f"- {KP}: blocking the plasticity of V and Vt (synapses between the streams) during exploration leaves the "
            f"signs of SAL at chance, but {KP} has no such plasticity; blocking that of Wt (within the descending "
            f"stream) does not disturb SAL, but turns {KP} into {FA}: {of('after', V_FROZEN, WT_FROZEN, FA)}. "
            f"The effective number of descending neurons behind one apical gain: {marks('inputs', SAL, KP)}.",
            f"- {APICAL} and {KP}: the size of the apical current while the soma is silent, relative to that while it "
            f"fires: {marks('silent', SAL, APICAL, KP)}.",
            "- The two forms of SAL: epochs until the agreement exceeds 0.9, first and after the swap: "
            + ", ".join(f"{label} {epochs_to(s.history)} and {epochs_to(s.swapped)}" for label, s in forms.items())
            + f" (of {self.setup.epochs}). The averages of the normalised form forget slowly.",
            f"- Weight transport ({SGD}): signs agree before exploration: {of('before', SGD, SAL)}.",
            "- An innate teaching signal would have the right signs without exploration. Those of SAL need it, and "
            f"with the true rotations: {of('after', SHUFFLED, UNEXPLORED)}.",
        ]
        if silent_runaways:
            lines.append(
                f"\nWith silent dendrites, some copies ran away in: {', '.join(silent_runaways)}. The error "
                "stays large there, and V, Vt and Wt feed on it. Such copies are left out."
            )
        return "\n".join(lines)

    def figures(self) -> Mapping[str, Any]:
        shown = {label: self.results[label] for label in SHOWN}
        lines = {}
        for label in (SAL, PAPER, APICAL, KP, FA):
            s = self.results[label]
            first, again = (h.curve("sign_agreement", "probe") for h in (s.history, s.swapped))
            lines[label] = np.concatenate([first.index, again.index]), np.concatenate([first, again])
        xlabel = f"epochs of exploration (groups swapped after {self.setup.epochs})"
        swap = plots.dependence(lines, xlabel=xlabel, ylabel="sign agreement", logarithmic=False)
        return {
            "neurons": draw_neurons(shown, self.decoder.numpy()),
            "agreement": draw_numbers(self.numbers),
            "swap": swap,
        }

    def save(self, out: Path) -> None:
        """Write the causal role and the apical gains of every neuron, and the histories after the first exploration."""
        roles, parts = self.decoder[:, 0].numpy(), []
        for label, s in self.results.items():
            assert s.naive is not None and s.explored is not None
            seed, neuron = np.indices(roles.shape)
            columns = {"seed": seed, "neuron": neuron, "causal role": roles,
                       "gain before": s.naive.gain, "gain after": s.explored.gain}  # fmt: skip
            parts.append(pd.DataFrame({name: values.ravel() for name, values in columns.items()}).assign(circuit=label))
        pd.concat(parts, ignore_index=True).to_csv(out / "neurons.csv", index=False)
        later = [
            getattr(s, stage).to_pandas().assign(circuit=label, stage=stage)
            for label, s in self.results.items()
            for stage in ("learned", "silenced", "swapped")
            if getattr(s, stage).rows
        ]
        pd.concat(later, ignore_index=True).to_csv(out / "later.csv", index=False)


def epochs_to(history: cs.History, agreement: float = 0.9) -> str:
    """The number of epochs of a run after which the mean sign agreement exceeds a value, or "never"."""
    curve = history.curve("sign_agreement", "probe").mean(axis=1)
    reached = curve.index[curve > agreement]
    return f"{reached[0] - curve.index[0]:g}" if len(reached) else "never"


def _curve(history: cs.History, metric: str, n_replicas: int) -> np.ndarray:
    """A metric over the measurements of a probe, ``[measurement, replica]``; one row of NaN if there are none."""
    if not history.rows:
        return np.full((1, n_replicas), np.nan)
    return history.curve(metric, "probe").to_numpy()


def draw_neurons(sessions: Mapping[str, Session], decoder: np.ndarray) -> Picture:
    """Draw the apical gain of every neuron against its causal role, before and after exploration, for each circuit.

    Gains are in units of the root mean square over all neurons of a circuit.
    """
    figure, role = Picture(2.3 * len(sessions) + 1.0, 5.4), decoder[:, 0]
    axes = figure.subplots(2, len(sessions), sharex=True, sharey=True)
    figure.subplots_adjust(0.06, 0.12, 0.995, 0.86, 0.08, 0.1)
    groups = {"first group (w > 0)": (role > 0, PLUS), "second group (w < 0)": (role < 0, MINUS)}
    groups["other neurons"] = (role == 0, OTHER)
    for column, (label, session) in enumerate(sessions.items()):
        for row, neurons in enumerate((session.naive, session.explored)):
            assert neurons is not None
            gain = neurons.gain / np.sqrt((neurons.gain**2).mean(1, keepdims=True))
            ax = axes[row, column]
            for name, (which, colour) in groups.items():
                ax.plot(role[which], gain[which], "o", color=colour, markersize=4, alpha=0.6, mew=0, label=name)
            plain_axes(ax, 9)
            ax.axhline(0, color="#555555", linewidth=0.8)
            ax.set_ylim(-4.6, 4.6)
            ax.set_xticks([-0.2, 0.0, 0.2])
            ax.text(0.04, 0.89, f"{neurons.agreement.mean():.2f}", transform=ax.transAxes, size=10)
        axes[0, column].set_title(label.removeprefix("control: ").replace(" at random", ""), size=10.5)
    for row, stage in enumerate(("before exploration", "after exploration")):
        axes[row, 0].set_ylabel(f"apical gain\n{stage}", size=10.5)
    figure.supxlabel("causal role of the neuron: its weight in the decoder", size=11, y=0.015)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper left", ncols=3, frameon=False, fontsize=10.5, bbox_to_anchor=(0.05, 1.0))
    figure.text(0.995, 0.965, "in each panel: sign agreement", size=10.5, ha="right")
    return figure


def draw_numbers(numbers: Mapping[str, Mapping[str, np.ndarray]]) -> Any:
    """Draw sign agreement and correct rotations of each circuit, with chance as a dashed line."""
    panels = {
        "sign agreement": {"before": "before exploration or learning", "after": "after"},
        "correct rotations": {
            "naive": "before exploration or learning", "learned": "after", "silenced": "after, dendrites silent",
        },
    }  # fmt: skip
    figure = plots.dots({
        title: {
            label.removeprefix("control: "): {run: found[quantity] for quantity, run in runs.items()}
            for label, found in numbers.items()
        }
        for title, runs in panels.items()
    })  # fmt: skip
    for ax in figure.axes:
        ax.axvline(0.5, color="#555555", linewidth=0.8, linestyle="--")
        ax.set_xlim(-0.04, 1.04)
    return figure


def fit(circuit: cs.Circuit, data: Any, epochs: int, probes: Mapping[str, cs.Probe]) -> cs.History:
    """Train the circuit; if all its replicas run away, the history ends early."""
    try:
        return cs.fit(circuit, data, epochs=epochs, batch_size=BATCH, probes=probes, evaluate_every=0, progress=False)
    except cs.SimulationDiverged as error:
        return error.history  # type: ignore[attr-defined]  # `cs.fit` adds it


if __name__ == "__main__":
    ApicalSignals.main()
