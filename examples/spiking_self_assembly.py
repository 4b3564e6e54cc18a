"""Show self-assembly with spikes, compared with controls and the rate circuit.

python examples/spiking_self_assembly.py --seeds 3
python examples/spiking_self_assembly.py --quick
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

import circuitsim as cs
from circuitsim import plots
from circuitsim.export import Spiking
from motifs import shuffled_error, spiking_sal
from motifs.spiking_sal import FORMS
from support import Condition, Result, deviations, interval, versus
from support.circuits import images_of
from support.spikes import DEEP, Spikes, SpikingStudy, feedback_of, first_samples, pixels, raster_of
from support.trainer import train

SPIKES, PAPER, RATES = "spikes", "spikes, the paper's form", "rates"
# Rate circuits: the motif in batches, over which its means are taken, with averages over as many samples; and the
# paper's form with one sample per step, a third of eta and the same decay. A trial of spikes changes a weight by a
# third of what a step does, because the traces of the two volleys overlap by so much.
BATCH, OVERLAP = 4, 1 / 3
IN_BATCHES: dict[str, Any] = {"eta": 0.5, "gamma": BATCH / (0.5 * 1500), "tau": 3000 / BATCH, "cap": 0.7}


class SpikingSelfAssembly(SpikingStudy):
    """Show that two streams of spiking neurons assemble themselves from random connectivity.

    One sample is a trial of two successive volleys, during which the synapses change by local rules. The
    comparisons are feedback frozen at random, a frozen first layer, a shuffled error, the paper's form of the circuit,
    and rate circuits.

    Source: Liao et al. (2024), arXiv 2412.20018; the spiking circuit is ours (docs/spiking.md).
    """

    title = "Self-assembly with spikes"
    hidden, spiking = (32,), DEEP

    def conditions(self) -> dict[str, Spikes]:
        layers = self.setup.layers
        motif = spiking_sal(layers, form="normalised")
        made = {
            SPIKES: Spikes(motif),
            f"{SPIKES}, feedback frozen at random": Spikes(motif, frozen=feedback_of(motif)),
        }
        if not self.setup.quick:
            made[f"{SPIKES}, first layer frozen"] = Spikes(motif, frozen=["W0"])
            made[f"{SPIKES}, shuffled error"] = Spikes(shuffled_error(motif))
            made[PAPER] = Spikes(spiking_sal(layers))
            made[f"{PAPER}, LIF"] = Spikes(spiking_sal(layers), spiking=Spiking())
        return made

    def train(self) -> dict[str, Result]:
        layers, usual = self.setup.layers, FORMS["paper"]
        batches = spiking_sal(layers, form="normalised", **IN_BATCHES)
        paper = spiking_sal(layers, eta=usual["eta"] * OVERLAP, gamma=usual["gamma"] / OVERLAP)
        return {
            **super().train(),
            f"{RATES}, batches of {BATCH}": self._rates(batches, BATCH),
            f"{RATES}, the paper's form": self._rates(paper, 1),
        }

    def _rates(self, motif: cs.Motif, batch_size: int) -> Result:
        """Train a rate circuit with as many samples and the same probes."""
        setup = self.setup
        epochs = max(1, round(self.n_samples / len(setup.data.train)))
        every = max(1, epochs * len(setup.data.train) // batch_size // 20)
        probes = {"alignment": replace(self.probe(torch.float32), every_steps=every)}
        setup = replace(setup, load=one_hot, batch_size=batch_size, epochs=epochs, device="cpu")
        result = train(RATES, Condition(motif, probes), setup)
        circuit = result.circuit
        for split in ("validation", "test"):
            x, classes = self.test(split)
            right = (circuit.predict(x).argmax(-1) == classes).double().mean(1)
            result.history.add(
                step=circuit.n_steps, epoch=float(epochs), split=split, metric="accuracy", values=right.tolist()
            )
        return result

    def notes(self) -> str:
        accuracy = {label: 100 * result.final("accuracy", "test") for label, result in self.results.items()}
        lines = ["Test accuracy in percent, seed by seed, with Student's 95 % interval of the mean difference:"]
        for label, values in accuracy.items():
            if label != SPIKES:
                low, high = interval(accuracy[SPIKES], values)
                lines.append(f"- {SPIKES} minus {label}: {versus(accuracy[SPIKES], values)}, {low:+.1f} to {high:+.1f}")
        lines.append("\nCosine of dW0 with the gradient, spikes above a control, in standard deviations of the "
                     "difference:")  # fmt: skip
        cosine = {label: result.final("gradient_cosine", "probe", "W0") for label, result in self.results.items()}
        lines += [
            f"- {label.removeprefix(f'{SPIKES}, ')}: {deviations(cosine[SPIKES], values):.1f}"
            for label, values in cosine.items()
            if label.startswith(f"{SPIKES}, ") and len(values) > 1
        ]
        lines.append(
            "\nOn a task as easy as digits, fixed random feedback learns too (feedback alignment). The evidence of "
            "self-assembly is the rise from 0 of the cosine with the gradient and of the stationarity cosine."
        )
        return "\n".join(lines)

    def figures(self) -> Mapping[str, Any]:
        first = self.results[SPIKES]
        images = images_of(first.circuit.motif)
        return {
            "self_assembly": plots.self_assembly(self.histories),
            "weights": plots.weights(first.before, first.after, projections=["W0", "V1"], images=images),
            "raster": raster_of(first.networks[0], self.setup.data.train, 3, "Three trials, assembled"),
        }


def one_hot(dataset: str, folder: Path | None = None) -> cs.Dataset:
    """Return the training samples with one-hot targets, which a squared error needs."""
    data = pixels(dataset, folder)
    x, classes = first_samples(data.train)
    targets = functional.one_hot(classes, int(data.n_outputs))  # type: ignore[arg-type]
    return cs.Dataset.from_arrays(x, targets.double(), kind="values", name=data.name)


if __name__ == "__main__":
    SpikingSelfAssembly.main()
