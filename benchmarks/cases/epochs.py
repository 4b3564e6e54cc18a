"""Compare one call of `fit` on a data set with a training loop of torch.nn and torch.optim."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

import circuitsim as cs
from benchmarks.circuits import OURS, random_batch, sal_circuit
from benchmarks.rivals import torch_nn
from benchmarks.rows import Row, Target, rows_of
from benchmarks.timing import interleaved

BATCH, EPOCHS = 256, 5
LOOP = "autograd loop, torch.nn"
SIZES = {  # name -> layers, samples, and the largest allowed ratio of `fit` to the loop
    "epochs-784x200": ((784, 200, 200, 200, 10), 20_480, 1.0),
    "epochs-3072x200": ((3072, 200, 200, 200, 10), 10_240, 1.0),
    "epochs-784x1024": ((784, 1024, 1024, 1024, 10), 5_120, 1.03),
}


def time_epochs(layers: Sequence[int], n_samples: int, limit: float, rounds: int, device: str) -> list[Row]:
    """Time everything from the call of `fit` to its return, and the same epochs in the loop, on existing data sets.

    `fit` validates the data, shuffles, saves good states, and evaluates the training split once at the end. The loop
    shuffles and sums its loss.

    Args:
        layers: the layer sizes of both.
        n_samples: the number of samples per epoch.
        limit: the largest allowed ratio of `fit` to the loop.
        rounds, device: as in `benchmarks.bench`.
    """
    circuit = sal_circuit(layers, device=device)
    x, y = random_batch(circuit, layers, n_samples)
    data = cs.Dataset.from_arrays(x.cpu(), y.cpu(), n_outputs=layers[-1])
    with torch.device(circuit.device):
        loop = torch_nn.make_epochs(layers, x, y, BATCH, EPOCHS)
    contestants: dict[str, Callable[[], object]] = {
        OURS: lambda: cs.fit(circuit, data, epochs=EPOCHS, batch_size=BATCH, progress=False),
        LOOP: loop,
    }
    case = f"{n_samples:,} samples through {'-'.join(map(str, layers))}, an epoch of {EPOCHS}"
    timings = interleaved(contestants, rounds)
    return rows_of("epochs", case, timings, [Target(OURS, LOOP, limit)], unit="s", per=EPOCHS)


def _case(layers: Sequence[int], n_samples: int, limit: float) -> Callable[[int, str], list[Row]]:
    return lambda rounds, device: time_epochs(layers, n_samples, limit, rounds, device)


CASES = {name: _case(*size) for name, size in SIZES.items()}
