"""Compare steps with alternating batch sizes, such as those of short last batches, with steps of one size."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.circuits import random_batch, sal_circuit
from benchmarks.rows import Row, Target, rows_of
from benchmarks.timing import interleaved

LAYERS = (784, 200, 200, 200, 10)
BATCHES = (256, 255, 250, 240, 200, 180, 129, 64)
RUN = 10  # steps of each size in one call, either consecutive or alternating
IN_TURN, STEADY = "sizes in turn", "each size in a run of its own"


def time_batch_sizes(
    rounds: int, device: str, layers: Sequence[int] = LAYERS, batches: Sequence[int] = BATCHES
) -> list[Row]:
    """Time the same steps in two orders: one circuit alternates between sizes, and each of the others has one size.

    Args:
        rounds, device: as in `benchmarks.bench`.
        layers: the layer sizes of the circuit.
        batches: the batch sizes.
    """
    one = sal_circuit(layers, device=device)
    given = [random_batch(one, layers, batch) for batch in batches]
    steady = [sal_circuit(layers, device=device) for _ in batches]

    def in_turn() -> None:
        for _ in range(RUN):
            for x, y in given:
                one.step(x, y)

    def apart() -> None:
        for circuit, (x, y) in zip(steady, given, strict=True):
            for _ in range(RUN):
                circuit.step(x, y)

    timings = interleaved({IN_TURN: in_turn, STEADY: apart}, rounds)
    case = f"{'-'.join(map(str, layers))}, batches of {', '.join(map(str, batches))}; a step"
    per = 1e-3 * RUN * len(batches)
    return rows_of("batch sizes", case, timings, [Target(IN_TURN, STEADY, 1.3)], per=per)


CASES = {"batch-sizes": time_batch_sizes}
