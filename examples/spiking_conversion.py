"""Convert a trained rate circuit to spikes, without plasticity, and test whether it still classifies.

python examples/spiking_conversion.py
python examples/spiking_conversion.py --dataset fashion_mnist --seeds 3
python examples/spiking_conversion.py --quick
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

import circuitsim as cs
from circuitsim.export import IntegrateAndFire, SignedIntegrateAndFire, Spiking, Stream, Trial
from motifs import paper_sal
from support import Result, Study, mean_and_spread
from support.spikes import first_samples

N_IMAGES, QUICK_N_IMAGES = 1000, 8
TRIAL_MS, RATE_HZ = 200.0, 100.0  # for a circuit whose activities are at most LARGEST
LARGEST = 15.0  # the largest activity at that rate: three quarters of one spike in each time step of 0.5 ms


class SpikingConversion(Study):
    """Train SAL with rates, then present the test images as spikes for at least 200 ms each, with fixed weights.

    Source: the circuit of Liao et al. (2024), arXiv 2412.20018. The spike counts of linear integrate-and-fire neurons
    approximate ReLU.
    """

    title = "Conversion"

    def motifs(self) -> dict[str, cs.Motif]:
        return {"SAL": paper_sal(self.setup.layers)}

    @cached_property
    def spiking(self) -> Spiking:
        """The neuron models that suit the circuit."""
        return spiking_for(self.results["SAL"].circuit, first_samples(self.setup.data.train, N_IMAGES)[0])

    @cached_property
    def images(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The images that the circuits are shown, and their classes."""
        n = QUICK_N_IMAGES if self.setup.quick else N_IMAGES
        return first_samples(self.setup.data.splits[self.setup.last_split], n)

    @cached_property
    def found(self) -> pd.DataFrame:
        """The percentages of correctly classified images and of equal answers, one row per seed."""
        circuit, rows = self.results["SAL"].circuit, []
        x, classes = self.images
        options: dict[str, Any] = {"target": "numpy"}
        if not self.setup.quick:
            options = {"target": "cpp_standalone", "directory": self.setup.out / "programs"}
        answers = circuit.predict(x.to(circuit.device)).argmax(2).cpu().numpy()
        for replica, rates in enumerate(answers):
            net = cs.export_brian2(
                circuit, mode="spiking", replica=replica, spiking=self.spiking, plastic=False,
                n_trials=min(100, len(x)), **options,
            )  # fmt: skip
            spikes, wanted = net.predict(x).argmax(1), classes.numpy()
            right = {"rates": rates == wanted, "spikes": spikes == wanted, "same answer": rates == spikes}
            rows.append({name: 100 * values.mean() for name, values in right.items()})
        table = pd.DataFrame(rows)
        return table.assign(**{"spikes - rates": table.spikes - table.rates})

    def rows(self, label: str, result: Result) -> Iterable[dict[str, Any]]:
        shown = {f"{name}, %": mean_and_spread(self.found[name]) for name in self.found}
        yield {"test images": len(self.images[0]), **shown}

    def notes(self) -> str:
        gaps = ", ".join(f"{gap:+.1f}" for gap in self.found["spikes - rates"])
        return (
            f"Gap of each seed, in points: {gaps}. A unit of activity is {self.spiking.rate_hz:.0f} Hz and an image "
            f"{self.spiking.course.ascending_ms:.0f} ms, so that no neuron needs more than a spike in each time step."
        )

    def configuration(self) -> Mapping[str, Any]:
        return {"spiking": self.spiking.document()}


def spiking_for(circuit: cs.Circuit, x: torch.Tensor) -> Spiking:
    """Choose neuron models that the circuit's activities do not saturate: large ones get lower rates and longer trials.

    The neurons are linear, and their mean response is ReLU. Inputs are standardised, so they have a sign.

    Args:
        circuit: a trained circuit.
        x: training images, ``[sample, input]``; the 99.9th percentile of the activities sets the rate.
    Source: Rueckauer et al. (2017), Front. Neurosci. 11:682, section 2.2.1 (data-based normalisation).
    """
    x = x.to(circuit.device)
    ascending = [p.name for p in circuit.motif.populations if p.stream == "ascending"]
    largest = max(float(np.quantile(circuit.predict(x, name).abs().cpu(), 0.999)) for name in ascending)
    slower = max(1.0, largest / LARGEST)
    trial = Trial(ascending_ms=10.0 * round(TRIAL_MS * slower / 10), silence_ms=0, descending_ms=10, rests=True)
    neurons = Stream(50.0, rectified=IntegrateAndFire(floor=float("-inf")))
    return Spiking(ascending=neurons, inputs=SignedIntegrateAndFire(1.0), rate_hz=RATE_HZ / slower, trial=trial)


if __name__ == "__main__":
    SpikingConversion.main()
