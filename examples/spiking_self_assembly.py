"""Show self-assembly with spikes, compared with controls and the rate circuit.

python examples/spiking_self_assembly.py --seeds 3
python examples/spiking_self_assembly.py --quick
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from circuitsim import plots
from circuitsim.export import Spiking
from motifs import shuffled_error, spiking_sal
from motifs.spiking_sal import FORMS
from support import Result, compared, deviations
from support.circuits import images_of
from support.spikes import DEEP, Spikes, SpikingStudy, feedback_of, raster_of

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
            f"{RATES}, batches of {BATCH}": self.rates(batches, BATCH),
            f"{RATES}, the paper's form": self.rates(paper, 1),
        }

    def notes(self) -> str:
        accuracy = {label: 100 * result.final("accuracy", "test") for label, result in self.results.items()}
        lines = ["Test accuracy in percent, seed by seed, with Student's 95 % interval of the mean difference:"]
        for label, values in accuracy.items():
            if label != SPIKES:
                lines.append(f"- {SPIKES} minus {label}: {compared(accuracy[SPIKES], values)}")
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


if __name__ == "__main__":
    SpikingSelfAssembly.main()
