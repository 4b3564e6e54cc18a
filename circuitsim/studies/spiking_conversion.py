"""A trained rate circuit as spikes, without plasticity: does it still classify?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from circuitsim.engine import Circuit
from circuitsim.export import IntegrateAndFire, SignedIntegrateAndFire, Spiking, Stream, Trial, export_brian2
from circuitsim.studies.experiment import Options, Report
from circuitsim.studies.spiking_runs import tensors
from circuitsim.studies.trained import bench, shown, train
from motifs import sal

N_IMAGES = 1000
TRIAL_MS, RATE_HZ = 200.0, 100.0  # of a circuit whose activities are small enough
LARGEST = 15.0  # units at that rate: three quarters of one spike in each time step of 0.5 ms


def spiking_for(circuit: Circuit, x: torch.Tensor) -> Spiking:
    """Neurons that the circuit's activities do not saturate: larger ones get lower rates, and longer trials instead.

    Linear neurons, which ReLU is the mean of; inputs are standardised, so they have a sign.

    Args:
        circuit: trained.
        x: training images, ``[sample, input]``; the 99.9th percentile of its activities counts.
    Source: Rueckauer et al. (2017), Front. Neurosci. 11:682, section 2.2.1 (data-based normalisation).
    """
    x = x.to(circuit.device)
    ascending = [p.name for p in circuit.motif.populations if p.stream == "ascending"]
    largest = max(float(np.quantile(circuit.predict(x, name).abs().cpu(), 0.999)) for name in ascending)
    slower = max(1.0, largest / LARGEST)
    trial = Trial(ascending_ms=10.0 * round(TRIAL_MS * slower / 10), silence_ms=0, descending_ms=10, rests=True)
    neurons = Stream(50.0, rectified=IntegrateAndFire(floor=float("-inf")))
    return Spiking(ascending=neurons, inputs=SignedIntegrateAndFire(1.0), rate_hz=RATE_HZ / slower, trial=trial)


def spiking_conversion(options: Options, programs: Path | None = None) -> Report:
    """SAL trained with rates, then shown the test images as spikes, 200 ms each or more, its weights as they are.

    Source: the circuit of Liao et al. (2024), arXiv 2412.20018; linear integrate-and-fire neurons count what ReLU
    computes. `programs` is a folder for compiled programs, to be used again.
    """
    on = bench(options)
    trained = train(sal(on.layers), on)
    x, y = tensors(on.data.splits[on.last_split], 8 if options.quick else N_IMAGES)
    spiking = spiking_for(trained.circuit, tensors(on.data.train, N_IMAGES)[0])
    rows = []
    for replica in range(on.seeds):
        net = export_brian2(
            trained.circuit, mode="spiking", replica=replica, spiking=spiking, plastic=False, n_trials=min(100, len(x)),
            target="numpy" if options.quick else "cpp_standalone", directory=None if options.quick else programs,
        )  # fmt: skip
        rates = trained.circuit.predict(x.to(trained.circuit.device))[replica].argmax(1).cpu().numpy()
        spikes = net.predict(x).argmax(1)
        wanted = y.numpy()
        rows.append({"rates": 100 * (rates == wanted).mean(), "spikes": 100 * (spikes == wanted).mean(),
                     "same answer": 100 * (rates == spikes).mean()})  # fmt: skip
    found = pd.DataFrame(rows)
    found["spikes - rates"] = found.spikes - found.rates
    table = pd.DataFrame([{"": f"{len(x)} test images, %", **{name: shown(found[name]) for name in found}}])
    title = f"Conversion, {on.data.name}: mean ± standard deviation over {on.seeds} seeds"
    gaps = ", ".join(f"{gap:+.1f}" for gap in found["spikes - rates"])
    notes = (
        f"Gap of each seed, in points: {gaps}. A unit of activity is {spiking.rate_hz:.0f} Hz and an image "
        f"{spiking.trial.ascending_ms:.0f} ms, so that no neuron needs more than a spike in each time step."
    )
    return Report(title, table, notes, {}, {}, on.configuration | {"spiking": spiking.document()})
