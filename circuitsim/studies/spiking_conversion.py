"""A trained rate circuit as spikes, without plasticity: does it still classify?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from circuitsim.export import IntegrateAndFire, SignedIntegrateAndFire, Spiking, Stream, Trial, export_brian2
from circuitsim.studies.experiment import Options, Report
from circuitsim.studies.spiking_runs import tensors
from circuitsim.studies.trained import bench, shown, train
from motifs import sal

N_IMAGES = 1000
# Linear neurons, which ReLU is the mean of; inputs are standardised, so they have a sign.
SPIKING = Spiking(
    ascending=Stream(50.0, rectified=IntegrateAndFire(floor=float("-inf"))), inputs=SignedIntegrateAndFire(1.0),
    rate_hz=100.0, trial=Trial(ascending_ms=200, silence_ms=0, descending_ms=10, rests=True),
)  # fmt: skip


def spiking_conversion(options: Options, programs: Path | None = None) -> Report:
    """SAL trained with rates, then shown the test images as spikes, 200 ms each, its weights as they are.

    Source: the circuit of Liao et al. (2024), arXiv 2412.20018; linear integrate-and-fire neurons count what ReLU
    computes. `programs` is a folder for compiled programs, to be used again.
    """
    on = bench(options)
    trained = train(sal(on.layers), on)
    x, y = tensors(on.data.splits[on.last_split], 8 if options.quick else N_IMAGES)
    rows = []
    for replica in range(on.seeds):
        net = export_brian2(
            trained.circuit, mode="spiking", replica=replica, spiking=SPIKING, plastic=False, n_trials=min(100, len(x)),
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
    notes = f"Gap of each seed, in points: {', '.join(f'{gap:+.1f}' for gap in found['spikes - rates'])}."
    return Report(title, table, notes, {}, {}, on.configuration | {"spiking": SPIKING.document()})
